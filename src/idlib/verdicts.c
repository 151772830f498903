/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* deny, fake, kill. */
#include "idw/wrapper.h"

#include <errno.h>

#include "subject/event.h"

#define ERRNO_MAX 4095

void idw_deny(struct idw_event *ev, int errnum)
{
    /* Whatever number a body computed: it said deny, so the call must not run. */
    event_verdict(ev, VERDICT_DENY, errnum >= 1 && errnum <= ERRNO_MAX ? errnum : EPERM);
}

void idw_fake(struct idw_event *ev, int64_t value)
{
    event_verdict(ev, VERDICT_FAKE, value);
}

void idw_kill(struct idw_event *ev)
{
    event_verdict(ev, VERDICT_KILL, 0);
}
