/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/partial.h"

#include <assert.h>
#include "syscalls/terms.h"

static_assert(EXPR_NEVER == 0 && EXPR_ALWAYS == 1, "what struct term_truth takes them for");

int partial_check(const struct idw_clause *clause, struct err *e)
{
    return terms_check(clause, e);
}

static enum idw_cmp opposite(enum idw_cmp cmp)
{
    static const enum idw_cmp of[] = {
        [IDW_EQ] = IDW_NE, [IDW_NE] = IDW_EQ, [IDW_LT] = IDW_GE,
        [IDW_GE] = IDW_LT, [IDW_GT] = IDW_LE, [IDW_LE] = IDW_GT,
    };
    return of[cmp];
}

struct context {
    struct expr_pool *pool;
    bool in_registers;
};

/* Does a comparison of 64 bits say the same of the 32 that an extended value comes from? */
static bool fits_narrow(const struct idw_term *t, bool is_signed)
{
    if (!is_signed)
        return t->value <= UINT32_MAX;
    if (t->mask == UINT64_MAX)
        return (int64_t)t->value == (int32_t)t->value;
    return t->mask <= INT32_MAX && t->value <= INT32_MAX;
}

/* Bits of the register that decide, or 0: more than one register, or another reading of it, does. */
static unsigned register_bits(const struct call_arg *a, const struct idw_term *t)
{
    const struct call_type_info *type = call_type_info(a->type);
    if (a->source != FROM_REG || a->type == TYPE_UID16 || a->type == TYPE_GID16)
        return 0;
    if (!a->narrow || type->bits == 32)
        return type->bits;
    return fits_narrow(t, type->is_signed) ? 32 : 0;
}

static struct term_truth leaf(const struct idw_term *t, const struct call_arg *a, void *context)
{
    const struct context *c = context;
    if (a == NULL || t->op == IDW_OP_STR)
        return TERM_UNKNOWN;
    const struct call_type_info *type = call_type_info(a->type);
    if (a->source == FROM_CONST)
        return terms_compare(type, t->cmp, t->mask, a->value, t->value) ? TERM_YES : TERM_NO;
    unsigned bits = type->memory || !c->in_registers ? 0 : register_bits(a, t);
    if (bits == 0)
        return TERM_UNKNOWN;
    return (struct term_truth){
        .be = expr_compare(c->pool, a->reg, bits, type->is_signed, t->cmp, t->mask, t->value),
        .not_be = expr_compare(c->pool, a->reg, bits, type->is_signed, opposite(t->cmp), t->mask, t->value),
    };
}

static uint32_t both(uint32_t a, uint32_t b, void *context)
{
    const struct context *c = context;
    return expr_and(c->pool, a, b);
}

static uint32_t either(uint32_t a, uint32_t b, void *context)
{
    const struct context *c = context;
    return expr_or(c->pool, a, b);
}

expr_id partial_eval(struct expr_pool *p, const struct idw_clause *clause, const struct call *call,
                     bool in_registers)
{
    static const struct terms_meaning meaning = {.leaf = leaf, .both = both, .either = either};
    struct context c = {.pool = p, .in_registers = in_registers};
    return terms_eval(clause, call, &meaning, &c).be;
}
