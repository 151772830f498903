/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Characterisations (the terms of a clause, see struct idw_term): what is well formed, how they are
 * evaluated, how numbers compare. What a comparison means where the value isn't known, or is known later, is
 * the caller's leaf.
 *
 *     if (terms_check(clause, e) < 0)
 *         return -EINVAL;
 *     struct term_truth t = terms_eval(clause, call, &(struct terms_meaning){.leaf = my_leaf}, context);
 *     if (t.be) ...                    // may match
 */
#ifndef IDW_SYSCALLS_TERMS_H
#define IDW_SYSCALLS_TERMS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "idw/wrapper.h"
#include "syscalls/table.h"

#define TERMS_DEPTH 64  /* values that wait for their operator */
#define TERMS_MOST 4096 /* in one characterisation: a filter holds no more, and it bounds its recursion */

/*
 * Whether a term may be true, and whether it may be false. Both, so that NOT is a swap: what is unknown may
 * be either, and stays so under NOT. 0 is never and 1 is always; a caller with operations of its own may let
 * other numbers stand for conditions.
 */
struct term_truth {
    uint32_t be, not_be;
};

#define TERM_NO ((struct term_truth){0, 1})
#define TERM_YES ((struct term_truth){1, 0})
#define TERM_UNKNOWN ((struct term_truth){1, 1})

struct terms_meaning {
    /*
     * A CMP or STR term. @a: the call's argument of that name; NULL: the name is an attribute's. Not asked
     * for an argument that the call doesn't have: no comparison is true of that, not even $name != 0.
     */
    struct term_truth (*leaf)(const struct idw_term *t, const struct call_arg *a, void *context);
    /* AND and OR of what stands in a term_truth; NULL: it is 0 and 1 only. */
    uint32_t (*both)(uint32_t a, uint32_t b, void *context);
    uint32_t (*either)(uint32_t a, uint32_t b, void *context);
};

/* terms_check - is @clause's characterisation well formed? Returns 0, or -EINVAL with what is wrong. */
int terms_check(const struct idw_clause *clause, struct err *e);

/* terms_eval - the characterisation of @clause, which has passed terms_check, for @call. */
struct term_truth terms_eval(const struct idw_clause *clause, const struct call *call,
                             const struct terms_meaning *meaning, void *context);

/*
 * terms_compare - (@a & @mask) @cmp @b in the width and signedness of @type, as the kernel sees them.
 * @type: not of memory. @cmp: IDW_EQ .. IDW_GE.
 */
bool terms_compare(const struct call_type_info *type, unsigned cmp, uint64_t mask, uint64_t a, uint64_t b);

/* call_attr_info - the type of attribute @name (enum idw_attr), ->memory if it is text; NULL: no such one. */
const struct call_type_info *call_attr_info(unsigned name);

#endif
