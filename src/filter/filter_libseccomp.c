/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plan as libseccomp rules. Its model is smaller than ours: a call has one action; a rule is a conjunction
 * with at most one comparison for each argument; values are 64 bits wide and unsigned, and only equality
 * takes a mask. What doesn't fit exactly is not approximated but left to filter_bpf.c.
 */
#include "filter/backend.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "base/cleanup.h"

/* Rules that one call may have; beyond this a tree of conditions is what it wants. */
#define RULES_MAX 64

#define ARGS 6

/* One rule's comparisons, by register; `used` has a bit for each. */
struct rule {
    struct scmp_arg_cmp args[ARGS];
    unsigned used;
};

struct rules {
    struct rule rule[RULES_MAX];
    unsigned n;
};

static void ctx_release(scmp_filter_ctx *ctx)
{
    if (*ctx != NULL)
        seccomp_release(*ctx);
}

/* @t as libseccomp's comparison; false: it has none that says the same. */
static bool comparison(const struct expr_test *t, struct scmp_arg_cmp *cmp)
{
    static const enum scmp_compare whole[] = {
        [EXPR_EQ] = SCMP_CMP_EQ, [EXPR_NE] = SCMP_CMP_NE, [EXPR_GT] = SCMP_CMP_GT, [EXPR_LE] = SCMP_CMP_LE};

    if (t->mask == UINT64_MAX && !t->is_signed) {
        *cmp = (struct scmp_arg_cmp){t->reg, whole[t->op], t->value, 0};
        return true;
    }
    /* Also for a 32-bit argument: its mask ends at bit 31, so that the register's high half doesn't count. */
    *cmp = (struct scmp_arg_cmp){t->reg, SCMP_CMP_MASKED_EQ, t->mask, t->value};
    return t->op == EXPR_EQ;
}

static bool both(const struct rule *a, const struct rule *b, struct rule *out)
{
    if ((a->used & b->used) != 0)
        return false;
    *out = *a;
    out->used |= b->used;
    for (unsigned i = 0; i < ARGS; i++)
        if ((b->used >> i & 1) != 0)
            out->args[i] = b->args[i];
    return true;
}

/* Append to @out the rules whose alternative @id is. */
static bool alternatives(const struct expr_pool *pool, expr_id id, struct rules *out);

static bool products(const struct expr_pool *pool, const struct expr *x, struct rules *out)
{
    struct rules *sides = calloc(2, sizeof(*sides)), *left = sides, *right = sides + 1;
    bool fits = sides != NULL && alternatives(pool, x->left, left) && alternatives(pool, x->right, right);

    for (unsigned i = 0; fits && i < left->n; i++)
        for (unsigned k = 0; fits && k < right->n; k++)
            fits = out->n < RULES_MAX && both(&left->rule[i], &right->rule[k], &out->rule[out->n++]);
    free(sides);
    return fits;
}

static bool alternatives(const struct expr_pool *pool, expr_id id, struct rules *out)
{
    if (id == EXPR_ALWAYS || id == EXPR_NEVER || out->n == RULES_MAX)
        return false;
    const struct expr *x = expr_at(pool, id);
    if (x->kind == EXPR_OR)
        return alternatives(pool, x->left, out) && alternatives(pool, x->right, out);
    if (x->kind == EXPR_AND)
        return products(pool, x, out);
    struct rule *rule = &out->rule[out->n++];
    *rule = (struct rule){.used = 1u << x->test.reg};
    return comparison(&x->test, &rule->args[x->test.reg]);
}

/*
 * Does libseccomp get these right? Where a call has several alternatives, 2.5.4 loses track of what the
 * accumulator holds: tested after another alternative has failed half-way, an argument is compared with
 * another one's value, for instance in (domain & 3) == 2 && (type & 3) == 1 || (domain & 1) == 0 between
 * others of the kind. So: one alternative, or values of one argument under one mask.
 */
static bool reliable(const struct rules *rules)
{
    const struct rule *first = &rules->rule[0];

    for (unsigned i = 0; rules->n > 1 && i < rules->n; i++) {
        const struct rule *r = &rules->rule[i];
        unsigned reg = (unsigned)__builtin_ctz(r->used);

        if (r->used != first->used || r->used != 1u << reg || r->args[reg].op != first->args[reg].op ||
            (r->args[reg].op != SCMP_CMP_EQ &&
             (r->args[reg].op != SCMP_CMP_MASKED_EQ || r->args[reg].datum_a != first->args[reg].datum_a)))
            return false;
    }
    return true;
}

static int add_rule(scmp_filter_ctx ctx, uint32_t action, uint32_t nr, const struct rule *rule)
{
    struct scmp_arg_cmp args[ARGS];
    unsigned n = 0;

    for (unsigned i = 0; i < ARGS; i++)
        if ((rule->used >> i & 1) != 0)
            args[n++] = rule->args[i];
    return seccomp_rule_add_array(ctx, action, (int)nr, n, args);
}

/* @rules: empty; room for what @c becomes. */
static int add_call(scmp_filter_ctx ctx, const struct expr_pool *pool, const struct plan_call *c,
                    struct rules *rules)
{
    const struct decision *d = &c->decision;

    if (d->deny)
        return add_rule(ctx, SCMP_ACT_ERRNO(ENOSYS), c->nr, &rules->rule[0]);
    if (d->trace != EXPR_NEVER && d->notify != EXPR_NEVER)
        return -ENOTSUP;
    uint32_t action = d->trace != EXPR_NEVER ? SCMP_ACT_TRACE(0) : SCMP_ACT_NOTIFY;
    expr_id when = d->trace != EXPR_NEVER ? d->trace : d->notify;
    if (when == EXPR_ALWAYS)
        return add_rule(ctx, action, c->nr, &rules->rule[0]);
    if (!alternatives(pool, when, rules) || !reliable(rules))
        return -ENOTSUP;
    for (unsigned i = 0; i < rules->n; i++) {
        int r = add_rule(ctx, action, c->nr, &rules->rule[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

static int export(scmp_filter_ctx ctx, uint32_t room, struct sock_fprog *prog)
{
    _cleanup_close_ int fd = memfd_create("filter", MFD_CLOEXEC);
    struct stat st;
    int r = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);

    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return -errno;
    size_t size = (size_t)st.st_size, n = size / sizeof(struct sock_filter);
    if (n == 0 || n > room)
        return -E2BIG;
    _cleanup_free_ struct sock_filter *code = calloc(n, sizeof(*code));
    if (code == NULL)
        return -ENOMEM;
    if (pread(fd, code, n * sizeof(*code), 0) != (ssize_t)size)
        return -EIO;
    *prog = (struct sock_fprog){.len = (unsigned short)n, .filter = steal_pointer(&code)};
    return 0;
}

int backend_libseccomp(const struct plan *p, uint32_t room, struct sock_fprog *prog, struct err *e)
{
    if (p->arch != ARCH_X86_64)
        return err_set(e, ENOTSUP, "libseccomp is for x86-64's calls");
    __attribute__((cleanup(ctx_release))) scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    struct rules rules;
    int r;

    if (ctx == NULL)
        return err_set(e, ENOTSUP, "libseccomp gives no filter");
    r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    if (r == 0)
        r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* binary search over numbers */
    for (size_t i = 0; r == 0 && i < p->n_calls; i++) {
        memset(&rules, 0, sizeof(rules));
        r = add_call(ctx, &p->pool, &p->calls[i], &rules);
    }
    if (r == 0)
        r = export(ctx, room, prog);
    if (r == 0)
        return 0;
    return err_set(e, ENOTSUP,
                   r == -ENOTSUP ? "the rules don't fit libseccomp's model" : "libseccomp failed");
}
