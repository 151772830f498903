/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* raise, wr_audit, wr_audit_printf. */
#include "idw/wdl.h"

#include "audit/audit.h"
#include "base/cleanup.h"

void idw_raise(struct idw_event *ev, const struct idw_event_desc *desc, const union idw_value *values)
{
    audit_raised(ev, desc, values);
}

void idw_wr_audit(struct idw_event *ev, const char *text)
{
    audit_said(ev, text != NULL ? text : "(null)");
}

void idw_wr_audit_printf(struct idw_event *ev, const char *format, ...)
{
    _cleanup_free_ char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        text = NULL; /* vasprintf leaves it undefined */
        ev->internal_error = true;
        return;
    }
    audit_said(ev, text);
}
