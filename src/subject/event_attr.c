/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes with each event: $ret, $pid, $uid, $exe ... */
#include "subject/event.h"

#include <string.h>
#include "subject/proc.h"

/* The thread is stopped in its call: what /proc says of it now holds for the call. */
static void know_creds(struct idw_event *ev)
{
    if (ev->creds_known)
        return;
    struct proc_status s = {.ppid = ev->subject != NULL ? ev->subject->record->ppid : 0,
                            .uid = (uid_t)-1,
                            .euid = (uid_t)-1,
                            .gid = (gid_t)-1,
                            .egid = (gid_t)-1};
    if (proc_status(ev->tid, &s) < 0)
        ev->internal_error = true; /* gone, then it does no harm; or it is us who can't look */
    ev->uid = s.uid;
    ev->euid = s.euid;
    ev->gid = s.gid;
    ev->egid = s.egid;
    ev->ppid = s.ppid;
    ev->creds_known = true;
}

static int64_t cred(struct idw_event *ev, uint16_t attr)
{
    know_creds(ev);
    switch (attr) {
    case IDW_ATTR_uid:
        return ev->uid;
    case IDW_ATTR_euid:
        return ev->euid;
    case IDW_ATTR_gid:
        return ev->gid;
    default:
        return ev->egid;
    }
}

int64_t event_attr(struct idw_event *ev, uint16_t attr)
{
    const struct subject_record *r = ev->subject != NULL ? ev->subject->record : NULL;
    switch (attr) {
    case IDW_ATTR_ret:
        return event_failed(ev->result) ? -1 : ev->result;
    case IDW_ATTR_errno:
        return event_failed(ev->result) ? -ev->result : 0;
    case IDW_ATTR_nr:
        return ev->call->nr[ev->arch];
    case IDW_ATTR_pid:
        return r != NULL ? r->pid : 0;
    case IDW_ATTR_tid:
        return ev->tid;
    case IDW_ATTR_ppid:
        know_creds(ev);
        return ev->ppid;
    case IDW_ATTR_uid:
    case IDW_ATTR_gid:
    case IDW_ATTR_euid:
    case IDW_ATTR_egid:
        return cred(ev, attr);
    case IDW_ATTR_invoker:
        return r != NULL ? r->invoker : (uid_t)-1;
    default:
        return 0;
    }
}

const char *event_attr_text(struct idw_event *ev, uint16_t attr)
{
    if (attr == IDW_ATTR_call)
        return ev->call->name;
    if (ev->subject == NULL || (attr != IDW_ATTR_exe && attr != IDW_ATTR_program))
        return NULL;
    const char *exe = ev->subject->record->exe;
    const char *slash = attr == IDW_ATTR_program ? strrchr(exe, '/') : NULL;
    return slash != NULL ? slash + 1 : exe;
}
