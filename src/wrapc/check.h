/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the grammar cannot say. Errors are noted in the source.
 */
#ifndef IDW_WRAPC_CHECK_H
#define IDW_WRAPC_CHECK_H

#include "wrapc/ast.h"

/*
 * check_names - no name of state or table twice, for bodies use them without saying whose they are.
 */
void check_names(struct source *s, const struct wrapper *w);

/*
 * check_clause - the characterisation's comparisons are of arguments that its calls have; fills in c->calls
 * (those that can reach the clause, comparisons taken for "perhaps"), c->n_terms, c->n_sets, and the flags
 * that follow.
 */
void check_clause(struct source *s, struct clause *c);

#endif
