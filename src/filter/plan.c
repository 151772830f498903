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

/* When may @r match @call, or a call behind its number? */
static expr_id rule_matches(struct expr_pool *pool, const struct plan_rule *r, const struct call *call,
                            bool in_registers)
{
    if (r->clause != NULL)
        return partial_eval(pool, r->clause, call, in_registers);
    return r->call == call_id(call) ? EXPR_ALWAYS : EXPR_NEVER;
}

static expr_id rule_matches_number(struct expr_pool *pool, const struct plan_rule *r, const struct call *call,
                                   enum call_arch arch)
{
    expr_id when = rule_matches(pool, r, call, true);
    const struct call_behind *b;

    for (size_t i = 0; arch == ARCH_I386 && (b = call_behind(i)) != NULL; i++) {
        if (b->nr != call->nr[ARCH_I386])
            continue;
        expr_id selected = expr_compare(pool, 0, 32, false, IDW_EQ, b->mask, b->selector);
        expr_id matches = rule_matches(pool, r, b->call, b->words == 0);
        when = expr_or(pool, when, expr_and(pool, selected, matches));
    }
    return when;
}

static struct decision decide(struct expr_pool *pool, const struct plan_rule *rules, size_t n,
                              const struct call *call, enum call_arch arch)
{
    struct decision d = decision_allow;

    if (denied(call))
        return decision_deny;
    for (size_t i = 0; i < n && d.trace != EXPR_ALWAYS; i++) {
        const struct plan_rule *r = &rules[i];
        expr_id *when = r->action == FILTER_TRACE ? &d.trace : &d.notify;

        if (*when != EXPR_ALWAYS)
            *when = expr_or(pool, *when, rule_matches_number(pool, r, call, arch));
    }
    if (d.trace == EXPR_ALWAYS || d.trace == d.notify)
        d.notify = EXPR_NEVER;
    return d;
}

struct plan *plan_new(const struct plan_rule *rules, size_t n, enum call_arch arch)
{
    struct plan *p = calloc(1, sizeof(*p));
    long last = call_last_nr(arch);

    if (p == NULL)
        return NULL;
    p->arch = arch;
    p->other = arch == ARCH_X86_64 ? decision_allow : decision_deny;
    for (long nr = 0; nr <= last; nr++) {
        const struct call *call = call_by_nr(arch, nr);

        if (call == NULL)
            continue;
        struct decision d = decide(&p->pool, rules, n, call, arch);
        if (!decision_equal(d, p->other))
            p->calls[p->n_calls++] = (struct plan_call){(uint32_t)nr, d};
    }
    if (!p->pool.failed)
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
