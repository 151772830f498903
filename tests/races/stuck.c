/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stuck N [kept] - N processes open a path on a page that never comes: its userfaultfd is never answered.
 * Meanwhile this one opens files: "opens 200 in N ms"; then it ends the others: "ended N in N ms". With
 * `kept` each has a child that holds the userfaultfd, so that not even its death resolves the page.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STUCK_MAX 64
#define OPENS 200

static int check(int result, const char *what)
{
    if (result < 0) {
        fprintf(stderr, "stuck: %s: %s\n", what, strerror(errno));
        _exit(3);
    }
    return result;
}

static void end_with_parent(void)
{
    check(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "prctl");
}

/* Says on @ready that it is about to call. */
static _Noreturn void be_stuck(int keep, int ready)
{
    end_with_parent();
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register where = {.range = {(uintptr_t)page, 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    int uffd = check((int)syscall(SYS_userfaultfd, O_CLOEXEC), "userfaultfd");
    check(ioctl(uffd, UFFDIO_API, &api), "UFFDIO_API");
    check(ioctl(uffd, UFFDIO_REGISTER, &where), "UFFDIO_REGISTER");
    if (keep && check(fork(), "fork") == 0) {
        signal(SIGTERM, SIG_DFL);
        alarm(60);
        for (;;)
            pause();
    }
    check((int)write(ready, "", 1), "write");
    syscall(SYS_openat, AT_FDCWD, page, O_RDONLY);
    _exit(3);
}

static long ms_since(const struct timespec *from)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - from->tv_sec) * 1000 + (now.tv_nsec - from->tv_nsec) / 1000000;
}

int main(int argc, char **argv)
{
    int n = argc > 1 ? atoi(argv[1]) : 0, keep = argc > 2, ready[2];
    pid_t stuck[STUCK_MAX];
    char byte;
    if (n < 1 || n > STUCK_MAX)
        return 2;
    check(setpgid(0, 0), "setpgid"); /* for the keepers' sake, see the end */
    signal(SIGTERM, SIG_IGN);
    check(pipe2(ready, O_CLOEXEC), "pipe2");
    for (int i = 0; i < n; i++)
        if ((stuck[i] = check(fork(), "fork")) == 0)
            be_stuck(keep, ready[1]);
    for (int i = 0; i < n; i++)
        check((int)read(ready[0], &byte, 1), "read");
    usleep(200000); /* now they are in their calls */
    struct timespec began;
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int i = 0; i < OPENS; i++)
        close(check(open("/dev/null", O_RDONLY | O_CLOEXEC), "open"));
    printf("opens %d in %ld ms\n", OPENS, ms_since(&began));
    fflush(stdout);
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int i = 0; i < n; i++)
        check(kill(stuck[i], SIGKILL), "kill");
    for (int i = 0; i < n; i++)
        check(waitpid(stuck[i], NULL, 0), "waitpid");
    printf("ended %d in %ld ms\n", n, ms_since(&began));
    fflush(stdout);
    kill(0, SIGTERM);
    return 0;
}
