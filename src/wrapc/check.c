/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/check.h"

#include <string.h>
#include "wrapc/names.h"

/* Truth of a characterisation for a call whose arguments aren't known. In this order and is min, or is max.
 */
enum truth { NO, PERHAPS, YES };

/* @lenient: a comparison may hold even for a call without the argument. */
static enum truth match_truth(const struct match *m, size_t id, bool lenient)
{
    switch (m->kind) {
    case MATCH_WORD:
        return set_has(m->set, id) ? YES : NO;
    case MATCH_CMP:
    case MATCH_STR:
        return lenient || m->name == 0 || name_is_attr(m->name) ||
                       call_arg_named(call_by_id(id), m->name) != NULL
                   ? PERHAPS
                   : NO;
    case MATCH_NOT:
        return YES - match_truth(m->a, id, lenient);
    case MATCH_AND:
    case MATCH_OR:
        break;
    }
    enum truth a = match_truth(m->a, id, lenient), b = match_truth(m->b, id, lenient);
    return (m->kind == MATCH_AND) == (a < b) ? a : b;
}

/* Calls that can match, into @set; returns how many. */
static size_t match_calls(const struct match *m, bool lenient, uint64_t *set)
{
    size_t n = 0;
    memset(set, 0, IDW_SET_WORDS * sizeof *set);
    for (size_t id = 0; id < call_count(); id++)
        if (match_truth(m, id, lenient) != NO) {
            set[id / 64] |= UINT64_C(1) << id % 64;
            n++;
        }
    return n;
}

static void check_compare(struct source *s, struct clause *c, const struct match *m, const uint64_t *set)
{
    struct name_use use;
    const char *text = tok_text(s, m->tok);
    if (m->name == 0)
        return; /* an error is noted already */
    name_in(m->name, set, &use);
    enum access want = m->kind == MATCH_STR ? ACCESS_STR : ACCESS_INT;
    if (use.n_have == 0)
        source_error(s, m->tok, "%s: no call of this clause has such an argument", text);
    else if (use.differs != NULL)
        source_error(s, m->tok, "%s is not the same kind of thing in %s and in %s", text, use.has->name,
                     use.differs->name);
    else if (use.access == ACCESS_BUF || use.access == ACCESS_STRV)
        source_error(s, m->tok, "%s: only numbers and strings can be compared here", text);
    else if (use.access != want)
        source_error(s, m->tok, "%s is a %s and cannot be compared like this", text,
                     use.access == ACCESS_INT ? "number" : "string");
    else if (c->phase == IDW_PRE && use.post_only)
        source_error(s, m->tok, "%s: a pre clause comes before the call has a result", text);
    else if (c->phase == IDW_PRE && use.out != NULL)
        source_error(s, m->tok, "%s: call %s writes it, it is known in a post clause only", text,
                     use.out->name);
    c->flags |= use.memory ? IDW_READS_MEMORY : 0;
}

static void check_match(struct source *s, struct clause *c, struct match *m, const uint64_t *set)
{
    c->n_terms++;
    if (m->kind == MATCH_WORD)
        m->set_index = c->n_sets++;
    else if (m->kind == MATCH_CMP || m->kind == MATCH_STR)
        check_compare(s, c, m, set);
    if (m->a != NULL)
        check_match(s, c, m->a, set);
    if (m->b != NULL)
        check_match(s, c, m->b, set);
}

void check_clause(struct source *s, struct clause *c)
{
    unsigned before = s->n_complaints;
    uint64_t set[IDW_SET_WORDS];
    (void)match_calls(c->match, true, set);
    check_match(s, c, c->match, set);
    size_t n = match_calls(c->match, false, c->calls);
    if (n == 0 && s->n_complaints == before)
        source_error(s, c->tok, "no call can match this characterisation");
    if (s->n_complaints != before)
        memset(c->calls, 0, sizeof c->calls); /* what the body could use isn't known then */
}

struct seen {
    struct seen *next;
    const char *name;
    const struct tok *tok;
};

static void see(struct source *s, struct seen **all, const char *name, const struct tok *tok)
{
    for (struct seen *o = *all; o != NULL; o = o->next)
        if (strcmp(o->name, name) == 0)
            source_error(s, tok, "%s is there already, on line %u", tok_text(s, tok), o->tok->line);
    struct seen *one = pool_alloc(s, sizeof *one);
    *one = (struct seen){.next = *all, .name = name, .tok = tok};
    *all = one;
}

void check_names(struct source *s, const struct wrapper *w)
{
    struct seen *all = NULL;
    for (unsigned scope = 0; scope < SCOPE_COUNT; scope++) {
        for (struct decl *d = w->states[scope].decls; d != NULL; d = d->next)
            for (struct variable *v = d->vars; v != NULL; v = v->next)
                see(s, &all, v->name, v->tok);
        for (struct table *t = w->states[scope].tables; t != NULL; t = t->next)
            see(s, &all, t->name, t->tok);
    }
}
