/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "wrapc/body.h"
#include "wrapc/check.h"
#include "wrapc/lex.h"
#include "wrapc/options.h"
#include "wrapc/parse.h"
#include "wrapc/translate.h"

static void cleanup_source(struct source *s)
{
    source_close(s);
}
#define SOURCE(s, text)                                                                                      \
    __attribute__((cleanup(cleanup_source))) struct source s;                                                \
    source_text(&(s), "x.wr", (text), strlen(text))

/* Kinds of tokens as letters, in the order of enum tok_kind. */
static void kinds(const struct source *s, char *out)
{
    for (uint32_t i = 0; i < s->n_toks; i++)
        *out++ = "EinscdpP"[s->toks[i].kind];
    *out = '\0';
}

Test(lex, kinds_of_tokens)
{
    static const struct {
        const char *text, *kinds;
        unsigned errors;
    } cases[] = {
        {"", "E", 0},
        {"a $b 0x1p-3.f .5e+1 \"x\" 'c'", "idnnscE", 0},
        {"a/* $b \" ' */b// c\nd", "iiiE", 0},
        {"/* x */ #define A $b \\\n c /* \n d */ e\nf", "PiE", 0},
        {"a #b", "ipiE", 0},
        {"L\"x\" u8\"y\" U'z' Lx\"w\"", "sscisE", 0},
        {"\"a\\\"b\\\n\\\\\" x", "siE", 0},
        {"<<= >>= ... -> ++ :: !~ <% %>", "pppppppppE", 0},
        {"a\\\nb", "iiE", 0},
        {"#if 0\nit's\n#if 1\n'\n#endif\n#else\nx\n#endif\n", "PPiPE", 0},
        {"#if 0x1\nx\n#endif", "PiPE", 0},
        {"\"abc\nx", "siE", 1},
        {"'a\nx", "ciE", 1},
        {"a /* b", "iE", 1},
        {"a$b $ $1", "idddE", 3},
        {"\xc3\xa4 @ `", "ippE", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char got[64];
        SOURCE(s, cases[i].text);
        lex(&s);
        kinds(&s, got);
        cr_expect_str_eq(got, cases[i].kinds, "%s: %s, not %s", cases[i].text, got, cases[i].kinds);
        cr_expect_eq(s.n_complaints, cases[i].errors, "%s: %u errors", cases[i].text, s.n_complaints);
    }
}

Test(lex, places_survive_everything_that_spans_lines)
{
    SOURCE(s, "/* a\n b */ x\n\"a\\\nb\" y\n#define q \\\n r\n  z\r\n\tw");
    lex(&s);
    static const struct {
        const char *word;
        uint32_t line, col;
    } places[] = {{"x", 2, 7}, {"y", 4, 4}, {"z", 7, 3}, {"w", 8, 2}};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const struct tok *t = s.toks;
        while (t->kind != TOK_EOF && !tok_is(&s, t, places[i].word))
            t++;
        cr_expect_eq(t->line, places[i].line, "%s: line %u", places[i].word, t->line);
        cr_expect_eq(t->col, places[i].col, "%s: column %u", places[i].word, t->col);
    }
}

Test(lex, a_nul_byte_is_an_error_and_no_end)
{
    struct source s;
    source_text(&s, "x.wr", "a\0b", 3);
    lex(&s);
    cr_expect_eq(s.n_toks, 3);
    cr_expect_eq(s.n_complaints, 1);
    source_close(&s);
}

/* The words of a characterisation in postfix order, as emitted. */
static void postfix(const struct match *m, char *out)
{
    static const char letters[] = {[MATCH_WORD] = 'w', [MATCH_CMP] = 'c', [MATCH_STR] = 's',
                                   [MATCH_AND] = '&',  [MATCH_OR] = '|',  [MATCH_NOT] = '!'};
    if (m->a != NULL)
        postfix(m->a, out);
    if (m->b != NULL)
        postfix(m->b, out);
    size_t n = strlen(out);
    out[n] = letters[m->kind];
    out[n + 1] = '\0';
}

static struct wrapper *parsed(struct source *s)
{
    lex(s);
    return parse(s);
}

Test(parse, characterisations)
{
    static const struct {
        const char *text, *postfix;
    } cases[] = {
        {"open", "w"},
        {"open && close || read", "ww&w|"},
        {"open || close && read", "www&|"},
        {"!open && !(close || read)", "w!ww|!&"},
        {"!!open", "w!!"},
        {"((open))", "w"},
        {"$flags", "c"},
        {"!$flags & O_CREAT", "c!"},
        {"($flags & O_ACCMODE) == O_RDONLY", "c"},
        {"($flags & O_ACCMODE)", "c"},
        {"($flags & O_CREAT) && open", "cw&"},
        {"($flags == 1 || $mode != (2 | 3)) && $path == \"x\" \"y\"", "cc|s&"},
        {"$path ~ PATTERN && $path !~ \"b\"", "ss&"},
        {"$flags & ~O_CREAT != ~0 || $ret < -1", "cc|"},
        {"$flags == (1 && 2)", "c"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[256], got[64] = "";
        (void)snprintf(text, sizeof text, "wrapper w { sys::op{ %s } post { } }", cases[i].text);
        SOURCE(s, text);
        const struct wrapper *w = parsed(&s);
        cr_assert_not_null(w->clauses, "%s", cases[i].text);
        postfix(w->clauses->match, got);
        cr_expect_str_eq(got, cases[i].postfix, "%s: %s, not %s", cases[i].text, got, cases[i].postfix);
        cr_expect_eq(s.n_complaints, 0, "%s", cases[i].text);
    }
}

Test(check, calls_that_can_reach_a_clause)
{
    static const struct {
        const char *text, *in, *out;
    } cases[] = {
        {"open", "openat2", "close"},
        {"only(openat)", "openat", "open"},
        {"!open", "close", "creat"},
        {"open && $flags == 1", "creat", "close"},
        {"file && $path ~ \"x\"", "chmod", "rename"},
        {"file && !($path ~ \"x\")", "rename", "read"},
        {"$uid == 0", "read", NULL},
        {"!($path == \"x\") && chmod || fchmod && $fd", "fchmod", "open"},
        {"fchmod || $path == \"x\"", "fchmod", "read"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "wrapper w { sys::op{ %s } pre { } }", cases[i].text);
        SOURCE(s, text);
        const struct wrapper *w = parsed(&s);
        cr_assert_not_null(w->clauses, "%s", cases[i].text);
        check_clause(&s, w->clauses);
        cr_expect_eq(s.n_complaints, 0, "%s", cases[i].text);
        const uint64_t *calls = w->clauses->calls;
        cr_expect(set_has(calls, call_id(call_by_name(cases[i].in))), "%s: %s", cases[i].text, cases[i].in);
        if (cases[i].out != NULL)
            cr_expect_not(set_has(calls, call_id(call_by_name(cases[i].out))), "%s: %s", cases[i].text,
                          cases[i].out);
    }
}

Test(check, flags_of_clauses)
{
    static const struct {
        const char *text;
        uint32_t flags;
    } cases[] = {
        {"sys::op{ only(openat) && $flags } pre { (void)$mode; }", 0},
        {"sys::op{ only(openat) && $path == \"x\" } pre { }", IDW_READS_MEMORY},
        {"sys::op{ only(openat2) && $flags } pre { }", IDW_READS_MEMORY},
        {"sys::op{ open } pre { wr_stat($path, 0); }", IDW_READS_MEMORY | IDW_LOOKS},
        {"sys::op{ read } post { wr_fstat($fd, 0); }", IDW_LOOKS},
        {"sys::op{ connect } pre { wr_getpeername($fd, 0, 0); }", IDW_LOOKS},
        {"sys::op{ listen } post { wr_getsockname($fd, 0, 0); wr_get_addr(0, 0, 0, 0); }", IDW_LOOKS},
        {"sys::op{ listen } post { wr_get_addr(0, 0, 0, 0); wr_audit(0); }", 0},
        {"sys::op{ listen } post {\n#define LOOK wr_stat\n }", IDW_LOOKS},
        {"sys::op{ listen } pre { (void)$fd; } sys::op{ close } pre { wr_fstat($fd, 0); }", 0},
        {"sys::op{ listen } pre { (void)$fd; } sys::op{ close } pre {\n#define LOOK wr_stat\n }", IDW_LOOKS},
        {"sys::op{ listen } pre { (void)$fd; } } static int f(void) { return wr_stat(0, 0); } static void "
         "g() {",
         IDW_LOOKS},
        {"sys::op{ listen } pre { } }\n#include \"own.h\"\nstatic void g() {", IDW_LOOKS},
        {"sys::op{ listen } pre { } }\n#include <own.h>\nstatic void g() {", 0},
        {"sys::op{ open } pre { $path = \"x\"; }", IDW_READS_MEMORY | IDW_ASSIGNS},
        {"sys::op{ read } post { wr_assign($buf, 0, 0); }", IDW_READS_MEMORY | IDW_ASSIGNS},
        {"sys::op{ write } pre { (void)$len(buf); }", IDW_READS_MEMORY},
        {"sys::op{ open } pre { (void)$has(path); (void)$exe; }", 0},
        {"sys::op{ only(openat) } pre { $flags |= 1; }", IDW_ASSIGNS},
        {"sys::op{ open } post { $ret = 1; }", IDW_ASSIGNS},
        {"sys::op{ open } post { if ($ret == 1) return; }", 0},
        {"sys::op{ open } pre { p = s.g; }", IDW_TOUCHES_PROCESS},
        {"sys::op{ open } pre { (void)g; }", IDW_TOUCHES_GLOBAL},
        {"sys::op{ open } pre { insert t(exists u(1)); }", IDW_TOUCHES_PROCESS | IDW_TOUCHES_GLOBAL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[512];
        (void)snprintf(
            text, sizeof text,
            "wrapper w { process { int p; table t (int a); } global { int g; table u (int a); } %s }",
            cases[i].text);
        SOURCE(s, text);
        const struct wrapper *w = parsed(&s);
        cr_assert_not_null(w->clauses, "%s", cases[i].text);
        check_clause(&s, w->clauses);
        body_rewrite(&s, w, w->clauses);
        cr_expect_eq(s.n_complaints, 0, "%s", cases[i].text);
        cr_expect_eq(w->clauses->flags, cases[i].flags, "%s: 0x%x", cases[i].text, w->clauses->flags);
    }
}

Test(body, rewritten_text)
{
    static const struct {
        const char *body, *code;
    } cases[] = {
        {"{ deny EPERM; }", "{ return idw_deny(ev, ( EPERM) >> 0); }"},
        {"{ x.deny = y->fake; kill(1, 2); }", "{ x.deny = y->fake; kill(1, 2); }"},
        {"{ if (a) kill; else\n fake\n 3; }",
         "{ if (a) return idw_kill(ev); else\n return idw_fake(ev, (\n 3) >> 0); }"},
        {"{ a ? b : kill; l: kill; }", "{ a ? b : kill; l: return idw_kill(ev); }"},
        {"{ for (;; kill) x; }", "{ for (;; kill) x; }"},
        {"{ /* $x */ \"$x\" '$'; // $x\n }", "{ /* $x */ \"$x\" '$'; // $x\n }"},
        {"{ p = a.p + a->p + p[p]; }", "{ idw_P->p = a.p + a->p + idw_P->p[idw_P->p]; }"},
        {"{ goto p; p: struct p q; }", "{ goto p; p: struct p q; }"},
        {"{ raise e(1); raise(SIGTERM); }", "{  idw_raise_e(ev, 1); raise(SIGTERM); }"},
        {"{ x = exists t(1) }", "{ x =  idw_exists_t(ev, &idw_P->idw_table_t, 1) }"},
        {"{ exists(t); insert = 3; }", "{ exists(t); insert = 3; }"},
        {"{ $exe == $exe; }", "{ idw_str(ev, IDW_ATTR_exe) == idw_str(ev, IDW_ATTR_exe); }"},
        {"{ $errno = $ret == 1; }", "{ idw_assign_signed(ev, IDW_ATTR_errno, (uint64_t)(int64_t)(int)(  ( "
                                    "((long)idw_int(ev, IDW_ATTR_ret)) == 1))); }"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[512];
        bool judges = strstr(cases[i].body, "deny E") || strstr(cases[i].body, "fake\n");
        (void)snprintf(
            text, sizeof text,
            "wrapper w { event e(int a); process { int p; table t (int a); } sys::op{ open } %s %s }",
            judges ? "pre" : "post", cases[i].body);
        SOURCE(s, text);
        const struct wrapper *w = parsed(&s);
        cr_assert_not_null(w->clauses, "%s", cases[i].body);
        check_clause(&s, w->clauses);
        body_rewrite(&s, w, w->clauses);
        cr_expect_eq(s.n_complaints, 0, "%s: %s", cases[i].body, s.n_complaints ? s.complaints[0].text : "");
        cr_expect_str_eq(w->clauses->code, cases[i].code, "%s:\n%s\n%s", cases[i].body, w->clauses->code,
                         cases[i].code);
    }
}

Test(names, no_argument_hides_behind_an_attribute)
{
    SOURCE(s, "$x");
    lex(&s);
    for (unsigned n = CALL_NAME_NONE + 1; n < CALL_NAME_COUNT; n++) {
        char text[128];
        (void)snprintf(text, sizeof text, "$%s", call_name_text(n));
        SOURCE(one, text);
        lex(&one);
        cr_expect_eq(name_find(&one, &one.toks[0]), n,
                     "$%s comes with every event; the argument needs another name", text);
    }
}

Test(names, the_widest_type_of_several_calls)
{
    static const struct {
        const char *word, *name, *ctype;
    } cases[] = {
        {"only(openat)", "$flags", "int"},   {"open", "$flags", "unsigned long"},
        {"only(openat)", "$mode", "mode_t"}, {"only(openat2)", "$flags", "unsigned long"},
        {"only(lseek)", "$offset", "off_t"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "wrapper w { sys::op{ %s } pre { %s } }", cases[i].word,
                       cases[i].name);
        SOURCE(s, text);
        const struct wrapper *w = parsed(&s);
        check_clause(&s, w->clauses);
        struct name_use use;
        name_in(name_find(&s, &s.toks[w->clauses->body.first + 1]), w->clauses->calls, &use);
        cr_expect_str_eq(use.ctype, cases[i].ctype, "%s of %s: %s", cases[i].name, cases[i].word, use.ctype);
    }
}

Test(translate, an_error_writes_nothing)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    SOURCE(s, "wrapper w { sys::op{ opne } pre { } }");
    cr_expect_eq(translate(&s, out), -EINVAL);
    (void)fclose(out);
    cr_expect_eq(len, 0);
    free(text);
}

Test(translate, deep_nesting_is_an_error_and_no_crash)
{
    static const char *const around[][3] = {
        {"wrapper w { activate when ", "(", "uid == 0"},
        {"wrapper w { sys::op{ ", "(", "open"},
        {"wrapper w { sys::op{ ", "!", "open } pre { } }"},
        {"wrapper w { sys::op{ ", "open && ", "open } pre { } }"},
        {"wrapper w { sys::op{ only(openat) } pre { ", "$flags = ", "1; } }"},
        {"wrapper w { sys::op{ open } pre { ", "deny ({ ", "1; }) } }"},
        {"wrapper w { process { int ", "(", "x; } }"},
        {"int x = ", "{", "; wrapper w { }"},
    };
    enum { DEEP = 20000 };
    for (size_t i = 0; i < ARRAY_SIZE(around); i++) {
        _cleanup_free_ char *text = calloc(1, DEEP * 10 + 200);
        char *end = stpcpy(text, around[i][0]);
        for (int n = 0; n < DEEP; n++)
            end = stpcpy(end, around[i][1]);
        (void)stpcpy(end, around[i][2]);
        FILE *out = fopen("/dev/null", "w");
        SOURCE(s, text);
        cr_expect_eq(translate(&s, out), -EINVAL, "%s%s...", around[i][0], around[i][1]);
        cr_expect_gt(s.n_complaints, 0);
        (void)fclose(out);
    }
}

Test(options, command_lines)
{
    static struct {
        char *argv[8];
        int result;
        enum wrapc_mode mode;
        const char *out;
        size_t n_includes;
    } cases[] = {
        {{"wrapc", "x.wr"}, 0, WRAPC_BUILD, NULL, 0},
        {{"wrapc", "x.wr", "-o", "y.so"}, 0, WRAPC_BUILD, "y.so", 0},
        {{"wrapc", "-I", "a", "-Ib", "--emit-c", "x.wr"}, 0, WRAPC_EMIT_C, NULL, 2},
        {{"wrapc", "-c", "x.wr", "-oy.c"}, 0, WRAPC_EMIT_C, "y.c", 0},
        {{"wrapc", "--cached", "--cc", "clang", "x.wr"}, 0, WRAPC_CACHED, NULL, 0},
        {{"wrapc", "--check", "--", "-x.wr"}, 0, WRAPC_CHECK, NULL, 0},
        {{"wrapc", "--help", "--nonsense"}, 0, WRAPC_HELP, NULL, 0},
        {{"wrapc", "--version"}, 0, WRAPC_VERSION, NULL, 0},
        {{"wrapc", "-V"}, 0, WRAPC_VERSION, NULL, 0},
        {{"wrapc", "--", "x.wr"}, 0, WRAPC_BUILD, NULL, 0},
        {{"wrapc"}, -EINVAL, 0, NULL, 0},
        {{"wrapc", "x.wr", "y.wr"}, -EINVAL, 0, NULL, 0},
        {{"wrapc", "--cached", "--check", "x.wr"}, -EINVAL, 0, NULL, 0},
        {{"wrapc", "--cached", "-o", "y", "x.wr"}, -EINVAL, 0, NULL, 0},
        {{"wrapc", "x.wr", "-o"}, -EINVAL, 0, NULL, 0},
        {{"wrapc", "-z", "x.wr"}, -EINVAL, 0, NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct wrapc_options o;
        struct err e = {0};
        int argc = 0;
        while (cases[i].argv[argc] != NULL)
            argc++;
        int r = wrapc_options_parse(&o, argc, cases[i].argv, &e);
        cr_expect_eq(r, cases[i].result, "case %zu: %d %s", i, r, e.text);
        cr_expect((r < 0) == (e.text[0] != '\0'), "case %zu", i);
        if (r == 0) {
            cr_expect_eq(o.mode, cases[i].mode, "case %zu", i);
            cr_expect_eq(o.n_includes, cases[i].n_includes, "case %zu", i);
            cr_expect((o.out == NULL) == (cases[i].out == NULL) &&
                          (o.out == NULL || strcmp(o.out, cases[i].out) == 0),
                      "case %zu", i);
        }
        free(o.includes);
    }
}
