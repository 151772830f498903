/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of events share: calls that the table could have, on the memory of this process. */
#ifndef TESTS_UNIT_EVENT_HELP_H
#define TESTS_UNIT_EVENT_HELP_H

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>
#include "subject/event.h"

#define PAGE 4096UL

static struct subject_record record = {
    .pid = 4711, .ppid = 4710, .invoker = 1234, .exe = "/usr/lib/dovecot/imap"};
static struct subject someone = {.record = &record};

/* A call that the table could have: fd, buf, count. */
static inline struct call one_argument(struct call_arg a, uint8_t n, const struct call_arg *more)
{
    struct call c = {.name = "made_up", .nr = {9000, 9000}, .n_args = (uint8_t)(1 + n), .args = {a}};
    for (uint8_t i = 0; i < n; i++)
        c.args[1 + i] = more[i];
    return c;
}

static inline uint64_t address_of(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

static inline void begin(struct idw_event *ev, const struct call *c, uint64_t r0, uint64_t r1, uint64_t r2)
{
    const uint64_t regs[6] = {r0, r1, r2, 0, 0, 0};
    event_init(ev, &someone, getpid(), c, regs);
}

/* Pages, a hole behind them. */
static inline char *pages(size_t n)
{
    char *a = mmap(NULL, (n + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(a, MAP_FAILED);
    cr_assert_eq(munmap(a + n * PAGE, PAGE), 0);
    return a;
}

#endif
