/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which call a thread makes: from the architecture, number and registers that seccomp or ptrace tell to a row
 * of the table and the registers that its row describes.
 *
 *     struct called cl;
 *     int rc = called_read(&cl, tid, req->data.arch, req->data.nr, (const uint64_t *)req->data.args);
 *     if (rc < 0) ...                              // what the call fails with
 *     event_init(&ev, subject, tid, cl.call, cl.regs);
 *     ... if (cl.unpacked), and it runs: as number cl.nr with all six of ev.regs, never by CONTINUE
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
    bool unpacked;    /* `nr` and `regs` are not those that the thread has given */
};

/*
 * called_read - @audit_arch: AUDIT_ARCH_*. @args: in the order of the architecture's convention.
 * Returns 0; -ENOSYS: the table has no such call; -EFAULT: the array of arguments can't be read, -EINVAL: the
 * kernel would say so of it (the call fails with either, as it would bare); or -errno: we can't look at the
 * target, the call must not run.
 */
int called_read(struct called *cl, pid_t tid, uint32_t audit_arch, long nr, const uint64_t args[6]);

#endif
