/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/follow.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include "base/cleanup.h"

static const char *const makers[] = {"fork", "vfork", "clone", "clone3", "execve", "execveat"};

static bool is_maker(const struct call *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
        if (strcmp(c->name, makers[i]) == 0)
            return true;
    return false;
}

/* What a subject's own Landlock domain forbids, we must not do for it. */
static bool is_sandbox(const struct call *c)
{
    return strcmp(c->name, "landlock_restrict_self") == 0;
}

/* clone(2) tells by a register whether it makes but a thread, clone3(2) in memory that may change. */
static int add_clone(struct filter *f, size_t id, struct err *e)
{
    static struct idw_call_set set;
    static const struct idw_term terms[] = {
        {.op = IDW_OP_CALLS},
        {.op = IDW_OP_CMP, .cmp = IDW_EQ, .name = CALL_NAME_flags, .mask = CLONE_THREAD, .value = 0},
        {.op = IDW_OP_AND},
    };
    static const struct idw_clause clause = {
        .terms = terms, .n_terms = ARRAY_SIZE(terms), .sets = &set, .n_sets = 1, .file = "", .line = 0};
    set.bits[id / 64] |= 1UL << (id % 64);
    return filter_add_clause(f, &clause, FILTER_NOTIFY, e);
}

int follow_filter(const struct engine *en, struct filter *f, struct err *e)
{
    for (size_t id = 0; id < call_count(); id++) {
        const struct call *c = call_by_id(id);
        int rc = 0;
        if (!is_sandbox(c) && (en->traced || !is_maker(c)))
            continue;
        if (strcmp(c->name, "clone") == 0)
            rc = add_clone(f, id, e);
        else
            rc = filter_add_call(f, (unsigned)id, FILTER_NOTIFY, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

bool follow_wants(const struct engine *en, const struct call *c)
{
    return !en->traced && is_maker(c);
}

bool follow_can_summon(const struct call *c)
{
    return is_maker(c);
}

bool follow_needs_not(const struct engine *en, const struct idw_event *ev)
{
    if (subject_life(ev->subject) == LIFE_LAUNCHING)
        return true;
    return en->routes[call_id(ev->call)] <= ROUTE_REGISTERS && ev->assigned == 0 &&
           strcmp(ev->call->name, "clone") == 0 && (ev->regs[0] & CLONE_THREAD) != 0;
}

void follow_seen(struct subject *s, const struct call *c)
{
    if (is_sandbox(c))
        atomic_store(&s->sandboxed, true);
}
