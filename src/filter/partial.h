/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Partial evaluation of a characterisation: the call is known, registers are tested later, memory and
 * attributes are unknown to a filter and may be anything.
 */
#ifndef IDW_FILTER_PARTIAL_H
#define IDW_FILTER_PARTIAL_H

#include "base/err.h"
#include "filter/expr.h"
#include "idw/wrapper.h"
#include "syscalls/table.h"

/* partial_check - is @clause's characterisation well formed? Returns what terms_check says. */
int partial_check(const struct idw_clause *clause, struct err *e);

/*
 * partial_eval - when may @call match the characterisation of @clause (which has passed partial_check)?
 * Exact where the characterisation depends on the call and its registers only; else true for more than it (of
 * i386's values in two registers, old user ids and the like, too).
 * @in_registers: false when the call's arguments are elsewhere (socketcall): nothing is known of them.
 */
expr_id partial_eval(struct expr_pool *p, const struct idw_clause *clause, const struct call *call,
                     bool in_registers);

#endif
