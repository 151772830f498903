/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One notification's way (seccomp_unotify(2)): receive, ask the clauses, carry out, answer. The answer is to
 * deny until something else has been decided.
 *
 * By its route (wss.h): registers decide, and the kernel goes on with the call; or the call is performed
 * here, on the arguments that were judged, and answered with its result; or it is handed to the tracer, which
 * lets the target make it.
 */
#ifndef IDW_ENGINE_NOTIFY_H
#define IDW_ENGINE_NOTIFY_H

#include "engine/workers.h"

/* notify_serve - receive one into w->req, both buffers zeroed, and answer it or hand it on. */
void notify_serve(struct worker *w);

#endif
