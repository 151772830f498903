/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/state.h"

#include <string.h>

#include "subject/table.h"

/* The handle of table @i in the state block @state. */
static idw_table *handle_of(const struct idw_state_desc *d, void *state, uint32_t i)
{
    return (idw_table *)((char *)state + d->tables[i].handle);
}

arena_off state_new(struct arena *a, const struct idw_state_desc *d)
{
    if (d->size == 0)
        return 0;
    arena_off o = arena_alloc(a, d->size);
    if (o != 0 && d->init != NULL)
        memcpy(arena_ptr(a, o), d->init, d->size);
    return o;
}

arena_off state_copy(struct arena *a, const struct idw_state_desc *d, arena_off from)
{
    void *source = d->size == 0 ? NULL : arena_object(a, from, d->size);
    if (source == NULL)
        return 0;
    arena_off o = arena_alloc(a, d->size);
    if (o == 0)
        return 0;
    void *copy = arena_ptr(a, o);
    memcpy(copy, source, d->size);
    for (uint32_t i = 0; i < d->n_tables; i++)
        *handle_of(d, copy, i) = 0;
    for (uint32_t i = 0; i < d->n_tables; i++) {
        if (table_share(a, handle_of(d, source, i), &d->tables[i], handle_of(d, copy, i)) < 0) {
            state_free(a, d, o);
            return 0;
        }
    }
    return o;
}

void state_free(struct arena *a, const struct idw_state_desc *d, arena_off state)
{
    void *p = arena_object(a, state, d->size);
    if (p != NULL) {
        for (uint32_t i = 0; i < d->n_tables; i++)
            table_drop(a, handle_of(d, p, i), &d->tables[i]);
    }
    arena_free(a, state);
}
