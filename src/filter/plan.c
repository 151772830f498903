/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/plan.h"

#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "filter/partial.h"
#include "syscalls/table.h"

const struct decision decision_allow = {EXPR_NEVER, EXPR_NEVER, false};
const struct decision decision_deny = {EXPR_NEVER, EXPR_NEVER, true};

bool decision_equal(struct decision a, struct decision b)
{
    return a.deny == b.deny && a.trace == b.trace && a.notify == b.notify;
}

struct decision decision_widen(struct decision d)
{
    if (d.trace != EXPR_NEVER)
        return (struct decision){EXPR_ALWAYS, EXPR_NEVER, d.deny};
    if (d.notify != EXPR_NEVER)
        d.notify = EXPR_ALWAYS;
    return d;
}

/* Operations handed to the kernel through a ring never pass a filter. */
static bool denied(const struct call *call)
{
    static const char *const names[] = {"io_uring_setup", "io_uring_enter", "io_uring_register"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(call->name, names[i]) == 0)
            return true;
    return false;
}

static struct decision decide(struct expr_pool *pool, const struct plan_rule *rules, size_t n,
                              const struct call *call)
{
    struct decision d = decision_allow;

    if (denied(call))
        return decision_deny;
    for (size_t i = 0; i < n && d.trace != EXPR_ALWAYS; i++) {
        const struct plan_rule *r = &rules[i];
        expr_id *when = r->action == FILTER_TRACE ? &d.trace : &d.notify;

        if (*when == EXPR_ALWAYS || (r->clause == NULL && r->call != call_id(call)))
            continue;
        *when = expr_or(pool, *when, r->clause == NULL ? EXPR_ALWAYS : partial_eval(pool, r->clause, call));
    }
    if (d.trace == EXPR_ALWAYS || d.trace == d.notify)
        d.notify = EXPR_NEVER;
    return d;
}

struct plan *plan_new(const struct plan_rule *rules, size_t n)
{
    struct plan *p = calloc(1, sizeof(*p));

    for (size_t id = 0; p != NULL && id < call_count(); id++) {
        const struct call *call = call_by_id(id);

        if (call->nr[ARCH_X86_64] == CALL_NR_NONE)
            continue;
        struct decision d = decide(&p->pool, rules, n, call);
        if (!decision_equal(d, decision_allow))
            p->calls[p->n_calls++] = (struct plan_call){(uint32_t)call->nr[ARCH_X86_64], d};
    }
    if (p == NULL || !p->pool.failed)
        return p;
    plan_free(p);
    return NULL;
}

void plan_free(struct plan *p)
{
    if (p != NULL)
        expr_pool_clear(&p->pool);
    free(p);
}
