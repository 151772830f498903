/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is the program that a process now is the one that was judged? For execs whose clauses have looked at the
 * object of their path: the path was pinned, but what it leads to can be swapped before the kernel follows
 * it. Asked at PTRACE_EVENT_EXEC, when the new image has not run an instruction.
 */
#ifndef IDW_ENGINE_PROGRAM_H
#define IDW_ENGINE_PROGRAM_H

#include <stdbool.h>
#include "subject/event.h"

/* program_may_change - is it execve or execveat? */
bool program_may_change(const struct call *c);

/*
 * program_is_judged - true also when no clause has looked. A script is its interpreter: the one that the
 * judged object names in its first line. (What the interpreter then reads is another open.)
 */
bool program_is_judged(const struct idw_event *ev);

#endif
