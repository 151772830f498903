/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/body.h"

#include <stdlib.h>

/* An open bracket: what its closing one means for the token behind it. */
struct level {
    uint16_t open;
    bool head;          /* the ( of if, while, for, switch: a statement follows its ) */
    unsigned questions; /* ?s that wait for their : */
};

struct levels {
    struct level *all;
    size_t n, room;
};

static struct level *top(struct levels *l)
{
    static struct level outside;
    return l->n > 0 ? &l->all[l->n - 1] : &outside;
}

static void open_level(struct levels *l, uint16_t open, bool head)
{
    if (l->n == l->room) {
        l->room = l->room ? l->room * 2 : 64;
        l->all = reallocarray(l->all, l->room, sizeof *l->all);
        if (l->all == NULL)
            abort();
    }
    l->all[l->n++] = (struct level){.open = open, .head = head};
}

static bool is_head(const struct source *s, const struct tok *t)
{
    return t != NULL &&
           (tok_is(s, t, "if") || tok_is(s, t, "while") || tok_is(s, t, "for") || tok_is(s, t, "switch"));
}

/* Takes in punctuator @t; returns whether a statement may start behind it. */
static bool at_punct(struct levels *l, const struct source *s, const struct tok *before, const struct tok *t)
{
    bool starts = t->op == '{' || t->op == '}' || t->op == ';';
    if (t->op == '(' || t->op == '[' || t->op == '{') {
        open_level(l, t->op, t->op == '(' && is_head(s, before));
    } else if (t->op == ')' || t->op == ']' || t->op == '}') {
        starts |= t->op == ')' && top(l)->head;
        l->n -= l->n > 0;
    } else if (t->op == '?') {
        top(l)->questions++;
    } else if (t->op == ':') {
        if (top(l)->questions > 0)
            top(l)->questions--;
        else
            starts = top(l)->open == '{'; /* behind a label */
    } else if (t->op == ';') {
        starts = top(l)->open != '('; /* not in for (;;) */
        top(l)->questions = 0;
    }
    return starts;
}

void body_statements(struct body *b)
{
    const struct source *s = b->s;
    struct span body = b->c->body;
    b->statement = pool_alloc(b->s, body.end - body.first);
    struct levels levels = {0};
    const struct tok *before = NULL;
    bool starts = false;
    for (uint32_t i = body.first; i < body.end; i++) {
        const struct tok *t = &s->toks[i];
        if (t->kind == TOK_PP)
            continue;
        b->statement[i - body.first] = starts;
        if (t->kind == TOK_PUNCT)
            starts = at_punct(&levels, s, before, t);
        else
            starts = tok_is(s, t, "else") || tok_is(s, t, "do");
        before = t;
    }
    free(levels.all);
}
