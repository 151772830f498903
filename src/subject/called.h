/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which call a thread makes: from the architecture, number and registers that seccomp or ptrace tell to a row
 * of the table and the registers that its row describes.
 *
 *     struct called cl;
 *     if (called_read(&cl, arch, nr, args) < 0) ...           // fails with ENOSYS
 *     if (cl.packed && (rc = called_unpack(&cl, tid)) < 0) ...  // fails with rc; may wait for the target
 *     event_init(&ev, subject, tid, cl.call, cl.regs);
 *     ... if (cl.packed) it runs as number cl.nr with all six of ev.regs, never as it was made
 *
 * i386's socketcall(2), old mmap and old select have their arguments in an array in memory, which other
 * threads can change. They become the direct call that does the same with them in registers: read once here,
 * they are what clauses see, and with the registers set to them what the kernel takes.
 */
#ifndef IDW_SUBJECT_CALLED_H
#define IDW_SUBJECT_CALLED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "syscalls/table.h"

struct called {
    const struct call *call;
    long nr;          /* the call's number on its architecture, call->arch */
    uint64_t regs[6]; /* its arguments; of i386's registers the lower halves, the kernel drops the others */
    bool packed;      /* the arguments are in memory: nr and regs are right after called_unpack only */
    bool memory;      /* packed, or some that x86-64 has in registers are in memory: CONTINUE is a race */
    const struct call_behind *behind; /* what it is behind another call's number; or NULL */
};

/* called_read - what the registers say. @args: in the order of the architecture's convention. Returns 0, or
 * -ENOSYS: the table has no such call. */
int called_read(struct called *cl, enum call_arch arch, long nr, const uint64_t args[6]);

/*
 * called_unpack - the call that does what this packed one of thread @tid does. Returns 0; -EFAULT: the array
 * of arguments can't be read, -EINVAL: the kernel would say so of it; or -errno: we can't look at the target.
 */
int called_unpack(struct called *cl, pid_t tid);

#endif
