/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * callplay CALL [ARG...] [, CALL [ARG...]]... - make system calls with exactly these argument registers.
 *
 *     callplay getppid , socket 2 1 0 , chmod @F 0600     "getppid = 17", "socket = -13", "chmod = 0"
 *
 * CALL: a name from the table below, or a number. ARG: a number (strtoull, base 0, so that high halves can be
 * poisoned: 0xdeadbeef00000002), @TEXT for the address of a string, %N for the address of N zeroed bytes.
 * The raw result is said; "clobbered REG" if one of the argument registers was not what it was before the
 * call. `int80 NR` makes an i386 call, `x32 NR` one with the x32 bit. The exit status is 0.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "rawcall.h"

static const struct {
    const char *name;
    long nr;
} calls[] = {
#define CALL(n)                                                                                              \
    {                                                                                                        \
#n, SYS_##n                                                                                          \
    }
    CALL(getppid),
    CALL(getpid),
    CALL(gettid),
    CALL(getuid),
    CALL(socket),
    CALL(open),
    CALL(openat),
    CALL(close),
    CALL(read),
    CALL(write),
    CALL(chmod),
    CALL(fchmod),
    CALL(fchmodat),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(umask),
    CALL(kill),
    CALL(ptrace),
    CALL(unlink),
    CALL(unlinkat),
    CALL(symlink),
    CALL(rename),
    CALL(lseek),
    CALL(dup),
    CALL(dup2),
    CALL(dup3),
    CALL(fcntl),
    CALL(ioctl),
    CALL(mmap),
    CALL(munmap),
    CALL(mprotect),
    CALL(personality),
    CALL(prctl),
    CALL(setpriority),
    CALL(getpriority),
    CALL(alarm),
    CALL(access),
    CALL(faccessat),
    CALL(stat),
    CALL(newfstatat),
    CALL(io_uring_setup),
    CALL(io_uring_enter),
    CALL(io_uring_register),
    CALL(sched_yield),
    CALL(getpgid),
    CALL(truncate),
    CALL(ftruncate),
    CALL(pipe2),
    CALL(exit_group),
    CALL(nanosleep),
#undef CALL
};

static long number_of(const char *name)
{
    char *end = NULL;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(calls[i].name, name) == 0)
            return calls[i].nr;
    long nr = strtol(name, &end, 0);
    if (*name == '\0' || *end != '\0') {
        fprintf(stderr, "callplay: no call %s\n", name);
        exit(125);
    }
    return nr;
}

static uint64_t value_of(char *text)
{
    if (text[0] == '@')
        return (uint64_t)(uintptr_t)(text + 1);
    if (text[0] == '%')
        return (uint64_t)(uintptr_t)calloc(1, strtoul(text + 1, NULL, 0) + 1);
    return strtoull(text, NULL, 0);
}

static long int80(long nr)
{
    long ret;
    __asm__ volatile("int $0x80"
                     : "=a"(ret)
                     : "0"(nr), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0)
                     : "r8", "r9", "r10", "r11", "memory");
    return (long)(int)ret;
}

static void play(char **words, int n)
{
    static const char *const names[] = {"rdi", "rsi", "rdx", "r10", "r8", "r9"};
    uint64_t before[6] = {0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 0x6666}, after[6];
    long ret;

    if (strcmp(words[0], "int80") == 0) {
        printf("int80 = %ld\n", int80(number_of(words[1])));
        return;
    }
    if (strcmp(words[0], "x32") == 0) {
        memcpy(after, before, sizeof(after));
        printf("x32 = %ld\n", raw_call(number_of(words[1]) | 0x40000000, after));
        return;
    }
    for (int i = 1; i < n && i <= 6; i++)
        before[i - 1] = value_of(words[i]);
    memcpy(after, before, sizeof(after));
    (void)fflush(stdout);
    ret = raw_call(number_of(words[0]), after);
    printf("%s = %ld\n", words[0], ret);
    for (int i = 0; i < 6; i++)
        if (after[i] != before[i])
            printf("clobbered %s: %#llx is %#llx\n", names[i], (unsigned long long)before[i],
                   (unsigned long long)after[i]);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    for (int i = 1, n; i < argc; i += n + 1) {
        for (n = 0; i + n < argc && strcmp(argv[i + n], ",") != 0; n++)
            continue;
        if (n > 0)
            play(argv + i, n);
    }
    return 0;
}
