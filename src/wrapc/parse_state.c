/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/parse.h"

#include <string.h>

/* `const char *` or an integer type, then a name: fills in @prm. */
static bool parse_param(struct parser *p, struct param *prm)
{
    struct source *s = p->s;
    struct span type = {.first = p->at};
    while (look(p)->kind == TOK_IDENT || tok_op(look(p), '*'))
        p->at++;
    if (p->at - type.first < 2 || look(p)[-1].kind != TOK_IDENT)
        return parse_failed(p, "expected a parameter (a type and a name), not %s", tok_text(s, look(p)));
    type.end = p->at - 1;
    prm->tok = &s->toks[type.end];
    prm->name = tok_word(s, prm->tok);
    prm->type = one_line(s, type);
    unsigned stars = 0;
    bool is_const = false, is_char = false;
    for (uint32_t i = type.first; i < type.end; i++) {
        stars += tok_op(&s->toks[i], '*');
        is_const |= tok_is(s, &s->toks[i], "const");
        is_char |= tok_is(s, &s->toks[i], "char");
    }
    prm->is_string = stars == 1 && is_const && is_char && type.end - type.first == 3;
    if (stars > 0 && !prm->is_string)
        source_error(s, &s->toks[type.first], "a parameter of an event is an integer or a const char *");
    if (!tok_op(look(p), ',') && !tok_op(look(p), ')'))
        return parse_failed(p, "expected , or ), not %s", tok_text(s, look(p)));
    return true;
}

static bool parse_params(struct parser *p, struct event *ev)
{
    if (tok_is(p->s, look(p), "void") && tok_op(look_ahead(p, 1), ')'))
        p->at++;
    if (take_op(p, ')'))
        return true;
    do {
        struct param *prm = pool_alloc(p->s, sizeof *prm);
        if (!parse_param(p, prm))
            return false;
        for (struct param *q = ev->params; q != NULL; q = q->next)
            if (strcmp(q->name, prm->name) == 0)
                source_error(p->s, prm->tok, "a second parameter %s", tok_text(p->s, prm->tok));
        LIST_APPEND(ev->params, prm);
        ev->n_params++;
    } while (take_op(p, ','));
    return expect_op(p, ')', ", or )");
}

bool parse_event(struct parser *p, struct wrapper *w)
{
    p->at++;
    struct event *ev = pool_alloc(p->s, sizeof *ev);
    ev->tok = expect_name(p, "the name of the event");
    if (ev->tok == NULL || !expect_op(p, '(', "the ( of the event's parameters") || !parse_params(p, ev) ||
        !expect_op(p, ';', "; behind the event"))
        return false;
    ev->name = tok_word(p->s, ev->tok);
    for (struct event *o = w->events; o != NULL; o = o->next)
        if (strcmp(o->name, ev->name) == 0)
            source_error(p->s, ev->tok, "event %s is there already, on line %u", tok_text(p->s, ev->tok),
                         o->tok->line);
    ev->index = w->n_events++;
    LIST_APPEND(w->events, ev);
    return true;
}

/* [key] TYPE NAME, [key] char NAME[N] */
static bool parse_column(struct parser *p, struct column *col)
{
    struct source *s = p->s;
    const struct tok *next = look_ahead(p, 1);
    col->key = tok_is(s, look(p), "key") && next->kind == TOK_IDENT && look_ahead(p, 2)->kind == TOK_IDENT;
    p->at += col->key;
    struct span type = {.first = p->at};
    while (look(p)->kind == TOK_IDENT)
        p->at++;
    if (tok_op(look(p), '*'))
        return parse_failed(p,
                            "no pointers in a table: the row outlives what it points to; use char NAME[N]");
    if (p->at - type.first < 2)
        return parse_failed(p, "expected a column (a type and a name), not %s", tok_text(s, look(p)));
    type.end = p->at - 1;
    col->tok = &s->toks[type.end];
    col->name = tok_word(s, col->tok);
    col->type = one_line(s, type);
    bool is_char = type.end - type.first == 1 && tok_is(s, &s->toks[type.first], "char");
    if (tok_op(look(p), '[')) {
        uint32_t end = bracket_end(s, p->at, s->n_toks);
        if (end == 0 || end == p->at + 1)
            return parse_failed(p, "a char column needs its size, char NAME[N]");
        if (!is_char)
            return parse_failed(p, "a column is an integer or char NAME[N]");
        col->size = (struct span){.first = p->at + 1, .end = end};
        p->at = end + 1;
    }
    return true;
}

bool parse_table(struct parser *p, struct state *state)
{
    p->at++;
    struct source *s = p->s;
    struct table *t = pool_alloc(s, sizeof *t);
    t->tok = expect_name(p, "the name of the table");
    if (t->tok == NULL || !expect_op(p, '(', "the ( of the table's columns"))
        return false;
    t->name = tok_word(s, t->tok);
    do {
        struct column *col = pool_alloc(s, sizeof *col);
        if (!parse_column(p, col))
            return false;
        for (struct column *o = t->columns; o != NULL; o = o->next)
            if (strcmp(o->name, col->name) == 0)
                source_error(s, col->tok, "a second column %s", tok_text(s, col->tok));
        t->n_columns++;
        t->n_keys += col->key;
        LIST_APPEND(t->columns, col);
    } while (take_op(p, ','));
    if (!expect_op(p, ')', ", or )") || !expect_op(p, ';', "; behind the table"))
        return false;
    if (t->n_keys == 0) {
        for (struct column *col = t->columns; col != NULL; col = col->next)
            col->key = true;
        t->n_keys = t->n_columns;
    }
    t->index = state->n_tables++;
    LIST_APPEND(state->tables, t);
    return true;
}

/* The end of a declaration or of one declarator: the next @stop at this depth. Past the closing } there is
 * none. */
static uint32_t find_op(struct parser *p, uint32_t from, unsigned stop, uint32_t end)
{
    for (uint32_t i = from; i < end; i++) {
        const struct tok *t = &p->s->toks[i];
        if (tok_op(t, stop))
            return i;
        if (tok_op(t, '(') || tok_op(t, '[') || tok_op(t, '{')) {
            uint32_t close = bracket_end(p->s, i, end);
            if (close == 0)
                return 0;
            i = close;
        } else if (tok_op(t, '}')) {
            return 0;
        }
    }
    return 0;
}

/* The first * in tokens @d, sizes in [] and attributes left out; NULL: no pointer is declared there. */
static const struct tok *find_pointer(const struct source *s, struct span d)
{
    for (uint32_t i = d.first; i < d.end; i++) {
        const struct tok *t = &s->toks[i];
        bool attribute = tok_is(s, t, "__attribute__") || tok_is(s, t, "_Alignas");
        if (tok_op(t, '*'))
            return t;
        if (attribute || tok_op(t, '[')) {
            uint32_t close = bracket_end(s, attribute ? i + 1 : i, d.end);
            i = close ? close : i;
        }
    }
    return NULL;
}

/* The declared name is the last identifier before [, : or =, outside of any {}; what is behind it are its
 * sizes. */
static bool find_declared(struct source *s, struct variable *v)
{
    for (uint32_t i = v->declarator.first; i < v->declarator.end && !v->bitfield; i++) {
        const struct tok *t = &s->toks[i];
        bool attribute = tok_is(s, t, "__attribute__") || tok_is(s, t, "_Alignas");
        if (attribute || tok_op(t, '[') || tok_op(t, '{')) {
            uint32_t close = bracket_end(s, attribute ? i + 1 : i, v->declarator.end);
            if (close == i + 1 && tok_op(t, '[')) {
                source_error(s, t, "state needs its size, [N]");
                return false;
            }
            v->dimensions += tok_op(t, '[') && v->tok != NULL;
            i = close ? close : i;
        } else if (t->kind == TOK_IDENT) { // NOLINT(clang-analyzer-core.NullDereference): a source has tokens
            v->tok = t;
            v->name = tok_word(s, t);
        }
        v->bitfield = tok_op(t, ':');
    }
    return true;
}

/* One declarator, its initialiser with it, in tokens @d; the first one of a declaration has the type in
 * front. */
static bool parse_declarator(struct parser *p, struct span d, bool first, struct variable *v)
{
    struct source *s = p->s;
    uint32_t set = find_op(p, d.first, '=', d.end);
    v->declarator = (struct span){.first = d.first, .end = set ? set : d.end};
    v->init = set ? (struct span){.first = set + 1, .end = d.end} : (struct span){0};
    const struct tok *pointer = find_pointer(s, v->declarator);
    if (pointer != NULL) {
        source_error(s, pointer, "state cannot hold a pointer: it outlives the process that wrote it");
        return false;
    }
    if (!find_declared(s, v))
        return false;
    if (v->tok == NULL || (first && v->tok == &s->toks[d.first])) {
        source_error(s, &s->toks[d.first], "expected a declaration (a type and a name) or a table, not %s",
                     tok_text(s, &s->toks[d.first]));
        return false;
    }
    return true;
}

static bool parse_decl(struct parser *p, struct state *state)
{
    struct source *s = p->s;
    uint32_t end = find_op(p, p->at, ';', s->n_toks - 1);
    if (end == 0)
        return parse_failed(p, "expected a declaration, ended by ;");
    struct decl *decl = pool_alloc(s, sizeof *decl);
    uint32_t from = p->at;
    p->at = end + 1;
    while (from <= end) {
        uint32_t comma = find_op(p, from, ',', end);
        struct span d = {.first = from, .end = comma ? comma : end};
        struct variable *v = pool_alloc(s, sizeof *v);
        if (!parse_declarator(p, d, decl->vars == NULL, v))
            return true;
        LIST_APPEND(decl->vars, v);
        from = d.end + 1;
    }
    LIST_APPEND(state->decls, decl);
    return true;
}

bool parse_state(struct parser *p, struct wrapper *w)
{
    const struct tok *start = look(p);
    struct state *state = &w->states[tok_is(p->s, start, "process") ? SCOPE_PROCESS : SCOPE_GLOBAL];
    p->at++;
    if (!expect_op(p, '{', "the { of the state"))
        return false;
    if (state->seen)
        source_error(p->s, start, "a second %s {}: put it into the one on line %u", tok_text(p->s, start),
                     state->tok->line);
    state->seen = true;
    state->tok = start;
    while (!take_op(p, '}')) {
        const struct tok *t = look(p);
        if (t->kind == TOK_EOF) {
            source_error(p->s, start, "this %s {} does not end: a } is missing", tok_text(p->s, start));
            return true;
        }
        if (t->kind == TOK_PP || t->kind == TOK_NAME) {
            parse_failed(p, "expected a declaration, not %s", tok_text(p->s, t));
            p->at++;
            continue;
        }
        if (take_op(p, ';'))
            continue;
        bool fine = tok_is(p->s, t, "table") ? parse_table(p, state) : parse_decl(p, state);
        if (!fine) { /* to the next declaration */
            uint32_t end = find_op(p, p->at, ';', p->s->n_toks - 1);
            if (end == 0)
                return false;
            p->at = end + 1;
        }
    }
    return true;
}
