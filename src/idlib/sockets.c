/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wr_getpeername, wr_getsockname, wr_get_addr. */
#include "idw/wdl.h"

#include <sys/syscall.h>

#include "base/cleanup.h"
#include "idlib/ours.h"
#include "subject/event.h"
#include "subject/subject.h"
#include "syscalls/decode.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* linux/pidfd.h of 6.9 */
#endif

/* A pidfd of the thread; before Linux 6.9 of its leader, whose descriptors nearly every thread shares. */
static int pidfd_of(pid_t tid)
{
    int fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);
    if (fd >= 0 || errno != EINVAL)
        return fd < 0 ? -errno : fd;
    pid_t leader = subject_tgid(tid);
    if (leader < 0)
        return leader;
    fd = (int)syscall(SYS_pidfd_open, leader, 0);
    return fd < 0 ? -errno : fd;
}

typedef int name_call(int fd, struct sockaddr *addr, socklen_t *len);

static int name_of(struct idw_event *ev, int fd, struct sockaddr_storage *addr, socklen_t *len,
                   name_call *call)
{
    _cleanup_close_ int pidfd = ours_look(ev, pidfd_of(ev->tid));
    if (pidfd < 0)
        return pidfd;
    _cleanup_close_ int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
    if (copy < 0)
        return ours_look(ev, -errno);
    return call(copy, (struct sockaddr *)addr, len) < 0 ? -errno : 0;
}

int idw_wr_getpeername(struct idw_event *ev, int fd, struct sockaddr_storage *addr, socklen_t *len)
{
    return name_of(ev, fd, addr, len, getpeername);
}

int idw_wr_getsockname(struct idw_event *ev, int fd, struct sockaddr_storage *addr, socklen_t *len)
{
    return name_of(ev, fd, addr, len, getsockname);
}

int wr_get_addr(const void *addr, size_t addrlen, char *text, size_t size)
{
    return decode_sockaddr(addr, addrlen, text, size);
}
