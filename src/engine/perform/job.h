/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One call that is being performed, and what its handlers share. A handler runs as the target (performer.h);
 * all that takes a look at the target has been done before, by job_prepare.
 *
 * Results are a call's own: a value, or -errno; or one of the three below, which say that nothing has
 * happened.
 */
#ifndef IDW_ENGINE_PERFORM_JOB_H
#define IDW_ENGINE_PERFORM_JOB_H

#include <fcntl.h>
#include "engine/perform/performer.h"

#define FOR_TARGET INT64_MIN          /* can't be done exactly from here */
#define INTERRUPTED (INT64_MIN + 1)   /* by a signal */
#define NOTHING_WRONG (INT64_MIN + 3) /* with the arguments */
#define IS_FULL (INT64_MIN + 2) /* the target has no free descriptor: EMFILE, and not for want of ours */

#define UNREADABLE 8L /* an address: what the target gave can't be read, or not in full */

struct job;
typedef int64_t (*job_fn)(struct job *j);

/* How a call is performed: a row of the table in perform.c. */
struct handler {
    const char *name;
    job_fn run;
    int as;            /* substitute(): the call that does the same to what a path leads to; 0: itself */
    unsigned at_flags; /* AT_ flags whose meaning we know */
    /* Is there a value that the kernel may refuse whatever the call is about? NULL: there can be none. */
    bool (*odd)(struct job *j);
    job_fn
        check; /* as ourselves, of sound arguments: FOR_TARGET, -errno, or 0: go on. NULL: nothing to see */
};

/* A path argument. */
struct name {
    const struct call_arg *arg;
    const char *text; /* our copy; NULL: the target gave NULL */
    int64_t error;    /* what looking it up results in; 0: not known yet */
    int start;        /* our descriptor: where a relative path starts, or what an empty one means; borrowed.
                       * FOR_TARGET as ->error: it is foreign */
    bool empty;       /* the path is "", and may be */
    bool follow;      /* a final symbolic link */
    uint64_t resolve; /* RESOLVE_ of openat2 */
};

#define JOB_NAMES 2

struct job {
    struct performer *pf;
    struct idw_event *ev;
    const struct handler *how;
    struct identity who;
    bool looked;       /* have clauses looked at a descriptor or object? Then the target may not */
    bool odd;          /* job_refused has to be asked */
    bool full;         /* the target has no free descriptor */
    bool other_mounts; /* than ours */
    int64_t otherwise; /* what comes of an odd call that it says nothing of; 0: the handler knows */
    int root, cwd;     /* the target's, ours to close */
    struct name names[JOB_NAMES];
    size_t n_names;
    int file; /* the result, when it is a descriptor */
};

/* job_argument - the call's argument @name (enum call_name); 0 when it has none. */
uint64_t job_argument(const struct job *j, unsigned name);

/* job_text - the copy of string argument @name; NULL: unreadable. */
const char *job_text(const struct job *j, unsigned name);

/* job_prepare - Returns 0, or a result. job_clear in either case. */
int64_t job_prepare(struct job *j);
void job_clear(struct job *j);

/*
 * job_refused - as the target: does the kernel refuse the arguments before it looks for what the call is
 * about? It is asked by the same call about nothing. Returns NOTHING_WRONG, or what the call results in.
 */
int64_t job_refused(const struct job *j);

/*
 * lookup - an O_PATH descriptor of what @n names, the caller's, or a result. What clauses looked at is found
 * again, or the result is -ESTALE: somebody put another in its place meanwhile.
 * lookup_at - the same with other rules for a final symbolic link.
 * lookup_direct - the same, but FOR_TARGET where only a tour (lookup_by_walk) can tell.
 */
int64_t lookup_direct(const struct job *j, const struct name *n, bool follow);
int64_t lookup(const struct job *j, const struct name *n);
int64_t lookup_at(const struct job *j, const struct name *n, bool follow);

/* lookup_failed - what failing with @error (positive) at @text comes to: -@error, or FOR_TARGET. */
int64_t lookup_failed(const struct name *n, const char *text, int error);

/* The directory that has, or shall have, an entry; and the entry's name in it, trailing slashes included. */
struct entry {
    int dir;
    const char *last;
};

/* entry_find - Returns 0, or a result. @e->dir is the caller's. */
int64_t entry_find(const struct job *j, const struct name *n, struct entry *e);

/*
 * entry_still - is it what clauses looked at? Just ahead of the call: what is put there in between is not
 * seen.
 * @appeared: the result when clauses saw nothing there and now there is something; 0: the call will tell
 */
int64_t entry_still(const struct job *j, const struct name *n, const struct entry *e, int64_t appeared);

/* same_mount - are these two seen through one? */
bool same_mount(int a, int b);

/*
 * entry_busy - is it a mount point to the target, whose mounts are not ours? @type: S_IFDIR or S_IFREG, what
 * the call wants, or fails with another error; 0: it takes either. Returns 0, or -EBUSY.
 */
int64_t entry_busy(const struct job *j, const struct entry *e, mode_t type);

/*
 * lookup_by_walk - what @text, a path from where @n starts, leads to if links of procfs are taken for the
 * thread's. For what clauses have looked at, and only where lookup can't tell. A descriptor, the caller's, or
 * a result.
 */
int64_t lookup_by_walk(const struct job *j, const struct name *n, const char *text, bool follow);

/*
 * job_may_use - can this descriptor be acted on from here? What clauses have looked at may be on file systems
 * that are foreign, but don't mind that it is not the target who calls.
 */
bool job_may_use(const struct job *j, int fd);

/*
 * open_own - @object, if it is a file about itself that procfs lets the target open whoever it is: a process
 * that has changed its ids has no permission by them. Returns a descriptor, or -errno; FOR_TARGET: it is not
 * one of those.
 */
int64_t open_own(const struct job *j, int object, int flags);

/* is_scarce - is @error (positive) about what we lack, or need not stay so? */
bool is_scarce(int error);

/*
 * is_foreign - is @fd on a file system whose answers depend on more than ids, groups and capabilities of who
 * asks: procfs, network file systems, FUSE, those of the kernel's own insides?
 */
bool is_foreign(int fd);

/* OPEN_FD_NAME - how a worker in its place (performer.h) names its own descriptor. */
#define OPEN_FD_NAME_MAX 24
const char *own_fd_name(int fd, char name[OPEN_FD_NAME_MAX]);

/* result_of - a system call's return value and errno as a result. */
int64_t result_of(long rc);

/* Handlers. */
int64_t substitute(struct job *j);
int64_t do_access(struct job *j);
int64_t do_readlink(struct job *j);
int64_t do_unlink(struct job *j);
int64_t do_mkdir(struct job *j);
int64_t do_mknod(struct job *j);
int64_t do_symlink(struct job *j);
int64_t do_link(struct job *j);
int64_t do_rename(struct job *j);
int64_t do_open(struct job *j);

/* Values that the kernel refuses, or that only a newer one knows. */
bool odd_access(struct job *j);
bool odd_readlink(struct job *j);
bool odd_statx(struct job *j);
bool odd_times(struct job *j);
bool odd_xattr(struct job *j);
bool odd_truncate(struct job *j);
bool odd_mknod(struct job *j);
bool odd_unlink(struct job *j);
bool odd_rename(struct job *j);
bool odd_sendto(struct job *j);

/* Checks: what depends on the target's limits and namespaces, or on more than this call. */
int64_t check_access(struct job *j);
int64_t check_truncate(struct job *j);
int64_t check_mknod(struct job *j);
int64_t check_symlink(struct job *j);
int64_t check_link(struct job *j);
int64_t check_mounts(struct job *j);
int64_t check_open(struct job *j);
int64_t check_socket(struct job *j);
int64_t check_sendto(struct job *j);

/* limits.c: of thread @tid. */

/* same_namespace - is its namespace of this @kind ("net") ours? same_cgroup - its cgroups? False also when
 * not known. */
bool same_namespace(pid_t tid, const char *kind);
bool same_cgroup(pid_t tid);

/* may_exceed - is @value over its soft limit called @name in /proc/TID/limits? True also when not known. */
bool may_exceed(pid_t tid, const char *name, uint64_t value);

/* descriptors_left - is there a free descriptor under its limit? 0, or IS_FULL, or FOR_TARGET: not known. */
int64_t descriptors_left(pid_t tid);

#endif
