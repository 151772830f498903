/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/emit.h"

#include <inttypes.h>
#include <string.h>
#include "syscalls/table.h"

static const char prologue[] =
    "#ifndef _GNU_SOURCE\n"
    "#define _GNU_SOURCE\n"
    "#endif\n"
    "#include <stdbool.h>\n"
    "#include <stddef.h>\n"
    "#include <stdint.h>\n"
    "#include <sys/types.h>\n"
    "#include <idw/wrapper.h>\n"
    "#define IDW_HELPER static inline __attribute__((unused))\n"
    "/* Conversions of -1 and 1.5 tell the sign of an integer type, and that it is one; but (double)1.5 is "
    "no\n"
    "   integer constant expression, and clang says that instead of what is wrong. */\n"
    "#define IDW_KIND_OF(T) ((T)-1 < (T)1 ? IDW_KIND_SIGNED : IDW_KIND_UNSIGNED)\n"
    "#define IDW_IS_INTEGER(T) _Generic((T)0, float: 0, double: 0, long double: 0, default: (T)1.5 == 1)\n"
    "IDW_HELPER int64_t idw_assign_signed(struct idw_event *ev, uint16_t name, uint64_t value)\n"
    "{\n"
    "    idw_set(ev, name, value);\n"
    "    return (int64_t)value;\n"
    "}\n"
    "IDW_HELPER uint64_t idw_assign_unsigned(struct idw_event *ev, uint16_t name, uint64_t value)\n"
    "{\n"
    "    idw_set(ev, name, value);\n"
    "    return value;\n"
    "}\n"
    "IDW_HELPER void idw_assign_text(struct idw_event *ev, uint16_t name, const char *text)\n"
    "{\n"
    "    idw_assign(ev, name, text, text != NULL ? __builtin_strlen(text) : 0);\n"
    "}\n"
    "/* $name = x; for memory: an array whole, a string constant without its NUL, what a pointer points to.\n"
    "   The keyword comes from the body, so that compilers point there. size: the argument's, or 0. */\n"
    "#define IDW_OF(T) (*(T *)0)\n"
    "#define IDW_POINTS(T) (__builtin_classify_type(IDW_OF(T)) == 5)\n"
    "#define IDW_IS_ARRAY(T) (!__builtin_types_compatible_p(T, __typeof__(IDW_OF(T) + 0)))\n"
    "#define IDW_SIZE(T, text) (IDW_IS_ARRAY(T) ? sizeof(T) - (text) : sizeof(*IDW_OF(T)))\n"
    "#define IDW_HAS_LENGTH(T) (IDW_IS_ARRAY(T) || _Generic(IDW_OF(T) + 0, char *: 0, const char *: 0, \\\n"
    "    signed char *: 0, const signed char *: 0, unsigned char *: 0, const unsigned char *: 0, \\\n"
    "    void *: 0, const void *: 0, default: 1))\n"
    "#define IDW_ASSIGN(assert, ev, name, size, text, ...) __extension__({ \\\n"
    "    typedef __typeof__(__VA_ARGS__) idw_given; \\\n"
    "    assert(IDW_POINTS(idw_given), \\\n"
    "        \"$\" text \" is assigned an array, or a pointer to what it shall be\"); \\\n"
    "    typedef __typeof__(__builtin_choose_expr( \\\n"
    "        IDW_POINTS(idw_given), IDW_OF(idw_given), (int *)0)) idw_type; \\\n"
    "    assert(IDW_HAS_LENGTH(idw_type), \\\n"
    "        \"this has no length of its own: wr_assign($\" text \", data, length)\"); \\\n"
    "    enum { idw_text = __builtin_constant_p(__VA_ARGS__) }; \\\n"
    "    assert(__builtin_choose_expr((size) == 0, 1, (size) == IDW_SIZE(idw_type, idw_text)), \\\n"
    "        \"this is not as big as $\" text); \\\n"
    "    idw_assign(ev, name, (__VA_ARGS__), IDW_SIZE(idw_type, idw_text)); })\n"
    "/* A string into a zeroed column, cut so that its last byte stays NUL. */\n"
    "IDW_HELPER void idw_put(char *column, size_t size, const char *text)\n"
    "{\n"
    "    for (size_t i = 0; text != NULL && text[i] != 0 && i + 1 < size; i++)\n"
    "        column[i] = text[i];\n"
    "}\n";

void emit_string(struct emitter *em, const char *text)
{
    if (text == NULL) {
        (void)fputs("NULL", em->out);
        return;
    }
    (void)fputc('"', em->out);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            (void)fprintf(em->out, "\\%c", *c);
        else if (*c >= ' ' && *c < 0x7f)
            (void)fputc(*c, em->out);
        else
            (void)fprintf(em->out, "\\%03o", *c);
    }
    (void)fputc('"', em->out);
}

void emit_line(struct emitter *em, uint32_t line)
{
    (void)fprintf(em->out, "\n#line %" PRIu32 " ", line);
    emit_string(em, em->s->file);
    (void)fputc('\n', em->out);
}

static void emit_text(struct emitter *em, size_t from, size_t to)
{
    (void)fwrite(em->s->text + from, 1, to - from, em->out);
}

void emit_span(struct emitter *em, struct span span)
{
    const struct tok *toks = em->s->toks;
    if (span.first < span.end)
        emit_text(em, toks[span.first].at, toks[span.end - 1].at + toks[span.end - 1].len);
}

/* The file's C, comments in front of and between it left where they are. */
static void emit_c_around(struct emitter *em)
{
    const struct source *s = em->s;
    const struct tok *open = em->w->tok, *close = &s->toks[em->w->after.first - 1];
    size_t start = s->len >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    emit_line(em, 1);
    emit_text(em, start, open->at);
    emit_line(em, close->line);
    emit_text(em, close->at + close->len, s->len);
    (void)fputc('\n', em->out);
}

static void emit_params(struct emitter *em, const struct event *ev)
{
    FILE *out = em->out;
    (void)fprintf(out, "static const struct idw_param idw_params_%s[] = {\n", ev->name);
    for (const struct param *p = ev->params; p != NULL; p = p->next) {
        (void)fputs("    {.name = ", out);
        emit_string(em, p->name);
        (void)fputs(", .type = ", out);
        emit_string(em, p->type);
        if (p->is_string)
            (void)fputs(", .kind = IDW_KIND_STRING},\n", out);
        else
            (void)fprintf(out, ", .kind = IDW_KIND_OF(%s)},\n", p->type);
    }
    (void)fputs("};\n", out);
    for (const struct param *p = ev->params; p != NULL; p = p->next)
        if (!p->is_string) {
            emit_line(em, p->tok->line);
            (void)fprintf(out,
                          "_Static_assert(IDW_IS_INTEGER(%s), \"parameter %s of event %s is no integer\");\n",
                          p->type, p->name, ev->name);
        }
}

/* raise EVENT(...): a function with the event's parameters, so that the C compiler checks the values. */
static void emit_raise(struct emitter *em, const struct event *ev)
{
    FILE *out = em->out;
    emit_line(em, ev->tok->line);
    (void)fprintf(out, "IDW_HELPER void idw_raise_%s(struct idw_event *ev", ev->name);
    for (const struct param *p = ev->params; p != NULL; p = p->next)
        (void)fprintf(out, ", %s idw_p_%s", p->type, p->name);
    (void)fputs(")\n{\n", out);
    if (ev->n_params > 0) {
        (void)fputs("    const union idw_value values[] = {", out);
        for (const struct param *p = ev->params; p != NULL; p = p->next)
            (void)fprintf(out, p->is_string ? "{.s = idw_p_%s}, " : "{.i = (int64_t)idw_p_%s}, ", p->name);
        (void)fputs("};\n", out);
    }
    (void)fprintf(out, "    idw_raise(ev, &idw_events[%u], %s);\n}\n", ev->index,
                  ev->n_params ? "values" : "NULL");
}

static void emit_events(struct emitter *em)
{
    FILE *out = em->out;
    if (em->w->n_events == 0)
        return;
    for (const struct event *ev = em->w->events; ev != NULL; ev = ev->next) {
        emit_line(em, ev->tok->line);
        if (ev->n_params > 0)
            emit_params(em, ev);
    }
    (void)fputs("static const struct idw_event_desc idw_events[] = {\n", out);
    for (const struct event *ev = em->w->events; ev != NULL; ev = ev->next) {
        (void)fputs("    {.name = ", out);
        emit_string(em, ev->name);
        if (ev->n_params > 0)
            (void)fprintf(out, ", .params = idw_params_%s, .n_params = %u", ev->name, ev->n_params);
        (void)fputs("},\n", out);
    }
    (void)fputs("};\n", out);
    for (const struct event *ev = em->w->events; ev != NULL; ev = ev->next)
        emit_raise(em, ev);
}

static void emit_state_desc(struct emitter *em, enum scope scope)
{
    const struct state *state = &em->w->states[scope];
    const char *name = scope_name(scope);
    if (!state_exists(state))
        return;
    (void)fprintf(em->out, "    .%s = {.size = sizeof(struct idw_%s), .init = &idw_%s_init", name, name,
                  name);
    if (state->n_tables > 0)
        (void)fprintf(em->out, ", .tables = idw_%s_tables, .n_tables = %u", name, state->n_tables);
    (void)fputs("},\n", em->out);
}

static void emit_descriptor(struct emitter *em)
{
    const struct wrapper *w = em->w;
    FILE *out = em->out;
    emit_line(em, w->tok->line);
    (void)fputs("extern const struct idw_wrapper idw_wrapper;\n"
                "__attribute__((visibility(\"default\"))) const struct idw_wrapper idw_wrapper = {\n"
                "    .magic = IDW_MAGIC,\n    .abi = IDW_ABI,\n",
                out);
    (void)fprintf(out, "    .table = UINT64_C(0x%016" PRIx64 "),\n    .name = ", call_fingerprint());
    emit_string(em, w->name);
    (void)fputs(",\n    .source = ", out);
    emit_string(em, em->s->file);
    (void)fputs(",\n    .activate = ", out);
    emit_string(em, w->activate);
    (void)fprintf(out, ",\n    .activate_line = %" PRIu32 ",\n", w->activate ? w->activate_tok->line : 0);
    if (w->n_events > 0)
        (void)fprintf(out, "    .n_events = %u,\n    .events = idw_events,\n", w->n_events);
    if (w->n_clauses > 0)
        (void)fprintf(out, "    .n_clauses = %u,\n    .clauses = idw_clauses,\n", w->n_clauses);
    emit_state_desc(em, SCOPE_PROCESS);
    emit_state_desc(em, SCOPE_GLOBAL);
    (void)fputs("};\n", out);
}

void emit(struct source *s, const struct wrapper *w, FILE *out)
{
    struct emitter em = {.s = s, .w = w, .out = out};
    (void)fputs("/* Made by wrapc " IDW_VERSION ". */\n", out);
    (void)fputs(prologue, out);
    (void)fprintf(out,
                  "_Static_assert(IDW_MAGIC == 0x%xu && IDW_ABI == %uu, \"headers and wrapc differ\");\n",
                  IDW_MAGIC, IDW_ABI);
    emit_c_around(&em);
    emit_states(&em);
    emit_events(&em);
    emit_clauses(&em);
    emit_descriptor(&em);
}
