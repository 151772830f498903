/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What src/wss and src/filter share of characterisations; what each makes of them is tested there. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "base/cleanup.h"
#include "filter_terms.h"
#include "syscalls/terms.h"

/* @n leaves, then what makes one value of them. Room for 2 * @n - 1 terms. */
static uint32_t all_at_once(struct idw_term *terms, unsigned n)
{
    uint32_t at = 0;
    for (unsigned i = 0; i < n; i++)
        terms[at++] = (struct idw_term)ATTR(uid, EQ, 0);
    for (unsigned i = 1; i < n; i++)
        terms[at++] = (struct idw_term)AND;
    return at;
}

static uint32_t one_after_the_other(struct idw_term *terms, unsigned n)
{
    uint32_t at = 0;
    terms[at++] = (struct idw_term)ATTR(uid, EQ, 0);
    for (unsigned i = 1; i < n; i++) {
        terms[at++] = (struct idw_term)ATTR(uid, EQ, 0);
        terms[at++] = (struct idw_term)OR;
    }
    return at;
}

static struct term_truth always(const struct idw_term *t, const struct call_arg *a, void *context)
{
    (void)t, (void)a, (void)context;
    return TERM_YES;
}

Test(terms, depth_and_length_have_limits)
{
    static struct idw_term terms[2 * TERMS_MOST];
    struct idw_clause c = {.terms = terms};
    struct err e = {0};

    c.n_terms = all_at_once(terms, TERMS_DEPTH);
    cr_expect_eq(terms_check(&c, &e), 0, "%s", e.text);
    struct term_truth t = terms_eval(&c, call_by_name("open"), &(struct terms_meaning){.leaf = always}, NULL);
    cr_expect(t.be && !t.not_be);
    c.n_terms = all_at_once(terms, TERMS_DEPTH + 1);
    cr_expect_eq(terms_check(&c, &e), -EINVAL);
    cr_expect_str_eq(e.text, "?:0: malformed characterisation: too deep");
    c.n_terms = one_after_the_other(terms, TERMS_MOST / 2);
    cr_expect_eq(terms_check(&c, NULL), 0);
    c.n_terms = one_after_the_other(terms, TERMS_MOST / 2 + 1);
    cr_expect_eq(terms_check(&c, &e), -EINVAL);
    cr_expect_str_eq(e.text, "?:0: malformed characterisation: too long");
}

Test(terms, faults_are_named)
{
    static const struct {
        const char *fault;
        struct idw_term terms[2];
        uint32_t n;
    } bad[] = {
        {"empty", {CALLS(0)}, 0},
        {"no such set of calls", {CALLS(1)}, 1},
        {"operand missing", {CALLS(0), AND}, 2},
        {"operand missing", {NOT, CALLS(0)}, 2},
        {"operator missing", {CALLS(0), CALLS(0)}, 2},
        {"unknown operation", {{.op = IDW_OP_NOT + 1}}, 1},
        {"no such name", {MASKED(CALL_NAME_NONE, ALL, EQ, 1)}, 1},
        {"no such name", {MASKED(CALL_NAME_COUNT, ALL, EQ, 1)}, 1},
        {"no such name", {MASKED(IDW_ATTR_FIRST - 1, ALL, EQ, 1)}, 1},
        {"no such name", {MASKED(IDW_ATTR_END, ALL, EQ, 1)}, 1},
        {"no such name", {{.op = IDW_OP_STR, .name = CALL_NAME_NONE, .text = ""}}, 1},
        {"no such comparison of numbers", {CMP(fd, GLOB, 1)}, 1},
        {"no such comparison of strings", {STR(path, LT, "x")}, 1},
        {"no text to compare with", {STR(path, EQ, NULL)}, 1},
    };
    struct idw_call_set set = {0};
    char want[128];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct idw_clause c = {
            .terms = bad[i].terms, .n_terms = bad[i].n, .sets = &set, .n_sets = 1, .file = "x.wr", .line = 7};
        struct err e = {0};
        (void)snprintf(want, sizeof want, "x.wr:7: malformed characterisation: %s", bad[i].fault);
        cr_expect_eq(terms_check(&c, &e), -EINVAL, "case %zu", i);
        cr_expect_str_eq(e.text, want, "case %zu", i);
    }
    struct idw_clause no_sets = {.terms = bad[0].terms, .n_terms = 1, .n_sets = 1};
    cr_expect_eq(terms_check(&no_sets, NULL), -EINVAL);
}

/* The leaf's value says what is known of it. */
static struct term_truth as_told(const struct idw_term *t, const struct call_arg *a, void *context)
{
    static const struct term_truth of[] = {{0, 1}, {1, 1}, {1, 0}};
    (void)a, (void)context;
    return of[t->value];
}

/* Neither true nor false is no value. */
static unsigned rank(struct term_truth t)
{
    return t.be == 0 && t.not_be == 0 ? 3 : 1 + t.be - t.not_be;
}

/* NO < UNKNOWN < YES: AND is the lesser, OR the greater, NOT turns the order round. */
Test(terms, three_values)
{
    static const struct terms_meaning meaning = {.leaf = as_told};
    const struct call *call = call_by_name("close");

    for (unsigned a = 0; a < 3; a++) {
        const struct idw_term not [] = {ATTR(uid, EQ, a), NOT};
        struct idw_clause c = {.terms = not, .n_terms = 2};
        cr_expect_eq(rank(terms_eval(&c, call, &meaning, NULL)), 2 - a, "!%u", a);
        for (unsigned b = 0; b < 3; b++) {
            const struct idw_term and[] = {ATTR(uid, EQ, a), ATTR(uid, EQ, b), AND};
            const struct idw_term or [] = {ATTR(uid, EQ, a), ATTR(uid, EQ, b), OR};
            c = (struct idw_clause){.terms = and, .n_terms = 3};
            cr_expect_eq(rank(terms_eval(&c, call, &meaning, NULL)), a < b ? a : b, "%u && %u", a, b);
            c.terms = or ;
            cr_expect_eq(rank(terms_eval(&c, call, &meaning, NULL)), a > b ? a : b, "%u || %u", a, b);
        }
    }
}

Test(terms, no_comparison_holds_of_an_argument_that_a_call_lacks)
{
    static const struct terms_meaning meaning = {.leaf = always};
    static const struct idw_term ne[] = {CMP(path, NE, 0)}, str[] = {STR(path, NGLOB, "x")};
    struct idw_clause c = {.terms = ne, .n_terms = 1};

    cr_expect_eq(rank(terms_eval(&c, call_by_name("close"), &meaning, NULL)), 0);
    cr_expect_eq(rank(terms_eval(&c, call_by_name("open"), &meaning, NULL)), 2);
    c.terms = str;
    cr_expect_eq(rank(terms_eval(&c, call_by_name("close"), &meaning, NULL)), 0);
}

#define HOLDS(cmp, a, b)                                                                                     \
    ((cmp) == IDW_EQ   ? (a) == (b)                                                                          \
     : (cmp) == IDW_NE ? (a) != (b)                                                                          \
     : (cmp) == IDW_LT ? (a) < (b)                                                                           \
     : (cmp) == IDW_LE ? (a) <= (b)                                                                          \
     : (cmp) == IDW_GT ? (a) > (b)                                                                           \
                       : (a) >= (b))

/* As the types of C compare. */
static bool holds(const struct call_type_info *type, unsigned cmp, uint64_t a, uint64_t b)
{
    if (type->bits == 32)
        return type->is_signed ? HOLDS(cmp, (int32_t)a, (int32_t)b) : HOLDS(cmp, (uint32_t)a, (uint32_t)b);
    return type->is_signed ? HOLDS(cmp, (int64_t)a, (int64_t)b) : HOLDS(cmp, a, b);
}

Test(terms, numbers_compare_in_their_type)
{
    static const uint64_t ends[] = {0,
                                    1,
                                    0x7fffffff,
                                    0x80000000,
                                    0xffffffff,
                                    0x100000000,
                                    0xdeadbeef00000001,
                                    0xffffffff80000000,
                                    0x7fffffffffffffff,
                                    0x8000000000000000,
                                    UINT64_MAX};
    static const uint64_t masks[] = {UINT64_MAX, 0xffffffff, 0x80000001, 1ull << 63, 0};
    static const enum call_type types[] = {TYPE_INT, TYPE_UINT, TYPE_LONG, TYPE_ULONG};
    const size_t n = ARRAY_SIZE(ends);

    for (size_t i = 0; i < ARRAY_SIZE(types) * ARRAY_SIZE(masks) * n * n * (IDW_GE + 1); i++) {
        const struct call_type_info *type = call_type_info(types[i % 4]);
        unsigned cmp = (unsigned)(i / 4 % (IDW_GE + 1));
        size_t rest = i / 4 / (IDW_GE + 1);
        uint64_t a = ends[rest % n], b = ends[rest / n % n], mask = masks[rest / n / n];
        cr_assert_eq(terms_compare(type, cmp, mask, a, b), holds(type, cmp, a & mask, b),
                     "%s: (%#lx & %#lx) %u %#lx", type->ctype, a, mask, cmp, b);
    }
}

Test(terms, attributes_have_the_types_that_wrapper_h_says)
{
    static const struct {
        unsigned name;
        const char *ctype;
    } attrs[] = {
        {IDW_ATTR_ret, "long"},          {IDW_ATTR_errno, "int"},
        {IDW_ATTR_call, "const char *"}, {IDW_ATTR_nr, "int"},
        {IDW_ATTR_pid, "pid_t"},         {IDW_ATTR_tid, "pid_t"},
        {IDW_ATTR_ppid, "pid_t"},        {IDW_ATTR_uid, "uid_t"},
        {IDW_ATTR_gid, "gid_t"},         {IDW_ATTR_euid, "uid_t"},
        {IDW_ATTR_egid, "gid_t"},        {IDW_ATTR_invoker, "uid_t"},
        {IDW_ATTR_exe, "const char *"},  {IDW_ATTR_program, "const char *"},
    };
    cr_expect_eq(ARRAY_SIZE(attrs), IDW_ATTR_END - IDW_ATTR_FIRST);
    for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
        const struct call_type_info *type = call_attr_info(attrs[i].name);
        cr_assert_not_null(type);
        cr_expect_str_eq(type->ctype, attrs[i].ctype, "attribute %#x", attrs[i].name);
        cr_expect_eq(type->memory, strcmp(type->ctype, "const char *") == 0);
    }
    cr_expect_null(call_attr_info(IDW_ATTR_FIRST - 1));
    cr_expect_null(call_attr_info(IDW_ATTR_END));
    cr_expect_null(call_attr_info(CALL_NAME_path));
}
