/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * manythreads [ROUNDS] - eight threads at once, each leaving marks (mark.h): one forks and execs in a loop,
 * one vforks, one catches signals that another sends, one starts threads, three just work. "KIND N" is said
 * for each kind of mark, "thread KIND TID" for each of the eight and "child KIND PID" for each process made.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include "mark.h"

static int rounds = 20;
static sem_t handled, again;
static pid_t catcher_tid;
static pthread_barrier_t all_there;

static void exec_mark(void)
{
    char self[] = "/proc/self/exe", name[] = "manythreads", arg[] = "execed";
    char *argv[] = {name, arg, NULL};
    (void)execve(self, argv, NULL);
    _exit(126);
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static void forker(void)
{
    for (int i = 0; i < rounds; i++) {
        pid_t child = fork();
        if (child == 0) {
            mark("forked");
            exec_mark();
        }
        mark("forker");
        reap(child);
        printf("child forked %d\n", (int)child);
    }
}

static void vfork_once(void)
{
    pid_t child = vfork();
    if (child == 0) {
        mark("vforked");
        _exit(0);
    }
    mark("vforker");
    reap(child);
    printf("child vforked %d\n", (int)child);
}

static void vforker(void)
{
    for (int i = 0; i < rounds; i++)
        vfork_once();
}

static void on_signal(int signum)
{
    int saved = errno;
    (void)signum;
    mark("handler");
    (void)sem_post(&handled);
    errno = saved;
}

static void catcher(void)
{
    for (int i = 0; i < rounds; i++) {
        while (sem_wait(&handled) < 0 && errno == EINTR)
            continue;
        mark("catcher");
        (void)sem_post(&again);
    }
}

static void sender(void)
{
    for (int i = 0; i < rounds; i++) {
        mark("sender");
        (void)syscall(SYS_tgkill, getpid(), catcher_tid, SIGUSR1);
        while (sem_wait(&again) < 0 && errno == EINTR)
            continue;
    }
}

static void *short_life(void *arg)
{
    mark("newborn");
    return arg;
}

static void starter(void)
{
    for (int i = 0; i < rounds; i++) {
        pthread_t t;
        if (pthread_create(&t, NULL, short_life, NULL) == 0)
            (void)pthread_join(t, NULL);
        mark("starter");
    }
}

static void worker(void)
{
    for (int i = 0; i < 4 * rounds; i++)
        mark("worker");
}

static const struct role {
    const char *name;
    void (*run)(void);
} roles[] = {{"forker", forker},   {"vforker", vforker}, {"catcher", catcher}, {"sender", sender},
             {"starter", starter}, {"worker", worker},   {"worker", worker},   {"worker", worker}};
#define N_ROLES (sizeof(roles) / sizeof(roles[0]))

static void *play(void *arg)
{
    const struct role *role = arg;
    if (role->run == catcher)
        catcher_tid = gettid();
    printf("thread %s %d\n", role->name, (int)gettid());
    (void)pthread_barrier_wait(&all_there);
    role->run();
    return NULL;
}

/* The sender waits until its signal was handled: one that is lost hangs the program, and is noticed that way.
 */
int main(int argc, char **argv)
{
    pthread_t threads[N_ROLES];
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    if (argc > 1 && strcmp(argv[1], "execed") == 0) {
        mark("execed");
        return 0;
    }
    if (argc > 1)
        rounds = atoi(argv[1]);
    (void)sem_init(&handled, 0, 0);
    (void)sem_init(&again, 0, 0);
    (void)sigaction(SIGUSR1, &sa, NULL);
    (void)pthread_barrier_init(&all_there, NULL, N_ROLES);
    printf("pid %d\n", (int)getpid());
    for (size_t i = 0; i < N_ROLES; i++)
        (void)pthread_create(&threads[i], NULL, play, (void *)(uintptr_t)&roles[i]);
    for (size_t i = 0; i < N_ROLES; i++)
        (void)pthread_join(threads[i], NULL);
    printf("forker %d\nforked %d\nexeced %d\nvforker %d\nvforked %d\n", rounds, rounds, rounds, rounds,
           rounds);
    printf("catcher %d\nhandler %d\nsender %d\nstarter %d\nnewborn %d\nworker %d\n", rounds, rounds, rounds,
           rounds, rounds, 12 * rounds);
    return 0;
}
