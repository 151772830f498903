/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/passes.h"

#include <criterion/criterion.h>
#include <pthread.h>

#define ARGS(...) ((const uint64_t[6]){__VA_ARGS__})

static struct passes *ps;

static void setup(void)
{
    ps = passes_new();
    cr_assert_not_null(ps);
}

static void teardown(void)
{
    passes_free(ps);
}

TestSuite(passes, .init = setup, .fini = teardown);

static enum pass take(pid_t tid, long nr, const uint64_t args[6])
{
    int fd = -7;
    enum pass got = passes_take(ps, tid, nr, args, &fd);
    cr_assert(got == PASS_ADDFD ? fd >= 0 : fd == -7);
    return got;
}

Test(passes, a_pass_is_good_for_one_call)
{
    cr_assert_eq(take(10, 1, ARGS(1, 2, 3)), PASS_NONE);
    cr_assert_eq(passes_continue(ps, 10, 1, ARGS(1, 2, 3)), 0);
    cr_assert_eq(take(10, 1, ARGS(1, 2, 3)), PASS_CONTINUE);
    cr_assert_eq(take(10, 1, ARGS(1, 2, 3)), PASS_NONE);
}

/* Each differs from the call of the pass in one thing; 74 shares the bucket of 10. */
Test(passes, any_other_call_leaves_it_alone)
{
    static const struct {
        pid_t tid;
        long nr;
        uint64_t args[6];
    } others[] = {
        {11, 257, {1, 2, 3, 4, 5, 6}},
        {74, 257, {1, 2, 3, 4, 5, 6}},
        {10, 258, {1, 2, 3, 4, 5, 6}},
        {10, 257 + (1L << 32), {1, 2, 3, 4, 5, 6}},
        {10, 257, {0, 2, 3, 4, 5, 6}},
        {10, 257, {1, 0, 3, 4, 5, 6}},
        {10, 257, {1, 2, 0, 4, 5, 6}},
        {10, 257, {1, 2, 3, 0, 5, 6}},
        {10, 257, {1, 2, 3, 4, 0, 6}},
        {10, 257, {1, 2, 3, 4, 5, 0}},
        {10, 257, {1 | 1UL << 63, 2, 3, 4, 5, 6}},
    };
    cr_assert_eq(passes_continue(ps, 10, 257, ARGS(1, 2, 3, 4, 5, 6)), 0);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_expect_eq(take(others[i].tid, others[i].nr, others[i].args), PASS_NONE, "row %zu", i);
    cr_expect_eq(take(10, 257, ARGS(1, 2, 3, 4, 5, 6)), PASS_CONTINUE);
}

Test(passes, a_descriptor_comes_with_its_pass)
{
    int fd = -1;
    cr_assert_eq(passes_addfd(ps, 10, 1, ARGS(0), 0), 0);
    cr_assert_eq(passes_take(ps, 10, 1, ARGS(0), &fd), PASS_ADDFD);
    cr_assert_eq(fd, 0);
}

Test(passes, the_last_one_given_counts)
{
    cr_assert_eq(passes_addfd(ps, 10, 1, ARGS(0), 5), 0);
    cr_assert_eq(passes_continue(ps, 10, 2, ARGS(0)), 0);
    cr_assert_eq(take(10, 1, ARGS(0)), PASS_NONE);
    cr_assert_eq(take(10, 2, ARGS(0)), PASS_CONTINUE);
    cr_assert_eq(take(10, 2, ARGS(0)), PASS_NONE);
}

Test(passes, a_revoked_one_is_gone_and_no_other)
{
    const pid_t chain[] = {1, 65, 129}; /* of one bucket */
    for (size_t gone = 0; gone < 3; gone++) {
        for (size_t i = 0; i < 3; i++)
            cr_assert_eq(passes_continue(ps, chain[i], 3, ARGS(9)), 0);
        passes_revoke(ps, chain[gone]);
        passes_revoke(ps, chain[gone]);
        for (size_t i = 0; i < 3; i++)
            cr_expect_eq(take(chain[i], 3, ARGS(9)), i == gone ? PASS_NONE : PASS_CONTINUE, "%zu %zu", gone,
                         i);
    }
}

/* What is given anew in the middle of a chain must not lose what hangs behind it. */
Test(passes, given_anew_in_a_chain)
{
    for (pid_t tid = 1; tid < 200; tid += 64)
        cr_assert_eq(passes_continue(ps, tid, 3, ARGS(0)), 0);
    cr_assert_eq(passes_continue(ps, 65, 4, ARGS(0)), 0);
    for (pid_t tid = 1; tid < 200; tid += 64)
        cr_expect_eq(take(tid, tid == 65 ? 4 : 3, ARGS(0)), PASS_CONTINUE, "%d", tid);
}

enum { ROUNDS = 20000 };

static void *giver(void *arg)
{
    pid_t tid = *(pid_t *)arg;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        cr_assert_eq(passes_continue(ps, tid, 1, ARGS(i)), 0);
        cr_assert_eq(take(tid, 1, ARGS(i)), PASS_CONTINUE);
        if (i % 2 != 0 && passes_addfd(ps, tid, 2, ARGS(i), 3) == 0)
            passes_revoke(ps, tid);
    }
    return NULL;
}

Test(passes, threads_do_not_lose_each_others)
{
    pthread_t threads[4];
    pid_t tids[] = {7, 71, 135, 8};
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, giver, &tids[i]), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 4; i++)
        cr_expect_eq(take(tids[i], 2, ARGS(ROUNDS - 1)), PASS_NONE);
}
