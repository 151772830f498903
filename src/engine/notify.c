/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/notify.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "engine/respond.h"
#include "engine/signals.h"

struct worker {
    struct notify *notify;
    unsigned slot;
    int epoll;
    pthread_t thread;
    atomic_bool done;
    struct seccomp_notif *req;
    struct seccomp_notif_resp *resp;
};

struct notify {
    struct engine *en;
    struct seccomp_notif_sizes sizes; /* the kernel's, which may be larger than our headers' */
    int stop;                         /* eventfd: readable when the workers shall end */
    size_t n_workers;
    struct worker workers[ENGINE_WORKERS];
};

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static bool still_there(const struct worker *w)
{
    return ioctl(w->notify->en->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &w->req->id) == 0;
}

/* The answer is to deny, until the layers have said otherwise. */
static void decide(struct worker *w)
{
    struct engine *en = w->notify->en;
    const struct seccomp_notif *req = w->req;
    struct seccomp_notif_resp *resp = w->resp;
    resp->id = req->id;
    resp->error = -EPERM;
    const struct call *c = call_by_nr(ARCH_X86_64, req->data.nr);
    if (req->pid == 0 || c == NULL)
        return; /* in a pid namespace that we can't see into, or no call of ours */
    struct subject *s = subjects_get(en->subjects, (pid_t)req->pid, NULL);
    if (s == NULL || !still_there(w)) {
        subject_unref(en->subjects, s);
        return;
    }
    struct idw_event ev;
    event_init(&ev, s, (pid_t)req->pid, c, (const uint64_t *)req->data.args);
    enum response r = respond_pre(en, &ev, FILTER_NOTIFY);
    if (r == RESPOND_RUN) {
        resp->error = 0;
        resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    } else if (r == RESPOND_RESULT && event_failed(ev.result)) {
        resp->error = (int)ev.result;
    } else if (r == RESPOND_RESULT) {
        resp->error = 0;
        resp->val = ev.result;
    }
    audit_drop(&ev);
    event_clear(&ev);
    subject_unref(en->subjects, s);
}

/* One notification, from RECV to SEND. The target may die in between at any point: ENOENT, and nobody waits.
 */
static void serve(struct worker *w)
{
    struct notify *n = w->notify;
    memset(w->req, 0, larger(n->sizes.seccomp_notif, sizeof *w->req));
    memset(w->resp, 0, larger(n->sizes.seccomp_notif_resp, sizeof *w->resp));
    if (ioctl(n->en->listener, SECCOMP_IOCTL_NOTIF_RECV, w->req) < 0)
        return;
    struct journal_entry *entry = journal_enter(n->en->journal, w->slot, w->req);
    decide(w);
    (void)ioctl(n->en->listener, SECCOMP_IOCTL_NOTIF_SEND, w->resp);
    journal_leave(entry);
}

/* EPOLLHUP: the last target is gone. */
static void on_listener(struct worker *w, uint32_t events)
{
    if ((events & EPOLLIN) != 0)
        serve(w);
    else
        (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->notify->en->listener, NULL);
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct epoll_event ready;
    signals_allow_wake();
    for (;;) {
        if (epoll_wait(w->epoll, &ready, 1, -1) != 1)
            continue; /* EINTR */
        if (ready.data.fd == w->notify->stop)
            break;
        on_listener(w, ready.events);
    }
    atomic_store(&w->done, true);
    return NULL;
}

static void worker_clear(struct worker *w)
{
    close_fd_p(&w->epoll);
    free(w->req);
    free(w->resp);
}

/*
 * Two workers may still go after one notification; the second then sits in RECV, where only a signal reaches
 * it. A signal that comes just before RECV is lost, hence the loop.
 */
static void worker_join(struct worker *w)
{
    static const struct timespec pause = {.tv_nsec = 1000000};
    while (!atomic_load(&w->done)) {
        (void)pthread_kill(w->thread, SIGUSR1);
        (void)nanosleep(&pause, NULL);
    }
    (void)pthread_join(w->thread, NULL);
    worker_clear(w);
}

/* EPOLLEXCLUSIVE: a notification wakes one worker, not all; hence an epoll instance for each. */
static int worker_watch(struct worker *w)
{
    struct epoll_event calls = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = w->notify->en->listener};
    struct epoll_event stop = {.events = EPOLLIN, .data.fd = w->notify->stop};
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, calls.data.fd, &calls) < 0 ||
        epoll_ctl(w->epoll, EPOLL_CTL_ADD, stop.data.fd, &stop) < 0)
        return -errno;
    return 0;
}

static int worker_start(struct notify *n, struct worker *w, unsigned slot)
{
    w->notify = n;
    w->slot = slot;
    w->req = malloc(larger(n->sizes.seccomp_notif, sizeof *w->req));
    w->resp = malloc(larger(n->sizes.seccomp_notif_resp, sizeof *w->resp));
    int rc = worker_watch(w);
    if (rc == 0 && (w->req == NULL || w->resp == NULL))
        rc = -ENOMEM;
    if (rc == 0)
        rc = -pthread_create(&w->thread, NULL, work, w);
    if (rc < 0)
        worker_clear(w);
    return rc;
}

struct notify *notify_start(struct engine *en, struct err *e)
{
    struct notify *n = calloc(1, sizeof *n);
    if (n == NULL) {
        err_set(e, ENOMEM, "no memory for the notify engine");
        return NULL;
    }
    n->en = en;
    n->stop = eventfd(0, EFD_CLOEXEC);
    if (n->stop < 0 || syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &n->sizes) < 0) {
        err_errno(e, "can't start the notify engine");
        notify_stop(n);
        return NULL;
    }
    for (unsigned i = 0; i < ENGINE_WORKERS; i++) {
        int rc = worker_start(n, &n->workers[i], i);
        if (rc < 0) {
            err_set(e, -rc, "can't start a worker: %s", strerror(-rc));
            notify_stop(n);
            return NULL;
        }
        n->n_workers++;
    }
    return n;
}

void notify_stop(struct notify *n)
{
    static const uint64_t one = 1;
    if (n == NULL)
        return;
    if (n->stop >= 0)
        (void)!write(n->stop, &one, sizeof one);
    for (size_t i = 0; i < n->n_workers; i++)
        worker_join(&n->workers[i]);
    if (n->stop >= 0)
        (void)close(n->stop);
    free(n);
}
