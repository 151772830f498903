/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * i386 calls (int $0x80) out of a 64-bit program, with rubbish in the halves of registers that they don't
 * have.
 *
 *     i386play WAY FILE         prints "WAY: RESULT", a number that is no error as "done", or "WAY:
 * NAME_OF_ERRNO"
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/net.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUBBISH (UINT64_C(0xfeedface) << 32)

/* What 32-bit pointers reach: where everything lies that the calls read. */
static struct {
    char path[4096];
    uint32_t words[6];
    uint32_t argv[3], envp[1];
    char arg[16];
    uint64_t how[3];
    uint32_t stat64[24];
    struct sockaddr_un address;
} * low;

static uint64_t at(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* Five arguments: the sixth would take the frame pointer. */
static long call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    uint64_t result;
    uint64_t regs[5] = {RUBBISH | a, RUBBISH | b, RUBBISH | c, RUBBISH | d, RUBBISH | e};
    __asm__ volatile("int $0x80"
                     : "=a"(result), "+b"(regs[0]), "+c"(regs[1]), "+d"(regs[2]), "+S"(regs[3]), "+D"(regs[4])
                     : "0"(RUBBISH | nr)
                     : "memory", "r8", "r9", "r10", "r11");
    if (regs[0] != (RUBBISH | a) || regs[1] != (RUBBISH | b) || regs[2] != (RUBBISH | c) ||
        regs[3] != (RUBBISH | d) || regs[4] != (RUBBISH | e))
        printf("registers are not as they were\n");
    return (int32_t)result;
}

static long by_open(void)
{
    return call(5, at(low->path), O_RDONLY, 0, 0, 0);
}

static long by_openat(void)
{
    return call(295, (uint32_t)AT_FDCWD, at(low->path), O_RDONLY, 0, 0);
}

static long by_openat2(void)
{
    return call(437, (uint32_t)AT_FDCWD, at(low->path), at(low->how), sizeof low->how, 0);
}

static long by_creat(void)
{
    return call(8, at(low->path), 0600, 0, 0, 0);
}

static long by_stat64(void)
{
    return call(195, at(low->path), at(low->stat64), 0, 0, 0);
}

/* 16 bits of an owner: 0x10000 and what we are. */
static long by_chown(void)
{
    return call(182, at(low->path), 0x10000 | (getuid() & 0xffff), 0xffff, 0, 0);
}

/* A length of 2^32 + 5, which the low half alone would not be. */
static long by_truncate64(void)
{
    return call(193, at(low->path), 5, 1, 0, 0);
}

static long by_execve(void)
{
    int status;
    (void)strcpy(low->arg, "i386play");
    low->argv[0] = (uint32_t)at(low->arg);
    low->argv[1] = (uint32_t)at(low->path);
    pid_t child = (pid_t)call(2, 0, 0, 0, 0, 0); /* fork */
    if (child == 0)
        _exit((int)-call(11, at(low->path), at(low->argv), at(low->envp), 0, 0));
    if (child < 0)
        return child;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

static int unix_socket(void)
{
    low->address.sun_family = AF_UNIX;
    memcpy(low->address.sun_path, low->path, strnlen(low->path, sizeof low->address.sun_path - 1));
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long by_bind(void)
{
    return call(361, (uint64_t)unix_socket(), at(&low->address), sizeof low->address, 0, 0);
}

static long by_socketcall(void)
{
    low->words[0] = (uint32_t)unix_socket();
    low->words[1] = (uint32_t)at(&low->address);
    low->words[2] = sizeof low->address;
    return call(102, SYS_BIND, at(low->words), 0, 0, 0);
}

/* ipc: semget of a private set of one, and its end. */
static long by_ipc(void)
{
    long id = call(117, 2, 0, 1, 0600, 0);
    return id < 0 ? id : call(117, 3 | 1 << 16, (uint64_t)id, 0, 0, at(low->words));
}

static long by_old_mmap(void)
{
    const uint32_t map[6] = {0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, UINT32_MAX, 0};
    memcpy(low->words, map, sizeof map);
    long address = call(90, at(low->words), 0, 0, 0, 0);
    return address < 0 && address > -4096 ? address : 0;
}

static long by_nobodys(void)
{
    return call(222, 0, 0, 0, 0, 0);
}

static long by_beyond(void)
{
    return call(4000, 0, 0, 0, 0, 0);
}

static const struct {
    const char *name;
    long (*way)(void);
} ways[] = {
    {"open", by_open},       {"openat", by_openat},         {"openat2", by_openat2},
    {"creat", by_creat},     {"stat64", by_stat64},         {"chown", by_chown},
    {"execve", by_execve},   {"truncate64", by_truncate64}, {"bind", by_bind},
    {"ipc", by_ipc},         {"socketcall", by_socketcall}, {"old-mmap", by_old_mmap},
    {"nobodys", by_nobodys}, {"beyond", by_beyond},
};

int main(int argc, char **argv)
{
    low = mmap(NULL, sizeof *low, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (argc != 3 || low == MAP_FAILED) {
        (void)fprintf(stderr, "usage: i386play WAY FILE\n");
        return 2;
    }
    (void)strncpy(low->path, argv[2], sizeof low->path - 1);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (strcmp(ways[i].name, argv[1]) == 0) {
            long result = ways[i].way();
            (void)printf("%s: %s\n", argv[1], result >= 0 ? "done" : strerrorname_np((int)-result));
            return 0;
        }
    return 2;
}
