/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/partial.h"

#include <errno.h>
#include <stdlib.h>

/*
 * A value of the stack: when the subterm may be true, and when it may be false. Both are kept so that NOT is
 * a swap and nothing needs to be negated later: something unknown may be either, hence ALWAYS on both sides,
 * and stays so under NOT.
 */
struct may {
    expr_id be, not_be;
};

static const struct may unknown = {EXPR_ALWAYS, EXPR_ALWAYS};
static const struct may no = {EXPR_NEVER, EXPR_ALWAYS};
static const struct may yes = {EXPR_ALWAYS, EXPR_NEVER};

static bool name_known(unsigned name)
{
    return (name > CALL_NAME_NONE && name < CALL_NAME_COUNT) ||
           (name >= IDW_ATTR_FIRST && name < IDW_ATTR_END);
}

static const char *term_fault(const struct idw_clause *clause, const struct idw_term *t)
{
    switch (t->op) {
    case IDW_OP_CALLS:
        return t->set < clause->n_sets && clause->sets != NULL ? NULL : "no such set of calls";
    case IDW_OP_CMP:
        return !name_known(t->name) ? "no such name"
               : t->cmp > IDW_GE    ? "no such comparison of numbers"
                                    : NULL;
    case IDW_OP_STR:
        if (!name_known(t->name))
            return "no such name";
        if (t->cmp != IDW_EQ && t->cmp != IDW_NE && t->cmp != IDW_GLOB && t->cmp != IDW_NGLOB)
            return "no such comparison of strings";
        return t->text != NULL ? NULL : "no text to compare with";
    case IDW_OP_AND:
    case IDW_OP_OR:
    case IDW_OP_NOT:
        return NULL;
    default:
        return "unknown operation";
    }
}

/* Operands that an operation takes; each leaves one. */
static unsigned operands(unsigned op)
{
    return op == IDW_OP_NOT ? 1 : op == IDW_OP_AND || op == IDW_OP_OR ? 2 : 0;
}

int partial_check(const struct idw_clause *clause, struct err *e)
{
    const char *fault = NULL;
    uint32_t depth = 0;

    if (clause->n_terms > PARTIAL_TERMS_MAX)
        fault = "too long";
    for (uint32_t i = 0; fault == NULL && i < clause->n_terms; i++) {
        const struct idw_term *t = &clause->terms[i];

        fault = term_fault(clause, t);
        if (fault == NULL && depth < operands(t->op))
            fault = "operand missing";
        depth += 1 - operands(t->op);
    }
    if (fault == NULL && depth != 1)
        fault = depth == 0 ? "empty" : "operator missing";
    if (fault == NULL)
        return 0;
    return err_set(e, EINVAL, "%s:%u: malformed characterisation: %s",
                   clause->file != NULL ? clause->file : "?", clause->line, fault);
}

static enum idw_cmp opposite(enum idw_cmp cmp)
{
    static const enum idw_cmp of[] = {
        [IDW_EQ] = IDW_NE, [IDW_NE] = IDW_EQ, [IDW_LT] = IDW_GE,
        [IDW_GE] = IDW_LT, [IDW_GT] = IDW_LE, [IDW_LE] = IDW_GT,
    };
    return of[cmp];
}

/* Shifted up to the top of 64 bits and, if signed, with the sign flipped, values of any type compare as
 * unsigned. */
static bool holds(const struct call_type_info *type, enum idw_cmp cmp, uint64_t a, uint64_t b)
{
    unsigned drop = 64u - type->bits;
    uint64_t flip = type->is_signed ? UINT64_C(1) << 63 : 0;

    a = (a << drop) ^ flip;
    b = (b << drop) ^ flip;
    bool truth[] = {
        [IDW_EQ] = a == b,
        [IDW_NE] = a != b,
        [IDW_LT] = a<b, [IDW_LE] = a <= b, [IDW_GT] = a> b,
        [IDW_GE] = a >= b,
    };
    return truth[cmp];
}

static struct may compare(struct expr_pool *p, const struct idw_term *t, const struct call_arg *a)
{
    const struct call_type_info *type = call_type_info(a->type);

    if (type->memory || a->source == FROM_FIELD)
        return unknown;
    if (a->source == FROM_CONST)
        return holds(type, t->cmp, a->value & t->mask, t->value) ? yes : no;
    return (struct may){
        .be = expr_compare(p, a->reg, type->bits, type->is_signed, t->cmp, t->mask, t->value),
        .not_be = expr_compare(p, a->reg, type->bits, type->is_signed, opposite(t->cmp), t->mask, t->value),
    };
}

/* CALLS, CMP, STR. */
static struct may leaf(struct expr_pool *p, const struct idw_clause *clause, const struct idw_term *t,
                       const struct call *call)
{
    if (t->op == IDW_OP_CALLS) {
        size_t id = call_id(call);
        return clause->sets[t->set].bits[id / 64] >> (id % 64) & 1 ? yes : no;
    }
    if (t->name >= IDW_ATTR_FIRST)
        return unknown;
    const struct call_arg *a = call_arg_named(call, t->name);
    if (a == NULL) /* false, whatever the comparison: $name != 0 is not true of a call without $name */
        return no;
    return t->op == IDW_OP_CMP ? compare(p, t, a) : unknown;
}

static struct may join(struct expr_pool *p, unsigned op, struct may a, struct may b)
{
    if (op == IDW_OP_AND)
        return (struct may){expr_and(p, a.be, b.be), expr_or(p, a.not_be, b.not_be)};
    return (struct may){expr_or(p, a.be, b.be), expr_and(p, a.not_be, b.not_be)};
}

static expr_id evaluate(struct expr_pool *p, const struct idw_clause *clause, const struct call *call,
                        struct may *stack)
{
    uint32_t top = 0;

    for (uint32_t i = 0; i < clause->n_terms; i++) {
        const struct idw_term *t = &clause->terms[i];

        top -= operands(t->op);
        if (operands(t->op) == 2)
            stack[top] = join(p, t->op, stack[top], stack[top + 1]);
        else if (t->op == IDW_OP_NOT)
            stack[top] = (struct may){stack[top].not_be, stack[top].be};
        else
            stack[top] = leaf(p, clause, t, call);
        top++;
    }
    return stack[0].be;
}

expr_id partial_eval(struct expr_pool *p, const struct idw_clause *clause, const struct call *call)
{
    struct may *stack = calloc(clause->n_terms, sizeof(*stack));

    if (stack == NULL)
        p->failed = true;
    expr_id result = stack == NULL ? EXPR_ALWAYS : evaluate(p, clause, call, stack);
    free(stack);
    return result;
}
