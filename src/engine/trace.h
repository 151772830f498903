/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trace engine, in the engine's main thread: launched program and, where clauses need it, all processes
 * for good; else only threads that have been summoned, for one call. Exact process tracking either way. It
 * never waits for the target but in sigtimedwait(2).
 */
#ifndef IDW_ENGINE_TRACE_H
#define IDW_ENGINE_TRACE_H

#include "engine/engine.h"

/* What the tracer tells of the launched program; called in the tracer's thread. */
struct trace_watch {
    void (*stopped)(void *context, int signal);
    void (*continued)(void *context);
    void (*ended)(void *context, int status); /* status as wait(2) gives it */
    void *context;
};

/*
 * trace_run - serve @main (traced already, by this thread, and a subject) and all that it starts, until none
 * is left. SIGCHLD and SIGUSR1 are blocked.
 */
void trace_run(struct engine *en, struct subject *main, const struct trace_watch *watch);

#endif
