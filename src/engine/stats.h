/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --stats FILE: how many events reached the wrappers, {"events":{ENGINE:N},ENGINE:{CALL:N}}. */
#ifndef IDW_ENGINE_STATS_H
#define IDW_ENGINE_STATS_H

#include "engine/engine.h"

/* stats_open - open the file that the options name, if they do, and empty it. Returns 0, or -errno. */
int stats_open(struct engine *en, struct err *e);

/* stats_write - write it afresh. */
void stats_write(struct engine *en);

#endif
