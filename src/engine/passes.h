/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passes: what a thread's next notification is to be answered with, without asking any clause again. The
 * tracer gives one to a thread whose call has been judged and now runs in the target (errand.c), and to each
 * call that it makes the thread do on its behalf (inject.h). A pass is for one call: its number and all six
 * registers must be those of the notification. The thread is in a ptrace stop when it gets the pass and makes
 * just this call next, so nobody can spend it on another.
 *
 *     passes_continue(ps, tid, nr, args);        // tracer
 *     switch (passes_take(ps, tid, nr, args, &fd)) ...   // worker, for each notification
 *     passes_revoke(ps, tid);                    // tracer: the call is over, the filter may not have asked
 */
#ifndef IDW_ENGINE_PASSES_H
#define IDW_ENGINE_PASSES_H

#include <stdint.h>
#include <sys/types.h>

struct passes;

enum pass {
    PASS_NONE,     /* ask the clauses */
    PASS_CONTINUE, /* let the kernel do it */
    PASS_ADDFD, /* put descriptor *@fd into the target with ADDFD_FLAG_SEND, close-on-exec; its number is the
                   result */
};

struct passes *passes_new(void); /* NULL: no memory */
void passes_free(struct passes *ps);

/* One a thread; a new one replaces the old. Return 0, or -ENOMEM. @fd: borrowed until it is taken or revoked.
 */
int passes_continue(struct passes *ps, pid_t tid, long nr, const uint64_t args[6]);
int passes_addfd(struct passes *ps, pid_t tid, long nr, const uint64_t args[6], int fd);

/* passes_take - what the thread may do, once. A call that is not the one it has a pass for leaves the pass
 * alone. */
enum pass passes_take(struct passes *ps, pid_t tid, long nr, const uint64_t args[6], int *fd);
void passes_revoke(struct passes *ps, pid_t tid);

#endif
