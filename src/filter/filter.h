/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the characterisations of all loaded wrappers to one BPF program.
 *
 *     struct filter *f = filter_new();
 *     filter_add_clause(f, clause, FILTER_TRACE, &e);       // each clause with the engine that must take it
 *     struct sock_fprog prog;
 *     filter_build(f, &prog, &e);                           // prog.filter is the caller's, free()
 *     enum filter_action a = filter_simulate(&prog, &data, &errnum);
 *     filter_free(f);
 *
 * What no clause can match is ALLOW and never leaves the kernel. A part of a characterisation that lies in
 * memory ($path, openat2's flags) and attributes such as $uid are unknown here and count as "may match".
 * Where several rules match one call, the strongest action holds: DENY > TRACE > NOTIFY > ALLOW.
 *
 * A target that would answer its own calls (a listener, a tracer's seccomp stops of its own) is refused, see
 * place.h. Denied whatever the wrappers say: x32's calls, i386's that the table has not, and io_uring_setup,
 * io_uring_enter, io_uring_register, with ENOSYS, which is what a kernel without them says. DENY is for these
 * only. Number -1, a call that a tracer took away, is let through: see PLAN_NR_SKIPPED.
 *
 * A program has two parts, one for x86-64's calls and one for i386's; each clause counts in both. Calls
 * behind socketcall and ipc are told apart by the first register. What i386 has in memory where x86-64 has
 * registers (socketcall, old mmap) may always match: who gets such a call by NOTIFY reads called.h of
 * src/subject.
 */
#ifndef IDW_FILTER_FILTER_H
#define IDW_FILTER_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include "base/err.h"
#include "idw/wrapper.h"

enum filter_action {
    FILTER_ALLOW,
    FILTER_NOTIFY, /* SECCOMP_RET_USER_NOTIF */
    FILTER_TRACE,  /* SECCOMP_RET_TRACE, data 0 */
    FILTER_DENY,   /* SECCOMP_RET_ERRNO */
};

struct filter;

struct filter *filter_new(void); /* NULL: no memory; the caller's, filter_free */
void filter_free(struct filter *f);

/*
 * filter_add_clause - let what @clause's characterisation can match reach the engine @action (NOTIFY or
 * TRACE). The clause must outlive @f. Returns 0, -ENOMEM, -EINVAL (malformed characterisation).
 */
int filter_add_clause(struct filter *f, const struct idw_clause *clause, enum filter_action action,
                      struct err *e);

/*
 * filter_add_call - let every call of id @call (table of calls) reach @action, whatever its arguments.
 * Returns 0, -ENOMEM, -EINVAL (no such call, or @action is not an engine's).
 */
int filter_add_call(struct filter *f, unsigned call, enum filter_action action, struct err *e);

/*
 * filter_uses - does any rule lead to @action? NOTIFY and DENY: always. (One number is notified whatever the
 * wrappers say, see place.h: a listener is needed.)
 */
bool filter_uses(const struct filter *f, enum filter_action action);

/*
 * filter_build - the program for seccomp(2). @prog->filter is the caller's, free().
 * Returns 0, -ENOMEM, -E2BIG (more than BPF_MAXINSNS instructions even with the arguments left out).
 */
int filter_build(const struct filter *f, struct sock_fprog *prog, struct err *e);

/*
 * filter_simulate - what the kernel would do with @data, by interpreting @prog. @errnum (may be NULL): DENY's
 * errno. A program that the kernel would refuse (jump out of range, unknown instruction, no return) is
 * FILTER_DENY, EINVAL.
 */
enum filter_action filter_simulate(const struct sock_fprog *prog, const struct seccomp_data *data,
                                   int *errnum);

/* filter_dump - the program as text, one instruction a line, for `idwrun --dump-filter` and debugging. */
void filter_dump(const struct sock_fprog *prog, FILE *out);

#endif
