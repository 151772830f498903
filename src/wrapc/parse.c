/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/parse.h"

/* Behind an error: to the end of the statement, or of the block that comes before it. */
static void skip_item(struct parser *p)
{
    struct source *s = p->s;
    while (look(p)->kind != TOK_EOF && !tok_op(look(p), '}')) {
        if (take_op(p, ';'))
            return;
        if (tok_op(look(p), '{') || tok_op(look(p), '(')) {
            bool block = tok_op(look(p), '{');
            uint32_t end = bracket_end(s, p->at, s->n_toks);
            p->at = end ? end + 1 : s->n_toks - 1;
            const struct tok *next = look(p);
            /* The block of a clause's characterisation is followed by its phase and body. */
            if (block && !tok_is(s, next, "pre") && !tok_is(s, next, "post"))
                return;
            continue;
        }
        p->at++;
    }
}

/* A clause's start, which no C looks like: it tells where a body with a } too few must have ended. */
static uint32_t next_clause(const struct source *s, uint32_t from, uint32_t end)
{
    for (uint32_t i = from; i + 3 < end; i++)
        if (s->toks[i].kind == TOK_IDENT && tok_op(&s->toks[i + 1], OP_SCOPE) &&
            s->toks[i + 2].kind == TOK_IDENT && tok_op(&s->toks[i + 3], '{'))
            return i;
    return 0;
}

/* The body at this token; steps over it even if it has errors. */
static bool parse_body(struct parser *p, struct clause *c)
{
    struct source *s = p->s;
    uint32_t end = bracket_end(s, p->at, s->n_toks);
    uint32_t next = next_clause(s, p->at, end ? end : s->n_toks);
    if (end == 0 || next != 0) {
        parse_failed(p, "this body does not end: a } is missing");
        p->at = next ? next : s->n_toks - 1;
        return false;
    }
    c->body = (struct span){.first = p->at, .end = end + 1};
    p->at = end + 1;
    (void)take_op(p, ';');
    return true;
}

/* What stands in sys::op{...}. Behind an error: to the } that ends it. */
static void parse_calls(struct parser *p, struct clause *c)
{
    uint32_t open = p->at - 1;
    c->match = parse_match(p);
    if (c->match != NULL && expect_op(p, '}', "&&, || or the } of sys::op{...}"))
        return;
    c->match = NULL;
    uint32_t end = bracket_end(p->s, open, p->s->n_toks);
    p->at = end ? end + 1 : p->s->n_toks - 1;
}

/* sys::op { match } pre|post { body } */
static bool parse_clause(struct parser *p, struct wrapper *w)
{
    struct source *s = p->s;
    struct clause *c = pool_alloc(s, sizeof *c);
    c->tok = look(p);
    p->at += 2; /* the caller saw sys:: */
    if (!take_word(p, "op"))
        return parse_failed(p, "sys has one kind of event, sys::op{...}; this is %s", tok_text(s, look(p)));
    if (!expect_op(p, '{', "the { of sys::op{...}"))
        return false;
    parse_calls(p, c);
    if (take_word(p, "post"))
        c->phase = IDW_POST;
    else if (!take_word(p, "pre"))
        return parse_failed(p, "expected pre or post, not %s", tok_text(s, look(p)));
    if (!tok_op(look(p), '{'))
        return parse_failed(p, "expected the { of the clause's body, not %s", tok_text(s, look(p)));
    if (parse_body(p, c) && c->match != NULL) {
        c->index = w->n_clauses++;
        LIST_APPEND(w->clauses, c);
    }
    return true;
}

/* What the language has but this version has not. */
static bool parse_later(struct parser *p)
{
    struct source *s = p->s;
    const struct tok *t = look(p);
    if (tok_op(look_ahead(p, 1), OP_SCOPE)) {
        const char *whose =
            tok_is(s, t, "wss") ? "events of the WSS (wss::)" : "clauses on other wrappers' events";
        return parse_failed(p, "not supported yet: %s", whose);
    }
    if (tok_is(s, t, "sequence") || tok_is(s, t, "deactivate"))
        return parse_failed(p, "not supported yet: %s", tok_text(s, t));
    if (tok_is(s, t, "table"))
        return parse_failed(p, "a table stands in process {} or global {}");
    return parse_failed(p, "expected activate, event, process, global or sys::op{...}, not %s",
                        tok_text(s, t));
}

static bool parse_item(struct parser *p, struct wrapper *w)
{
    const struct tok *t = look(p);
    if (tok_is(p->s, t, "sys") && tok_op(look_ahead(p, 1), OP_SCOPE))
        return parse_clause(p, w);
    static const struct {
        const char *word;
        bool (*parse)(struct parser *p, struct wrapper *w);
    } items[] = {{"activate", parse_activate},
                 {"event", parse_event},
                 {"process", parse_state},
                 {"global", parse_state}};
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        if (tok_is(p->s, t, items[i].word) && !tok_op(look_ahead(p, 1), OP_SCOPE))
            return items[i].parse(p, w);
    return parse_later(p);
}

/*
 * The file ended within the wrapper. If a clause's body reaches to a } further left than the clause, that was
 * most likely the wrapper's, and it is the body that lacks one.
 */
static void unended(struct parser *p, const struct wrapper *w, const struct tok *open)
{
    struct source *s = p->s;
    for (const struct clause *c = w->clauses; c != NULL; c = c->next)
        if (s->toks[c->body.end - 1].col < c->tok->col && c->tok->line > open->line) {
            source_error(s, &s->toks[c->body.first], "this body does not end: a } is missing");
            return;
        }
    if (s->n_complaints == 0 || s->complaints[s->n_complaints - 1].line < open->line)
        source_error(s, open, "this wrapper does not end: a } is missing");
}

static void parse_wrapper(struct parser *p, struct wrapper *w)
{
    const struct tok *open = look_ahead(p, 2);
    w->tok = look(p);
    w->name = tok_word(p->s, look_ahead(p, 1));
    p->at += 3; /* the caller saw wrapper NAME { */
    while (!take_op(p, '}')) {
        if (look(p)->kind == TOK_EOF) {
            unended(p, w, open);
            return;
        }
        if (look(p)->kind == TOK_PP) {
            parse_failed(p, "preprocessor lines stand outside of the wrapper or in a body");
            p->at++;
        } else if (!take_op(p, ';') && !parse_item(p, w)) {
            skip_item(p);
        }
    }
}

static bool starts_wrapper(const struct parser *p)
{
    if (!tok_is(p->s, look(p), "wrapper") || look_ahead(p, 1)->kind != TOK_IDENT ||
        !tok_op(look_ahead(p, 2), '{'))
        return false;
    const struct tok *before = p->at > 0 ? look(p) - 1 : NULL;
    return before == NULL || before->kind == TOK_PP || tok_op(before, ';') || tok_op(before, '}');
}

/* C outside of the wrapper goes through as it is; brackets are counted so that "wrapper" inside them is C. */
static void parse_c(struct parser *p)
{
    struct source *s = p->s;
    while (look(p)->kind != TOK_EOF && !starts_wrapper(p)) {
        const struct tok *t = look(p);
        if (t->kind == TOK_NAME)
            parse_failed(p, "%s outside of a clause: only bodies have the call's arguments", tok_text(s, t));
        if (tok_op(t, '{') || tok_op(t, '(') || tok_op(t, '[')) {
            uint32_t end = bracket_end(s, p->at, s->n_toks);
            if (end == 0) {
                parse_failed(p, "this %s is never closed", tok_text(s, t));
                p->at = s->n_toks - 1;
                return;
            }
            for (p->at++; p->at < end; p->at++)
                if (look(p)->kind == TOK_NAME)
                    parse_failed(p, "%s outside of a clause: only bodies have the call's arguments",
                                 tok_text(s, look(p)));
        }
        p->at++;
    }
}

struct wrapper *parse(struct source *s)
{
    struct parser p = {.s = s};
    struct wrapper *w = pool_alloc(s, sizeof *w);
    parse_c(&p);
    w->before.end = p.at;
    if (look(&p)->kind == TOK_EOF) {
        if (s->n_complaints == 0)
            parse_failed(&p, "no `wrapper NAME { ... }` in this file");
        return w;
    }
    parse_wrapper(&p, w);
    w->after.first = p.at;
    parse_c(&p);
    w->after.end = p.at;
    if (look(&p)->kind != TOK_EOF)
        parse_failed(&p, "a second wrapper: a file holds one");
    return w;
}
