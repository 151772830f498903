/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What state.c needs of tables beyond state.h: two handles on one table, and none.
 *
 *     r = table_share(a, parents, d, childs);    // no row is copied until one of them changes it
 *     table_drop(a, childs, d);
 *
 * The caller holds the lock of the state that @handle is in.
 */
#ifndef IDW_SUBJECT_TABLE_H
#define IDW_SUBJECT_TABLE_H

#include "subject/state.h"

/* table_share - let *@copy be a second handle on the table. Returns 0, or -EIO: damaged. */
int table_share(struct arena *a, const idw_table *handle, const struct idw_table_desc *d, idw_table *copy);

/* table_drop - one holder less; *@handle becomes 0. A damaged table is left where it is. */
void table_drop(struct arena *a, idw_table *handle, const struct idw_table_desc *d);

#endif
