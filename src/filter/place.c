/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/place.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
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
 * What is 0 here is filled in for the architecture. A call with a number beyond the table's last is one of a
 * kernel newer than the table. What it does no wrapper could know, so to the target this kernel is no newer.
 * The numbers from the x32 bit on are for the program behind: -1 among them is a call that a tracer has
 * skipped.
 */
enum { LAST_NR_AT = 4, PTRACE_AT = 6, SECCOMP_AT = 7 };

static const struct sock_filter own_place[] = {
    /*  0 */ LOAD(offsetof(struct seccomp_data, nr)),
    /*  1 */ EQUAL(PLACE_NR_AREA, 0, 1),
    /*  2 */ BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    /*  3 */ BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 16, 0),
    /*  4 */ BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 0, 0, 1),
    /*  5 */ FAIL(ENOSYS),
    /*  6 */ EQUAL(0, 6, 0),
    /*  7 */ EQUAL(0, 0, 12),
    /*  8 */ LOAD_ARG(0),
    /*  9 */ EQUAL(SECCOMP_SET_MODE_FILTER, 0, 10),
    /* 10 */ LOAD_ARG(1),
    /* 11 */ HAS(SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 8),
    /* 12 */ FAIL(EBUSY),
    /* 13 */ LOAD_ARG(0),
    /* 14 */ EQUAL(PTRACE_SEIZE, 2, 0),
    /* 15 */ EQUAL(PTRACE_SETOPTIONS, 1, 0),
    /* 16 */ EQUAL(OLD_SETOPTIONS, 0, 3),
    /* 17 */ LOAD_ARG(3),
    /* 18 */ HAS(PTRACE_O_TRACESECCOMP, 0, 1),
    /* 19 */ FAIL(EINVAL),
};

static uint32_t number(enum call_arch arch, const char *name)
{
    return (uint32_t)call_by_name(name)->nr[arch];
}

size_t place_size(void)
{
    return ARRAY_SIZE(own_place);
}

int place_keep(enum call_arch arch, struct sock_fprog *prog, struct err *e)
{
    size_t n = ARRAY_SIZE(own_place);
    struct sock_filter *code = calloc(n + prog->len, sizeof *code);
    if (code == NULL)
        return err_set(e, ENOMEM, "no memory for the filter");
    memcpy(code, own_place, sizeof own_place);
    code[LAST_NR_AT].k = (uint32_t)call_last_nr(arch);
    code[PTRACE_AT].k = number(arch, "ptrace");
    code[SECCOMP_AT].k = number(arch, "seccomp");
    memcpy(code + n, prog->filter, prog->len * sizeof *code);
    free(prog->filter);
    *prog = (struct sock_fprog){.len = (unsigned short)(n + prog->len), .filter = code};
    return 0;
}
