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

static struct term_truth leaf(const struct idw_term *t, const struct call_arg *a, void *context)
{
    struct expr_pool *p = context;
    if (a == NULL || t->op == IDW_OP_STR)
        return TERM_UNKNOWN;
    const struct call_type_info *type = call_type_info(a->type);
    if (type->memory || a->source == FROM_FIELD)
        return TERM_UNKNOWN;
    if (a->source == FROM_CONST)
        return terms_compare(type, t->cmp, t->mask, a->value, t->value) ? TERM_YES : TERM_NO;
    return (struct term_truth){
        .be = expr_compare(p, a->reg, type->bits, type->is_signed, t->cmp, t->mask, t->value),
        .not_be = expr_compare(p, a->reg, type->bits, type->is_signed, opposite(t->cmp), t->mask, t->value),
    };
}

static uint32_t both(uint32_t a, uint32_t b, void *context)
{
    return expr_and(context, a, b);
}

static uint32_t either(uint32_t a, uint32_t b, void *context)
{
    return expr_or(context, a, b);
}

expr_id partial_eval(struct expr_pool *p, const struct idw_clause *clause, const struct call *call)
{
    static const struct terms_meaning meaning = {.leaf = leaf, .both = both, .either = either};
    return terms_eval(clause, call, &meaning, p).be;
}
