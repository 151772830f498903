/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/emit.h"

#include <string.h>

static bool is_string(const struct column *col)
{
    return col->size.first < col->size.end;
}

/* Key columns first, so that a row starts with its key. */
static void emit_row(struct emitter *em, const struct table *t)
{
    FILE *out = em->out;
    emit_line(em, t->tok->line);
    (void)fprintf(out, "struct idw_row_%s {", t->name);
    for (unsigned key = 2; key-- > 0;)
        for (const struct column *col = t->columns; col != NULL; col = col->next) {
            if (col->key != (key == 1))
                continue;
            emit_line(em, col->tok->line);
            (void)fprintf(out, "    %s %s", col->type, col->name);
            if (is_string(col)) {
                (void)fputs("[", out);
                emit_span(em, col->size);
                (void)fputs("]", out);
            }
            (void)fputs(";", out);
        }
    emit_line(em, t->tok->line);
    (void)fputs("} __attribute__((packed));\n", out);
    for (const struct column *col = t->columns; col != NULL; col = col->next)
        if (!is_string(col)) {
            emit_line(em, col->tok->line);
            (void)fprintf(out,
                          "_Static_assert(IDW_IS_INTEGER(%s), \"column %s of table %s is no integer\");\n",
                          col->type, col->name, t->name);
        }
    (void)fprintf(out,
                  "_Static_assert(sizeof(struct idw_row_%s) < 65536, \"a row of table %s is too large\");\n",
                  t->name, t->name);
}

static void emit_columns(struct emitter *em, const struct table *t)
{
    FILE *out = em->out;
    (void)fprintf(out, "static const struct idw_column idw_columns_%s[] = {\n", t->name);
    for (unsigned key = 2; key-- > 0;)
        for (const struct column *col = t->columns; col != NULL; col = col->next) {
            if (col->key != (key == 1))
                continue;
            (void)fprintf(out, "    {.name = \"%s\", .offset = offsetof(struct idw_row_%s, %s), ", col->name,
                          t->name, col->name);
            (void)fprintf(out, ".size = sizeof(((struct idw_row_%s *)0)->%s), .key = %u, ", t->name,
                          col->name, key);
            if (is_string(col))
                (void)fputs(".kind = IDW_KIND_STRING},\n", out);
            else
                (void)fprintf(out, ".kind = IDW_KIND_OF(%s)},\n", col->type);
        }
    (void)fputs("};\n", out);
}

static const struct column *first_value(const struct table *t)
{
    const struct column *col = t->columns;
    while (col != NULL && col->key)
        col = col->next;
    return col;
}

static void emit_tables(struct emitter *em, enum scope scope)
{
    FILE *out = em->out;
    const struct state *state = &em->w->states[scope];
    (void)fprintf(out, "static const struct idw_table_desc idw_%s_tables[] = {\n", scope_name(scope));
    for (const struct table *t = state->tables; t != NULL; t = t->next) {
        const struct column *value = first_value(t);
        (void)fprintf(out,
                      "    {.name = \"%s\", .handle = offsetof(struct idw_%s, idw_table_%s), "
                      ".row_size = sizeof(struct idw_row_%s), .n_columns = %u, .columns = idw_columns_%s, ",
                      t->name, scope_name(scope), t->name, t->name, t->n_columns, t->name);
        if (value == NULL)
            (void)fprintf(out, ".key_size = sizeof(struct idw_row_%s)},\n", t->name);
        else
            (void)fprintf(out, ".key_size = offsetof(struct idw_row_%s, %s)},\n", t->name, value->name);
    }
    (void)fputs("};\n", out);
}

/* Each operation is a function with the columns it takes, so that the C compiler checks the values. */
static const struct operation {
    const char *name;
    const char *result;
    const char *handle; /* its type */
    bool whole;         /* takes all columns, not the key's only */
    bool gives_row;
} operations[] = {
    {"insert", "int", "idw_table *", true, false},
    {"exists", "bool", "const idw_table *", false, false},
    {"delete", "int", "idw_table *", false, false},
    {"select", "bool", "const idw_table *", false, true},
};

static void emit_operation(struct emitter *em, enum scope scope, const struct table *t,
                           const struct operation *op)
{
    FILE *out = em->out;
    emit_line(em, t->tok->line);
    (void)fprintf(out, "IDW_HELPER %s idw_%s_%s(struct idw_event *ev, %shandle", op->result, op->name,
                  t->name, op->handle);
    for (const struct column *col = t->columns; col != NULL; col = col->next)
        if (op->whole || col->key)
            (void)fprintf(out, ", %s idw_c_%s", is_string(col) ? "const char *" : col->type, col->name);
    if (op->gives_row)
        (void)fprintf(out, ", struct idw_row_%s *found", t->name);
    (void)fprintf(out, ")\n{\n    struct idw_row_%s row = {0};\n", t->name);
    for (const struct column *col = t->columns; col != NULL; col = col->next) {
        if (!op->whole && !col->key)
            continue;
        if (is_string(col))
            (void)fprintf(out, "    idw_put(row.%s, sizeof row.%s, idw_c_%s);\n", col->name, col->name,
                          col->name);
        else
            (void)fprintf(out, "    row.%s = idw_c_%s;\n", col->name, col->name);
    }
    (void)fprintf(out, "    return idw_table_%s(ev, handle, &idw_%s_tables[%u], &row%s);\n}\n", op->name,
                  scope_name(scope), t->index, op->gives_row ? ", found" : "");
}

static void emit_decl(struct emitter *em, const struct decl *d)
{
    for (const struct variable *v = d->vars; v != NULL; v = v->next) {
        if (v == d->vars)
            emit_line(em, em->s->toks[v->declarator.first].line);
        emit_span(em, v->declarator);
        (void)fputs(v->next != NULL ? ", " : ";", em->out);
    }
}

static void emit_struct(struct emitter *em, enum scope scope)
{
    const struct state *state = &em->w->states[scope];
    emit_line(em, state->tok->line);
    (void)fprintf(em->out, "struct idw_%s {", scope_name(scope));
    for (const struct decl *d = state->decls; d != NULL; d = d->next)
        emit_decl(em, d);
    for (const struct table *t = state->tables; t != NULL; t = t->next)
        (void)fprintf(em->out, "\n    idw_table idw_table_%s;", t->name);
    (void)fputs("\n};\n", em->out);
}

/* A typedef may hide a pointer from the parser; one that hides eight bytes of array is taken for one. */
static void emit_pointer_check(struct emitter *em, enum scope scope, const struct variable *v)
{
    if (v->bitfield)
        return;
    const char *element = "";
    for (unsigned i = 0; i < v->dimensions; i++)
        element = pool_printf(em->s, "%s[0]", element);
    const char *member =
        pool_printf(em->s, "((struct idw_%s *)0)->%s%s", scope_name(scope), v->name, element);
    emit_line(em, v->tok->line);
    (void)fprintf(
        em->out,
        "_Static_assert(__builtin_classify_type(%s) != __builtin_classify_type((void *)0) || sizeof(%s) != "
        "sizeof(void *), \"state cannot hold a pointer: %s\");\n",
        member, member, v->name);
}

static void emit_init(struct emitter *em, enum scope scope)
{
    FILE *out = em->out;
    bool any = false;
    (void)fprintf(out, "static const struct idw_%s idw_%s_init = {", scope_name(scope), scope_name(scope));
    for (const struct decl *d = em->w->states[scope].decls; d != NULL; d = d->next)
        for (const struct variable *v = d->vars; v != NULL; v = v->next) {
            if (v->init.first == v->init.end)
                continue;
            emit_line(em, v->tok->line);
            (void)fprintf(out, "    .%s = ", v->name);
            emit_span(em, v->init);
            (void)fputs(",", out);
            any = true;
        }
    (void)fputs(any ? "\n};\n" : "0};\n", out);
}

void emit_states(struct emitter *em)
{
    for (unsigned scope = 0; scope < SCOPE_COUNT; scope++) {
        const struct state *state = &em->w->states[scope];
        if (!state_exists(state))
            continue;
        for (const struct table *t = state->tables; t != NULL; t = t->next)
            emit_row(em, t);
        emit_struct(em, scope);
        for (const struct decl *d = state->decls; d != NULL; d = d->next)
            for (const struct variable *v = d->vars; v != NULL; v = v->next)
                emit_pointer_check(em, scope, v);
        emit_init(em, scope);
        for (const struct table *t = state->tables; t != NULL; t = t->next)
            emit_columns(em, t);
        if (state->tables != NULL)
            emit_tables(em, scope);
        for (const struct table *t = state->tables; t != NULL; t = t->next)
            for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
                emit_operation(em, scope, t, &operations[i]);
    }
}
