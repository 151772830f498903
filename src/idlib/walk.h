/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Path resolution a component at a time, as path_resolution(7) says, for what openat2(2) can't be told:
 * another root than the caller's together with a working directory outside of it, and /proc/self of another
 * process.
 */
#ifndef IDW_IDLIB_WALK_H
#define IDW_IDLIB_WALK_H

#include <stdbool.h>
#include <sys/types.h>

struct walk {
    pid_t tid;   /* whose /proc/self */
    int root;    /* where ".." ends and absolute symbolic links start; the caller's, stays open */
    int at;      /* where the path starts, then where it led; the caller's, replaced and closed on the way */
    bool follow; /* a final symbolic link */
    bool blind;  /* set by walk: it failed since we can't tell what /proc/self is */
    bool (*stop)(struct walk *w); /* NULL, or asked wherever the way has led: end there, with -EXDEV? */
};

/* walk - take @w->at to what @path, relative to it, names. Returns 0, or -errno as the kernel would. */
int walk(struct walk *w, const char *path);

/* walk_same - are these two descriptors one file seen through one mount? */
bool walk_same(int fd1, int fd2);

#endif
