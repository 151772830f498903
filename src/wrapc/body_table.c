/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables in bodies: exists T(...), insert T(...), delete T(...), select T(...) into ROW, `row T`. */
#include "wrapc/body.h"

#include <string.h>
#include "wrapc/parse.h"

static const struct table *table_find(const struct body *b, const struct tok *t, enum scope *scope)
{
    for (unsigned i = 0; i < SCOPE_COUNT; i++)
        for (const struct table *table = b->w->states[i].tables; table != NULL; table = table->next)
            if (tok_is(b->s, t, table->name)) {
                *scope = i;
                return table;
            }
    return NULL;
}

unsigned call_args(const struct source *s, uint32_t open, uint32_t close)
{
    unsigned n = close > open + 1;
    for (uint32_t i = open + 1; i < close; i++) {
        const struct tok *t = &s->toks[i];
        if (tok_op(t, '(') || tok_op(t, '[') || tok_op(t, '{')) {
            uint32_t end = bracket_end(s, i, close);
            i = end ? end : i;
        }
        n += tok_op(t, ',');
    }
    return n;
}

/* row T: the type of a variable that select fills. */
static uint32_t row_type(struct body *b, uint32_t i)
{
    enum scope scope;
    const struct table *table = table_find(b, &b->s->toks[i + 1], &scope);
    if (table == NULL)
        return i;
    body_replace(b, i, "struct");
    body_replace(b, i + 1, pool_printf(b->s, "idw_row_%s", table->name));
    return i + 2;
}

/* Behind `select T(...)`: into NAME */
static uint32_t select_into(struct body *b, uint32_t close)
{
    struct source *s = b->s;
    if (!tok_is(s, &s->toks[close + 1], "into") || s->toks[close + 2].kind != TOK_IDENT) {
        source_error(s, &s->toks[close + 1], "expected `into` and a variable of type `row %s`", "TABLE");
        return close + 1;
    }
    body_replace(b, close, ", &");
    body_replace(b, close + 1, "");
    body_insert(b, close + 2, ")");
    return close + 3;
}

/* The operation @op on the table at token @i + 1. */
static uint32_t operation(struct body *b, uint32_t i, const char *op)
{
    struct source *s = b->s;
    const struct tok *name = &s->toks[i + 1];
    enum scope scope;
    const struct table *table = table_find(b, name, &scope);
    uint32_t open = i + 2;
    if (table == NULL) {
        source_error(s, name, "no table %s", tok_text(s, name));
        return open;
    }
    uint32_t close = tok_op(&s->toks[open], '(') ? bracket_end(s, open, b->c->body.end) : 0;
    if (close == 0) {
        source_error(s, &s->toks[open], "expected (, the columns and ), not %s", tok_text(s, &s->toks[open]));
        return open;
    }
    unsigned n = call_args(s, open, close);
    bool whole = strcmp(op, "insert") == 0;
    unsigned want = whole ? table->n_columns : table->n_keys;
    if (n != want)
        source_error(s, name, "%s %s takes %u value%s, %s, not %u", op, table->name, want,
                     want == 1 ? "" : "s", whole ? "one a column" : "the key", n);
    b->c->flags |= scope == SCOPE_PROCESS ? IDW_TOUCHES_PROCESS : IDW_TOUCHES_GLOBAL;
    body_replace(b, i, "");
    body_replace(b, i + 1, pool_printf(s, "idw_%s_%s", op, table->name));
    body_replace(b, open,
                 pool_printf(s, "(ev, &idw_%c->idw_table_%s%s", scope == SCOPE_PROCESS ? 'P' : 'G',
                             table->name, n > 0 ? ", " : ""));
    body_tokens(b, open + 1, close);
    return strcmp(op, "select") == 0 ? select_into(b, close) : close;
}

uint32_t body_table(struct body *b, uint32_t i)
{
    static const char *const ops[] = {"exists", "insert", "delete", "select"};
    struct source *s = b->s;
    const struct tok *t = &s->toks[i];
    if (t[1].kind != TOK_IDENT)
        return i;
    if (tok_is(s, t, "row"))
        return row_type(b, i);
    for (size_t k = 0; k < sizeof ops / sizeof ops[0]; k++)
        if (tok_is(s, t, ops[k]))
            return operation(b, i, ops[k]);
    if (tok_is(s, t, "update") && tok_op(&t[2], '(')) {
        source_error(s, t, "not supported yet: update; insert replaces the row that has the same key");
        return i + 1;
    }
    return i;
}
