/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pin area in a live target: a child that this test traces, under a filter and a listener of the test's
 * own, and what a hostile one can do about it. */
#include "engine/inject.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/cleanup.h"
#include "filter/place.h"
#include "subject/memory.h"
#include "syscalls/table.h"

#define NR_MSEAL 462
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define PAGE 4096UL
#define NOBODY 65534

enum { RESULTS = 16 };

/* Shared with the child. */
struct stage {
    atomic_int listener; /* its descriptor in the child */
    atomic_int tid;      /* of the helper thread */
    atomic_int command;  /* for the helper; 0 when it has done it */
    atomic_int signals;
    uint64_t address; /* of the area */
    long results[RESULTS];
    long own; /* what its own call returned */
};

static struct stage *stage;

struct target {
    pid_t pid;
    int listener, stop[2];
    struct passes *passes;
    pthread_t worker;
    atomic_int asked; /* notifications of the child for which there was no pass */
};

/* --- the child --- */

typedef long call_fn(long nr);

/* syscall; ret and int $0x80; ret: in memory that may be written to. */
static unsigned char *code;
static const unsigned char call_x86_64[11] = {0x48, 0x89, 0xf8, 0x31, 0xff, 0x31, 0xf6, 0x0f, 0x05, 0xc3};
/* push rbx; mov eax, edi; xor ebx, ebx; xor ecx, ecx; int 0x80; pop rbx; ret */
static const unsigned char call_i386[11] = {0x53, 0x89, 0xf8, 0x31, 0xdb, 0x31, 0xc9, 0xcd, 0x80, 0x5b, 0xc3};

static long make_own_call(enum call_arch arch)
{
    memcpy(code, arch == ARCH_I386 ? call_i386 : call_x86_64, sizeof call_i386);
    return ((call_fn *)(void *)code)(arch == ARCH_I386 ? 96 : SYS_getpriority);
}

static int install(const struct sock_fprog *prog, unsigned flags)
{
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, prog);
}

/* The engine's number is notified, what `nrs` says goes to @action, the rest is allowed. */
static int install_own(const int *nrs, uint32_t action)
{
    struct sock_filter f[64] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PLACE_NR_AREA, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    unsigned short n = 3;
    for (; *nrs != 0; nrs++) {
        f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)*nrs, 0, 1);
        f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
    }
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return install(&(struct sock_fprog){.len = n, .filter = f}, SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static void on_signal(int signum)
{
    (void)signum;
    stage->signals++;
}

static void child_start(const int *nrs, uint32_t action)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)signal(SIGUSR1, on_signal);
    code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)ptrace(PTRACE_TRACEME, 0, 0, 0);
    stage->listener = install_own(nrs, action);
    (void)raise(SIGSTOP);
}

/* --- the parent --- */

static void *answer(void *context)
{
    struct target *t = context;
    struct pollfd fds[] = {{.fd = t->listener, .events = POLLIN}, {.fd = t->stop[0], .events = POLLIN}};
    while (poll(fds, 2, -1) > 0 && fds[1].revents == 0 && (fds[0].revents & POLLIN) != 0) {
        struct seccomp_notif req = {0};
        if (ioctl(t->listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0)
            continue;
        struct seccomp_notif_resp resp = {.id = req.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        struct seccomp_notif_addfd add = {
            .id = req.id, .flags = SECCOMP_ADDFD_FLAG_SEND, .newfd_flags = O_CLOEXEC};
        int fd = DEAD_FD;
        switch (passes_take(t->passes, (pid_t)req.pid, req.data.nr, (const uint64_t *)req.data.args, &fd)) {
        case PASS_ADDFD:
            add.srcfd = (uint32_t)fd;
            (void)ioctl(t->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
            continue;
        case PASS_NONE:
            t->asked++;
            if ((uint32_t)req.data.nr == PLACE_NR_AREA)
                resp = (struct seccomp_notif_resp){.id = req.id, .error = -ENOSYS};
            break;
        case PASS_CONTINUE:
            break;
        }
        (void)ioctl(t->listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
    }
    return NULL;
}

static int next_stop(struct target *t)
{
    int status = 0;
    cr_assert_eq(waitpid(t->pid, &status, __WALL), t->pid);
    cr_assert(WIFSTOPPED(status), "status %#x", (unsigned)status);
    return status;
}

static void options(struct target *t)
{
    cr_assert_eq(ptrace(PTRACE_SETOPTIONS, t->pid, 0,
                        PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL),
                 0);
}

/* Take the child over, which has stopped itself in child_start. */
static void take_over(struct target *t, pid_t pid)
{
    *t = (struct target){.pid = pid, .passes = passes_new()};
    int status = next_stop(t);
    cr_assert_eq(WSTOPSIG(status), SIGSTOP);
    cr_assert_geq(stage->listener, 0, "%s", strerror(errno));
    options(t);
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    t->listener = (int)syscall(SYS_pidfd_getfd, pidfd, (int)stage->listener, 0);
    cr_assert_geq(t->listener, 0);
    cr_assert_eq(pipe(t->stop), 0);
    cr_assert_eq(pthread_create(&t->worker, NULL, answer, t), 0);
}

static void let_go(struct target *t)
{
    (void)kill(t->pid, SIGKILL);
    while (waitpid(t->pid, NULL, __WALL) < 0 && errno == EINTR)
        ;
    (void)!write(t->stop[1], "", 1);
    pthread_join(t->worker, NULL);
    passes_free(t->passes);
    (void)close(t->listener);
}

/* On to its own call: @nr, at the entry or at the seccomp stop. */
static void to_own_call(struct target *t, uint64_t nr, bool at_filter)
{
    struct __ptrace_syscall_info info = {0};
    uint8_t wanted = at_filter ? PTRACE_SYSCALL_INFO_SECCOMP : PTRACE_SYSCALL_INFO_ENTRY;
    do {
        cr_assert_eq(ptrace(at_filter ? PTRACE_CONT : PTRACE_SYSCALL, t->pid, 0, 0), 0);
        (void)next_stop(t);
        cr_assert_gt(ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof info, &info), 0);
    } while (info.op != wanted || info.entry.nr != nr);
}

static struct user_regs_struct registers(const struct target *t)
{
    struct user_regs_struct regs;
    cr_assert_eq(ptrace(PTRACE_GETREGS, t->pid, 0, &regs), 0);
    return regs;
}

static uint64_t signal_mask(const struct target *t)
{
    uint64_t mask;
    cr_assert_eq(ptrace(PTRACE_GETSIGMASK, t->pid, sizeof mask, &mask), 0);
    return mask;
}

typedef void meddle(struct target *t, const struct injection *in);

/* The whole injection; @meddler looks at each stop first. */
static enum inject_next inject(struct target *t, struct injection *in, long nr, struct pin_area *area,
                               meddle *meddler)
{
    cr_assert_eq(inject_area(in, t->pid, nr, t->passes, area), 0);
    for (;;) {
        int status = next_stop(t);
        if (meddler != NULL)
            meddler(t, in);
        enum inject_next next = inject_stop(in, status);
        if (next == INJECT_DONE || next == INJECT_FAILED)
            return next;
        if (next == INJECT_NOT_OURS)
            (void)ptrace(PTRACE_SYSCALL, t->pid, 0, 0);
    }
}

static void become(uid_t uid)
{
    if (uid == 0 || geteuid() != 0)
        return;
    cr_assert(setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* our child is to be traced by us */
}

static void setup(void)
{
    stage = mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(stage != MAP_FAILED);
    stage->own = -1;
}

TestSuite(inject, .init = setup, .timeout = 60);

static struct pin_area *new_area(void)
{
    struct err e = {0};
    struct pin_area *area = pin_area_new(&e);
    cr_assert_not_null(area, "%s", e.text);
    return area;
}

/* --- it is there, and nothing else has changed --- */

struct way {
    const char *what;
    enum call_arch arch;
    bool at_filter;
    uint32_t action; /* of the filter for the injected calls */
};

static const struct way ways[] = {
    {"at the entry", ARCH_X86_64, false, SECCOMP_RET_ALLOW},
    {"at the entry, calls notified", ARCH_X86_64, false, SECCOMP_RET_USER_NOTIF},
    {"at the entry, calls traced", ARCH_X86_64, false, SECCOMP_RET_TRACE},
    {"at the filter's stop", ARCH_X86_64, true, SECCOMP_RET_TRACE},
    {"i386, at the entry", ARCH_I386, false, SECCOMP_RET_ALLOW},
    {"i386, at the entry, calls notified", ARCH_I386, false, SECCOMP_RET_USER_NOTIF},
    {"i386, at the filter's stop", ARCH_I386, true, SECCOMP_RET_TRACE},
};

static const int calls_x86_64[] = {SYS_mmap,  SYS_madvise,     NR_MSEAL, SYS_munmap,
                                   SYS_close, SYS_getpriority, 0};
static const int calls_i386[] = {192, 219, NR_MSEAL, 91, 6, 96, 0};

/* With TRACE its own call is asked about, too; else it would be a notification more. */
static void child_of(const struct way *w)
{
    int nrs[8] = {0};
    memcpy(nrs, w->arch == ARCH_I386 ? calls_i386 : calls_x86_64, sizeof calls_i386);
    if (w->action != SECCOMP_RET_TRACE)
        nrs[5] = 0;
    sigset_t some;
    (void)sigemptyset(&some);
    (void)sigaddset(&some, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &some, NULL);
    (void)setpriority(PRIO_PROCESS, 0, 7);
    child_start(nrs, w->action);
    stage->own = make_own_call(w->arch);
    int fd = open("/dev/null", O_RDONLY); /* the lowest one is free again */
    stage->results[0] = fd;
    (void)raise(SIGSTOP);
    _exit(0);
}

/* To the child's next stop by a signal. */
static void to_signal(struct target *t, int signum)
{
    int status;
    do {
        (void)ptrace(PTRACE_CONT, t->pid, 0, 0);
        status = next_stop(t);
    } while (status >> 16 != 0 || WSTOPSIG(status) != signum);
}

static void works(const struct way *w)
{
    struct target t;
    struct injection in;
    long nr = w->arch == ARCH_I386 ? 96 : SYS_getpriority;
    pid_t pid = fork();
    if (pid == 0)
        child_of(w);
    take_over(&t, pid);
    to_own_call(&t, (uint64_t)nr, w->at_filter);
    struct user_regs_struct before = registers(&t);
    uint64_t mask = signal_mask(&t);
    if (w->at_filter)
        cr_assert_eq(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L), 0);
    struct pin_area *area = new_area();
    cr_assert_eq(inject(&t, &in, nr, area, NULL), INJECT_DONE, "%s: %s", w->what, strerror(in.error));
    uint64_t address = pin_area_address(area);
    cr_expect(address > 0 && address + PIN_AREA_SIZE <= UINT64_C(1) << 32, "%s: %#lx", w->what, address);
    cr_expect_eq(pin_area_check(area, pid, address), 0, "%s", w->what);
    struct user_regs_struct after = registers(&t);
    cr_expect_eq(memcmp(&before, &after, sizeof before), 0, "%s: its registers", w->what);
    cr_expect_eq(signal_mask(&t), mask, "%s: its mask", w->what);
    cr_expect_eq(t.asked, 0, "%s: a pass for each", w->what);
    to_signal(&t, SIGSTOP);
    cr_expect_eq(stage->own, 20 - 7, "%s: its own call", w->what);
    cr_expect_eq(stage->results[0], stage->listener + 1, "%s: no descriptor is left there", w->what);
    let_go(&t);
    pin_area_unref(area);
}

static void all_ways(uid_t uid)
{
    become(uid);
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
        works(&ways[i]);
}

Test(inject, in_each_way)
{
    all_ways(0);
}

Test(inject, in_each_way_as_nobody)
{
    all_ways(NOBODY);
}

/* --- signals in the middle --- */

static int wakes;

/* A signal with a handler each time, and once in each step one that can't be blocked. */
static void signals_come(struct target *t, const struct injection *in)
{
    static unsigned stopped;
    (void)syscall(SYS_tgkill, t->pid, t->pid, SIGUSR1);
    if ((stopped >> in->step & 1) == 0) {
        stopped |= 1U << in->step;
        (void)kill(t->pid, SIGSTOP);
        (void)kill(t->pid, SIGCONT);
    }
    wakes++;
}

Test(inject, signals_wait)
{
    struct target t;
    struct injection in;
    pid_t pid = fork();
    if (pid == 0) {
        const int none[] = {0};
        child_start(none, 0);
        stage->own = make_own_call(ARCH_X86_64);
        _exit(0);
    }
    take_over(&t, pid);
    to_own_call(&t, SYS_getpriority, false);
    struct pin_area *area = new_area();
    (void)kill(pid, SIGSTOP); /* no notification is waited for with it: the call is made again */
    cr_assert_eq(inject(&t, &in, SYS_getpriority, area, signals_come), INJECT_DONE);
    cr_expect_gt(wakes, 10);
    cr_expect_eq(stage->signals, 0, "no handler has run in between");
    int status, deliver = 0;
    do {
        (void)ptrace(PTRACE_CONT, pid, 0, (unsigned long)deliver);
        cr_assert_eq(waitpid(pid, &status, __WALL), pid);
        deliver = WIFSTOPPED(status) && WSTOPSIG(status) == SIGUSR1 ? SIGUSR1 : 0;
    } while (WIFSTOPPED(status));
    cr_expect(WIFEXITED(status));
    cr_expect_eq(stage->signals, 1);
    cr_expect_eq(stage->own, 20);
    let_go(&t);
    pin_area_unref(area);
}

/* --- another thread interferes --- */

enum { DO_REPLACE = 1, DO_UNMAP, DO_WRITABLE, DO_CLOSE, DO_ANOTHER, DO_I386 };

/* All the same as the engine's, but for that the thread can write to it. */
static void map_another(char *area)
{
    int fd = memfd_create("idwrun", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (ftruncate(fd, PIN_AREA_SIZE - PAGE) == 0 &&
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0)
        (void)mmap(area, PIN_AREA_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);
}

static void other_thread_does(int command)
{
    char *area = (char *)(uintptr_t)stage->address; // NOLINT(performance-no-int-to-ptr)
    switch (command) {
    case DO_REPLACE:
        (void)mmap(area, PIN_AREA_SIZE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        break;
    case DO_UNMAP:
        (void)munmap(area + PAGE, PAGE);
        break;
    case DO_WRITABLE:
        (void)mmap(area + PIN_AREA_SIZE / 2, PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        break;
    case DO_ANOTHER:
        map_another(area);
        break;
    case DO_CLOSE: /* and another file in its place */
        (void)dup2(open("/proc/self/exe", O_RDONLY), (int)stage->results[1]);
        break;
    default:
        code[7] = 0xcd;
        code[8] = 0x80;
        break;
    }
}

static void *other_thread(void *context)
{
    stage->tid = gettid();
    for (;; (void)sched_yield())
        if (stage->command != 0) {
            other_thread_does(stage->command);
            stage->command = 0;
        }
    return context;
}

static const struct meddling {
    const char *what;
    unsigned step; /* when the thread stands at the exit of this step's call */
    int command;
    int error;
} meddlings[] = {
    {"another mapping in its place", 1, DO_REPLACE, EPERM},
    {"another mapping just before the seal", 3, DO_REPLACE, EPERM},
    {"a hole in it", 2, DO_UNMAP, ENOMEM},
    {"a writable page in it", 2, DO_WRITABLE, EPERM},
    {"another file for the descriptor", 0, DO_CLOSE, EPERM},
    {"another file of the same kind", 2, DO_ANOTHER, EPERM},
    {"another instruction", 1, DO_I386, EPERM},
};

static const struct meddling *meddling;
static bool meddled;

static void interfere(struct target *t, const struct injection *in)
{
    struct __ptrace_syscall_info info = {0};
    (void)ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof info, &info);
    if (meddled || info.op != PTRACE_SYSCALL_INFO_EXIT || in->step != meddling->step)
        return;
    meddled = true;
    stage->address = in->step == 1 ? (uint64_t)info.exit.rval : in->address;
    stage->results[1] = info.exit.rval;
    stage->command = meddling->command;
    while (stage->command != 0)
        (void)sched_yield();
}

static void fails(const struct meddling *m)
{
    struct target t;
    struct injection in;
    pid_t pid = fork();
    if (pid == 0) {
        const int none[] = {0};
        pthread_t other;
        child_start(none, 0);
        (void)pthread_create(&other, NULL, other_thread, NULL);
        while (stage->tid == 0)
            (void)sched_yield();
        stage->own = make_own_call(ARCH_X86_64);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    meddling = m;
    meddled = false;
    stage->tid = stage->command = 0;
    stage->own = -1;
    take_over(&t, pid);
    to_own_call(&t, SYS_getpriority, false);
    struct user_regs_struct before = registers(&t);
    struct pin_area *area = new_area();
    cr_expect_eq(inject(&t, &in, SYS_getpriority, area, interfere), INJECT_FAILED, "%s", m->what);
    cr_expect(meddled, "%s", m->what);
    cr_expect_eq(in.error, m->error, "%s: %s", m->what, strerror(in.error));
    cr_expect_eq(pin_area_address(area), 0, "%s", m->what);
    if (m->command == DO_I386)
        cr_expect_eq(in.step, m->step + 1, "no call was made with that instruction");
    struct user_regs_struct after = registers(&t);
    cr_expect_eq((long)after.orig_rax, m->command == DO_I386 ? -1L : SYS_getpriority, "%s", m->what);
    after.orig_rax = before.orig_rax;
    cr_expect_eq(memcmp(&before, &after, sizeof before), 0, "%s: its registers", m->what);
    let_go(&t);
    pin_area_unref(area);
}

Test(inject, another_thread_interferes)
{
    for (size_t i = 0; i < ARRAY_SIZE(meddlings); i++)
        fails(&meddlings[i]);
}

/* --- a filter of the target's own --- */

static void install_for_mseal(uint32_t action)
{
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_MSEAL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    (void)install(&(struct sock_fprog){.len = ARRAY_SIZE(f), .filter = f}, 0);
}

static void filter_says(uint32_t action, int error)
{
    struct target t;
    struct injection in;
    pid_t pid = fork();
    if (pid == 0) {
        const int none[] = {0};
        child_start(none, 0);
        install_for_mseal(action);
        stage->own = make_own_call(ARCH_X86_64);
        _exit(0);
    }
    take_over(&t, pid);
    to_own_call(&t, SYS_getpriority, false);
    struct pin_area *area = new_area();
    cr_expect_eq(inject(&t, &in, SYS_getpriority, area, NULL), INJECT_FAILED);
    cr_expect_eq(in.error, error, "%s", strerror(in.error));
    cr_expect_eq(pin_area_address(area), 0);
    char byte;
    cr_expect_lt(memory_read(pid, in.address, &byte, 1), 0, "it is not there any more");
    let_go(&t);
    pin_area_unref(area);
}

Test(inject, mseal_is_made_to_look_done)
{
    filter_says(SECCOMP_RET_ERRNO | 0, EPERM);
}

Test(inject, mseal_is_made_to_look_missing)
{
    filter_says(SECCOMP_RET_ERRNO | ENOSYS, ENOSYS);
}

/* We have none either: then the area is there, and whoever uses it must look at it again each time. */
Test(inject, a_kernel_without_mseal)
{
    struct target t;
    struct injection in;
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    install_for_mseal(SECCOMP_RET_ERRNO | ENOSYS);
    cr_assert_not(pin_can_seal());
    pid_t pid = fork();
    if (pid == 0) {
        const int none[] = {0};
        child_start(none, 0);
        stage->own = make_own_call(ARCH_X86_64);
        char *area = (char *)stage->address; // NOLINT(performance-no-int-to-ptr)
        (void)mprotect(area + PAGE, PAGE, PROT_NONE);
        (void)raise(SIGSTOP);
        (void)mprotect(area + PAGE, PAGE, PROT_READ);
        (void)raise(SIGSTOP);
        (void)mmap(area + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    take_over(&t, pid);
    to_own_call(&t, SYS_getpriority, false);
    struct pin_area *area = new_area();
    cr_assert_eq(inject(&t, &in, SYS_getpriority, area, NULL), INJECT_DONE, "%s", strerror(in.error));
    stage->address = pin_area_address(area);
    const int expected[] = {-EPERM, 0, -EPERM};
    cr_expect_eq(pin_area_check(area, pid, stage->address), 0);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        to_signal(&t, SIGSTOP);
        cr_expect_eq(pin_area_check(area, pid, stage->address), expected[i], "%zu", i);
    }
    let_go(&t);
    pin_area_unref(area);
}

/* --- what a thread can do about an area that is there --- */

static long from_file(char *area)
{
    int fd = open("/proc/self/mem", O_RDWR);
    return pwrite(fd, "x", 1, (off_t)(uintptr_t)area);
}

static long from_vm_writev(char *area)
{
    char byte = 'x';
    struct iovec here = {&byte, 1}, there = {area, 1};
    return syscall(SYS_process_vm_writev, getpid(), &here, 1UL, &there, 1UL, 0UL);
}

/* Whoever is asked for missing pages would fill them. */
static long watch_faults(char *area, uint64_t mode)
{
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register range = {{(uintptr_t)area, PIN_AREA_SIZE}, mode, 0};
    return fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 ? -1 : ioctl(fd, UFFDIO_REGISTER, &range);
}

/* Each in the target's own words; a negative result is a failure, the others may do what they do. */
static void attack(char *area)
{
    long *r = stage->results;
    r[0] = mprotect(area, PAGE, PROT_READ | PROT_WRITE);
    r[1] = munmap(area, PAGE);
    r[2] =
        mmap(area, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED
            ? -1
            : 0;
    r[3] = mremap(area, PIN_AREA_SIZE, PAGE, 0) == MAP_FAILED ? -1 : 0;
    r[4] = mremap(code, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, area) == MAP_FAILED ? -1 : 0;
    r[5] = from_file(area);
    r[6] = from_vm_writev(area);
    r[7] = madvise(area, PAGE, MADV_REMOVE);
    r[8] = syscall(SYS_pkey_mprotect, area, PAGE, PROT_READ | PROT_WRITE, -1);
    r[9] = syscall(SYS_remap_file_pages, area, PAGE, 0, 1UL, 0);
    r[10] = watch_faults(area, UFFDIO_REGISTER_MODE_MISSING);
    r[11] = watch_faults(area, UFFDIO_REGISTER_MODE_WP);
    (void)madvise(area, PIN_AREA_SIZE, MADV_DONTNEED);
    (void)madvise(area, PAGE, MADV_PAGEOUT);
    (void)madvise(area, PAGE, MADV_FREE);
}

static void holds(uid_t uid)
{
    struct target t;
    struct injection in;
    become(uid);
    pid_t pid = fork();
    if (pid == 0) {
        const int none[] = {0};
        child_start(none, 0);
        stage->own = make_own_call(ARCH_X86_64);
        attack((char *)(uintptr_t)stage->address); // NOLINT(performance-no-int-to-ptr)
        (void)raise(SIGSTOP);
        _exit(0);
    }
    take_over(&t, pid);
    to_own_call(&t, SYS_getpriority, false);
    struct pin_area *area = new_area();
    cr_assert_eq(inject(&t, &in, SYS_getpriority, area, NULL), INJECT_DONE);
    struct idw_event ev;
    struct pin p;
    uint8_t changed = 0;
    uint64_t regs[6] = {(uint64_t)(uintptr_t) "judged"};
    event_init(&ev, NULL, getpid(), call_by_name("chdir"), regs);
    (void)event_memory(&ev, &ev.call->args[0]);
    cr_assert_eq(pin_arguments(&p, area, &ev, regs, &changed), 0);
    stage->address = regs[0] & ~(PAGE - 1);
    to_signal(&t, SIGSTOP);
    for (int i = 0; i < 12; i++)
        cr_expect_lt(stage->results[i], 0, "attack %d", i);
    char text[7];
    cr_expect_eq(memory_read(pid, regs[0], text, sizeof text), (ssize_t)sizeof text);
    cr_expect_str_eq(text, "judged");
    cr_expect_eq(pin_area_check(area, pid, pin_area_address(area)), 0);
    cr_expect_lt(ptrace(PTRACE_POKEDATA, pid, regs[0], 0x78787878L), 0, "a tracer of its own");
    pin_release(&p);
    event_clear(&ev);
    let_go(&t);
    pin_area_unref(area);
}

Test(inject, the_area_can_not_be_changed)
{
    holds(0);
}

Test(inject, the_area_can_not_be_changed_by_nobody)
{
    holds(NOBODY);
}

/* --- the call that it is for --- */

static char flipping[64];

static void *flip(void *context)
{
    for (;;) {
        memcpy(flipping, "/nowhere", 9);
        atomic_signal_fence(memory_order_seq_cst); /* both are to be written */
        memcpy(flipping, "/dev/zero", 10);
        atomic_signal_fence(memory_order_seq_cst);
    }
    return context;
}

/* The kernel uses what was judged, however often the argument changes meanwhile. */
Test(inject, the_kernel_reads_what_was_judged)
{
    enum { ROUNDS = 3000 };
    struct target t;
    struct injection in;
    pid_t pid = fork();
    if (pid == 0) {
        const int traced[] = {SYS_access, 0};
        pthread_t other;
        child_start(traced, SECCOMP_RET_TRACE);
        (void)pthread_create(&other, NULL, flip, NULL);
        for (int i = 0; i < ROUNDS; i++)
            (void)access(flipping, F_OK);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    take_over(&t, pid);
    struct pin_area *area = new_area();
    int good = 0, wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        to_own_call(&t, SYS_access, true);
        struct user_regs_struct regs = registers(&t);
        uint64_t own[6] = {regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9}, args[6];
        struct idw_event ev;
        struct pin p;
        uint8_t changed = 0;
        event_init(&ev, NULL, pid, call_by_name("access"), own);
        const struct event_copy *c = event_memory(&ev, &ev.call->args[0]);
        cr_assert(c->data != NULL && pin_wanted(&ev));
        if (i == 0) {
            cr_assert_eq(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L), 0);
            cr_assert_eq(inject(&t, &in, SYS_access, area, NULL), INJECT_DONE);
            to_own_call(&t, SYS_access, true);
        }
        bool there = strcmp(c->data, "/dev/zero") == 0;
        good += there;
        memcpy(args, own, sizeof args);
        cr_assert_eq(pin_arguments(&p, area, &ev, args, &changed), 0);
        cr_assert_eq(changed, 1);
        regs = registers(&t);
        regs.rdi = args[0];
        cr_assert_eq(ptrace(PTRACE_SETREGS, pid, 0, &regs), 0);
        (void)sched_yield();                                /* the other thread's turn */
        cr_assert_eq(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0); /* to its exit */
        (void)next_stop(&t);
        regs = registers(&t);
        wrong += ((long)regs.rax == 0) != there;
        regs.rdi = own[0];
        cr_assert_eq(ptrace(PTRACE_SETREGS, pid, 0, &regs), 0);
        pin_release(&p);
        event_clear(&ev);
    }
    to_signal(&t, SIGSTOP);
    cr_expect_eq(wrong, 0, "of %d", ROUNDS);
    cr_expect(good > 0 && good < ROUNDS, "the other thread was at work: %d", good);
    let_go(&t);
    pin_area_unref(area);
}
