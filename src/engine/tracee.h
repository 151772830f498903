/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the trace engine: the threads that it traces, and their registers. Only the tracer thread uses
 * these. */
#ifndef IDW_ENGINE_TRACEE_H
#define IDW_ENGINE_TRACEE_H

#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <time.h>
#include <uthash.h>
#include "engine/inject.h"
#include "engine/turn.h"
#include "subject/event.h"

#define TRACE_OPTIONS                                                                                        \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |                \
     PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP)

/* Where a thread is with its turn. */
enum step {
    STEP_FREE,      /* it has none */
    STEP_SUMMONED,  /* it was interrupted, and its notification is answered: it will stop */
    STEP_ENTERING,  /* no signal reaches it until it has come to the entry of its call again */
    STEP_INJECTING, /* it makes calls for us, see inject.h */
    STEP_QUEUED,    /* it is held at the entry until there is a pin area, or room in it */
    STEP_ASKED,     /* it is held at the entry while clauses run in a worker */
    STEP_RUNNING,   /* it is in the call, whose exit we want */
    STEP_CLOSING,   /* no signal reaches it until it has come to the entry of another call, a close for us */
    STEP_SHOWN,     /* it is held at the exit while clauses run in a worker */
};

struct tracee {
    pid_t tid;
    struct subject *subject; /* referenced; NULL between a child's first stop and its parent's event */
    bool lent;               /* traced for its turn only, or born of such a one */
    pid_t child, maker;      /* lent ones: it goes on when its new child has been let go */
    bool unborn;             /* stopped, and waiting for a subject */
    struct timespec unborn_since;
    int unborn_stop; /* the signal of that stop */
    uint8_t restore; /* before its first instruction: these registers are to become `given` */
    enum call_arch restore_arch;
    uint64_t given[6];
    enum step step;
    struct turn *turn; /* not in STEP_FREE */
    uint64_t mask;     /* STEP_ENTERING, CLOSING: its signal mask */
    struct injection injection;
    UT_hash_handle hh;
};

struct tracees {
    struct tracee *by_tid;
};

/* tracee_get - the thread's, made if need be. NULL: no memory. */
struct tracee *tracee_get(struct tracees *all, pid_t tid);
struct tracee *tracee_find(struct tracees *all, pid_t tid);

/* tracee_drop - forget it and give back its subject. Its turn, if clauses run on it now, goes on without it.
 */
void tracee_drop(struct tracees *all, struct tracee *t, struct engine *en);

/* tracee_rename - an exec has given the thread its leader's id. */
void tracee_rename(struct tracees *all, struct tracee *t, pid_t tid);

/*
 * tracee_resume - let it run on, to the next entry or exit of a call where its step wants one. @signal: to
 * deliver, or 0. Errors are ESRCH, and its death will be told by wait.
 */
void tracee_resume(const struct tracee *t, int signal);

/* tracee_mask - block all signals and remember its mask; tracee_unmask - give it back. */
int tracee_mask(struct tracee *t);
int tracee_unmask(const struct tracee *t);

/* A call's entry: of a seccomp stop, or of a syscall stop. */
struct entry {
    bool seccomp;
    enum call_arch arch;
    long nr;
    uint64_t args[6];
};

/* tracee_entry - Returns 0, -ESRCH, or -EINVAL: the stop is no entry. */
int tracee_entry(const struct tracee *t, struct entry *at);

/* tracee_exit - what the kernel returned. Returns 0, or -ESRCH, -EINVAL when the stop is no exit. */
int tracee_exit(const struct tracee *t, int64_t *result);

/* tracee_assign - write the argument registers whose bit is set in @which. */
int tracee_assign(const struct tracee *t, enum call_arch arch, const uint64_t args[6], uint8_t which);

/*
 * tracee_hold - at entry: the call doesn't run, whatever becomes of us; it would fail with ENOSYS. Without it
 * a call that is being decided on would run when its tracer dies (the kernel asks the filter again,
 * kernel/seccomp.c). tracee_run - let it run after all, as number @nr. tracee_skip - it doesn't run and
 * returns @result.
 */
int tracee_hold(const struct tracee *t);
int tracee_run(const struct tracee *t, long nr);
int tracee_skip(const struct tracee *t, int64_t result);

/*
 * tracee_repeat - at exit: it makes another call by the same instruction, number @nr with @argument in its
 * first register. Its next stop is that call's entry.
 */
int tracee_repeat(const struct tracee *t, enum call_arch arch, long nr, uint64_t argument);

/* tracee_return - at exit: the call returns @result instead; registers in @which become @args again. */
int tracee_return(const struct tracee *t, const int64_t *result, enum call_arch arch, const uint64_t args[6],
                  uint8_t which);

#endif
