/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The descriptors that arguments name: all lead to what is in the tree, so that the calls may change it. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "differ.h"

static const struct {
    int number;
    const char *path;
    int flags;
} files[] = {
    {0, "f", O_RDONLY},
    {1, "hard", O_WRONLY | O_APPEND},
    {3, ".", O_RDONLY | O_DIRECTORY},
    {4, "d", O_PATH | O_DIRECTORY},
    {5, "f", O_RDWR},
    {6, "f600", O_PATH},
    {7, "l", O_PATH | O_NOFOLLOW},
    {9, "rm", O_RDWR},
    {10, "fifo", O_RDWR | O_NONBLOCK},
    {11, "rmdir", O_RDONLY | O_DIRECTORY},
    {13, ".", O_TMPFILE | O_RDWR},
    {14, "d/f", O_RDONLY},
    {16, "null", O_RDWR | O_NONBLOCK},
    {18, "d", O_RDONLY | O_DIRECTORY},
    {19, "sticky", O_PATH},
    {20, "sock", O_PATH},
    {21, "fifo", O_PATH},
    {22, "f000", O_PATH},
};

static void move(int fd, int number)
{
    if (fd < 0 || fd == number)
        return;
    (void)dup2(fd, number);
    (void)close(fd);
}

/* Everything up to FD_LAST is closed before, so each may come under its own number at once, or be another's.
 */
void fds_setup(struct round *r)
{
    int ends[2];
    (void)r;
    for (int fd = 0; fd < REPORT_FD; fd++)
        if (fd < FD_STREAM_LISTENER || fd > FD_TCP_LISTENER)
            (void)close(fd);
    for (size_t i = 0; i < COUNT(files); i++) {
        int fd = open(files[i].path, files[i].flags | O_CLOEXEC, 0600);
        int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 300);
        (void)close(fd);
        move(high, files[i].number);
    }
    (void)unlink("rm");
    (void)rmdir("rmdir");
    if (pipe2(ends, O_NONBLOCK) == 0) {
        int out = fcntl(ends[1], F_DUPFD, 300), in = fcntl(ends[0], F_DUPFD, 300);
        (void)close(ends[0]);
        (void)close(ends[1]);
        move(out, 2);
        move(in, 17);
    }
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    move(fcntl(sock, F_DUPFD, 300), 12);
    if (sock != 12)
        (void)close(sock);
}

void fds_say(void)
{
    for (int fd = 0; fd < 400; fd++) {
        struct stat st;
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fstat(fd, &st) < 0)
            continue;
        say("fd %d flags %#x,%d mode %o nlink %s", fd, (unsigned)flags, fcntl(fd, F_GETFD), st.st_mode,
            st.st_nlink ? "some" : "0");
        say("%s", S_ISREG(st.st_mode) ? "" : "\n");
        if (S_ISREG(st.st_mode))
            say(" size %lld at %lld\n", (long long)st.st_size, (long long)lseek(fd, 0, SEEK_CUR));
    }
}
