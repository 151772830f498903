/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/cleanup.h"

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

static void source_init(struct source *s, const char *file)
{
    memset(s, 0, sizeof *s);
    s->file = file;
    obstack_init(&s->pool);
    s->complaints = pool_alloc(s, COMPLAINTS_MAX * sizeof *s->complaints);
}

static int read_all(struct source *s, int fd, struct err *e)
{
    size_t room = 1 << 16;
    char *text = malloc(room);
    ssize_t n = -1;
    while (text != NULL && (n = read(fd, text + s->len, room - s->len - 1)) > 0) {
        s->len += (size_t)n;
        if (s->len > SOURCE_MAX) {
            free(text);
            return err_set(e, EFBIG, "%s: larger than %u MiB", s->file, SOURCE_MAX >> 20);
        }
        if (room - s->len < 2) {
            char *more = realloc(text, room *= 2);
            if (more == NULL)
                free(text);
            text = more;
        }
    }
    if (text == NULL)
        return err_set(e, ENOMEM, "%s: no memory", s->file);
    if (n < 0) {
        int r = err_errno(e, "%s", s->file);
        free(text);
        return r;
    }
    text[s->len] = '\0';
    s->text = text;
    return 0;
}

int source_open(struct source *s, const char *file, struct err *e)
{
    source_init(s, file);
    _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int r = fd < 0 ? err_errno(e, "%s", file) : read_all(s, fd, e);
    if (r < 0)
        source_close(s);
    return r;
}

void source_text(struct source *s, const char *file, const char *text, size_t len)
{
    source_init(s, file);
    s->text = malloc(len + 1);
    if (s->text == NULL)
        abort();
    memcpy(s->text, text, len);
    s->text[len] = '\0';
    s->len = len;
}

void source_close(struct source *s)
{
    free(s->text);
    free(s->toks);
    obstack_free(&s->pool, NULL);
    memset(s, 0, sizeof *s);
}

void source_error(struct source *s, const struct tok *tok, const char *format, ...)
{
    for (unsigned i = 0; i < s->n_complaints; i++)
        if (s->complaints[i].line == tok->line && s->complaints[i].col == tok->col)
            return;
    if (s->n_complaints == COMPLAINTS_MAX)
        return;
    va_list args;
    va_start(args, format);
    char text[1024];
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->complaints[s->n_complaints++] =
        (struct complaint){.line = tok->line, .col = tok->col, .text = pool_copy(s, text, strlen(text))};
}

static int by_place(const void *a, const void *b)
{
    const struct complaint *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->col < y->col ? -1 : x->col > y->col;
}

unsigned source_report(struct source *s, FILE *out)
{
    qsort(s->complaints, s->n_complaints, sizeof *s->complaints, by_place);
    for (unsigned i = 0; i < s->n_complaints; i++)
        (void)fprintf(out, "%s:%u:%u: %s\n", s->file, s->complaints[i].line, s->complaints[i].col,
                      s->complaints[i].text);
    if (s->n_complaints == COMPLAINTS_MAX)
        (void)fprintf(out, "%s: too many errors\n", s->file);
    return s->n_complaints;
}

void *pool_alloc(struct source *s, size_t size)
{
    void *p = obstack_alloc(&s->pool, size);
    memset(p, 0, size);
    return p;
}

const char *pool_copy(struct source *s, const char *text, size_t len)
{
    return obstack_copy0(&s->pool, text, len);
}

const char *pool_printf(struct source *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)obstack_vprintf(&s->pool, format, args);
    va_end(args);
    obstack_1grow(&s->pool, '\0');
    return obstack_finish(&s->pool);
}

bool tok_is(const struct source *s, const struct tok *t, const char *word)
{
    return t->kind == TOK_IDENT && t->len == strlen(word) && memcmp(s->text + t->at, word, t->len) == 0;
}

bool tok_op(const struct tok *t, unsigned op)
{
    return t->kind == TOK_PUNCT && t->op == op;
}

const char *tok_text(struct source *s, const struct tok *t)
{
    enum { SHOWN = 60 };
    if (t->kind == TOK_EOF)
        return "the end of the file";
    char text[SHOWN * 4 + 8];
    size_t n = 0;
    for (uint32_t i = 0; i < t->len && i < SHOWN; i++) {
        unsigned char c = (unsigned char)s->text[t->at + i];
        if (c >= ' ' && c < 0x7f)
            text[n++] = (char)c;
        else
            n += (size_t)sprintf(text + n, "\\x%02x", c);
    }
    return pool_printf(s, "%.*s%s", (int)n, text, t->len > SHOWN ? "..." : "");
}

const char *tok_word(struct source *s, const struct tok *t)
{
    uint32_t skip = t->kind == TOK_NAME ? 1 : 0;
    return pool_copy(s, s->text + t->at + skip, t->len - skip);
}
