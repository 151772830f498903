/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which signals the guardian must pass on.
 *
 * Guardian and target share a process group, as strace and its target do, so that terminal, pipelines and job
 * control work as they do bare. What is sent to the group reaches the target by itself; what is sent to
 * idwrun's pid must be forwarded. The sender is the same in both cases, hence the canary: a child that blocks
 * all signals and sleeps. If it got the signal too, the group did.
 *
 *     struct signals s;
 *     signals_start(&s, &e);                            // all signals blocked; s.fd becomes readable
 *     while (signals_next(&s, &info) > 0)
 *         if (signals_is_ours(&s, &info, target)) pidfd_send_signal(...)
 *     signals_stop(&s);
 */
#ifndef IDW_ENGINE_SIGNALS_H
#define IDW_ENGINE_SIGNALS_H

#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include "base/err.h"

struct signals {
    int fd; /* signalfd */
    pid_t canary;
};

/* signals_block - block all but the synchronous ones, for the calling process and what it forks. */
void signals_block(void);

/* signals_allow_wake - let SIGUSR1 interrupt the calling thread's blocking calls (EINTR); it does nothing
 * else. */
void signals_allow_wake(void);

int signals_start(struct signals *s, struct err *e);
void signals_stop(struct signals *s);

/* signals_next - Returns 1 with *info filled, or 0 when none is pending. */
int signals_next(struct signals *s, struct signalfd_siginfo *info);

/* signals_is_ours - was it sent to this process and not to @target, which would have got it, had it been
 * started bare? */
bool signals_is_ours(struct signals *s, const struct signalfd_siginfo *info, pid_t target);

/* signals_die - end this process by @signal, without a core file of ours; returns only if that fails. */
void signals_die(int signal);

/* signals_stop_self - stop as @signal stops; returns when continued. */
void signals_stop_self(int signal);

#endif
