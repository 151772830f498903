/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which of the subject's descriptors does a body mean by a number? Of a call that we make ourselves, the ones
 * in its arguments are taken once, so that what is looked at is what is used.
 */
#ifndef IDW_IDLIB_THEIRS_H
#define IDW_IDLIB_THEIRS_H

#include "subject/event.h"

/* theirs_argument - the argument of @ev's call, one that we make, that is descriptor @fd; or NULL. */
static inline const struct call_arg *theirs_argument(struct idw_event *ev, int fd)
{
    for (unsigned i = 0; ev->performing && fd >= 0 && i < ev->call->n_args; i++) {
        const struct call_arg *a = &ev->call->args[i];
        if ((a->type == TYPE_FD || a->type == TYPE_DIRFD) && a->source == FROM_REG &&
            (int)event_scalar(ev, a) == fd)
            return a;
    }
    return NULL;
}

#endif
