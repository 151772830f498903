/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The workers: threads that answer notifications and run the clauses of calls that the tracer holds. Any of
 * them may have to wait for the target (a page that it fills itself, a FIFO, a connection), so one is always
 * left to wait for the next event: where there would be none, another is started.
 *
 *     struct workers *ws = workers_start(en, &e);
 *     workers_push(ws, &job);                    // any thread: job->run runs in a worker
 *     workers_poke(ws);                          // control loop, now and then, while workers_waiting(ws)
 *     workers_stop(ws);
 *
 * In a worker:
 *     if (!worker_may_wait(w)) ...               // before what may wait; false: no more threads can be had
 *     worker_begin(w, id, tid); ... worker_end(w);   // around what a signal for the target must interrupt
 */
#ifndef IDW_ENGINE_WORKERS_H
#define IDW_ENGINE_WORKERS_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"

struct engine;
struct performer;
struct workers;
struct worker;

struct job {
    void (*run)(struct worker *w, struct job *job);
    struct job *next;
};

struct worker {
    struct workers *pool;
    struct engine *en;
    unsigned slot; /* in the journal */
    int epoll;
    struct seccomp_notif *req;
    struct seccomp_notif_resp *resp;
    bool stale;                  /* what it has performed last was no longer what had been judged */
    struct performer *performer; /* NULL: none could be had; then calls run in the target */
    /* What it is doing for the target, under the pool's lock. tid 0: nothing that could be interrupted. */
    pid_t tid;
    uint64_t id;
    int64_t since; /* CLOCK_MONOTONIC, ms */
    pthread_t thread;
    struct worker *next;
};

/* workers_start - NULL: why is in @e. workers_stop - ends and joins them; NULL is fine. */
struct workers *workers_start(struct engine *en, struct err *e);
void workers_stop(struct workers *ws);

void workers_push(struct workers *ws, struct job *job);

bool worker_may_wait(struct worker *w);

/* worker_spare - the same where a wait is but possible (a subject's lock): goes on at once, whatever it
 * returns. */
bool worker_spare(struct worker *w);

void worker_begin(struct worker *w, uint64_t id, pid_t tid);
void worker_end(struct worker *w);

/*
 * workers_poke - interrupt (SIGUSR1, EINTR) those that have been at it for a while for a thread that has
 * died, or that a signal waits for. Returns whether any is at work.
 */
bool workers_poke(struct workers *ws);

#endif
