/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading a target's memory: a forked child keeps what the test laid out, the test's own pages are
 * overwritten. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "subject/memory.h"

#define PAGE 4096UL
#define PAGES 40UL /* one string of MEMORY_STRING_MAX and some */
#define KERNEL_ADDRESS 0xffff800000000000UL

/* PAGES pages, behind them a hole. */
static char *area(void)
{
    char *a = mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(a, MAP_FAILED);
    cr_assert_eq(munmap(a + PAGES * PAGE, PAGE), 0);
    return a;
}

/* A process with a copy of all that is here now. */
static pid_t spawn_target(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            (void)pause();
    }
    cr_assert_gt(pid, 0);
    return pid;
}

/* The child has its copy: ours must play no part. */
static pid_t target_of(char *a)
{
    pid_t pid = spawn_target();
    memset(a, 'X', PAGES * PAGE);
    return pid;
}

static void end(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static uint64_t address_of(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

static void check_strings(void)
{
    static const struct {
        const char *what;
        size_t start; /* where the string begins, from the start of the area */
        size_t len;
        bool open; /* no NUL before the hole */
        ssize_t expect;
    } cases[] = {
        {"short", 100, 5, false, 5},
        {"empty", 7, 0, false, 0},
        {"NUL is the last byte of a page", 0, PAGE - 1, false, PAGE - 1},
        {"NUL is the first byte of the next page", 0, PAGE, false, PAGE},
        {"crosses two boundaries", PAGE - 3, PAGE + 10, false, PAGE + 10},
        {"NUL is the last byte before the hole", PAGES * PAGE - 11, 10, false, 10},
        {"only the NUL is left before the hole", PAGES * PAGE - 1, 0, false, 0},
        {"runs into the hole", PAGES * PAGE - 10, 10, true, -EFAULT},
        {"runs into the hole after a page", PAGES * PAGE - PAGE - 10, PAGE + 10, true, -EFAULT},
        {"as long as may be", 3, MEMORY_STRING_MAX, false, MEMORY_STRING_MAX},
        {"one longer", 3, MEMORY_STRING_MAX + 1, false, -ENAMETOOLONG},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *a = area();
        for (size_t n = 0; n < cases[i].len; n++)
            a[cases[i].start + n] = (char)('a' + n % 23);
        if (!cases[i].open)
            a[cases[i].start + cases[i].len] = '\0';
        pid_t pid = target_of(a);
        char *text = NULL;
        ssize_t n = memory_read_string(pid, address_of(a) + cases[i].start, &text);
        cr_expect_eq(n, cases[i].expect, "%s: %zd", cases[i].what, n);
        cr_expect_eq(text != NULL, n >= 0, "%s", cases[i].what);
        for (ssize_t c = 0; c < n; c++)
            cr_assert_eq(text[c], (char)('a' + c % 23), "%s at %zd", cases[i].what, c);
        if (n >= 0)
            cr_expect_eq(text[n], '\0', "%s", cases[i].what);
        free(text);
        end(pid);
        (void)munmap(a, PAGES * PAGE);
    }
}

Test(memory, strings)
{
    check_strings();
}

Test(memory, addresses_that_are_nobodys)
{
    static const uint64_t addresses[] = {0,
                                         1,
                                         KERNEL_ADDRESS,
                                         UINT64_MAX,
                                         UINT64_MAX - 2,
                                         UINT64_C(1) << 63,
                                         (UINT64_C(1) << 63) - 1,
                                         0x00007ffffffff000,
                                         0xffffffffff600000};
    pid_t pid = spawn_target();
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        char *text = NULL;
        char **vector = NULL;
        char bytes[16];
        cr_expect_eq(memory_read_string(pid, addresses[i], &text), -EFAULT, "string at %lx", addresses[i]);
        cr_expect_eq(memory_read(pid, addresses[i], bytes, sizeof bytes), -EFAULT, "bytes at %lx",
                     addresses[i]);
        cr_expect_eq(memory_read_some(pid, addresses[i], bytes, sizeof bytes), -EFAULT, "some at %lx",
                     addresses[i]);
        if (addresses[i] != 0)
            cr_expect_eq(memory_read_strv(pid, addresses[i], &vector), -EFAULT, "vector at %lx",
                         addresses[i]);
        cr_expect_null(text);
        cr_expect_null(vector);
    }
    end(pid);
}

Test(memory, nobody_there)
{
    char byte;
    char *text;
    pid_t pid = spawn_target();
    end(pid);
    cr_expect_eq(memory_read(pid, address_of(&byte), &byte, 1), -ESRCH);
    cr_expect_eq(memory_read_string(pid, address_of(&byte), &text), -ESRCH);
}

static void check_bytes(void)
{
    char *a = area();
    for (size_t i = 0; i < PAGES * PAGE; i++)
        a[i] = (char)(i * 7 + i / PAGE);
    pid_t pid = spawn_target();
    static char got[(PAGES + 2) * PAGE];

    cr_expect_eq(memory_read(pid, address_of(a) + 5, got, PAGES * PAGE - 5), (ssize_t)(PAGES * PAGE - 5));
    cr_expect_eq(memcmp(got, a + 5, PAGES * PAGE - 5), 0);
    cr_expect_eq(memory_read(pid, address_of(a) + 5, got, 0), 0);
    cr_expect_eq(memory_read(pid, address_of(a) + 5, got, PAGES * PAGE - 4), -EFAULT,
                 "one byte lies in the hole");
    memset(got, 0, sizeof got);
    cr_expect_eq(memory_read_some(pid, address_of(a) + 5, got, sizeof got), (ssize_t)(PAGES * PAGE - 5));
    cr_expect_eq(memcmp(got, a + 5, PAGES * PAGE - 5), 0);
    cr_expect_eq(memory_read_some(pid, address_of(a) + PAGES * PAGE, got, 10), -EFAULT);
    end(pid);
}

Test(memory, bytes)
{
    check_bytes();
}

/* The kernel itself would answer such an argument with EFAULT. */
Test(memory, page_that_its_owner_cannot_read)
{
    char *a = area();
    strcpy(a + PAGE, "secret");
    cr_assert_eq(mprotect(a + PAGE, PAGE, PROT_NONE), 0);
    pid_t pid = spawn_target();
    char *text;
    cr_expect_eq(memory_read_string(pid, address_of(a) + PAGE, &text), -EFAULT);
    end(pid);
}

static void check_vectors(void)
{
    static const char *const words[] = {"one", "", "three", "four and more"};
    const size_t places[] = {
        16,                                /* aligned */
        PAGE - 3,                          /* the first pointer lies in two pages */
        PAGES * PAGE - 5 * sizeof(char *), /* its NULL ends at the hole */
    };
    for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
        char *a = area();
        char *to = a + 2 * PAGE - 6; /* the strings cross a page, too */
        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
            memcpy(a + places[p] + i * sizeof(char *), &to, sizeof to);
            to = stpcpy(to, words[i]) + 1;
        }
        char *none = NULL;
        memcpy(a + places[p] + ARRAY_SIZE(words) * sizeof none, &none, sizeof none);
        pid_t pid = target_of(a);
        char **vector = NULL;
        cr_assert_eq(memory_read_strv(pid, address_of(a) + places[p], &vector), ARRAY_SIZE(words), "%zu", p);
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
            cr_expect_str_eq(vector[i], words[i], "%zu", p);
        cr_expect_null(vector[ARRAY_SIZE(words)]);
        free(vector);
        end(pid);
        (void)munmap(a, PAGES * PAGE);
    }
}

Test(memory, vectors)
{
    check_vectors();
}

Test(memory, no_vector_is_an_empty_one)
{
    pid_t pid = spawn_target();
    char **vector = NULL;
    cr_assert_eq(memory_read_strv(pid, 0, &vector), 0);
    cr_expect_null(vector[0]);
    free(vector);
    end(pid);
}

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

enum { COUNT = 1 << 20 }; /* pointers of a hostile vector: 8 MiB */

static void fill_same(char **v, char *strings)
{
    for (size_t i = 0; i < COUNT; i++)
        v[i] = strings;
}

/* No two neighbours are in one page: each string costs a read of its own. */
static void fill_alternating(char **v, char *strings)
{
    for (size_t i = 0; i < COUNT; i++)
        v[i] = strings + (i % 2) * 4 * PAGE;
}

static void fill_itself(char **v, char *strings)
{
    (void)strings;
    for (size_t i = 0; i < COUNT; i++)
        v[i] = (char *)v; /* a string of pointers, without an end in sight */
}

static void fill_long(char **v, char *strings)
{
    memset(strings, 'l', MEMORY_STRING_MAX);
    strings[MEMORY_STRING_MAX] = '\0';
    fill_same(v, strings);
}

static void fill_too_long(char **v, char *strings)
{
    memset(strings, 'l', MEMORY_STRING_MAX + 1);
    strings[MEMORY_STRING_MAX + 1] = '\0';
    v[0] = strings;
    v[1] = NULL;
}

static void fill_broken(char **v, char *strings)
{
    v[0] = strings;
    v[1] = strings + PAGES * PAGE; /* the hole */
    v[2] = NULL;
}

static void fill_no_end(char **v, char *strings)
{
    for (size_t i = 0; i < 4; i++)
        v[COUNT - 4 + i] = strings;
}

Test(memory, hostile_vectors_are_bounded, .timeout = 120)
{
    static const struct {
        const char *what;
        void (*fill)(char **v, char *strings);
        size_t start;
        ssize_t expect;
    } cases[] = {
        {"one string for ever", fill_same, 0, -E2BIG},
        {"a page for each string", fill_alternating, 0, -E2BIG},
        {"a vector of itself", fill_itself, 0, -E2BIG},
        {"long strings", fill_long, 0, -E2BIG},
        {"a string that execve would not take", fill_too_long, 0, -E2BIG},
        {"a pointer to nowhere", fill_broken, 0, -EFAULT},
        {"no NULL before the hole", fill_no_end, COUNT - 4, -EFAULT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *strings = area();
        size_t size = COUNT * sizeof(char *);
        char **v = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        cr_assert_neq(v, MAP_FAILED);
        cr_assert_eq(munmap((char *)v + size, PAGE), 0);
        cases[i].fill(v, strings);
        pid_t pid = spawn_target();
        char **vector = NULL;
        double start = seconds();
        ssize_t n = memory_read_strv(pid, address_of(v + cases[i].start), &vector);
        double took = seconds() - start;
        cr_expect_eq(n, cases[i].expect, "%s: %zd", cases[i].what, n);
        cr_expect_lt(took, 20.0, "%s took %f s", cases[i].what, took);
        cr_expect_null(vector, "%s", cases[i].what);
        end(pid);
        (void)munmap(v, size);
        (void)munmap(strings, PAGES * PAGE);
    }
}

/* Strings of one character, the last as long as makes the sum right, and the NULL. */
Test(memory, vector_up_to_the_limit)
{
    const size_t one = sizeof(char *) + 2;
    const size_t count = (MEMORY_STRV_MAX - sizeof(char *)) / one;
    const size_t rest = MEMORY_STRV_MAX - sizeof(char *) - count * one;
    char **v =
        mmap(NULL, (count + 1) * sizeof *v, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *strings = area();
    cr_assert_neq(v, MAP_FAILED);
    strcpy(strings, "x");
    for (size_t i = 0; i < count; i++)
        v[i] = strings;
    v[count - 1] = strings + 2;
    for (size_t over = 0; over <= 1; over++) {
        memset(strings + 2, 'y', 1 + rest + over);
        pid_t pid = spawn_target();
        char **vector = NULL;
        cr_expect_eq(memory_read_strv(pid, address_of(v), &vector), over ? -E2BIG : (ssize_t)count);
        if (vector != NULL)
            cr_expect_eq(strlen(vector[count - 1]), 1 + rest);
        free(vector);
        end(pid);
    }
}

/* Make process_vm_readv fail in this process, as in a container or a kernel without it. */
static void refuse_process_vm_readv(int errnum)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)errnum),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {.len = ARRAY_SIZE(code), .filter = code};
    cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), 0);
}

static void check_all(void)
{
    check_strings();
    check_bytes();
    check_vectors();
    char byte;
    pid_t pid = spawn_target();
    end(pid);
    cr_expect_eq(memory_read(pid, address_of(&byte), &byte, 1), -ESRCH);
}

Test(memory, without_process_vm_readv_enosys)
{
    refuse_process_vm_readv(ENOSYS);
    check_all();
}

Test(memory, without_process_vm_readv_eperm)
{
    refuse_process_vm_readv(EPERM);
    check_all();
}
