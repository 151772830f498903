/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/respond.h"

#include <errno.h>
#include "base/log.h"

void respond_counts(struct engine *en, const struct call *c, enum engine_way way)
{
    if (en->routes[call_id(c)] != ROUTE_NONE) /* else the engine alone wanted to see it */
        atomic_fetch_add_explicit(&en->events[way][call_id(c)], 1, memory_order_relaxed);
}

/* What a call returns that its verdict keeps from running. */
static int64_t verdict_result(const struct verdict *v)
{
    switch (v->kind) {
    case VERDICT_FAKE:
        return v->value;
    case VERDICT_DENY:
        return -v->value;
    default:
        return -EPERM;
    }
}

/* With the subject's lock held. */
static enum response ask(struct engine *en, struct idw_event *ev)
{
    wss_pre(en->wss, ev);
    bool post = ev->verdict.kind != VERDICT_KILL && wss_wants_post(en->wss, ev);
    /* What could not be looked at may not be judged by what it seems to be. */
    if (ev->internal_error)
        event_verdict(ev, VERDICT_DENY, EPERM);
    else if (ev->fault != 0)
        event_verdict(ev, VERDICT_DENY, ev->fault);
    audit_flush(en->audit, ev);
    if (ev->verdict.kind == VERDICT_RUN)
        return post ? RESPOND_RUN_POST : RESPOND_RUN;
    event_result(ev, verdict_result(&ev->verdict));
    if (post) {
        wss_post(en->wss, ev);
        audit_flush(en->audit, ev);
    }
    return RESPOND_RESULT;
}

static void carry_out_kill(struct engine *en, struct idw_event *ev)
{
    if (ev->verdict.kind == VERDICT_KILL) {
        (void)subject_happens(en->subjects, ev->subject, HAPPENS_KILL);
        (void)subject_kill(ev->subject);
    }
}

/* With the subject's lock held: a kill by another thread's event is seen here, or comes after this event. */
static enum response respond_locked(struct engine *en, struct idw_event *ev, enum engine_way by)
{
    switch (subject_life(ev->subject)) {
    case LIFE_LAUNCHING:
        return RESPOND_RUN;
    case LIFE_RUNNING:
        respond_counts(en, ev->call, by);
        enum response r = ask(en, ev);
        carry_out_kill(en, ev);
        return r;
    default:
        event_result(ev, -EPERM);
        return RESPOND_RESULT;
    }
}

enum response respond_pre(struct engine *en, struct idw_event *ev, enum engine_way by)
{
    subject_lock(ev->subject);
    enum response r = respond_locked(en, ev, by);
    subject_unlock(ev->subject);
    return r;
}

void respond_post(struct engine *en, struct idw_event *ev, int64_t result)
{
    subject_lock(ev->subject);
    event_result(ev, result);
    wss_post(en->wss, ev);
    if (ev->internal_error) {
        log_error(
            "process %d: %s has run, but a post clause could not look at what it needs: it fails with EPERM",
            (int)ev->subject->record->pid, ev->call->name);
        ev->result = -EPERM;
        ev->result_assigned = true;
    }
    audit_flush(en->audit, ev);
    carry_out_kill(en, ev);
    subject_unlock(ev->subject);
}
