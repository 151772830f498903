/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct tok *look_ahead(const struct parser *p, unsigned n)
{
    uint32_t last = p->s->n_toks - 1;
    return &p->s->toks[p->at + n < last ? p->at + n : last];
}

const struct tok *look(const struct parser *p)
{
    return look_ahead(p, 0);
}

bool take_op(struct parser *p, unsigned op)
{
    bool is = tok_op(look(p), op);
    p->at += is;
    return is;
}

bool take_word(struct parser *p, const char *word)
{
    bool is = tok_is(p->s, look(p), word);
    p->at += is;
    return is;
}

bool parse_failed(struct parser *p, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    source_error(p->s, look(p), "%s", text);
    return false;
}

bool expect_op(struct parser *p, unsigned op, const char *what)
{
    return take_op(p, op) || parse_failed(p, "expected %s, not %s", what, tok_text(p->s, look(p)));
}

const struct tok *expect_name(struct parser *p, const char *what)
{
    const struct tok *t = look(p);
    if (t->kind != TOK_IDENT) {
        parse_failed(p, "expected %s, not %s", what, tok_text(p->s, t));
        return NULL;
    }
    p->at++;
    return t;
}

/* Depths at the #ifs that are open; deeper nesting is not corrected for. */
struct groups {
    unsigned n;
    int depth[32];
};

static void at_directive(const struct source *s, const struct tok *t, struct groups *g, int *depth)
{
    const char *name = s->text + t->at + 1;
    name += strspn(name, " \t:");
    if (strncmp(name, "if", 2) == 0) {
        if (g->n < sizeof g->depth / sizeof g->depth[0])
            g->depth[g->n] = *depth;
        g->n++;
    } else if (strncmp(name, "el", 2) == 0 && g->n > 0 && g->n <= sizeof g->depth / sizeof g->depth[0]) {
        *depth = g->depth[g->n - 1];
    } else if (strncmp(name, "endif", 5) == 0 && g->n > 0) {
        g->n--;
    }
}

uint32_t bracket_end(const struct source *s, uint32_t open, uint32_t end)
{
    int depth = 0, braces = 0;
    bool block = tok_op(&s->toks[open], '{');
    struct groups g = {0};
    for (uint32_t i = open; i < end && s->toks[i].kind != TOK_EOF; i++) {
        const struct tok *t = &s->toks[i];
        if (t->kind == TOK_PP)
            at_directive(s, t, &g, block ? &braces : &depth);
        if (t->kind != TOK_PUNCT)
            continue;
        braces += (t->op == '{') - (t->op == '}');
        depth += (t->op == '(' || t->op == '[') - (t->op == ')' || t->op == ']');
        if (braces < 0)
            return 0;
        if (braces == 0 && (block ? t->op == '}' : depth <= 0))
            return i;
    }
    return 0;
}

const char *one_line(struct source *s, struct span span)
{
    const char *text = "";
    char *line = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&line, &len);
    if (out == NULL)
        return text;
    for (uint32_t i = span.first; i < span.end; i++) {
        const struct tok *t = &s->toks[i];
        if (i > span.first && t[-1].at + t[-1].len < t->at)
            (void)fputc(' ', out);
        (void)fwrite(s->text + t->at, 1, t->len, out);
    }
    (void)fclose(out);
    text = pool_copy(s, line, len);
    free(line);
    return text;
}
