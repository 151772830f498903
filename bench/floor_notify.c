/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench_floor_notify [--sync] CALL PROGRAM [ARG...] - the least that a user notification costs: a supervisor
 * of one thread that answers each CALL with CONTINUE and looks at nothing. --sync: with
 * SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (Linux 6.6), so that supervisor and program wake on one CPU.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "floor.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

static int fail(const char *what)
{
    perror(what);
    return EXIT_FLOOR;
}

union fd_message {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

static int pass_fd(int socket, int fd)
{
    char byte = 0;
    struct iovec io = {.iov_base = &byte, .iov_len = 1};
    union fd_message control = {0};
    struct msghdr m = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    return sendmsg(socket, &m, 0) == 1 ? 0 : -1;
}

static int take_fd(int socket)
{
    char byte;
    int fd = -1;
    struct iovec io = {.iov_base = &byte, .iov_len = 1};
    union fd_message control = {0};
    struct msghdr m = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    if (recvmsg(socket, &m, MSG_CMSG_CLOEXEC) == 1 && m.msg_controllen > 0)
        memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
    return fd;
}

static int run_program(int socket, const char *call, char **argv)
{
    int listener =
        floor_install(floor_number(call), SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    if (listener < 0 || pass_fd(socket, listener) < 0)
        return fail("floor_notify: seccomp");
    (void)close(listener);
    (void)close(socket);
    (void)execvp(argv[0], argv);
    return fail(argv[0]);
}

/* The supervisor ends when the program has: its main thread may be in a RECV that nothing wakes any more. */
static void *end_with(void *child)
{
    int status = 0;
    (void)waitpid((pid_t)(intptr_t)child, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FLOOR);
}

static int supervise(int listener, bool sync)
{
    if (sync && ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) < 0)
        return fail("floor_notify: --sync");
    for (;;) {
        struct seccomp_notif req = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
            continue;
        struct seccomp_notif_resp resp = {.id = req.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
    }
}

int main(int argc, char **argv)
{
    bool sync = argc > 1 && strcmp(argv[1], "--sync") == 0;
    int sockets[2];
    pthread_t waiter;

    argv += 1 + sync;
    argc -= 1 + sync;
    if (argc < 2) {
        fputs("usage: bench_floor_notify [--sync] CALL PROGRAM [ARG...]\n", stderr);
        return EXIT_FLOOR;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
        return fail("socketpair");
    pid_t child = fork();
    if (child == 0)
        _exit(run_program(sockets[1], argv[0], argv + 1));
    (void)close(sockets[1]);
    int listener = take_fd(sockets[0]);
    if (listener < 0)
        return EXIT_FLOOR;
    if (pthread_create(&waiter, NULL, end_with, (void *)(intptr_t)child) != 0)
        return fail("pthread_create");
    return supervise(listener, sync);
}
