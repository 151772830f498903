/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/parse.h"

#include <string.h>
#include "base/cleanup.h"

/* What activation criteria can look at. */
enum when_kind { WHEN_STRING, WHEN_NUMBER, WHEN_TRUTH };

static const struct {
    const char *word;
    enum when_kind kind;
} criteria[] = {
    {"program", WHEN_STRING}, {"path", WHEN_STRING},  {"exe", WHEN_STRING},     {"args", WHEN_STRING},
    {"user", WHEN_STRING},    {"group", WHEN_STRING}, {"uid", WHEN_NUMBER},     {"gid", WHEN_NUMBER},
    {"euid", WHEN_NUMBER},    {"egid", WHEN_NUMBER},  {"invoker", WHEN_NUMBER}, {"owner", WHEN_NUMBER},
    {"mode", WHEN_NUMBER},    {"dev", WHEN_NUMBER},   {"ino", WHEN_NUMBER},     {"setuid", WHEN_TRUTH},
    {"setgid", WHEN_TRUTH},
};

static const char *criteria_list(struct parser *p)
{
    const char *list = criteria[0].word;
    for (size_t i = 1; i < ARRAY_SIZE(criteria); i++)
        list = pool_printf(p->s, "%s, %s", list, criteria[i].word);
    return list;
}

static bool when_value(struct parser *p, const struct tok *name, enum when_kind kind)
{
    const struct tok *t = look(p);
    if (kind == WHEN_NUMBER)
        (void)take_op(p, '-');
    enum tok_kind want = kind == WHEN_STRING ? TOK_STRING : TOK_NUMBER;
    if (look(p)->kind != want)
        return parse_failed(p, "%s is compared with a %s, not with %s", tok_text(p->s, name),
                            kind == WHEN_STRING ? "string" : "number", tok_text(p->s, t));
    p->at++;
    if (want == TOK_STRING && look(p)->kind == TOK_STRING)
        return parse_failed(p, "a second string: write it as one");
    return true;
}

static bool when_set(struct parser *p, const struct tok *name, enum when_kind kind)
{
    if (!expect_op(p, '{', "the { of a set"))
        return false;
    do {
        if (!when_value(p, name, kind))
            return false;
    } while (take_op(p, ','));
    return expect_op(p, '}', ", or }");
}

static bool when_compare(struct parser *p, const struct tok *name, enum when_kind kind)
{
    const struct tok *t = look(p);
    if (take_word(p, "in"))
        return when_set(p, name, kind);
    bool equality = tok_op(t, OP_EQ) || tok_op(t, OP_NE);
    bool glob = tok_op(t, '~') || tok_op(t, OP_NOTLIKE);
    bool order = tok_op(t, '<') || tok_op(t, OP_LE) || tok_op(t, '>') || tok_op(t, OP_GE);
    if (!equality && !glob && !order)
        return parse_failed(p, "expected a comparison of %s, not %s", tok_text(p->s, name),
                            tok_text(p->s, t));
    if ((glob && kind != WHEN_STRING) || (order && kind != WHEN_NUMBER))
        return parse_failed(p, "%s does not go with %s, a %s", tok_text(p->s, t), tok_text(p->s, name),
                            kind == WHEN_STRING ? "string" : "number");
    p->at++;
    return when_value(p, name, kind);
}

static bool when_or(struct parser *p);

static bool when_primary(struct parser *p)
{
    if (p->depth >= NESTING_MAX)
        return parse_failed(p, "nested too deeply");
    if (take_op(p, '!') || take_op(p, '(')) {
        bool paren = tok_op(look(p) - 1, '(');
        p->depth++;
        bool fine = paren ? when_or(p) && expect_op(p, ')', "&&, || or )") : when_primary(p);
        p->depth--;
        return fine;
    }
    const struct tok *t = look(p);
    if (t->kind == TOK_NAME)
        return parse_failed(p, "activation criteria are written without $");
    if (expect_name(p, "an activation criterion") == NULL)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(criteria); i++)
        if (tok_is(p->s, t, criteria[i].word))
            return criteria[i].kind == WHEN_TRUTH || when_compare(p, t, criteria[i].kind);
    p->at--;
    return parse_failed(p, "no activation criterion %s; there are %s", tok_text(p->s, t), criteria_list(p));
}

static bool when_and(struct parser *p)
{
    do {
        if (!when_primary(p))
            return false;
    } while (take_op(p, OP_AND));
    return true;
}

static bool when_or(struct parser *p)
{
    do {
        if (!when_and(p))
            return false;
    } while (take_op(p, OP_OR));
    return true;
}

bool parse_activate(struct parser *p, struct wrapper *w)
{
    const struct tok *start = look(p);
    p->at++;
    if (!take_word(p, "when"))
        return parse_failed(p, "expected `when` behind activate, not %s", tok_text(p->s, look(p)));
    struct span text = {.first = p->at};
    p->depth = 0;
    if (!when_or(p))
        return false;
    text.end = p->at;
    if (!expect_op(p, ';', "&&, || or ;"))
        return false;
    if (w->activate != NULL)
        source_error(p->s, start, "a second activate: join the criteria with ||");
    w->activate = one_line(p->s, text);
    w->activate_tok = start;
    return true;
}
