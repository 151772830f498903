/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control loop (libev), in a thread of its own: what has nothing to do with answering calls.
 *
 *     struct control *c = control_start(en, &e);
 *     control_stop(c);        // its thread has ended
 *     control_free(c);
 */
#ifndef IDW_ENGINE_CONTROL_H
#define IDW_ENGINE_CONTROL_H

#include "engine/engine.h"

struct control;

struct control *control_start(struct engine *en, struct err *e);
void control_stop(struct control *c); /* NULL is fine, here and there */
void control_free(struct control *c);

/* control_watch - poke the workers from now on, until they have had nothing to do for a while. Any thread. */
void control_watch(struct control *c);

/*
 * control_nudge - wake the guardian with SIGCONT once more, a little later. It stops itself when the program
 * does, and a SIGCONT that comes while it is about to would be lost. Any thread may call this.
 */
void control_nudge(struct control *c);

#endif
