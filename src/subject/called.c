/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/called.h"

#include <errno.h>
#include <linux/audit.h>
#include <string.h>
#include "base/cleanup.h"
#include "subject/memory.h"

#define NR_OLD_MMAP 90
#define PAGE_BITS 12

static int unpack(struct called *cl, pid_t tid, const struct call_behind *b)
{
    uint32_t words[ARRAY_SIZE(cl->regs)] = {0};
    ssize_t n = memory_read(tid, cl->regs[b->array], words, b->words * sizeof *words);
    if (n < 0)
        return (int)n;
    if (cl->nr == NR_OLD_MMAP) { /* bytes there, pages in its successor: ia32_mmap() */
        if (words[5] % (1U << PAGE_BITS) != 0)
            return -EINVAL;
        words[5] >>= PAGE_BITS;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        cl->regs[i] = words[i];
    cl->nr = b->call->nr[ARCH_I386];
    cl->unpacked = true;
    return 0;
}

static int read_i386(struct called *cl, pid_t tid)
{
    cl->nr = (int32_t)cl->nr;
    for (unsigned i = 0; i < ARRAY_SIZE(cl->regs); i++)
        cl->regs[i] = (uint32_t)cl->regs[i];
    cl->call = call_by_nr(ARCH_I386, cl->nr);
    if (cl->call == NULL)
        return -ENOSYS;
    const struct call_behind *b = call_behind_nr(cl->nr, cl->regs[0]);
    if (b == NULL)
        return 0;
    cl->call = b->call;
    return b->words != 0 ? unpack(cl, tid, b) : 0;
}

int called_read(struct called *cl, pid_t tid, uint32_t audit_arch, long nr, const uint64_t args[6])
{
    *cl = (struct called){.nr = nr};
    memcpy(cl->regs, args, sizeof cl->regs);
    if (audit_arch == AUDIT_ARCH_I386)
        return read_i386(cl, tid);
    cl->call = audit_arch == AUDIT_ARCH_X86_64 ? call_by_nr(ARCH_X86_64, nr) : NULL;
    return cl->call != NULL ? 0 : -ENOSYS;
}
