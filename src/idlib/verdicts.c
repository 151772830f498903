/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* deny, fake, kill. */
#include "idw/wrapper.h"

#include <errno.h>

#include "subject/event.h"

/* Numbers from 512 to 531 are the kernel's own and never reach a program (include/linux/errno.h). */
static bool is_errno(int n)
{
    return n >= 1 && n <= EVENT_ERRNO_MAX && (n < 512 || n > 531);
}

void idw_deny(struct idw_event *ev, int errnum)
{
    /* Whatever number a body computed: it said deny, so the call must not run. */
    event_verdict(ev, VERDICT_DENY, is_errno(errnum) ? errnum : EPERM);
}

void idw_fake(struct idw_event *ev, int64_t value)
{
    event_verdict(ev, VERDICT_FAKE, value);
}

void idw_kill(struct idw_event *ev)
{
    event_verdict(ev, VERDICT_KILL, 0);
}
