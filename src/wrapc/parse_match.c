/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/parse.h"

#include <fcntl.h>
#include <string.h>
#include "wrapc/names.h"

static struct match *match_new(struct parser *p, enum match_kind kind, struct match *a, struct match *b)
{
    struct match *m = pool_alloc(p->s, sizeof *m);
    m->kind = kind;
    m->tok = look(p);
    m->a = a;
    m->b = b;
    return m;
}

static void *match_failed(struct parser *p, const char *text)
{
    parse_failed(p, "%s", text);
    return NULL;
}

static struct match *flags_match(struct parser *p, enum idw_cmp cmp, const struct flags_test *test)
{
    struct match *m = match_new(p, MATCH_CMP, NULL, NULL);
    m->name = call_name_find("flags");
    m->cmp = cmp;
    m->fixed = test;
    return m;
}

/*
 * Whether an open reads or writes the object of its path is in its flags (call_open_writes), so rpath and
 * wpath mean those opens only whose flags say so.
 */
static struct match *refine_role(struct parser *p, struct match *word, unsigned tag)
{
    static const struct flags_test access = {O_ACCMODE, O_RDONLY}, changes = {O_CREAT | O_TRUNC, 0},
                                   handle = {O_PATH, 0}, writes_only = {O_ACCMODE, O_WRONLY};
    struct match *opens = match_new(p, MATCH_WORD, NULL, NULL);
    if (!set_split_opens(word->set, opens->set))
        return word;
    struct match *m = flags_match(p, IDW_NE, &writes_only);
    if (tag == TAG_WPATH) {
        m = match_new(p, MATCH_OR, flags_match(p, IDW_NE, &access), flags_match(p, IDW_NE, &changes));
        m = match_new(p, MATCH_AND, flags_match(p, IDW_EQ, &handle), m);
    }
    return match_new(p, MATCH_OR, word, match_new(p, MATCH_AND, opens, m));
}

static struct match *parse_word(struct parser *p)
{
    struct source *s = p->s;
    struct match *m = match_new(p, MATCH_WORD, NULL, NULL);
    m->only = tok_is(s, look(p), "only") && tok_op(look_ahead(p, 1), '(');
    p->at += m->only ? 2 : 0;
    m->tok = expect_name(p, "a call, a group, an argument's role or a comparison");
    if (m->tok == NULL || (m->only && !expect_op(p, ')', "the ) of only(CALL)")))
        return NULL;
    word_calls(s, m->tok, m->only, m->set);
    unsigned tag = tok_is(s, m->tok, "wpath") ? TAG_WPATH : tok_is(s, m->tok, "rpath") ? TAG_RPATH : 0;
    return tag != 0 && !m->only ? refine_role(p, m, tag) : m;
}

static bool compares(const struct tok *t, enum idw_cmp *cmp)
{
    static const struct {
        unsigned op;
        enum idw_cmp cmp;
    } ops[] = {{OP_EQ, IDW_EQ}, {OP_NE, IDW_NE}, {'<', IDW_LT},   {OP_LE, IDW_LE},
               {'>', IDW_GT},   {OP_GE, IDW_GE}, {'~', IDW_GLOB}, {OP_NOTLIKE, IDW_NGLOB}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (tok_op(t, ops[i].op)) {
            *cmp = ops[i].cmp;
            return true;
        }
    return false;
}

/*
 * A constant: C tokens up to a comparison, && or ||, or the bracket around it. What C binds more loosely than
 * a comparison has to stand in parentheses, so that no reading differs from C's.
 */
static bool parse_constant(struct parser *p, struct span *span)
{
    struct source *s = p->s;
    span->first = p->at;
    for (;; p->at++) {
        const struct tok *t = look(p);
        enum idw_cmp cmp;
        bool unary = tok_op(t, '~') && p->at == span->first;
        bool end =
            tok_op(t, OP_AND) || tok_op(t, OP_OR) || tok_op(t, ')') || tok_op(t, '}') || t->kind == TOK_EOF;
        if (end || (!unary && compares(t, &cmp)))
            break;
        if (t->kind == TOK_NAME)
            return parse_failed(p, "%s is compared with a constant, not with an argument", tok_text(s, t));
        if (tok_op(t, '='))
            return parse_failed(p, "an assignment in a characterisation; == compares");
        if (tok_op(t, '|') || tok_op(t, '&') || tok_op(t, '^') || tok_op(t, '?'))
            return parse_failed(p, "put the constant around %s into parentheses", tok_text(s, t));
        if (t->kind == TOK_PP || tok_op(t, ';') || tok_op(t, ',') || tok_op(t, '{') || tok_op(t, ']'))
            return parse_failed(p, "expected a constant, not %s", tok_text(s, t));
        if (tok_op(t, '(') || tok_op(t, '[')) {
            uint32_t close = bracket_end(s, p->at, s->n_toks);
            if (close == 0)
                return parse_failed(p, "this %s is never closed", tok_text(s, t));
            for (uint32_t i = p->at; i < close; i++)
                if (s->toks[i].kind == TOK_NAME || s->toks[i].kind == TOK_PP) {
                    source_error(s, &s->toks[i], "expected a constant, not %s", tok_text(s, &s->toks[i]));
                    return false;
                }
            p->at = close;
        }
    }
    span->end = p->at;
    return span->first < span->end || parse_failed(p, "expected a constant, not %s", tok_text(s, look(p)));
}

/* $name [& CONSTANT], in parentheses or not */
static bool parse_operand(struct parser *p, struct match *m)
{
    bool paren = take_op(p, '(');
    if (look(p)->kind != TOK_NAME)
        return parse_failed(p, "expected a $name, not %s", tok_text(p->s, look(p)));
    m->tok = look(p);
    m->name = name_find(p->s, m->tok);
    p->at++;
    if (take_op(p, '&') && !parse_constant(p, &m->mask))
        return false;
    return !paren || expect_op(p, ')', ")");
}

static struct match *parse_compare(struct parser *p)
{
    struct match *m = match_new(p, MATCH_CMP, NULL, NULL);
    if (!parse_operand(p, m))
        return NULL;
    m->cmp = IDW_NE;
    if (!compares(look(p), &m->cmp)) {
        if (tok_op(look(p), '='))
            return match_failed(p, "an assignment in a characterisation; == compares");
        return name_is_string(m->name) ? match_failed(p, "a string has to be compared: ==, !=, ~ or !~") : m;
    }
    const struct tok *op = look(p);
    p->at++;
    if (!parse_constant(p, &m->value))
        return NULL;
    if (compares(look(p), &(enum idw_cmp){0}))
        return match_failed(p, "a second comparison: join comparisons with && or ||");
    bool string = p->s->toks[m->value.first].kind == TOK_STRING;
    if (string || m->cmp >= IDW_GLOB || name_is_string(m->name))
        m->kind = MATCH_STR;
    if (m->kind == MATCH_STR && m->mask.first < m->mask.end) {
        source_error(p->s, op, "a string has no bits to mask");
        return NULL;
    }
    if (m->kind == MATCH_STR && (m->cmp >= IDW_LT && m->cmp <= IDW_GE)) {
        source_error(p->s, op, "strings are compared with ==, !=, ~ and !~");
        return NULL;
    }
    return m;
}

static struct match *match_or(struct parser *p);

/* `(` opens an operand's parentheses if they hold nothing but $name and a mask, and a comparison or nothing
 * follows. */
static bool operand_ahead(const struct parser *p)
{
    if (look(p)->kind == TOK_NAME)
        return true;
    if (!tok_op(look(p), '(') || look_ahead(p, 1)->kind != TOK_NAME)
        return false;
    uint32_t close = bracket_end(p->s, p->at, p->s->n_toks);
    return close != 0 && compares(&p->s->toks[close + 1], &(enum idw_cmp){0});
}

static struct match *match_unary(struct parser *p)
{
    if (p->depth >= NESTING_MAX)
        return match_failed(p, "nested too deeply");
    if (p->terms++ >= TERMS_MAX)
        return match_failed(p, "too many words and comparisons in one characterisation");
    if (operand_ahead(p))
        return parse_compare(p);
    bool paren = tok_op(look(p), '(');
    if (!paren && !tok_op(look(p), '!'))
        return parse_word(p);
    struct match *not = paren ? NULL : match_new(p, MATCH_NOT, NULL, NULL);
    p->at++;
    p->depth++;
    struct match *inner = paren ? match_or(p) : match_unary(p);
    p->depth--;
    if (inner == NULL || (paren && !expect_op(p, ')', "&&, || or )")))
        return NULL;
    if (not == NULL)
        return inner;
    not ->a = inner;
    return not ;
}

static struct match *match_and(struct parser *p)
{
    struct match *m = match_unary(p);
    while (m != NULL && tok_op(look(p), OP_AND)) {
        struct match *both = match_new(p, MATCH_AND, m, NULL);
        p->at++;
        both->b = match_unary(p);
        m = both->b != NULL ? both : NULL;
    }
    return m;
}

static struct match *match_or(struct parser *p)
{
    struct match *m = match_and(p);
    while (m != NULL && tok_op(look(p), OP_OR)) {
        struct match *either = match_new(p, MATCH_OR, m, NULL);
        p->at++;
        either->b = match_and(p);
        m = either->b != NULL ? either : NULL;
    }
    return m;
}

struct match *parse_match(struct parser *p)
{
    p->depth = p->terms = 0;
    return match_or(p);
}
