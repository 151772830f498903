/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The notify engine: seccomp user notification, for clauses that registers alone decide (seccomp_unotify(2)).
 *
 *     struct notify *n = notify_start(en, &e);      // ENGINE_WORKERS threads that answer calls
 *     notify_stop(n);                               // ends and joins them
 */
#ifndef IDW_ENGINE_NOTIFY_H
#define IDW_ENGINE_NOTIFY_H

#include "engine/engine.h"

struct notify;

struct notify *notify_start(struct engine *en, struct err *e);
void notify_stop(struct notify *n);

#endif
