/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that the tracer makes a stopped thread do before its own: mapping a pin area. The thread stands at
 * the entry of a call (a syscall-entry stop or a seccomp stop); its registers and signal mask are kept, all
 * signals blocked, the calls made one after the other at the same instruction, and in the end it stands at
 * the entry of its own call again, as if nothing had been.
 *
 *     struct injection in;
 *     int rc = inject_area(&in, tid, nr, passes, area);  // at the entry stop; resumes the thread
 *     ...
 *     switch (inject_stop(&in, status)) {                // each stop of the thread that wait(2) tells of
 *     case INJECT_GOES_ON:   // it has been resumed (or is gone: wait will tell)
 *     case INJECT_DONE:      // at the entry (syscall-entry stop) of its own call, registers and mask its own
 *     case INJECT_FAILED:    // the same, but the area is not mapped: in.error. The call must not run (number
 *                            // -1: it couldn't, another thread has changed the instruction)
 *     case INJECT_NOT_OURS:  // a stop that has nothing to do with it (group-stop, the end): handle it,
 * resume
 *                            // with PTRACE_SYSCALL
 *     }
 *
 * The descriptor of the area comes by notification: call number PLACE_NR_AREA, which the filter always
 * notifies (src/filter/place.h) and for which the thread has a PASS_ADDFD. A thread that makes this call on
 * its own gets ENOSYS. A kernel
 * without mseal(2) has the area mapped, but not sealed. Filters of the target's own see all these calls, too:
 * one that kills for them kills.
 */
#ifndef IDW_ENGINE_INJECT_H
#define IDW_ENGINE_INJECT_H

#include <signal.h>
#include <sys/types.h>
#include <sys/user.h>
#include "engine/passes.h"
#include "engine/pin.h"

struct injection {
    pid_t tid;
    struct passes *passes;
    struct pin_area *area; /* borrowed */
    unsigned step;
    enum call_arch arch;
    int error; /* positive errno of the first call that failed; EPERM: somebody interfered */
    int fd;    /* the area's, in the target */
    uint64_t address;
    uint64_t mask; /* the thread's signal mask */
    struct user_regs_struct own;
};

enum inject_next { INJECT_GOES_ON, INJECT_DONE, INJECT_FAILED, INJECT_NOT_OURS };

/*
 * inject_area - the thread stands at a syscall-entry stop, or at a seccomp stop where its call is held.
 * @nr: the number of its own call, whatever its registers say at the moment
 * Returns 0; -ESRCH: the thread is gone; -EINVAL: its call was made by an instruction that can't be repeated,
 * -ENOMEM: nothing has happened, the thread is where it was; the call must not run.
 */
int inject_area(struct injection *in, pid_t tid, long nr, struct passes *passes, struct pin_area *area);
enum inject_next inject_stop(struct injection *in, int status);

#endif
