/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "wrapc/parse.h"

#define ERRNO_MAX 4095 /* the kernel's MAX_ERRNO */

const struct tok *body_prev(const struct body *b, uint32_t i)
{
    while (i-- > b->c->body.first)
        if (b->s->toks[i].kind != TOK_PP)
            return &b->s->toks[i];
    return NULL;
}

const struct tok *body_next(const struct body *b, uint32_t i)
{
    while (++i < b->c->body.end)
        if (b->s->toks[i].kind != TOK_PP)
            return &b->s->toks[i];
    return NULL;
}

static void copy_to(struct body *b, size_t at)
{
    if (at > b->copied)
        (void)fwrite(b->s->text + b->copied, 1, at - b->copied, b->out);
    b->copied = at > b->copied ? at : b->copied;
}

void body_replace(struct body *b, uint32_t i, const char *text)
{
    const struct tok *t = &b->s->toks[i];
    copy_to(b, t->at);
    (void)fputs(text, b->out);
    b->copied = t->at + t->len;
}

void body_insert(struct body *b, uint32_t i, const char *text)
{
    const struct tok *t = &b->s->toks[i];
    copy_to(b, t->at + t->len);
    (void)fputs(text, b->out);
}

/* EPERM, 1: what surely is a positive number. */
static bool is_errno(const struct source *s, const struct tok *t)
{
    return t->kind == TOK_NUMBER || (t->kind == TOK_IDENT && t->len > 2 && s->text[t->at] == 'E');
}

/* A single number that no call can fail with; other expressions are idw_deny's to judge. */
static bool is_bad_errno(const struct source *s, const struct tok *t)
{
    if (t->kind != TOK_NUMBER || !tok_op(&t[1], ';'))
        return false;
    char *end;
    errno = 0;
    unsigned long long n = strtoull(s->text + t->at, &end, 0);
    bool whole = *end != 'b'; /* 0b11 is left to the C compiler */
    return errno != 0 || (whole && (n < 1 || n > ERRNO_MAX));
}

static bool is_no_integer(const struct source *s, const struct tok *t)
{
    return tok_op(&t[1], ';') &&
           (t->kind == TOK_STRING || (t->kind == TOK_NUMBER && memchr(s->text + t->at, '.', t->len) != NULL));
}

/*
 * Behind the expression of a verdict. A fraction would be converted silently, a pointer by some compilers;
 * this changes no integer and takes nothing else.
 */
#define INTEGER_END ") >> 0)"

/* deny EXPR; fake EXPR; */
static uint32_t verdict(struct body *b, uint32_t i, uint32_t end)
{
    struct source *s = b->s;
    const struct tok *t = &s->toks[i];
    bool deny = tok_is(s, t, "deny");
    uint32_t stop = i + 1;
    while (stop < end && !tok_op(&s->toks[stop], ';') && !tok_op(&s->toks[stop], '}')) {
        bool open = tok_op(&s->toks[stop], '(') || tok_op(&s->toks[stop], '[') || tok_op(&s->toks[stop], '{');
        uint32_t close = open ? bracket_end(s, stop, end) : 0;
        stop = close ? close + 1 : stop + 1;
    }
    if (stop >= end || !tok_op(&s->toks[stop], ';')) {
        source_error(s, t, "expected ; behind %s", tok_text(s, t));
        return i + 1;
    }
    if (stop == i + 1)
        source_error(s, t, "%s", deny ? "deny needs an errno: deny EPERM;" : "fake needs a value: fake 0;");
    else if (b->c->phase == IDW_POST)
        source_error(s, t, "%s: the call has run; a post clause can assign $ret and $errno", tok_text(s, t));
    else if (deny && tok_op(&t[1], '-') && is_errno(s, &t[2]))
        source_error(s, &t[1], "deny takes the errno itself, not its negative: deny EPERM;");
    else if (is_no_integer(s, &t[1]))
        source_error(s, &t[1], "%s takes an integer, not %s", tok_text(s, t), tok_text(s, &t[1]));
    else if (deny && is_bad_errno(s, &t[1]))
        source_error(s, &t[1], "deny takes an errno, 1 to %d, not %s", ERRNO_MAX, tok_text(s, &t[1]));
    body_replace(b, i, deny ? "return idw_deny(ev, (" : "return idw_fake(ev, (");
    body_tokens(b, i + 1, stop);
    body_insert(b, stop - 1, INTEGER_END);
    return stop;
}

/* At the start of a statement `deny` and `fake` are WDL's unless what follows makes them a variable or label
 * of C. */
static bool is_c_use(const struct tok *next)
{
    static const unsigned ops[] = {'=',        '.',        '[',        ':',        ',',        '}',
                                   ')',        OP_ARROW,   OP_OR_SET,  OP_AND_SET, OP_XOR_SET, OP_ADD_SET,
                                   OP_SUB_SET, OP_MUL_SET, OP_DIV_SET, OP_MOD_SET, OP_SHL_SET, OP_SHR_SET};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (tok_op(next, ops[i]))
            return true;
    return false;
}

/* raise EVENT(args); */
static uint32_t raise_event(struct body *b, uint32_t i)
{
    struct source *s = b->s;
    const struct tok *name = &s->toks[i + 1];
    const struct event *event = b->w->events;
    while (event != NULL && !tok_is(s, name, event->name))
        event = event->next;
    uint32_t open = i + 2;
    uint32_t close = tok_op(&s->toks[open], '(') ? bracket_end(s, open, b->c->body.end) : 0;
    if (event == NULL)
        source_error(s, name, "no event %s", tok_text(s, name));
    else if (close == 0)
        source_error(s, &s->toks[open], "expected (, the event's parameters and ), not %s",
                     tok_text(s, &s->toks[open]));
    if (event == NULL || close == 0)
        return open;
    unsigned n = call_args(s, open, close);
    if (n != event->n_params)
        source_error(s, name, "event %s has %u parameter%s, not %u", event->name, event->n_params,
                     event->n_params == 1 ? "" : "s", n);
    body_replace(b, i, "");
    body_replace(b, i + 1, pool_printf(s, "idw_raise_%s", event->name));
    body_replace(b, open, n > 0 ? "(ev, " : "(ev");
    return open + 1;
}

/* A verdict or raise at token @i. Returns the first token behind what was rewritten, or @i if this is none.
 */
static uint32_t verb(struct body *b, uint32_t i, uint32_t end)
{
    struct source *s = b->s;
    const struct tok *t = &s->toks[i];
    bool starts = b->statement[i - b->c->body.first];
    bool judges = tok_is(s, t, "deny") || tok_is(s, t, "fake");
    bool raises = tok_is(s, t, "raise") && t[1].kind == TOK_IDENT;
    if (judges && starts && !is_c_use(&t[1]))
        return verdict(b, i, end);
    if (raises && starts)
        return raise_event(b, i);
    if (tok_is(s, t, "kill") && starts && tok_op(&t[1], ';')) {
        body_replace(b, i, "return idw_kill(ev)");
        return i + 1;
    }
    if (raises || (judges && (t[1].kind == TOK_IDENT || t[1].kind == TOK_NUMBER || t[1].kind == TOK_NAME)))
        source_error(s, t, "%s is a statement, and none can stand here", tok_text(s, t));
    return i;
}

static const struct variable *variable_find(const struct body *b, const struct tok *t, enum scope *scope)
{
    for (unsigned i = 0; i < SCOPE_COUNT; i++)
        for (const struct decl *d = b->w->states[i].decls; d != NULL; d = d->next)
            for (const struct variable *v = d->vars; v != NULL; v = v->next)
                if (tok_is(b->s, t, v->name)) {
                    *scope = i;
                    return v;
                }
    return NULL;
}

/* Words of C that an expression can follow; any other identifier in front of a name makes it a declaration.
 */
static bool before_expression(const struct source *s, const struct tok *t)
{
    static const char *const words[] = {"return",     "else",     "do",   "case", "sizeof",        "typeof",
                                        "__typeof__", "_Alignof", "deny", "fake", "__extension__", "into"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (tok_is(s, t, words[i]))
            return true;
    return false;
}

/* A variable of process {} or global {}: through the clause's pointer to the state. */
static void variable(struct body *b, uint32_t i)
{
    enum scope scope;
    struct source *s = b->s;
    const struct tok *t = &s->toks[i], *before = body_prev(b, i), *behind = body_next(b, i);
    if (variable_find(b, t, &scope) == NULL)
        return;
    bool label = b->statement[i - b->c->body.first] && behind != NULL && tok_op(behind, ':');
    if (label || tok_is(s, before, "goto") || tok_is(s, before, "struct") || tok_is(s, before, "union") ||
        tok_is(s, before, "enum"))
        return;
    if (before->kind == TOK_IDENT && !before_expression(s, before)) {
        source_error(s, t, "%s is state of this wrapper: give the local variable another name",
                     tok_text(s, t));
        return;
    }
    b->c->flags |= scope == SCOPE_PROCESS ? IDW_TOUCHES_PROCESS : IDW_TOUCHES_GLOBAL;
    body_replace(
        b, i,
        pool_printf(s, "idw_%c->%.*s", scope == SCOPE_PROCESS ? 'P' : 'G', (int)t->len, s->text + t->at));
}

static uint32_t identifier(struct body *b, uint32_t i, uint32_t end)
{
    const struct tok *before = body_prev(b, i);
    if (before == NULL || tok_op(before, '.') || tok_op(before, OP_ARROW))
        return i + 1;
    uint32_t behind = verb(b, i, end);
    if (behind == i)
        behind = body_table(b, i);
    if (behind == i)
        behind = body_wr_assign(b, i);
    if (behind != i)
        return behind;
    variable(b, i);
    return i + 1;
}

/* A $ in a preprocessor line, strings left out, can't be rewritten: the line may mean anything wherever it is
 * used. */
static void preprocessor_line(struct body *b, const struct tok *t)
{
    const char *text = b->s->text;
    char quote = 0;
    for (uint32_t i = t->at; i < t->at + t->len; i++) {
        if (quote != 0 && text[i] == '\\')
            i++;
        else if (quote != 0)
            quote = text[i] == quote ? 0 : quote;
        else if (text[i] == '"' || text[i] == '\'')
            quote = text[i];
        else if (text[i] == '$') {
            source_error(b->s, t, "a $name in a preprocessor line");
            return;
        }
    }
}

void body_tokens(struct body *b, uint32_t first, uint32_t end)
{
    if (++b->depth > REWRITES_MAX) {
        source_error(b->s, &b->s->toks[first], "nested too deeply");
        b->depth--;
        return;
    }
    for (uint32_t i = first; i < end;) {
        const struct tok *t = &b->s->toks[i];
        if (t->kind == TOK_NAME)
            i = body_name(b, i, end);
        else if (t->kind == TOK_IDENT)
            i = identifier(b, i, end);
        else {
            if (t->kind == TOK_PP)
                preprocessor_line(b, t);
            i++;
        }
    }
    b->depth--;
}

/* A body that asks $has(x) may use $x even if some of its calls have none. */
static void find_guards(struct body *b)
{
    const struct source *s = b->s;
    for (uint32_t i = b->c->body.first; i + 3 < b->c->body.end; i++) {
        const struct tok *t = &s->toks[i];
        bool has = t->kind == TOK_NAME && strcmp(tok_word(b->s, t), "has") == 0;
        if (has && tok_op(&t[1], '(') && (t[2].kind == TOK_IDENT || t[2].kind == TOK_NAME))
            b->guarded[call_name_find(tok_word(b->s, &t[2]))] = true;
    }
    b->guarded[CALL_NAME_NONE] = false;
}

void body_rewrite(struct source *s, const struct wrapper *w, struct clause *c)
{
    size_t names = CALL_NAME_COUNT + (IDW_ATTR_END - IDW_ATTR_FIRST);
    struct body b = {.s = s, .w = w, .c = c};
    b.guarded = pool_alloc(s, CALL_NAME_COUNT * sizeof *b.guarded);
    b.uses = pool_alloc(s, names * sizeof(struct name_use *));
    b.complained = pool_alloc(s, names * sizeof *b.complained);
    char *code = NULL;
    size_t len = 0;
    b.out = open_memstream(&code, &len);
    if (b.out == NULL)
        abort();
    body_statements(&b);
    find_guards(&b);
    b.copied = s->toks[c->body.first].at;
    body_tokens(&b, c->body.first, c->body.end);
    body_insert(&b, c->body.end - 1, "");
    c->flags |= body_looks(&b) ? IDW_LOOKS : 0;
    (void)fclose(b.out);
    c->code = pool_copy(s, code, len);
    free(code);
}
