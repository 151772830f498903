/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table is one block: header, index, one hash a row, rows. Rows lie densely in the order of insertion; a
 * row's hash of 0 says that it is deleted. Index slots (linear probing) hold 1 + a row's number; slots of
 * deleted rows are passed over, and go when the table is made anew.
 *
 * An engine can die between any two stores. Each change becomes true by one store, that of the row's hash;
 * the index follows from the rows. `indexing` tells the next engine that it has to be derived again. Only a
 * table with one holder is ever changed, so whoever finds `indexing` set has the table for itself.
 */
#include "subject/table.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "subject/siphash.h"

#define SLOTS_MIN 8U
#define SLOTS_MAX (1U << 30)

struct table {
    uint32_t references; /* atomic */
    uint32_t indexing;
    uint32_t slots; /* a power of two; three quarters of it is the room for rows */
    uint32_t end;   /* rows in use, deleted ones included */
    uint32_t live;
    uint16_t row_size;
    uint16_t key_size;
};

static uint32_t room_of(uint32_t slots)
{
    return slots / 4 * 3;
}

static size_t size_of(uint32_t slots, uint16_t row_size)
{
    return sizeof(struct table) + slots * sizeof(uint32_t) +
           (size_t)room_of(slots) * (sizeof(uint32_t) + row_size);
}

static uint32_t *index_of(struct table *t)
{
    return (uint32_t *)(t + 1);
}

static uint32_t *hashes_of(struct table *t)
{
    return index_of(t) + t->slots;
}

static char *row_of(struct table *t, uint32_t n)
{
    return (char *)(hashes_of(t) + room_of(t->slots)) + (size_t)n * t->row_size;
}

static uint32_t hash_of(const struct arena *a, const void *key, size_t size)
{
    return (uint32_t)siphash(arena_seed(a), key, size) | 1; /* never 0 */
}

static void enter(struct table *t, uint32_t hash, uint32_t n)
{
    uint32_t *index = index_of(t);
    uint32_t i = hash & (t->slots - 1);
    while (index[i] != 0)
        i = (i + 1) & (t->slots - 1);
    index[i] = n + 1;
}

/* What an engine that died in a change left behind. */
static void repair(struct table *t)
{
    memset(index_of(t), 0, t->slots * sizeof(uint32_t));
    t->end = t->live = 0;
    for (uint32_t n = 0; n < room_of(t->slots); n++) {
        if (hashes_of(t)[n] == 0)
            continue;
        enter(t, hashes_of(t)[n], n);
        t->end = n + 1;
        t->live++;
    }
    t->indexing = 0;
}

/*
 * The table behind a handle. Returns 0 with *@t NULL: empty; -EIO: the handle leads to something that is not
 * a table of this kind, as after a wild store of a wrapper's body.
 */
static int get(const struct arena *a, const idw_table *handle, const struct idw_table_desc *d,
               struct table **t)
{
    *t = NULL;
    if (*handle == 0)
        return 0;
    struct table *found = arena_object(a, *handle, sizeof *found);
    if (found == NULL || found->slots < SLOTS_MIN || found->slots > SLOTS_MAX ||
        (found->slots & (found->slots - 1)) != 0 || found->end > room_of(found->slots) ||
        found->live > found->end || found->row_size != d->row_size || found->key_size != d->key_size ||
        arena_object(a, *handle, size_of(found->slots, found->row_size)) == NULL)
        return -EIO;
    if (found->indexing != 0)
        repair(found);
    *t = found;
    return 0;
}

/* The number of the row with @key, or -1. */
static int64_t find(struct table *t, uint32_t hash, const void *key)
{
    const uint32_t *index = index_of(t);
    uint32_t i = hash & (t->slots - 1);
    for (uint32_t probes = 0; probes < t->slots && index[i] != 0; probes++, i = (i + 1) & (t->slots - 1)) {
        uint32_t n = index[i] - 1;
        if (n < t->end && hashes_of(t)[n] == hash && memcmp(row_of(t, n), key, t->key_size) == 0)
            return n;
    }
    return -1;
}

static void append(struct table *t, uint32_t hash, const void *row)
{
    uint32_t n = t->end;
    memcpy(row_of(t, n), row, t->row_size);
    t->indexing = 1;
    atomic_signal_fence(memory_order_seq_cst);
    hashes_of(t)[n] = hash;
    atomic_signal_fence(memory_order_seq_cst);
    t->end++;
    t->live++;
    enter(t, hash, n);
    atomic_signal_fence(memory_order_seq_cst);
    t->indexing = 0;
}

static void let_go(struct arena *a, idw_table table)
{
    struct table *t = arena_ptr(a, table);
    if (t != NULL && __atomic_fetch_sub(&t->references, 1, __ATOMIC_ACQ_REL) == 1)
        arena_free(a, table);
}

/*
 * A table of its holder's own behind @handle, with the live rows of @old (may be NULL) and room for more, in
 * proportion, so that making anew is rare. Returns it, or NULL: arena full, nothing changed.
 */
static struct table *make_anew(struct arena *a, idw_table *handle, const struct idw_table_desc *d,
                               struct table *old)
{
    uint64_t need = old == NULL ? 1 : (uint64_t)old->live + old->live / 2 + 1;
    uint32_t slots = SLOTS_MIN;
    while (room_of(slots) < need) {
        if (slots == SLOTS_MAX)
            return NULL;
        slots *= 2;
    }
    arena_off o = arena_alloc(a, size_of(slots, d->row_size));
    if (o == 0)
        return NULL;
    struct table *t = arena_ptr(a, o);
    *t = (struct table){.references = 1, .slots = slots, .row_size = d->row_size, .key_size = d->key_size};
    for (uint32_t n = 0; old != NULL && n < old->end; n++) {
        if (hashes_of(old)[n] != 0)
            append(t, hashes_of(old)[n], row_of(old, n));
    }
    idw_table before = *handle;
    __atomic_store_n(handle, o, __ATOMIC_RELEASE);
    let_go(a, before);
    return t;
}

static bool is_shared(struct table *t)
{
    return __atomic_load_n(&t->references, __ATOMIC_ACQUIRE) > 1;
}

int table_insert(struct arena *a, idw_table *handle, const struct idw_table_desc *d, const void *row)
{
    struct table *t;
    int r = get(a, handle, d, &t);
    if (r < 0)
        return r;
    uint32_t hash = hash_of(a, row, d->key_size);
    int64_t n = t == NULL ? -1 : find(t, hash, row);
    if (n >= 0 && memcmp(row_of(t, (uint32_t)n), row, d->row_size) == 0)
        return 0;
    if (t == NULL || is_shared(t) || (n < 0 && t->end == room_of(t->slots))) {
        t = make_anew(a, handle, d, t);
        if (t == NULL)
            return -ENOMEM;
        n = n < 0 ? -1 : find(t, hash, row);
    }
    if (n >= 0) {
        memcpy(row_of(t, (uint32_t)n), row, d->row_size);
        return 0;
    }
    append(t, hash, row);
    return 1;
}

int table_delete(struct arena *a, idw_table *handle, const struct idw_table_desc *d, const void *key)
{
    struct table *t;
    int r = get(a, handle, d, &t);
    if (r < 0 || t == NULL)
        return r;
    uint32_t hash = hash_of(a, key, d->key_size);
    int64_t n = find(t, hash, key);
    if (n < 0)
        return 0;
    if (t->live == 1) {
        table_drop(a, handle, d);
        return 1;
    }
    if (is_shared(t)) {
        t = make_anew(a, handle, d, t);
        if (t == NULL)
            return -ENOMEM;
        n = find(t, hash, key);
    }
    t->indexing = 1;
    atomic_signal_fence(memory_order_seq_cst);
    hashes_of(t)[n] = 0;
    t->live--;
    atomic_signal_fence(memory_order_seq_cst);
    t->indexing = 0;
    return 1;
}

const void *table_find(const struct arena *a, const idw_table *handle, const struct idw_table_desc *d,
                       const void *key)
{
    struct table *t;
    if (get(a, handle, d, &t) < 0 || t == NULL)
        return NULL;
    int64_t n = find(t, hash_of(a, key, d->key_size), key);
    return n < 0 ? NULL : row_of(t, (uint32_t)n);
}

size_t table_count(const struct arena *a, const idw_table *handle)
{
    const struct table *t = arena_object(a, *handle, sizeof *t);
    return t == NULL ? 0 : t->live;
}

const void *table_next(const struct arena *a, const idw_table *handle, const struct idw_table_desc *d,
                       size_t *cursor)
{
    struct table *t;
    if (get(a, handle, d, &t) < 0 || t == NULL)
        return NULL;
    while (*cursor < t->end) {
        uint32_t n = (uint32_t)(*cursor)++;
        if (hashes_of(t)[n] != 0)
            return row_of(t, n);
    }
    return NULL;
}

int table_share(struct arena *a, const idw_table *handle, const struct idw_table_desc *d, idw_table *copy)
{
    struct table *t;
    int r = get(a, handle, d, &t);
    if (r == 0 && t != NULL) {
        __atomic_fetch_add(&t->references, 1, __ATOMIC_ACQ_REL);
        *copy = *handle;
    }
    return r;
}

void table_drop(struct arena *a, idw_table *handle, const struct idw_table_desc *d)
{
    struct table *t;
    bool whole = get(a, handle, d, &t) == 0 && t != NULL;
    idw_table before = *handle;
    *handle = 0;
    if (whole)
        let_go(a, before);
}
