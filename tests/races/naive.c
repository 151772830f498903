/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * naive RULE PROGRAM [ARG...] - the control of the race suite: a supervisor that does what seccomp_unotify(2)
 * warns of. It looks at what a call's pointers and descriptors mean at one moment, by the same rules as the
 * wrappers race_RULE.wr, and then lets the kernel look again (CONTINUE). Every attack must win here.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define RULE_CALLS_MAX 8
#define BUFFER_MAX (1UL << 17)
#define EXIT_NAIVE 125

struct call {
    pid_t pid;
    int nr;
    const uint64_t *args;
};

/* Bytes that could be read at @from: up to @size, or to the end of the page that a string ends in. */
static size_t fetch(const struct call *c, uint64_t from, void *to, size_t size)
{
    struct iovec local = {to, size},
                 remote = {(void *)(uintptr_t)from, size}; // NOLINT(performance-no-int-to-ptr)
    ssize_t n = process_vm_readv(c->pid, &local, 1, &remote, 1, 0);
    return n < 0 ? 0 : (size_t)n;
}

static const char *text(const struct call *c, uint64_t from)
{
    static char copy[PATH_MAX];
    size_t in_page = 4096 - from % 4096;
    copy[0] = '\0';
    size_t n = fetch(c, from, copy, in_page);
    if (n > 0 && memchr(copy, '\0', n) == NULL)
        n += fetch(c, from + n, copy + n, sizeof copy - n);
    copy[n < sizeof copy ? n : sizeof copy - 1] = '\0';
    return copy;
}

static bool ends_with_evil(const char *path)
{
    size_t n = strlen(path);
    return n >= 4 && strcmp(path + n - 4, "evil") == 0;
}

static bool path_is_evil(const struct call *c, int reg)
{
    return ends_with_evil(text(c, c->args[reg]));
}

static bool has_second_link(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 2;
}

/* The register before the path's is its folder's descriptor; execve's path has none. */
static bool object_is_evil(const struct call *c, int reg)
{
    char where[PATH_MAX + 64];
    const char *path = text(c, c->args[reg]);
    int dirfd = reg > 0 ? (int)c->args[reg - 1] : AT_FDCWD;
    if (strncmp(path, "/proc/self/", 11) == 0)
        (void)snprintf(where, sizeof where, "/proc/%d/%s", c->pid, path + 11);
    else if (path[0] == '/')
        (void)snprintf(where, sizeof where, "%s", path);
    else if (dirfd == AT_FDCWD)
        (void)snprintf(where, sizeof where, "/proc/%d/cwd/%s", c->pid, path);
    else
        (void)snprintf(where, sizeof where, "/proc/%d/fd/%d/%s", c->pid, dirfd, path);
    return has_second_link(where);
}

static bool file_is_evil(const struct call *c, int reg)
{
    char where[64];
    (void)snprintf(where, sizeof where, "/proc/%d/fd/%d", c->pid, (int)c->args[reg]);
    return has_second_link(where);
}

static bool buffer_is_evil(const struct call *c, int reg)
{
    static char copy[BUFFER_MAX];
    size_t wanted = c->args[reg + 1] < sizeof copy ? c->args[reg + 1] : sizeof copy;
    size_t n = fetch(c, c->args[reg], copy, wanted);
    return memmem(copy, n, "EVIL", 4) != NULL;
}

static bool address_is_evil(const struct call *c, int reg)
{
    struct sockaddr_storage copy = {0};
    const struct sockaddr_in *in = (const struct sockaddr_in *)&copy;
    (void)fetch(c, c->args[reg], &copy, c->args[reg + 1] < sizeof copy ? c->args[reg + 1] : sizeof copy);
    if (copy.ss_family == AF_UNIX)
        return ends_with_evil((const char *)&copy + sizeof copy.ss_family);
    return copy.ss_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK + 1);
}

static bool how_is_evil(const struct call *c, int reg)
{
    struct open_how how = {0};
    return fetch(c, c->args[reg], &how, sizeof how) == sizeof how && (how.flags & O_ACCMODE) != O_RDONLY;
}

static bool strings_are_evil(const struct call *c, int reg)
{
    uint64_t string = c->args[reg], at = string;
    while (at != 0 && fetch(c, at, &string, sizeof string) == sizeof string && string != 0) {
        if (ends_with_evil(text(c, string)))
            return true;
        at += sizeof string;
    }
    return false;
}

static const struct check {
    const char *rule;
    int nr, reg;
    bool (*is_evil)(const struct call *c, int reg);
} checks[] = {
    {"path", SYS_openat, 1, path_is_evil},        {"path", SYS_rename, 1, path_is_evil},
    {"path", SYS_execve, 0, path_is_evil},        {"object", SYS_openat, 1, object_is_evil},
    {"object", SYS_execve, 0, object_is_evil},    {"object", SYS_fchmod, 0, file_is_evil},
    {"object", SYS_ftruncate, 0, file_is_evil},   {"buffer", SYS_write, 1, buffer_is_evil},
    {"address", SYS_connect, 1, address_is_evil}, {"address", SYS_bind, 1, address_is_evil},
    {"address", SYS_sendto, 4, address_is_evil},  {"how", SYS_openat2, 2, how_is_evil},
    {"strings", SYS_execve, 1, strings_are_evil}, {"strings", SYS_execve, 2, strings_are_evil},
};
#define CHECKS (sizeof checks / sizeof checks[0])

static bool is_evil(const char *rule, const struct call *c)
{
    for (size_t i = 0; i < CHECKS; i++)
        if (checks[i].nr == c->nr && strcmp(checks[i].rule, rule) == 0 && checks[i].is_evil(c, checks[i].reg))
            return true;
    return false;
}

static int fail(const char *what)
{
    perror(what);
    return EXIT_NAIVE;
}

/* The calls of @rule are notified, all others run. */
static int install(const char *rule)
{
    struct sock_filter code[2 + 2 * RULE_CALLS_MAX] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    struct sock_fprog program = {.len = 1, .filter = code};
    for (size_t i = 0; i < CHECKS && program.len + 3UL <= sizeof code / sizeof code[0]; i++)
        if (strcmp(checks[i].rule, rule) == 0) {
            code[program.len++] =
                (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)checks[i].nr, 0, 1);
            code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
        }
    code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

/* Nothing is said about the listener, since the rule may be about the call that would say it: it is the
 * lowest free descriptor, @number, as the parent knows, too. When it has it, a byte comes by @go. */
static int run_program(const char *rule, int number, int go, char **argv)
{
    char byte;
    int listener = install(rule);
    if (listener < 0)
        return fail("naive: seccomp");
    if (listener != number || read(go, &byte, 1) != 1)
        return EXIT_NAIVE;
    (void)close(listener);
    (void)execv(argv[0], argv);
    return fail(argv[0]);
}

static int take_listener(pid_t child, int number)
{
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0), fd = -1;
    for (int i = 0; pidfd >= 0 && fd < 0 && i < 2000; i++, usleep(1000))
        fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    (void)close(pidfd);
    return fd;
}

/* The supervisor ends when the program has: its main thread may be in a RECV that nothing wakes any more. */
static void *end_with(void *child)
{
    int status = 0;
    (void)waitpid((pid_t)(intptr_t)child, &status, 0); // NOLINT
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_NAIVE);
}

static _Noreturn void supervise(const char *rule, int listener)
{
    for (;;) {
        struct seccomp_notif req = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
            continue;
        struct call c = {(pid_t)req.pid, req.data.nr, (const uint64_t *)req.data.args};
        struct seccomp_notif_resp resp = {.id = req.id};
        if (is_evil(rule, &c))
            resp.error = -EPERM;
        else
            resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
    }
}

int main(int argc, char **argv)
{
    pthread_t waiter;
    if (argc < 3) {
        (void)fputs("usage: naive RULE PROGRAM [ARG...]\n", stderr);
        return EXIT_NAIVE;
    }
    int go[2];
    if (pipe2(go, O_CLOEXEC) < 0)
        return fail("naive: pipe");
    int number = fcntl(go[0], F_DUPFD, 0);
    (void)close(number);
    pid_t child = fork();
    if (child == 0)
        _exit(run_program(argv[1], number, go[0], argv + 2));
    int listener = take_listener(child, number);
    if (listener < 0 || write(go[1], "", 1) != 1)
        return fail("naive: listener");
    if (pthread_create(&waiter, NULL, end_with, (void *)(intptr_t)child) != 0) // NOLINT
        return fail("naive: thread");
    supervise(argv[1], listener);
}
