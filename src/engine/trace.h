/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The trace engine: SECCOMP_RET_TRACE stops for clauses that need more than registers, and exact process
 * tracking. */
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
 * is left.
 */
void trace_run(struct engine *en, struct subject *main, const struct trace_watch *watch);

#endif
