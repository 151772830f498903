/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A worker thread that takes on a target's identity for one call, and comes back. Real, effective and saved
 * ids stay its own all the time: by these a target could signal or trace it.
 *
 *     int rc = performer_become(pf, &who, root);      // 0, or it is itself still
 *     ... the call, and nothing else: no look at /proc/TID, no memory of the target ...
 *     performer_return(pf);
 *
 * In between, its working directory is our /proc: "self/fd/N" names what descriptor N of ours is, whatever
 * root it has and whatever is mounted there.
 */
#ifndef IDW_ENGINE_PERFORM_PERFORMER_H
#define IDW_ENGINE_PERFORM_PERFORMER_H

#include "engine/perform/identity.h"
#include "engine/perform/perform.h"

/* performer_own - who the worker is itself. */
const struct identity *performer_own(const struct performer *pf);

/* performer_become - @root: O_PATH descriptor of the target's root. Returns 0, or -errno: can't be done. */
int performer_become(struct performer *pf, const struct identity *who, int root);

/* performer_pause, performer_resume - it is itself in between; resuming never fails, as performer_return. */
void performer_pause(struct performer *pf);
void performer_resume(struct performer *pf, const struct identity *who, int root);

/* performer_return - never fails: a thread that can't come back ends the process. */
void performer_return(struct performer *pf);

#endif
