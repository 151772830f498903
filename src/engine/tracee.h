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
#include "subject/event.h"

struct tracee {
    pid_t tid;
    struct subject *subject; /* referenced; NULL between a child's first stop and its parent's event */
    bool unborn;             /* stopped, and waiting for a subject */
    struct timespec unborn_since;
    int unborn_stop; /* the signal of that stop */
    bool in_call;    /* between entry and exit of a call whose exit we want; ev is live */
    bool wants_post;
    uint64_t given[6]; /* in_call: the argument registers as the target had them */
    uint8_t restore;   /* before its first instruction: these registers are to become `given` */
    struct idw_event ev;
    UT_hash_handle hh;
};

struct tracees {
    struct tracee *by_tid;
};

/* tracee_get - the thread's, made if need be. NULL: no memory. */
struct tracee *tracee_get(struct tracees *all, pid_t tid);
struct tracee *tracee_find(struct tracees *all, pid_t tid);

/* tracee_drop - forget it and give back its subject. */
void tracee_drop(struct tracees *all, struct tracee *t, struct subjects *subjects);

/* tracee_rename - an exec has given the thread its leader's id. */
void tracee_rename(struct tracees *all, struct tracee *t, pid_t tid);

/*
 * tracee_resume - let it run on, to its exit from the call if in_call. @signal: to deliver, or 0.
 * Errors are ESRCH, and its death will be told by wait.
 */
void tracee_resume(struct tracee *t, int signal);

/* The call's entry: its number and arguments. Returns 0, or -ESRCH. */
int tracee_entry(const struct tracee *t, long *nr, uint64_t args[6]);

/* The call's exit: what the kernel returned. Returns 0, or -ESRCH, -EINVAL when the stop is no exit. */
int tracee_exit(const struct tracee *t, int64_t *result);

/* tracee_assign - write the argument registers whose bit is set in @which. */
int tracee_assign(const struct tracee *t, const uint64_t args[6], uint8_t which);

/*
 * tracee_hold - at entry: the call doesn't run, whatever becomes of us; it would fail with ENOSYS. Without it
 * a call that is being decided on would run when its tracer dies (the kernel asks the filter again,
 * kernel/seccomp.c). tracee_run - let it run after all, as number @nr. tracee_skip - it doesn't run and
 * returns @result.
 */
int tracee_hold(const struct tracee *t);
int tracee_run(const struct tracee *t, long nr);
int tracee_skip(const struct tracee *t, int64_t result);

/* tracee_return - at exit: the call returns @result instead; registers in @which become @args again. */
int tracee_return(const struct tracee *t, const int64_t *result, const uint64_t args[6], uint8_t which);

#endif
