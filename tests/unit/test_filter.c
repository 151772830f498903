/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include "filter_terms.h"

/* One call, and what a filter says of it. */
struct probe {
    const char *call;
    uint64_t args[6];
    enum filter_action want;
};

struct sample {
    const char *what;
    const char *calls; /* the clause's one set */
    struct idw_term terms[12];
    enum filter_backend fits; /* LIBSECCOMP: both can build it; BPF: libseccomp cannot */
    struct probe probes[10];
};

#define HIGH 0xdeadbeef00000000u /* what a hostile caller leaves in the half that the kernel ignores */
#define A FILTER_ALLOW
#define T FILTER_TRACE

static const struct sample samples[] = {
    {"every call of a family, whatever its arguments",
     "stat",
     {CALLS(0)},
     FILTER_BACKEND_LIBSECCOMP,
     {{"stat", {0}, T}, {"newfstatat", {1, 2, 3, 4}, T}, {"openat", {0}, A}, {"read", {0}, A}}},

    {"a mask: opened for reading; memory may match, creat cannot",
     "open",
     {CALLS(0), MASKED(CALL_NAME_flags, O_ACCMODE, EQ, O_RDONLY), AND},
     FILTER_BACKEND_LIBSECCOMP,
     {{"open", {1, O_RDONLY}, T},
      {"open", {1, O_RDONLY | O_CLOEXEC | HIGH}, T},
      {"open", {1, O_WRONLY}, A},
      {"openat", {AT_FDCWD, 1, O_NONBLOCK}, T},
      {"openat", {AT_FDCWD, 1, O_RDWR | O_CREAT}, A},
      {"openat2", {1, 2, 3, 24}, T},
      {"creat", {1, 0600}, A}}},

    {"a bit that is set",
     "mmap",
     {CALLS(0), MASKED(CALL_NAME_prot, PROT_EXEC, NE, 0), AND},
     FILTER_BACKEND_LIBSECCOMP,
     {{"mmap", {0, 4096, PROT_READ}, A}, {"mmap", {0, 4096, PROT_READ | PROT_EXEC}, T}}},

    {"32 bits with a sign: the high half is nobody's",
     "fchdir",
     {CALLS(0), CMP(fd, LT, 0), AND},
     FILTER_BACKEND_BPF,
     {{"fchdir", {0}, A},
      {"fchdir", {HIGH}, A},
      {"fchdir", {0x7fffffff}, A},
      {"fchdir", {0x80000000}, T},
      {"fchdir", {0xffffffff}, T},
      {"fchdir", {UINT64_MAX}, T},
      {"fchdir", {0x180000000}, T}}},

    {"32 bits equal, negative",
     "openat",
     {CALLS(0), CMP(dirfd, EQ, AT_FDCWD), AND},
     FILTER_BACKEND_LIBSECCOMP,
     {{"openat", {(uint32_t)AT_FDCWD}, T},
      {"openat", {(uint64_t)AT_FDCWD}, T},
      {"openat", {HIGH | (uint32_t)AT_FDCWD}, T},
      {"openat", {3}, A}}},

    {"64 bits without a sign",
     "mmap",
     {CALLS(0), CMP(len, GT, 0x100000000), AND},
     FILTER_BACKEND_LIBSECCOMP,
     {{"mmap", {0, 0xffffffff}, A},
      {"mmap", {0, 0x100000000}, A},
      {"mmap", {0, 0x100000001}, T},
      {"mmap", {0, 0x200000000}, T},
      {"mmap", {0, UINT64_MAX}, T}}},

    {"64 bits with a sign, across the halves",
     "lseek",
     {CALLS(0), CMP(offset, GE, -0x100000000), CMP(offset, LT, 0x80000000), AND, AND},
     FILTER_BACKEND_BPF,
     {{"lseek", {0, (uint64_t)-0x100000001}, A},
      {"lseek", {0, (uint64_t)-0x100000000}, T},
      {"lseek", {0, UINT64_MAX}, T},
      {"lseek", {0, 0}, T},
      {"lseek", {0, 0x7fffffff}, T},
      {"lseek", {0, 0x80000000}, A},
      {"lseek", {0, 0x100000000}, A},
      {"lseek", {0, INT64_MAX}, A},
      {"lseek", {0, (uint64_t)INT64_MIN}, A}}},

    {"NOT of what is unknown is unknown",
     "openat fchdir",
     {CALLS(0),
      STR(path, GLOB,
          "/etc/"
          "*"),
      ATTR(uid, EQ, 0), OR, NOT, AND},
     FILTER_BACKEND_LIBSECCOMP,
     {{"openat", {0}, T}, {"fchdir", {0}, T}}},

    {"a comparison of what a call hasn't is false, so NOT of it is true",
     "openat fchdir",
     {CALLS(0), CMP(fd, NE, 5), AND},
     FILTER_BACKEND_BPF,
     {{"openat", {4}, A}, {"fchdir", {4}, T}, {"fchdir", {5}, A}}},
    {"the same with NOT",
     "openat fchdir",
     {CALLS(0), CMP(fd, NE, 5), NOT, STR(path, EQ, "x"), NOT, AND, AND},
     FILTER_BACKEND_LIBSECCOMP,
     {{"openat", {4}, T}, {"fchdir", {4}, A}, {"fchdir", {5}, T}}},

    {"calls that a characterisation excludes",
     "read",
     {CALLS(0), NOT},
     FILTER_BACKEND_LIBSECCOMP,
     {{"read", {0}, A}, {"write", {0}, T}, {"exit_group", {0}, T}}},

    {"several values of one argument",
     "socket",
     {CALLS(0), CMP(domain, EQ, 2), CMP(domain, EQ, 10), OR, AND},
     FILTER_BACKEND_LIBSECCOMP,
     {{"socket", {2}, T}, {"socket", {HIGH | 10, 3}, T}, {"socket", {1}, A}, {"socket", {0}, A}}},

    {"alternatives of two arguments",
     "socket",
     {CALLS(0), CMP(domain, EQ, 2), CMP(domain, EQ, 10), OR, CMP(protocol, EQ, 17), AND, AND},
     FILTER_BACKEND_BPF,
     {{"socket", {2, 3, 17}, T},
      {"socket", {10, 3, 17}, T},
      {"socket", {1, 3, 17}, A},
      {"socket", {2, 3, 6}, A},
      {"socket", {HIGH | 10, HIGH, HIGH | 17}, T}}},

    {"one argument twice: not a rule of libseccomp's",
     "socket",
     {CALLS(0), CMP(domain, GE, 2), CMP(domain, LE, 10), AND, AND},
     FILTER_BACKEND_BPF,
     {{"socket", {1}, A},
      {"socket", {2}, T},
      {"socket", {10}, T},
      {"socket", {11}, A},
      {"socket", {HIGH}, A}}},
};

static unsigned terms_of(const struct sample *s)
{
    unsigned n = ARRAY_SIZE(s->terms);

    while (n > 1 && s->terms[n - 1].op == IDW_OP_CALLS && s->terms[n - 1].mask == 0)
        n--; /* what the initialiser left: CALLS in front only */
    return n;
}

static void check_sample(const struct sample *s, enum filter_backend backend)
{
    struct idw_call_set set = set_of(s->calls);
    struct idw_clause clause = {.terms = s->terms, .n_terms = terms_of(s), .sets = &set, .n_sets = 1};
    _cleanup_filter_ struct filter *f = filter_new();
    _cleanup_program_ struct sock_fprog prog = {0};
    struct err e = {0};

    cr_assert_eq(filter_add_clause(f, &clause, FILTER_TRACE, &e), 0, "%s: %s", s->what, e.text);
    int r = filter_build_with(f, backend, &prog, NULL, &e);
    if (backend == FILTER_BACKEND_LIBSECCOMP && s->fits == FILTER_BACKEND_BPF) {
        cr_expect_eq(r, -ENOTSUP, "%s: libseccomp is not expected to express this", s->what);
        return;
    }
    cr_assert_eq(r, 0, "%s: %s", s->what, e.text);
    for (const struct probe *p = s->probes; p < s->probes + ARRAY_SIZE(s->probes) && p->call != NULL; p++) {
        struct seccomp_data d = data_of(nr_of(p->call), p->args);

        cr_expect_eq(filter_simulate(&prog, &d, NULL), p->want, "%s (back end %d): %s(%#lx, %#lx, %#lx)",
                     s->what, (int)backend, p->call, p->args[0], p->args[1], p->args[2]);
    }
}

Test(filter, decides_on_calls_and_registers)
{
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
        for (enum filter_backend b = FILTER_BACKEND_ANY; b <= FILTER_BACKEND_BPF; b++)
            check_sample(&samples[i], b);
}

/* Whatever the wrappers say. */
Test(filter, denies_foreign_calls_and_io_uring)
{
    static const struct {
        uint32_t arch, nr;
        enum filter_action want;
    } probes[] = {
        {AUDIT_ARCH_X86_64, 0, FILTER_ALLOW},
        {AUDIT_ARCH_X86_64, 39, FILTER_TRACE},
        {AUDIT_ARCH_X86_64, 0x3fffffff, FILTER_ALLOW},
        {AUDIT_ARCH_X86_64, 0x40000000, FILTER_DENY},
        {AUDIT_ARCH_X86_64, 0x40000000 | 39, FILTER_DENY},
        {AUDIT_ARCH_X86_64, 0x80000000, FILTER_DENY},
        {AUDIT_ARCH_X86_64, 0xfffffffe, FILTER_DENY},
        {AUDIT_ARCH_X86_64, 0xffffffff, FILTER_ALLOW}, /* a tracer took the call away */
        {AUDIT_ARCH_X86_64, 425, FILTER_DENY},
        {AUDIT_ARCH_X86_64, 426, FILTER_DENY},
        {AUDIT_ARCH_X86_64, 427, FILTER_DENY},
        {AUDIT_ARCH_I386, 20, FILTER_TRACE},
        {AUDIT_ARCH_I386, 39, FILTER_ALLOW},
        {AUDIT_ARCH_I386, 222, FILTER_DENY},
        {AUDIT_ARCH_I386, 425, FILTER_DENY},
        {AUDIT_ARCH_I386, 426, FILTER_DENY},
        {AUDIT_ARCH_I386, 427, FILTER_DENY},
        {AUDIT_ARCH_I386, 469, FILTER_ALLOW},
        {AUDIT_ARCH_I386, 470, FILTER_DENY},
        {AUDIT_ARCH_I386, 0x40000000 | 20, FILTER_DENY},
        {AUDIT_ARCH_I386, 0xffffffff, FILTER_ALLOW},
        {AUDIT_ARCH_AARCH64, 39, FILTER_DENY},
        {0, 0, FILTER_DENY},
    };
    _cleanup_filter_ struct filter *f = filter_new();

    cr_assert_eq(filter_add_call(f, (unsigned)call_id(call_by_name("getpid")), FILTER_TRACE, NULL), 0);
    cr_assert_eq(filter_add_call(f, (unsigned)call_id(call_by_name("io_uring_enter")), FILTER_TRACE, NULL),
                 0);
    for (enum filter_backend b = FILTER_BACKEND_LIBSECCOMP; b <= FILTER_BACKEND_BPF; b++) {
        _cleanup_program_ struct sock_fprog prog = {0};

        cr_assert_eq(filter_build_with(f, b, &prog, NULL, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
            struct seccomp_data d = {.nr = (int)probes[i].nr, .arch = probes[i].arch};
            int errnum = 0;

            cr_expect_eq(filter_simulate(&prog, &d, &errnum), probes[i].want, "back end %d: arch %#x nr %#x",
                         (int)b, probes[i].arch, probes[i].nr);
            cr_expect_eq(errnum, probes[i].want == FILTER_DENY ? ENOSYS : 0);
        }
    }
}

Test(filter, strongest_of_all_rules_holds)
{
    static const struct {
        uint64_t flags;
        enum filter_action want;
    } probes[] = {{O_RDONLY, FILTER_NOTIFY}, {O_WRONLY, FILTER_TRACE}, {O_RDWR, FILTER_ALLOW}};
    static const struct idw_term reading[] = {CALLS(0), MASKED(CALL_NAME_flags, O_RDWR, EQ, 0), AND};
    static const struct idw_term writing[] = {CALLS(0), MASKED(CALL_NAME_flags, O_WRONLY, NE, 0), AND};
    struct idw_call_set set = set_of("openat");
    struct idw_clause reads = {.terms = reading, .n_terms = 3, .sets = &set, .n_sets = 1};
    struct idw_clause writes = {.terms = writing, .n_terms = 3, .sets = &set, .n_sets = 1};
    _cleanup_filter_ struct filter *f = filter_new();
    _cleanup_program_ struct sock_fprog prog = {0};

    cr_expect(filter_uses(f, FILTER_NOTIFY) && !filter_uses(f, FILTER_TRACE));
    cr_assert_eq(filter_add_clause(f, &reads, FILTER_NOTIFY, NULL), 0);
    cr_expect(filter_uses(f, FILTER_NOTIFY) && !filter_uses(f, FILTER_TRACE));
    cr_assert_eq(filter_add_clause(f, &writes, FILTER_TRACE, NULL), 0);
    cr_expect(filter_uses(f, FILTER_TRACE));
    cr_expect_eq(filter_build_with(f, FILTER_BACKEND_LIBSECCOMP, &prog, NULL, NULL), -ENOTSUP,
                 "two actions on one call are left to our own back end");
    cr_assert_eq(filter_build(f, &prog, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
        struct seccomp_data d = data_of(nr_of("openat"), (uint64_t[6]){0, 0, probes[i].flags});
        cr_expect_eq(filter_simulate(&prog, &d, NULL), probes[i].want, "flags %#lx", probes[i].flags);
    }
}

Test(filter, refuses_malformed_characterisations)
{
    static const struct {
        const char *what;
        struct idw_term terms[4];
        uint32_t n;
    } bad[] = {
        {"empty", {CALLS(0)}, 0},
        {"set out of range", {CALLS(1)}, 1},
        {"AND of one", {CALLS(0), AND}, 2},
        {"NOT of nothing", {NOT, CALLS(0)}, 2},
        {"two values", {CALLS(0), CALLS(0)}, 2},
        {"operand after the operator", {CALLS(0), AND, CALLS(0)}, 3},
        {"operation", {{.op = 77}}, 1},
        {"name 0", {MASKED(0, ALL, EQ, 1)}, 1},
        {"name between arguments and attributes", {MASKED(CALL_NAME_COUNT, ALL, EQ, 1)}, 1},
        {"name behind the attributes", {MASKED(IDW_ATTR_END, ALL, EQ, 1)}, 1},
        {"GLOB of a number", {CMP(fd, GLOB, 1)}, 1},
        {"order of strings", {STR(path, LT, "x")}, 1},
        {"no text", {STR(path, EQ, NULL)}, 1},
    };
    struct idw_call_set set = {0};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct idw_clause clause = {
            .terms = bad[i].terms, .n_terms = bad[i].n, .sets = &set, .n_sets = 1, .file = "x.wr", .line = 7};
        _cleanup_filter_ struct filter *f = filter_new();
        struct err e = {0};

        cr_expect_eq(filter_add_clause(f, &clause, FILTER_TRACE, &e), -EINVAL, "%s", bad[i].what);
        cr_expect_eq(e.code, EINVAL, "%s", bad[i].what);
        cr_expect_eq(strncmp(e.text, "x.wr:7: ", 8), 0, "%s", e.text);
        cr_expect(!filter_uses(f, FILTER_TRACE), "%s", bad[i].what);
    }
}

Test(filter, refuses_rules_that_lead_to_no_engine)
{
    _cleanup_filter_ struct filter *f = filter_new();
    struct err e = {0};

    cr_expect_eq(filter_add_call(f, 0, FILTER_ALLOW, &e), -EINVAL);
    cr_expect_eq(filter_add_call(f, 0, FILTER_DENY, &e), -EINVAL);
    cr_expect_eq(filter_add_call(f, (unsigned)call_count(), FILTER_TRACE, &e), -EINVAL);
    cr_expect_eq(e.code, EINVAL);
}

/* Tests of arguments are what is given up when a program gets too long, and no call's more than needed. */
Test(filter, a_program_too_long_is_widened)
{
    enum { TESTS = 1500 };
    static struct idw_term terms[2 * TESTS + 2];
    struct idw_call_set sets[] = {set_of("lseek"), set_of("socket")};
    static const struct idw_term small[] = {CALLS(1), CMP(domain, EQ, 16), AND};
    struct idw_clause big = {.terms = terms, .n_terms = 0, .sets = sets, .n_sets = 2};
    struct idw_clause other = {.terms = small, .n_terms = 3, .sets = sets, .n_sets = 2};
    _cleanup_filter_ struct filter *f = filter_new();
    _cleanup_program_ struct sock_fprog prog = {0};
    struct err e = {0};
    unsigned widened = 0;

    terms[big.n_terms++] = (struct idw_term)CALLS(0);
    for (unsigned i = 0; i < TESTS; i++) {
        terms[big.n_terms++] = (struct idw_term)CMP(offset, NE, (uint64_t)i << 32 | i);
        terms[big.n_terms++] = (struct idw_term)AND;
    }
    cr_assert_eq(filter_add_clause(f, &big, FILTER_NOTIFY, &e), 0, "%s", e.text);
    cr_assert_eq(filter_add_clause(f, &other, FILTER_NOTIFY, &e), 0, "%s", e.text);
    cr_assert_eq(filter_build_with(f, FILTER_BACKEND_BPF, &prog, &widened, &e), 0, "%s", e.text);
    cr_expect_eq(widened, 1);
    struct seccomp_data d = data_of(nr_of("lseek"), (uint64_t[6]){0, 0});
    cr_expect_eq(filter_simulate(&prog, &d, NULL), FILTER_NOTIFY);
    d = data_of(nr_of("socket"), (uint64_t[6]){16});
    cr_expect_eq(filter_simulate(&prog, &d, NULL), FILTER_NOTIFY);
    d.args[0] = 2;
    cr_expect_eq(filter_simulate(&prog, &d, NULL), FILTER_ALLOW, "the small call keeps its test");
}

Test(filter, dump_names_calls_and_actions)
{
    static const struct idw_term terms[] = {CALLS(0), CMP(fd, LT, 0), AND};
    static const char *const wanted[] = {
        "ld    arch",       "x86-64",       "ld    nr",    "; fchdir",          "ld    arg0.low",
        "xor   0x80000000", "ret   notify", "ret   allow", "ret   deny ENOSYS",
    };
    struct idw_call_set set = set_of("fchdir");
    struct idw_clause clause = {.terms = terms, .n_terms = 3, .sets = &set, .n_sets = 1};
    _cleanup_filter_ struct filter *f = filter_new();
    _cleanup_program_ struct sock_fprog prog = {0};
    _cleanup_free_ char *text = NULL;
    size_t size = 0;

    cr_assert_eq(filter_add_clause(f, &clause, FILTER_NOTIFY, NULL), 0);
    cr_assert_eq(filter_build(f, &prog, NULL), 0);
    FILE *out = open_memstream(&text, &size);
    filter_dump(&prog, out);
    (void)fclose(out);
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        cr_expect_not_null(strstr(text, wanted[i]), "no `%s` in\n%s", wanted[i], text);
    unsigned lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += text[i] == '\n';
    cr_expect_eq(lines, prog.len);
}
