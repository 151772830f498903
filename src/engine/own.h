/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protecting the supervisor: guardian, engine, its threads, and the canary run as the same user as the
 * target, in the same pid namespace. Calls that would signal, trace, slow down or look into one of them,
 * named by its number, are answered as if there were no such process, for all that the target knows of it
 * bare.
 *
 *     own_filter(en, f, &e);                        // beside the clauses, before the filter is built
 *     if (own_decides(en, tid, call, regs, &result)) ...   // after the clauses, where the call would be let
 * run
 *
 * The numbers are registers, so that what was looked at is what the kernel gets. Signal 0 harms nobody and is
 * let through: a child may ask whether its parent is there. A process group that the target shares with the
 * guardian may be signalled as a whole, see signals.h. docs/SECURITY.md says what this doesn't protect from.
 */
#ifndef IDW_ENGINE_OWN_H
#define IDW_ENGINE_OWN_H

#include "engine/engine.h"
#include "filter/filter.h"

/*
 * own_filter - add the rules for these calls to @f, all FILTER_NOTIFY. They refer to static memory.
 * Returns 0, or what filter_add_clause says.
 */
int own_filter(const struct engine *en, struct filter *f, struct err *e);

/*
 * own_refuses - does this call of thread @tid do to one of ours what it must not? Then *@result is what the
 * call returns, -errno. Any thread may ask.
 */
bool own_refuses(const struct engine *en, pid_t tid, const struct call *c, const uint64_t args[6],
                 int64_t *result);

/*
 * own_runs - the calls that can't be let through as they are, made for thread @tid: kill(-1, sig) reaches all
 * that it would but ours; a descriptor's owner that is named in memory (F_SETOWN_EX, FIOSETOWN, SIOCSPGRP) is
 * read once. True: *@result is what the call returns. False: nothing has happened, let the kernel do it.
 */
bool own_runs(const struct engine *en, pid_t tid, const struct call *c, const uint64_t args[6],
              int64_t *result);

/* own_decides - alone_refuses (alone.h), own_refuses, then own_runs: what a call returns that the kernel is
 * not to be let do. */
bool own_decides(const struct engine *en, pid_t tid, const struct call *c, const uint64_t args[6],
                 int64_t *result);

#endif
