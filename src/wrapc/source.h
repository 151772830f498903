/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A .wr file while it is compiled: its text, its tokens, the errors found in it, and the pool that everything
 * made from it lives in.
 *
 *     struct source s;
 *     if (source_open(&s, "x.wr", &e) < 0) ...
 *     lex(&s);                              // src/wrapc/lex.h
 *     source_error(&s, tok, "no such event");
 *     unsigned n = source_report(&s, stderr);
 *     source_close(&s);
 */
#ifndef IDW_WRAPC_SOURCE_H
#define IDW_WRAPC_SOURCE_H

#include <obstack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/err.h"

enum tok_kind {
    TOK_EOF, /* the last token, at the end of the text */
    TOK_IDENT,
    TOK_NUMBER,
    TOK_STRING,
    TOK_CHAR,
    TOK_NAME,  /* $name; the token's text includes the $ */
    TOK_PUNCT, /* `op` says which */
    TOK_PP,    /* a preprocessor line, continuations included, newline not */
};

/* A punctuator of one character is its character; those of more are these. */
enum tok_op {
    OP_SHL_SET = 256, /* <<= */
    OP_SHR_SET,
    OP_ELLIPSIS,
    OP_ARROW,
    OP_INC,
    OP_DEC,
    OP_SHL,
    OP_SHR,
    OP_LE,
    OP_GE,
    OP_EQ,
    OP_NE,
    OP_AND,
    OP_OR,
    OP_MUL_SET,
    OP_DIV_SET,
    OP_MOD_SET,
    OP_ADD_SET,
    OP_SUB_SET,
    OP_AND_SET,
    OP_XOR_SET,
    OP_OR_SET,
    OP_SCOPE,   /* :: */
    OP_NOTLIKE, /* !~ */
    OP_PASTE,   /* ## */
};

struct tok {
    uint8_t kind; /* enum tok_kind */
    uint16_t op;  /* TOK_PUNCT: enum tok_op or a character */
    uint32_t at;  /* offset into the text */
    uint32_t len;
    uint32_t line; /* from 1 */
    uint32_t col;  /* from 1, in bytes */
};

/* Tokens first .. end - 1. */
struct span {
    uint32_t first, end;
};

struct complaint {
    uint32_t line, col;
    const char *text;
};

struct source {
    const char *file; /* as the user gave it; the caller's */
    char *text;       /* `len` bytes and a NUL */
    size_t len;
    struct tok *toks; /* ended by TOK_EOF */
    uint32_t n_toks;  /* TOK_EOF included */
    struct complaint *complaints;
    unsigned n_complaints;
    struct obstack pool; /* freed by source_close; running out of memory ends the program */
};

#define SOURCE_MAX (64u << 20) /* bytes in a .wr file: offsets and lines fit 32 bits with room */
#define COMPLAINTS_MAX 64      /* more are dropped: nobody reads them */

/*
 * source_open - read @file. Returns 0, or -errno with @e set (-EFBIG beyond SOURCE_MAX, -EISDIR).
 * source_text - the same from memory; @text is copied. For tests.
 * Either way source_close gives everything back.
 */
int source_open(struct source *s, const char *file, struct err *e);
void source_text(struct source *s, const char *file, const char *text, size_t len);
void source_close(struct source *s);

/* source_error - note an error at @tok. One a place: a second error at the same token is dropped. */
void source_error(struct source *s, const struct tok *tok, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * source_report - write what was noted to @out, in the order of the text: "FILE:LINE:COL: message".
 * Returns the number of errors.
 */
unsigned source_report(struct source *s, FILE *out);

/* pool_alloc - @size zeroed bytes; pool_printf, pool_copy - a string. All live until source_close. */
void *pool_alloc(struct source *s, size_t size);
const char *pool_printf(struct source *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *pool_copy(struct source *s, const char *text, size_t len);

/* tok_is - is the token the identifier @word? tok_op - the punctuator @op? */
bool tok_is(const struct source *s, const struct tok *t, const char *word);
bool tok_op(const struct tok *t, unsigned op);

/* tok_text - the token for a message: printable, cut when long. tok_word - its exact text (of a $name: the
 * name). */
const char *tok_text(struct source *s, const struct tok *t);
const char *tok_word(struct source *s, const struct tok *t);

#endif
