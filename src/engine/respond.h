/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The middle of an event's way, the same for every engine: from an event to what its engine must carry out.
 *
 *     switch (respond_pre(en, &ev, BY_NOTIFY)) ...
 *
 * A subject that is being launched is not asked about; one that is ending is not asked either, and gets
 * nothing.
 */
#ifndef IDW_ENGINE_RESPOND_H
#define IDW_ENGINE_RESPOND_H

#include "engine/engine.h"

enum response {
    RESPOND_RUN,      /* let the kernel do it, with ev->regs where ev->assigned says so */
    RESPOND_RUN_POST, /* the same, and bring the result to respond_post */
    RESPOND_RESULT,   /* don't let it run; it returns ev->result */
};

/*
 * respond_pre - run the pre clauses, and, when one of them has a verdict, the post clauses of the layers
 * further out. Takes the subject's lock; carries out `kill`; writes the audit records.
 * @by: how the event came, for the statistics
 */
enum response respond_pre(struct engine *en, struct idw_event *ev, enum engine_way by);

/* respond_counts - one more event of this call went this way. */
void respond_counts(struct engine *en, const struct call *c, enum engine_way way);

/* respond_post - run the post clauses on @result; ev->result is then what the call shall return. */
void respond_post(struct engine *en, struct idw_event *ev, int64_t result);

#endif
