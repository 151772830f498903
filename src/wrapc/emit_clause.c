/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/emit.h"

#include <inttypes.h>
#include "wrapc/names.h"

static void emit_set(struct emitter *em, const struct match *m)
{
    if (m == NULL)
        return;
    if (m->kind == MATCH_WORD) {
        (void)fputs("    {{", em->out);
        for (unsigned i = 0; i < IDW_SET_WORDS; i++)
            (void)fprintf(em->out, "%sUINT64_C(0x%" PRIx64 ")", i ? ", " : "", m->set[i]);
        (void)fputs("}},\n", em->out);
    }
    emit_set(em, m->a);
    emit_set(em, m->b);
}

/* A constant of any integer type, sign-extended to 64 bits. */
static void emit_constant(struct emitter *em, const char *member, struct span span, const char *otherwise)
{
    (void)fprintf(em->out, ", .%s = ", member);
    if (span.first == span.end) {
        (void)fputs(otherwise, em->out);
        return;
    }
    (void)fputs("(uint64_t)(int64_t)(", em->out);
    emit_span(em, span);
    (void)fputs(")", em->out);
}

static void emit_compare(struct emitter *em, const struct match *m)
{
    static const char *const cmps[] = {
        [IDW_EQ] = "EQ", [IDW_NE] = "NE", [IDW_LT] = "LT",     [IDW_LE] = "LE",
        [IDW_GT] = "GT", [IDW_GE] = "GE", [IDW_GLOB] = "GLOB", [IDW_NGLOB] = "NGLOB"};
    FILE *out = em->out;
    emit_line(em, m->tok->line);
    (void)fprintf(out, "    {.op = %s, .cmp = IDW_%s, .name = %s",
                  m->kind == MATCH_STR ? "IDW_OP_STR" : "IDW_OP_CMP", cmps[m->cmp], name_c(em->s, m->name));
    if (m->kind == MATCH_STR) {
        (void)fputs(", .text = (", out);
        emit_span(em, m->value);
        (void)fputs(")},\n", out);
        return;
    }
    if (m->fixed != NULL) {
        (void)fprintf(out, ", .mask = UINT64_C(0x%" PRIx64 "), .value = UINT64_C(0x%" PRIx64 ")},\n",
                      m->fixed->mask, m->fixed->value);
        return;
    }
    emit_constant(em, "mask", m->mask, "~UINT64_C(0)");
    emit_constant(em, "value", m->value, "0");
    (void)fputs("},\n", out);
}

static void emit_terms(struct emitter *em, const struct match *m)
{
    static const char *const ops[] = {[MATCH_AND] = "AND", [MATCH_OR] = "OR", [MATCH_NOT] = "NOT"};
    if (m->a != NULL)
        emit_terms(em, m->a);
    if (m->b != NULL)
        emit_terms(em, m->b);
    if (m->kind == MATCH_WORD)
        (void)fprintf(em->out, "    {.op = IDW_OP_CALLS, .set = %u},\n", m->set_index);
    else if (m->kind == MATCH_CMP || m->kind == MATCH_STR)
        emit_compare(em, m);
    else
        (void)fprintf(em->out, "    {.op = IDW_OP_%s},\n", ops[m->kind]);
}

/* The body's pointers to state are there whether it uses them or not. */
static void emit_body(struct emitter *em, const struct clause *c)
{
    FILE *out = em->out;
    (void)fprintf(out,
                  "static void idw_body_%u(struct idw_event *ev, void *idw_process, void *idw_global)\n{\n",
                  c->index);
    for (unsigned scope = 0; scope < SCOPE_COUNT; scope++)
        if (state_exists(&em->w->states[scope]))
            (void)fprintf(out, "    struct idw_%s *const idw_%c = idw_%s;\n    (void)idw_%c;\n",
                          scope_name(scope), scope == SCOPE_PROCESS ? 'P' : 'G', scope_name(scope),
                          scope == SCOPE_PROCESS ? 'P' : 'G');
    (void)fputs("    (void)ev;\n    (void)idw_process;\n    (void)idw_global;\n", out);
    emit_line(em, em->s->toks[c->body.first].line);
    (void)fprintf(out, "%s\n}\n", c->code);
}

static void emit_clause(struct emitter *em, const struct clause *c)
{
    FILE *out = em->out;
    emit_line(em, c->tok->line);
    if (c->n_sets > 0) {
        (void)fprintf(out, "static const struct idw_call_set idw_sets_%u[] = {\n", c->index);
        emit_set(em, c->match);
        (void)fputs("};\n", out);
    }
    (void)fprintf(out, "static const struct idw_term idw_terms_%u[] = {\n", c->index);
    emit_terms(em, c->match);
    (void)fputs("};\n", out);
    emit_body(em, c);
}

void emit_clauses(struct emitter *em)
{
    FILE *out = em->out;
    if (em->w->n_clauses == 0)
        return;
    for (const struct clause *c = em->w->clauses; c != NULL; c = c->next)
        emit_clause(em, c);
    (void)fputs("static const struct idw_clause idw_clauses[] = {\n", out);
    for (const struct clause *c = em->w->clauses; c != NULL; c = c->next) {
        (void)fprintf(out, "    {.phase = %s, .flags = 0x%" PRIx32 ", .terms = idw_terms_%u, .n_terms = %u, ",
                      c->phase == IDW_PRE ? "IDW_PRE" : "IDW_POST", c->flags, c->index, c->n_terms);
        if (c->n_sets > 0)
            (void)fprintf(out, ".n_sets = %u, .sets = idw_sets_%u, ", c->n_sets, c->index);
        (void)fprintf(out, ".body = idw_body_%u, .file = ", c->index);
        emit_string(em, em->s->file);
        (void)fprintf(out, ", .line = %" PRIu32 "},\n", c->tok->line);
    }
    (void)fputs("};\n", out);
}
