/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/descriptors.h"
#include "engine/engine.h"
#include "engine/signals.h"

/* Address space, not memory: a subject takes some two kilobytes, and wrappers' tables what they hold. */
#define ARENA_MOST (16UL << 30)
#define ARENA_LEAST (16UL << 20)

struct guardian {
    pid_t engine;
    struct link link;
    struct signals signals;
    int target; /* pidfd of the main program */
    pid_t main;
    int listener; /* held so that an engine's death doesn't close it */
    bool done;
    bool by_signal;
    int status; /* exit status, or signal */
};

static void finish(struct guardian *g, int status, bool by_signal)
{
    g->done = true;
    g->status = status;
    g->by_signal = by_signal;
}

static void finish_wait(struct guardian *g, int wait_status)
{
    bool by_signal = WIFSIGNALED(wait_status);
    finish(g, by_signal ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status), by_signal);
}

/* The engine, when nothing is left for it to do, ends at once: then its last words are written before we end.
 */
static void await_engine(const struct guardian *g)
{
    struct pollfd p = {.fd = g->link.fd, .events = POLLIN};
    if (poll(&p, 1, 2000) > 0)
        while (waitpid(g->engine, NULL, 0) < 0 && errno == EINTR)
            ;
}

/* A program that runs again by now must not leave us stopped. */
static bool goes_on_already(const struct guardian *g)
{
    struct link_message next;
    return recv(g->link.fd, &next, sizeof next, MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof next &&
           next.kind == LINK_CONTINUED;
}

static void on_message(struct guardian *g, const struct link_message *m, int fd)
{
    switch (m->kind) {
    case LINK_LAUNCHED:
        g->main = m->pid;
        g->target = (int)syscall(SYS_pidfd_open, m->pid, 0);
        g->listener = fd;
        break;
    case LINK_STOPPED:
        if (!goes_on_already(g))
            signals_stop_self(m->value);
        break;
    case LINK_CONTINUED:
        break;
    case LINK_FAILED:
        finish(g, m->value, false);
        await_engine(g);
        break;
    case LINK_ENDED:
        finish_wait(g, m->value);
        if (m->pid == 0)
            await_engine(g);
        break;
    }
}

/* The launched program, ours to wait for once the engine is dead, since we are the subreaper. */
static void on_target_change(struct guardian *g)
{
    int status;
    pid_t pid = waitpid(g->main, &status, WUNTRACED | WNOHANG);
    if (pid == g->main && WIFSTOPPED(status))
        signals_stop_self(WSTOPSIG(status));
    else if (pid == g->main)
        finish_wait(g, status);
    else if (pid < 0)
        finish(g, EXIT_IDWRUN, false);
}

/* It may not even have begun to be the program; then nothing that wrappers should have seen has run. */
static void on_death_before_launch(struct guardian *g, bool killed, int number)
{
    if (!killed && number == 0) {
        finish(g, 0, false); /* there was nothing to launch */
        return;
    }
    log_error("the engine ended by %s %d before it could launch the program", killed ? "signal" : "status",
              number);
    finish(g, EXIT_IDWRUN, false);
}

/*
 * The engine is dead. Its tracees run on without it; calls that reach the listener fail with ENOSYS once we
 * close it, so nothing is let through unseen. Signals and the exit status go their way as before.
 */
static void on_engine_death(struct guardian *g)
{
    int status = 0;
    while (waitpid(g->engine, &status, 0) < 0 && errno == EINTR)
        ;
    bool killed = WIFSIGNALED(status);
    int number = killed ? WTERMSIG(status) : WEXITSTATUS(status);
    close_fd_p(&g->link.fd);
    g->link.fd = DEAD_FD;
    if (g->main == 0) {
        on_death_before_launch(g, killed, number);
        return;
    }
    log_error("the engine ended by %s %d; calls that wrappers watch fail from now on",
              killed ? "signal" : "status", number);
    close_fd_p(&g->listener);
    g->listener = DEAD_FD;
}

/* As long as there is no program to send it to, a signal does to us what it does to any program. */
static void on_early_signal(struct guardian *g, int signal)
{
    struct sigaction action;
    (void)sigaction(signal, NULL, &action);
    if (action.sa_handler == SIG_IGN || signal == SIGCHLD || signal == SIGCONT || signal == SIGWINCH ||
        signal == SIGURG)
        return;
    if (signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
        signals_stop_self(signal);
        return;
    }
    (void)kill(g->engine, SIGKILL);
    finish(g, signal, true);
}

static void on_signal(struct guardian *g, const struct signalfd_siginfo *info)
{
    if ((pid_t)info->ssi_pid == g->engine && info->ssi_signo == SIGCONT)
        return; /* the engine woke us */
    if (g->target < 0) {
        on_early_signal(g, (int)info->ssi_signo);
        return;
    }
    if (!signals_is_ours(&g->signals, info, g->main))
        return;
    siginfo_t value = {.si_signo = (int)info->ssi_signo, .si_code = SI_QUEUE};
    value.si_pid = (pid_t)info->ssi_pid;
    value.si_uid = info->ssi_uid;
    memcpy(&value.si_value, &info->ssi_ptr, sizeof value.si_value);
    bool queued = info->ssi_code == SI_QUEUE;
    (void)syscall(SYS_pidfd_send_signal, g->target, (int)info->ssi_signo, queued ? &value : NULL, 0);
}

/* The program may run already, and have got the signal that we are about to look at, while the news is in the
 * link. */
static void hear_of_launch(struct guardian *g)
{
    struct link_message m;
    int fd;
    if (g->target >= 0 || g->link.fd < 0 || recv(g->link.fd, &m, sizeof m, MSG_PEEK | MSG_DONTWAIT) <= 0)
        return;
    if (link_receive(&g->link, &m, &fd) > 0)
        on_message(g, &m, fd);
}

static void guard(struct guardian *g)
{
    while (!g->done) {
        bool orphaned = g->link.fd < 0;
        struct pollfd p[] = {
            {.fd = g->signals.fd, .events = POLLIN},
            {.fd = g->link.fd, .events = POLLIN},
            {.fd = orphaned ? g->target : -1, .events = POLLIN},
        };
        if (poll(p, ARRAY_SIZE(p), -1) < 0)
            continue;
        /* Signals first: what killed the engine may be meant for all of us. */
        struct signalfd_siginfo info;
        if (p[0].revents != 0 && signals_next(&g->signals, &info)) {
            hear_of_launch(g);
            on_signal(g, &info);
            if (orphaned && info.ssi_signo == SIGCHLD)
                on_target_change(g);
            continue;
        }
        struct link_message m;
        int fd;
        if (p[1].revents != 0 && link_receive(&g->link, &m, &fd) > 0)
            on_message(g, &m, fd);
        else if (p[1].revents != 0)
            on_engine_death(g);
        else if (p[2].revents != 0)
            on_target_change(g);
    }
}

/* What the target gets back, noted before anything of it is changed. */
static void take_inherited(struct engine_inherited *in)
{
    (void)sigprocmask(SIG_SETMASK, NULL, &in->mask);
    /* An inherited SIG_IGN here would make the kernel reap our children before we can wait for them. */
    (void)sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &in->sigchld);
    signals_block();
}

static _Noreturn void become_engine(const struct engine_options *options,
                                    const struct engine_inherited *inherited, struct arena *arena, int fd)
{
    struct link link = {.fd = fd, .guardian = getppid()};
    /* Until the program runs, a signal ends or stops all of us alike. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
    int status = engine_run(options, inherited, arena, &link);
    if (fflush(stdout) != 0 && status == 0) {
        log_error("can't write to standard output: %s", strerror(errno));
        status = EXIT_IDWRUN;
    }
    _exit(status);
}

/* Under `ulimit -v` there is less address space than elsewhere; that is no reason not to start. */
static struct arena *make_arena(struct err *e)
{
    struct arena *a = NULL;
    for (size_t size = ARENA_MOST; a == NULL && size >= ARENA_LEAST; size /= 4)
        a = arena_create(size, e);
    return a;
}

int guardian_run(const struct engine_options *options)
{
    struct guardian g = {.target = DEAD_FD, .listener = DEAD_FD};
    struct engine_inherited inherited;
    struct err e = {0};
    int ends[2];
    inherited_note();
    take_inherited(&inherited);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    struct arena *arena = make_arena(&e);
    if (arena == NULL || link_pair(ends, &e) < 0) {
        log_error("%s", e.text);
        return EXIT_IDWRUN;
    }
    g.engine = fork();
    if (g.engine == 0) {
        (void)close(ends[0]);
        become_engine(options, &inherited, arena, ends[1]);
    }
    (void)close(ends[1]);
    /* The engine, which forks the target, does this for itself when it has. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    g.link.fd = ends[0];
    if (g.engine < 0 || signals_start(&g.signals, &e) < 0) {
        log_error("can't start the engine: %s", g.engine < 0 ? strerror(errno) : e.text);
        return EXIT_IDWRUN;
    }
    stdio_release(STDIN_FILENO);
    stdio_release(STDOUT_FILENO);
    inherited_release();
    guard(&g);
    signals_stop(&g.signals);
    arena_unmap(arena);
    if (g.by_signal) {
        signals_die(g.status);
        g.status += 128;
    }
    return g.status;
}
