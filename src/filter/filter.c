/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/filter.h"

#include <errno.h>
#include <stdlib.h>
#include "filter/backend.h"
#include "filter/partial.h"
#include "filter/place.h"
#include "filter/plan.h"
#include "syscalls/table.h"

struct filter {
    struct plan_rule *rules;
    size_t n, room;
};

struct filter *filter_new(void)
{
    return calloc(1, sizeof(struct filter));
}

void filter_free(struct filter *f)
{
    if (f != NULL)
        free(f->rules);
    free(f);
}

static int add(struct filter *f, struct plan_rule rule, struct err *e)
{
    if (rule.action != FILTER_NOTIFY && rule.action != FILTER_TRACE)
        return err_set(e, EINVAL, "a filter rule leads to an engine: notify or trace");
    if (f->n == f->room) {
        size_t room = f->room == 0 ? 16 : f->room * 2;
        struct plan_rule *rules = reallocarray(f->rules, room, sizeof(*rules));

        if (rules == NULL)
            return err_set(e, ENOMEM, "no memory for a filter rule");
        f->rules = rules;
        f->room = room;
    }
    f->rules[f->n++] = rule;
    return 0;
}

int filter_add_clause(struct filter *f, const struct idw_clause *clause, enum filter_action action,
                      struct err *e)
{
    int r = partial_check(clause, e);

    return r < 0 ? r : add(f, (struct plan_rule){.clause = clause, .action = action}, e);
}

int filter_add_call(struct filter *f, unsigned call, enum filter_action action, struct err *e)
{
    if (call >= call_count())
        return err_set(e, EINVAL, "the table has no call of id %u", call);
    return add(f, (struct plan_rule){.call = call, .action = action}, e);
}

bool filter_uses(const struct filter *f, enum filter_action action)
{
    bool uses = action != FILTER_TRACE;
    for (size_t i = 0; i < f->n && !uses; i++)
        uses = f->rules[i].action == action;
    return uses;
}

int filter_build_with(const struct filter *f, enum filter_backend want, struct sock_fprog *prog,
                      unsigned *widened, struct err *e)
{
    struct plan *p = plan_new(f->rules, f->n);
    unsigned dummy;
    int r = -ENOTSUP;

    if (p == NULL)
        return err_set(e, ENOMEM, "no memory for the filter's plan");
    *(widened = widened != NULL ? widened : &dummy) = 0;
    if (want != FILTER_BACKEND_BPF)
        r = backend_libseccomp(p, prog, want == FILTER_BACKEND_LIBSECCOMP ? e : NULL);
    if (r == -ENOTSUP && want != FILTER_BACKEND_LIBSECCOMP)
        r = backend_bpf(p, prog, widened, e);
    plan_free(p);
    return r;
}

int filter_build(const struct filter *f, struct sock_fprog *prog, struct err *e)
{
    int rc = filter_build_with(f, FILTER_BACKEND_ANY, prog, NULL, e);
    if (rc == 0 && (rc = place_keep(prog, e)) < 0) {
        free(prog->filter);
        *prog = (struct sock_fprog){0};
    }
    return rc;
}
