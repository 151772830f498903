/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "base/cleanup.h"

union link_control {
    char space[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

int link_pair(int ends[2], struct err *e)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_errno(e, "no socket pair between guardian and engine");
    return 0;
}

int link_send(struct link *l, struct link_message m, int fd)
{
    struct iovec iov = {.iov_base = &m, .iov_len = sizeof m};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    union link_control control = {0};
    if (fd >= 0) {
        msg.msg_control = control.space;
        msg.msg_controllen = sizeof control.space;
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    ssize_t n;
    do
        n = sendmsg(l->fd, &msg, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

int link_receive(struct link *l, struct link_message *m, int *fd)
{
    struct iovec iov = {.iov_base = m, .iov_len = sizeof *m};
    union link_control control = {0};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.space,
                         .msg_controllen = sizeof control.space};
    *fd = DEAD_FD;
    ssize_t n;
    do
        n = recvmsg(l->fd, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    if (n == 0)
        return 0;
    return n == (ssize_t)sizeof *m ? 1 : -EPROTO;
}
