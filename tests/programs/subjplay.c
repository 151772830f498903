/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * subjplay PLAY [N] - processes and threads come and go in every way there is; each leaves marks (mark.h).
 *
 *     mark KIND      one mark
 *     tree N         a tree of forks, N deep, two children each
 *     many N         N short children, one after the other
 *     reuse N        N children, all with one pid (needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN)
 *     vfork N        N children by vfork that exec
 *     clones         clone with memory shared but not signal handlers; with files shared; without an exit
 * signal; clone3; CLONE_PARENT threadexec     a thread that is not the leader execs, while others are busy
 *     leaderless     the leader ends, another thread goes on and forks
 *     daemon         a grandchild outlives its parents
 *     later N        N children, each marking only after its parent has marked again
 *     between N      N children, each marking late, while another thread marks all the time; "fork PID LEAST
 * MOST" says how many marks there were before and after the fork What was made is said: "KIND N" for N marks
 * of a kind.
 */
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "mark.h"

#define STACK_SIZE (256 * 1024)
#define ANY_CHILD (-1)

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
        continue;
}

static void exec_mark(const char *kind)
{
    char self[] = "/proc/self/exe", name[] = "subjplay", play[] = "mark", text[32];
    char *argv[] = {name, play, text, NULL};
    (void)snprintf(text, sizeof(text), "%s", kind);
    (void)execve(self, argv, NULL);
    _exit(126);
}

static int play_mark(const char *arg)
{
    mark(arg);
    return 0;
}

static void grow(int depth)
{
    mark("tree");
    for (int i = 0; depth > 0 && i < 2; i++) {
        pid_t child = fork();
        if (child == 0) {
            grow(depth - 1);
            _exit(0);
        }
        reap(child);
        mark("tree");
    }
}

static int play_tree(const char *arg)
{
    int depth = atoi(arg);
    grow(depth);
    /* 2^(depth+1) - 1 nodes: one mark each, and one in the parent after each child. */
    printf("tree %d\n", 2 * ((2 << depth) - 1) - 1);
    return 0;
}

static int play_many(const char *arg)
{
    int n = atoi(arg);
    mark("parent");
    for (int i = 0; i < n; i++) {
        pid_t child = fork();
        if (child == 0) {
            mark("short");
            _exit(0);
        }
        reap(child);
    }
    printf("parent 1\nshort %d\n", n);
    return 0;
}

static pid_t fork_as(pid_t wanted)
{
    struct clone_args ca = {.exit_signal = SIGCHLD};
    if (wanted > 0) {
        ca.set_tid = (uint64_t)(uintptr_t)&wanted;
        ca.set_tid_size = 1;
    }
    return (pid_t)syscall(SYS_clone3, &ca, sizeof(ca));
}

static int play_reuse(const char *arg)
{
    int n = atoi(arg);
    pid_t first = 0;
    mark("parent");
    for (int i = 0; i < n; i++) {
        pid_t child = fork_as(first);
        if (child == 0) {
            mark("reused");
            _exit(0);
        }
        if (child < 0 || (first != 0 && child != first)) {
            perror("subjplay: clone3 with a pid");
            return 1;
        }
        first = child;
        reap(child);
    }
    printf("parent 1\nreused %d\n", n);
    return 0;
}

static void vfork_once(void)
{
    pid_t child = vfork();
    if (child == 0) {
        mark("vforked");
        exec_mark("execed");
    }
    mark("after");
    reap(child);
}

static int play_vfork(const char *arg)
{
    int n = atoi(arg);
    for (int i = 0; i < n; i++)
        vfork_once();
    printf("vforked %d\nexeced %d\nafter %d\n", n, n, n);
    return 0;
}

static int clone_body(void *kind)
{
    mark(kind);
    mark(kind);
    return 0;
}

static void clone_with(int flags, const char *kind)
{
    char *stack = malloc(STACK_SIZE);
    pid_t child = clone(clone_body, stack + STACK_SIZE, flags, (void *)(uintptr_t)kind);
    if (child < 0)
        perror("subjplay: clone");
    else
        reap(child);
    free(stack);
    printf("%s 2\n", kind);
}

/* A child of a child that is a child of ours: reaped here. */
static void clone_parent(void)
{
    pid_t middle = fork();
    if (middle == 0) {
        char *stack = malloc(STACK_SIZE);
        mark("middle");
        (void)clone(clone_body, stack + STACK_SIZE, CLONE_PARENT | SIGCHLD, (void *)(uintptr_t) "sibling");
        _exit(0);
    }
    reap(ANY_CHILD);
    reap(ANY_CHILD);
    printf("middle 1\nsibling 2\n");
}

static int play_clones(const char *arg)
{
    (void)arg;
    setvbuf(stdout, NULL, _IONBF, 0);
    clone_with(CLONE_VM | SIGCHLD, "vm");
    clone_with(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD, "handlers");
    clone_with(CLONE_FS | CLONE_FILES | SIGCHLD, "files");
    clone_with(0, "silent");
    clone_parent();
    pid_t child = fork_as(0);
    if (child == 0) {
        mark("clone3");
        _exit(0);
    }
    reap(child);
    printf("clone3 1\n");
    return 0;
}

static void *busy(void *kind)
{
    for (;;)
        mark(kind);
    return NULL;
}

static void *exec_soon(void *arg)
{
    (void)arg;
    mark("thread");
    exec_mark("execed");
    return NULL;
}

static int play_threadexec(const char *arg)
{
    pthread_t t;
    (void)arg;
    printf("thread 1\nexeced 1\n");
    (void)fflush(stdout);
    for (int i = 0; i < 2; i++)
        (void)pthread_create(&t, NULL, busy, (void *)(uintptr_t) "busy");
    (void)pthread_create(&t, NULL, exec_soon, NULL);
    for (;;)
        (void)pause();
    return 0;
}

static void *go_on(void *leader)
{
    (void)pthread_join(*(pthread_t *)leader, NULL);
    mark("survivor");
    pid_t child = fork();
    if (child == 0) {
        mark("forked");
        _exit(0);
    }
    reap(child);
    mark("survivor");
    printf("survivor 2\nforked 1\n");
    exit(0);
}

static int play_leaderless(const char *arg)
{
    static pthread_t leader;
    pthread_t t;
    (void)arg;
    leader = pthread_self();
    (void)pthread_create(&t, NULL, go_on, &leader);
    pthread_exit(NULL);
}

static int play_daemon(const char *arg)
{
    (void)arg;
    mark("launcher");
    printf("launcher 1\norphan 1\n");
    (void)fflush(stdout);
    if (fork() == 0) {
        (void)setsid();
        if (fork() == 0) {
            (void)usleep(500000);
            mark("orphan");
        }
        _exit(0);
    }
    reap(ANY_CHILD);
    return 0;
}

static int play_later(const char *arg)
{
    int n = atoi(arg), gate[2];
    char c = 0;
    mark("parent");
    for (int i = 0; i < n; i++) {
        if (pipe(gate) < 0)
            return 1;
        pid_t child = fork();
        if (child == 0) {
            (void)!read(gate[0], &c, 1);
            mark("late");
            _exit(0);
        }
        mark("parent");
        mark("parent");
        (void)!write(gate[1], &c, 1);
        reap(child);
        (void)close(gate[0]);
        (void)close(gate[1]);
    }
    printf("parent %d\nlate %d\n", 1 + 2 * n, n);
    return 0;
}

static volatile int begun, done; /* marks of the thread */
static volatile int enough;

static void *mark_on(void *arg)
{
    while (!enough) {
        begun++;
        mark("busy");
        done++;
    }
    return arg;
}

static int play_between(const char *arg)
{
    int n = atoi(arg);
    pthread_t t;
    (void)pthread_create(&t, NULL, mark_on, NULL);
    for (int i = 0; i < n; i++) {
        int least = done;
        pid_t child = fork();
        int most = begun;
        if (child == 0) {
            (void)usleep(10000);
            mark("late");
            _exit(0);
        }
        printf("fork %d %d %d\n", (int)child, least, most);
        reap(child);
    }
    enough = 1;
    (void)pthread_join(t, NULL);
    printf("late %d\nbusy %d\n", n, done);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const char *arg);
} plays[] = {
    {"mark", play_mark},
    {"tree", play_tree},
    {"many", play_many},
    {"reuse", play_reuse},
    {"vfork", play_vfork},
    {"clones", play_clones},
    {"threadexec", play_threadexec},
    {"leaderless", play_leaderless},
    {"daemon", play_daemon},
    {"later", play_later},
    {"between", play_between},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(plays) / sizeof(plays[0]); i++)
        if (strcmp(plays[i].name, argv[1]) == 0)
            return plays[i].run(argc > 2 ? argv[2] : "");
    fprintf(stderr, "subjplay: no such play\n");
    return 125;
}
