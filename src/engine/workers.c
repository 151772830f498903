/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "engine/control.h"
#include "engine/engine.h"
#include "engine/notify.h"
#include "engine/perform/perform.h"
#include "engine/signals.h"
#include "subject/proc.h"

enum {
    SPARE = 4,       /* workers that may wait for events with nothing to do; the rest ends */
    POKE_AFTER = 5,  /* ms */
    PATIENCE = 2000, /* ms */
    STACK = 256 << 10,
};

struct workers {
    struct engine *en;
    struct seccomp_notif_sizes sizes; /* the kernel's, which may be larger than our headers' */
    int stop;                         /* eventfd: readable when the workers shall end */
    int jobs;                         /* eventfd, a semaphore: how many jobs there are */
    atomic_int idle;
    atomic_bool one_waits;
    pthread_mutex_t lock; /* of all that follows, and of what workers say they do */
    pthread_cond_t ended;
    struct worker *all;
    struct job *first, **last;
    uint64_t slots; /* of the journal, those that are taken */
    int64_t last_work;
};

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

void workers_push(struct workers *ws, struct job *job)
{
    static const uint64_t one = 1;
    job->next = NULL;
    pthread_mutex_lock(&ws->lock);
    *ws->last = job;
    ws->last = &job->next;
    pthread_mutex_unlock(&ws->lock);
    (void)!write(ws->jobs, &one, sizeof one);
}

static struct job *next_job(struct workers *ws)
{
    uint64_t one;
    if (read(ws->jobs, &one, sizeof one) != (ssize_t)sizeof one)
        return NULL; /* another worker was quicker */
    pthread_mutex_lock(&ws->lock);
    struct job *job = ws->first;
    if (job != NULL && (ws->first = job->next) == NULL)
        ws->last = &ws->first;
    pthread_mutex_unlock(&ws->lock);
    return job;
}

static void worker_free(struct worker *w)
{
    close_fd_p(&w->epoll);
    free(w->req);
    free(w->resp);
    free(w);
}

/* EPOLLEXCLUSIVE: an event wakes one worker, not all; hence an epoll instance for each. */
static int worker_watch(struct worker *w)
{
    struct epoll_event calls = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = w->en->listener};
    struct epoll_event jobs = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = w->pool->jobs};
    struct epoll_event stop = {.events = EPOLLIN, .data.fd = w->pool->stop};
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, calls.data.fd, &calls) < 0 ||
        epoll_ctl(w->epoll, EPOLL_CTL_ADD, jobs.data.fd, &jobs) < 0 ||
        epoll_ctl(w->epoll, EPOLL_CTL_ADD, stop.data.fd, &stop) < 0)
        return -errno;
    return 0;
}

/* The workers there are need some for each event. */
static bool descriptors_scarce(int last)
{
    enum { RESERVE = 40 };
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)last + RESERVE >= limit.rlim_cur;
}

static struct worker *worker_new(struct workers *ws, bool needed)
{
    struct worker *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->pool = ws;
    w->en = ws->en;
    w->epoll = DEAD_FD;
    w->req = malloc(larger(ws->sizes.seccomp_notif, sizeof *w->req));
    w->resp = malloc(larger(ws->sizes.seccomp_notif_resp, sizeof *w->resp));
    if (w->req == NULL || w->resp == NULL || worker_watch(w) < 0 ||
        (!needed && descriptors_scarce(w->epoll))) {
        worker_free(w);
        return NULL;
    }
    return w;
}

/* With the lock held. */
static unsigned take_slot(struct workers *ws)
{
    unsigned slot = 0;
    while (slot < JOURNAL_SLOTS && ((ws->slots >> slot) & 1) != 0)
        slot++;
    if (slot < JOURNAL_SLOTS)
        ws->slots |= 1UL << slot;
    return slot;
}

static void enter(struct worker *w)
{
    struct workers *ws = w->pool;
    pthread_mutex_lock(&ws->lock);
    w->slot = take_slot(ws);
    w->thread = pthread_self();
    w->next = ws->all;
    ws->all = w;
    pthread_mutex_unlock(&ws->lock);
}

/* From here on nobody may look at @w, or count on the pool after the last one. */
static void leave(struct worker *w)
{
    struct workers *ws = w->pool;
    pthread_mutex_lock(&ws->lock);
    struct worker **at = &ws->all;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    if (w->slot < JOURNAL_SLOTS)
        ws->slots &= ~(1UL << w->slot);
    worker_free(w);
    pthread_cond_signal(&ws->ended);
    pthread_mutex_unlock(&ws->lock);
}

static void serve(struct worker *w, const struct epoll_event *ready)
{
    struct workers *ws = w->pool;
    if (ready->data.fd == ws->jobs) {
        struct job *job = next_job(ws);
        if (job != NULL)
            job->run(w, job);
    } else if ((ready->events & EPOLLIN) != 0) {
        memset(w->req, 0, larger(ws->sizes.seccomp_notif, sizeof *w->req));
        memset(w->resp, 0, larger(ws->sizes.seccomp_notif_resp, sizeof *w->resp));
        notify_serve(w);
    } else {
        /* EPOLLHUP: the last target is gone. */
        (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, ws->en->listener, NULL);
    }
}

/* Waits for events until told to stop, or until there are too many that do. It is counted as idle already. */
static void *work(void *argument)
{
    struct worker *w = argument;
    struct workers *ws = w->pool;
    struct epoll_event ready;
    signals_allow_wake();
    w->performer = performer_new();
    enter(w);
    for (;;) {
        int n = epoll_wait(w->epoll, &ready, 1, -1);
        if (n == 1 && ready.data.fd == ws->stop)
            break;
        if (n != 1)
            continue; /* EINTR */
        (void)atomic_fetch_sub(&ws->idle, 1);
        serve(w, &ready);
        if (atomic_fetch_add(&ws->idle, 1) >= SPARE)
            break;
    }
    (void)atomic_fetch_sub(&ws->idle, 1);
    performer_free(w->performer);
    leave(w);
    return NULL;
}

/* @needed: one of the first, without which nothing goes. */
static int spawn(struct workers *ws, bool needed)
{
    pthread_attr_t attr;
    pthread_t thread;
    struct worker *w = worker_new(ws, needed);
    if (w == NULL)
        return -ENOMEM;
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, STACK);
    (void)atomic_fetch_add(&ws->idle, 1);
    int rc = pthread_create(&thread, &attr, work, w);
    (void)pthread_attr_destroy(&attr);
    if (rc != 0) {
        (void)atomic_fetch_sub(&ws->idle, 1);
        worker_free(w);
    }
    return -rc;
}

/*
 * No thread more can be had. All the others may go on, for one stays behind: it waits for another to come
 * back, and gives up its own call if none does.
 */
static bool wait_for_another(struct workers *ws)
{
    static const struct timespec pause = {.tv_nsec = 1000000};
    bool first = atomic_exchange(&ws->one_waits, true) == false;
    if (!first)
        return true;
    for (int ms = 0; ms < PATIENCE && atomic_load(&ws->idle) == 0; ms++)
        (void)nanosleep(&pause, NULL);
    atomic_store(&ws->one_waits, false);
    return atomic_load(&ws->idle) > 0;
}

bool worker_spare(struct worker *w)
{
    return atomic_load(&w->pool->idle) > 0 || spawn(w->pool, false) == 0;
}

bool worker_may_wait(struct worker *w)
{
    return worker_spare(w) || wait_for_another(w->pool);
}

void worker_begin(struct worker *w, uint64_t id, pid_t tid)
{
    struct workers *ws = w->pool;
    pthread_mutex_lock(&ws->lock);
    w->id = id;
    w->tid = tid;
    w->since = now_ms();
    bool watched = w->since - ws->last_work < 500;
    ws->last_work = w->since;
    pthread_mutex_unlock(&ws->lock);
    if (!watched)
        control_watch(ws->en->control);
}

void worker_end(struct worker *w)
{
    pthread_mutex_lock(&w->pool->lock);
    w->tid = 0;
    pthread_mutex_unlock(&w->pool->lock);
}

/* With the lock held, so that the worker doesn't go on to another thread's call meanwhile. */
static bool wants_out(const struct worker *w, int64_t now)
{
    if (w->tid == 0 || now - w->since < POKE_AFTER)
        return false;
    return ioctl(w->en->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &w->id) < 0 || proc_signalled(w->tid);
}

bool workers_poke(struct workers *ws)
{
    int64_t now = now_ms();
    bool busy = false;
    pthread_mutex_lock(&ws->lock);
    for (struct worker *w = ws->all; w != NULL; w = w->next) {
        busy = busy || w->tid != 0;
        if (wants_out(w, now))
            (void)pthread_kill(w->thread, SIGUSR1);
    }
    busy = busy || now - ws->last_work < 1000;
    pthread_mutex_unlock(&ws->lock);
    return busy;
}

struct workers *workers_start(struct engine *en, struct err *e)
{
    struct workers *ws = calloc(1, sizeof *ws);
    if (ws == NULL) {
        err_set(e, ENOMEM, "no memory for the workers");
        return NULL;
    }
    ws->en = en;
    ws->last = &ws->first;
    ws->last_work = INT64_MIN / 2;
    (void)pthread_mutex_init(&ws->lock, NULL);
    (void)pthread_cond_init(&ws->ended, NULL);
    ws->stop = eventfd(0, EFD_CLOEXEC);
    ws->jobs = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE | EFD_NONBLOCK);
    int rc = ws->stop < 0 || ws->jobs < 0 || syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &ws->sizes) < 0
                 ? -errno
                 : 0;
    for (unsigned i = 0; rc == 0 && i < ENGINE_WORKERS; i++)
        rc = spawn(ws, true);
    if (rc < 0) {
        err_set(e, -rc, "can't start the workers: %s", strerror(-rc));
        workers_stop(ws);
        return NULL;
    }
    return ws;
}

/*
 * Two workers may still go after one notification; the second then sits in RECV, where only a signal reaches
 * it. A signal that comes just before RECV is lost, hence the loop.
 */
static void join_all(struct workers *ws)
{
    pthread_mutex_lock(&ws->lock);
    while (ws->all != NULL || atomic_load(&ws->idle) > 0) {
        struct timespec until;
        for (struct worker *w = ws->all; w != NULL; w = w->next)
            (void)pthread_kill(w->thread, SIGUSR1);
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        (void)pthread_cond_timedwait(&ws->ended, &ws->lock, &until);
    }
    pthread_mutex_unlock(&ws->lock);
}

void workers_stop(struct workers *ws)
{
    static const uint64_t one = 1;
    if (ws == NULL)
        return;
    if (ws->stop >= 0)
        (void)!write(ws->stop, &one, sizeof one);
    join_all(ws);
    close_fd_p(&ws->stop);
    close_fd_p(&ws->jobs);
    (void)pthread_cond_destroy(&ws->ended);
    (void)pthread_mutex_destroy(&ws->lock);
    free(ws);
}
