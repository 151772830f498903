/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The wrapper support subsystem: loaded wrappers as layers around subjects, and the way of an event through
 * them.
 *
 *     struct wss *w = wss_new(arena, audit);
 *     wss_load(w, "imapd_id", &e);                  // each the next inner layer
 *     wss_subjects(w, subjects);                    // subjects carry their state from now on
 *     wss_routes(w, performs, routes);              // what each call needs
 *     wss_filter(w, filter, routes, true, &e);      // which calls come, and to which engine
 *     ...
 *     wss_pre(w, &ev);                              // outermost layer first; ev.verdict says what to do
 *     if (ev.verdict.kind != VERDICT_KILL && wss_wants_post(w, &ev)) {
 *         event_result(&ev, result);
 *         wss_post(w, &ev);                         // innermost first
 *     }
 *
 * Loading is single-threaded and comes before the first event; wss_pre and wss_post are safe for many
 * threads. The caller holds the lock of the event's subject.
 */
#ifndef IDW_WSS_WSS_H
#define IDW_WSS_WSS_H

#include "audit/audit.h"
#include "base/err.h"
#include "filter/filter.h"
#include "idw/wrapper.h"
#include "subject/arena.h"
#include "subject/event.h"
#include "subject/subject.h"

struct wss;

/* wss_new - @a and @au must outlive it. NULL: no memory. */
struct wss *wss_new(struct arena *a, struct audit *au);
void wss_free(struct wss *w);

/*
 * wss_load - load a wrapper as the innermost layer so far.
 * @spec: a name ("imapd_id"), a source ("./x.wr", compiled into the cache) or a shared object ("./x.so")
 * Returns its slot; or -ENOENT (no such wrapper), -EINVAL (not a wrapper, or another ABI version or table of
 * calls, or malformed), -EEXIST (loaded already), -ENOMEM, -EIO (wrapc failed; it has said why on standard
 * error).
 */
int wss_load(struct wss *w, const char *spec, struct err *e);

/* wss_add - the same for a descriptor in memory, which must outlive @w. For tests. */
int wss_add(struct wss *w, const struct idw_wrapper *d, struct err *e);

size_t wss_count(const struct wss *w);

/* wss_subjects - tell the process table which state each subject carries. Once, before its first subject. */
void wss_subjects(const struct wss *w, struct subjects *all);

/* What the clauses on a call need: in ascending order, and of several clauses the most. */
enum wss_route {
    ROUTE_NONE,      /* no clause */
    ROUTE_REGISTERS, /* registers decide, and nobody asks for the result: the kernel goes on with the call */
    ROUTE_PERFORM,   /* the engine makes the call itself, on the arguments that it has judged */
    ROUTE_TARGET,    /* the same need, but the call must run in the target: pinned, its exit awaited */
};

/*
 * wss_routes - where each call goes, by its id. A clause that reads memory, assigns, or wants the result
 * needs more than registers; so does one that looks at the object of a call that can be performed.
 * @performs: can the engine make this call itself?
 */
void wss_routes(const struct wss *w, bool (*performs)(const struct call *c), uint8_t routes[IDW_SET_CALLS]);

/*
 * wss_filter - add each clause to @f, split by the engine that takes its calls.
 * @traced: calls whose route is ROUTE_TARGET stop for a tracer; otherwise all are notified
 */
int wss_filter(struct wss *w, struct filter *f, const uint8_t routes[IDW_SET_CALLS], bool traced,
               struct err *e);

/* wss_reads - may a clause of @phase on this call look at the target's memory or objects? */
bool wss_reads(const struct wss *w, const struct call *c, enum idw_phase phase);

/* wss_pre - run the pre clauses that @ev matches, from the outermost layer inwards, until one has a verdict.
 */
void wss_pre(struct wss *w, struct idw_event *ev);

/* wss_wants_post - does a layer that let @ev pass have a post clause that its arguments match? After wss_pre.
 */
bool wss_wants_post(const struct wss *w, struct idw_event *ev);

/* wss_post - run the post clauses of the layers that @ev has passed, from the innermost outwards. */
void wss_post(struct wss *w, struct idw_event *ev);

#endif
