/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/subject.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <poll.h>
#include "base/cleanup.h"
#include "subject/proc.h"
#include "subject/state.h"

enum { THREADS_LEAST = 1024 }; /* that many dead ones do no harm */

struct thread {
    pid_t tid;
    struct subject *subject; /* referenced */
    struct thread *next;     /* of those that were found dead */
    UT_hash_handle hh;
};

struct subjects {
    struct arena *arena;
    pthread_mutex_t lock; /* the two hashes; taken after no subject's lock is waited for */
    struct subject *by_pid;
    struct thread *threads;
    size_t threads_most; /* more than this are looked through for dead ones */
    int exits;           /* epoll of all pidfds */
    const struct idw_state_desc *states[SUBJECT_WRAPPERS_MAX];
};

struct subjects *subjects_new(struct arena *a, struct err *e)
{
    struct subjects *all = calloc(1, sizeof *all);
    if (all == NULL) {
        err_set(e, ENOMEM, "no memory for the process table");
        return NULL;
    }
    all->arena = a;
    all->exits = epoll_create1(EPOLL_CLOEXEC);
    if (all->exits < 0) {
        err_errno(e, "can't watch processes");
        free(all);
        return NULL;
    }
    (void)pthread_mutex_init(&all->lock, NULL);
    return all;
}

void subjects_states(struct subjects *all, unsigned slot, const struct idw_state_desc *d)
{
    if (slot < SUBJECT_WRAPPERS_MAX)
        all->states[slot] = d->size > 0 ? d : NULL;
}

/* Out of the list of all records, if it is in it; with the table's lock held. */
static void record_unlink(struct subjects *all, struct subject_record *r)
{
    arena_off *head = arena_root(all->arena, ARENA_ROOT_SUBJECTS);
    struct subject_record *previous = arena_ptr(all->arena, r->previous);
    struct subject_record *next = arena_ptr(all->arena, r->next);
    if (previous != NULL)
        previous->next = r->next;
    else if (*head == arena_offset(all->arena, r))
        *head = r->next;
    if (next != NULL)
        next->previous = r->previous;
}

static void record_link(struct subjects *all, struct subject_record *r)
{
    arena_off *head = arena_root(all->arena, ARENA_ROOT_SUBJECTS);
    struct subject_record *next = arena_ptr(all->arena, *head);
    r->next = *head;
    *head = arena_offset(all->arena, r);
    if (next != NULL)
        next->previous = *head;
}

static void record_free(struct subjects *all, struct subject_record *r)
{
    for (unsigned i = 0; i < SUBJECT_WRAPPERS_MAX; i++)
        if (all->states[i] != NULL)
            state_free(all->arena, all->states[i], r->state[i]);
    arena_free(all->arena, arena_offset(all->arena, r));
}

struct subject *subject_ref(struct subject *s)
{
    atomic_fetch_add(&s->references, 1);
    return s;
}

void subject_unref(struct subjects *all, struct subject *s)
{
    if (s == NULL || atomic_fetch_sub(&s->references, 1) != 1)
        return;
    pthread_mutex_lock(&all->lock);
    record_unlink(all, s->record);
    pthread_mutex_unlock(&all->lock);
    record_free(all, s->record);
    if (s->memory != NULL)
        s->memory_drop(s->memory);
    if (s->pidfd >= 0)
        (void)close(s->pidfd);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

/* Out of the hash, with the table's lock held; the caller gives back the table's reference afterwards. */
static void table_remove(struct subjects *all, struct subject *s)
{
    HASH_DEL(all->by_pid, s);
    if (s->pidfd >= 0)
        (void)epoll_ctl(all->exits, EPOLL_CTL_DEL, s->pidfd, NULL);
}

static bool subject_is_dead(const struct subject *s)
{
    if (s->pidfd < 0) {
        struct proc_stat st;
        if (subject_life(s) == LIFE_DEAD)
            return true;
        int rc = proc_stat(s->record->pid, &st);
        return rc == -ESRCH || (rc == 0 && st.start_time != s->record->start_time);
    }
    struct pollfd p = {.fd = s->pidfd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

/* State for each wrapper: the parent's copied, or fresh. */
static int record_states(struct subjects *all, struct subject_record *r, const struct subject *parent)
{
    for (unsigned i = 0; i < SUBJECT_WRAPPERS_MAX; i++) {
        const struct idw_state_desc *d = all->states[i];
        if (d == NULL)
            continue;
        arena_off from = parent != NULL ? parent->record->state[i] : 0;
        r->state[i] = from != 0 ? state_copy(all->arena, d, from) : state_new(all->arena, d);
        if (r->state[i] == 0)
            return -ENOMEM;
    }
    return 0;
}

/* Recursive: what happens to a subject can be a consequence of an event that is being handled under its lock.
 */
static void lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attr;
    (void)pthread_mutexattr_init(&attr);
    (void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    (void)pthread_mutex_init(lock, &attr);
    (void)pthread_mutexattr_destroy(&attr);
}

static struct subject_record *record_new(struct subjects *all, pid_t pid, struct subject *parent,
                                         struct err *e)
{
    struct proc_stat st;
    struct proc_status status;
    int rc = proc_stat(pid, &st);
    if (rc == 0)
        rc = proc_status(pid, &status);
    if (rc < 0) {
        err_set(e, -rc, "can't look at process %d: %s", (int)pid, strerror(-rc));
        return NULL;
    }
    struct subject_record *r = arena_ptr(all->arena, arena_alloc(all->arena, sizeof *r));
    if (r == NULL || record_states(all, r, parent) < 0) {
        if (r != NULL)
            record_free(all, r);
        err_set(e, ENOMEM, "the arena is full: no room for process %d", (int)pid);
        return NULL;
    }
    r->pid = pid;
    r->ppid = st.ppid;
    r->start_time = st.start_time;
    r->invoker = parent != NULL ? parent->record->invoker : status.uid;
    (void)proc_exe(pid, r->exe, sizeof r->exe);
    return r;
}

/* With the lock held: @s into the table and the list of records. */
static void table_insert_subject(struct subjects *all, struct subject *s)
{
    record_link(all, s->record);
    HASH_ADD_KEYPTR(hh, all->by_pid, &s->record->pid, sizeof s->record->pid, s);
    (void)subject_ref(s); /* the table's */
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = (uint32_t)s->record->pid};
    if (s->pidfd >= 0)
        (void)epoll_ctl(all->exits, EPOLL_CTL_ADD, s->pidfd, &ev);
}

/* Enter @s, or find that another thread was quicker. A dead process of the same pid makes room. */
static struct subject *table_enter(struct subjects *all, struct subject *s)
{
    pid_t pid = s->record->pid;
    for (;;) {
        struct subject *old;
        pthread_mutex_lock(&all->lock);
        HASH_FIND_INT(all->by_pid, &pid, old);
        if (old == NULL)
            table_insert_subject(all, s);
        else
            subject_ref(old);
        pthread_mutex_unlock(&all->lock);
        if (old == NULL)
            return s;
        if (!subject_is_dead(old)) {
            subject_unref(all, s);
            return old;
        }
        (void)subject_happens(all, old, HAPPENS_EXIT);
        subject_unref(all, old);
    }
}

/* Some descriptors stay free for what handling an event needs. Returns it, DEAD_FD when they are scarce, or
 * -ESRCH. */
static int open_pidfd(pid_t pid)
{
    enum { RESERVE = 48 };
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return errno == ESRCH ? -ESRCH : DEAD_FD;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)fd + RESERVE >= limit.rlim_cur) {
        (void)close(fd);
        return DEAD_FD;
    }
    return fd;
}

static struct subject *add(struct subjects *all, pid_t pid, struct subject *parent, enum happening how,
                           bool unseen, struct err *e)
{
    struct subject *s = calloc(1, sizeof *s);
    if (s == NULL) {
        err_set(e, ENOMEM, "no memory for process %d", (int)pid);
        return NULL;
    }
    s->pidfd = open_pidfd(pid);
    if (s->pidfd == -ESRCH) {
        err_set(e, ESRCH, "process %d is gone", (int)pid);
        free(s);
        return NULL;
    }
    if (parent != NULL)
        subject_lock(parent);
    s->record = record_new(all, pid, parent, e);
    if (parent != NULL)
        subject_unlock(parent);
    if (s->record == NULL) {
        close_fd_p(&s->pidfd);
        free(s);
        return NULL;
    }
    s->record->life = life_after(LIFE_NONE, how);
    s->references = 1;
    s->unseen = unseen;
    s->sandboxed = unseen || (parent != NULL && atomic_load(&parent->sandboxed));
    lock_init(&s->lock);
    return table_enter(all, s);
}

struct subject *subjects_add(struct subjects *all, pid_t pid, struct subject *parent, enum happening how,
                             struct err *e)
{
    return add(all, pid, parent, how, false, e);
}

struct subject *subjects_find(struct subjects *all, pid_t pid)
{
    struct subject *s;
    pthread_mutex_lock(&all->lock);
    HASH_FIND_INT(all->by_pid, &pid, s);
    if (s != NULL)
        subject_ref(s);
    pthread_mutex_unlock(&all->lock);
    return s;
}

pid_t subject_tgid(pid_t tid)
{
    struct proc_status status;
    int rc = proc_status(tid, &status);
    return rc < 0 ? rc : status.tgid;
}

/* With the lock held: takes @tid's entry out and returns its subject with the entry's reference, or NULL. */
static struct subject *thread_take(struct subjects *all, pid_t tid)
{
    struct thread *t;
    HASH_FIND_INT(all->threads, &tid, t);
    if (t == NULL)
        return NULL;
    HASH_DEL(all->threads, t);
    struct subject *s = t->subject;
    free(t);
    return s;
}

int subjects_thread(struct subjects *all, pid_t tid, struct subject *s)
{
    struct thread *t = calloc(1, sizeof *t);
    if (t == NULL)
        return -ENOMEM;
    t->tid = tid;
    t->subject = subject_ref(s);
    pthread_mutex_lock(&all->lock);
    struct subject *former = thread_take(all, tid);
    HASH_ADD_INT(all->threads, tid, t);
    pthread_mutex_unlock(&all->lock);
    subject_unref(all, former);
    return 0;
}

void subjects_thread_gone(struct subjects *all, pid_t tid)
{
    pthread_mutex_lock(&all->lock);
    struct subject *s = thread_take(all, tid);
    pthread_mutex_unlock(&all->lock);
    subject_unref(all, s);
}

/* Does @t's id belong to another by now, or to nobody? */
static bool thread_is_dead(const struct thread *t)
{
    /* Signal 0 to the thread of that group. */
    return syscall(SYS_tgkill, t->subject->record->pid, t->tid, 0) < 0 && errno == ESRCH;
}

/* The subject noted for @tid, if the kernel still agrees. */
static struct subject *thread_lookup(struct subjects *all, pid_t tid)
{
    struct thread *t;
    struct subject *s = NULL;
    struct subject *stale = NULL;
    pthread_mutex_lock(&all->lock);
    HASH_FIND_INT(all->threads, &tid, t);
    if (t != NULL) {
        if (!thread_is_dead(t) && !subject_is_dead(t->subject))
            s = subject_ref(t->subject);
        else
            stale = thread_take(all, tid);
    }
    pthread_mutex_unlock(&all->lock);
    subject_unref(all, stale);
    return s;
}

/* The nearest ancestor of @pid that is a subject, referenced, or NULL. */
static struct subject *known_ancestor(struct subjects *all, pid_t pid)
{
    struct proc_stat st;
    pid_t self = getpid();
    while (proc_stat(pid, &st) == 0 && st.ppid > 1 && st.ppid != self) {
        struct subject *s = subjects_find(all, st.ppid);
        if (s != NULL)
            return s;
        pid = st.ppid;
    }
    return NULL;
}

/* Its ancestor need not be its maker (CLONE_PARENT, subreapers): with state, that would be another's. */
static bool may_adopt(const struct subjects *all)
{
    for (unsigned i = 0; i < SUBJECT_WRAPPERS_MAX; i++)
        if (all->states[i] != NULL)
            return false;
    return true;
}

struct subject *subjects_get(struct subjects *all, pid_t tid, struct err *e)
{
    struct subject *s = thread_lookup(all, tid);
    if (s == NULL) {
        pid_t tgid = subject_tgid(tid);
        if (tgid < 0) {
            err_set(e, -tgid, "can't look at thread %d: %s", (int)tid, strerror(-tgid));
            return NULL;
        }
        s = subjects_find(all, tgid);
        if (s == NULL || subject_is_dead(s)) {
            subject_unref(all, s);
            struct subject *parent = may_adopt(all) ? known_ancestor(all, tgid) : NULL;
            if (parent == NULL) {
                err_set(e, EPERM, "process %d has no known ancestor", (int)tgid);
                return NULL;
            }
            s = add(all, tgid, parent, HAPPENS_FORK, true, e);
            subject_unref(all, parent);
            if (s == NULL)
                return NULL;
        }
        if (subjects_thread(all, tid, s) < 0) {
            subject_unref(all, s);
            err_set(e, ENOMEM, "no memory for thread %d", (int)tid);
            return NULL;
        }
    }
    if (s->unseen)
        (void)subject_happens(all, s, HAPPENS_EXEC);
    return s;
}

static void record_exec(struct subject_record *r)
{
    struct proc_status status;
    (void)proc_exe(r->pid, r->exe, sizeof r->exe);
    if (proc_status(r->pid, &status) == 0)
        r->invoker = status.uid;
    r->execs++;
}

/* Threads of @s out of the map. The caller holds a reference of its own, so none of theirs is the last. */
static void table_forget_threads(struct subjects *all, struct subject *s)
{
    struct thread *t, *next;
    HASH_ITER (hh, all->threads, t, next) {
        if (t->subject == s) {
            HASH_DEL(all->threads, t);
            free(t);
            atomic_fetch_sub(&s->references, 1);
        }
    }
}

/* @s and its threads out of the table. Returns false if it was out already. */
static bool table_forget(struct subjects *all, struct subject *s)
{
    struct subject *in;
    pthread_mutex_lock(&all->lock);
    HASH_FIND_INT(all->by_pid, &s->record->pid, in);
    if (in == s)
        table_remove(all, s);
    table_forget_threads(all, s);
    pthread_mutex_unlock(&all->lock);
    return in == s;
}

int subject_happens(struct subjects *all, struct subject *s, enum happening h)
{
    subject_lock(s);
    enum life next = life_after(s->record->life, h);
    if (next == LIFE_NONE) {
        subject_unlock(s);
        return -EINVAL;
    }
    __atomic_store_n(&s->record->life, next, __ATOMIC_RELAXED); /* subject_life() takes no lock */
    if (h == HAPPENS_EXEC)
        record_exec(s->record);
    subject_unlock(s);
    if (h == HAPPENS_EXIT && table_forget(all, s))
        subject_unref(all, s); /* the table's; the caller holds its own */
    return 0;
}

enum life subject_life(const struct subject *s)
{
    return (enum life)__atomic_load_n(&s->record->life, __ATOMIC_RELAXED);
}

void subject_lock(struct subject *s)
{
    pthread_mutex_lock(&s->lock);
}

void subject_unlock(struct subject *s)
{
    pthread_mutex_unlock(&s->lock);
}

void subject_forget_memory(struct subject *s)
{
    if (s->memory != NULL)
        s->memory_drop(s->memory);
    s->memory = NULL;
}

int subject_kill(struct subject *s)
{
    if (s->pidfd < 0)
        return kill(s->record->pid, SIGKILL) < 0 ? -errno : 0;
    return syscall(SYS_pidfd_send_signal, s->pidfd, SIGKILL, NULL, 0) < 0 ? -errno : 0;
}

size_t subjects_count(struct subjects *all)
{
    pthread_mutex_lock(&all->lock);
    size_t n = HASH_COUNT(all->by_pid);
    pthread_mutex_unlock(&all->lock);
    return n;
}

int subjects_exits_fd(const struct subjects *all)
{
    return all->exits;
}

int subjects_reap(struct subjects *all)
{
    struct epoll_event ready[64];
    int n = epoll_wait(all->exits, ready, ARRAY_SIZE(ready), 0);
    int dead = 0;
    for (int i = 0; i < n; i++) {
        struct subject *s = subjects_find(all, (pid_t)ready[i].data.u64);
        if (s != NULL && subject_is_dead(s)) {
            (void)subject_happens(all, s, HAPPENS_EXIT);
            dead++;
        }
        subject_unref(all, s);
    }
    return dead;
}

/* Nobody tells of the end of a thread that is not traced. */
static void sweep_threads(struct subjects *all)
{
    struct thread *t, *next, *dead = NULL;
    pthread_mutex_lock(&all->lock);
    if (HASH_COUNT(all->threads) > all->threads_most) {
        HASH_ITER (hh, all->threads, t, next) {
            if (!thread_is_dead(t))
                continue;
            HASH_DEL(all->threads, t);
            t->next = dead;
            dead = t;
        }
        all->threads_most = 2 * HASH_COUNT(all->threads) + THREADS_LEAST;
    }
    pthread_mutex_unlock(&all->lock);
    for (t = dead; t != NULL; t = next) {
        next = t->next;
        subject_unref(all, t->subject);
        free(t);
    }
}

/* A dead subject without a pidfd, referenced; NULL: none. */
static struct subject *unwatched_dead(struct subjects *all)
{
    struct subject *s, *next, *dead = NULL;
    pthread_mutex_lock(&all->lock);
    HASH_ITER (hh, all->by_pid, s, next) {
        if (s->pidfd < 0 && subject_is_dead(s)) {
            dead = subject_ref(s);
            break;
        }
    }
    pthread_mutex_unlock(&all->lock);
    return dead;
}

void subjects_sweep(struct subjects *all)
{
    struct subject *s;
    int rc = 0;
    sweep_threads(all);
    while (rc == 0 && (s = unwatched_dead(all)) != NULL) {
        rc = subject_happens(all, s, HAPPENS_EXIT);
        subject_unref(all, s);
    }
}

void subjects_free(struct subjects *all)
{
    struct subject *s, *next;
    if (all == NULL)
        return;
    HASH_ITER (hh, all->by_pid, s, next) {
        if (table_forget(all, s))
            subject_unref(all, s);
    }
    (void)close(all->exits);
    (void)pthread_mutex_destroy(&all->lock);
    free(all);
}
