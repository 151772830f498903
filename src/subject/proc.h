/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What /proc says of a process or thread; see proc(5).
 *
 * A target that is root in our mount namespace can mount something else over /proc, or over a file in it. So
 * all looks go through one descriptor of /proc, which proc_init() opens before there is a target:
 *
 *     int rc = proc_init(&e);
 *     ... launch ...
 *     _cleanup_close_ int fd = proc_open(tid, "status", O_RDONLY);
 */
#ifndef IDW_SUBJECT_PROC_H
#define IDW_SUBJECT_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"

/* proc_init - open /proc, now rather than on first use. Returns 0, or -errno (no procfs there). */
int proc_init(struct err *e);

/* proc_root - O_PATH descriptor of /proc; open for good, not the caller's. Or -errno, then for good too. */
int proc_root(void);

/*
 * proc_open - @name ("status", "fd"; "": the directory itself) of process or thread @pid, with O_CLOEXEC
 * added to @flags. Never through a symbolic link, nor what somebody mounted there (-EXDEV). Returns a
 * descriptor, the caller's; -ESRCH; or -errno.
 */
int proc_open(pid_t pid, const char *name, int flags);

struct proc_stat {
    char state;
    pid_t ppid;
    uint32_t flags;      /* PF_* of the kernel's include/linux/sched.h */
    unsigned threads;    /* of its process, those included that have ended but are not gone yet */
    uint64_t start_time; /* clock ticks since boot */
};

/* proc_stat - of process or thread @pid. Returns 0, -ESRCH, or -errno (no descriptor left). */
int proc_stat(pid_t pid, struct proc_stat *out);

struct proc_status {
    pid_t tgid, ppid;
    uid_t uid, euid;
    gid_t gid, egid;
};

/* proc_status - of process or thread @tid. Returns 0, -ESRCH, or -errno. */
int proc_status(pid_t tid, struct proc_status *out);

/* proc_signalled - has thread @tid, or its process, a signal pending that it neither blocks nor ignores? */
bool proc_signalled(pid_t tid);

/*
 * proc_exe - the executable's path as the kernel gives it. Of one that does not fit in @size bytes its end is
 * kept, from a slash on, behind "...": the program's name stays whole. Returns 0, or -errno: @text is then
 * "?" for -ENAMETOOLONG (a path too long for the kernel to tell), else "".
 */
int proc_exe(pid_t pid, char *text, size_t size);

#endif
