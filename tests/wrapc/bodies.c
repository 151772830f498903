/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What wrapc made of bodies.wr, run with an engine of ours that notes what it is asked. argv: none; BODIES:
 * the .so. */
#include <criterion/criterion.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "idw/wrapper.h"
#include "syscalls/table.h"

struct idw_event {
    int64_t mode, ret;
    char notes[1024];
    unsigned char row[64]; /* of the last insert */
    size_t row_size;
};

static void note(struct idw_event *ev, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct idw_event *ev, const char *format, ...)
{
    size_t n = strlen(ev->notes);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(ev->notes + n, sizeof ev->notes - n, format, args);
    va_end(args);
}

static const char *name_of(uint16_t name)
{
    return name == IDW_ATTR_ret ? "ret" : name == IDW_ATTR_errno ? "errno" : call_name_text(name);
}

/* The accessors that the wrapper resolves in us. */
int64_t idw_int(struct idw_event *ev, uint16_t name)
{
    return name == CALL_NAME_mode    ? ev->mode
           : name == IDW_ATTR_ret    ? ev->ret
           : name == CALL_NAME_flags ? 1
                                     : 0;
}

const char *idw_str(struct idw_event *ev, uint16_t name)
{
    (void)ev;
    return name == CALL_NAME_path ? "/the/path" : NULL;
}

void idw_set(struct idw_event *ev, uint16_t name, uint64_t value)
{
    note(ev, "%s=%lld ", name_of(name), (long long)value);
}

void idw_assign(struct idw_event *ev, uint16_t name, const void *data, size_t len)
{
    note(ev, "%s:%zu:", name_of(name), len);
    for (size_t i = 0; data != NULL && i < len; i++)
        note(ev, "%02x", ((const unsigned char *)data)[i]);
    note(ev, "%s ", data == NULL ? "NULL" : "");
}

void idw_deny(struct idw_event *ev, int errnum)
{
    note(ev, "deny %d ", errnum);
}

void idw_fake(struct idw_event *ev, int64_t value)
{
    note(ev, "fake %lld ", (long long)value);
}

void idw_kill(struct idw_event *ev)
{
    note(ev, "kill ");
}

void idw_raise(struct idw_event *ev, const struct idw_event_desc *desc, const union idw_value *values)
{
    note(ev, "%s(", desc->name);
    for (uint32_t i = 0; i < desc->n_params; i++) {
        if (desc->params[i].kind == IDW_KIND_STRING)
            note(ev, "%s,", values[i].s);
        else if (desc->params[i].kind == IDW_KIND_SIGNED)
            note(ev, "%lld,", (long long)values[i].i);
        else
            note(ev, "%llu,", (unsigned long long)values[i].u);
    }
    note(ev, ") ");
}

int idw_table_insert(struct idw_event *ev, idw_table *handle, const struct idw_table_desc *desc,
                     const void *row)
{
    note(ev, "insert %s ", desc->name);
    if (desc->name[0] == 't') {
        memcpy(ev->row, row, desc->row_size);
        ev->row_size = desc->row_size;
    }
    *handle = 1;
    return 1;
}

bool idw_table_exists(struct idw_event *ev, const idw_table *handle, const struct idw_table_desc *desc,
                      const void *key)
{
    note(ev, "exists %s ", desc->name);
    return *handle == 1 && memcmp(ev->row, key, desc->key_size) == 0;
}

bool idw_table_select(struct idw_event *ev, const idw_table *handle, const struct idw_table_desc *desc,
                      const void *key, void *row)
{
    bool there = idw_table_exists(ev, handle, desc, key);
    if (there)
        memcpy(row, ev->row, desc->row_size);
    return there;
}

int idw_table_delete(struct idw_event *ev, idw_table *handle, const struct idw_table_desc *desc,
                     const void *key)
{
    (void)handle;
    note(ev, "delete %s %d ", desc->name, ((const char *)key)[0] == 0);
    return 0;
}

static const struct idw_wrapper *load(void)
{
    void *so = dlopen(getenv("BODIES"), RTLD_NOW | RTLD_LOCAL);
    cr_assert_not_null(so, "%s", dlerror());
    const struct idw_wrapper *w = dlsym(so, "idw_wrapper");
    cr_assert_not_null(w);
    return w;
}

struct states {
    void *process, *global;
};

static struct states fresh(const struct idw_wrapper *w)
{
    struct states st = {malloc(w->process.size), malloc(w->global.size)};
    cr_assert(st.process != NULL && st.global != NULL);
    memcpy(st.process, w->process.init, w->process.size);
    memcpy(st.global, w->global.init, w->global.size);
    return st;
}

static struct idw_event run(unsigned clause, int64_t mode, int64_t ret)
{
    const struct idw_wrapper *w = load();
    struct states st = fresh(w);
    struct idw_event ev = {.mode = mode, .ret = ret};
    cr_assert_lt(clause, w->n_clauses);
    w->clauses[clause].body(&ev, st.process, st.global);
    free(st.process);
    free(st.global);
    return ev;
}

Test(descriptor, is_what_the_contract_says)
{
    const struct idw_wrapper *w = load();
    cr_expect_eq(w->magic, IDW_MAGIC);
    cr_expect_eq(w->abi, IDW_ABI);
    cr_expect_eq(w->table, call_fingerprint());
    cr_expect_str_eq(w->name, "bodies");
    cr_expect_str_eq(w->activate, "program == \"a\\\"b\" && (uid in { 0, -1 })");
    cr_expect_eq(w->activate_line, 9);
    cr_expect_eq(w->n_events, 2);
    cr_expect_eq(w->n_clauses, 7);
    cr_expect_eq(w->clauses[1].line, 24);
    cr_expect_eq(w->clauses[1].phase, IDW_PRE);
    cr_expect_eq(w->clauses[4].phase, IDW_POST);
    cr_expect_eq(w->global.n_tables, 1);
    cr_expect_eq(*(const int *)w->process.init, 40);
}

Test(descriptor, characterisation_in_postfix)
{
    const struct idw_clause *c = &load()->clauses[0];
    static const uint8_t ops[] = {IDW_OP_CALLS, IDW_OP_CMP, IDW_OP_CMP, IDW_OP_AND,
                                  IDW_OP_STR,   IDW_OP_NOT, IDW_OP_OR,  IDW_OP_AND};
    cr_assert_eq(c->n_terms, sizeof ops);
    for (size_t i = 0; i < sizeof ops; i++)
        cr_expect_eq(c->terms[i].op, ops[i], "term %zu: %u", i, c->terms[i].op);
    cr_expect_eq(c->terms[1].name, CALL_NAME_flags);
    cr_expect_eq(c->terms[1].mask, O_CREAT | O_EXCL);
    cr_expect_eq(c->terms[1].value, O_CREAT | O_EXCL);
    cr_expect_eq(c->terms[2].mask, UINT64_MAX);
    cr_expect_eq(c->terms[2].value, UINT64_MAX);
    cr_expect_eq(c->terms[2].cmp, IDW_NE);
    cr_expect_eq(c->terms[4].cmp, IDW_GLOB);
    cr_expect_str_eq(c->terms[4].text, "/etc/*");
    size_t id = call_id(call_by_name("openat"));
    for (unsigned i = 0; i < IDW_SET_CALLS; i++)
        cr_expect_eq(c->sets[0].bits[i / 64] >> i % 64 & 1, i == id, "call %u", i);
}

Test(descriptor, a_table_starts_with_its_key)
{
    const struct idw_table_desc *t = &load()->process.tables[0];
    static const struct idw_column columns[] = {{"name", 0, 4, IDW_KIND_STRING, 1},
                                                {"id", 4, 4, IDW_KIND_SIGNED, 1},
                                                {"n", 8, 2, IDW_KIND_UNSIGNED, 0}};
    cr_expect_eq(t->row_size, 10);
    cr_expect_eq(t->key_size, 8);
    cr_assert_eq(t->n_columns, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct idw_column *c = &t->columns[i], *want = &columns[i];
        cr_expect(strcmp(c->name, want->name) == 0 && c->offset == want->offset && c->size == want->size &&
                      c->kind == want->kind && c->key == want->key,
                  "column %zu: %s", i, c->name);
    }
    cr_expect_eq(load()->global.tables[0].key_size, 9);
}

Test(bodies, assign)
{
    cr_expect_str_eq(run(0, 0, 0).notes, "flags=7 mode=384 dirfd=-1 ");
    cr_expect_str_eq(run(0, 1, 0).notes, "flags=7 mode=420 dirfd=-1 ");
    cr_expect_str_eq(run(4, 0, -1).notes, "ret=5 errno=0 ");
    cr_expect_str_eq(run(4, 0, 9).notes, "ret=9 errno=0 ");
}

Test(bodies, assign_memory)
{
    cr_expect_str_eq(run(5, 1, 0).notes, "path:9:2f6e65772f70617468 path:2:2f78 path:2:2f6c ");
    cr_expect_str_eq(run(5, 0, 0).notes, "path:9:2f6e65772f70617468 path:0:NULL path:2:2f6c ");
    cr_expect_str_eq(run(6, 0, 0).notes,
                     "buf:3:780079 buf:5:6162000000 buf:8:0100000002000000 buf:4:01000000 buf:2:6162 ");
}

Test(bodies, verdicts_end_the_clause)
{
    cr_expect_str_eq(run(1, 1, 0).notes, "deny 1 ");
    cr_expect_str_eq(run(1, 2, 0).notes, "fake -7 ");
    cr_expect_str_eq(run(1, 3, 0).notes, "kill ");
}

Test(bodies, state_and_events)
{
    const struct idw_wrapper *w = load();
    struct states st = fresh(w);
    struct idw_event ev = {0};
    w->clauses[2].body(&ev, st.process, st.global);
    cr_expect_str_eq(ev.notes, "several(-3,200,/the/path,18446744073709551615,) nothing() ");
    cr_expect_eq(((int *)st.process)[0], 42);
    cr_expect_eq(((unsigned char *)st.process)[9], 7);
    cr_expect_eq(*(long *)st.global, -6);
    free(st.process);
    free(st.global);
}

Test(bodies, tables)
{
    const struct idw_wrapper *w = load();
    struct states st = fresh(w);
    struct idw_event ev = {0};
    w->clauses[3].body(&ev, st.process, st.global);
    cr_expect_str_eq(ev.notes, "insert t exists t exists t delete t 1 insert u ");
    cr_expect_eq(memcmp(ev.row, "lon\0\xff\xff\xff\xff\x07\x00", 10), 0);
    cr_expect_eq(((int *)st.process)[0], 1);
    cr_expect_eq(((int *)st.process)[1], 1);
    free(st.process);
    free(st.global);
}
