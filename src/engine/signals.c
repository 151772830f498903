/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"

static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

void signals_block(void)
{
    sigset_t set;
    (void)sigfillset(&set);
    for (size_t i = 0; i < ARRAY_SIZE(synchronous); i++)
        (void)sigdelset(&set, synchronous[i]);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
}

static void nothing(int signal)
{
    (void)signal;
}

void signals_allow_wake(void)
{
    sigset_t set;
    (void)sigaction(SIGUSR1, &(struct sigaction){.sa_handler = nothing}, NULL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static pid_t canary_new(void)
{
    pid_t self = getpid();
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)syscall(SYS_close_range, 0U, ~0U, 0U);
    while (getppid() == self)
        (void)pause();
    _exit(0);
}

static void canary_end(pid_t pid)
{
    if (pid <= 0)
        return;
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/*
 * What tells of @signal among what the canary has pending. Stop signals and SIGCONT take each other out of
 * what is pending (signal(7)), so that of the one the other may be all that is left to see.
 */
static uint64_t traces_of(unsigned signal)
{
    static const unsigned job_control[] = {SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU};
    uint64_t all = 0;
    for (size_t i = 0; i < ARRAY_SIZE(job_control); i++)
        all |= UINT64_C(1) << (job_control[i] - 1);
    uint64_t own = UINT64_C(1) << (signal - 1);
    return (own & all) != 0 ? all : own;
}

/* ShdPnd of proc(5): what the canary has got and not taken. */
static bool canary_got(pid_t pid, unsigned signal)
{
    char path[64], line[256];
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    uint64_t pending = 0;
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "ShdPnd: %" SCNx64, &pending) == 1)
            break;
    return (pending & traces_of(signal)) != 0;
}

int signals_start(struct signals *s, struct err *e)
{
    sigset_t set;
    s->canary = canary_new();
    (void)sigprocmask(SIG_SETMASK, NULL, &set);
    s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->fd < 0)
        return err_errno(e, "can't receive signals");
    return 0;
}

void signals_stop(struct signals *s)
{
    canary_end(s->canary);
    (void)close(s->fd);
}

int signals_next(struct signals *s, struct signalfd_siginfo *info)
{
    return read(s->fd, info, sizeof *info) == (ssize_t)sizeof *info;
}

/*
 * A program that leads a process group of its own would lead ours, had the shell started it itself: what is
 * sent to ours is meant for it.
 */
static bool leads_in_our_place(pid_t target)
{
    return getpgrp() == getpid() && getpgid(target) == target;
}

bool signals_is_ours(struct signals *s, const struct signalfd_siginfo *info, pid_t target)
{
    if (info->ssi_signo == SIGCHLD)
        return false;
    /* fork waits for the kernel's lock on the process tree, so a signal to the group has reached all of it by
     * then. */
    pid_t old = s->canary;
    s->canary = canary_new();
    bool group = old > 0 && canary_got(old, info->ssi_signo);
    canary_end(old);
    return !group || leads_in_our_place(target);
}

static void unblock(int signal)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, signal);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void signals_die(int signal)
{
    static const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    (void)kill(getpid(), signal);
    unblock(signal);
}

void signals_stop_self(int signal)
{
    sigset_t before;
    struct sigaction action;
    (void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, &action);
    (void)sigprocmask(SIG_SETMASK, NULL, &before);
    (void)kill(getpid(), signal);
    unblock(signal);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    (void)sigaction(signal, &action, NULL);
}
