/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/passes.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"

#define BUCKETS 64u /* of threads that run a judged call at this moment: few */

struct entry {
    struct entry *next;
    pid_t tid;
    long nr;
    uint64_t args[6];
    int fd; /* DEAD_FD: the kernel shall do the call */
};

struct passes {
    pthread_mutex_t lock;
    atomic_uint n; /* mostly 0, and then a notification costs no lock */
    struct entry *buckets[BUCKETS];
};

struct passes *passes_new(void)
{
    struct passes *ps = calloc(1, sizeof *ps);
    if (ps != NULL)
        pthread_mutex_init(&ps->lock, NULL);
    return ps;
}

void passes_free(struct passes *ps)
{
    if (ps == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct entry *p = ps->buckets[i], *next; p != NULL; p = next) {
            next = p->next;
            free(p);
        }
    }
    pthread_mutex_destroy(&ps->lock);
    free(ps);
}

/* Where the thread's entry hangs, or would. */
static struct entry **find(struct passes *ps, pid_t tid)
{
    struct entry **at = &ps->buckets[(unsigned)tid % BUCKETS];
    while (*at != NULL && (*at)->tid != tid)
        at = &(*at)->next;
    return at;
}

static void drop(struct passes *ps, struct entry **at)
{
    struct entry *p = *at;
    *at = p->next;
    free(p);
    atomic_fetch_sub(&ps->n, 1);
}

static int give(struct passes *ps, struct entry what)
{
    int rc = 0;
    pthread_mutex_lock(&ps->lock);
    struct entry **at = find(ps, what.tid);
    if (*at == NULL && (*at = calloc(1, sizeof **at)) != NULL)
        atomic_fetch_add(&ps->n, 1);
    if (*at != NULL) {
        what.next = (*at)->next;
        **at = what;
    } else {
        rc = -ENOMEM;
    }
    pthread_mutex_unlock(&ps->lock);
    return rc;
}

int passes_continue(struct passes *ps, pid_t tid, long nr, const uint64_t args[6])
{
    return passes_addfd(ps, tid, nr, args, DEAD_FD);
}

int passes_addfd(struct passes *ps, pid_t tid, long nr, const uint64_t args[6], int fd)
{
    struct entry what = {.tid = tid, .nr = nr, .fd = fd};
    memcpy(what.args, args, sizeof what.args);
    return give(ps, what);
}

enum pass passes_take(struct passes *ps, pid_t tid, long nr, const uint64_t args[6], int *fd)
{
    enum pass pass = PASS_NONE;
    if (atomic_load(&ps->n) == 0)
        return pass;
    pthread_mutex_lock(&ps->lock);
    struct entry **at = find(ps, tid);
    if (*at != NULL && (*at)->nr == nr && memcmp((*at)->args, args, sizeof(*at)->args) == 0) {
        pass = (*at)->fd >= 0 ? PASS_ADDFD : PASS_CONTINUE;
        if (pass == PASS_ADDFD)
            *fd = (*at)->fd;
        drop(ps, at);
    }
    pthread_mutex_unlock(&ps->lock);
    return pass;
}

void passes_revoke(struct passes *ps, pid_t tid)
{
    if (atomic_load(&ps->n) == 0)
        return;
    pthread_mutex_lock(&ps->lock);
    struct entry **at = find(ps, tid);
    if (*at != NULL)
        drop(ps, at);
    pthread_mutex_unlock(&ps->lock);
}
