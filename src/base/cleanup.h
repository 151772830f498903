/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ownership at a glance: a variable marked with one of these gives back what it holds when its scope ends.
 *
 *     _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
 *     ...
 *     return move_fd(&fd);      // the caller owns it now
 */
#ifndef IDW_BASE_CLEANUP_H
#define IDW_BASE_CLEANUP_H

#include <errno.h>
#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void close_fd_p(int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        (void)close(*fd);
        errno = saved;
    }
}

static inline void free_p(void *p)
{
    free(*(void **)p);
}

static inline void fclose_p(FILE **f)
{
    if (*f != NULL)
        (void)fclose(*f);
}

static inline void closedir_p(DIR **d)
{
    if (*d != NULL)
        (void)closedir(*d);
}

#define _cleanup_close_ __attribute__((cleanup(close_fd_p)))
#define _cleanup_free_ __attribute__((cleanup(free_p)))
#define _cleanup_fclose_ __attribute__((cleanup(fclose_p)))
#define _cleanup_closedir_ __attribute__((cleanup(closedir_p)))

/* A descriptor that is nobody's any more. */
#define DEAD_FD (-EBADF)

static inline int move_fd(int *fd)
{
    int moved = *fd;
    *fd = DEAD_FD;
    return moved;
}

#define steal_pointer(p)                                                                                     \
    ({                                                                                                       \
        __auto_type stolen_ = *(p);                                                                          \
        *(p) = NULL;                                                                                         \
        stolen_;                                                                                             \
    })

/* The struct of @type whose member @member is at @p. */
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
