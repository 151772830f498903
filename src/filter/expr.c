/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/expr.h"

#include <stdlib.h>
#include <string.h>

#define N_CONSTANTS 2u

void expr_pool_clear(struct expr_pool *p)
{
    free(p->nodes);
    free(p->buckets);
    *p = (struct expr_pool){0};
}

const struct expr *expr_at(const struct expr_pool *p, expr_id id)
{
    return &p->nodes[id - N_CONSTANTS];
}

static bool equal(const struct expr *a, const struct expr *b)
{
    return a->kind == b->kind && a->left == b->left && a->right == b->right && a->test.mask == b->test.mask &&
           a->test.value == b->test.value && a->test.reg == b->test.reg && a->test.bits == b->test.bits &&
           a->test.is_signed == b->test.is_signed && a->test.op == b->test.op;
}

static uint32_t hash(const struct expr *x)
{
    const uint64_t words[] = {
        x->kind | (uint64_t)x->test.reg << 8 | (uint64_t)x->test.bits << 16 |
            (uint64_t)x->test.is_signed << 24 | (uint64_t)x->test.op << 32,
        x->left | (uint64_t)x->right << 32,
        x->test.mask,
        x->test.value,
    };
    uint64_t h = 0;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        h = (h ^ words[i]) * 0x9e3779b97f4a7c15u ^ h >> 29;
    return (uint32_t)(h >> 32);
}

/* The bucket that holds a node equal to @x, or the free one where it belongs. */
static expr_id *bucket(const struct expr_pool *p, const struct expr *x)
{
    uint32_t size = p->room * 2;
    uint32_t i = hash(x) % size;

    while (p->buckets[i] != 0 && !equal(expr_at(p, p->buckets[i]), x))
        i = (i + 1) % size;
    return &p->buckets[i];
}

static bool grow(struct expr_pool *p)
{
    uint32_t room = p->room == 0 ? 256 : p->room * 2;
    struct expr *nodes = room > p->room ? reallocarray(p->nodes, room, sizeof(*nodes)) : NULL;

    if (nodes == NULL)
        return false;
    p->nodes = nodes;
    expr_id *buckets = calloc((size_t)room * 2, sizeof(*buckets));
    if (buckets == NULL)
        return false;
    free(p->buckets);
    p->buckets = buckets;
    p->room = room;
    for (uint32_t i = 0; i < p->n; i++)
        *bucket(p, &p->nodes[i]) = i + N_CONSTANTS;
    return true;
}

static expr_id intern(struct expr_pool *p, const struct expr *x)
{
    if (p->failed)
        return EXPR_ALWAYS;
    if (p->n == p->room && !grow(p)) {
        p->failed = true;
        return EXPR_ALWAYS;
    }
    expr_id *slot = bucket(p, x);
    if (*slot == 0) {
        p->nodes[p->n] = *x;
        *slot = p->n++ + N_CONSTANTS;
    }
    return *slot;
}

static expr_id constant(bool value)
{
    return value ? EXPR_ALWAYS : EXPR_NEVER;
}

/* @t has op EQ or NE, @mask is what the value can have. */
static expr_id equality(struct expr_pool *p, struct expr_test t)
{
    t.is_signed = false;
    if ((t.value & ~t.mask) != 0)
        return constant(t.op == EXPR_NE);
    if (t.mask == 0)
        return constant(t.op == EXPR_EQ);
    if (t.op == EXPR_NE && (t.mask & (t.mask - 1)) == 0) { /* one bit: not the one value is the other */
        t.op = EXPR_EQ;
        t.value ^= t.mask;
    }
    return intern(p, &(struct expr){.kind = EXPR_TEST, .test = t});
}

/*
 * @t has op GT or LE; with @less it stands for GE or LT, that is for the same one below. Values are compared
 * by rank: their order as unsigned numbers once the sign bit is flipped for signed ones. Ranks go from 0 to
 * the mask: a signed value's greatest has all bits of the mask but the sign, which flipped is the mask again.
 */
static expr_id order(struct expr_pool *p, struct expr_test t, uint64_t sign, bool less)
{
    bool gt = t.op == EXPR_GT;
    uint64_t flip = 0;

    if (t.is_signed && (t.mask & sign) == 0) { /* never negative */
        if ((t.value & sign) != 0)
            return constant(gt);
        t.is_signed = false;
    }
    if (t.is_signed)
        flip = sign;
    uint64_t rank = t.value ^ flip;
    if (less && rank == 0)
        return constant(gt);
    if (less)
        rank--;
    if (rank >= t.mask)
        return constant(!gt);
    t.value = rank ^ flip;
    if (rank == 0 && flip == 0) {
        t.op = gt ? EXPR_NE : EXPR_EQ;
        return equality(p, t);
    }
    return intern(p, &(struct expr){.kind = EXPR_TEST, .test = t});
}

expr_id expr_compare(struct expr_pool *p, unsigned reg, unsigned bits, bool is_signed, enum idw_cmp cmp,
                     uint64_t mask, uint64_t value)
{
    static const struct {
        uint8_t op;
        bool less;
    } ops[] = {
        [IDW_EQ] = {EXPR_EQ, false}, [IDW_NE] = {EXPR_NE, false}, [IDW_GT] = {EXPR_GT, false},
        [IDW_LE] = {EXPR_LE, false}, [IDW_GE] = {EXPR_GT, true},  [IDW_LT] = {EXPR_LE, true},
    };
    uint64_t all = bits == 32 ? UINT32_MAX : UINT64_MAX;
    struct expr_test t = {
        .mask = mask & all,
        .value = value & all,
        .reg = (uint8_t)reg,
        .bits = (uint8_t)bits,
        .is_signed = is_signed,
        .op = ops[cmp].op,
    };

    if (t.op == EXPR_EQ || t.op == EXPR_NE)
        return equality(p, t);
    return order(p, t, UINT64_C(1) << (bits - 1), ops[cmp].less);
}

/* Is @b one of the operands that @a, a chain of @kind leaning to the left, has? */
static bool has_operand(const struct expr_pool *p, enum expr_kind kind, expr_id a, expr_id b)
{
    while (a != b && a > EXPR_ALWAYS && expr_at(p, a)->kind == kind) {
        if (expr_at(p, a)->right == b)
            return true;
        a = expr_at(p, a)->left;
    }
    return a == b;
}

/* @zero decides the result, the other constant leaves it to the other operand. */
static expr_id combine(struct expr_pool *p, enum expr_kind kind, expr_id zero, expr_id a, expr_id b)
{
    expr_id one = zero ^ 1u;

    if (a == zero || b == zero)
        return zero;
    if (a == one)
        return b;
    if (b == one || has_operand(p, kind, a, b))
        return a;
    return intern(p, &(struct expr){.kind = kind, .left = a, .right = b});
}

expr_id expr_and(struct expr_pool *p, expr_id a, expr_id b)
{
    return combine(p, EXPR_AND, EXPR_NEVER, a, b);
}

expr_id expr_or(struct expr_pool *p, expr_id a, expr_id b)
{
    return combine(p, EXPR_OR, EXPR_ALWAYS, a, b);
}
