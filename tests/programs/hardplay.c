/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Odd and hard conditions, each of which a wrapped program must see as it is bare.
 *
 *     hardplay descriptors         what is open, and which numbers new ones get
 *     hardplay bomb                forks as often as it may for a second, all of its children too
 *     hardplay memory              what fails without memory to map
 *     hardplay path LENGTH         a path of so many bytes
 *     hardplay argv LENGTH         arguments of so many bytes in all
 *     hardplay filter ACTION       getppid, getpid, openat under a filter of its own: errno, trap, kill,
 * allow hardplay trace               a child that asks to be traced, and one that is attached to
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *self;

static const char *name(long result)
{
    return result >= 0 ? "done" : strerrorname_np(errno);
}

/* "pipe", "socket", "/dev/null": without the numbers, which are others each time. */
static void describe(int fd)
{
    char path[64], text[4096];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, ":")] = '\0';
    printf("%d %s, flags %d, access %d\n", fd, text, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL) & O_ACCMODE);
}

static int play_descriptors(const char *arg)
{
    (void)arg;
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            describe(fd);
    int a = open("/dev/null", O_RDONLY), b = dup(a), pair[2];
    printf("first %d, duplicate %d, closed %s, ", a, b, name(close(a)));
    printf("again %d, ", open("/dev/null", O_WRONLY | O_CLOEXEC));
    printf("twice %s, pair %s ", name(close(b)), name(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)));
    printf("%d %d, ", pair[0], pair[1]);
    printf("put at 700: %d, ", dup2(pair[0], 700));
    printf("all from 3: %s, ", name(syscall(SYS_close_range, 3U, ~0U, 0U)));
    printf("gone: %s, next %d\n", name(fcntl(700, F_GETFD)), open("/dev/null", O_RDONLY));
    for (int i = 0; i < 1000; i++) {
        int fd = open("/dev/null", O_RDONLY);
        if (fd != 4 || close(fd) < 0) {
            printf("number %d in turn %d\n", fd, i);
            break;
        }
    }
    return 0;
}

/* Every process forks until it may not; all end with the second. */
static int play_bomb(const char *arg)
{
    (void)arg;
    struct timespec start, now;
    unsigned *counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t first = getpid();
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        pid_t pid = fork();
        if (pid == 0)
            (void)__atomic_add_fetch(&counts[0], 1, __ATOMIC_RELAXED);
        else if (pid < 0 && errno == EAGAIN)
            (void)__atomic_add_fetch(&counts[1], 1, __ATOMIC_RELAXED);
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec * 1000 + now.tv_nsec / 1000000 <
             start.tv_sec * 1000 + start.tv_nsec / 1000000 + 1000);
    while (wait(NULL) > 0)
        ;
    if (getpid() != first)
        _exit(0);
    printf("%s, %s\n", counts[0] > 3 ? "forked" : "did not fork",
           counts[1] > 0 ? "and was told to stop" : "and was never told to stop");
    return 7;
}

static int play_memory(const char *arg)
{
    (void)arg;
    const struct rlimit little = {64 << 20, 64 << 20};
    printf("limit %s\n", name(setrlimit(RLIMIT_AS, &little)));
    size_t blocks = 0;
    while (mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        blocks++;
    printf("mmap %s, %s\n", strerrorname_np(errno), blocks > 10 ? "after some" : "at once");
    struct stat st;
    printf("stat %s, ", name(stat("/", &st)));
    int fd = open("/dev/null", O_RDWR);
    printf("open %s, write %s, ", name(fd), name(write(fd, "x", 1)));
    pid_t pid = fork();
    if (pid == 0)
        _exit(chdir("/") == 0 ? 0 : 1);
    int status = -1;
    (void)waitpid(pid, &status, 0);
    printf("child %d\n", status);
    return 0;
}

static int play_path(const char *arg)
{
    size_t length = strtoul(arg, NULL, 10);
    char *path = malloc(length + 1);
    struct stat st;
    memset(path, 'a', length);
    for (size_t i = 0; i < length; i += 200)
        path[i] = '/';
    path[length] = '\0';
    printf("open %s, ", name(open(path, O_RDONLY)));
    printf("stat %s, ", name(stat(path, &st)));
    printf("unlink %s, ", name(unlink(path)));
    printf("rename %s, ", name(rename("/", path)));
    printf("chmod %s, ", name(chmod(path, 0)));
    printf("execve %s\n", name(execl(path, "x", (char *)NULL)));
    /* The same length of slashes and dots is a path to the root, if it is short enough to be one. */
    for (size_t i = 0; i < length; i++)
        path[i] = i % 2 == 0 ? '/' : '.';
    printf("dots %s\n", name(open(path, O_RDONLY)));
    free(path);
    return 0;
}

#define WORD 100000

static int play_argv(const char *arg)
{
    size_t length = strtoul(arg, NULL, 10), n = 0;
    char **words = calloc(length / WORD + 5, sizeof *words);
    words[n++] = (char *)(uintptr_t) "hardplay";
    words[n++] = (char *)(uintptr_t) "count";
    for (size_t left = length; left > 0; n++) {
        size_t part = left < WORD ? left : WORD;
        words[n] = malloc(part + 1);
        memset(words[n], 'a' + (int)(n % 26), part);
        words[n][part] = '\0';
        left -= part;
    }
    printf("starting\n");
    (void)fflush(stdout);
    (void)execv(self, words);
    printf("execve %s\n", strerrorname_np(errno));
    return 0;
}

static int count_words(int argc, char **argv)
{
    size_t total = 0;
    uint32_t sum = 0;
    for (int i = 2; i < argc; i++)
        for (const char *at = argv[i]; *at != '\0'; at++, total++)
            sum = sum * 31 + (unsigned char)*at;
    printf("%d words, %zu bytes, sum %u\n", argc, total, sum);
    return 0;
}

static void on_trap(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)context;
    printf("SIGSYS code %d, errno %d, call %d\n", info->si_code, info->si_errno, info->si_syscall);
}

static int under_filter(uint32_t action)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, action),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    const struct sigaction trap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    (void)sigaction(SIGSYS, &trap, NULL);
    (void)setvbuf(stdout, NULL, _IONBF, 0);
    printf("nnp %s, ", name(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)));
    printf("filter %s\n", name(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)));
    errno = 0;
    printf("mkdir %s\n", name(syscall(SYS_mkdir, "under-filter", 0700)));
    printf("rmdir %s\n", name(rmdir("under-filter")));
    printf("getppid %s\n", name(syscall(SYS_getppid)));
    return 0;
}

static int play_filter(const char *arg)
{
    static const struct {
        const char *name;
        uint32_t action;
    } actions[] = {
        {"errno", SECCOMP_RET_ERRNO | EXDEV}, {"trap", SECCOMP_RET_TRAP | 5},
        {"kill", SECCOMP_RET_KILL_PROCESS},   {"kill-thread", SECCOMP_RET_KILL_THREAD},
        {"trace", SECCOMP_RET_TRACE},         {"log", SECCOMP_RET_LOG},
        {"allow", SECCOMP_RET_ALLOW},
    };
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i].name, arg) == 0)
            return under_filter(actions[i].action);
    return 2;
}

/* Is this thread traced? Then nobody else can trace it. */
static int traced(void)
{
    char line[256];
    int tracer = -1;
    FILE *f = fopen("/proc/thread-self/status", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        (void)sscanf(line, "TracerPid: %d", &tracer);
    if (f != NULL)
        (void)fclose(f);
    return tracer;
}

static void trace_me(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
            _exit(errno);
        (void)raise(SIGUSR1);
        _exit(0);
    }
    (void)waitpid(pid, &status, 0);
    if (WIFEXITED(status)) {
        printf("child: %s\n", strerrorname_np(WEXITSTATUS(status)));
        return;
    }
    printf("child: stopped by %d, ", WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
    printf("go on %s, ", name(ptrace(PTRACE_CONT, pid, 0, 0)));
    (void)waitpid(pid, &status, 0);
    printf("status %d\n", status);
}

static void attach(void)
{
    static long word = 0x1dea;
    int status = -1;
    pid_t pid = fork();
    while (pid == 0)
        (void)pause();
    if (ptrace(PTRACE_ATTACH, pid, 0, 0) < 0) {
        printf("attach: %s\n", name(-1));
    } else {
        (void)waitpid(pid, &status, 0);
        printf("attach: stopped by %d, ", WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
        printf("word %lx, ", ptrace(PTRACE_PEEKDATA, pid, &word, 0));
        printf("poke %s, ", name(ptrace(PTRACE_POKEDATA, pid, &word, 1)));
        printf("detach %s\n", name(ptrace(PTRACE_DETACH, pid, 0, 0)));
    }
    (void)kill(pid, SIGTERM);
    (void)waitpid(pid, &status, 0);
    printf("ended by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

static int play_trace(const char *arg)
{
    (void)arg;
    printf("traced: %s\n", traced() == 0 ? "no" : "yes");
    (void)fflush(stdout);
    trace_me();
    (void)fflush(stdout);
    attach();
    return 0;
}

static const struct {
    const char *name;
    int (*play)(const char *arg);
} plays[] = {
    {"descriptors", play_descriptors},
    {"bomb", play_bomb},
    {"memory", play_memory},
    {"path", play_path},
    {"argv", play_argv},
    {"filter", play_filter},
    {"trace", play_trace},
};

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1 && strcmp(argv[1], "count") == 0)
        return count_words(argc, argv);
    for (size_t i = 0; argc > 1 && i < sizeof plays / sizeof plays[0]; i++)
        if (strcmp(plays[i].name, argv[1]) == 0)
            return plays[i].play(argc > 2 ? argv[2] : "");
    (void)fprintf(stderr, "usage: hardplay descriptors|bomb|memory|path|argv|filter|trace [ARGUMENT]\n");
    return 2;
}
