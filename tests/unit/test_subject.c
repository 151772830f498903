/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "subject/proc.h"
#include "subject/state.h"
#include "subject/subject.h"

/* A process that sleeps until it is killed. */
static pid_t sleeper(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            (void)pause();
    return pid;
}

static void end(pid_t pid)
{
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

struct counter {
    int n;
};

static const struct counter counter_init = {.n = 7};
static const struct idw_state_desc counter_desc = {.size = sizeof counter_init, .init = &counter_init};

static struct arena *arena;
static struct subjects *all;

static void setup(void)
{
    struct err e = {0};
    arena = arena_create(1 << 24, &e);
    cr_assert_not_null(arena, "%s", e.text);
    all = subjects_new(arena, &e);
    cr_assert_not_null(all, "%s", e.text);
}

static void teardown(void)
{
    subjects_free(all);
    arena_unmap(arena);
}

TestSuite(subject, .init = setup, .fini = teardown);

static int *counter_of(const struct subject *s)
{
    return &((struct counter *)arena_ptr(arena, s->record->state[0]))->n;
}

Test(subject, life_cycle_is_total)
{
    for (unsigned l = 0; l < LIFE_COUNT; l++)
        cr_expect_not_null(life_text(l));
    cr_expect_eq(life_after(LIFE_NONE, HAPPENS_LAUNCH), LIFE_LAUNCHING);
    cr_expect_eq(life_after(LIFE_LAUNCHING, HAPPENS_EXEC), LIFE_RUNNING);
    cr_expect_eq(life_after(LIFE_RUNNING, HAPPENS_EXEC), LIFE_RUNNING);
    cr_expect_eq(life_after(LIFE_RUNNING, HAPPENS_KILL), LIFE_ENDING);
    cr_expect_eq(life_after(LIFE_ENDING, HAPPENS_EXEC), LIFE_ENDING,
                 "an exec does not save a killed subject");
    cr_expect_eq(life_after(LIFE_LAUNCHING, HAPPENS_FORK), LIFE_NONE);
    cr_expect_eq(life_after(LIFE_COUNT, HAPPENS_EXIT), LIFE_NONE);
}

Test(subject, fork_copies_state_and_execs_keep_it)
{
    struct err e = {0};
    subjects_states(all, 0, &counter_desc);
    pid_t a = sleeper(), b = sleeper();
    struct subject *parent = subjects_add(all, a, NULL, HAPPENS_LAUNCH, &e);
    cr_assert_not_null(parent, "%s", e.text);
    cr_expect_eq(*counter_of(parent), 7, "fresh state is the declared one");
    *counter_of(parent) = 40;
    cr_expect_eq(subject_happens(all, parent, HAPPENS_EXEC), 0);
    cr_expect_eq(subject_life(parent), LIFE_RUNNING);
    cr_expect_eq(*counter_of(parent), 40);
    struct subject *child = subjects_add(all, b, parent, HAPPENS_FORK, &e);
    cr_assert_not_null(child, "%s", e.text);
    *counter_of(parent) = 41;
    cr_expect_eq(*counter_of(child), 40, "the child has the parent's state as it was at the fork");
    cr_expect_eq(child->record->invoker, getuid());
    subject_unref(all, parent);
    subject_unref(all, child);
    end(a);
    end(b);
}

Test(subject, a_process_is_added_once)
{
    struct err e = {0};
    pid_t pid = sleeper();
    struct subject *one = subjects_add(all, pid, NULL, HAPPENS_FORK, &e);
    struct subject *two = subjects_add(all, pid, NULL, HAPPENS_FORK, &e);
    cr_expect_eq(one, two);
    cr_expect_eq(subjects_count(all), 1u);
    subject_unref(all, one);
    subject_unref(all, two);
    end(pid);
    cr_expect_eq(subjects_reap(all), 1);
    cr_expect_eq(subjects_count(all), 0u);
    cr_expect_null(subjects_find(all, pid));
}

Test(subject, dead_processes_are_noticed_and_leak_nothing)
{
    struct err e = {0};
    subjects_states(all, 0, &counter_desc);
    size_t before = arena_used(arena);
    for (int i = 0; i < 50; i++) {
        pid_t pid = sleeper();
        struct subject *s = subjects_add(all, pid, NULL, HAPPENS_FORK, &e);
        cr_assert_not_null(s, "%s", e.text);
        cr_expect_eq(subject_kill(s), 0);
        struct pollfd p = {.fd = subjects_exits_fd(all), .events = POLLIN};
        cr_assert_eq(poll(&p, 1, 5000), 1, "a death wakes whoever watches");
        cr_expect_eq(subjects_reap(all), 1);
        cr_expect_eq(subject_life(s), LIFE_DEAD);
        subject_unref(all, s);
        cr_assert_eq(waitpid(pid, NULL, 0), pid);
    }
    cr_expect_eq(arena_used(arena), before);
}

static size_t listed(void)
{
    size_t n = 0;
    for (arena_off at = *arena_root(arena, ARENA_ROOT_SUBJECTS); at != 0; n++) {
        const struct subject_record *r = arena_ptr(arena, at);
        cr_assert_not_null(r);
        at = r->next;
    }
    return n;
}

/* What another engine would find: each live subject once, whichever order the others ended in. */
Test(subject, records_are_listed)
{
    enum { N = 5 };
    static const int order[N] = {2, 0, 4, 1, 3};
    struct subject *s[N];
    struct err e = {0};
    for (int i = 0; i < N; i++) {
        s[i] = subjects_add(all, sleeper(), NULL, HAPPENS_FORK, &e);
        cr_assert_not_null(s[i], "%s", e.text);
        cr_expect_eq(listed(), (size_t)i + 1);
    }
    for (int i = 0; i < N; i++) {
        struct subject *gone = s[order[i]];
        pid_t pid = gone->record->pid;
        cr_expect_eq(subject_happens(all, gone, HAPPENS_EXIT), 0);
        subject_unref(all, gone);
        cr_expect_eq(listed(), (size_t)(N - 1 - i));
        end(pid);
    }
}

static pid_t thread_tid;
static int thread_gate[2];

static void *thread_main(void *unused)
{
    char byte;
    thread_tid = (pid_t)syscall(SYS_gettid);
    (void)!write(thread_gate[1], "", 1);
    (void)!read(thread_gate[0], &byte, 0);
    return unused;
}

Test(subject, threads_belong_to_their_process)
{
    struct err e = {0};
    int up[2], down[2];
    cr_assert_eq(pipe(up), 0);
    cr_assert_eq(pipe(down), 0);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t t;
        thread_gate[0] = down[0];
        thread_gate[1] = up[1];
        (void)pthread_create(&t, NULL, thread_main, NULL);
        (void)pthread_join(t, NULL);
        (void)!write(up[1], &thread_tid, sizeof thread_tid);
        for (;;)
            (void)pause();
    }
    char byte;
    pid_t tid;
    cr_assert_eq(read(up[0], &byte, 1), 1);
    cr_expect_null(subjects_get(all, pid, &e), "nobody's child has nobody's state");
    cr_expect_eq(e.code, EPERM);
    struct subject *s = subjects_add(all, pid, NULL, HAPPENS_LAUNCH, &e);
    cr_assert_not_null(s, "%s", e.text);
    cr_assert_eq(read(up[0], &tid, sizeof tid), (ssize_t)sizeof tid);
    /* The thread is gone by now: its id names nobody, whatever was noted for it. */
    cr_expect_eq(subjects_thread(all, tid, s), 0);
    cr_expect_null(subjects_get(all, tid, &e));
    cr_expect_eq(e.code, ESRCH);
    subject_unref(all, s);
    end(pid);
}

/* A child that sleeps, and one of its own, *@child. */
static pid_t family(pid_t *child)
{
    int up[2];
    cr_assert_eq(pipe(up), 0);
    pid_t pid = fork();
    if (pid == 0) {
        pid_t own = sleeper();
        (void)!write(up[1], &own, sizeof own);
        for (;;)
            (void)pause();
    }
    cr_assert_eq(read(up[0], child, sizeof *child), (ssize_t)sizeof *child);
    (void)close(up[0]);
    (void)close(up[1]);
    return pid;
}

Test(subject, an_unknown_child_is_found_by_its_ancestor)
{
    struct err e = {0};
    pid_t child, pid = family(&child);
    struct subject *parent = subjects_add(all, pid, NULL, HAPPENS_FORK, &e);
    struct subject *found = subjects_get(all, child, &e);
    cr_expect_not_null(found, "%s", e.text);
    if (found != NULL) {
        cr_expect_eq(found->record->ppid, pid);
        cr_expect(found->unseen);
        cr_expect(atomic_load(&found->sandboxed), "who knows what it has given up");
    }
    subject_unref(all, found);
    subject_unref(all, parent);
    cr_expect_eq(kill(child, SIGKILL), 0);
    end(pid);
}

/* Its ancestor of now need not be its maker (CLONE_PARENT, subreapers). */
Test(subject, an_unknown_child_gets_nobodys_state)
{
    struct err e = {0};
    subjects_states(all, 0, &counter_desc);
    pid_t child, pid = family(&child);
    struct subject *parent = subjects_add(all, pid, NULL, HAPPENS_FORK, &e);
    cr_expect_null(subjects_get(all, child, &e));
    cr_expect_eq(e.code, EPERM);
    subject_unref(all, parent);
    cr_expect_eq(kill(child, SIGKILL), 0);
    end(pid);
}

Test(subject, proc_stat_survives_odd_names)
{
    struct proc_stat st;
    pid_t pid = fork();
    if (pid == 0) {
        FILE *f = fopen("/proc/self/comm", "w");
        (void)fputs(") R 1 (x", f);
        (void)fclose(f);
        for (;;)
            (void)pause();
    }
    (void)usleep(50000);
    cr_expect_eq(proc_stat(pid, &st), 0);
    cr_expect_eq(st.ppid, getpid());
    cr_expect_gt(st.start_time, 0u);
    end(pid);
    cr_expect_eq(proc_stat(pid, &st), -ESRCH);
    cr_expect_eq(subject_tgid(pid), -ESRCH);
}
