/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "subject/siphash.h"
#include "subject/state.h"

struct row {
    uint64_t dev;
    uint32_t ino; /* the key ends here */
    char text[9];
} __attribute__((packed));

struct state {
    int count;
    idw_table files;
    idw_table others;
};

static const struct idw_table_desc tables[] = {
    {.name = "files",
     .handle = offsetof(struct state, files),
     .row_size = sizeof(struct row),
     .key_size = 12},
    {.name = "others", .handle = offsetof(struct state, others), .row_size = 8, .key_size = 8},
};
static const struct state initial = {.count = 42};
static const struct idw_state_desc desc = {
    .size = sizeof(struct state), .init = &initial, .tables = tables, .n_tables = ARRAY_SIZE(tables)};

static struct arena *create(size_t size)
{
    struct err e = {0};
    struct arena *a = arena_create(size, &e);
    cr_assert_not_null(a, "%s", e.text);
    return a;
}

static struct row row(uint32_t n, const char *text)
{
    struct row r = {.dev = n % 7, .ino = n};
    for (size_t i = 0; i + 1 < sizeof r.text && text[i] != '\0'; i++)
        r.text[i] = text[i];
    return r;
}

static struct state *fresh(struct arena *a, arena_off *o)
{
    *o = state_new(a, &desc);
    cr_assert_neq(*o, 0);
    return arena_ptr(a, *o);
}

static int insert(struct arena *a, struct state *s, uint32_t n, const char *text)
{
    struct row r = row(n, text);
    return table_insert(a, &s->files, &tables[0], &r);
}

static int delete (struct arena *a, struct state *s, uint32_t n)
{
    struct row r = row(n, "");
    return table_delete(a, &s->files, &tables[0], &r);
}

static const char *text_at(struct arena *a, struct state *s, uint32_t n)
{
    struct row key = row(n, "not looked at");
    const struct row *r = table_find(a, &s->files, &tables[0], &key);
    return r == NULL ? NULL : r->text;
}

Test(state, is_as_init_says_and_leaves_nothing)
{
    static const struct idw_state_desc none = {.size = 0};
    struct arena *a = create(1 << 20);
    arena_off o;
    struct state *s = fresh(a, &o);
    cr_assert_eq(s->count, 42);
    cr_assert_eq(s->files, 0);
    state_free(a, &desc, o);
    cr_assert_eq(state_new(a, &none), 0);
    cr_assert_eq(state_copy(a, &none, 0), 0);
    cr_assert_eq(state_copy(a, &desc, 0), 0);
    state_free(a, &none, 0);
    state_free(a, &desc, 0);
    cr_assert_eq(arena_used(a), 0);
    arena_unmap(a);
}

Test(table, insert_find_replace_delete)
{
    struct arena *a = create(1 << 20);
    arena_off o;
    struct state *s = fresh(a, &o);
    size_t used = arena_used(a);
    cr_assert_null(text_at(a, s, 1));
    cr_assert_eq(delete (a, s, 1), 0);
    cr_assert_eq(insert(a, s, 1, "one"), 1);
    cr_assert_eq(insert(a, s, 2, "two"), 1);
    cr_assert_eq(insert(a, s, 1, "one"), 0);
    cr_assert_eq(insert(a, s, 1, "uno"), 0);
    cr_assert_str_eq(text_at(a, s, 1), "uno");
    cr_assert_str_eq(text_at(a, s, 2), "two");
    cr_assert_null(text_at(a, s, 3));
    cr_assert_eq(table_count(a, &s->files), 2);
    cr_assert_eq(table_count(a, &s->others), 0);
    cr_assert_eq(delete (a, s, 1), 1);
    cr_assert_null(text_at(a, s, 1));
    cr_assert_eq(delete (a, s, 1), 0);
    cr_assert_eq(delete (a, s, 2), 1);
    cr_assert_eq(s->files, 0, "an empty table is no table");
    cr_assert_eq(arena_used(a), used);
    state_free(a, &desc, o);
    arena_unmap(a);
}

#define ROWS 10000

Test(table, ten_thousand_rows)
{
    struct arena *a = create(1UL << 26);
    arena_off o;
    struct state *s = fresh(a, &o);
    char text[16];
    for (uint32_t n = 0; n < ROWS; n++) {
        (void)snprintf(text, sizeof text, "%u", n);
        cr_assert_eq(insert(a, s, n, text), 1);
    }
    for (uint32_t n = 0; n < ROWS; n += 3)
        cr_assert_eq(delete (a, s, n), 1);
    cr_assert_eq(table_count(a, &s->files), ROWS - (ROWS + 2) / 3);
    for (uint32_t n = 0; n < ROWS + 10; n++) {
        (void)snprintf(text, sizeof text, "%u", n);
        const char *found = text_at(a, s, n);
        if (n % 3 == 0 || n >= ROWS)
            cr_assert_null(found, "%u", n);
        else
            cr_assert_str_eq(found, text);
    }
    size_t cursor = 0, seen = 0;
    const struct row *r;
    for (uint32_t before = 0; (r = table_next(a, &s->files, &tables[0], &cursor)) != NULL; before = r->ino) {
        cr_assert(r->ino > before, "in the order of insertion, each once");
        seen++;
    }
    cr_assert_eq(seen, table_count(a, &s->files));
    state_free(a, &desc, o);
    cr_assert_eq(arena_used(a), 0);
    arena_unmap(a);
}

/* A queue: as many deleted as inserted, for ever. The table must neither grow nor slow down. */
Test(table, turnover_needs_no_more_room, .timeout = 600)
{
    struct arena *a = create(1UL << 26);
    arena_off o;
    struct state *s = fresh(a, &o);
    size_t most = 0;
    for (uint32_t n = 0; n < 100000; n++) {
        cr_assert_eq(insert(a, s, n, "x"), 1);
        if (n >= 100)
            cr_assert_eq(delete (a, s, n - 100), 1);
        if (arena_used(a) > most)
            most = arena_used(a);
    }
    cr_assert_eq(table_count(a, &s->files), 100);
    cr_assert_lt(most, 20000);
    arena_unmap(a);
}

Test(table, parent_and_child_go_their_own_ways)
{
    struct arena *a = create(1UL << 26);
    arena_off parent, child, grandchild;
    struct state *p = fresh(a, &parent);
    p->count = 7;
    for (uint32_t n = 0; n < 1000; n++)
        cr_assert_eq(insert(a, p, n, "old"), 1);
    size_t before = arena_used(a);
    child = state_copy(a, &desc, parent);
    grandchild = state_copy(a, &desc, child);
    struct state *c = arena_ptr(a, child), *g = arena_ptr(a, grandchild);
    cr_assert_lt(arena_used(a), before + 500, "rows are shared until one changes them");
    cr_assert_eq(c->count, 7);
    for (uint32_t n = 0; n < 1000; n++)
        cr_assert_str_eq(text_at(a, c, n), "old");

    cr_assert_eq(insert(a, p, 1000, "parent"), 1);
    cr_assert_eq(insert(a, c, 1001, "child"), 1);
    cr_assert_eq(insert(a, p, 5, "new"), 0);
    cr_assert_eq(delete (a, c, 6), 1);
    static const struct {
        uint32_t n;
        const char *parent, *child, *grandchild;
    } cases[] = {
        {1000, "parent", NULL, NULL}, {1001, NULL, "child", NULL}, {5, "new", "old", "old"},
        {6, "old", NULL, "old"},      {999, "old", "old", "old"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct state *states[] = {p, c, g};
        const char *expected[] = {cases[i].parent, cases[i].child, cases[i].grandchild};
        for (size_t j = 0; j < ARRAY_SIZE(states); j++) {
            const char *found = text_at(a, states[j], cases[i].n);
            cr_assert((found == NULL) == (expected[j] == NULL), "row %u of %zu", cases[i].n, j);
            cr_assert(found == NULL || strcmp(found, expected[j]) == 0, "row %u of %zu", cases[i].n, j);
        }
    }
    cr_assert_eq(table_count(a, &g->files), 1000);
    state_free(a, &desc, parent);
    cr_assert_str_eq(text_at(a, g, 5), "old");
    cr_assert_eq(insert(a, g, 5, "last"), 0);
    state_free(a, &desc, child);
    state_free(a, &desc, grandchild);
    cr_assert_eq(arena_used(a), 0);
    arena_unmap(a);
}

/* What changes nothing leaves a shared table shared. */
Test(table, no_change_no_copy)
{
    struct arena *a = create(1 << 20);
    arena_off parent, child;
    struct state *p = fresh(a, &parent);
    insert(a, p, 1, "same");
    insert(a, p, 2, "same");
    child = state_copy(a, &desc, parent);
    struct state *c = arena_ptr(a, child);
    cr_assert_eq(insert(a, c, 1, "same"), 0);
    cr_assert_eq(delete (a, c, 3), 0);
    cr_assert_eq(c->files, p->files);
    cr_assert_eq(insert(a, c, 1, "diff"), 0);
    cr_assert_neq(c->files, p->files);
    arena_unmap(a);
}

Test(table, full_arena_changes_nothing)
{
    struct arena *a = create(1 << 16);
    arena_off parent, child;
    struct state *p = fresh(a, &parent);
    uint32_t n = 0;
    int r;
    while ((r = insert(a, p, n, "x")) == 1)
        n++;
    cr_assert_eq(r, -ENOMEM);
    cr_assert_gt(n, 500);
    cr_assert_eq(table_count(a, &p->files), n);
    cr_assert_str_eq(text_at(a, p, n - 1), "x");
    while (arena_alloc(a, 1000) != 0)
        ;
    child = state_copy(a, &desc, parent);
    cr_assert_neq(child, 0, "rows are not copied");
    cr_assert_eq(delete (a, arena_ptr(a, child), 1), -ENOMEM);
    cr_assert_str_eq(text_at(a, arena_ptr(a, child), 1), "x");
    while (arena_alloc(a, 1) != 0)
        ;
    cr_assert_eq(state_copy(a, &desc, parent), 0);
    cr_assert_eq(state_new(a, &desc), 0);
    arena_unmap(a);
}

/* A wrapper's body is C: it can write over its own handles. */
Test(table, a_wild_handle_is_an_error)
{
    struct arena *a = create(1 << 20);
    arena_off o;
    struct state *s = fresh(a, &o);
    struct row key = row(1, "");
    size_t cursor = 0;
    insert(a, s, 1, "x");
    arena_off scrap = arena_alloc(a, 64);
    memset(arena_ptr(a, scrap), 0xff, 64);
    const idw_table table = s->files, wild[] = {1, o, scrap, table + 16, 1UL << 40, UINT64_MAX};
    log_to(-1);
    for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
        s->files = wild[i];
        cr_assert_eq(insert(a, s, 2, "y"), -EIO, "case %zu", i);
        cr_assert_eq(delete (a, s, 1), -EIO);
        cr_assert_null(table_find(a, &s->files, &tables[0], &key));
        cr_assert_null(table_next(a, &s->files, &tables[0], &cursor));
        cr_assert_eq(state_copy(a, &desc, o), 0);
    }
    s->files = 0;
    s->others = table; /* a table of another kind */
    cr_assert_eq(table_insert(a, &s->others, &tables[1], &key), -EIO);
    struct idw_table_desc wider = tables[0];
    wider.row_size++;
    cr_assert_eq(table_insert(a, &s->others, &wider, &key), -EIO);
    size_t used = arena_used(a);
    state_free(a, &desc, o);
    cr_assert_lt(arena_used(a), used);
    arena_unmap(a);
}

/* A child changes the parent's table by its own mapping until it is killed; the parent, the next engine, goes
 * on. */
static void churn(int fd, arena_off state)
{
    struct arena *a = arena_map(fd, NULL);
    struct state *s = arena_ptr(a, state);
    for (uint32_t n = 0;; n++) {
        insert(a, s, n % 500, n % 2 ? "odd" : "even");
        delete (a, s, (n * 7) % 500);
    }
}

Test(table, survives_the_engine, .timeout = 600)
{
    for (int i = 0; i < 60; i++) {
        struct arena *a = create(1UL << 26);
        arena_off o;
        struct state *s = fresh(a, &o);
        pid_t child = fork();
        if (child == 0)
            churn(arena_fd(a), o);
        usleep(1000 + (unsigned)i * 137);
        cr_assert_eq(kill(child, SIGKILL), 0);
        cr_assert_eq(waitpid(child, NULL, 0), child);
        uint32_t found = 0;
        for (uint32_t n = 0; n < 500; n++)
            found += text_at(a, s, n) != NULL;
        size_t cursor = 0, seen = 0;
        while (table_next(a, &s->files, &tables[0], &cursor) != NULL)
            seen++;
        cr_assert_eq(found, seen, "round %d", i);
        cr_assert_eq(seen, table_count(a, &s->files));
        for (uint32_t n = 0; n < 500; n++)
            cr_assert_geq(insert(a, s, n, "new"), 0);
        cr_assert_eq(table_count(a, &s->files), 500);
        cr_assert_str_eq(text_at(a, s, 499), "new");
        arena_unmap(a);
    }
}

/* What a death between the stores of a change leaves: the index is to be made anew, counts are behind. */
Test(table, an_unfinished_change_is_finished)
{
    struct arena *a = create(1 << 20);
    arena_off o;
    struct state *s = fresh(a, &o);
    for (uint32_t n = 0; n < 6; n++)
        insert(a, s, n, "x");
    uint32_t *header = arena_ptr(a, s->files); /* references, indexing, slots, end, live */
    memset(header + 6, 0, 8 * sizeof(uint32_t));
    header[1] = 1;
    header[3] = header[4] = 5;
    for (uint32_t n = 0; n < 6; n++)
        cr_assert_str_eq(text_at(a, s, n), "x");
    cr_assert_eq(table_count(a, &s->files), 6);
    arena_unmap(a);
}

/* Many holders of one table, each in its own thread, as subjects are. */
struct holder {
    struct arena *a;
    arena_off state;
    uint32_t number;
    bool wrong;
};

static void *hold(void *arg)
{
    struct holder *h = arg;
    struct state *s = arena_ptr(h->a, h->state);
    for (uint32_t n = 0; n < 200; n++)
        h->wrong |= text_at(h->a, s, n) == NULL;
    h->wrong |= insert(h->a, s, 1000 + h->number, "mine") != 1;
    arena_off child = state_copy(h->a, &desc, h->state);
    h->wrong |= delete (h->a, arena_ptr(h->a, child), 1000 + h->number) != 1;
    h->wrong |= table_count(h->a, &s->files) != 201;
    state_free(h->a, &desc, child);
    state_free(h->a, &desc, h->state);
    return NULL;
}

Test(table, shared_by_threads, .timeout = 600)
{
    struct arena *a = create(1UL << 26);
    for (int round = 0; round < 100; round++) {
        arena_off o;
        struct state *s = fresh(a, &o);
        struct holder holders[8];
        pthread_t threads[ARRAY_SIZE(holders)];
        for (uint32_t n = 0; n < 200; n++)
            insert(a, s, n, "x");
        for (uint32_t i = 0; i < ARRAY_SIZE(holders); i++)
            holders[i] = (struct holder){.a = a, .state = state_copy(a, &desc, o), .number = i};
        state_free(a, &desc, o);
        for (size_t i = 0; i < ARRAY_SIZE(holders); i++)
            cr_assert_eq(pthread_create(&threads[i], NULL, hold, &holders[i]), 0);
        for (size_t i = 0; i < ARRAY_SIZE(holders); i++) {
            pthread_join(threads[i], NULL);
            cr_assert(!holders[i].wrong);
        }
        cr_assert_eq(arena_used(a), 0);
    }
    arena_unmap(a);
}

/* Of the bytes 0, 1, 2 ... under the key 0: what Python's hash() says of them with PYTHONHASHSEED=0. */
Test(siphash, is_siphash_1_3)
{
    static const struct {
        size_t size;
        uint64_t hash;
    } cases[] = {
        {1, 0x68a914128e01e473},  {7, 0x2f098ab0c751325a},  {8, 0xead411e67ebe2eea},  {9, 0x75927f9d95124362},
        {15, 0xf30eb725bb91c9ea}, {16, 0x8972188433a5c5b7}, {63, 0x385d3e39e5f37359},
    };
    const uint64_t key[2] = {0, 0};
    unsigned char bytes[64];
    for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
        bytes[i] = (unsigned char)i;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        cr_assert_eq(siphash(key, bytes, cases[i].size), cases[i].hash, "%zu bytes", cases[i].size);
}

Test(siphash, differs_with_the_key)
{
    const uint64_t one[2] = {1, 0}, two[2] = {0, 1};
    cr_assert_neq(siphash(one, "text", 4), siphash(two, "text", 4));
}
