/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Targets that would answer their own calls, and calls that no table knows: on the program that idwrun
 * installs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include "filter/filter.h"
#include "filter/place.h"
#include "syscalls/table.h"

struct place_case {
    const char *what;
    int nr;
    uint64_t args[4];
    enum filter_action action;
    int errnum;
};

#define JUNK (UINT64_C(0xdeadbeef) << 32) /* the kernel ignores the high halves of these arguments */

static const struct place_case cases[] = {
    {"a filter of its own", SYS_seccomp, {SECCOMP_SET_MODE_FILTER, 0}, FILTER_ALLOW, 0},
    {"a listener of its own",
     SYS_seccomp,
     {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER},
     FILTER_DENY,
     EBUSY},
    {"the same with TSYNC",
     SYS_seccomp,
     {SECCOMP_SET_MODE_FILTER | JUNK, SECCOMP_FILTER_FLAG_NEW_LISTENER | 1},
     FILTER_DENY,
     EBUSY},
    {"strict mode",
     SYS_seccomp,
     {SECCOMP_SET_MODE_STRICT, SECCOMP_FILTER_FLAG_NEW_LISTENER},
     FILTER_ALLOW,
     0},
    {"seize for seccomp stops", SYS_ptrace, {PTRACE_SEIZE, 1, 0, PTRACE_O_TRACESECCOMP}, FILTER_DENY, EINVAL},
    {"seize", SYS_ptrace, {PTRACE_SEIZE, 1, 0, PTRACE_O_TRACEFORK}, FILTER_ALLOW, 0},
    {"options", SYS_ptrace, {PTRACE_SETOPTIONS | JUNK, 1, 0, PTRACE_O_TRACESECCOMP | 1}, FILTER_DENY, EINVAL},
    {"options by the old number", SYS_ptrace, {21, 1, 0, PTRACE_O_TRACESECCOMP}, FILTER_DENY, EINVAL},
    {"a word that looks like the option",
     SYS_ptrace,
     {PTRACE_POKEDATA, 1, 0, PTRACE_O_TRACESECCOMP},
     FILTER_ALLOW,
     0},
    {"getpid", SYS_getpid, {0}, FILTER_ALLOW, 0},
    {"io_uring", SYS_io_uring_setup, {0}, FILTER_DENY, ENOSYS},
    {"the engine's own number", PLACE_NR_AREA, {0}, FILTER_NOTIFY, 0},
    {"its neighbour", PLACE_NR_AREA + 1, {0}, FILTER_DENY, ENOSYS},
    {"its other neighbour", PLACE_NR_AREA - 1, {0}, FILTER_DENY, ENOSYS},
    {"the same of x32", 0x40000000 | PLACE_NR_AREA, {0}, FILTER_DENY, ENOSYS},
    {"a call that a tracer skipped", -1, {0}, FILTER_ALLOW, 0},
    {"x32", 0x40000000 | SYS_getpid, {0}, FILTER_DENY, ENOSYS},
};

static enum filter_action decide(const struct sock_fprog *prog, int nr, const uint64_t *args, int *errnum)
{
    struct seccomp_data d = {.nr = nr, .arch = AUDIT_ARCH_X86_64};
    for (int i = 0; args != NULL && i < 4; i++)
        d.args[i] = args[i];
    *errnum = 0;
    return filter_simulate(prog, &d, errnum);
}

Test(filter_place, nobody_takes_our_place)
{
    struct filter *f = filter_new();
    struct sock_fprog prog;
    struct err e = {0};
    int errnum;
    cr_assert_eq(filter_build(f, &prog, &e), 0, "%s", e.text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct place_case *c = &cases[i];
        cr_expect_eq(decide(&prog, c->nr, c->args, &errnum), c->action, "%s", c->what);
        cr_expect_eq(errnum, c->errnum, "%s", c->what);
    }
    int last = (int)call_last_nr(ARCH_X86_64);
    cr_expect_eq(decide(&prog, last, NULL, &errnum), FILTER_ALLOW, "the table's last call");
    cr_expect_eq(decide(&prog, last + 1, NULL, &errnum), FILTER_DENY, "a call of a newer kernel");
    cr_expect_eq(errnum, ENOSYS);
    free(prog.filter);
    filter_free(f);
}

Test(filter_place, the_engines_number_is_notified_on_each_architecture)
{
    static const struct {
        uint32_t arch;
        int nr;
        enum filter_action action;
    } rows[] = {
        {AUDIT_ARCH_X86_64, PLACE_NR_AREA, FILTER_NOTIFY},
        {AUDIT_ARCH_I386, PLACE_NR_AREA, FILTER_NOTIFY},
        {AUDIT_ARCH_I386, PLACE_NR_AREA + 1, FILTER_DENY},
        {AUDIT_ARCH_AARCH64, PLACE_NR_AREA, FILTER_DENY},
    };
    struct filter *f = filter_new();
    struct sock_fprog prog;
    cr_assert_eq(filter_build(f, &prog, NULL), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seccomp_data d = {.nr = rows[i].nr, .arch = rows[i].arch};
        cr_expect_eq(filter_simulate(&prog, &d, NULL), rows[i].action, "row %zu", i);
    }
    free(prog.filter);
    filter_free(f);
}
