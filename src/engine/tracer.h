/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside the trace engine: what its parts share. trace.c gets the stops and gives each to its part:
 * children.c (new processes, threads and programs), errand.c (calls that run in the target).
 */
#ifndef IDW_ENGINE_TRACER_H
#define IDW_ENGINE_TRACER_H

#include "engine/trace.h"
#include "engine/tracee.h"

struct tracer {
    struct engine *en;
    const struct trace_watch *watch;
    pid_t main;
    struct tracees tracees;
    unsigned queued; /* threads in STEP_QUEUED */
};

/* tracer_refuse - a process that we can't keep track of does not run. */
void tracer_refuse(const struct tracee *t, const char *why);

/* tracer_let_go - its turn is over, or it never had one: it runs on, untraced if it was only lent. @t may be
 * gone then. */
void tracer_let_go(struct tracer *tr, struct tracee *t);

/* tracer_after_stop - it runs on after a PTRACE_EVENT_STOP with @signal, or stays in its group-stop. */
void tracer_after_stop(struct tracer *tr, struct tracee *t, int signal);

/* children.c */

/* children_own - @t is a thread of @owned, whose reference goes to it. */
void children_own(struct tracer *tr, struct tracee *t, struct subject *owned);

/* children_stop - the first stop of a thread that has no subject yet, or that has its maker's registers. */
void children_stop(struct tracer *tr, struct tracee *child, int stop);

/* children_made - PTRACE_EVENT_FORK, VFORK (@waits: the thread, for its child), CLONE of @t, which goes on
 * when it may. */
void children_made(struct tracer *tr, struct tracee *t, bool waits);

/* children_orphaned - the process @dead has ended. children_sweep - now and then: those whose maker never
 * tells. */
void children_orphaned(struct tracer *tr, struct subject *dead);
void children_sweep(struct tracer *tr);

/* children_exec - PTRACE_EVENT_EXEC of @t: the new image has not run an instruction yet. */
void children_exec(struct tracer *tr, struct tracee *t);

void children_forget(struct tracer *tr, struct tracee *t);

/* errand.c */

void errand_seccomp(struct tracer *tr, struct tracee *t); /* PTRACE_EVENT_SECCOMP */
void errand_call(struct tracer *tr, struct tracee *t);    /* a syscall stop, entry or exit */
void errand_turn(struct tracer *tr, struct turn *turn);   /* from the inbox */

/* errand_stop - PTRACE_EVENT_STOP of a thread that has been summoned. False: it is a group-stop's business.
 */
bool errand_stop(struct tracer *tr, struct tracee *t, int signal);

/* errand_inject - any stop of a thread in STEP_INJECTING. False: it is not of that. */
bool errand_inject(struct tracer *tr, struct tracee *t, int status);

/* errand_retry - threads that wait for a pin area may get it now. After anything that ends a turn or a
 * thread. */
void errand_retry(struct tracer *tr);

/* errand_child - @child comes out of its parent's call with the parent's registers: note those that we have
 * changed. */
void errand_child(const struct tracee *parent, struct tracee *child);

/* errand_exec - the call of @t was an exec that has gone well. False: what ran is not what was judged. */
bool errand_exec(struct tracer *tr, struct tracee *t);

/* errand_done_early - after the event of a call's success: may the thread go, without its exit? */
bool errand_done_early(const struct tracee *t);

#endif
