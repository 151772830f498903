/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A path as a target's thread would resolve it: from its root, working directory and descriptors, with
 * /proc/self and what leads there (/dev/fd, /dev/stdin, any symbolic link) meaning its own.
 *
 *     struct lookup l = {.tid = tid, .dirfd = AT_FDCWD, .path = "dir/file", .follow = true};
 *     _cleanup_close_ int fd = resolve(&l);    // O_PATH: fstat it, or open /proc/self/fd/N
 *
 * Permissions are those of the caller, not the target's.
 */
#ifndef IDW_IDLIB_RESOLVE_H
#define IDW_IDLIB_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lookup {
    pid_t tid;
    int dirfd;        /* the thread's descriptor or AT_FDCWD: where a relative path starts */
    const char *path; /* "" is @dirfd itself, if @empty */
    const int *start; /* our own descriptor of where @dirfd leads; NULL: look at the thread's */
    bool follow;      /* a final symbolic link */
    bool empty;       /* AT_EMPTY_PATH */
    uint64_t resolve; /* RESOLVE_* of openat2, as the target gave them */
    bool blind;       /* set by resolve: it failed since we, not the target, may not look there */
};

/*
 * resolve - an O_PATH descriptor of the object, the caller's. Or -errno: as the call itself would fail;
 * -EBADF: @dirfd is not open; -ESRCH: the thread is gone; -EACCES: also, no permission to look at the thread
 * (then @l->blind is set).
 */
int resolve(struct lookup *l);

#endif
