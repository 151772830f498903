/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the trace engine: PTRACE_SEIZE that doesn't wait for the target. */
#ifndef IDW_ENGINE_SEIZE_H
#define IDW_ENGINE_SEIZE_H

#include "engine/engine.h"

/*
 * seize - become the tracer of thread @tid, with TRACE_OPTIONS, while its notification @id waits for an
 * answer. The tracer's thread only. False: it can't be had, now.
 */
bool seize(const struct engine *en, pid_t tid, uint64_t id);

#endif
