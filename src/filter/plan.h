/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the program shall decide for the calls of one architecture, call by call: the rules of all clauses,
 * combined. Both back ends start from it.
 */
#ifndef IDW_FILTER_PLAN_H
#define IDW_FILTER_PLAN_H

#include "filter/expr.h"
#include "filter/filter.h"
#include "syscalls/table.h"

/*
 * Numbers from here on are x32's, or nobody's. One of them is let through: -1, the number of a call that a
 * tracer took away at its own entry stop, ahead of the filter. The kernel runs nothing for it
 * (arch/x86/entry/common.c, do_syscall_64) and the caller gets what the tracer put in, or the ENOSYS that was
 * there from the start; a filter's ERRNO would write over the tracer's value. At a stop that the filter
 * itself asked for (RET_TRACE) -1 leaves before the filter is run again (kernel/seccomp.c, __seccomp_filter).
 */
#define PLAN_NR_FOREIGN 0x40000000u
#define PLAN_NR_SKIPPED 0xffffffffu

/* How one call is decided: deny, else trace when `trace` holds, else notify when `notify` holds, else allow.
 */
struct decision {
    expr_id trace, notify;
    bool deny;
};

extern const struct decision decision_allow, decision_deny;

bool decision_equal(struct decision a, struct decision b);

/* decision_widen - @d without tests of arguments: the strongest action that it can lead to, always. */
struct decision decision_widen(struct decision d);

/* Where the caller of filter_add_clause or filter_add_call wants a call to go. */
struct plan_rule {
    const struct idw_clause *clause; /* NULL: every call of id `call` */
    unsigned call;
    enum filter_action action; /* FILTER_NOTIFY or FILTER_TRACE */
};

struct plan_call {
    uint32_t nr;
    struct decision decision;
};

struct plan {
    struct expr_pool pool;
    enum call_arch arch;
    struct decision other; /* of numbers that are not in `calls`: the kernel knows none; i386's are denied */
    struct plan_call calls[IDW_SET_CALLS]; /* ascending numbers */
    size_t n_calls;
};

/* plan_new - combine the @n @rules. NULL: no memory. The caller's, plan_free. */
struct plan *plan_new(const struct plan_rule *rules, size_t n, enum call_arch arch);
void plan_free(struct plan *p);

#endif
