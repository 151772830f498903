/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wss/wss.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "subject/state.h"
#include "wss/layer.h"
#include "wss/match.h"
#include "wss/route.h"

struct wss *wss_new(struct arena *a, struct audit *au)
{
    struct wss *w = calloc(1, sizeof *w);
    if (w != NULL) {
        w->arena = a;
        w->audit = au;
    }
    return w;
}

void wss_free(struct wss *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->n_layers; i++) {
        struct layer *l = &w->layers[i];
        state_free(w->arena, &l->d->global, l->global);
        (void)pthread_mutex_destroy(&l->global_lock);
        if (l->object != NULL)
            (void)dlclose(l->object);
    }
    for (size_t i = 0; i < IDW_SET_CALLS; i++) {
        free(w->pre[i].at);
        free(w->post[i].at);
    }
    route_free(w->parts);
    free(w);
}

size_t wss_count(const struct wss *w)
{
    return w->n_layers;
}

static int reach_add(struct reach *r, size_t layer, size_t clause)
{
    void *grown = reallocarray(r->at, r->n + 1, sizeof r->at[0]);
    if (grown == NULL)
        return -ENOMEM;
    r->at = grown;
    r->at[r->n].layer = (uint16_t)layer;
    r->at[r->n].clause = (uint16_t)clause;
    r->n++;
    return 0;
}

static int reach_clauses(struct wss *w, size_t layer, const struct idw_wrapper *d)
{
    for (size_t id = 0; id < call_count(); id++) {
        for (uint32_t i = 0; i < d->n_clauses; i++) {
            const struct idw_clause *c = &d->clauses[i];
            struct reach *r = c->phase == IDW_PRE ? &w->pre[id] : &w->post[id];
            if (match_call(c, call_by_id(id)) && reach_add(r, layer, i) < 0)
                return -ENOMEM;
        }
    }
    return 0;
}

int wss_add(struct wss *w, const struct idw_wrapper *d, struct err *e)
{
    if (w->n_layers == SUBJECT_WRAPPERS_MAX)
        return err_set(e, ENOMEM, "more than %d wrappers", SUBJECT_WRAPPERS_MAX);
    for (size_t i = 0; i < w->n_layers; i++)
        if (strcmp(w->layers[i].d->name, d->name) == 0)
            return err_set(e, EEXIST, "wrapper %s is loaded already", d->name);
    if (d->n_clauses > UINT16_MAX)
        return err_set(e, EINVAL, "wrapper %s has more than %d clauses", d->name, UINT16_MAX);
    struct layer *l = &w->layers[w->n_layers];
    l->d = d;
    if (d->global.size > 0 && (l->global = state_new(w->arena, &d->global)) == 0)
        return err_set(e, ENOMEM, "wrapper %s: no room in the arena for its global state", d->name);
    if (reach_clauses(w, w->n_layers, d) < 0)
        return err_set(e, ENOMEM, "wrapper %s: no memory", d->name);
    (void)pthread_mutex_init(&l->global_lock, NULL);
    return (int)w->n_layers++;
}

void wss_subjects(const struct wss *w, struct subjects *all)
{
    for (size_t i = 0; i < w->n_layers; i++)
        subjects_states(all, (unsigned)i, &w->layers[i].d->process);
}

/* One body. Whatever of ours goes wrong in it, the call does not run. */
static void run_clause(struct layer *l, size_t slot, const struct idw_clause *c, struct idw_event *ev)
{
    void *process = ev->subject != NULL ? arena_ptr(ev->arena, ev->subject->record->state[slot]) : NULL;
    void *global = arena_ptr(ev->arena, l->global);
    if ((l->d->process.size > 0 && process == NULL) || (l->d->global.size > 0 && global == NULL)) {
        ev->internal_error = true;
    } else {
        bool shared = (c->flags & IDW_TOUCHES_GLOBAL) != 0;
        ev->wrapper = l->d->name;
        ev->layer = l;
        if (shared)
            pthread_mutex_lock(&l->global_lock);
        c->body(ev, process, global);
        if (shared)
            pthread_mutex_unlock(&l->global_lock);
    }
    /* A call that has run was not denied: its engine changes the result, and the record says what happened.
     */
    if (ev->internal_error && ev->phase == IDW_PRE)
        event_verdict(ev, VERDICT_DENY, EPERM);
}

void wss_pre(struct wss *w, struct idw_event *ev)
{
    const struct reach *r = &w->pre[call_id(ev->call)];
    ev->arena = w->arena;
    for (size_t i = 0; i < r->n; i++) {
        size_t slot = r->at[i].layer;
        struct layer *l = &w->layers[slot];
        const struct idw_clause *c = &l->d->clauses[r->at[i].clause];
        if (!match_event(c, ev, false))
            continue;
        run_clause(l, slot, c, ev);
        if (ev->verdict.kind != VERDICT_RUN) {
            ev->passed = (unsigned)slot;
            return;
        }
    }
    ev->passed = (unsigned)w->n_layers;
}

/* What a post clause will look at is copied before the kernel looks: afterwards it may be something else. */
static void fetch_inputs(struct idw_event *ev)
{
    for (size_t i = 0; i < ev->call->n_args; i++) {
        const struct call_arg *a = &ev->call->args[i];
        if ((a->tags & TAG_OUT) != 0)
            continue;
        if (call_type_info(a->type)->memory)
            (void)event_memory(ev, a);
        else if (a->source == FROM_FIELD)
            (void)event_scalar(ev, a);
    }
}

bool wss_wants_post(const struct wss *w, struct idw_event *ev)
{
    const struct reach *r = &w->post[call_id(ev->call)];
    bool wants = false;
    for (size_t i = 0; i < r->n; i++) {
        const struct idw_clause *c = &w->layers[r->at[i].layer].d->clauses[r->at[i].clause];
        if (r->at[i].layer >= ev->passed || !match_event(c, ev, true))
            continue;
        if ((c->flags & IDW_READS_MEMORY) != 0)
            fetch_inputs(ev);
        wants = true;
    }
    return wants;
}

/* Layers from the inside out; within a layer the clauses in the order in which they are written. */
void wss_post(struct wss *w, struct idw_event *ev)
{
    const struct reach *r = &w->post[call_id(ev->call)];
    ev->arena = w->arena;
    for (size_t end = r->n; end > 0;) {
        size_t slot = r->at[end - 1].layer;
        size_t start = end;
        while (start > 0 && r->at[start - 1].layer == slot)
            start--;
        struct layer *l = &w->layers[slot];
        for (size_t i = start; i < end && slot < ev->passed; i++) {
            const struct idw_clause *c = &l->d->clauses[r->at[i].clause];
            if (match_event(c, ev, false))
                run_clause(l, slot, c, ev);
        }
        end = start;
    }
}
