/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wss/match.h"

#include <fnmatch.h>
#include <string.h>
#include "syscalls/terms.h"

static struct term_truth truth_of(bool b)
{
    return b ? TERM_YES : TERM_NO;
}

static struct term_truth number(const struct idw_term *t, const struct call_arg *a, struct idw_event *ev)
{
    const struct call_type_info *type = a != NULL ? call_type_info(a->type) : call_attr_info(t->name);
    if (type->memory)
        return TERM_NO;
    bool result = t->name == IDW_ATTR_ret || t->name == IDW_ATTR_errno;
    if (result && ev->phase == IDW_PRE)
        return TERM_UNKNOWN;
    int64_t value = a != NULL ? event_scalar(ev, a) : event_attr(ev, t->name);
    return truth_of(terms_compare(type, t->cmp, t->mask, (uint64_t)value, t->value));
}

static struct term_truth text(const struct idw_term *t, const struct call_arg *a, struct idw_event *ev)
{
    const char *s;
    if (a == NULL) {
        s = event_attr_text(ev, t->name);
    } else {
        if (a->type != TYPE_PATH && a->type != TYPE_STR)
            return TERM_NO;
        if ((a->tags & TAG_OUT) != 0 && ev->phase == IDW_PRE)
            return TERM_UNKNOWN;
        s = event_memory(ev, a)->data;
    }
    bool glob = t->cmp == IDW_GLOB || t->cmp == IDW_NGLOB;
    bool same = s != NULL && (glob ? fnmatch(t->text, s, 0) == 0 : strcmp(s, t->text) == 0);
    return truth_of((t->cmp == IDW_EQ || t->cmp == IDW_GLOB) == same);
}

static struct term_truth leaf_of_event(const struct idw_term *t, const struct call_arg *a, void *context)
{
    struct idw_event *ev = context;
    return t->op == IDW_OP_CMP ? number(t, a, ev) : text(t, a, ev);
}

static struct term_truth leaf_of_call(const struct idw_term *t, const struct call_arg *a, void *context)
{
    (void)t, (void)a, (void)context;
    return TERM_UNKNOWN;
}

bool match_check(const struct idw_clause *clause)
{
    return terms_check(clause, NULL) == 0;
}

bool match_event(const struct idw_clause *clause, struct idw_event *ev, bool unknown)
{
    static const struct terms_meaning meaning = {.leaf = leaf_of_event};
    struct term_truth t = terms_eval(clause, ev->call, &meaning, ev);
    return t.be && (unknown || !t.not_be);
}

bool match_call(const struct idw_clause *clause, const struct call *c)
{
    static const struct terms_meaning meaning = {.leaf = leaf_of_call};
    return terms_eval(clause, c, &meaning, NULL).be;
}
