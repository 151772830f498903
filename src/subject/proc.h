/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc says of a process or thread; see proc(5). */
#ifndef IDW_SUBJECT_PROC_H
#define IDW_SUBJECT_PROC_H

#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
    pid_t ppid;
    uint64_t start_time; /* clock ticks since boot */
};

/* proc_stat - of process @pid. Returns 0, -ESRCH, or -errno (no descriptor left). */
int proc_stat(pid_t pid, struct proc_stat *out);

struct proc_status {
    pid_t tgid;
    uid_t uid, euid;
    gid_t gid, egid;
};

/* proc_status - of process or thread @tid. Returns 0, -ESRCH, or -errno. */
int proc_status(pid_t tid, struct proc_status *out);

/* proc_exe - the executable's path as the kernel gives it, cut to @size. Returns 0, or -errno (@text is then
 * ""). */
int proc_exe(pid_t pid, char *text, size_t size);

#endif
