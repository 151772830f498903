/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From tokens to a wrapper, by recursive descent. docs/wdl.md has the grammar; each function here parses the
 * rule of its name. Errors are noted in the source; what can be understood behind an error is still parsed.
 */
#ifndef IDW_WRAPC_PARSE_H
#define IDW_WRAPC_PARSE_H

#include "wrapc/ast.h"

struct parser {
    struct source *s;
    uint32_t at;    /* the token looked at */
    unsigned depth; /* of nested parentheses and ! in an expression */
    unsigned terms; /* in the characterisation so far */
};

#define NESTING_MAX                                                                                          \
    30 /* of parentheses: up to two operands wait at each level, and src/wss has room for 64 */
#define TERMS_MAX 1000 /* words and comparisons in one characterisation */

/* parse - the whole file. The wrapper lives in @s's pool; w->name is NULL if the file has none. */
struct wrapper *parse(struct source *s);

/* The parser's parts, each in a file of its own; each stands on its first token and leaves the one behind its
 * last. */
bool parse_activate(struct parser *p, struct wrapper *w); /* activate when ... ; */
bool parse_event(struct parser *p, struct wrapper *w);    /* event NAME(...); */
bool parse_state(struct parser *p, struct wrapper *w);    /* process { ... }, global { ... } */
bool parse_table(struct parser *p, struct state *state);  /* table NAME (...); */
struct match *parse_match(struct parser *p); /* what stands in sys::op{...}; NULL after an error */

/* Steps that they share. A false is a noted error. */
const struct tok *look(const struct parser *p);                   /* at this token */
const struct tok *look_ahead(const struct parser *p, unsigned n); /* at the n-th behind it */
bool take_op(struct parser *p, unsigned op);                      /* step over it if it is @op */
bool take_word(struct parser *p, const char *word);
bool expect_op(struct parser *p, unsigned op, const char *what);   /* error: "expected WHAT, not TOKEN" */
const struct tok *expect_name(struct parser *p, const char *what); /* an identifier; NULL: error */
bool parse_failed(struct parser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* false */

/*
 * bracket_end - the token that closes the bracket at token @open. A { is closed by its }, whatever other
 * brackets do in between. #if groups are taken for alternatives: each of their branches starts at the same
 * depth. 0: it is not closed before token @end, the end of the file, or the } of a block around it.
 */
uint32_t bracket_end(const struct source *s, uint32_t open, uint32_t end);

/* one_line - tokens as one line of text, blanks where the source has blanks. */
const char *one_line(struct source *s, struct span span);

#define LIST_APPEND(list, item)                                                                              \
    do {                                                                                                     \
        __typeof__(list) *end_ = &(list);                                                                    \
        while (*end_ != NULL)                                                                                \
            end_ = &(*end_)->next;                                                                           \
        *end_ = (item);                                                                                      \
    } while (0)

#endif
