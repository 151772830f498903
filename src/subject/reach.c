/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/syscall.h>
#include "base/cleanup.h"
#include "subject/proc.h"
#include "subject/subject.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* linux/pidfd.h of 6.9 */
#endif

int reach_link(pid_t tid, const char *link)
{
    const char *slash = strchr(link, '/');
    _cleanup_close_ int dir = proc_open(tid, slash != NULL ? "fd" : "", O_PATH | O_DIRECTORY);
    if (dir < 0)
        return dir;
    int fd = openat(dir, slash != NULL ? slash + 1 : link, O_PATH | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT)
        return fd >= 0 ? fd : -errno;
    _cleanup_close_ int there = proc_open(tid, "", O_PATH | O_DIRECTORY);
    return there >= 0 ? -EBADF : there;
}

/* A pidfd of the thread; before Linux 6.9 of its leader, whose descriptors nearly every thread shares. */
static int pidfd_of(pid_t tid)
{
    int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);
    if (fd >= 0 || errno != EINVAL)
        return fd < 0 ? -errno : fd;
    pid_t leader = subject_tgid(tid);
    if (leader < 0)
        return leader;
    /* A thread may have descriptors of its own (unshare(2), CLONE_FILES). */
    if (leader != tid && syscall(SYS_kcmp, tid, leader, KCMP_FILES, 0, 0) != 0)
        return -EPERM;
    fd = (int)syscall(SYS_pidfd_open, leader, 0);
    return fd < 0 ? -errno : fd;
}

int reach_fd(pid_t tid, int fd)
{
    if (fd < 0)
        return -EBADF;
    _cleanup_close_ int pidfd = pidfd_of(tid);
    if (pidfd < 0)
        return pidfd;
    int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
    return copy < 0 ? -errno : copy;
}
