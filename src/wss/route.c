/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what clauses need to the engine that takes a call. */
#include "wss/route.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "wss/layer.h"
#include "wss/match.h"

/* A clause, narrowed to the calls that one engine takes. */
struct part {
    struct part *next;
    struct idw_clause clause;
    struct idw_call_set *sets;
    struct idw_term *terms;
};

static const struct idw_clause *clause_at(const struct wss *w, const struct reach *r, size_t i)
{
    return &w->layers[r->at[i].layer].d->clauses[r->at[i].clause];
}

static uint32_t flags_of(const struct wss *w, const struct reach *r)
{
    uint32_t flags = 0;
    for (size_t i = 0; i < r->n; i++)
        flags |= clause_at(w, r, i)->flags;
    return flags;
}

static enum wss_route route_of(const struct wss *w, size_t id, bool performs)
{
    if (w->pre[id].n == 0 && w->post[id].n == 0)
        return ROUTE_NONE;
    uint32_t flags = flags_of(w, &w->pre[id]) | flags_of(w, &w->post[id]);
    bool more = w->post[id].n > 0 || (flags & (IDW_READS_MEMORY | IDW_ASSIGNS)) != 0;
    if (performs && (more || (flags & IDW_LOOKS) != 0))
        return ROUTE_PERFORM;
    return more ? ROUTE_TARGET : ROUTE_REGISTERS;
}

void wss_routes(const struct wss *w, bool (*performs)(const struct call *c), uint8_t routes[IDW_SET_CALLS])
{
    memset(routes, ROUTE_NONE, IDW_SET_CALLS);
    for (size_t id = 0; id < call_count(); id++)
        routes[id] = (uint8_t)route_of(w, id, performs(call_by_id(id)));
}

bool wss_reads(const struct wss *w, const struct call *c, enum idw_phase phase)
{
    const struct reach *r = phase == IDW_PRE ? &w->pre[call_id(c)] : &w->post[call_id(c)];
    return (flags_of(w, r) & (IDW_READS_MEMORY | IDW_LOOKS | IDW_ASSIGNS)) != 0;
}

void route_free(struct part *parts)
{
    while (parts != NULL) {
        struct part *next = parts->next;
        free(parts->sets);
        free(parts->terms);
        free(parts);
        parts = next;
    }
}

/* @c && one of @calls. */
static const struct idw_clause *narrow(struct wss *w, const struct idw_clause *c,
                                       const struct idw_call_set *calls)
{
    struct part *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->next = w->parts;
    w->parts = p;
    p->sets = calloc(c->n_sets + 1, sizeof *p->sets);
    p->terms = calloc(c->n_terms + 2, sizeof *p->terms);
    if (p->sets == NULL || p->terms == NULL)
        return NULL;
    if (c->n_sets > 0)
        memcpy(p->sets, c->sets, c->n_sets * sizeof *p->sets);
    memcpy(p->terms, c->terms, c->n_terms * sizeof *p->terms);
    p->sets[c->n_sets] = *calls;
    p->terms[c->n_terms] = (struct idw_term){.op = IDW_OP_CALLS, .set = c->n_sets};
    p->terms[c->n_terms + 1] = (struct idw_term){.op = IDW_OP_AND};
    p->clause = *c;
    p->clause.sets = p->sets;
    p->clause.n_sets = c->n_sets + 1;
    p->clause.terms = p->terms;
    p->clause.n_terms = c->n_terms + 2;
    return &p->clause;
}

/* The calls of @c that go to a tracer, and the others; how many of each. */
static void split(const struct idw_clause *c, const uint8_t *routes, bool traced, struct idw_call_set by[2],
                  size_t n[2])
{
    for (size_t id = 0; id < call_count(); id++) {
        if (!match_call(c, call_by_id(id)))
            continue;
        bool trace = traced && routes[id] == ROUTE_TARGET;
        by[trace].bits[id / 64] |= 1UL << (id % 64);
        n[trace]++;
    }
}

static int add_clause(struct wss *w, struct filter *f, const struct idw_clause *c, const uint8_t *routes,
                      bool traced, struct err *e)
{
    static const enum filter_action action[2] = {FILTER_NOTIFY, FILTER_TRACE};
    struct idw_call_set by[2] = {0};
    size_t n[2] = {0};
    split(c, routes, traced, by, n);
    for (int i = 0; i < 2; i++) {
        if (n[i] == 0)
            continue;
        const struct idw_clause *part = n[!i] == 0 ? c : narrow(w, c, &by[i]);
        int rc = part != NULL ? filter_add_clause(f, part, action[i], e)
                              : err_set(e, ENOMEM, "no memory for the filter");
        if (rc < 0)
            return rc;
    }
    return 0;
}

int wss_filter(struct wss *w, struct filter *f, const uint8_t routes[IDW_SET_CALLS], bool traced,
               struct err *e)
{
    for (size_t i = 0; i < w->n_layers; i++) {
        const struct idw_wrapper *d = w->layers[i].d;
        for (uint32_t j = 0; j < d->n_clauses; j++) {
            int rc = add_clause(w, f, &d->clauses[j], routes, traced, e);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}
