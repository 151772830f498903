/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/seize.h"

#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include "engine/tracee.h"

static sigjmp_buf too_late;

static void give_up(int signal)
{
    (void)signal;
    siglongjmp(too_late, 1);
}

/*
 * PTRACE_SEIZE waits for an exec of another thread of the process (cred_guard_mutex), which may take as long
 * as targets wish, and starts anew after a signal: only a jump out of the handler ends it. Nobody but this
 * thread takes SIGALRM.
 */
bool seize(const struct engine *en, pid_t tid, uint64_t id)
{
    enum { PATIENCE_US = 20000 };
    static const struct itimerval never, soon = {{0, PATIENCE_US}, {0, PATIENCE_US}};
    static const struct timespec now;
    sigset_t alarm;
    volatile bool seized = false;
    if (ioctl(en->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0)
        return false;
    (void)sigemptyset(&alarm);
    (void)sigaddset(&alarm, SIGALRM);
    (void)sigaction(SIGALRM, &(struct sigaction){.sa_handler = give_up}, NULL);
    if (sigsetjmp(too_late, 0) == 0) {
        (void)setitimer(ITIMER_REAL, &soon, NULL);
        (void)pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
        seized = ptrace(PTRACE_SEIZE, tid, 0, TRACE_OPTIONS) == 0;
        (void)pthread_sigmask(SIG_BLOCK, &alarm, NULL);
    } else {
        (void)pthread_sigmask(SIG_BLOCK, &alarm, NULL);
    }
    (void)setitimer(ITIMER_REAL, &never, NULL);
    (void)sigtimedwait(&alarm, NULL, &now);
    return seized || ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0; /* the jump may have come just behind it */
}
