/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two floors share: a filter of the smallest kind, which sends the calls that are measured to a
 * supervisor. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Exit status of the floors themselves. */
#define EXIT_FLOOR 125

static inline long floor_number(const char *name)
{
    if (strcmp(name, "getppid") == 0)
        return SYS_getppid;
    if (strcmp(name, "openat") == 0)
        return SYS_openat;
    if (strcmp(name, "chmod") == 0)
        return SYS_chmod;
    fprintf(stderr, "floor: no call %s\n", name);
    exit(EXIT_FLOOR);
}

/* Install: @action for the call @nr, all others allowed. Returns seccomp(2)'s result: the listener, with its
 * flag. */
static inline int floor_install(long nr, unsigned action, unsigned flags)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

#endif
