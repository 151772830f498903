/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New threads, processes and programs of what is traced. */
#include "engine/tracer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include "base/log.h"
#include "engine/alone.h"
#include "engine/launch.h"
#include "subject/proc.h"

/* Far longer than a report takes on the busiest machine. */
enum { UNBORN_SECONDS = 10 };

void children_own(struct tracer *tr, struct tracee *t, struct subject *owned)
{
    t->subject = owned;
    if (subjects_thread(tr->en->subjects, t->tid, owned) < 0)
        tracer_refuse(t, "no memory");
}

/* @child is a new thread of @parent's subject, or a new process with a copy of its state. */
static void give_subject(struct tracer *tr, struct tracee *child, struct subject *parent)
{
    struct err e = {0};
    pid_t tgid = subject_tgid(child->tid);
    if (tgid == -ESRCH)
        return;
    if (tgid < 0) {
        tracer_refuse(child, strerror(-tgid));
        return;
    }
    if (tgid == parent->record->pid) {
        children_own(tr, child, subject_ref(parent));
        return;
    }
    struct subject *s = subjects_add(tr->en->subjects, tgid, parent, HAPPENS_FORK, &e);
    if (s != NULL)
        children_own(tr, child, s);
    else if (e.code != ESRCH)
        tracer_refuse(child, e.text);
}

/* Its first stop, and its maker's report, in whichever order they came. */
static void first_run(struct tracer *tr, struct tracee *child, int stop)
{
    if (child->restore != 0)
        (void)tracee_return(child, NULL, child->restore_arch, child->given, child->restore);
    child->restore = 0;
    tracer_after_stop(tr, child, stop);
}

static void born(struct tracer *tr, struct tracee *child)
{
    if (child->unborn) {
        child->unborn = false;
        atomic_fetch_sub(&tr->en->unborn, 1);
        first_run(tr, child, child->unborn_stop);
    }
}

void children_stop(struct tracer *tr, struct tracee *child, int stop)
{
    if (child->subject != NULL) {
        first_run(tr, child, stop);
        return;
    }
    if (!child->unborn)
        atomic_fetch_add(&tr->en->unborn, 1);
    child->unborn = true;
    child->unborn_stop = stop;
    (void)clock_gettime(CLOCK_MONOTONIC, &child->unborn_since);
}

static void go_on(struct tracer *tr, struct tracee *maker)
{
    if (maker->lent && errand_done_early(maker))
        tracer_let_go(tr, maker);
    else
        tracee_resume(maker, 0);
}

void children_forget(struct tracer *tr, struct tracee *t)
{
    struct tracee *maker = t->maker != 0 ? tracee_find(&tr->tracees, t->maker) : NULL;
    bool held = maker != NULL && maker->child == t->tid;
    if (t->unborn)
        atomic_fetch_sub(&tr->en->unborn, 1);
    tracee_drop(&tr->tracees, t, tr->en);
    if (held) {
        maker->child = 0;
        go_on(tr, maker);
    }
}

/* Who makes a child may trace it at once, and would find us there. */
static void wait_for(struct tracee *maker, struct tracee *child)
{
    maker->child = child->tid;
    child->maker = maker->tid;
}

static void bear(struct tracer *tr, struct tracee *t, struct tracee *child, bool waits)
{
    child->lent = t->lent;
    give_subject(tr, child, t->subject);
    if (child->subject != NULL)
        alone_born(tr->en->subjects, t, child, waits);
    errand_child(t, child);
    if (child->subject != NULL && child->lent && !child->unborn)
        wait_for(t, child);
    else if (child->subject != NULL || child->unborn)
        born(tr, child);
    else
        children_forget(tr, child); /* killed before it could run */
}

/* PTRACE_EVENT_FORK, VFORK, CLONE: which of them says nothing of threads or processes, the kernel's ids do.
 */
void children_made(struct tracer *tr, struct tracee *t, bool waits)
{
    unsigned long tid;
    struct tracee *child = NULL;
    if (ptrace(PTRACE_GETEVENTMSG, t->tid, 0, &tid) == 0) {
        child = tracee_get(&tr->tracees, (pid_t)tid);
        if (child == NULL) {
            log_error("no memory for thread %lu: killed", tid);
            (void)kill((pid_t)tid, SIGKILL);
        }
    }
    if (child != NULL && child->subject == NULL)
        bear(tr, t, child, waits);
    if (t->child == 0)
        go_on(tr, t);
}

/*
 * The maker of a child can be killed before it reports: then the child has no event to wait for. It is given
 * to us, or still has the maker's process for a parent.
 */
void children_orphaned(struct tracer *tr, struct subject *dead)
{
    struct tracee *t, *next;
    pid_t self = getpid();
    HASH_ITER (hh, tr->tracees.by_tid, t, next) {
        struct proc_stat st;
        if (!t->unborn || t->subject != NULL || proc_stat(t->tid, &st) < 0)
            continue;
        if (st.ppid == self || st.ppid == dead->record->pid) {
            t->lent = !tr->en->traced;
            give_subject(tr, t, dead);
            if (t->subject != NULL)
                alone_orphan(tr->en->subjects, dead, t->subject);
            born(tr, t);
        }
    }
}

/*
 * A child whose maker was killed so early that its end was told before the child's first stop: it has become
 * our child, nobody will report it, and nobody can tell whose state it should have. It has not run an
 * instruction, and never will.
 */
void children_sweep(struct tracer *tr)
{
    struct tracee *t, *next;
    struct timespec now;
    struct proc_stat st;
    pid_t self = getpid();
    if (atomic_load(&tr->en->unborn) == 0)
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    HASH_ITER (hh, tr->tracees.by_tid, t, next) {
        bool late = t->unborn && now.tv_sec - t->unborn_since.tv_sec > UNBORN_SECONDS;
        if (late && proc_stat(t->tid, &st) == 0 && st.ppid == self)
            tracer_refuse(t, "its maker was killed before it could report it");
    }
}

/* An exec by another thread than the leader: it takes over the leader's id, and the others are gone. */
static struct tracee *take_leader_id(struct tracer *tr, struct tracee *leader, pid_t tid, pid_t former)
{
    struct tracee *own = tracee_find(&tr->tracees, former);
    if (former == tid || own == NULL)
        return leader;
    if (leader != NULL)
        children_forget(tr, leader);
    subjects_thread_gone(tr->en->subjects, former);
    passes_revoke(tr->en->passes, former);
    tracee_rename(&tr->tracees, own, tid);
    if (subjects_thread(tr->en->subjects, tid, own->subject) < 0)
        tracer_refuse(own, "no memory");
    return own;
}

void children_exec(struct tracer *tr, struct tracee *t)
{
    unsigned long former;
    bool launched = false;
    if (ptrace(PTRACE_GETEVENTMSG, t->tid, 0, &former) == 0)
        t = take_leader_id(tr, t, t->tid, (pid_t)former);
    if (t->subject == NULL) {
        tracer_refuse(t, "unknown to the process table");
        return;
    }
    if (subject_life(t->subject) == LIFE_LAUNCHING) {
        launch_done(t->tid);
        launched = true;
    }
    bool as_judged = errand_exec(tr, t);
    subject_forget_memory(t->subject);
    alone_exec(t->subject);
    (void)subject_happens(tr->en->subjects, t->subject, HAPPENS_EXEC);
    if (!as_judged)
        tracer_refuse(t, "the program that was executed is not the one that was judged");
    if (launched)
        t->lent = !tr->en->traced;
    if (errand_done_early(t))
        tracer_let_go(tr, t);
    else
        tracee_resume(t, 0);
}
