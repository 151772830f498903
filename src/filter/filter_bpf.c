/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plan as code. Numbers are found by binary search over ranges of numbers that are decided alike; what a
 * call's arguments decide is jumping code straight from the expression.
 */
#include "filter/backend.h"

#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
#include <stdlib.h>
#include "base/cleanup.h"
#include "filter/asm.h"

#define RET_DENY (SECCOMP_RET_ERRNO | ENOSYS)

/* A program of this many instructions is measured, not kept: what follows needs no more than a stand-in. */
#define ENOUGH (16u * BPF_MAXINSNS)

/* Numbers from `first` up to the next range's. */
struct range {
    uint32_t first;
    struct decision decision;
};

/* Code that was written for a decision. */
struct block {
    struct decision decision;
    uint32_t label;
    uint32_t size;
};

struct build {
    struct asm_code a;
    const struct expr_pool *pool;
    struct range *ranges;
    uint32_t n_ranges;
    struct block *blocks; /* as many as there are ranges, at most */
    uint32_t n_blocks;
};

/* The range from @first on; later calls have greater numbers, or the same and the last word. */
static void add_range(struct build *b, uint32_t first, struct decision d)
{
    if (b->n_ranges > 0 && b->ranges[b->n_ranges - 1].first == first)
        b->n_ranges--;
    if (b->n_ranges == 0 || !decision_equal(b->ranges[b->n_ranges - 1].decision, d))
        b->ranges[b->n_ranges++] = (struct range){first, d};
}

static void add_ranges(struct build *b, const struct plan *p)
{
    add_range(b, 0, p->other);
    for (size_t i = 0; i < p->n_calls; i++) {
        add_range(b, p->calls[i].nr, p->calls[i].decision);
        add_range(b, p->calls[i].nr + 1, p->other);
    }
    add_range(b, PLAN_NR_FOREIGN, decision_deny);
    add_range(b, PLAN_NR_SKIPPED, decision_allow);
}

/* Offset of half of argument @reg; little-endian. */
static uint32_t arg_offset(unsigned reg, bool high)
{
    return (uint32_t)(offsetof(struct seccomp_data, args) + reg * sizeof(uint64_t) + (high ? 4 : 0));
}

static void load_masked(struct build *b, uint32_t offset, uint32_t mask, uint32_t flip)
{
    if (flip != 0)
        (void)asm_alu(&b->a, BPF_XOR, flip);
    if (mask != UINT32_MAX)
        (void)asm_alu(&b->a, BPF_AND, mask);
    (void)asm_load(&b->a, offset);
}

static uint32_t last(const struct build *b)
{
    return b->a.n - 1;
}

/* (word & mask) == value */
static uint32_t word_equal(struct build *b, uint32_t offset, uint32_t mask, uint32_t value, uint32_t yes,
                           uint32_t no)
{
    if (mask != UINT32_MAX && value == 0) {
        (void)asm_jump(&b->a, BPF_JSET, mask, no, yes);
        return asm_load(&b->a, offset);
    }
    (void)asm_jump(&b->a, BPF_JEQ, value, yes, no);
    load_masked(b, offset, mask, 0);
    return last(b);
}

static uint32_t test_equal(struct build *b, const struct expr_test *t, uint32_t yes, uint32_t no)
{
    uint32_t mask_high = (uint32_t)(t->mask >> 32), mask_low = (uint32_t)t->mask;

    if (mask_low != 0)
        yes = word_equal(b, arg_offset(t->reg, false), mask_low, (uint32_t)t->value, yes, no);
    if (mask_high != 0)
        yes = word_equal(b, arg_offset(t->reg, true), mask_high, (uint32_t)(t->value >> 32), yes, no);
    return yes;
}

/* (register & mask) > value. Of a 64-bit one the low half counts where the high ones are equal; it has no
 * sign. */
static uint32_t test_greater(struct build *b, const struct expr_test *t, uint32_t yes, uint32_t no)
{
    uint32_t mask_high = (uint32_t)(t->mask >> 32), mask_low = (uint32_t)t->mask;
    uint32_t flip = t->is_signed ? 0x80000000u : 0;
    uint32_t flip_low = mask_high == 0 ? flip : 0;
    uint32_t low = no;

    if (mask_low != 0) {
        (void)asm_jump(&b->a, BPF_JGT, (uint32_t)t->value ^ flip_low, yes, no);
        load_masked(b, arg_offset(t->reg, false), mask_low, flip_low);
        low = last(b);
    }
    if (mask_high == 0)
        return low;
    uint32_t value = (uint32_t)(t->value >> 32) ^ flip;
    uint32_t not_greater = asm_jump(&b->a, BPF_JEQ, value, low, no);
    (void)asm_jump(&b->a, BPF_JGT, value, yes, not_greater);
    load_masked(b, arg_offset(t->reg, true), mask_high, flip);
    return last(b);
}

static uint32_t test(struct build *b, const struct expr_test *t, uint32_t yes, uint32_t no)
{
    if (yes == no)
        return yes;
    switch ((enum expr_op)t->op) {
    case EXPR_EQ:
        return test_equal(b, t, yes, no);
    case EXPR_NE:
        return test_equal(b, t, no, yes);
    case EXPR_GT:
        return test_greater(b, t, yes, no);
    case EXPR_LE:
        return test_greater(b, t, no, yes);
    }
    return no;
}

/* Code that goes on at @yes when @id holds, else at @no. Its depth is that of the expression: see partial.h.
 */
static uint32_t expression(struct build *b, expr_id id, uint32_t yes, uint32_t no)
{
    if (id == EXPR_NEVER || id == EXPR_ALWAYS || b->a.failed)
        return id == EXPR_ALWAYS ? yes : no;
    const struct expr *x = expr_at(b->pool, id);
    switch (x->kind) {
    case EXPR_AND:
        return expression(b, x->left, expression(b, x->right, yes, no), no);
    case EXPR_OR:
        return expression(b, x->left, yes, expression(b, x->right, yes, no));
    default:
        return test(b, &x->test, yes, no);
    }
}

static uint32_t decide(struct build *b, struct decision d)
{
    if (b->a.n >= ENOUGH)
        d = decision_widen(d);
    if (d.deny)
        return asm_ret(&b->a, RET_DENY);
    if (d.trace == EXPR_ALWAYS)
        return asm_ret(&b->a, SECCOMP_RET_TRACE);
    if (d.notify == EXPR_ALWAYS && d.trace == EXPR_NEVER)
        return asm_ret(&b->a, SECCOMP_RET_USER_NOTIF);
    if (d.notify == EXPR_NEVER && d.trace == EXPR_NEVER)
        return asm_ret(&b->a, SECCOMP_RET_ALLOW);
    for (uint32_t i = 0; i < b->n_blocks; i++)
        if (decision_equal(b->blocks[i].decision, d))
            return b->blocks[i].label;
    uint32_t before = b->a.n;
    uint32_t label =
        d.notify == EXPR_ALWAYS ? asm_ret(&b->a, SECCOMP_RET_USER_NOTIF) : asm_ret(&b->a, SECCOMP_RET_ALLOW);
    if (d.notify != EXPR_ALWAYS && d.notify != EXPR_NEVER)
        label = expression(b, d.notify, asm_ret(&b->a, SECCOMP_RET_USER_NOTIF), label);
    if (d.trace != EXPR_NEVER)
        label = expression(b, d.trace, asm_ret(&b->a, SECCOMP_RET_TRACE), label);
    b->blocks[b->n_blocks++] = (struct block){d, label, b->a.n - before};
    return label;
}

/* Code that finds A, a number known to lie in ranges @from .. @to, and decides. */
static uint32_t search(struct build *b, uint32_t from, uint32_t to)
{
    const struct range *r = b->ranges;

    if (from == to)
        return decide(b, r[from].decision);
    /* One number in the middle of others that are decided alike. */
    if (from + 2 == to && r[from + 1].first + 1 == r[to].first &&
        decision_equal(r[from].decision, r[to].decision)) {
        uint32_t others = decide(b, r[from].decision);
        return asm_jump(&b->a, BPF_JEQ, r[from + 1].first, decide(b, r[from + 1].decision), others);
    }
    uint32_t middle = from + (to - from + 1) / 2;
    uint32_t upper = search(b, middle, to);
    uint32_t lower = search(b, from, middle - 1);
    return asm_jump(&b->a, BPF_JGE, r[middle].first, upper, lower);
}

static int generate(struct build *b, const struct plan *p)
{
    asm_clear(&b->a);
    b->n_ranges = b->n_blocks = 0;
    b->pool = &p->pool;
    add_ranges(b, p);
    asm_fall(&b->a, search(b, 0, b->n_ranges - 1));
    uint32_t ours = asm_load(&b->a, offsetof(struct seccomp_data, nr));
    uint32_t arch = p->arch == ARCH_X86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_I386;
    (void)asm_jump(&b->a, BPF_JEQ, arch, ours, asm_ret(&b->a, RET_DENY));
    (void)asm_load(&b->a, offsetof(struct seccomp_data, arch));
    return b->a.failed ? -ENOMEM : 0;
}

static int bigger_first(const void *a, const void *b)
{
    uint32_t x = ((const struct block *)a)->size, y = ((const struct block *)b)->size;

    return (x < y) - (x > y);
}

/* Leave out the tests of the biggest blocks until what is too much is gone. Returns how many. */
static unsigned widen(struct build *b, struct plan *p, uint32_t room)
{
    uint32_t excess = b->a.n - room;
    unsigned n = 0;

    qsort(b->blocks, b->n_blocks, sizeof(*b->blocks), bigger_first);
    for (uint32_t gone = 0; gone < excess && n < b->n_blocks; n++) {
        gone += b->blocks[n].size;
        for (size_t i = 0; i < p->n_calls; i++)
            if (decision_equal(p->calls[i].decision, b->blocks[n].decision))
                p->calls[i].decision = decision_widen(p->calls[i].decision);
    }
    return n;
}

int backend_bpf(struct plan *p, uint32_t room, struct sock_fprog *prog, unsigned *widened, struct err *e)
{
    size_t ranges = 2 * p->n_calls + 3;
    _cleanup_free_ struct range *r = calloc(ranges, sizeof(*r));
    _cleanup_free_ struct block *blocks = calloc(ranges, sizeof(*blocks));
    struct build b = {.ranges = r, .blocks = blocks};
    int result = r == NULL || blocks == NULL ? -ENOMEM : 0;
    unsigned n = 1;

    while (result == 0 && n > 0) {
        result = generate(&b, p);
        n = result == 0 && b.a.n > room ? widen(&b, p, room) : 0;
        *widened += n;
    }
    if (result == 0 && b.a.n > room)
        result = err_set(e, E2BIG, "the filter needs %u instructions, there is room for %u", b.a.n, room);
    struct sock_filter *code = result == 0 ? asm_finish(&b.a) : NULL;
    if (result == -ENOMEM || (result == 0 && code == NULL))
        result = err_set(e, ENOMEM, "no memory for the filter");
    if (result == 0)
        *prog = (struct sock_fprog){.len = (unsigned short)b.a.n, .filter = code};
    asm_clear(&b.a);
    return result;
}
