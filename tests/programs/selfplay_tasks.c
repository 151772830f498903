/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plays of selfplay in which processes and threads come, go, stop, filter and trace each other. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include "mark.h"
#include "selfplay.h"

static pid_t clone_with(uint64_t flags)
{
    struct clone_args ca = {.flags = flags, .exit_signal = SIGCHLD};
    return (pid_t)syscall(SYS_clone3, &ca, sizeof(ca));
}

/* In a new pid namespace: its own pid is 1, its child's 2, and its parent is none that it could name. */
static void in_namespace(const char *kind)
{
    mark(kind);
    printf("%s pid %d parent %d\n", kind, (int)getpid(), (int)getppid());
    say("mkdir", mkdir(kind, 0755));
    pid_t child = fork();
    if (child == 0) {
        mark("inner");
        say("open", open(kind, O_RDONLY));
        _exit(0);
    }
    say_end("inner", child);
    _exit(3);
}

int play_pidns(const char *arg)
{
    static const char *const kinds[] = {"first", "second"};
    uint64_t flags = CLONE_NEWPID | (geteuid() != 0 ? CLONE_NEWUSER : 0);
    (void)arg;
    for (size_t i = 0; i < 2; i++) {
        pid_t child = clone_with(flags);
        if (child == 0)
            in_namespace(kinds[i]);
        if (child < 0) {
            say("clone", -1);
            return 0;
        }
        say_end(kinds[i], child);
        fprintf(stderr, "%s %d\n", kinds[i], (int)child);
    }
    return 0;
}

#define TURNS 8

struct turns {
    sem_t turn[TURNS];
    int next, all;
};

static void take_turns(struct turns *t, int me)
{
    char path[64];
    for (;;) {
        while (sem_wait(&t->turn[me]) < 0)
            continue;
        bool over = t->next >= t->all;
        if (!over) {
            (void)snprintf(path, sizeof(path), MARK_DIR "/turn.%06d", t->next++);
            (void)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
        }
        (void)sem_post(&t->turn[(me + 1) % TURNS]);
        if (over)
            return;
    }
}

struct seat {
    struct turns *turns;
    int me;
};

static void *sit(void *arg)
{
    struct seat *s = arg;
    take_turns(s->turns, s->me);
    return NULL;
}

/* Half of those who take turns are threads, half are processes. */
int play_order(const char *arg)
{
    struct turns *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct seat seats[TURNS];
    pthread_t threads[TURNS];
    t->all = atoi(arg);
    for (int i = 0; i < TURNS; i++)
        (void)sem_init(&t->turn[i], 1, 0);
    for (int i = 0; i < TURNS / 2; i++)
        if (fork() == 0) {
            take_turns(t, i);
            _exit(0);
        }
    for (int i = TURNS / 2; i < TURNS; i++) {
        seats[i] = (struct seat){t, i};
        (void)pthread_create(&threads[i], NULL, sit, &seats[i]);
    }
    (void)sem_post(&t->turn[0]);
    for (int i = TURNS / 2; i < TURNS; i++)
        (void)pthread_join(threads[i], NULL);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    printf("turns %d\n", t->next);
    return 0;
}

static void *outlive(void *arg)
{
    long n = (long)(intptr_t)arg;
    char name[16];
    (void)snprintf(name, sizeof(name), "t%ld", n);
    for (int i = 0; i < 20; i++) {
        (void)usleep((useconds_t)(n * 1000));
        (void)mkdir(name, 0755);
        (void)rmdir(name);
    }
    (void)mkdir(name, 0755);
    if (n == 4)
        _exit(7);
    return NULL;
}

int play_threadend(const char *arg)
{
    pthread_t t;
    (void)arg;
    for (long n = 1; n <= 4; n++)
        (void)pthread_create(&t, NULL, outlive, (void *)(intptr_t)n);
    pthread_exit(NULL);
}

static long sleep_nanosleep(void)
{
    struct timespec ts = {.tv_nsec = 250000000L};
    return nanosleep(&ts, NULL);
}

static long sleep_poll(void)
{
    return poll(NULL, 0, 250);
}

static long sleep_futex(void)
{
    static int word;
    struct timespec ts = {.tv_nsec = 250000000L};
    return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts);
}

static long sleep_select(void)
{
    struct timeval tv = {.tv_usec = 250000};
    return select(0, NULL, NULL, NULL, &tv);
}

static long elapsed_ms(const struct timespec *since)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

/* The kernel goes on with such a call by restart_syscall(2), or makes it anew: it must take as long as it was
 * asked to. */
int play_stopped(const char *arg)
{
    static const struct {
        const char *name;
        long (*call)(void);
    } sleeps[] = {{"nanosleep", sleep_nanosleep},
                  {"poll", sleep_poll},
                  {"futex", sleep_futex},
                  {"select", sleep_select}};
    (void)arg;
    for (size_t i = 0; i < sizeof(sleeps) / sizeof(sleeps[0]); i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            struct timespec since;
            (void)clock_gettime(CLOCK_MONOTONIC, &since);
            say(sleeps[i].name, sleeps[i].call());
            long ms = elapsed_ms(&since);
            printf("  %s\n", ms >= 245 && ms < 1500 ? "in time" : "too early or too late");
            (void)fflush(stdout);
            _exit(0);
        }
        (void)usleep(60000);
        (void)kill(child, SIGSTOP);
        (void)waitpid(child, &status, WUNTRACED);
        printf("  stopped %d\n", WIFSTOPPED(status));
        (void)fflush(stdout);
        (void)usleep(50000);
        (void)kill(child, SIGCONT);
        say_end("child", child);
    }
    return 0;
}

/* A filter that gives @nr the answer @answer, by way of SECCOMP_FILTER_FLAG_* @flags. */
static long own_filter(long nr, uint32_t answer, unsigned flags)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static volatile int trapped_nr;

static void on_trap(int signum, siginfo_t *info, void *context)
{
    (void)signum;
    (void)context;
    trapped_nr = info->si_syscall;
}

static void *filtered_thread(void *arg)
{
    pthread_barrier_t *gate = arg;
    (void)pthread_barrier_wait(gate);
    say("thread's getpgid", syscall(SYS_getpgid, 0) > 0 ? 1 : -1);
    say("thread's mkdir", mkdir("thread", 0755));
    return NULL;
}

static void killed_by_filter(void)
{
    pid_t child = fork();
    if (child == 0) {
        (void)own_filter(SYS_link, SECCOMP_RET_KILL_PROCESS, 0);
        (void)!link("a", "b");
        _exit(0);
    }
    say_end("linker", child);
}

int play_filters(const char *arg)
{
    struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    pthread_barrier_t gate;
    pthread_t t;
    (void)arg;
    say("no new privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    (void)pthread_barrier_init(&gate, NULL, 2);
    (void)pthread_create(&t, NULL, filtered_thread, &gate);
    say("errno for all", own_filter(SYS_getpgid, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_FILTER_FLAG_TSYNC));
    (void)pthread_barrier_wait(&gate);
    (void)pthread_join(t, NULL);
    say("getpgid", syscall(SYS_getpgid, 0));
    say("mkdir's errno", own_filter(SYS_rmdir, SECCOMP_RET_ERRNO | ENOTTY, 0));
    say("mkdir", mkdir("d", 0755));
    say("rmdir", rmdir("d"));
    say("trap", own_filter(SYS_symlink, SECCOMP_RET_TRAP, 0));
    (void)sigaction(SIGSYS, &sa, NULL);
    (void)syscall(SYS_symlink, "a", "b");
    printf("trapped %d\n", trapped_nr == SYS_symlink);
    say("not this flag", own_filter(SYS_link, SECCOMP_RET_ALLOW, 1U << 30));
    killed_by_filter();
    (void)fflush(stdout);
    fprintf(stderr, "listener %s\n",
            own_filter(SYS_link, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER) < 0
                ? strerrorname_np(errno)
                : "is there");
    return 0;
}

static void traced_child(void)
{
    struct stat st;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        _exit(9);
    (void)raise(SIGSTOP);
    (void)syscall(SYS_getpgid, 0);
    int fd = (int)syscall(SYS_open, "/etc/passwd", O_RDONLY);
    (void)syscall(SYS_mkdir, "traced", 0700);
    (void)syscall(SYS_mkdir, "traced", 0700);
    (void)syscall(SYS_stat, "traced", &st);
    (void)syscall(SYS_close, fd);
    _exit(fd == 3 && S_ISDIR(st.st_mode) ? 5 : 6);
}

/* Each entry and exit of a child's calls, as a tracer of its own sees them. */
int play_tracer(const char *arg)
{
    bool entry = true;
    int status = 0;
    pid_t child = fork();
    (void)arg;
    if (child == 0)
        traced_child();
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
        printf("not traced: %d\n", WEXITSTATUS(status));
        return 1;
    }
    say("options",
        ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)));
    while (ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
           WIFSTOPPED(status)) {
        struct user_regs_struct regs;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            printf("stop %d\n", WSTOPSIG(status));
            continue;
        }
        (void)ptrace(PTRACE_GETREGS, child, NULL, &regs);
        if (!entry && regs.orig_rax != SYS_getpgid)
            printf("%lld = %lld\n", (long long)regs.orig_rax, (long long)regs.rax);
        entry = !entry;
    }
    printf("ended %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    return 0;
}
