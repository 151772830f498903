/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What decides a call ahead of its paths. An argument that the kernel refuses, or that only a newer kernel
 * knows, is the target's own business: errors then come in the kernel's order.
 */
#include "engine/perform/job.h"

#include <errno.h>
#include <linux/limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "base/cleanup.h"

static int64_t unless(bool plain)
{
    return plain ? 0 : FOR_TARGET;
}

/* A target whose effective capabilities are not those that access(2) goes by may have securebits that change
 * the rule, which nobody can see from outside. */
int64_t check_access(struct job *j)
{
    if ((job_argument(j, CALL_NAME_amode) & ~(uint64_t)(R_OK | W_OK | X_OK)) != 0)
        return FOR_TARGET;
    if ((job_argument(j, CALL_NAME_flags) & AT_EACCESS) != 0)
        return 0;
    uint64_t effective = j->who.uid == 0 ? j->who.permitted : 0;
    j->who.fsuid = j->who.uid;
    j->who.fsgid = j->who.gid;
    return unless(j->who.effective == effective);
}

int64_t check_readlink(struct job *j)
{
    return unless((int)job_argument(j, CALL_NAME_size) > 0);
}

int64_t check_statx(struct job *j)
{
    const uint64_t sync = AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC;
    return unless((job_argument(j, CALL_NAME_mask) & STATX__RESERVED) == 0 &&
                  (job_argument(j, CALL_NAME_flags) & sync) != sync);
}

/* utimes and its like give microseconds, utimensat nanoseconds or the special values. */
int64_t check_times(struct job *j)
{
    const struct call_arg *a = call_arg_named(j->ev->call, CALL_NAME_times);
    const struct event_copy *c = event_memory(j->ev, a);
    struct timespec times[2];
    if (c->data == NULL || a->size != sizeof times)
        return 0;
    memcpy(times, c->data, sizeof times);
    long most = strcmp(j->ev->call->name, "utimensat") == 0 ? 999999999 : 999999;
    unsigned omitted = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
        bool special = most > 999999 && (times[i].tv_nsec == UTIME_NOW || times[i].tv_nsec == UTIME_OMIT);
        if (!special && (times[i].tv_nsec < 0 || times[i].tv_nsec > most))
            return FOR_TARGET;
        omitted += special && times[i].tv_nsec == UTIME_OMIT;
    }
    return unless(omitted < ARRAY_SIZE(times));
}

int64_t check_xattr(struct job *j)
{
    const char *name = job_text(j, CALL_NAME_name);
    bool names = call_arg_named(j->ev->call, CALL_NAME_name) != NULL;
    bool sets = strcmp(j->ev->call->family, "setxattr") == 0 || strcmp(j->ev->call->name, "fsetxattr") == 0;
    if (names && (name == NULL || name[0] == '\0' || strlen(name) > XATTR_NAME_MAX))
        return FOR_TARGET;
    return unless(!sets || (job_argument(j, CALL_NAME_size) <= XATTR_SIZE_MAX &&
                            (job_argument(j, CALL_NAME_flags) & ~UINT64_C(3)) == 0));
}

/* Beyond the limit, whoever makes the call gets SIGXFSZ: by its own limit, or by ours when we make it. */
int64_t check_truncate(struct job *j)
{
    int64_t length = (int64_t)job_argument(j, CALL_NAME_length);
    return unless(length >= 0 && !may_exceed(j->ev->tid, "Max file size", (uint64_t)length) &&
                  !may_exceed(getpid(), "Max file size", (uint64_t)length));
}

/* Devices: the cgroup of who makes the node has a say. */
int64_t check_mknod(struct job *j)
{
    mode_t type = (mode_t)job_argument(j, CALL_NAME_mode) & S_IFMT;
    return unless(type == 0 || type == S_IFREG || type == S_IFIFO || type == S_IFSOCK);
}

int64_t check_symlink(struct job *j)
{
    const char *target = job_text(j, CALL_NAME_target);
    return unless(target != NULL && target[0] != '\0' && strlen(target) < PATH_MAX);
}

int64_t check_unlink(struct job *j)
{
    return unless((job_argument(j, CALL_NAME_flags) & ~(uint64_t)AT_REMOVEDIR) == 0);
}

int64_t check_rename(struct job *j)
{
    uint64_t flags = job_argument(j, CALL_NAME_flags);
    return unless(flags == 0 || flags == RENAME_NOREPLACE || flags == RENAME_EXCHANGE);
}

/* Creating and truncating come behind the kernel's look for a free descriptor. */
int64_t check_open(struct job *j)
{
    uint64_t flags = job_argument(j, CALL_NAME_flags);
    if ((flags & O_PATH) != 0) /* SECCOMP_IOCTL_NOTIF_ADDFD takes no such descriptor */
        return FOR_TARGET;
    bool effects = (flags & (O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))) != 0;
    return effects ? descriptors_left(j->ev->tid) : 0;
}

static int socket_option(int fd, int option)
{
    int value;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) < 0 ? -errno : value;
}

/* Sockets to which it is all one which process makes the call. */
int64_t check_socket(struct job *j)
{
    int fd = event_fd(j->ev, call_arg_named(j->ev->call, CALL_NAME_fd));
    int domain = socket_option(fd, SO_DOMAIN), type = socket_option(fd, SO_TYPE);
    return unless((domain == AF_INET || domain == AF_INET6) && (type == SOCK_STREAM || type == SOCK_DGRAM));
}

/* A stream can break, and its SIGPIPE would be ours. */
int64_t check_sendto(struct job *j)
{
    int fd = event_fd(j->ev, call_arg_named(j->ev->call, CALL_NAME_fd));
    if (socket_option(fd, SO_TYPE) != SOCK_DGRAM || (job_argument(j, CALL_NAME_flags) & MSG_ZEROCOPY) != 0)
        return FOR_TARGET;
    return check_socket(j);
}
