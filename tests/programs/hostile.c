/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tries to open a file that a wrapper forbids, each time by another way around the wrapper.
 *
 *     hostile WAY FILE          prints "WAY: opened", or "WAY: NAME_OF_ERRNO"
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_UNTRACED
#define CLONE_UNTRACED 0x00800000
#endif

/* All ways end here; 0, or the errno. */
static int try_open(const char *file)
{
    int fd = open(file, O_RDONLY);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0)
        (void)close(fd);
    return error;
}

static int plain(const char *file)
{
    return try_open(file);
}

/* A child that the tracer doesn't get, traced by ourselves: seccomp's stops would be ours to answer. */
static int own_tracer(const char *file)
{
    int gate[2], status;
    if (pipe(gate) < 0)
        return errno;
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        char byte;
        (void)close(gate[1]);
        (void)!read(gate[0], &byte, 1);
        _exit(try_open(file));
    }
    (void)ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESECCOMP);
    (void)ptrace(PTRACE_SEIZE, child, 0, 0);
    (void)ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP);
    (void)close(gate[1]);
    while (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status))
        (void)ptrace(PTRACE_CONT, child, 0, (status >> 16) != 0 ? 0 : WSTOPSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static int listener = -1;

static void *say_continue(void *unused)
{
    for (;;) {
        struct seccomp_notif req = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
            return unused;
        struct seccomp_notif_resp resp = {.id = req.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
    }
}

/* A listener of our own: USER_NOTIF comes before TRACE, and CONTINUE runs the call. */
static int own_listener(const char *file)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = 4, .filter = code};
    pthread_t thread;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (listener >= 0)
        (void)pthread_create(&thread, NULL, say_continue, NULL);
    return try_open(file);
}

/* Memory that a supervisor without privileges can't read any more. */
static int undumpable(const char *file)
{
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return try_open(file);
}

/* Memory that nobody but us and the kernel on our behalf can read. */
static int secret_memory(const char *file)
{
    int fd = (int)syscall(SYS_memfd_secret, 0);
    if (fd < 0 || ftruncate(fd, 4096) < 0)
        return try_open(file); /* a kernel without it */
    char *secret = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (secret == MAP_FAILED)
        return try_open(file);
    (void)strncpy(secret, file, 4095);
    return try_open(secret);
}

/* Through the other calls of the family, and by other numbers. */
static int by_openat2(const char *file)
{
    struct {
        uint64_t flags, mode, resolve;
    } how = {O_RDONLY, 0, 0};
    long fd = syscall(SYS_openat2, AT_FDCWD, file, &how, sizeof how);
    return fd < 0 ? errno : 0;
}

static int by_open(const char *file)
{
    long fd = syscall(SYS_open, file, O_RDONLY);
    return fd < 0 ? errno : 0;
}

static int by_i386(const char *file)
{
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED)
        return errno;
    (void)strncpy(low, file, 4095);
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(5), "b"(low), "c"(0), "d"(0)
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)result < 0 ? -(int)result : 0;
}

static int by_x32(const char *file)
{
    long fd = syscall(0x40000000L | SYS_open, file, O_RDONLY);
    return fd < 0 ? errno : 0;
}

static int by_number_beyond(const char *file)
{
    (void)file;
    return syscall(460000, 0) < 0 ? errno : 0;
}

/* A process that shares our memory and is none of our threads. */
static int try_file_errno;

static int child_of_clone(void *file)
{
    try_file_errno = try_open(file);
    return 0;
}

static int by_shared_memory(const char *file)
{
    static char stack[65536] __attribute__((aligned(16)));
    int status;
    pid_t pid = clone(child_of_clone, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD,
                      (void *)(uintptr_t)file);
    (void)waitpid(pid, &status, 0);
    return try_file_errno;
}

static const struct {
    const char *name;
    int (*way)(const char *file);
} ways[] = {
    {"plain", plain},
    {"own-tracer", own_tracer},
    {"own-listener", own_listener},
    {"undumpable", undumpable},
    {"secret-memory", secret_memory},
    {"openat2", by_openat2},
    {"open", by_open},
    {"i386", by_i386},
    {"x32", by_x32},
    {"number-beyond", by_number_beyond},
    {"shared-memory", by_shared_memory},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(ways[i].name, argv[1]) == 0) {
            int error = ways[i].way(argv[2]);
            (void)printf("%s: %s\n", argv[1], error == 0 ? "opened" : strerrorname_np(error));
            return 0;
        }
    (void)fprintf(stderr, "usage: hostile WAY FILE\n");
    return 2;
}
