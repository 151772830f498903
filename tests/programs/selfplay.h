/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of selfplay: what they share, and the plays about processes, threads and tracing
 * (selfplay_tasks.c). */
#ifndef PROGRAMS_SELFPLAY_H
#define PROGRAMS_SELFPLAY_H

#include <sys/types.h>

/* "WHAT = 3", or "WHAT = ENOENT" when @result is negative. */
void say(const char *what, long result);
/* Waits for @child and says how it ended. */
void say_end(const char *who, pid_t child);
void handle(int signum, void (*handler)(int), int flags);
/* 0, 0 ends the timer. */
void alarm_in_ms(long first, long again);

int play_pidns(const char *arg);
int play_order(const char *arg);
int play_threadend(const char *arg);
int play_stopped(const char *arg);
int play_filters(const char *arg);
int play_tracer(const char *arg);

#endif
