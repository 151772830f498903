/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/trace.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "base/log.h"
#include "engine/tracer.h"

void tracer_refuse(const struct tracee *t, const char *why)
{
    log_error("process %d: %s: killed", (int)t->tid, why);
    (void)kill(t->tid, SIGKILL);
}

void tracer_let_go(struct tracer *tr, struct tracee *t)
{
    if (!t->lent) {
        tracee_resume(t, 0);
        return;
    }
    (void)ptrace(PTRACE_DETACH, t->tid, 0, 0);
    /* Its thread id stays known: its next notification is not far. */
    subject_unref(tr->en->subjects, t->subject);
    t->subject = NULL;
    children_forget(tr, t);
}

static bool stops_group(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* A thread that is born into a stopped process stays stopped with it (ptrace(2), "Group-stop"); so does one
 * that we detach from. */
void tracer_after_stop(struct tracer *tr, struct tracee *t, int signal)
{
    if (stops_group(signal) && !(t->lent && t->step == STEP_FREE))
        (void)ptrace(PTRACE_LISTEN, t->tid, 0, 0);
    else if (t->step == STEP_FREE)
        tracer_let_go(tr, t);
    else
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

/* PTRACE_EVENT_STOP: the first stop of a new thread, one that we asked for, a group-stop, or the end of one.
 */
static void on_stop(struct tracer *tr, struct tracee *t, int signal)
{
    if (t->subject == NULL || t->restore != 0) {
        children_stop(tr, t, signal);
        return;
    }
    /* Of any thread: the first one may have ended long ago. */
    if (t->subject->record->pid == tr->main && tr->en->traced)
        tell_of_stop(tr, signal);
    if (!errand_stop(tr, t, signal))
        tracer_after_stop(tr, t, signal);
}

static void on_stopped(struct tracer *tr, struct tracee *t, int status)
{
    int signal = WSTOPSIG(status);
    int event = status >> 16;
    if (event == PTRACE_EVENT_EXEC) {
        children_exec(tr, t);
        return;
    }
    if (t->subject == NULL && event != PTRACE_EVENT_STOP) {
        tracer_refuse(t, "unknown to the process table");
        return;
    }
    if (t->step == STEP_INJECTING && errand_inject(tr, t, status))
        return;
    switch (event) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        children_made(tr, t, event == PTRACE_EVENT_VFORK);
        break;
    case PTRACE_EVENT_SECCOMP:
        errand_seccomp(tr, t);
        break;
    case PTRACE_EVENT_STOP:
        on_stop(tr, t, signal);
        break;
    default:
        if (signal == (SIGTRAP | 0x80))
            errand_call(tr, t);
        else
            tracee_resume(t, signal);
        break;
    }
}

/* Wait tells of a leader's end only when all threads of its process are gone. */
static void on_end(struct tracer *tr, pid_t tid, int status)
{
    struct tracee *t = tracee_find(&tr->tracees, tid);
    struct subject *s =
        t != NULL && t->subject != NULL ? subject_ref(t->subject) : subjects_find(tr->en->subjects, tid);
    if (t != NULL)
        children_forget(tr, t);
    if (s != NULL) {
        children_orphaned(tr, s);
        if (s->record->pid == tid)
            (void)subject_happens(tr->en->subjects, s, HAPPENS_EXIT);
        subject_unref(tr->en->subjects, s);
    }
    if (tid == tr->main) {
        tr->main = -1;
        tr->watch->ended(tr->watch->context, status);
    }
}

/* A child of ours that is not traced; of the launched program the terminal's user hears. */
static void on_child_stop(struct tracer *tr, pid_t pid, int status)
{
    if (pid == tr->main)
        tell_of_stop(tr, WIFCONTINUED(status) ? SIGCONT : WSTOPSIG(status));
}

/* A new thread's first stop may come ahead of its parent's event; an exec gives a thread another's id. */
static bool is_traced(struct tracer *tr, pid_t tid, int status)
{
    return status >> 16 != 0 || tracee_find(&tr->tracees, tid) != NULL;
}

static void on_wait(struct tracer *tr, pid_t tid, int status)
{
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
        on_end(tr, tid, status);
    } else if (WIFCONTINUED(status) || !is_traced(tr, tid, status)) {
        on_child_stop(tr, tid, status);
    } else {
        struct tracee *t = tracee_get(&tr->tracees, tid);
        if (t != NULL) {
            on_stopped(tr, t, status);
        } else {
            log_error("no memory for thread %d: killed", (int)tid);
            (void)kill(tid, SIGKILL);
        }
    }
}

/* All that there is to be done now. Returns false when no child and no tracee is left. */
static bool serve(struct tracer *tr)
{
    for (;;) {
        int status;
        pid_t tid = waitpid(-1, &status, __WALL | WNOHANG | (tr->en->traced ? 0 : WUNTRACED | WCONTINUED));
        if (tid > 0) {
            on_wait(tr, tid, status);
            errand_retry(tr);
            continue;
        }
        if (tid < 0 && errno == ECHILD)
            return false;
        struct turn *turn = inbox_take(&tr->en->inbox);
        if (turn == NULL)
            return true;
        errand_turn(tr, turn);
        errand_retry(tr);
    }
}

void trace_run(struct engine *en, struct subject *main, const struct trace_watch *watch)
{
    struct tracer tr = {.en = en, .watch = watch, .main = main->record->pid};
    struct tracee *first = tracee_get(&tr.tracees, tr.main);
    /* A stop that a thread goes into as we detach from it is told to wait(2), but not by a signal. */
    static const struct timespec most = {.tv_sec = 1};
    sigset_t wake;
    (void)sigemptyset(&wake);
    (void)sigaddset(&wake, SIGCHLD);
    (void)sigaddset(&wake, SIGUSR1);
    if (first == NULL) {
        log_error("no memory to trace process %d: killed", (int)tr.main);
        (void)kill(tr.main, SIGKILL);
    } else {
        children_own(&tr, first, subject_ref(main));
    }
    while (serve(&tr)) {
        (void)sigtimedwait(&wake, NULL, &most);
        children_sweep(&tr);
    }
    for (struct turn *turn; (turn = inbox_take(&en->inbox)) != NULL;)
        turn_free(turn);
}
