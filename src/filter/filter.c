/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "filter/backend.h"
#include "filter/partial.h"
#include "filter/place.h"
#include "filter/plan.h"
#include "syscalls/table.h"

#define JOIN_SIZE 5 /* instructions in front of the parts of a program */

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

struct parts {
    struct sock_fprog of[ARCH_COUNT];
};

static void parts_clear(struct parts *p)
{
    for (int arch = 0; arch < ARCH_COUNT; arch++)
        free(p->of[arch].filter);
}

#define _cleanup_parts_ __attribute__((cleanup(parts_clear)))

/* The program for @arch in at most @room instructions. */
static int build_part(const struct filter *f, enum call_arch arch, enum filter_backend want, uint32_t room,
                      struct sock_fprog *prog, unsigned *widened, struct err *e)
{
    struct plan *p = plan_new(f->rules, f->n, arch);
    int r = -ENOTSUP;

    if (p == NULL)
        return err_set(e, ENOMEM, "no memory for the filter's plan");
    if (want != FILTER_BACKEND_BPF)
        r = backend_libseccomp(p, room, prog, want == FILTER_BACKEND_LIBSECCOMP ? e : NULL);
    if (r == -ENOTSUP && want != FILTER_BACKEND_LIBSECCOMP)
        r = backend_bpf(p, room, prog, widened, e);
    plan_free(p);
    return r;
}

/* i386's part gets half of the room at most, x86-64's what that leaves. */
static int build_parts(const struct filter *f, enum filter_backend want, struct parts *p, unsigned *widened,
                       struct err *e)
{
    uint32_t room = BPF_MAXINSNS - JOIN_SIZE - ARCH_COUNT * (uint32_t)place_size();
    int r = build_part(f, ARCH_I386, FILTER_BACKEND_BPF, room / 2, &p->of[ARCH_I386], widened, e);

    if (r < 0)
        return r;
    room -= p->of[ARCH_I386].len;
    return build_part(f, ARCH_X86_64, want, room, &p->of[ARCH_X86_64], widened, e);
}

/* One program of both; each answers whatever comes to it. x86-64's calls have the short way. */
static int join(const struct parts *p, struct sock_fprog *prog, struct err *e)
{
    const struct sock_fprog *first = &p->of[ARCH_X86_64], *second = &p->of[ARCH_I386];
    const struct sock_filter head[JOIN_SIZE] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_I386, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_JMP | BPF_JA, first->len),
    };
    if (first->filter == NULL || second->filter == NULL)
        return err_set(e, EINVAL, "a part of the filter is missing");
    struct sock_filter *code = calloc(JOIN_SIZE + (size_t)first->len + second->len, sizeof *code);

    if (code == NULL)
        return err_set(e, ENOMEM, "no memory for the filter");
    memcpy(code, head, sizeof head);
    memcpy(code + JOIN_SIZE, first->filter, first->len * sizeof *code);
    memcpy(code + JOIN_SIZE + first->len, second->filter, second->len * sizeof *code);
    *prog =
        (struct sock_fprog){.len = (unsigned short)(JOIN_SIZE + first->len + second->len), .filter = code};
    return 0;
}

int filter_build_with(const struct filter *f, enum filter_backend want, struct sock_fprog *prog,
                      unsigned *widened, struct err *e)
{
    _cleanup_parts_ struct parts p = {0};
    unsigned dummy;

    *(widened = widened != NULL ? widened : &dummy) = 0;
    int r = build_parts(f, want, &p, widened, e);
    return r != 0 ? r : join(&p, prog, e);
}

int filter_build(const struct filter *f, struct sock_fprog *prog, struct err *e)
{
    _cleanup_parts_ struct parts p = {0};
    unsigned widened = 0;
    int r = build_parts(f, FILTER_BACKEND_ANY, &p, &widened, e);

    for (int arch = 0; r == 0 && arch < ARCH_COUNT; arch++)
        r = place_keep((enum call_arch)arch, &p.of[arch], e);
    return r != 0 ? r : join(&p, prog, e);
}
