/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/lex.h"

#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"

struct lexer {
    struct source *s;
    uint32_t at;
    uint32_t line;
    uint32_t line_start; /* offset of the line's first byte */
    bool fresh;          /* nothing but blanks and comments on this line so far */
    uint32_t room;       /* tokens allocated */
};

/* Longest first. Digraphs are the character that they stand for. */
static const struct {
    char text[4];
    uint16_t op;
} puncts[] = {
    {"<<=", OP_SHL_SET}, {">>=", OP_SHR_SET}, {"...", OP_ELLIPSIS}, {"->", OP_ARROW},   {"++", OP_INC},
    {"--", OP_DEC},      {"<<", OP_SHL},      {">>", OP_SHR},       {"<=", OP_LE},      {">=", OP_GE},
    {"==", OP_EQ},       {"!=", OP_NE},       {"&&", OP_AND},       {"||", OP_OR},      {"*=", OP_MUL_SET},
    {"/=", OP_DIV_SET},  {"%=", OP_MOD_SET},  {"+=", OP_ADD_SET},   {"-=", OP_SUB_SET}, {"&=", OP_AND_SET},
    {"^=", OP_XOR_SET},  {"|=", OP_OR_SET},   {"::", OP_SCOPE},     {"!~", OP_NOTLIKE}, {"##", OP_PASTE},
    {"<%", '{'},         {"%>", '}'},         {"<:", '['},          {":>", ']'},
};

static int peek(const struct lexer *l, uint32_t ahead)
{
    return l->at + ahead < l->s->len ? (unsigned char)l->s->text[l->at + ahead] : -1;
}

/* The one place that moves over a byte, so that lines are counted in one place. */
static void step(struct lexer *l)
{
    if (l->s->text[l->at++] == '\n') {
        l->line++;
        l->line_start = l->at;
        l->fresh = true;
    }
}

static struct tok here(const struct lexer *l)
{
    return (struct tok){.at = l->at, .len = 1, .line = l->line, .col = l->at - l->line_start + 1};
}

static void push(struct lexer *l, struct tok t, unsigned kind)
{
    struct source *s = l->s;
    t.kind = (uint8_t)kind;
    t.len = l->at - t.at;
    if (s->n_toks == l->room) {
        l->room = l->room ? l->room * 2 : 1024;
        s->toks = reallocarray(s->toks, l->room, sizeof *s->toks);
        if (s->toks == NULL)
            abort();
    }
    s->toks[s->n_toks++] = t;
    l->fresh = false;
}

static bool is_word(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c >= 0x80;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* Length of the backslash-newline here, or 0. */
static uint32_t continuation(const struct lexer *l)
{
    if (peek(l, 0) != '\\')
        return 0;
    if (peek(l, 1) == '\n')
        return 2;
    return peek(l, 1) == '\r' && peek(l, 2) == '\n' ? 3 : 0;
}

static void step_over(struct lexer *l, uint32_t n)
{
    while (n-- > 0)
        step(l);
}

static void block_comment(struct lexer *l)
{
    struct tok start = here(l);
    bool fresh = l->fresh;
    step_over(l, 2);
    while (peek(l, 0) >= 0 && !(peek(l, 0) == '*' && peek(l, 1) == '/'))
        step(l);
    if (peek(l, 0) < 0)
        source_error(l->s, &start, "this comment does not end");
    else
        step_over(l, 2);
    /* A comment in front of # leaves it the first on its line, even if the comment spans lines. */
    l->fresh = fresh || l->fresh;
}

static void line_comment(struct lexer *l)
{
    while (peek(l, 0) >= 0 && peek(l, 0) != '\n')
        step_over(l, continuation(l) ? continuation(l) : 1);
}

static bool comment(struct lexer *l)
{
    if (peek(l, 0) != '/')
        return false;
    if (peek(l, 1) == '*')
        block_comment(l);
    else if (peek(l, 1) == '/')
        line_comment(l);
    else
        return false;
    return true;
}

/* A string or character constant: stands on its opening quote; false when the line ended first. */
static bool quoted(struct lexer *l)
{
    int quote = peek(l, 0);
    step(l);
    for (;;) {
        int c = peek(l, 0);
        if (c < 0 || c == '\n')
            return false;
        uint32_t joined = continuation(l);
        step_over(l, joined ? joined : c == '\\' && peek(l, 1) >= 0 && peek(l, 1) != '\n' ? 2 : 1);
        if (c == quote)
            return true;
    }
}

static void literal(struct lexer *l, struct tok start)
{
    bool string = peek(l, 0) == '"';
    if (!quoted(l))
        source_error(l->s, &start, "this %s does not end on its line",
                     string ? "string" : "character constant");
    push(l, start, string ? TOK_STRING : TOK_CHAR);
}

/* To the end of the directive's line; a comment in it may hold newlines, and a string the start of a comment.
 */
static void directive_line(struct lexer *l)
{
    while (peek(l, 0) >= 0 && peek(l, 0) != '\n') {
        uint32_t joined = continuation(l);
        if (joined)
            step_over(l, joined);
        else if (peek(l, 0) == '"')
            (void)quoted(l);
        else if (!comment(l))
            step(l);
    }
}

/* The directive's name at @at ("if", "include"), its length in @len. */
static const char *directive_name(const struct lexer *l, uint32_t at, uint32_t *len)
{
    const char *text = l->s->text;
    at += text[at] == '%' ? 2 : 1;
    while (text[at] == ' ' || text[at] == '\t')
        at++;
    for (*len = 0; is_word((unsigned char)text[at + *len]);)
        ++*len;
    return text + at;
}

static bool named(const char *name, uint32_t len, const char *word)
{
    return len == strlen(word) && memcmp(name, word, len) == 0;
}

/* Is this line a directive? Then its name's first letters: 'i' if*, 'e' else, elif, endif, 'o' another; 0:
 * none. */
static char directive_kind(const struct lexer *l)
{
    uint32_t at = l->at;
    const char *text = l->s->text;
    while (text[at] == ' ' || text[at] == '\t')
        at++;
    if (text[at] != '#')
        return 0;
    uint32_t len;
    const char *name = directive_name(l, at, &len);
    if (named(name, len, "if") || named(name, len, "ifdef") || named(name, len, "ifndef"))
        return 'i';
    if (named(name, len, "endif"))
        return 'x';
    return len > 1 && name[0] == 'e' && name[1] == 'l' ? 'e' : 'o';
}

/* What `#if 0` takes out may be anything, an apostrophe on its own for one: it stays one token with the
 * directive. */
static void skipped_group(struct lexer *l)
{
    unsigned depth = 0;
    while (peek(l, 0) >= 0) {
        step(l); /* the newline */
        char kind = directive_kind(l);
        if (depth == 0 && (kind == 'e' || kind == 'x'))
            return;
        depth += kind == 'i' ? 1 : kind == 'x' ? (unsigned)-1 : 0;
        while (peek(l, 0) >= 0 && peek(l, 0) != '\n')
            step_over(l, continuation(l) ? continuation(l) : 1);
    }
}

static void directive(struct lexer *l)
{
    struct tok start = here(l);
    uint32_t len;
    const char *name = directive_name(l, l->at, &len);
    directive_line(l);
    if (named(name, len, "if")) {
        const char *value = name + len;
        value += strspn(value, " \t");
        bool zero = value[0] == '0' && !is_word((unsigned char)value[1]);
        zero = zero && value[1 + strspn(value + 1, " \t\r")] == '\n';
        if (zero)
            skipped_group(l);
    }
    push(l, start, TOK_PP);
    l->fresh = true;
}

static void word(struct lexer *l)
{
    struct tok start = here(l);
    while (is_word(peek(l, 0)))
        step(l);
    uint32_t len = l->at - start.at;
    const char *text = l->s->text + start.at;
    bool prefix =
        named(text, len, "L") || named(text, len, "u") || named(text, len, "U") || named(text, len, "u8");
    if (prefix && (peek(l, 0) == '"' || peek(l, 0) == '\'')) {
        literal(l, start);
        return;
    }
    push(l, start, TOK_IDENT);
}

/* C's preprocessing number: 0x1p-3, 10ull, .5e+1 */
static void number(struct lexer *l)
{
    struct tok start = here(l);
    do {
        int c = peek(l, 0) | 0x20;
        step(l);
        if ((c == 'e' || c == 'p') && (peek(l, 0) == '+' || peek(l, 0) == '-'))
            step(l);
    } while (is_word(peek(l, 0)) || peek(l, 0) == '.');
    push(l, start, TOK_NUMBER);
}

static void dollar(struct lexer *l)
{
    struct tok start = here(l);
    const struct tok *before = l->s->n_toks ? &l->s->toks[l->s->n_toks - 1] : NULL;
    bool inside = before != NULL && before->kind == TOK_IDENT && before->at + before->len == l->at;
    step(l);
    bool no_name = !is_word(peek(l, 0)) || is_digit(peek(l, 0));
    while (is_word(peek(l, 0)))
        step(l);
    if (inside)
        source_error(l->s, &start, "a $ cannot stand inside a name");
    else if (no_name)
        source_error(l->s, &start, "a $ without the name of an argument");
    push(l, start, TOK_NAME);
}

static void punct(struct lexer *l)
{
    struct tok start = here(l);
    int c = peek(l, 0);
    uint32_t left = (uint32_t)(l->s->len - l->at);
    start.op = (uint16_t)c;
    uint32_t len = 1;
    for (size_t i = 0; i < ARRAY_SIZE(puncts) && len == 1; i++) {
        uint32_t n = (uint32_t)strlen(puncts[i].text);
        if (n <= left && memcmp(l->s->text + l->at, puncts[i].text, n) == 0) {
            len = n;
            start.op = puncts[i].op;
        }
    }
    step_over(l, len);
    push(l, start, TOK_PUNCT);
}

static bool blank(struct lexer *l)
{
    int c = peek(l, 0);
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
        step(l);
        return true;
    }
    uint32_t joined = continuation(l);
    step_over(l, joined);
    if (joined == 0 && c == '\0') {
        struct tok at = here(l);
        source_error(l->s, &at, "a NUL byte: this is no text");
        step(l);
        return true;
    }
    return joined != 0;
}

void lex(struct source *s)
{
    struct lexer l = {.s = s, .line = 1, .fresh = true};
    if (s->len >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0)
        l.at = l.line_start = 3; /* a byte order mark */
    while (l.at < s->len) {
        int c = peek(&l, 0);
        if (blank(&l) || comment(&l))
            continue;
        if (l.fresh && (c == '#' || (c == '%' && peek(&l, 1) == ':')))
            directive(&l);
        else if (c == '"' || c == '\'')
            literal(&l, here(&l));
        else if (is_digit(c) || (c == '.' && is_digit(peek(&l, 1))))
            number(&l);
        else if (is_word(c))
            word(&l);
        else if (c == '$')
            dollar(&l);
        else
            punct(&l);
    }
    struct tok end = here(&l);
    push(&l, end, TOK_EOF);
}
