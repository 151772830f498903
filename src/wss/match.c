/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wss/match.h"

#include <fnmatch.h>
#include <string.h>

/* Three values, so that "not known yet" stays so under NOT. */
enum truth { NO, YES, UNKNOWN };

static bool is_memory(unsigned type)
{
    return call_type_info(type)->memory;
}

static bool attr_is_text(uint16_t name)
{
    return name == IDW_ATTR_call || name == IDW_ATTR_program || name == IDW_ATTR_exe;
}

static bool attr_is_signed(uint16_t name)
{
    switch (name) {
    case IDW_ATTR_uid:
    case IDW_ATTR_gid:
    case IDW_ATTR_euid:
    case IDW_ATTR_egid:
    case IDW_ATTR_invoker:
        return false;
    default:
        return true;
    }
}

static bool compare(uint8_t cmp, int64_t a, int64_t b, bool is_signed)
{
    bool less = is_signed ? a < b : (uint64_t)a < (uint64_t)b;
    switch (cmp) {
    case IDW_EQ:
        return a == b;
    case IDW_NE:
        return a != b;
    case IDW_LT:
        return less;
    case IDW_LE:
        return less || a == b;
    case IDW_GT:
        return !less && a != b;
    default:
        return !less;
    }
}

/* Both sides in the width of the type, as the kernel sees them. */
static int64_t in_width(int64_t v, unsigned bits, bool is_signed)
{
    if (bits != 32)
        return v;
    return is_signed ? (int64_t)(int32_t)v : (int64_t)(uint32_t)v;
}

static enum truth number(const struct idw_term *t, struct idw_event *ev)
{
    if (t->name >= IDW_ATTR_FIRST) {
        bool result = t->name == IDW_ATTR_ret || t->name == IDW_ATTR_errno;
        if (result && ev->phase == IDW_PRE)
            return UNKNOWN;
        bool s = attr_is_signed(t->name);
        unsigned bits = t->name == IDW_ATTR_ret ? 64 : 32;
        int64_t v = in_width(event_attr(ev, t->name) & (int64_t)t->mask, bits, s);
        return compare(t->cmp, v, in_width((int64_t)t->value, bits, s), s) ? YES : NO;
    }
    const struct call_arg *a = call_arg_named(ev->call, t->name);
    if (a == NULL || is_memory(a->type))
        return NO;
    const struct call_type_info *type = call_type_info(a->type);
    int64_t v = in_width(event_scalar(ev, a) & (int64_t)t->mask, type->bits, type->is_signed);
    return compare(t->cmp, v, in_width((int64_t)t->value, type->bits, type->is_signed), type->is_signed) ? YES
                                                                                                         : NO;
}

static enum truth text(const struct idw_term *t, struct idw_event *ev)
{
    const char *s = NULL;
    if (t->name >= IDW_ATTR_FIRST) {
        s = attr_is_text(t->name) ? event_attr_text(ev, t->name) : NULL;
    } else {
        const struct call_arg *a = call_arg_named(ev->call, t->name);
        if (a == NULL || (a->type != TYPE_PATH && a->type != TYPE_STR))
            return NO;
        if ((a->tags & TAG_OUT) != 0 && ev->phase == IDW_PRE)
            return UNKNOWN;
        s = event_memory(ev, a)->data;
    }
    bool glob = t->cmp == IDW_GLOB || t->cmp == IDW_NGLOB;
    bool same = s != NULL && (glob ? fnmatch(t->text, s, 0) == 0 : strcmp(s, t->text) == 0);
    return (t->cmp == IDW_EQ || t->cmp == IDW_GLOB) == same ? YES : NO;
}

static enum truth both(enum truth a, enum truth b)
{
    if (a == NO || b == NO)
        return NO;
    return a == YES && b == YES ? YES : UNKNOWN;
}

static enum truth negate(enum truth a)
{
    return a == UNKNOWN ? UNKNOWN : (a == NO ? YES : NO);
}

typedef enum truth leaf_fn(const struct idw_clause *clause, const struct idw_term *t, void *context);

/* The postfix expression over what @leaf says of its comparisons; match_check has counted the stack. */
static enum truth evaluate(const struct idw_clause *clause, leaf_fn *leaf, void *context)
{
    enum truth stack[MATCH_STACK] = {NO};
    size_t n = 0;
    for (uint32_t i = 0; i < clause->n_terms; i++) {
        const struct idw_term *t = &clause->terms[i];
        switch (t->op) {
        case IDW_OP_AND:
            n--;
            stack[n - 1] = both(stack[n - 1], stack[n]);
            break;
        case IDW_OP_OR:
            n--;
            stack[n - 1] = negate(both(negate(stack[n - 1]), negate(stack[n])));
            break;
        case IDW_OP_NOT:
            stack[n - 1] = negate(stack[n - 1]);
            break;
        default:
            stack[n++] = leaf(clause, t, context);
            break;
        }
    }
    return stack[0];
}

static bool in_set(const struct idw_clause *clause, const struct idw_term *t, size_t id)
{
    return (clause->sets[t->set].bits[id / 64] >> (id % 64)) & 1;
}

static enum truth leaf_of_event(const struct idw_clause *clause, const struct idw_term *t, void *context)
{
    struct idw_event *ev = context;
    switch (t->op) {
    case IDW_OP_CALLS:
        return in_set(clause, t, call_id(ev->call)) ? YES : NO;
    case IDW_OP_CMP:
        return number(t, ev);
    default:
        return text(t, ev);
    }
}

static enum truth leaf_of_call(const struct idw_clause *clause, const struct idw_term *t, void *context)
{
    const struct call *c = context;
    if (t->op == IDW_OP_CALLS)
        return in_set(clause, t, call_id(c)) ? YES : NO;
    return t->name < IDW_ATTR_FIRST && call_arg_named(c, t->name) == NULL ? NO : UNKNOWN;
}

bool match_event(const struct idw_clause *clause, struct idw_event *ev, bool unknown)
{
    enum truth t = evaluate(clause, leaf_of_event, ev);
    return t == YES || (unknown && t == UNKNOWN);
}

bool match_call(const struct idw_clause *clause, const struct call *c)
{
    return evaluate(clause, leaf_of_call, (void *)c) != NO;
}

static bool term_is_sane(const struct idw_clause *clause, const struct idw_term *t)
{
    bool named = t->name >= IDW_ATTR_FIRST ? t->name < IDW_ATTR_END : t->name < CALL_NAME_COUNT;
    switch (t->op) {
    case IDW_OP_CALLS:
        return t->set < clause->n_sets;
    case IDW_OP_CMP:
        return named && t->cmp <= IDW_GE;
    case IDW_OP_STR:
        return named && t->text != NULL &&
               (t->cmp == IDW_EQ || t->cmp == IDW_NE || t->cmp == IDW_GLOB || t->cmp == IDW_NGLOB);
    default:
        return t->op <= IDW_OP_NOT;
    }
}

bool match_check(const struct idw_clause *clause)
{
    size_t depth = 0;
    for (uint32_t i = 0; i < clause->n_terms; i++) {
        const struct idw_term *t = &clause->terms[i];
        if (!term_is_sane(clause, t))
            return false;
        if (t->op < IDW_OP_AND) {
            if (++depth > MATCH_STACK)
                return false;
        } else if (t->op == IDW_OP_NOT ? depth < 1 : depth-- < 2) {
            return false;
        }
    }
    return depth == 1;
}
