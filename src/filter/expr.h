/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is left of a characterisation once the call is known: tests of registers under AND and OR, without
 * NOT.
 *
 *     struct expr_pool p = {0};
 *     expr_id e = expr_and(&p, expr_test(&p, &test), rest);    // EXPR_NEVER, EXPR_ALWAYS are constants
 *     if (p.failed) ...                                        // no memory: looked at once, at the end
 *     expr_pool_clear(&p);
 *
 * Equal expressions have equal ids (within a pool), constants are folded, and a test that can have one
 * outcome only is a constant; so calls with the same rules are found by comparing ids. Without memory each
 * function gives EXPR_ALWAYS, which is the safe side, and sets `failed`.
 */
#ifndef IDW_FILTER_EXPR_H
#define IDW_FILTER_EXPR_H

#include <stdbool.h>
#include <stdint.h>
#include "idw/wrapper.h"

typedef uint32_t expr_id;

#define EXPR_NEVER 0u
#define EXPR_ALWAYS 1u

/* All that remains of the six comparisons after folding: the others are these with the value moved by one. */
enum expr_op { EXPR_EQ, EXPR_NE, EXPR_GT, EXPR_LE };

/* (register & mask) op value, in `bits` bits; `mask` and `value` have no bits beyond these. */
struct expr_test {
    uint64_t mask;
    uint64_t value;
    uint8_t reg;    /* 0..5 */
    uint8_t bits;   /* 32: the register's high half is not looked at, as the kernel does; or 64 */
    bool is_signed; /* only where it makes a difference: GT or LE, and `mask` keeps the sign */
    uint8_t op;     /* enum expr_op */
};

enum expr_kind { EXPR_CONST, EXPR_TEST, EXPR_AND, EXPR_OR };

struct expr {
    enum expr_kind kind;
    expr_id left, right; /* AND, OR */
    struct expr_test test;
};

struct expr_pool {      /* all zero: empty */
    struct expr *nodes; /* index: expr_id - 2, behind the two constants */
    uint32_t n, room;
    expr_id *buckets; /* twice `room` entries, 0 is free */
    bool failed;
};

void expr_pool_clear(struct expr_pool *p);

/* expr_at - the node @id, not a constant; valid until the pool grows. */
const struct expr *expr_at(const struct expr_pool *p, expr_id id);

/*
 * expr_compare - the test ($reg & @mask) @cmp @value in @bits bits.
 * @cmp: IDW_EQ .. IDW_GE. Bits of @mask and @value beyond @bits are dropped.
 */
expr_id expr_compare(struct expr_pool *p, unsigned reg, unsigned bits, bool is_signed, enum idw_cmp cmp,
                     uint64_t mask, uint64_t value);

expr_id expr_and(struct expr_pool *p, expr_id a, expr_id b);
expr_id expr_or(struct expr_pool *p, expr_id a, expr_id b);

#endif
