/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/trace.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "engine/launch.h"
#include "engine/respond.h"
#include "engine/tracee.h"
#include "subject/proc.h"

/* Kernel-internal results of a call that a signal interrupted; the signal's handling decides what becomes of
 * them. */
enum { RESTART_FIRST = 512, RESTART_LAST = 516 };

/* Far longer than a report takes on the busiest machine. */
enum { UNBORN_SECONDS = 10 };

struct tracer {
    struct engine *en;
    const struct trace_watch *watch;
    pid_t main;
    struct tracees tracees;
};

/* A process that we can't keep track of does not run. */
static void refuse_process(struct tracee *t, const char *why)
{
    log_error("process %d: %s: killed", (int)t->tid, why);
    (void)kill(t->tid, SIGKILL);
}

/* A child that was made while its maker had assigned registers comes out with them: it gets what was given.
 */
static void note_registers(const struct tracee *parent, struct tracee *child)
{
    if (parent->in_call && parent->ev.assigned != 0) {
        child->restore = parent->ev.assigned;
        memcpy(child->given, parent->given, sizeof child->given);
    }
}

static void set_subject(struct tracer *tr, struct tracee *t, struct subject *owned)
{
    t->subject = owned;
    if (subjects_thread(tr->en->subjects, t->tid, owned) < 0)
        refuse_process(t, "no memory");
}

/* @child is a new thread of @parent's subject, or a new process with a copy of its state. */
static void give_subject(struct tracer *tr, struct tracee *child, struct subject *parent)
{
    struct err e = {0};
    pid_t tgid = subject_tgid(child->tid);
    if (tgid == -ESRCH)
        return;
    if (tgid < 0) {
        refuse_process(child, strerror(-tgid));
        return;
    }
    if (tgid == parent->record->pid) {
        set_subject(tr, child, subject_ref(parent));
        return;
    }
    struct subject *s = subjects_add(tr->en->subjects, tgid, parent, HAPPENS_FORK, &e);
    if (s != NULL)
        set_subject(tr, child, s);
    else if (e.code != ESRCH)
        refuse_process(child, e.text);
}

static bool stops_group(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* A thread that is born into a stopped process stays stopped with it (ptrace(2), "Group-stop"). */
static void go_on(struct tracee *t, int stop)
{
    if (t->restore != 0)
        (void)tracee_return(t, NULL, t->given, t->restore);
    t->restore = 0;
    if (stops_group(stop))
        (void)ptrace(PTRACE_LISTEN, t->tid, 0, 0);
    else
        tracee_resume(t, 0);
}

static void born(struct tracer *tr, struct tracee *child)
{
    if (child->unborn) {
        child->unborn = false;
        atomic_fetch_sub(&tr->en->unborn, 1);
        go_on(child, child->unborn_stop);
    }
}

static void wait_for_parent(struct tracer *tr, struct tracee *child, int stop)
{
    if (!child->unborn)
        atomic_fetch_add(&tr->en->unborn, 1);
    child->unborn = true;
    child->unborn_stop = stop;
    (void)clock_gettime(CLOCK_MONOTONIC, &child->unborn_since);
}

static void forget(struct tracer *tr, struct tracee *t)
{
    if (t->unborn)
        atomic_fetch_sub(&tr->en->unborn, 1);
    tracee_drop(&tr->tracees, t, tr->en->subjects);
}

/* PTRACE_EVENT_FORK, VFORK, CLONE: which of them says nothing of threads or processes, the kernel's ids do.
 */
static void on_child(struct tracer *tr, struct tracee *t)
{
    unsigned long tid;
    if (ptrace(PTRACE_GETEVENTMSG, t->tid, 0, &tid) == 0) {
        struct tracee *child = tracee_get(&tr->tracees, (pid_t)tid);
        if (child == NULL) {
            log_error("no memory for thread %lu: killed", tid);
            (void)kill((pid_t)tid, SIGKILL);
        } else if (child->subject == NULL) {
            give_subject(tr, child, t->subject);
            note_registers(t, child);
            if (child->subject != NULL || child->unborn)
                born(tr, child);
            else
                forget(tr, child); /* killed before it could run */
        }
    }
    tracee_resume(t, 0);
}

/*
 * The maker of a child can be killed before it reports: then the child has no event to wait for. It is given
 * to us, or still has the maker's process for a parent.
 */
static void adopt_unborn(struct tracer *tr, struct subject *dead)
{
    struct tracee *t, *next;
    pid_t self = getpid();
    HASH_ITER (hh, tr->tracees.by_tid, t, next) {
        struct proc_stat st;
        if (!t->unborn || t->subject != NULL || proc_stat(t->tid, &st) < 0)
            continue;
        if (st.ppid == self || st.ppid == dead->record->pid) {
            give_subject(tr, t, dead);
            born(tr, t);
        }
    }
}

/*
 * A child whose maker was killed so early that its end was told before the child's first stop: it has become
 * our child, nobody will report it, and nobody can tell whose state it should have. It has not run an
 * instruction, and never will.
 */
static void sweep_unborn(struct tracer *tr)
{
    struct tracee *t, *next;
    struct timespec now;
    struct proc_stat st;
    pid_t self = getpid();
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    HASH_ITER (hh, tr->tracees.by_tid, t, next) {
        bool late = t->unborn && now.tv_sec - t->unborn_since.tv_sec > UNBORN_SECONDS;
        if (late && proc_stat(t->tid, &st) == 0 && st.ppid == self)
            refuse_process(t, "its maker was killed before it could report it");
    }
}

/* An exec by another thread than the leader: it takes over the leader's id, and the others are gone. */
static struct tracee *take_leader_id(struct tracer *tr, struct tracee *t, pid_t former)
{
    struct tracee *own = tracee_find(&tr->tracees, former);
    if (former == t->tid || own == NULL)
        return t;
    pid_t leader = t->tid;
    forget(tr, t);
    subjects_thread_gone(tr->en->subjects, former);
    tracee_rename(&tr->tracees, own, leader);
    if (subjects_thread(tr->en->subjects, leader, own->subject) < 0)
        refuse_process(own, "no memory");
    return own;
}

/* The new image has not run an instruction yet. */
static void on_exec(struct tracer *tr, struct tracee *t)
{
    unsigned long former;
    if (ptrace(PTRACE_GETEVENTMSG, t->tid, 0, &former) == 0)
        t = take_leader_id(tr, t, (pid_t)former);
    if (subject_life(t->subject) == LIFE_LAUNCHING)
        launch_done(t->tid);
    (void)subject_happens(tr->en->subjects, t->subject, HAPPENS_EXEC);
    t->ev.assigned = 0; /* the registers are the new program's */
    tracee_resume(t, 0);
}

static void leave_call(struct tracee *t)
{
    audit_drop(&t->ev);
    event_clear(&t->ev);
    t->in_call = false;
    t->wants_post = false;
}

/* The call doesn't run. A thread whose registers can't be written is dying. */
static void answer(struct tracee *t, int64_t result)
{
    (void)tracee_skip(t, result);
    leave_call(t);
}

/* What the layers have let pass runs, with what they assigned; not one bit of it if that can't be written. */
static void let_run(struct tracee *t, long nr)
{
    if (t->ev.assigned != 0 && tracee_assign(t, t->ev.regs, t->ev.assigned) < 0)
        answer(t, -EPERM);
    else if (tracee_run(t, nr) < 0)
        leave_call(t);
    /* Assigned registers are given back at the exit, so that stop is wanted then, too. */
    else if (!t->wants_post && t->ev.assigned == 0)
        leave_call(t);
}

static void on_entry(struct tracer *tr, struct tracee *t)
{
    long nr = -1;
    if (t->in_call)
        leave_call(t);
    int rc = tracee_entry(t, &nr, t->given);
    const struct call *c = rc == 0 ? call_by_nr(ARCH_X86_64, nr) : NULL;
    if (c == NULL || tracee_hold(t) < 0) {
        (void)tracee_skip(t, rc == 0 ? -ENOSYS : -EPERM);
        tracee_resume(t, 0);
        return;
    }
    event_init(&t->ev, t->subject, t->tid, c, t->given);
    t->in_call = true;
    enum response r = respond_pre(tr->en, &t->ev, FILTER_TRACE);
    t->wants_post = r == RESPOND_RUN_POST;
    if (r == RESPOND_RESULT)
        answer(t, t->ev.result);
    else
        let_run(t, nr);
    tracee_resume(t, 0);
}

/*
 * A call that a signal interrupted is EINTR to post clauses. Unless they assign another result, what becomes
 * of it is the kernel's business: restarted, it comes as a new event, or as restart_syscall(2), which is a
 * call of its own.
 */
static void on_exit_stop(struct tracer *tr, struct tracee *t)
{
    int64_t result;
    if (!t->in_call || tracee_exit(t, &result) < 0) {
        /* An entry, when we waited for an exit: a vsyscall is emulated by the kernel and has none. */
        if (t->in_call)
            leave_call(t);
        tracee_resume(t, 0);
        return;
    }
    bool interrupted = result <= -RESTART_FIRST && result >= -RESTART_LAST;
    uint8_t assigned = t->ev.assigned;
    if (t->wants_post)
        respond_post(tr->en, &t->ev, interrupted ? -EINTR : result);
    bool changed = t->wants_post && t->ev.result_assigned;
    if (changed || assigned != 0)
        (void)tracee_return(t, changed ? &t->ev.result : NULL, t->given, assigned);
    leave_call(t);
    tracee_resume(t, 0);
}

static void tell_of_stop(struct tracer *tr, int signal)
{
    bool stopped = atomic_load(&tr->en->main_stopped);
    if (stops_group(signal) && !stopped)
        tr->watch->stopped(tr->watch->context, signal);
    else if (!stops_group(signal) && stopped)
        tr->watch->continued(tr->watch->context);
}

/* The first stop of a new thread, a group-stop, or the end of one. */
static void on_stop(struct tracer *tr, struct tracee *t, int signal)
{
    if (t->subject == NULL) {
        wait_for_parent(tr, t, signal);
        return;
    }
    /* Of any thread: the first one may have ended long ago. */
    if (t->subject->record->pid == tr->main)
        tell_of_stop(tr, signal);
    go_on(t, signal);
}

static void on_stopped(struct tracer *tr, struct tracee *t, int status)
{
    int signal = WSTOPSIG(status);
    int event = status >> 16;
    if (t->subject == NULL && event != PTRACE_EVENT_STOP) {
        refuse_process(t, "unknown to the process table");
        return;
    }
    switch (event) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        on_child(tr, t);
        break;
    case PTRACE_EVENT_EXEC:
        on_exec(tr, t);
        break;
    case PTRACE_EVENT_SECCOMP:
        on_entry(tr, t);
        break;
    case PTRACE_EVENT_STOP:
        on_stop(tr, t, signal);
        break;
    default:
        if (signal == (SIGTRAP | 0x80))
            on_exit_stop(tr, t);
        else
            tracee_resume(t, signal);
        break;
    }
}

/* Wait tells of a leader's end only when all threads of its process are gone. */
static void on_end(struct tracer *tr, pid_t tid, int status)
{
    struct tracee *t = tracee_find(&tr->tracees, tid);
    struct subject *s = t != NULL && t->subject != NULL ? subject_ref(t->subject) : NULL;
    if (t != NULL)
        forget(tr, t);
    if (s != NULL) {
        adopt_unborn(tr, s);
        if (s->record->pid == tid)
            (void)subject_happens(tr->en->subjects, s, HAPPENS_EXIT);
        subject_unref(tr->en->subjects, s);
    }
    if (tid == tr->main) {
        tr->main = -1;
        tr->watch->ended(tr->watch->context, status);
    }
}

void trace_run(struct engine *en, struct subject *main, const struct trace_watch *watch)
{
    struct tracer tr = {.en = en, .watch = watch, .main = main->record->pid};
    struct tracee *first = tracee_get(&tr.tracees, tr.main);
    if (first == NULL) {
        log_error("no memory to trace process %d: killed", (int)tr.main);
        (void)kill(tr.main, SIGKILL);
    } else {
        set_subject(&tr, first, subject_ref(main));
    }
    for (;;) {
        int status;
        pid_t tid = waitpid(-1, &status, __WALL);
        if (tid < 0 && errno == EINTR) {
            sweep_unborn(&tr); /* the control loop has woken us for it */
            continue;
        }
        if (tid < 0)
            break; /* ECHILD: no child, no tracee left */
        if (!WIFSTOPPED(status)) {
            on_end(&tr, tid, status);
            continue;
        }
        struct tracee *t = tracee_get(&tr.tracees, tid);
        if (t != NULL) {
            on_stopped(&tr, t, status);
        } else {
            log_error("no memory for thread %d: killed", (int)tid);
            (void)kill(tid, SIGKILL);
        }
    }
}
