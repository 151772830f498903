/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/translate.h"

#include <errno.h>
#include "wrapc/body.h"
#include "wrapc/check.h"
#include "wrapc/emit.h"
#include "wrapc/lex.h"
#include "wrapc/parse.h"

int translate(struct source *s, FILE *out)
{
    lex(s);
    struct wrapper *w = parse(s);
    check_names(s, w);
    for (struct clause *c = w->clauses; c != NULL; c = c->next) {
        check_clause(s, c);
        body_rewrite(s, w, c);
    }
    if (s->n_complaints > 0)
        return -EINVAL;
    emit(s, w, out);
    return 0;
}
