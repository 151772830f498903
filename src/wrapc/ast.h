/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A wrapper as the parser leaves it. All of it lives in the source's pool; lists are in the order of the
 * text.
 */
#ifndef IDW_WRAPC_AST_H
#define IDW_WRAPC_AST_H

#include "idw/wrapper.h"
#include "wrapc/source.h"

struct param { /* of an event */
    struct param *next;
    const char *name;
    const char *type; /* as written, in one line */
    bool is_string;   /* const char *; else the C compiler finds out the sign */
    const struct tok *tok;
};

struct event {
    struct event *next;
    const char *name;
    struct param *params;
    unsigned n_params;
    unsigned index;
    const struct tok *tok;
};

struct column {
    struct column *next;
    const char *name;
    const char *type; /* without the [N] of a string */
    struct span size; /* the N; empty for an integer */
    bool key;
    const struct tok *tok;
};

struct table {
    struct table *next;
    const char *name;
    struct column *columns;
    unsigned n_columns, n_keys;
    unsigned index; /* among its scope's */
    const struct tok *tok;
};

/* One declared name of `process {}` or `global {}`. */
struct variable {
    struct variable *next;
    const char *name;
    struct span declarator; /* without initialiser */
    struct span init;       /* what follows the =; empty: zero */
    unsigned dimensions;    /* [] behind the name */
    bool bitfield;
    const struct tok *tok;
};

/* A declaration: one or more declarators, the type with the first. */
struct decl {
    struct decl *next;
    struct variable *vars;
};

enum scope { SCOPE_PROCESS, SCOPE_GLOBAL, SCOPE_COUNT };

struct state {
    bool seen;
    struct decl *decls;
    struct table *tables;
    unsigned n_tables;
    const struct tok *tok;
};

enum match_kind { MATCH_WORD, MATCH_CMP, MATCH_STR, MATCH_AND, MATCH_OR, MATCH_NOT };

/* A node of a characterisation. */
struct flags_test {
    uint64_t mask, value;
};

struct match {
    enum match_kind kind;
    struct match *a, *b; /* AND, OR; NOT has a only */
    const struct tok *tok;
    bool only;                      /* WORD: only(call) */
    uint64_t set[IDW_SET_WORDS];    /* WORD */
    unsigned set_index;             /* WORD: among the clause's sets */
    enum idw_cmp cmp;               /* CMP, STR */
    unsigned name;                  /* CMP, STR: 0 for an unknown one, of which an error is noted */
    struct span mask;               /* CMP; empty: all ones */
    struct span value;              /* CMP, STR; empty: 0 */
    const struct flags_test *fixed; /* CMP: in place of mask and value, where the language itself compares */
};

struct clause {
    struct clause *next;
    enum idw_phase phase;
    struct match *match;
    struct span body; /* with its braces */
    unsigned index;
    const struct tok *tok;
    uint64_t calls[IDW_SET_WORDS]; /* that can reach it */
    unsigned n_terms, n_sets;
    uint32_t flags;   /* enum idw_clause_flags */
    const char *code; /* the body as C */
};

struct wrapper {
    const char *name; /* NULL: there was none */
    const struct tok *tok;
    struct span before, after; /* C around the wrapper */
    const char *activate;
    const struct tok *activate_tok;
    struct event *events;
    unsigned n_events;
    struct state states[SCOPE_COUNT];
    struct clause *clauses;
    unsigned n_clauses;
};

#endif
