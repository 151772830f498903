/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* $name = value; wr_assign($name, data, length); */
#include "wrapc/body.h"

#include <string.h>
#include "wrapc/parse.h"

/* The C operator of a compound assignment; "" for =; NULL: no assignment. */
static const char *assigns(const struct tok *t)
{
    static const struct {
        unsigned op;
        const char *text;
    } ops[] = {{'=', ""},         {OP_OR_SET, "|"},   {OP_AND_SET, "&"}, {OP_XOR_SET, "^"},
               {OP_ADD_SET, "+"}, {OP_SUB_SET, "-"},  {OP_MUL_SET, "*"}, {OP_DIV_SET, "/"},
               {OP_MOD_SET, "%"}, {OP_SHL_SET, "<<"}, {OP_SHR_SET, ">>"}};
    for (size_t i = 0; t != NULL && i < sizeof ops / sizeof ops[0]; i++)
        if (tok_op(t, ops[i].op))
            return ops[i].text;
    return NULL;
}

/* Why can memory not be assigned in this clause, whatever it is? NULL: it can. */
static const char *why_not_memory(struct body *b, const char *text, const struct name_use *use)
{
    struct source *s = b->s;
    if (use->access == ACCESS_STRV)
        return pool_printf(s, "%s cannot be assigned: it is a vector of strings", text);
    if (use->fixed != NULL)
        return pool_printf(s, "%s cannot be assigned: in call %s it is part of a struct", text,
                           use->fixed->name);
    if (b->c->phase == IDW_POST && use->reads != NULL)
        return pool_printf(s, "%s: call %s has read it; a post clause assigns what the call writes", text,
                           use->reads->name);
    if (b->c->phase == IDW_PRE && use->writes != NULL)
        return pool_printf(s, "%s: call %s writes it, it is assigned in a post clause only", text,
                           use->writes->name);
    return NULL;
}

static const char *why_not_number(struct body *b, const char *text, const struct name_use *use)
{
    struct source *s = b->s;
    if (b->c->phase == IDW_POST && !use->post_only)
        return pool_printf(
            s, "%s: the call has run; a post clause assigns $ret, $errno and what the call writes", text);
    if (use->fixed != NULL)
        return pool_printf(s, "%s cannot be assigned: call %s does not take it in a register", text,
                           use->fixed->name);
    if (use->length != NULL)
        return pool_printf(s, "%s cannot be assigned: in call %s it points to a length", text,
                           use->length->name);
    return NULL;
}

static bool assignable(struct body *b, const struct tok *t, unsigned name, const struct name_use *use)
{
    const char *text = pool_printf(b->s, "$%s", tok_word(b->s, t));
    const char *why = NULL;
    b->c->flags |= IDW_ASSIGNS;
    if (name_is_attr(name) && !use->post_only)
        why = pool_printf(b->s, "%s cannot be assigned", text);
    else if (use->access == ACCESS_INT)
        why = why_not_number(b, text, use);
    else
        why = why_not_memory(b, text, use);
    if (why != NULL)
        source_error(b->s, t, "%s", why);
    return why == NULL;
}

/* Behind an assigned expression: the , ; : or bracket that ends it. */
static uint32_t expression_end(const struct source *s, uint32_t from, uint32_t end)
{
    unsigned questions = 0;
    for (uint32_t i = from; i < end; i++) {
        const struct tok *t = &s->toks[i];
        if (tok_op(t, '(') || tok_op(t, '[') || tok_op(t, '{')) {
            uint32_t close = bracket_end(s, i, end);
            i = close ? close : i;
        } else if (tok_op(t, ',') || tok_op(t, ';') || tok_op(t, ')') || tok_op(t, ']') || tok_op(t, '}')) {
            return i;
        } else if (tok_op(t, '?')) {
            questions++;
        } else if (tok_op(t, ':') && questions-- == 0) {
            return i;
        }
    }
    return end;
}

static bool is_null(const struct source *s, uint32_t first, uint32_t end)
{
    const struct tok *t = &s->toks[first];
    return end == first + 1 &&
           (tok_is(s, t, "NULL") || (t->kind == TOK_NUMBER && s->text[t->at] == '0' && t->len == 1));
}

/* Memory: the length is the expression's own. */
static void assign_memory(struct body *b, uint32_t i, uint32_t op, uint32_t stop, unsigned name,
                          const struct name_use *use)
{
    struct source *s = b->s;
    const char *word = tok_word(s, &s->toks[i]);
    bool fine = assignable(b, &s->toks[i], name, use);
    if (fine && !tok_op(&s->toks[op], '='))
        source_error(s, &s->toks[i], "$%s lies in memory: nothing but = assigns it", word);
    else if (fine && is_null(s, op + 1, stop))
        source_error(s, &s->toks[op + 1], "$%s cannot be NULL", word);
    if (use->access == ACCESS_STR)
        body_replace(b, i, pool_printf(s, "idw_assign_text(ev, %s, (", name_c(s, name)));
    else
        body_replace(b, i,
                     pool_printf(s, "IDW_ASSIGN(_Static_assert, ev, %s, %u, \"%s\", (", name_c(s, name),
                                 use->size, word));
    body_replace(b, op, "");
    body_tokens(b, op + 1, stop);
    body_insert(b, stop - 1, "))");
}

static void assign_number(struct body *b, uint32_t i, uint32_t op, uint32_t stop, unsigned name,
                          const struct name_use *use)
{
    struct source *s = b->s;
    const char *operator= assigns(&s->toks[op]);
    bool fine = assignable(b, &s->toks[i], name, use);
    const char *wide = use->is_signed ? "(uint64_t)(int64_t)" : "(uint64_t)";
    const char *ctype = fine ? use->ctype : "int";
    bool compound = *operator!= '\0';
    const char *old = compound && fine ? body_reader(b, name, use) : "";
    body_replace(b, i,
                 pool_printf(s, "idw_assign_%s(ev, %s, %s(%s)(%s", use->is_signed ? "signed" : "unsigned",
                             name_c(s, name), wide, ctype, old));
    body_replace(b, op, pool_printf(s, "%s (", operator));
    body_tokens(b, op + 1, stop);
    body_insert(b, stop - 1, ")))");
}

uint32_t body_assign(struct body *b, uint32_t i, uint32_t end, unsigned name, const struct name_use *use)
{
    struct source *s = b->s;
    const struct tok *next = body_next(b, i);
    if (assigns(next) == NULL || (uint32_t)(next - s->toks) >= end)
        return i;
    uint32_t op = (uint32_t)(next - s->toks);
    uint32_t stop = expression_end(s, op + 1, end);
    if (stop == op + 1) {
        source_error(s, &s->toks[stop], "expected a value, not %s", tok_text(s, &s->toks[stop]));
        return stop;
    }
    if (use->access == ACCESS_INT)
        assign_number(b, i, op, stop, name, use);
    else
        assign_memory(b, i, op, stop, name, use);
    return stop;
}

uint32_t body_wr_assign(struct body *b, uint32_t i)
{
    struct source *s = b->s;
    const struct tok *t = &s->toks[i];
    if (!tok_is(s, t, "wr_assign") || !tok_op(&t[1], '('))
        return i;
    uint32_t close = bracket_end(s, i + 1, b->c->body.end);
    if (close == 0 || call_args(s, i + 1, close) != 3 || t[2].kind != TOK_NAME || !tok_op(&t[3], ',')) {
        source_error(s, &t[1], "expected wr_assign($NAME, data, length)");
        return i + 2;
    }
    unsigned name = name_find(s, &t[2]);
    const struct name_use *use = name != 0 ? body_use(b, &t[2], name) : NULL;
    if (use != NULL && assignable(b, &t[2], name, use) && use->access == ACCESS_INT)
        source_error(s, &t[2], "$%s is a number: = assigns it", tok_word(s, &t[2]));
    body_replace(b, i, "idw_assign");
    body_replace(b, i + 1, "(ev, ");
    body_replace(b, i + 2, name_c(s, name));
    return i + 3;
}
