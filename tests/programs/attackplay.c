/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tries by every call that names a process to signal, stop, slow down, trace or look into one.
 *
 *     attackplay WHO SIGNAL FILE     each way on WHO: "WAY: done", or "WAY: NAME_OF_ERRNO"; then opens FILE
 *     attackplay all SIGNAL          kill(-1, SIGNAL), and whether a child has got it
 *
 * WHO is a pid, or one of what wraps us, being its main program: engine, thread (of the engine), guardian,
 * canary.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int signum;

static int call_errno(long result)
{
    return result < 0 ? errno : 0;
}

static int by_kill(pid_t pid)
{
    return call_errno(kill(pid, signum));
}

static int by_tkill(pid_t pid)
{
    return call_errno(syscall(SYS_tkill, pid, signum));
}

static pid_t group_of(pid_t pid)
{
    char path[64];
    int tgid = pid;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    char line[256];
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        (void)sscanf(line, "Tgid: %d", &tgid);
    if (f != NULL)
        (void)fclose(f);
    return tgid;
}

static int by_tgkill(pid_t pid)
{
    return call_errno(syscall(SYS_tgkill, group_of(pid), pid, signum));
}

static siginfo_t queued(void)
{
    siginfo_t info = {.si_signo = signum, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    return info;
}

static int by_sigqueue(pid_t pid)
{
    siginfo_t info = queued();
    return call_errno(syscall(SYS_rt_sigqueueinfo, pid, signum, &info));
}

static int by_tgsigqueue(pid_t pid)
{
    siginfo_t info = queued();
    return call_errno(syscall(SYS_rt_tgsigqueueinfo, group_of(pid), pid, signum, &info));
}

static int by_pidfd(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, group_of(pid), 0);
    int error = fd < 0 ? errno : call_errno(syscall(SYS_pidfd_send_signal, fd, signum, NULL, 0));
    if (fd >= 0)
        (void)close(fd);
    return error;
}

static int by_proc_folder(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d", (int)group_of(pid));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 ? errno : call_errno(syscall(SYS_pidfd_send_signal, fd, signum, NULL, 0));
    if (fd >= 0)
        (void)close(fd);
    return error;
}

/* A pidfd without pidfd_open: pidfs has file handles since Linux 6.14, and their numbers can be guessed. */
static int by_handle(pid_t pid)
{
    struct {
        struct file_handle head;
        char bytes[MAX_HANDLE_SZ];
    } handle = {.head.handle_bytes = MAX_HANDLE_SZ};
    uint64_t number = 0;
    int mount_id, self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (self < 0 || name_to_handle_at(self, "", &handle.head, &mount_id, AT_EMPTY_PATH) < 0)
        return errno;
    memcpy(&number, handle.head.f_handle, sizeof number);
    int error = ENOENT;
    for (unsigned back = 0; error == ENOENT && back < 5000; back++, number--) {
        char path[64], line[256];
        memcpy(handle.head.f_handle, &number, sizeof number);
        int fd = open_by_handle_at(self, &handle.head, 0), found = 0;
        if (fd < 0)
            continue;
        (void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
        FILE *f = fopen(path, "re");
        while (f != NULL && found == 0 && fgets(line, sizeof line, f) != NULL)
            (void)sscanf(line, "Pid: %d", &found);
        if (f != NULL)
            (void)fclose(f);
        if (found == group_of(pid))
            error = call_errno(syscall(SYS_pidfd_send_signal, fd, signum, NULL, 0));
        (void)close(fd);
    }
    (void)close(self);
    return error;
}

/* Bytes that arrive make the kernel send the signal, to whom the socket belongs. */
static int by_owner(pid_t pid, int (*set)(int fd, pid_t pid))
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return errno;
    int error = set(pair[0], pid);
    if (error == 0 && (fcntl(pair[0], F_SETSIG, signum) < 0 || fcntl(pair[0], F_SETFL, O_ASYNC) < 0 ||
                       write(pair[1], "", 1) != 1))
        error = errno;
    (void)close(pair[0]);
    (void)close(pair[1]);
    return error;
}

static int set_owner(int fd, pid_t pid)
{
    return call_errno(fcntl(fd, F_SETOWN, pid));
}

static int set_owner_ex(int fd, pid_t pid)
{
    struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = pid};
    return call_errno(fcntl(fd, F_SETOWN_EX, &owner));
}

static int set_owner_ioctl(int fd, pid_t pid)
{
    int id = pid;
    return call_errno(ioctl(fd, 0x8901 /* FIOSETOWN */, &id));
}

static int by_setown(pid_t pid)
{
    return by_owner(pid, set_owner);
}

static int by_setown_ex(pid_t pid)
{
    return by_owner(pid, set_owner_ex);
}

static int by_fiosetown(pid_t pid)
{
    return by_owner(pid, set_owner_ioctl);
}

static int by_attach(pid_t pid)
{
    int status, error = call_errno(ptrace(PTRACE_ATTACH, pid, 0, 0));
    if (error == 0) {
        (void)waitpid(pid, &status, __WALL);
        (void)ptrace(PTRACE_DETACH, pid, 0, 0);
    }
    return error;
}

static int by_seize(pid_t pid)
{
    int status, error = call_errno(ptrace(PTRACE_SEIZE, pid, 0, 0));
    if (error == 0) {
        (void)ptrace(PTRACE_INTERRUPT, pid, 0, 0);
        (void)waitpid(pid, &status, __WALL);
        (void)ptrace(PTRACE_DETACH, pid, 0, 0);
    }
    return error;
}

/* Of no bytes: it is the permission that matters, and whose address would be good? */
static int by_vm_read(pid_t pid)
{
    char byte;
    struct iovec local = {&byte, 1}, remote = {&byte, 0};
    return call_errno(process_vm_readv(pid, &local, 1, &remote, 1, 0));
}

static int by_vm_write(pid_t pid)
{
    char byte = 0;
    struct iovec local = {&byte, 1}, remote = {&byte, 0};
    return call_errno(process_vm_writev(pid, &local, 1, &remote, 1, 0));
}

static int by_mem(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno;
    (void)close(fd);
    return 0;
}

static int by_kcmp(pid_t pid)
{
    return call_errno(syscall(SYS_kcmp, getpid(), pid, KCMP_VM, 0, 0));
}

static int by_prlimit(pid_t pid)
{
    struct rlimit limit;
    return call_errno(syscall(SYS_prlimit64, pid, RLIMIT_CORE, NULL, &limit));
}

static int by_setpriority(pid_t pid)
{
    return call_errno(setpriority(PRIO_PROCESS, (id_t)pid, 1));
}

static int by_ioprio(pid_t pid)
{
    return call_errno(syscall(SYS_ioprio_set, 1, pid, 3 << 13)); /* idle */
}

static int by_affinity(pid_t pid)
{
    cpu_set_t set;
    (void)sched_getaffinity(0, sizeof set, &set);
    return call_errno(sched_setaffinity(pid, sizeof set, &set));
}

static int by_scheduler(pid_t pid)
{
    const struct sched_param param = {0};
    return call_errno(sched_setscheduler(pid, SCHED_BATCH, &param));
}

static int by_migrate(pid_t pid)
{
    unsigned long nodes = 1;
    return call_errno(syscall(SYS_migrate_pages, pid, 64UL, &nodes, &nodes));
}

static int by_robust_list(pid_t pid)
{
    void *head;
    size_t length;
    return call_errno(syscall(SYS_get_robust_list, pid, &head, &length));
}

/* Among them, what is sent to our own group would reach them. */
static int by_joining(pid_t pid)
{
    pid_t child = fork();
    if (child == 0)
        _exit(call_errno(setpgid(0, getpgid(pid))));
    int status;
    (void)waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static const struct {
    const char *name;
    int (*way)(pid_t pid);
} ways[] = {
    {"kill", by_kill},
    {"tkill", by_tkill},
    {"tgkill", by_tgkill},
    {"sigqueue", by_sigqueue},
    {"tgsigqueue", by_tgsigqueue},
    {"pidfd", by_pidfd},
    {"proc-folder", by_proc_folder},
    {"handle", by_handle},
    {"setown", by_setown},
    {"setown-ex", by_setown_ex},
    {"fiosetown", by_fiosetown},
    {"attach", by_attach},
    {"seize", by_seize},
    {"vm-read", by_vm_read},
    {"vm-write", by_vm_write},
    {"mem", by_mem},
    {"kcmp", by_kcmp},
    {"prlimit", by_prlimit},
    {"setpriority", by_setpriority},
    {"ioprio", by_ioprio},
    {"affinity", by_affinity},
    {"scheduler", by_scheduler},
    {"migrate", by_migrate},
    {"robust-list", by_robust_list},
    {"joining", by_joining},
};

static pid_t parent_of(pid_t pid)
{
    char path[64];
    int parent = -1;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "re");
    if (f != NULL) {
        if (fscanf(f, "%*d (%*[^)]) %*c %d", &parent) != 1)
            parent = -1;
        (void)fclose(f);
    }
    return parent;
}

/* A number in the folder @path of which @is says yes; 0: none. */
static pid_t pick(const char *path, bool (*is)(pid_t candidate, pid_t than), pid_t than)
{
    pid_t found = 0;
    struct dirent *entry;
    DIR *d = opendir(path);
    while (d != NULL && (entry = readdir(d)) != NULL) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid > 0 && is(pid, than))
            found = pid;
    }
    if (d != NULL)
        (void)closedir(d);
    return found;
}

static bool is_other(pid_t candidate, pid_t than)
{
    return candidate != than;
}

static bool is_sibling(pid_t candidate, pid_t than)
{
    return candidate != than && parent_of(candidate) == parent_of(than);
}

static pid_t find(const char *who)
{
    char path[64];
    pid_t engine = getppid();
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)engine);
    if (strcmp(who, "engine") == 0)
        return engine;
    if (strcmp(who, "guardian") == 0)
        return parent_of(engine);
    if (strcmp(who, "thread") == 0)
        return pick(path, is_other, engine);
    if (strcmp(who, "canary") == 0)
        return pick("/proc", is_sibling, engine);
    return (pid_t)atoi(who);
}

static void say(const char *name, int error)
{
    (void)printf("%s: %s\n", name, error == 0 ? "done" : strerrorname_np(error));
}

/* The child's signal, and that kill succeeded. */
static int signal_all(void)
{
    int ready[2], status;
    char byte;
    if (pipe(ready) < 0)
        return 1;
    pid_t child = fork();
    if (child == 0) {
        sigset_t set;
        siginfo_t info = {0};
        (void)sigemptyset(&set);
        (void)sigaddset(&set, signum);
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
        (void)!write(ready[1], "", 1);
        const struct timespec patience = {.tv_sec = 5};
        int got = sigtimedwait(&set, &info, &patience);
        _exit(got == signum && info.si_pid == getppid() ? 0 : 1);
    }
    (void)!read(ready[0], &byte, 1);
    say("all", call_errno(kill(-1, signum)));
    (void)waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        (void)printf("child: signal %d\n", WTERMSIG(status));
    else
        (void)printf("child: status %d\n", WEXITSTATUS(status));
    return 3;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: attackplay WHO SIGNAL FILE | all SIGNAL\n");
        return 2;
    }
    signum = atoi(argv[2]);
    if (strcmp(argv[1], "all") == 0)
        return signal_all();
    pid_t pid = find(argv[1]);
    for (size_t i = 0; pid > 1 && i < sizeof ways / sizeof ways[0]; i++)
        say(ways[i].name, ways[i].way(pid));
    int fd = argc > 3 ? open(argv[3], O_RDONLY) : -1;
    (void)printf("open: %s\n", fd >= 0 ? "done" : strerrorname_np(errno));
    return pid > 1 ? 0 : 1;
}
