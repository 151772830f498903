/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/place.h"

#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include "base/cleanup.h"
#include "syscalls/table.h"

#define OLD_SETOPTIONS 21 /* PTRACE_OLDSETOPTIONS of <asm/ptrace-abi.h>, which argues with <sys/ptrace.h> */

#define X32_BIT 0x40000000u /* __X32_SYSCALL_BIT */

#define LOAD(where) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (where))
#define LOAD_ARG(n) LOAD(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (n)) /* its low half */
#define EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define HAS(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (yes), (no))
#define FAIL(errnum) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errnum))

/*
 * Jumps count the instructions that they leave out; all that is let go leaves at the end, to what follows.
 * A call with a number beyond the table's last is one of a kernel newer than the table. What it does no
 * wrapper could know, so to the target this kernel is no newer (the number is filled in). The numbers from
 * the x32 bit on are for the program behind: -1 among them is a call that a tracer has skipped. So are all of
 * i386's, but the one that is the engine's own.
 */
enum { LAST_NR_AT = 9 };

static const struct sock_filter own_place[] = {
    /*  0 */ LOAD(offsetof(struct seccomp_data, arch)),
    /*  1 */ EQUAL(AUDIT_ARCH_X86_64, 3, 0),
    /*  2 */ EQUAL(AUDIT_ARCH_I386, 0, 22),
    /*  3 */ LOAD(offsetof(struct seccomp_data, nr)),
    /*  4 */ EQUAL(PLACE_NR_AREA, 3, 20),
    /*  5 */ LOAD(offsetof(struct seccomp_data, nr)),
    /*  6 */ EQUAL(PLACE_NR_AREA, 1, 0),
    /*  7 */ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 17, 1),
    /*  8 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    /*  9 */ BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 0, 0, 1),
    /* 10 */ FAIL(ENOSYS),
    /* 11 */ EQUAL(SYS_ptrace, 6, 0),
    /* 12 */ EQUAL(SYS_seccomp, 0, 12),
    /* 13 */ LOAD_ARG(0),
    /* 14 */ EQUAL(SECCOMP_SET_MODE_FILTER, 0, 10),
    /* 15 */ LOAD_ARG(1),
    /* 16 */ HAS(SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 8),
    /* 17 */ FAIL(EBUSY),
    /* 18 */ LOAD_ARG(0),
    /* 19 */ EQUAL(PTRACE_SEIZE, 2, 0),
    /* 20 */ EQUAL(PTRACE_SETOPTIONS, 1, 0),
    /* 21 */ EQUAL(OLD_SETOPTIONS, 0, 3),
    /* 22 */ LOAD_ARG(3),
    /* 23 */ HAS(PTRACE_O_TRACESECCOMP, 0, 1),
    /* 24 */ FAIL(EINVAL),
};

/* The table is in the order of x86-64's numbers. */
static uint32_t last_number(void)
{
    return (uint32_t)call_by_id(call_count() - 1)->nr[ARCH_X86_64];
}

int place_keep(struct sock_fprog *prog, struct err *e)
{
    size_t n = ARRAY_SIZE(own_place);
    if (n + prog->len > BPF_MAXINSNS)
        return err_set(e, E2BIG, "the wrappers need a filter of more than %d instructions", BPF_MAXINSNS);
    struct sock_filter *code = calloc(n + prog->len, sizeof *code);
    if (code == NULL)
        return err_set(e, ENOMEM, "no memory for the filter");
    memcpy(code, own_place, sizeof own_place);
    code[LAST_NR_AT].k = last_number();
    memcpy(code + n, prog->filter, prog->len * sizeof *code);
    free(prog->filter);
    *prog = (struct sock_fprog){.len = (unsigned short)(n + prog->len), .filter = code};
    return 0;
}
