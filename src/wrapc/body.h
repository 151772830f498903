/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a clause's body to C: $names, verdicts, raise, tables and state become calls and member accesses; all
 * other text, line breaks included, goes through as it is, so that each line of the C is that line of the .wr
 * file.
 */
#ifndef IDW_WRAPC_BODY_H
#define IDW_WRAPC_BODY_H

#include "wrapc/names.h"

/* body_rewrite - fill in c->code and add to c->flags. check_clause comes first. */
void body_rewrite(struct source *s, const struct wrapper *w, struct clause *c);

#define REWRITES_MAX 200 /* our own stack is finite */

/* What its parts share. */
struct body {
    struct source *s;
    const struct wrapper *w;
    struct clause *c;
    FILE *out;
    size_t copied;          /* source text before this offset is written */
    unsigned depth;         /* of rewrites within rewrites */
    bool *statement;        /* by token, from body.first on: does a statement start here? */
    bool *guarded;          /* by argument name: the body asks $has(name) */
    struct name_use **uses; /* by name, attributes behind the arguments; looked up once */
    bool *complained;       /* the same: one error a name */
};

/* The token before or behind @i, preprocessor lines left out. NULL outside of the body. */
const struct tok *body_prev(const struct body *b, uint32_t i);
const struct tok *body_next(const struct body *b, uint32_t i);

/* body_replace - write the text up to token @i, then @text in its place. */
void body_replace(struct body *b, uint32_t i, const char *text);
/* body_insert - write the text up to the end of token @i, then @text. */
void body_insert(struct body *b, uint32_t i, const char *text);

/* body_tokens - rewrite tokens @first .. @end - 1. */
void body_tokens(struct body *b, uint32_t first, uint32_t end);

/* body_name - the $name at token @i; tokens before @end are its surroundings. Returns the first token behind
 * it. */
uint32_t body_name(struct body *b, uint32_t i, uint32_t end);

/* body_use - what @name is here; NULL: nothing can be done with it. Why is noted, once a name, at @t. */
const struct name_use *body_use(struct body *b, const struct tok *t, unsigned name);

/* body_reader - the C that reads @name. */
const char *body_reader(struct body *b, unsigned name, const struct name_use *use);

/*
 * body_assign - the $name at token @i, if it is assigned there. body_wr_assign - `wr_assign(...)` at @i.
 * Return the first token behind what was rewritten, or @i if this is none.
 */
uint32_t body_assign(struct body *b, uint32_t i, uint32_t end, unsigned name, const struct name_use *use);
uint32_t body_wr_assign(struct body *b, uint32_t i);

/* body_looks - may the body look at files or sockets of the subject, itself or by C from elsewhere? */
bool body_looks(const struct body *b);

/* body_statements - fill in b->statement. */
void body_statements(struct body *b);

/*
 * body_table - `exists T(...)` and its like at token @i. Returns the first token behind what was rewritten,
 * or @i if this is none of them.
 */
uint32_t body_table(struct body *b, uint32_t i);

/* call_args - arguments between the brackets at tokens @open and @close. */
unsigned call_args(const struct source *s, uint32_t open, uint32_t close);

#endif
