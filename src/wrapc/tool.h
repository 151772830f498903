/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The C compiler as a program to run: which one, with which flags, and the running. No shell is ever
 * involved.
 *
 *     struct tool t;
 *     tool_init(&t, o->cc, file, o->includes, o->n_includes, &e);
 *     tool_run(&t, (const char *[]){"-fsyntax-only", "-x", "c", "-", NULL}, code_fd, -1, &e);
 *     tool_clear(&t);
 */
#ifndef IDW_WRAPC_TOOL_H
#define IDW_WRAPC_TOOL_H

#include <stddef.h>
#include <sys/types.h>
#include "base/err.h"

struct tool {
    char **argv; /* command, flags, include paths; NULL-terminated */
    size_t n;
};

/*
 * tool_init - @cc: the command, blanks separate its words ("ccache gcc"); NULL: $CC, then cc; it is
 * looked for on $PATH now. @file: the .wr
 * file, beside which #include "..." looks. Returns 0, -ENOMEM, -ENOENT (idwrun's headers are nowhere).
 * tool_clear gives back.
 */
int tool_init(struct tool *t, const char *cc, const char *file, const char *const *includes,
              size_t n_includes, struct err *e);
void tool_clear(struct tool *t);

/*
 * tool_spawn - start it with the arguments @more behind its own. @in and @out become its standard input, from
 * the start of the file, and output; -1: inherited. Returns the pid, or -errno: -ENOENT with the advice to
 * install a compiler. tool_wait - its end. Returns 0, or -EINVAL: it failed; what is wrong with the C it
 * has said itself. tool_run - both.
 */
pid_t tool_spawn(const struct tool *t, const char *const *more, int in, int out, struct err *e);
int tool_wait(const struct tool *t, pid_t pid, struct err *e);
int tool_run(const struct tool *t, const char *const *more, int in, int out, struct err *e);

#endif
