/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose failure is it? A wrapper that asks about a file or socket gets an errno, and most often goes on as if
 * there were nothing to see. That is right for what the subject would get as well. What only we can't see
 * must not let the call run.
 *
 *     _cleanup_close_ int fd = ours_look(ev, reach_link(ev->tid, "cwd"));
 */
#ifndef IDW_IDLIB_OURS_H
#define IDW_IDLIB_OURS_H

#include <errno.h>
#include <stdbool.h>

#include "subject/event.h"

/* ours_scarce - does @rc (>= 0, or -errno) say that we lack descriptors or memory? */
static inline bool ours_scarce(int rc)
{
    return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM;
}

/*
 * ours_blind - @rc is from a look at the subject itself: its descriptors, root, working directory. Is it a
 * failure of ours? A closed descriptor (EBADF) and a thread that is gone (ESRCH) are not.
 */
static inline bool ours_blind(int rc)
{
    return rc < 0 && rc != -EBADF && rc != -ESRCH;
}

/* ours_look - note in @ev if it is so. Returns @rc. */
static inline int ours_look(struct idw_event *ev, int rc)
{
    if (ours_blind(rc))
        ev->internal_error = true;
    return rc;
}

#endif
