/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* insert, exists, select, delete. */
#include "idw/wrapper.h"

#include <errno.h>
#include <string.h>

#include "subject/event.h"
#include "subject/state.h"

/* A change that the wrapper asked for and didn't get: it would decide later calls on a table that isn't so.
 */
static int changed(struct idw_event *ev, int r)
{
    if (r < 0)
        ev->internal_error = true;
    return r;
}

int idw_table_insert(struct idw_event *ev, idw_table *handle, const struct idw_table_desc *desc,
                     const void *row)
{
    return changed(ev, ev->arena == NULL ? -ENOMEM : table_insert(ev->arena, handle, desc, row));
}

int idw_table_delete(struct idw_event *ev, idw_table *handle, const struct idw_table_desc *desc,
                     const void *key)
{
    return changed(ev, ev->arena == NULL ? -ENOMEM : table_delete(ev->arena, handle, desc, key));
}

static const void *found(struct idw_event *ev, const idw_table *handle, const struct idw_table_desc *desc,
                         const void *key)
{
    if (ev->arena == NULL) {
        ev->internal_error = true;
        return NULL;
    }
    return table_find(ev->arena, handle, desc, key);
}

bool idw_table_exists(struct idw_event *ev, const idw_table *handle, const struct idw_table_desc *desc,
                      const void *key)
{
    return found(ev, handle, desc, key) != NULL;
}

bool idw_table_select(struct idw_event *ev, const idw_table *handle, const struct idw_table_desc *desc,
                      const void *key, void *row)
{
    const void *stored = found(ev, handle, desc, key);
    if (stored == NULL)
        return false;
    memcpy(row, stored, desc->row_size);
    return true;
}
