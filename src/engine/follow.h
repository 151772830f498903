/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Following processes that nobody traces: each call that makes a process, or another program of it, is
 * notified, and handed to the tracer (TURN_SUMMON), which traces its thread until the child or the new
 * program is known and then lets both go. So a child's state is its parent's at the fork, exactly.
 *
 * Where all processes are traced anyway these calls need no notification.
 */
#ifndef IDW_ENGINE_FOLLOW_H
#define IDW_ENGINE_FOLLOW_H

#include "engine/engine.h"

/* follow_filter - the calls that the engine itself wants to see. Returns 0, or -errno. */
int follow_filter(const struct engine *en, struct filter *f, struct err *e);

/* follow_wants - is it one of those that the tracer must see through? */
bool follow_wants(const struct engine *en, const struct call *c);

/* follow_needs_not - this one makes but a thread, or is the launch's own: the kernel may go on with it. */
bool follow_needs_not(const struct engine *en, const struct idw_event *ev);

/* follow_target - which calls stop for a tracer when their clauses need the target: can all of them be
 * summoned? */
bool follow_can_summon(const struct call *c);

/* follow_seen - @c has been let run: what it means for what the engine may do in the subject's place. */
void follow_seen(struct subject *s, const struct call *c);

#endif
