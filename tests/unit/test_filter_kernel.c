/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's word on it: filters at work, and the simulator against the kernel on random programs. Without
 * tracer and listener, RET_TRACE and RET_USER_NOTIF both are ENOSYS (seccomp(2)).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "filter/simulate.h"
#include "filter_random.h"

/* What a child found out, written without a call to the kernel. */
struct finding {
    long results[8];
    int installed; /* 0: not tried, 1: taken, -1: refused */
};

static struct finding *shared(void)
{
    struct finding *f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(f, MAP_FAILED);
    return f;
}

/* No errno and no libc: after the filter is in, every call may be another one than it was. */
static long raw(uint32_t nr, const uint64_t *a)
{
    register uint64_t r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((uint64_t)nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* The kernel takes 32 bits of each; a 64-bit program can leave anything above them. */
static long raw_i386(uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
    long result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(nr), "b"(a), "c"(b), "d"(c)
                     : "r8", "r9", "r10", "r11", "memory");
    return (int)result;
}

/* In a child: never returns, however little the filter allows. */
static void install_and(const struct sock_fprog *prog, struct finding *f,
                        void (*then)(struct finding *, void *), void *context)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGTRAP, SIGABRT};

    /* A sanitizer's handlers would make calls that the filter may not leave them. */
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        (void)signal(faults[i], SIG_DFL);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* dying is normal here: no core files */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        f->installed = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, prog) == 0 ? 1 : -1;
    if (f->installed == 1)
        then(f, context);
    (void)raw(SYS_exit_group, (uint64_t[6]){0});
    /* Not __builtin_trap, nor anything else that the compiler knows not to return: ASan makes calls ahead of
     * it. */
    for (;;)
        __asm__ volatile("ud2");
}

static int in_child(const struct sock_fprog *prog, struct finding *f, void (*then)(struct finding *, void *),
                    void *context)
{
    int status;
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (pid == 0)
        install_and(prog, f, then, context);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return status;
}

static void make_calls(struct finding *f, void *context)
{
    const char *file = context;

    f->results[0] = raw(SYS_getppid, (uint64_t[6]){0});
    f->results[1] = raw(SYS_openat, (uint64_t[6]){(uint64_t)AT_FDCWD, (uintptr_t)file, O_RDONLY});
    f->results[2] =
        raw(SYS_openat, (uint64_t[6]){(uint64_t)AT_FDCWD, (uintptr_t)file, 0xbad00000000 | O_WRONLY});
    f->results[3] = raw(SYS_lseek, (uint64_t[6]){(uint64_t)f->results[1], 5, SEEK_SET});
    f->results[4] = raw(SYS_lseek, (uint64_t[6]){(uint64_t)f->results[1], (uint64_t)-1, SEEK_END});
    f->results[5] = raw(0x40000000 | SYS_getppid, (uint64_t[6]){0});
    f->results[6] = raw(SYS_io_uring_setup, (uint64_t[6]){0});
    f->results[7] = raw(UINT32_MAX, (uint64_t[6]){0});
}

Test(filter_kernel, lets_through_and_stops_what_it_should)
{
    static const struct idw_term writing[] = {CALLS(0), MASKED(CALL_NAME_flags, O_ACCMODE, NE, O_RDONLY),
                                              AND};
    static const struct idw_term backwards[] = {CALLS(1), CMP(offset, LT, 0), AND};
    struct idw_call_set sets[] = {set_of("open"), set_of("lseek")};
    struct idw_clause first = {.terms = writing, .n_terms = 3, .sets = sets, .n_sets = 2};
    struct idw_clause second = {.terms = backwards, .n_terms = 3, .sets = sets, .n_sets = 2};
    _cleanup_filter_ struct filter *f = filter_new();
    _cleanup_program_ struct sock_fprog prog = {0};
    struct finding *found = shared();
    char file[] = "/proc/self/exe";

    cr_assert_eq(filter_add_clause(f, &first, FILTER_TRACE, NULL), 0);
    cr_assert_eq(filter_add_clause(f, &second, FILTER_NOTIFY, NULL), 0);
    cr_assert_eq(filter_build(f, &prog, NULL), 0);
    int status = in_child(&prog, found, make_calls, file);
    cr_assert(WIFEXITED(status) && found->installed == 1, "status %#x", (unsigned)status);
    cr_expect_eq(found->results[0], getpid());
    cr_expect_geq(found->results[1], 0);
    cr_expect_eq(found->results[2], -ENOSYS);
    cr_expect_eq(found->results[3], 5);
    cr_expect_eq(found->results[4], -ENOSYS);
    cr_expect_eq(found->results[5], -ENOSYS);
    cr_expect_eq(found->results[6], -ENOSYS);
    cr_expect_eq(found->results[7], -ENOSYS);
    (void)munmap(found, sizeof(*found));
}

#define POISON (UINT64_C(0xdeadbeef) << 32)

static void make_i386_calls(struct finding *f, void *context)
{
    (void)context;
    f->results[0] = raw_i386(20, 0, 0, 0);                      /* getpid */
    f->results[1] = raw_i386(222, 0, 0, 0);                     /* nobody's */
    f->results[2] = raw_i386(6, POISON | 99, 0, 0);             /* close */
    f->results[3] = raw_i386(6, POISON | 98, 0, 0);             /* close */
    f->results[4] = raw_i386(19, POISON | 98, POISON | -1u, 0); /* lseek, backwards */
    f->results[5] = raw_i386(19, POISON | 98, 1, 0);            /* lseek */
    f->results[6] = raw_i386(102, POISON | 3, 0, 0);            /* socketcall: connect */
    f->results[7] = raw_i386(102, POISON | 2, 0, 0);            /* socketcall: bind */
}

/* Where the kernel has i386 calls at all; without them int $0x80 is a fault, and so it stays. */
Test(filter_kernel, i386_calls_are_decided)
{
    struct idw_term closing[] = {CALLS(0), CMP(fd, EQ, 99), AND};
    struct idw_term backwards[] = {CALLS(1), CMP(offset, LT, 0), AND};
    struct idw_term connecting[] = {CALLS(2)};
    struct idw_call_set sets[] = {set_of("close"), set_of("lseek"), set_of("connect")};
    struct idw_clause clauses[] = {
        {.terms = closing, .n_terms = 3, .sets = sets, .n_sets = 3},
        {.terms = backwards, .n_terms = 3, .sets = sets, .n_sets = 3},
        {.terms = connecting, .n_terms = 1, .sets = sets, .n_sets = 3},
    };
    static const long without[] = {0, -ENOSYS, -EBADF, -EBADF, -EBADF, -EBADF, -EFAULT, -EFAULT};
    static const long with[] = {0, -ENOSYS, -ENOSYS, -EBADF, -ENOSYS, -EBADF, -ENOSYS, -EFAULT};
    struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    _cleanup_filter_ struct filter *f = filter_new();
    _cleanup_program_ struct sock_fprog prog = {0};
    struct finding *bare = shared(), *filtered = shared();

    for (size_t i = 0; i < ARRAY_SIZE(clauses); i++)
        cr_assert_eq(filter_add_clause(f, &clauses[i], FILTER_TRACE, NULL), 0);
    cr_assert_eq(filter_build(f, &prog, NULL), 0);
    int before = in_child(&(struct sock_fprog){.len = 1, .filter = &all}, bare, make_i386_calls, NULL);
    int after = in_child(&prog, filtered, make_i386_calls, NULL);
    cr_assert(bare->installed == 1 && filtered->installed == 1);
    cr_expect_eq(before, after);
    for (size_t i = 0; WIFEXITED(before) && i < ARRAY_SIZE(with); i++) {
        bool is_pid = i == 0; /* of two children */
        cr_expect(is_pid ? bare->results[i] > 0 : bare->results[i] == without[i], "%zu: %ld", i,
                  bare->results[i]);
        cr_expect(is_pid ? filtered->results[i] > 0 : filtered->results[i] == with[i], "%zu: %ld", i,
                  filtered->results[i]);
    }
    (void)munmap(bare, sizeof(*bare));
    (void)munmap(filtered, sizeof(*filtered));
}

/* @left: instructions behind this one. Words of the data that differ from run to run are not read. */
static struct sock_filter random_instruction(uint64_t *state, unsigned left)
{
    static const uint8_t words[] = {0, 4, 16, 20, 24, 28, 32, 36, 56, 60};
    static const uint16_t alu[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND,
                                   BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH};
    static const uint16_t jumps[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
    static const uint16_t plain[] = {BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA, BPF_ALU | BPF_NEG,
                                     BPF_LD | BPF_LEN,   BPF_LDX | BPF_LEN,  BPF_LD | BPF_IMM,
                                     BPF_LDX | BPF_IMM};
    uint16_t x = below(state, 2) == 0 ? BPF_X : BPF_K;
    uint32_t k = (uint32_t)random_value(state);

    switch (below(state, 8)) {
    case 0:
        return (struct sock_filter)BPF_STMT((uint16_t)(BPF_ALU | x | alu[below(state, ARRAY_SIZE(alu))]),
                                            below(state, 2) == 0 ? 1 + below(state, 31) : k);
    case 1:
        return (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | x | jumps[below(state, ARRAY_SIZE(jumps))]),
                                            k, (uint8_t)below(state, left), (uint8_t)below(state, left));
    case 2:
        return (struct sock_filter)BPF_STMT(plain[below(state, ARRAY_SIZE(plain))], k);
    case 3: /* now and then a slot that nothing was written to, or that isn't there */
        return (struct sock_filter)BPF_STMT(x ? BPF_LD | BPF_MEM : BPF_LDX | BPF_MEM,
                                            below(state, below(state, 8) == 0 ? 20 : 2));
    case 4:
        return (struct sock_filter)BPF_STMT(x ? BPF_ST : BPF_STX, below(state, 4));
    case 5:
        return (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, below(state, left > 3 ? 3 : left));
    default:
        return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, words[below(state, ARRAY_SIZE(words))]);
    }
}

/*
 * A program that the kernel takes more often than not. Most end in an errno that shows what A was; the others
 * return A as it is, whatever that does to the child.
 */
static unsigned random_program(uint64_t *state, struct sock_filter *code, unsigned room)
{
    unsigned n = 6 + below(state, room - 6);

    code[0] = (struct sock_filter)BPF_STMT(BPF_ST, 0);
    code[1] = (struct sock_filter)BPF_STMT(BPF_STX, 1);
    for (unsigned i = 2; i < n - 1; i++)
        code[i] = random_instruction(state, n - i - 1);
    code[n - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
    if (below(state, 8) != 0) {
        code[n - 3] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff);
        code[n - 2] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO);
    }
    if (below(state, 8) == 0) /* any instruction at all */
        code[below(state, n)] = (struct sock_filter){(uint16_t)below(state, 300), (uint8_t)below(state, 9),
                                                     (uint8_t)below(state, 9), below(state, 70)};
    return n;
}

static void call_getppid(struct finding *f, void *context)
{
    f->results[0] = raw(SYS_getppid, context);
    f->results[1] = 1; /* came back */
}

/* What getppid gives under a filter that returns @ret. Without a tracer or listener: see above. */
static long outcome(uint32_t ret)
{
    uint32_t value = ret & SECCOMP_RET_DATA;

    switch (ret & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return getpid();
    case SECCOMP_RET_ERRNO:
        return -(long)(value > 4095 ? 4095 : value);
    default:
        return -ENOSYS;
    }
}

static bool deadly(uint32_t ret)
{
    uint32_t action = ret & SECCOMP_RET_ACTION_FULL;

    return action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG && action != SECCOMP_RET_ERRNO &&
           action != SECCOMP_RET_TRACE && action != SECCOMP_RET_USER_NOTIF;
}

Test(filter_kernel, simulator_agrees_with_the_kernel)
{
    uint64_t state = 0x5eed5eed;
    unsigned taken = 0, refused = 0, returned = 0;

    for (unsigned i = 0; i < 600; i++) {
        struct sock_filter code[40];
        unsigned n = random_program(&state, code, ARRAY_SIZE(code));
        struct sock_fprog prog = {.len = (unsigned short)n, .filter = code};
        uint64_t args[6];

        for (size_t k = 0; k < ARRAY_SIZE(args); k++)
            args[k] = random_value(&state);
        struct finding *found = shared();
        (void)in_child(&prog, found, call_getppid, args);
        cr_assert_neq(found->installed, 0);
        cr_assert_eq(found->installed == 1, simulate_valid(&prog), "program %u: kernel %s it", i,
                     found->installed == 1 ? "takes" : "refuses");
        if (found->installed == 1) {
            struct seccomp_data d = data_of(SYS_getppid, args);
            uint32_t ret = simulate_run(&prog, &d);

            cr_assert_eq(found->results[1] == 0, deadly(ret), "program %u returns %#x", i, ret);
            if (found->results[1] == 1)
                cr_assert_eq(found->results[0], outcome(ret), "program %u returns %#x, getppid %ld", i, ret,
                             found->results[0]);
            returned += found->results[1] == 1;
        }
        taken += found->installed == 1;
        refused += found->installed == -1;
        (void)munmap(found, sizeof(*found));
    }
    cr_expect(taken > 100 && refused > 50 && returned > 100, "taken %u, refused %u, returned %u", taken,
              refused, returned);
}
