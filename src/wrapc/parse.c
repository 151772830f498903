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

static bool parse_body(struct parser *p, struct clause *c)
{
    struct source *s = p->s;
    if (!tok_op(look(p), '{'))
        return parse_failed(p, "expected the { of the clause's body, not %s", tok_text(s, look(p)));
    uint32_t end = bracket_end(s, p->at, s->n_toks);
    if (end == 0 || !tok_op(&s->toks[end], '}')) {
        parse_failed(p, end ? "the brackets in this body do not match"
                            : "this body does not end: a } is missing");
        p->at = end ? end + 1 : s->n_toks - 1;
        return false;
    }
    c->body = (struct span){.first = p->at, .end = end + 1};
    p->at = end + 1;
    (void)take_op(p, ';');
    return true;
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
    c->match = parse_match(p);
    if (c->match == NULL || !expect_op(p, '}', "&&, || or the } of sys::op{...}"))
        return false;
    if (take_word(p, "post"))
        c->phase = IDW_POST;
    else if (!take_word(p, "pre"))
        return parse_failed(p, "expected pre or post, not %s", tok_text(s, look(p)));
    if (!parse_body(p, c))
        return true; /* it has stepped over the body itself */
    c->index = w->n_clauses++;
    LIST_APPEND(w->clauses, c);
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

static void parse_wrapper(struct parser *p, struct wrapper *w)
{
    const struct tok *open = look_ahead(p, 2);
    w->tok = look(p);
    w->name = tok_word(p->s, look_ahead(p, 1));
    p->at += 3; /* the caller saw wrapper NAME { */
    while (!take_op(p, '}')) {
        if (look(p)->kind == TOK_EOF) {
            source_error(p->s, open, "this wrapper does not end: a } is missing");
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
