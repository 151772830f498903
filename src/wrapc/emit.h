/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a checked wrapper to C: what include/idw/wrapper.h asks of a compiled wrapper. All names that it makes
 * start with idw_; #line tells the C compiler which line of the .wr file each piece stems from.
 */
#ifndef IDW_WRAPC_EMIT_H
#define IDW_WRAPC_EMIT_H

#include "wrapc/ast.h"

/* emit - write the whole C file. body_rewrite of all clauses comes first. */
void emit(struct source *s, const struct wrapper *w, FILE *out);

/* The parts. */
struct emitter {
    struct source *s;
    const struct wrapper *w;
    FILE *out;
};

void emit_states(struct emitter *em);  /* structs, tables and their functions, initial values */
void emit_clauses(struct emitter *em); /* characterisations, bodies, the array of clauses */

/* emit_line - #line: what follows stems from @line. */
void emit_line(struct emitter *em, uint32_t line);
/* emit_string - @text as a C string constant, any byte in it; NULL is NULL. */
void emit_string(struct emitter *em, const char *text);
/* emit_span - the tokens' text as it is, the comments and line breaks between them too. */
void emit_span(struct emitter *em, struct span span);

static inline bool state_exists(const struct state *state)
{
    return state->decls != NULL || state->tables != NULL;
}

static inline const char *scope_name(enum scope scope)
{
    return scope == SCOPE_PROCESS ? "process" : "global";
}

#endif
