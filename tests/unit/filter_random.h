/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random characterisations and calls, and a plain evaluator of three values to compare filters with. */
#ifndef IDW_TESTS_FILTER_RANDOM_H
#define IDW_TESTS_FILTER_RANDOM_H

#include "filter_terms.h"

#define RANDOM_TERMS 64
#define RANDOM_SETS 3

static inline uint64_t random_word(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545f4914f6cdd1du >> 3;
}

static inline unsigned below(uint64_t *state, unsigned n)
{
    return (unsigned)(random_word(state) >> 20) % n;
}

/* Where comparisons go wrong: ends of both widths, the border of the halves, high halves that don't count. */
static inline uint64_t random_value(uint64_t *state)
{
    static const uint64_t ends[] = {0,
                                    1,
                                    2,
                                    3,
                                    0x7fffffff,
                                    0x80000000,
                                    0xffffffff,
                                    0x100000000,
                                    0x180000000,
                                    0x1ffffffff,
                                    0xffffffff00000000,
                                    0xffffffff80000000,
                                    0x7fffffffffffffff,
                                    0x8000000000000000,
                                    0x80000000ffffffff,
                                    UINT64_MAX};
    uint64_t v = ends[below(state, ARRAY_SIZE(ends))];

    switch (below(state, 6)) {
    case 0:
        return v + 1;
    case 1:
        return v - 1;
    case 2:
        return v ^ (uint64_t)below(state, 4) << 32;
    case 3:
        return random_word(state) << 3;
    default:
        return v;
    }
}

static inline uint64_t random_mask(uint64_t *state)
{
    static const uint64_t masks[] = {UINT64_MAX, UINT64_MAX,         UINT64_MAX, 1,
                                     3,          0x80000000,         0xffffffff, 0x7fffffff,
                                     0,          0xffffffff00000000, 1ull << 63, 0x100000001};
    return below(state, 8) == 0 ? random_value(state) : masks[below(state, ARRAY_SIZE(masks))];
}

/* A clause with room for what it points to. */
struct random_clause {
    struct idw_clause clause;
    struct idw_term terms[RANDOM_TERMS];
    struct idw_call_set sets[RANDOM_SETS];
};

/* The calls that a round is about: few, so that rules meet. */
struct random_calls {
    const struct call *call[6];
};

static inline struct random_calls random_calls(uint64_t *state)
{
    struct random_calls c;

    for (size_t i = 0; i < ARRAY_SIZE(c.call);) {
        c.call[i] = call_by_id(below(state, (unsigned)call_count()));
        i += c.call[i]->n_args > 0 || below(state, 8) == 0;
    }
    return c;
}

static inline struct idw_term random_leaf(uint64_t *state, const struct random_calls *calls)
{
    const struct call *c = calls->call[below(state, ARRAY_SIZE(calls->call))];
    unsigned kind = below(state, 16);

    if (kind == 0)
        return (struct idw_term)ATTR(uid, EQ, 0);
    if (kind == 1)
        return (struct idw_term)STR(path, GLOB, "/etc/*");
    if (kind <= 4 || c->n_args == 0)
        return (struct idw_term)CALLS(below(state, RANDOM_SETS));
    struct idw_term t = CMP(fd, EQ, random_value(state));
    t.name = c->args[below(state, c->n_args)].name;
    t.cmp = (uint8_t)below(state, IDW_GE + 1);
    t.mask = random_mask(state);
    return t;
}

/* Append a random expression of at most 2 ^ @depth comparisons; 4 is what RANDOM_TERMS has room for. */
static inline void random_terms(uint64_t *state, struct random_clause *c, const struct random_calls *calls,
                                unsigned depth)
{
    if (depth == 0 || below(state, 6) == 0) {
        c->terms[c->clause.n_terms++] = random_leaf(state, calls);
    } else {
        random_terms(state, c, calls, depth - 1);
        random_terms(state, c, calls, depth - 1);
        c->terms[c->clause.n_terms++].op = below(state, 2) == 0 ? IDW_OP_AND : IDW_OP_OR;
    }
    if (below(state, 6) == 0)
        c->terms[c->clause.n_terms++].op = IDW_OP_NOT;
}

/* No terms yet; each byte of its sets is @sets. */
static inline void clear_clause(struct random_clause *c, int sets)
{
    memset(c, 0, sizeof(*c));
    memset(c->sets, sets, sizeof(c->sets));
    c->clause.terms = c->terms;
    c->clause.sets = c->sets;
    c->clause.n_sets = RANDOM_SETS;
}

static inline void random_clause(uint64_t *state, struct random_clause *c, const struct random_calls *calls,
                                 unsigned depth)
{
    clear_clause(c, 0);
    for (size_t s = 0; s < RANDOM_SETS; s++)
        for (size_t i = 0; i < ARRAY_SIZE(calls->call); i++) {
            size_t id = call_id(calls->call[i]);
            c->sets[s].bits[id / 64] |= (uint64_t)below(state, 2) << (id % 64);
        }
    random_terms(state, c, calls, below(state, depth + 1));
}

/*
 * Append `call && test && test ...`: 1 to @most tests of @call's registers, each with small values, so that
 * conjunctions overlap. @plain: each argument once and compared as libseccomp can.
 */
static inline void random_conjunction(uint64_t *state, struct random_clause *c, const struct call *call,
                                      unsigned most, bool plain)
{
    static const uint64_t masks[] = {UINT64_MAX, UINT64_MAX, 3, 1, 0x300000003, 0x80000003};
    unsigned n = call->n_args > 0 ? 1 + below(state, most) : 0, taken = 0;

    c->terms[c->clause.n_terms++] = (struct idw_term)CALLS(0);
    for (unsigned i = 0; i < n; i++) {
        const struct call_arg *a = &call->args[below(state, call->n_args)];

        const struct call_type_info *type = call_type_info(a->type);

        if (a->source != FROM_REG || type->memory || (plain && (taken >> a->reg & 1) != 0))
            continue;
        taken |= 1u << a->reg;
        struct idw_term t = CMP(fd, EQ, below(state, 4));
        t.name = a->name;
        t.mask = masks[below(state, ARRAY_SIZE(masks))];
        if (!plain || (t.mask == UINT64_MAX && type->bits == 64 && !type->is_signed))
            t.cmp = (uint8_t)below(state, IDW_GE + 1);
        t.value |= below(state, 3) == 0 ? (uint64_t)below(state, 4) << 32 : 0;
        c->terms[c->clause.n_terms++] = t;
        c->terms[c->clause.n_terms++].op = IDW_OP_AND;
    }
}

/* A call of one of @calls, its registers near the values that @c compares with. */
static inline struct seccomp_data random_data(uint64_t *state, const struct random_calls *calls,
                                              const struct random_clause *c)
{
    uint64_t args[6];
    uint32_t nr = below(state, 8) == 0
                      ? below(state, 600)
                      : (uint32_t)calls->call[below(state, ARRAY_SIZE(calls->call))]->nr[ARCH_X86_64];

    for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
        args[i] = random_value(state);
        if (below(state, 2) == 0)
            args[i] = c->terms[below(state, c->clause.n_terms)].value + below(state, 3) - 1;
        if (below(state, 4) == 0)
            args[i] ^= random_word(state) << 32;
    }
    return data_of(nr, args);
}

/* The same as an i386 call; one of those that have others behind them among them. */
static inline struct seccomp_data random_data32(uint64_t *state, const struct random_calls *calls,
                                                const struct random_clause *c)
{
    static const int16_t several[] = {82, 90, 102, 102, 117, 117};
    struct seccomp_data d = random_data(state, calls, c);
    const struct call *call = calls->call[below(state, ARRAY_SIZE(calls->call))];

    d.arch = AUDIT_ARCH_I386;
    if (below(state, 4) == 0) {
        d.nr = several[below(state, ARRAY_SIZE(several))];
        d.args[0] = below(state, 26) | (below(state, 4) == 0 ? random_word(state) << 16 : 0);
    } else if (call->nr[ARCH_I386] != CALL_NR_NONE && below(state, 8) != 0) {
        d.nr = call->nr[ARCH_I386];
    }
    return d;
}

/* In the order that makes AND the least of two, OR the greatest. */
enum truth { NO, UNKNOWN, YES };

static inline enum truth truth_of(bool b)
{
    return b ? YES : NO;
}

#define COMPARED(a, b)                                                                                       \
    (t->cmp == IDW_EQ   ? (a) == (b)                                                                         \
     : t->cmp == IDW_NE ? (a) != (b)                                                                         \
     : t->cmp == IDW_LT ? (a) < (b)                                                                          \
     : t->cmp == IDW_LE ? (a) <= (b)                                                                         \
     : t->cmp == IDW_GT ? (a) > (b)                                                                          \
                        : (a) >= (b))

/* Compared as the types of C compare. */
static inline bool number_holds(const struct idw_term *t, const struct call_type_info *type, uint64_t reg)
{
    uint64_t v = reg & t->mask;

    if (type->bits == 32)
        return type->is_signed ? COMPARED((int32_t)v, (int32_t)t->value)
                               : COMPARED((uint32_t)v, (uint32_t)t->value);
    return type->is_signed ? COMPARED((int64_t)v, (int64_t)t->value) : COMPARED(v, t->value);
}

/* What the kernel takes from the registers. */
static inline uint64_t number_of(const struct call_arg *a, const uint64_t *args)
{
    if (a->source == FROM_CONST)
        return a->value;
    uint64_t low = (uint32_t)args[a->reg];
    if (a->source == FROM_PAIR)
        return low | args[a->high_reg] << 32;
    if (a->source == FROM_PAGES)
        return low << 12;
    if (a->type == TYPE_UID16 || a->type == TYPE_GID16)
        return (low & 0xffff) == 0xffff ? 0xffffffff : low & 0xffff;
    if (!a->narrow)
        return args[a->reg];
    return call_type_info(a->type)->is_signed ? (uint64_t)(int32_t)low : low;
}

/* @args: NULL when they lie in memory. */
static inline enum truth leaf_truth(const struct idw_clause *clause, const struct idw_term *t,
                                    const struct call *call, const uint64_t *args)
{
    size_t id = call_id(call);

    if (t->op == IDW_OP_CALLS)
        return truth_of((clause->sets[t->set].bits[id / 64] & UINT64_C(1) << (id % 64)) != 0);
    if (t->name >= IDW_ATTR_FIRST)
        return UNKNOWN;
    const struct call_arg *a = call_arg_named(call, t->name);
    if (a == NULL)
        return NO;
    const struct call_type_info *type = call_type_info(a->type);
    if (t->op == IDW_OP_STR || type->memory || a->source == FROM_FIELD)
        return UNKNOWN;
    if (args == NULL && a->source != FROM_CONST)
        return UNKNOWN;
    return truth_of(number_holds(t, type, number_of(a, args)));
}

/* @guess: what the unknown parts are, one bit a term; UINT64_MAX with @guessing off is not looked at. */
static inline enum truth reference(const struct idw_clause *clause, const struct call *call,
                                   const uint64_t *args, bool guessing, uint64_t guess)
{
    enum truth stack[RANDOM_TERMS] = {0};
    size_t n = 0;

    for (size_t i = 0; i < clause->n_terms; i++) {
        const struct idw_term *t = &clause->terms[i];
        if (t->op == IDW_OP_NOT) {
            stack[n - 1] = YES - stack[n - 1];
        } else if (t->op == IDW_OP_AND) {
            n--;
            stack[n - 1] = stack[n - 1] < stack[n] ? stack[n - 1] : stack[n];
        } else if (t->op == IDW_OP_OR) {
            n--;
            stack[n - 1] = stack[n - 1] > stack[n] ? stack[n - 1] : stack[n];
        } else {
            stack[n] = leaf_truth(clause, t, call, args);
            if (guessing && stack[n] == UNKNOWN)
                stack[n] = truth_of(guess >> (i % 64) & 1);
            n++;
        }
    }
    return stack[0];
}

#endif
