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

#define OLD_SETOPTIONS 21 /* PTRACE_OLDSETOPTIONS of <asm/ptrace-abi.h>, which argues with <sys/ptrace.h> */

#define LOAD(where) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (where))
#define LOAD_ARG(n) LOAD(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (n)) /* its low half */
#define EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define HAS(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (yes), (no))
#define FAIL(errnum) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (errnum))

/* Jumps count the instructions that they leave out; all that is let go leaves at the end, to what follows. */
static const struct sock_filter own_place[] = {
    /*  0 */ LOAD(offsetof(struct seccomp_data, arch)),
    /*  1 */ EQUAL(AUDIT_ARCH_X86_64, 0, 15),
    /*  2 */ LOAD(offsetof(struct seccomp_data, nr)),
    /*  3 */ EQUAL(SYS_ptrace, 6, 0),
    /*  4 */ EQUAL(SYS_seccomp, 0, 12),
    /*  5 */ LOAD_ARG(0),
    /*  6 */ EQUAL(SECCOMP_SET_MODE_FILTER, 0, 10),
    /*  7 */ LOAD_ARG(1),
    /*  8 */ HAS(SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 8),
    /*  9 */ FAIL(EBUSY),
    /* 10 */ LOAD_ARG(0),
    /* 11 */ EQUAL(PTRACE_SEIZE, 2, 0),
    /* 12 */ EQUAL(PTRACE_SETOPTIONS, 1, 0),
    /* 13 */ EQUAL(OLD_SETOPTIONS, 0, 3),
    /* 14 */ LOAD_ARG(3),
    /* 15 */ HAS(PTRACE_O_TRACESECCOMP, 0, 1),
    /* 16 */ FAIL(EINVAL),
};

int place_keep(struct sock_fprog *prog, struct err *e)
{
    size_t n = ARRAY_SIZE(own_place);
    if (n + prog->len > BPF_MAXINSNS)
        return err_set(e, E2BIG, "the wrappers need a filter of more than %d instructions", BPF_MAXINSNS);
    struct sock_filter *code = calloc(n + prog->len, sizeof *code);
    if (code == NULL)
        return err_set(e, ENOMEM, "no memory for the filter");
    memcpy(code, own_place, sizeof own_place);
    memcpy(code + n, prog->filter, prog->len * sizeof *code);
    free(prog->filter);
    *prog = (struct sock_fprog){.len = (unsigned short)(n + prog->len), .filter = code};
    return 0;
}
