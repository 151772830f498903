/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/alone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include "base/cleanup.h"
#include "subject/proc.h"

#define PF_EXITING 0x4U /* include/linux/sched.h; set before anybody can learn that the thread has ended */

enum { PATIENCE = 40, MOMENT_NS = 50000 };

int alone_filter(struct filter *f, struct err *e)
{
    static struct idw_call_set set;
    static const struct idw_term terms[] = {
        {.op = IDW_OP_CALLS},
        {.op = IDW_OP_CMP, .cmp = IDW_NE, .name = CALL_NAME_flags, .mask = CLONE_UNTRACED, .value = 0},
        {.op = IDW_OP_AND},
    };
    static const struct idw_clause clause = {
        .terms = terms, .n_terms = ARRAY_SIZE(terms), .sets = &set, .n_sets = 1, .file = "", .line = 0};
    if (pin_can_seal())
        return 0;
    size_t id = call_id(call_by_name("clone"));
    set.bits[id / 64] |= 1UL << (id % 64);
    int rc = filter_add_clause(f, &clause, FILTER_NOTIFY, e);
    return rc < 0 ? rc : filter_add_call(f, (unsigned)call_id(call_by_name("clone3")), FILTER_NOTIFY, e);
}

bool alone_refuses(const struct call *c, const uint64_t args[6], int64_t *result)
{
    if (pin_can_seal())
        return false;
    bool in_memory = strcmp(c->name, "clone3") == 0;
    *result = in_memory ? -ENOSYS : -EPERM;
    return in_memory || (strcmp(c->name, "clone") == 0 && (args[0] & CLONE_UNTRACED) != 0);
}

/* Surely another: also true of a thread that has left its memory for good. */
static bool other_memory(pid_t a, pid_t b)
{
    return syscall(SYS_kcmp, a, b, KCMP_VM, 0UL, 0UL) > 0;
}

/* 0: gone. */
static unsigned threads_of(pid_t pid)
{
    struct proc_stat st;
    int rc = proc_stat(pid, &st);
    return rc == 0 ? st.threads : rc == -ESRCH ? 0 : UINT_MAX;
}

/*
 * Is process @pid out of the memory of @tid for good? A thread without memory makes no new ones, so in this
 * order: the first thread is, and there is no other.
 */
static bool has_left(pid_t pid, pid_t tid)
{
    bool first = other_memory(pid, tid);
    unsigned threads = threads_of(pid);
    return threads == 0 || (first && threads == 1);
}

/* Is the process that @s has waited for in vfork still in its memory? The wait ended with that of its first
 * thread. */
static bool has_borrower(struct subjects *all, struct subject *s, pid_t tid)
{
    if (s->borrower == 0)
        return false;
    struct subject *b = subjects_find(all, s->borrower);
    bool there = b != NULL && b->lender == s->record->pid && !has_left(b->record->pid, tid);
    subject_unref(all, b);
    if (!there)
        s->borrower = 0;
    return there;
}

void alone_unseen(struct subjects *all, struct subject *s)
{
    s->shares = true;
    struct subject *lender = s->lender != 0 ? subjects_find(all, s->lender) : NULL;
    if (lender != NULL)
        lender->shares = true;
    subject_unref(all, lender);
}

/* Only one thread, which waits now, and nobody else before: then memory is but lent. */
static bool can_lend(struct subjects *all, struct subject *s, pid_t tid)
{
    return !s->shares && !s->unseen && s->lender == 0 && threads_of(s->record->pid) == 1 &&
           !has_borrower(all, s, tid);
}

void alone_born(struct subjects *all, const struct tracee *maker, const struct tracee *child, bool waits)
{
    struct subject *from = maker->subject, *to = child->subject;
    if (pin_can_seal() || from == to || other_memory(maker->tid, child->tid))
        return;
    if (waits && can_lend(all, from, maker->tid)) {
        to->lender = from->record->pid;
        from->borrower = to->record->pid;
        return;
    }
    to->shares = true;
    alone_unseen(all, from);
}

void alone_orphan(struct subjects *all, const struct subject *dead, struct subject *child)
{
    child->lender = dead->lender;
    alone_unseen(all, child);
    child->lender = 0;
}

void alone_exec(struct subject *s)
{
    s->shares = false;
    s->lender = s->borrower = 0;
}

/* Is every thread of the process but @tid about to go? The first one stays, as a zombie, until all have
 * ended.
 */
static bool others_go(pid_t pid, pid_t tid)
{
    _cleanup_close_ int fd = proc_open(pid, "task", O_RDONLY | O_DIRECTORY);
    DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
    bool go = tasks != NULL;
    if (tasks == NULL)
        return false;
    (void)move_fd(&fd);
    for (const struct dirent *d; go && (d = readdir(tasks)) != NULL;) {
        struct proc_stat st;
        pid_t other = atoi(d->d_name); // NOLINT(cert-err34-c): the kernel's names; "." and ".." are 0
        int rc = other == 0 || other == tid ? -ESRCH : proc_stat(other, &st);
        go = rc == -ESRCH || (rc == 0 && (st.flags & PF_EXITING) != 0 && (other != pid || st.state != 'Z'));
    }
    (void)closedir(tasks);
    return go;
}

/*
 * Returns 0: @tid is the only thread. A first one that has ended doesn't count, but that of a process in its
 * lender's memory: it has woken the lender. Or -EPERM; -EAGAIN, and *@first: it is the first one that is
 * about to end.
 */
static int count_threads(const struct subject *s, pid_t tid, bool *first)
{
    struct proc_stat st;
    pid_t pid = s->record->pid;
    if (proc_stat(pid, &st) < 0)
        return -EPERM;
    if (st.threads == 1 || (st.threads == 2 && tid != pid && st.state == 'Z' && s->lender == 0))
        return 0;
    *first = tid != pid && (st.flags & PF_EXITING) != 0;
    return others_go(pid, tid) ? -EAGAIN : -EPERM;
}

int alone_is(struct subjects *all, struct subject *s, pid_t tid, bool patient)
{
    bool first = false;
    if (s->shares || s->unseen || has_borrower(all, s, tid))
        return -EPERM;
    int rc = count_threads(s, tid, &first);
    for (int i = 0; rc == -EAGAIN && (patient || first) && i < PATIENCE; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = MOMENT_NS}, NULL);
        rc = count_threads(s, tid, &first);
    }
    return rc == -EAGAIN && first ? -EPERM : rc;
}
