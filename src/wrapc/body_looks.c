/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does a clause call what looks at the subject's files? Functions and macros of the file may do it for it. */
#include "wrapc/body.h"

#include <string.h>
#include "base/cleanup.h"

static const char *const lookers[] = {"wr_stat", "wr_fstat", "wr_getpeername", "wr_getsockname"};

static bool looks_in(const struct source *s, struct span span)
{
    for (uint32_t i = span.first; i < span.end; i++)
        for (size_t k = 0; k < ARRAY_SIZE(lookers); k++)
            if (tok_is(s, &s->toks[i], lookers[k]))
                return true;
    return false;
}

/* A macro that says so, or a file of the wrapper's own, which we don't read: #include "x.h". */
static bool line_looks(const struct source *s, const struct tok *t)
{
    const char *line = s->text + t->at;
    for (size_t k = 0; k < ARRAY_SIZE(lookers); k++)
        if (memmem(line, t->len, lookers[k], strlen(lookers[k])) != NULL)
            return true;
    return memmem(line, t->len, "include", strlen("include")) != NULL && memchr(line, '"', t->len) != NULL;
}

bool body_looks(const struct body *b)
{
    const struct source *s = b->s;
    if (looks_in(s, b->c->body) || looks_in(s, b->w->before) || looks_in(s, b->w->after))
        return true;
    for (uint32_t i = 0; i < s->n_toks; i++)
        if (s->toks[i].kind == TOK_PP && line_looks(s, &s->toks[i]))
            return true;
    return false;
}
