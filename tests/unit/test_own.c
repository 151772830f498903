/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that name the supervisor: this process stands for the engine, a child for its guardian. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/own.h"
#include "syscalls/table.h"

#define NOT_REFUSED 1

static struct link guardian_link;
static struct engine engine;
static pid_t guardian, canary, stranger, thread;
static int never[2]; /* readable when we have gone */

static _Noreturn void sleep_on(void)
{
    char byte;
    (void)close(never[1]);
    (void)!read(never[0], &byte, 1);
    _exit(0);
}

static void *sleep_as_thread(void *tid)
{
    atomic_store((_Atomic pid_t *)tid, gettid());
    for (;;)
        (void)pause();
    return NULL;
}

static pid_t child(void (*body)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        body();
        sleep_on();
    }
    return pid;
}

static int told[2];

static void be_guardian(void)
{
    (void)setpgid(0, 0);
    pid_t pid = child(sleep_on);
    (void)!write(told[1], &pid, sizeof pid);
}

static void be_stranger(void)
{
    (void)setpgid(0, 0);
    (void)!write(told[1], "", 1);
}

static void set_up(void)
{
    static _Atomic pid_t tid;
    pthread_t t;
    char byte;
    cr_assert_eq(pipe2(never, O_CLOEXEC), 0);
    cr_assert_eq(pipe2(told, O_CLOEXEC), 0);
    guardian = child(be_guardian);
    cr_assert_eq(read(told[0], &canary, sizeof canary), (ssize_t)sizeof canary);
    stranger = child(be_stranger);
    cr_assert_eq(read(told[0], &byte, 1), 1);
    cr_assert_eq(pthread_create(&t, NULL, sleep_as_thread, &tid), 0);
    while ((thread = atomic_load(&tid)) == 0)
        (void)sched_yield();
    guardian_link.guardian = guardian;
    engine.guardian = &guardian_link;
}

TestSuite(own, .init = set_up);

static int64_t refuses(const char *name, const uint64_t args[6])
{
    int64_t result = 0;
    const struct call *c = call_by_name(name);
    cr_assert_not_null(c, "%s", name);
    return own_refuses(&engine, stranger, c, args, &result) ? result : NOT_REFUSED;
}

/* Which of six arguments names whom, in what the kernel compares as an int. */
struct naming {
    const char *call;
    unsigned who;
    uint64_t args[6];
    int error;
};

#define ANY 77
static const struct naming by_task[] = {
    {"kill", 0, {0, SIGTERM}, ESRCH},
    {"tkill", 0, {0, SIGTERM}, ESRCH},
    {"tgkill", 1, {ANY, 0, SIGTERM}, ESRCH},
    {"rt_sigqueueinfo", 0, {0, SIGTERM}, ESRCH},
    {"rt_tgsigqueueinfo", 1, {ANY, 0, SIGTERM}, ESRCH},
    {"pidfd_open", 0, {0}, ESRCH},
    {"fcntl", 2, {ANY, F_SETOWN}, ESRCH},
    {"ptrace", 1, {PTRACE_ATTACH}, ESRCH},
    {"ptrace", 1, {PTRACE_SEIZE}, ESRCH},
    {"process_vm_readv", 0, {0}, ESRCH},
    {"process_vm_writev", 0, {0}, ESRCH},
    {"kcmp", 0, {0, ANY}, ESRCH},
    {"kcmp", 1, {ANY, 0}, ESRCH},
    {"get_robust_list", 0, {0}, ESRCH},
    {"perf_event_open", 1, {0, 0, 0, 0, 0}, ESRCH},
    {"move_pages", 0, {0}, ESRCH},
    {"migrate_pages", 0, {0}, ESRCH},
    {"prlimit64", 0, {0}, ESRCH},
    {"setpriority", 1, {PRIO_PROCESS}, ESRCH},
    {"ioprio_set", 1, {1}, ESRCH},
    {"sched_setaffinity", 0, {0}, ESRCH},
    {"sched_setscheduler", 0, {0}, ESRCH},
    {"sched_setparam", 0, {0}, ESRCH},
    {"sched_setattr", 0, {0}, ESRCH},
};

static int64_t with(const struct naming *n, int32_t who)
{
    uint64_t args[6];
    memcpy(args, n->args, sizeof args);
    args[n->who] = UINT64_C(0xdead) << 32 | (uint32_t)who; /* the kernel doesn't look at the high half */
    return refuses(n->call, args);
}

Test(own, calls_that_name_a_process_of_ours)
{
    const pid_t ours[] = {guardian, canary, getpid(), thread};
    const pid_t others[] = {stranger, 1, INT32_MAX, 0};
    for (const struct naming *n = by_task; n < by_task + ARRAY_SIZE(by_task); n++) {
        for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
            cr_expect_eq(with(n, ours[i]), -n->error, "%s of our process %zu", n->call, i);
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
            cr_expect_eq(with(n, others[i]), NOT_REFUSED, "%s of another %zu", n->call, i);
    }
}

static const struct naming by_group[] = {
    {"kill", 0, {0, SIGTERM}, ESRCH},
    {"fcntl", 2, {ANY, F_SETOWN}, ESRCH},
    {"setpriority", 1, {PRIO_PGRP}, ESRCH},
    {"ioprio_set", 1, {2}, ESRCH},
    {"setpgid", 1, {0}, EPERM},
};

/* The engine's group is ours alone; the guardian's is the target's too. */
Test(own, calls_that_name_a_process_group_of_ours)
{
    for (const struct naming *n = by_group; n < by_group + ARRAY_SIZE(by_group); n++) {
        int sign = strcmp(n->call, "kill") == 0 || strcmp(n->call, "fcntl") == 0 ? -1 : 1;
        cr_expect_eq(with(n, sign * getpgrp()), -n->error, "%s of our group", n->call);
        cr_expect_eq(with(n, sign * getpgid(guardian)), NOT_REFUSED, "%s of the guardian's", n->call);
        cr_expect_eq(with(n, sign * stranger), NOT_REFUSED, "%s of another", n->call);
        cr_expect_eq(with(n, INT32_MIN), NOT_REFUSED, "%s of the number without a positive", n->call);
    }
    guardian_link.guardian = getpid(); /* an engine that has not left the group yet */
    cr_expect_eq(with(&by_group[0], -getpgrp()), NOT_REFUSED, "a group that is shared");
}

Test(own, what_harms_nobody_is_let_through)
{
    const uint64_t self = (uint64_t)getpid();
    static const char *const signals[] = {"kill", "tkill", "rt_sigqueueinfo"};
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        cr_expect_eq(refuses(signals[i], (uint64_t[6]){self, 0}), NOT_REFUSED, "%s", signals[i]);
    cr_expect_eq(refuses("ptrace", (uint64_t[6]){PTRACE_CONT, self}), NOT_REFUSED);
    cr_expect_eq(refuses("fcntl", (uint64_t[6]){0, F_DUPFD, self}), NOT_REFUSED);
    cr_expect_eq(refuses("setpriority", (uint64_t[6]){PRIO_USER, self}), NOT_REFUSED);
    cr_expect_eq(refuses("getpgid", (uint64_t[6]){self}), NOT_REFUSED);
    /* With this flag the pid is a descriptor. */
    cr_expect_eq(refuses("perf_event_open", (uint64_t[6]){0, self, 0, 0, 4}), NOT_REFUSED);
}

Test(own, we_are_no_tracer_that_a_child_may_choose)
{
    int64_t result = 0;
    const uint64_t args[6] = {PTRACE_TRACEME};
    const struct call *c = call_by_name("ptrace");
    cr_expect(own_refuses(&engine, stranger, c, args, &result), "its parent is us");
    cr_expect_eq(result, -EPERM);
    cr_expect_not(own_refuses(&engine, getpid(), c, args, &result), "our parent is a stranger");
}

/* Its descriptors, since it is a copy of us. */
Test(own, descriptors_of_our_processes)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d", (int)getpid());
    const struct {
        const char *what;
        int fd;
        int64_t result;
    } cases[] = {
        {"our pidfd", (int)syscall(SYS_pidfd_open, getpid(), 0), -ESRCH},
        {"our guardian's", (int)syscall(SYS_pidfd_open, guardian, 0), -ESRCH},
        {"another's pidfd", (int)syscall(SYS_pidfd_open, stranger, 0), NOT_REFUSED},
        {"our folder in /proc", open(path, O_RDONLY | O_DIRECTORY), -ESRCH},
        {"init's", open("/proc/1", O_RDONLY | O_DIRECTORY), NOT_REFUSED},
        {"a folder", open("/", O_RDONLY | O_DIRECTORY), NOT_REFUSED},
        {"a file", open("/dev/null", O_RDONLY), NOT_REFUSED},
        {"none", -1, NOT_REFUSED},
    };
    static const char *const calls[] = {"pidfd_send_signal", "pidfd_getfd", "process_madvise",
                                        "process_mrelease"};
    pid_t holder = child(sleep_on);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t k = 0; k < ARRAY_SIZE(calls); k++) {
            int64_t result = 0;
            const uint64_t args[6] = {(uint32_t)cases[i].fd, SIGTERM};
            bool refused = own_refuses(&engine, holder, call_by_name(calls[k]), args, &result);
            cr_expect_eq(refused ? result : NOT_REFUSED, cases[i].result, "%s of %s: %ld", calls[k],
                         cases[i].what, (long)result);
        }
}

Test(own, an_owner_named_in_memory)
{
    int pair[2], number = -getpgrp();
    struct f_owner_ex ours = {.type = F_OWNER_TID, .pid = thread};
    struct f_owner_ex other = {.type = F_OWNER_PID, .pid = stranger}, now = {0};
    int64_t result = 1;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const uint64_t fd = (uint64_t)pair[0];
    cr_expect_eq(refuses("fcntl", (uint64_t[6]){fd, F_SETOWN_EX, 1}), NOT_REFUSED, "not readable");
    /* What a thread of this process asks for. */
    const struct call *c = call_by_name("fcntl"), *ioctl = call_by_name("ioctl");
    const uint64_t set_ours[6] = {fd, F_SETOWN_EX, (uintptr_t)&ours};
    const uint64_t set_other[6] = {fd, F_SETOWN_EX, (uintptr_t)&other};
    const uint64_t set_group[6] = {fd, 0x8901 /* FIOSETOWN */, (uintptr_t)&number};
    cr_expect(own_refuses(&engine, getpid(), c, set_ours, &result) && result == -ESRCH);
    cr_expect(own_refuses(&engine, getpid(), ioctl, set_group, &result) && result == -ESRCH);
    cr_expect_not(own_refuses(&engine, getpid(), c, set_other, &result));
    cr_expect(own_runs(&engine, getpid(), c, set_ours, &result) && result == -ESRCH, "changed in between");
    cr_expect(own_runs(&engine, getpid(), c, set_other, &result) && result == 0, "%ld", (long)result);
    cr_expect(fcntl(pair[0], F_GETOWN_EX, &now) == 0 && now.pid == stranger);
    number = -stranger;
    cr_expect(own_runs(&engine, getpid(), ioctl, set_group, &result) && result == 0, "%ld", (long)result);
    cr_expect(fcntl(pair[0], F_GETOWN_EX, &now) == 0 && now.pid == stranger && now.type == F_OWNER_PGRP);
    const uint64_t no_socket[6] = {(uint64_t)told[0], 0x8901, (uintptr_t)&number};
    cr_expect(own_runs(&engine, getpid(), ioctl, no_socket, &result) && result == -ENOTTY);
}

#define USER_OF_BROADCAST 54321

/* Says that it blocks SIGURG, and its sender and how it was sent when that comes. */
static _Noreturn void await_urgent(uid_t user)
{
    sigset_t set;
    siginfo_t info = {0};
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGURG);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    if (user != 0 && setresuid(user, user, user) < 0)
        _exit(1);
    (void)!write(told[1], "", 1);
    static const struct timespec patience = {.tv_nsec = 300000000};
    _exit(sigtimedwait(&set, &info, &patience) == SIGURG && info.si_pid == guardian ? 0 : 2);
}

static pid_t awaiting(uid_t user)
{
    char byte;
    pid_t pid = fork();
    if (pid == 0)
        await_urgent(user);
    cr_assert_eq(read(told[0], &byte, 1), 1);
    return pid;
}

static int status_of(pid_t pid)
{
    int status = -1;
    (void)waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void be_user(void)
{
    if (geteuid() == 0 && setresuid(USER_OF_BROADCAST, USER_OF_BROADCAST, USER_OF_BROADCAST) < 0)
        _exit(1);
    pid_t pid = getpid();
    (void)!write(told[1], &pid, sizeof pid);
}

/* SIGURG, since nobody on this machine minds it. The sender is `guardian` here, for no engine's is. */
Test(own, a_signal_to_all_reaches_all_but_us)
{
    bool root = geteuid() == 0;
    const struct call *c = call_by_name("kill");
    const uint64_t args[6] = {(uint32_t)-1, SIGURG};
    int64_t result = 1;
    sigset_t pending;
    guardian_link.guardian = getppid();
    guardian = child(be_user);
    cr_assert_eq(read(told[0], &canary, sizeof canary), (ssize_t)sizeof canary);
    pid_t same = awaiting(root ? USER_OF_BROADCAST : 0), other = root ? awaiting(USER_OF_BROADCAST + 1) : -1;
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGURG);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    cr_expect(own_runs(&engine, guardian, c, args, &result));
    cr_expect_eq(result, 0, "%ld", (long)result);
    cr_expect_eq(status_of(same), 0, "what kill would have reached");
    cr_expect(!root || status_of(other) == 2, "another user's is not the caller's to signal");
    cr_expect(sigpending(&pending) == 0 && !sigismember(&pending, SIGURG), "not us");
    const uint64_t probe[6] = {(uint32_t)-1, 0};
    cr_expect_not(own_runs(&engine, guardian, c, probe, &result), "signal 0 is the kernel's");
    /* One of the targets has entered a Landlock domain: nobody can say whom it may signal. */
    cr_expect_eq(refuses("landlock_restrict_self", (uint64_t[6]){0}), NOT_REFUSED);
    cr_expect(own_runs(&engine, guardian, c, args, &result) && result == -EPERM);
}

static enum filter_action decision(const struct sock_fprog *p, long nr, uint64_t a, uint64_t b, uint64_t c)
{
    struct seccomp_data data = {.nr = (int)nr, .arch = AUDIT_ARCH_X86_64, .args = {a, b, c}};
    return filter_simulate(p, &data, NULL);
}

Test(own, only_these_calls_leave_the_kernel)
{
    struct filter *f = filter_new();
    struct sock_fprog p = {0};
    struct err e = {0};
    cr_assert_eq(own_filter(&engine, f, &e), 0, "%s", e.text);
    cr_assert_eq(filter_build(f, &p, &e), 0, "%s", e.text);
    static const struct {
        long nr;
        uint64_t a, b, c;
        enum filter_action action;
    } cases[] = {
        {SYS_kill, 5, SIGTERM, 0, FILTER_NOTIFY},
        {SYS_kill, (uint32_t)-5, SIGTERM, 0, FILTER_NOTIFY},
        {SYS_kill, (uint32_t)-1, SIGTERM, 0, FILTER_NOTIFY},
        {SYS_kill, 0, SIGTERM, 0, FILTER_ALLOW},
        {SYS_kill, 5, 0, 0, FILTER_ALLOW},
        {SYS_prlimit64, 0, 7, 0, FILTER_ALLOW},
        {SYS_prlimit64, 9, 7, 0, FILTER_NOTIFY},
        {SYS_ptrace, PTRACE_CONT, 9, 0, FILTER_ALLOW},
        {SYS_ptrace, PTRACE_SEIZE, 9, 0, FILTER_NOTIFY},
        {SYS_setpriority, PRIO_PROCESS, 0, 5, FILTER_ALLOW},
        {SYS_setpriority, PRIO_USER, 9, 5, FILTER_ALLOW},
        {SYS_setpriority, PRIO_PGRP, 9, 5, FILTER_NOTIFY},
        {SYS_fcntl, 3, F_GETFD, 0, FILTER_ALLOW},
        {SYS_fcntl, 3, F_SETOWN, 9, FILTER_NOTIFY},
        {SYS_ioctl, 3, 0x5401, 0, FILTER_ALLOW},
        {SYS_setpgid, 9, 0, 0, FILTER_ALLOW},
        {SYS_setpgid, 0, 9, 0, FILTER_NOTIFY},
        {SYS_read, 9, 9, 9, FILTER_ALLOW},
        {SYS_getpid, 0, 0, 0, FILTER_ALLOW},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        cr_expect_eq(decision(&p, cases[i].nr, cases[i].a, cases[i].b, cases[i].c), cases[i].action,
                     "case %zu", i);
    cr_log_info("%u instructions", p.len);
    free(p.filter);
    filter_free(f);
}
