/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs against a plain evaluation of the terms, and the two back ends against each other, on random
 * input. */
#include <errno.h>
#include "filter_random.h"

#define CLAUSES 4

struct round {
    struct random_calls calls;
    struct random_clause clause[CLAUSES];
    enum filter_action action[CLAUSES];
    unsigned n;
};

/* @depth: of the expressions. @one: all rules lead to one engine. */
static struct filter *make(uint64_t *state, struct round *r, unsigned depth, bool one)
{
    struct filter *f = filter_new();
    enum filter_action action = below(state, 2) == 0 ? FILTER_TRACE : FILTER_NOTIFY;

    r->calls = random_calls(state);
    r->n = 1 + below(state, CLAUSES);
    for (unsigned i = 0; i < r->n; i++) {
        struct err e = {0};

        random_clause(state, &r->clause[i], &r->calls, depth);
        r->action[i] = one || below(state, 2) == 0 ? action : FILTER_TRACE;
        cr_assert_eq(filter_add_clause(f, &r->clause[i].clause, r->action[i], &e), 0, "%s", e.text);
    }
    return f;
}

/* The strongest action of all clauses that match, or may match. */
static enum filter_action expected(const struct round *r, const struct seccomp_data *d, bool guessing,
                                   uint64_t guess)
{
    const struct call *call = call_by_nr(ARCH_X86_64, d->nr);
    enum filter_action strongest = FILTER_ALLOW;

    if (call == NULL)
        return FILTER_ALLOW;
    if (strncmp(call->name, "io_uring_", 9) == 0)
        return FILTER_DENY;
    for (unsigned i = 0; i < r->n; i++) {
        uint64_t args[6];

        memcpy(args, d->args, sizeof(args));
        if (r->action[i] > strongest && reference(&r->clause[i].clause, call, args, guessing, guess) != NO)
            strongest = r->action[i];
    }
    return strongest;
}

static enum filter_action expected32(const struct round *r, const struct seccomp_data *d)
{
    const struct call *call = call_by_nr(ARCH_I386, d->nr);
    const struct call_behind *b = call_behind_nr(d->nr, d->args[0]);
    enum filter_action strongest = FILTER_ALLOW;
    uint64_t args[6];

    memcpy(args, d->args, sizeof(args));
    if (d->nr == -1)
        return FILTER_ALLOW;
    if (call == NULL || strncmp(call->name, "io_uring_", 9) == 0)
        return FILTER_DENY;
    for (unsigned i = 0; i < r->n; i++) {
        const struct idw_clause *c = &r->clause[i].clause;
        enum truth t = b == NULL ? reference(c, call, args, false, 0)
                                 : reference(c, b->call, b->words > 0 ? NULL : args, false, 0);
        if (r->action[i] > strongest && t != NO)
            strongest = r->action[i];
    }
    return strongest;
}

static void check(uint64_t *state, const struct round *r, const struct sock_fprog *prog, const char *what,
                  unsigned number)
{
    for (unsigned k = 0; k < 60; k++) {
        struct seccomp_data d = random_data(state, &r->calls, &r->clause[below(state, r->n)]);
        enum filter_action got = filter_simulate(prog, &d, NULL);

        cr_assert_eq(got, expected(r, &d, false, 0),
                     "%s, round %u: call %d (%#llx, %#llx, %#llx, %#llx, %#llx, %#llx)", what, number, d.nr,
                     d.args[0], d.args[1], d.args[2], d.args[3], d.args[4], d.args[5]);
        cr_assert_geq(got, expected(r, &d, true, random_word(state)), "%s, round %u: call %d", what, number,
                      d.nr);
    }
}

Test(filter_property, programs_decide_as_the_terms_say)
{
    uint64_t state = 0x1234567;

    for (unsigned i = 0; i < 1500; i++) {
        struct round r;
        _cleanup_filter_ struct filter *f = make(&state, &r, 4, false);
        _cleanup_program_ struct sock_fprog prog = {0};
        unsigned widened;
        struct err e = {0};

        cr_assert_eq(filter_build_with(f, FILTER_BACKEND_BPF, &prog, &widened, &e), 0, "%s", e.text);
        cr_assert_eq(widened, 0);
        check(&state, &r, &prog, "bpf", i);
    }
}

/*
 * i386's part never decides less than the terms say, and seldom more: where a comparison is of a value in two
 * registers or in memory, or of more than the register's 32 bits.
 */
Test(filter_property, i386_programs_never_decide_less)
{
    uint64_t state = 0x1351386;
    unsigned same = 0, all = 0, caught = 0;

    for (unsigned i = 0; i < 1500; i++) {
        struct round r;
        _cleanup_filter_ struct filter *f = make(&state, &r, 4, false);
        _cleanup_program_ struct sock_fprog prog = {0};

        cr_assert_eq(filter_build_with(f, FILTER_BACKEND_ANY, &prog, NULL, NULL), 0);
        for (unsigned k = 0; k < 60; k++) {
            struct seccomp_data d = random_data32(&state, &r.calls, &r.clause[below(&state, r.n)]);
            enum filter_action got = filter_simulate(&prog, &d, NULL), least = expected32(&r, &d);

            cr_assert_geq(got, least, "round %u: call %d (%#llx, %#llx, %#llx, %#llx, %#llx, %#llx)", i, d.nr,
                          d.args[0], d.args[1], d.args[2], d.args[3], d.args[4], d.args[5]);
            same += got == least;
            caught += least == FILTER_TRACE || least == FILTER_NOTIFY;
            all++;
        }
    }
    cr_expect(same > all / 10 * 9 && caught > all / 4, "%u of %u the same, %u caught", same, all, caught);
}

/* Smaller expressions: those that libseccomp can express at all. */
Test(filter_property, libseccomp_decides_as_the_terms_say)
{
    uint64_t state = 0x7654321;
    unsigned built = 0;

    for (unsigned i = 0; i < 1000; i++) {
        struct round r;
        _cleanup_filter_ struct filter *f = make(&state, &r, 1 + i % 3, true);
        _cleanup_program_ struct sock_fprog prog = {0}, ours = {0};
        int result = filter_build_with(f, FILTER_BACKEND_LIBSECCOMP, &prog, NULL, NULL);

        if (result == -ENOTSUP)
            continue;
        cr_assert_eq(result, 0);
        cr_assert_eq(filter_build_with(f, FILTER_BACKEND_BPF, &ours, NULL, NULL), 0);
        check(&state, &r, &prog, "libseccomp", i);
        check(&state, &r, &ours, "bpf", i);
        built++;
    }
    cr_expect_gt(built, 200, "libseccomp built only %u: the comparison is worth nothing", built);
}

/*
 * One rule of several arguments, and several values of one argument: what is left to libseccomp of conditions
 * on arguments, with values that meet. (Several rules of several arguments it gets wrong: see
 * filter_libseccomp.c.)
 */
Test(filter_property, libseccomp_rules_that_overlap)
{
    static const char *const names[] = {"mmap", "socket", "fchdir", "brk", "ftruncate"};
    uint64_t state = 0x2468ace;
    unsigned built = 0;

    for (unsigned i = 0; i < 1500; i++) {
        const struct call *call = call_by_name(names[i % ARRAY_SIZE(names)]);
        struct round r = {.n = 1 + below(&state, CLAUSES)};
        _cleanup_filter_ struct filter *f = filter_new();
        _cleanup_program_ struct sock_fprog prog = {0};

        for (unsigned k = 0; k < r.n; k++) {
            clear_clause(&r.clause[k], 0xff);
            random_conjunction(&state, &r.clause[k], call, r.n == 1 ? 6 : 1, true);
            r.action[k] = FILTER_TRACE;
            cr_assert_eq(filter_add_clause(f, &r.clause[k].clause, r.action[k], NULL), 0);
        }
        if (filter_build_with(f, FILTER_BACKEND_LIBSECCOMP, &prog, NULL, NULL) < 0)
            continue;
        built++;
        for (unsigned k = 0; k < 200; k++) {
            uint64_t args[6];

            for (size_t a = 0; a < ARRAY_SIZE(args); a++)
                args[a] = below(&state, 4) | (below(&state, 3) == 0 ? (uint64_t)below(&state, 4) << 32 : 0);
            struct seccomp_data d = data_of((uint32_t)call->nr[ARCH_X86_64], args);
            cr_assert_eq(filter_simulate(&prog, &d, NULL), expected(&r, &d, false, 0),
                         "round %u: %s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)", i, call->name, args[0], args[1],
                         args[2], args[3], args[4], args[5]);
        }
    }
    cr_expect_gt(built, 500, "libseccomp built only %u: the comparison is worth nothing", built);
}

/* Too many tests for a program: it may then say more than the terms, never less. */
Test(filter_property, widened_programs_never_decide_less)
{
    enum { MANY = 740 };
    static struct random_clause clauses[MANY];
    uint64_t state = 0xabcdef;
    unsigned widened_ever = 0, exact_ever = 0;

    for (unsigned i = 0; i < 12; i++) {
        struct random_calls calls = {{call_by_name("mmap"), call_by_name("socket"), call_by_name("splice"),
                                      call_by_name("fallocate"), call_by_name("lseek"),
                                      call_by_name("mremap")}};
        _cleanup_filter_ struct filter *f = filter_new();
        _cleanup_program_ struct sock_fprog prog = {0};
        unsigned widened = 0, n = 40 + i * 60;

        for (unsigned k = 0; k < n; k++) {
            do {
                clear_clause(&clauses[k], 0xff);
                random_conjunction(&state, &clauses[k], calls.call[k % 6], 12, false);
            } while (clauses[k].clause.n_terms < 9); /* CALLS alone would leave nothing to widen */
            cr_assert_eq(filter_add_clause(f, &clauses[k].clause, k % 2 ? FILTER_TRACE : FILTER_NOTIFY, NULL),
                         0);
        }
        cr_assert_eq(filter_build_with(f, FILTER_BACKEND_BPF, &prog, &widened, NULL), 0);
        cr_assert_leq(prog.len, BPF_MAXINSNS);
        widened_ever += widened;
        exact_ever += widened == 0;
        for (unsigned k = 0; k < 400; k++) {
            struct seccomp_data d = random_data(&state, &calls, &clauses[k % n]);
            const struct call *call = call_by_nr(ARCH_X86_64, d.nr);
            enum filter_action least = FILTER_ALLOW, got = filter_simulate(&prog, &d, NULL);
            uint64_t args[6];

            memcpy(args, d.args, sizeof(args));
            for (unsigned c = 0; call != NULL && c < n; c++) {
                enum filter_action a = c % 2 ? FILTER_TRACE : FILTER_NOTIFY;
                if (a > least && reference(&clauses[c].clause, call, args, false, 0) != NO)
                    least = a;
            }
            cr_assert_geq(got, least, "round %u, call %d", i, d.nr);
            cr_assert(widened > 0 || got == least || got == FILTER_DENY, "round %u, call %d", i, d.nr);
        }
    }
    cr_expect(widened_ever > 0 && exact_ever > 0, "widened %u, exact rounds %u", widened_ever, exact_ever);
}
