/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starting the target: a child that is traced and filtered before it becomes the program.
 *
 *     struct launch l;
 *     launch_prepare(&l, argv, &e);            // finds the program; nothing has run yet
 *     launch_start(&l, en, &e);                // forks the stub, traces it, takes the listener
 *     launch_go(&l);                           // the stub calls execve
 *     int errnum = launch_error(&l);           // after its death: why execve failed, or 0
 *     launch_clear(&l);
 */
#ifndef IDW_ENGINE_LAUNCH_H
#define IDW_ENGINE_LAUNCH_H

#include <limits.h>
#include "engine/engine.h"

struct launch_page;

struct launch {
    char path[PATH_MAX]; /* what is executed */
    char **argv;         /* the caller's */
    char **script_argv;  /* /bin/sh path arguments..., for a script without #! as in execvp(3) */
    struct launch_page *page;
    pid_t pid;
};

/*
 * launch_prepare - find argv[0] as execvp(3) would.
 * Returns 0, or -ENOENT (status EXIT_NOT_FOUND), -EACCES (EXIT_CANNOT_RUN), -ENOMEM.
 */
int launch_prepare(struct launch *l, char **argv, struct err *e);

/*
 * launch_start - the calling thread becomes the tracer of the child and of all that it starts. Sets
 * en->listener. Returns 0, or -errno, with no child left.
 */
int launch_start(struct launch *l, struct engine *en, struct err *e);

void launch_go(struct launch *l);

/* launch_done - at the stop of its first exec: from now on our death is not the death of the program.
 * Tracer's thread. */
void launch_done(pid_t pid);
int launch_error(const struct launch *l);
void launch_clear(struct launch *l);

#endif
