/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syscalls/terms.h"

#include <assert.h>
#include <errno.h>

static const uint8_t attr_types[] = {
#define ATTR(name_, type_) [IDW_ATTR_##name_ - IDW_ATTR_FIRST] = TYPE_##type_,
#include "syscalls/attrs.def"
#undef ATTR
};

#define ATTR(name_, type_) +1
enum {
    N_ATTRS =
#include "syscalls/attrs.def"
};
#undef ATTR
static_assert(N_ATTRS == IDW_ATTR_END - IDW_ATTR_FIRST, "each attribute stands in attrs.def");

const struct call_type_info *call_attr_info(unsigned name)
{
    bool known = name >= IDW_ATTR_FIRST && name < IDW_ATTR_END;
    return known ? call_type_info(attr_types[name - IDW_ATTR_FIRST]) : NULL;
}

static bool name_known(unsigned name)
{
    return (name > CALL_NAME_NONE && name < CALL_NAME_COUNT) || call_attr_info(name) != NULL;
}

static const char *term_fault(const struct idw_clause *clause, const struct idw_term *t)
{
    switch (t->op) {
    case IDW_OP_CALLS:
        return t->set < clause->n_sets && clause->sets != NULL ? NULL : "no such set of calls";
    case IDW_OP_CMP:
        if (!name_known(t->name))
            return "no such name";
        return t->cmp <= IDW_GE ? NULL : "no such comparison of numbers";
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

int terms_check(const struct idw_clause *clause, struct err *e)
{
    const char *fault = NULL;
    uint32_t depth = 0;

    if (clause->n_terms > TERMS_MOST)
        fault = "too long";
    for (uint32_t i = 0; fault == NULL && i < clause->n_terms; i++) {
        const struct idw_term *t = &clause->terms[i];

        fault = term_fault(clause, t);
        if (fault == NULL && depth < operands(t->op))
            fault = "operand missing";
        depth += 1 - operands(t->op);
        if (fault == NULL && depth > TERMS_DEPTH)
            fault = "too deep";
    }
    if (fault == NULL && depth != 1)
        fault = depth == 0 ? "empty" : "operator missing";
    if (fault == NULL)
        return 0;
    return err_set(e, EINVAL, "%s:%u: malformed characterisation: %s",
                   clause->file != NULL ? clause->file : "?", clause->line, fault);
}

static uint32_t both(const struct terms_meaning *m, uint32_t a, uint32_t b, void *context)
{
    return m->both != NULL ? m->both(a, b, context) : a & b;
}

static uint32_t either(const struct terms_meaning *m, uint32_t a, uint32_t b, void *context)
{
    return m->either != NULL ? m->either(a, b, context) : a | b;
}

static struct term_truth leaf(const struct idw_clause *clause, const struct idw_term *t,
                              const struct call *call, const struct terms_meaning *m, void *context)
{
    if (t->op == IDW_OP_CALLS) {
        size_t id = call_id(call);
        return (clause->sets[t->set].bits[id / 64] >> (id % 64) & 1) != 0 ? TERM_YES : TERM_NO;
    }
    const struct call_arg *a = call_arg_named(call, t->name);
    return a == NULL && t->name < IDW_ATTR_FIRST ? TERM_NO : m->leaf(t, a, context);
}

struct term_truth terms_eval(const struct idw_clause *clause, const struct call *call,
                             const struct terms_meaning *meaning, void *context)
{
    struct term_truth stack[TERMS_DEPTH] = {0};
    size_t top = 0;

    for (uint32_t i = 0; i < clause->n_terms; i++) {
        const struct idw_term *t = &clause->terms[i];

        top -= operands(t->op);
        struct term_truth a = stack[top];
        /* Operators have an operand there at least; behind the last leaf there may be no room for a second.
         */
        struct term_truth b = operands(t->op) == 2 ? stack[top + 1] : a;
        switch (t->op) {
        case IDW_OP_AND:
            stack[top].be = both(meaning, a.be, b.be, context);
            stack[top].not_be = either(meaning, a.not_be, b.not_be, context);
            break;
        case IDW_OP_OR:
            stack[top].be = either(meaning, a.be, b.be, context);
            stack[top].not_be = both(meaning, a.not_be, b.not_be, context);
            break;
        case IDW_OP_NOT:
            stack[top] = (struct term_truth){a.not_be, a.be};
            break;
        default:
            stack[top] = leaf(clause, t, call, meaning, context);
            break;
        }
        top++;
    }
    return stack[0];
}

/* Shifted up to the top of 64 bits and, if signed, with the sign flipped, values of any type compare as
 * unsigned. */
bool terms_compare(const struct call_type_info *type, unsigned cmp, uint64_t mask, uint64_t a, uint64_t b)
{
    unsigned drop = 64u - type->bits;
    uint64_t flip = type->is_signed ? UINT64_C(1) << 63 : 0;

    a = ((a & mask) << drop) ^ flip;
    b = (b << drop) ^ flip;
    switch (cmp) {
    case IDW_EQ:
        return a == b;
    case IDW_NE:
        return a != b;
    case IDW_LT:
        return a < b;
    case IDW_LE:
        return a <= b;
    case IDW_GT:
        return a > b;
    default:
        return a >= b;
    }
}
