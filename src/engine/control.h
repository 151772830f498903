/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The control loop (libev), in a thread of its own: what has nothing to do with answering calls.
 *
 *     struct control *c = control_start(en, &e);
 *     control_stop(c);
 */
#ifndef IDW_ENGINE_CONTROL_H
#define IDW_ENGINE_CONTROL_H

#include "engine/engine.h"

struct control;

struct control *control_start(struct engine *en, struct err *e);
void control_stop(struct control *c);

#endif
