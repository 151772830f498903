/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What, besides its paths, decides a call of sound arguments: who makes it, from where, to which limits. */
#include "engine/perform/job.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"

static int64_t unless(bool plain)
{
    return plain ? 0 : FOR_TARGET;
}

/*
 * A target whose effective capabilities are not those that access(2) goes by may have securebits that change
 * the rule, which nobody can see from outside. Without any, the rule is this one.
 */
int64_t check_access(struct job *j)
{
    if ((job_argument(j, CALL_NAME_flags) & AT_EACCESS) != 0)
        return 0;
    uint64_t effective = j->who.uid == 0 ? j->who.permitted : 0;
    bool same = j->who.effective == effective;
    j->who.fsuid = j->who.uid;
    j->who.fsgid = j->who.gid;
    j->who.effective = effective;
    return unless(same || j->looked);
}

/* Beyond the limit, whoever makes the call gets SIGXFSZ: by its own limit, or by ours when we make it. */
int64_t check_truncate(struct job *j)
{
    uint64_t length = job_argument(j, CALL_NAME_length);
    return unless(!may_exceed(j->ev->tid, "Max file size", length) &&
                  !may_exceed(getpid(), "Max file size", length));
}

/* Devices: the cgroup of who makes the node has a say. */
int64_t check_mknod(struct job *j)
{
    mode_t type = (mode_t)job_argument(j, CALL_NAME_mode) & S_IFMT;
    return unless((type != S_IFCHR && type != S_IFBLK) || same_cgroup(j->ev->tid));
}

int64_t check_symlink(struct job *j)
{
    const char *target = job_text(j, CALL_NAME_target);
    if (target == NULL)
        return -EFAULT;
    return target[0] == '\0' ? -ENOENT : strlen(target) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Since it started, has the target done nothing to who it is? */
static bool is_as_launched(const struct job *j)
{
    const struct identity *own = performer_own(j->pf), *who = &j->who;
    return who->uid == own->uid && who->fsuid == own->fsuid && who->gid == own->gid &&
           who->fsgid == own->fsgid && who->effective == own->effective && identity_same_groups(who, own);
}

/*
 * With AT_EMPTY_PATH, and without a capability, linkat goes by who has opened the directory or file: it must
 * have been the target as it is now. But that may well be a descriptor that we have given it.
 */
int64_t check_link(struct job *j)
{
    if ((job_argument(j, CALL_NAME_flags) & AT_EMPTY_PATH) == 0 || is_as_launched(j))
        return 0;
    const char *path = job_text(j, CALL_NAME_oldpath);
    bool capable = (j->who.effective & (UINT64_C(1) << CAP_DAC_READ_SEARCH)) != 0;
    bool anyone = path != NULL && (path[0] == '/' ||
                                   (path[0] != '\0' && (int)job_argument(j, CALL_NAME_olddirfd) == AT_FDCWD));
    return unless(j->looked && (capable || anyone));
}

/* Whether an entry is busy depends on the mounts of who removes it. Where the target must not, the parent's
 * mount and that of what is there tell (entry_busy). */
int64_t check_mounts(struct job *j)
{
    j->other_mounts = !same_namespace(j->ev->tid, "mnt");
    return unless(j->looked || !j->other_mounts);
}

/* Creating and truncating come behind the kernel's look for a free descriptor. */
int64_t check_open(struct job *j)
{
    uint64_t flags = job_argument(j, CALL_NAME_flags);
    if ((flags & O_PATH) != 0) /* SECCOMP_IOCTL_NOTIF_ADDFD takes no such descriptor */
        return FOR_TARGET;
    if ((flags & (O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))) == 0)
        return 0;
    int64_t rc = descriptors_left(j->ev->tid);
    j->full = rc == IS_FULL;
    return j->full ? 0 : rc;
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
    if (domain == -ENOTSOCK)
        return 0;
    return unless((domain == AF_INET || domain == AF_INET6) && (type == SOCK_STREAM || type == SOCK_DGRAM));
}

/* A stream can break, and its SIGPIPE would be ours. */
int64_t check_sendto(struct job *j)
{
    int fd = event_fd(j->ev, call_arg_named(j->ev->call, CALL_NAME_fd));
    int type = socket_option(fd, SO_TYPE);
    if ((type != SOCK_DGRAM && type != -ENOTSOCK) || (job_argument(j, CALL_NAME_flags) & MSG_ZEROCOPY) != 0)
        return FOR_TARGET;
    return check_socket(j);
}
