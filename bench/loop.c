/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench_loop CALL N - make N calls of one kind and print the nanoseconds that one takes, the mean of all. A
 * tenth as many go before, unmeasured.
 *
 *     getppid        the shortest call there is
 *     openat         opening a file for reading, and closing it
 *     chmod          of a file of our own, to the mode that it has
 *
 * The raw calls are made, so that what is measured is what the name says: chmod(2) is not fchmodat.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char own_file[] = "/tmp/idw-bench-XXXXXX";

static void call_getppid(void)
{
    (void)syscall(SYS_getppid);
}

static void call_openat(void)
{
    (void)syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, own_file, O_RDONLY | O_CLOEXEC, 0));
}

static void call_chmod(void)
{
    (void)syscall(SYS_chmod, own_file, 0600);
}

static const struct {
    const char *name;
    void (*call)(void);
} kinds[] = {
    {"getppid", call_getppid},
    {"openat", call_openat},
    {"chmod", call_chmod},
};

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void repeat(void (*call)(void), long n)
{
    for (long i = 0; i < n; i++)
        call();
}

static int measure(void (*call)(void), long n)
{
    int fd = mkstemp(own_file);
    if (fd < 0) {
        perror(own_file);
        return 1;
    }
    (void)close(fd);
    repeat(call, n / 10 + 1);
    double begin = now();
    repeat(call, n);
    double end = now();
    (void)unlink(own_file);
    printf("%.1f\n", (end - begin) / (double)n);
    return 0;
}

int main(int argc, char **argv)
{
    long n = argc == 3 ? atol(argv[2]) : 0;
    for (size_t i = 0; n > 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].name, argv[1]) == 0)
            return measure(kinds[i].call, n);
    fputs("usage: bench_loop getppid|openat|chmod N\n", stderr);
    return 125;
}
