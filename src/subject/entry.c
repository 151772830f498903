/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/entry.h"

#include <errno.h>
#include <linux/audit.h>
#include <string.h>
#include "base/cleanup.h"
#include "subject/memory.h"

#define NR_OLD_MMAP 90
#define PAGE_BITS 12

static int unpack(struct entry *en, pid_t tid, const struct call_behind *b)
{
    uint32_t words[ARRAY_SIZE(en->regs)] = {0};
    ssize_t n = memory_read(tid, en->regs[b->array], words, b->words * sizeof *words);
    if (n < 0)
        return (int)n;
    if (en->nr == NR_OLD_MMAP) { /* bytes there, pages in its successor: ia32_mmap() */
        if (words[5] % (1U << PAGE_BITS) != 0)
            return -EINVAL;
        words[5] >>= PAGE_BITS;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        en->regs[i] = words[i];
    en->nr = b->call->nr[ARCH_I386];
    en->unpacked = true;
    return 0;
}

static int read_i386(struct entry *en, pid_t tid)
{
    en->nr = (int32_t)en->nr;
    for (unsigned i = 0; i < ARRAY_SIZE(en->regs); i++)
        en->regs[i] = (uint32_t)en->regs[i];
    en->call = call_by_nr(ARCH_I386, en->nr);
    if (en->call == NULL)
        return -ENOSYS;
    const struct call_behind *b = call_behind_nr(en->nr, en->regs[0]);
    if (b == NULL)
        return 0;
    en->call = b->call;
    return b->words != 0 ? unpack(en, tid, b) : 0;
}

int entry_read(struct entry *en, pid_t tid, uint32_t audit_arch, long nr, const uint64_t args[6])
{
    *en = (struct entry){.nr = nr};
    memcpy(en->regs, args, sizeof en->regs);
    if (audit_arch == AUDIT_ARCH_I386)
        return read_i386(en, tid);
    en->call = audit_arch == AUDIT_ARCH_X86_64 ? call_by_nr(ARCH_X86_64, nr) : NULL;
    return en->call != NULL ? 0 : -ENOSYS;
}
