/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is the program that a process now is the one that was judged? Asked at PTRACE_EVENT_EXEC, when the new
 * image has not run an instruction.
 *
 *     program_is_judged    execs whose clauses have looked at the object of their path: the path was pinned,
 *                          but what it leads to can be swapped before the kernel follows it
 *     program_got_judged   execs whose path, arguments and variables could not be pinned (see alone.h)
 */
#ifndef IDW_ENGINE_PROGRAM_H
#define IDW_ENGINE_PROGRAM_H

#include <stdbool.h>
#include "subject/event.h"

/* program_may_change - is it execve or execveat? */
bool program_may_change(const struct call *c);

/*
 * program_look - clauses have looked at something that is about to be executed by @ev, perhaps at a
 * descriptor only (execveat): find what that leads to, so that program_is_judged can compare. A worker's,
 * after the pre clauses. Returns 0, or what the call fails with.
 */
int program_look(struct idw_event *ev);

/*
 * program_is_judged - of what thread @tid runs now (an exec may have given it another id than the event's).
 * True also when no clause has looked. A script is its interpreter: the one that the judged object names in
 * its first line. (What the interpreter then reads is another open.)
 */
bool program_is_judged(const struct idw_event *ev, pid_t tid);

/* program_tells - can program_got_judged tell? Not of what clauses have assigned: that must be pinned. */
bool program_tells(const struct idw_event *ev);

/*
 * program_got_judged - are the path, arguments and variables that the kernel has put on the new stack those
 * that clauses have looked at? A script's arguments begin with its interpreter, what the script's first line
 * gives that, and its path (load_script() of fs/binfmt_script.c), as they do if the path leads to that script
 * now; of what is another file and no script they are no judged ones.
 */
bool program_got_judged(const struct idw_event *ev, pid_t tid);

#endif
