/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/called.h"

#include <errno.h>
#include <string.h>
#include "base/cleanup.h"
#include "subject/memory.h"

#define NR_OLD_MMAP 90
#define PAGE_BITS 12

int called_unpack(struct called *cl, pid_t tid)
{
    const struct call_behind *b = cl->behind;
    uint32_t words[ARRAY_SIZE(cl->regs)] = {0};
    ssize_t n = memory_read(tid, cl->regs[b->array], words, b->words * sizeof *words);
    if (n < 0)
        return (int)n;
    if (b->nr == NR_OLD_MMAP) { /* bytes there, pages in its successor: ia32_mmap() */
        if (words[5] % (1U << PAGE_BITS) != 0)
            return -EINVAL;
        words[5] >>= PAGE_BITS;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        cl->regs[i] = words[i];
    cl->nr = cl->call->nr[ARCH_I386];
    return 0;
}

static bool has_field(const struct call *c)
{
    for (unsigned i = 0; i < c->n_args; i++)
        if (c->args[i].source == FROM_FIELD)
            return true;
    return false;
}

static void look_behind(struct called *cl)
{
    for (unsigned i = 0; i < ARRAY_SIZE(cl->regs); i++)
        cl->regs[i] = (uint32_t)cl->regs[i];
    cl->behind = call_behind_nr(cl->nr, cl->regs[0]);
    if (cl->behind == NULL)
        return;
    cl->call = cl->behind->call;
    cl->packed = cl->behind->words != 0;
    cl->memory = cl->packed || has_field(cl->call);
}

int called_read(struct called *cl, enum call_arch arch, long nr, const uint64_t args[6])
{
    *cl = (struct called){.nr = arch == ARCH_I386 ? (int32_t)nr : nr};
    memcpy(cl->regs, args, sizeof cl->regs);
    cl->call = call_by_nr(arch, cl->nr);
    if (cl->call != NULL && arch == ARCH_I386)
        look_behind(cl);
    return cl->call != NULL ? 0 : -ENOSYS;
}
