/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* $names in bodies: read, assigned, asked about. */
#include "wrapc/body.h"

#include <string.h>
#include "wrapc/parse.h"

static size_t slot(unsigned name)
{
    return name >= IDW_ATTR_FIRST ? CALL_NAME_COUNT + (name - IDW_ATTR_FIRST) : name;
}

/* "it has $fd, $mode": what may have been meant. */
static const char *own_names(struct source *s, const struct call *c)
{
    const char *text = c->n_args == 0 ? "it has none" : "it has";
    for (size_t i = 0; i < c->n_args; i++)
        text = pool_printf(s, "%s%s $%s", text, i > 0 ? "," : "", call_name_text(c->args[i].name));
    return text;
}

const struct name_use *body_use(struct body *b, const struct tok *t, unsigned name)
{
    struct name_use **use = &b->uses[slot(name)];
    if (*use == NULL) {
        *use = pool_alloc(b->s, sizeof **use);
        name_in(name, b->c->calls, *use);
    }
    const struct name_use *u = *use;
    bool attr = name_is_attr(name);
    bool *complained = &b->complained[slot(name)];
    bool unknown = u->n_have == 0 && u->n_lack == 0; /* the characterisation has an error already */
    if (*complained || unknown)
        return NULL;
    const char *text = tok_word(b->s, t);
    *complained = true;
    if (u->n_have == 0 && u->n_lack > 1)
        source_error(b->s, t, "$%s: no call of this clause has such an argument", text);
    else if (u->n_lack == 1 && !b->guarded[attr ? 0 : name])
        source_error(b->s, t, "$%s: call %s has no such argument; %s", text, u->lacks->name,
                     own_names(b->s, u->lacks));
    else if (u->n_lack > 0 && !b->guarded[attr ? 0 : name])
        source_error(b->s, t, "$%s: call %s has no such argument, nor have %u others", text, u->lacks->name,
                     u->n_lack - 1);
    else if (u->differs != NULL)
        source_error(b->s, t, "$%s is not the same kind of thing in %s and in %s", text, u->has->name,
                     u->differs->name);
    else if (b->c->phase == IDW_PRE && u->post_only)
        source_error(b->s, t, "$%s: a pre clause comes before the call has a result", text);
    else if (b->c->phase == IDW_PRE && u->out != NULL)
        source_error(b->s, t, "$%s: call %s writes it, it is known in a post clause only", text,
                     u->out->name);
    else
        *complained = false;
    if (u->memory)
        b->c->flags |= IDW_READS_MEMORY;
    return *complained ? NULL : u;
}

const char *body_reader(struct body *b, unsigned name, const struct name_use *use)
{
    static const char *const functions[] = {
        [ACCESS_STR] = "idw_str", [ACCESS_BUF] = "idw_buf", [ACCESS_STRV] = "idw_strv"};
    const char *number = name_c(b->s, name);
    if (use->access == ACCESS_INT)
        return pool_printf(b->s, "((%s)idw_int(ev, %s))", use->ctype, number);
    return pool_printf(b->s, "%s(ev, %s)", functions[use->access], number);
}

/* Does an operand end with @t, so that an & behind it is binary? */
static bool ends_operand(const struct source *s, const struct tok *t)
{
    if (t == NULL || t->kind == TOK_PUNCT)
        return t != NULL && (t->op == ')' || t->op == ']');
    return !tok_is(s, t, "return") && !tok_is(s, t, "case") && !tok_is(s, t, "sizeof") &&
           !tok_is(s, t, "else");
}

static bool misused(struct body *b, uint32_t i)
{
    const struct source *s = b->s;
    const struct tok *before = body_prev(b, i), *behind = body_next(b, i);
    const char *text = tok_text(b->s, &s->toks[i]);
    if (before != NULL && tok_op(before, '&') &&
        !ends_operand(s, body_prev(b, (uint32_t)(before - s->toks)))) {
        source_error(b->s, &s->toks[i], "&%s: an argument has no address here", text);
        return true;
    }
    bool steps = (before != NULL && (tok_op(before, OP_INC) || tok_op(before, OP_DEC))) ||
                 (behind != NULL && (tok_op(behind, OP_INC) || tok_op(behind, OP_DEC)));
    if (steps)
        source_error(b->s, &s->toks[i], "%s: no ++ and -- for arguments; write %s += 1", text, text);
    return steps;
}

/* $has(name), $len(name), $bad(name): 0 if this is none of them. */
static uint32_t question(struct body *b, uint32_t i, uint32_t end)
{
    struct source *s = b->s;
    const struct tok *t = &s->toks[i];
    const char *word = tok_word(s, t);
    bool has = strcmp(word, "has") == 0, len = strcmp(word, "len") == 0, bad = strcmp(word, "bad") == 0;
    if ((!has && !len && !bad) || i + 1 >= end || !tok_op(&t[1], '('))
        return 0;
    bool fine = i + 3 < end && (t[2].kind == TOK_IDENT || t[2].kind == TOK_NAME) && tok_op(&t[3], ')');
    if (!fine) {
        source_error(s, &t[1], "expected %s(NAME), the name of one argument", tok_text(s, t));
        return i + 1;
    }
    unsigned name = name_find(s, &t[2]);
    if (name != 0 && name_is_attr(name)) {
        source_error(s, &t[2], "%s() asks about arguments, and %s comes with every event", tok_text(s, t),
                     tok_text(s, &t[2]));
        name = 0;
    }
    const struct name_use *use = name == 0 || has ? NULL : body_use(b, &t[2], name);
    if (use != NULL && len && use->access != ACCESS_STR && use->access != ACCESS_BUF)
        source_error(s, &t[2], "$len(%s): it has no length", tok_word(s, &t[2]));
    body_replace(b, i, pool_printf(s, "idw_%s", word));
    body_replace(b, i + 1, "(ev, ");
    body_replace(b, i + 2, name_c(s, name));
    return i + 4;
}

uint32_t body_name(struct body *b, uint32_t i, uint32_t end)
{
    uint32_t behind = question(b, i, end);
    if (behind != 0)
        return behind;
    struct source *s = b->s;
    unsigned name = name_find(s, &s->toks[i]);
    const struct name_use *use = name != 0 ? body_use(b, &s->toks[i], name) : NULL;
    if (use == NULL || misused(b, i)) {
        body_replace(b, i, "0");
        return i + 1;
    }
    behind = body_assign(b, i, end, name, use);
    if (behind != i)
        return behind;
    body_replace(b, i, body_reader(b, name, use));
    return i + 1;
}
