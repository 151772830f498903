/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wrapper state in the arena: instances of `process {}` and `global {}`, and the tables in them.
 *
 * Tables are counted and copied on write: a fork copies a subject's state block and shares its tables;
 * whoever changes a shared table first gets its own. The caller holds the lock of whatever owns the state
 * (subject lock or the wrapper's global lock); the counts themselves are atomic because two subjects can
 * share one table.
 */
#ifndef IDW_SUBJECT_STATE_H
#define IDW_SUBJECT_STATE_H

#include "idw/wrapper.h"
#include "subject/arena.h"

/* state_new - an instance as `init` says. 0: arena full, or the wrapper has no such state (size 0). */
arena_off state_new(struct arena *a, const struct idw_state_desc *d);

/* state_copy - the child's at fork. 0: arena full, @from damaged, or 0: the wrapper has no such state. */
arena_off state_copy(struct arena *a, const struct idw_state_desc *d, arena_off from);

/* state_free - with all its tables. 0 is allowed. */
void state_free(struct arena *a, const struct idw_state_desc *d, arena_off state);

/*
 * Rows. @handle: the table's handle in the state block; @row, @key: packed, key first.
 * insert: 1 new, 0 replaced, -ENOMEM. delete: 1 deleted, 0 not there, -ENOMEM (a shared table couldn't be
 * copied). Both: -EIO when what @handle leads to is no table of this kind (the state was overwritten); the
 * others find nothing then. A change is whole even if the engine dies in it; a row being replaced may be half
 * old, half new.
 */
int table_insert(struct arena *a, idw_table *handle, const struct idw_table_desc *d, const void *row);
int table_delete(struct arena *a, idw_table *handle, const struct idw_table_desc *d, const void *key);

/* table_find - the row with @key's key, or NULL; valid until the table is changed. */
const void *table_find(const struct arena *a, const idw_table *handle, const struct idw_table_desc *d,
                       const void *key);
size_t table_count(const struct arena *a, const idw_table *handle);

/* table_next - iterate, in the order of insertion: *@cursor starts at 0; NULL at the end. */
const void *table_next(const struct arena *a, const idw_table *handle, const struct idw_table_desc *d,
                       size_t *cursor);

#endif
