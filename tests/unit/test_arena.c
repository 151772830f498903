/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "subject/arena.h"

#define BIG (1UL << 26) /* idwrun takes more; but valgrind keeps a shadow of each byte, used or not */
#define SMALL (1UL << 20)

static struct arena *create(size_t size)
{
    struct err e = {0};
    struct arena *a = arena_create(size, &e);
    cr_assert_not_null(a, "%s", e.text);
    return a;
}

static bool is_zero(const unsigned char *p, size_t size)
{
    return size == 0 || (p[0] == 0 && memcmp(p, p + 1, size - 1) == 0);
}

static const size_t sizes[] = {0,    1,    15,    16,    17,    48,     49,      100,
                               1000, 4096, 65519, 65520, 65521, 100000, 1 << 20, (1 << 24) + 1};

Test(arena, blocks_are_zeroed_aligned_apart_and_counted)
{
    struct arena *a = create(BIG);
    arena_off o[ARRAY_SIZE(sizes)];
    cr_assert_eq(arena_used(a), 0);
    for (int round = 0; round < 3; round++) { /* the second round gets used memory */
        size_t sum = 0;
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
            o[i] = arena_alloc(a, sizes[i]);
            cr_assert_neq(o[i], 0);
            cr_assert_eq(o[i] % 16, 0);
            cr_assert_not_null(arena_ptr(a, o[i]));
            cr_assert(is_zero(arena_ptr(a, o[i]), sizes[i]), "size %zu, round %d", sizes[i], round);
            memset(arena_ptr(a, o[i]), (int)(i + 1), sizes[i]);
            sum += sizes[i];
        }
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
            const unsigned char *p = arena_ptr(a, o[i]);
            cr_assert(sizes[i] == 0 || (p[0] == i + 1 && memcmp(p, p + 1, sizes[i] - 1) == 0));
            cr_assert_eq(arena_offset(a, p), o[i]);
        }
        cr_assert_geq(arena_used(a), sum);
        cr_assert_leq(arena_used(a), sum + sum / 3 + 32 * ARRAY_SIZE(sizes));
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
            arena_free(a, o[i]);
        cr_assert_eq(arena_used(a), 0);
    }
    arena_unmap(a);
}

Test(arena, freed_blocks_are_used_again)
{
    struct arena *a = create(SMALL);
    for (int i = 0; i < 100000; i++) {
        arena_off o = arena_alloc(a, (size_t)i % 5000);
        cr_assert_neq(o, 0, "full after %d", i);
        arena_free(a, o);
    }
    arena_unmap(a);
}

Test(arena, full_is_0_and_room_comes_back)
{
    struct arena *a = create(SMALL);
    arena_off all[SMALL / 1024];
    size_t n = 0;
    while (n < ARRAY_SIZE(all) && (all[n] = arena_alloc(a, 1000)) != 0)
        n++;
    cr_assert_gt(n, SMALL / 1024 * 3 / 4);
    cr_assert_eq(arena_alloc(a, 1000), 0);
    static const size_t impossible[] = {SMALL, SMALL - 1, SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2};
    for (size_t i = 0; i < ARRAY_SIZE(impossible); i++)
        cr_assert_eq(arena_alloc(a, impossible[i]), 0);
    for (size_t i = 0; i < n; i++)
        arena_free(a, all[i]);
    cr_assert_eq(arena_used(a), 0);
    cr_assert_neq(arena_alloc(a, 1000), 0);
    arena_unmap(a);
}

Test(arena, memory_of_big_blocks_goes_back)
{
    struct arena *a = create(BIG);
    struct stat before, full, after;
    cr_assert_eq(fstat(arena_fd(a), &before), 0);
    arena_off o = arena_alloc(a, 32UL << 20);
    memset(arena_ptr(a, o), 1, 32UL << 20);
    cr_assert_eq(fstat(arena_fd(a), &full), 0);
    arena_free(a, o);
    cr_assert_eq(fstat(arena_fd(a), &after), 0);
    cr_assert_geq(full.st_blocks - before.st_blocks, (32L << 20) / 512);
    cr_assert_leq(after.st_blocks - before.st_blocks, 64);
    arena_unmap(a);
}

Test(arena, what_is_no_block_is_null)
{
    struct arena *a = create(SMALL);
    arena_off o = arena_alloc(a, 100);
    static const arena_off wild[] = {0,          1,   16,       4096UL << 4, SMALL - 1,      SMALL,
                                     SMALL + 16, BIG, BIG << 4, UINT64_MAX,  UINT64_MAX - 15};
    log_to(-1); /* frees of nonsense are said on standard error */
    size_t used = arena_used(a);
    for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
        cr_assert_null(arena_ptr(a, wild[i]), "%#lx", wild[i]);
        cr_assert_null(arena_object(a, wild[i], 1));
        arena_free(a, wild[i]);
    }
    int outside;
    cr_assert_eq(arena_offset(a, NULL), 0);
    cr_assert_eq(arena_offset(a, &outside), 0);
    cr_assert_not_null(arena_object(a, o, 100));
    cr_assert_null(arena_object(a, o, 1000), "longer than the block");
    cr_assert_null(arena_object(a, o + 16, 1), "inside of a block");
    arena_free(a, o + 16);
    cr_assert_eq(arena_used(a), used);
    arena_free(a, o);
    arena_free(a, o);
    cr_assert_eq(arena_used(a), 0, "freed twice, counted once");
    cr_assert_null(arena_object(a, o, 1));
    cr_assert_neq(arena_alloc(a, 100), arena_alloc(a, 100), "freed twice, handed out once");
    cr_assert_null(arena_root(a, ARENA_ROOTS));
    arena_unmap(a);
}

Test(arena, another_mapping_is_the_same_arena)
{
    struct err e = {0};
    struct arena *a = create(BIG);
    arena_off o = arena_alloc(a, 100);
    *arena_root(a, ARENA_ROOT_JOURNAL) = o;
    strcpy(arena_ptr(a, o), "text");
    struct arena *b = arena_map(arena_fd(a), &e);
    cr_assert_not_null(b, "%s", e.text);
    cr_assert_neq(arena_ptr(a, o), arena_ptr(b, o));
    cr_assert_str_eq(arena_ptr(b, *arena_root(b, ARENA_ROOT_JOURNAL)), "text");
    cr_assert_eq(memcmp(arena_seed(a), arena_seed(b), 16), 0);
    cr_assert_neq(arena_seed(a)[0], 0);
    cr_assert_neq(fcntl(arena_fd(b), F_GETFD) & FD_CLOEXEC, 0);
    arena_unmap(a);
    arena_free(b, o);
    cr_assert_eq(arena_used(b), 0);
    arena_unmap(b);
}

Test(arena, what_is_no_arena_is_refused)
{
    struct err e = {0};
    int pipes[2];
    cr_assert_eq(pipe(pipes), 0);
    int plain = memfd_create("plain", MFD_CLOEXEC),
        sealed = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert_eq(ftruncate(sealed, SMALL), 0);
    cr_assert_eq(fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    const int fds[] = {-1, pipes[0], plain, sealed, open("/dev/zero", O_RDWR)};
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        e.code = 0;
        cr_assert_null(arena_map(fds[i], &e), "case %zu", i);
        cr_assert_eq(e.code, EINVAL, "case %zu: %s", i, e.text);
    }
    struct arena *a = create(SMALL);
    cr_assert_lt(ftruncate(arena_fd(a), 0), 0, "it can be cut off under us");
    uint32_t version = 99;
    cr_assert_eq(pwrite(arena_fd(a), &version, sizeof version, 8), (ssize_t)sizeof version);
    cr_assert_null(arena_map(arena_fd(a), &e));
    cr_assert_eq(e.code, EPROTO);
    arena_unmap(a);
}

Test(arena, a_limit_of_file_sizes_makes_it_smaller)
{
    struct err e = {0};
    struct rlimit limit = {SMALL, SMALL};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    struct arena *a = create(BIG);
    cr_assert_neq(arena_alloc(a, SMALL / 2), 0);
    cr_assert_eq(arena_alloc(a, SMALL), 0);
    arena_unmap(a);
    limit.rlim_cur = 1000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_null(arena_create(BIG, &e));
    cr_assert_eq(e.code, EFBIG);
}

/* Deaths: a child maps the arena by its descriptor and is killed at each step of its work in turn. */
static int steps_left;

static void die_at_last_step(void)
{
    if (steps_left-- == 0)
        (void)raise(SIGKILL);
}

static void child_works(int fd, int steps)
{
    struct arena *a = arena_map(fd, NULL);
    if (a == NULL)
        _exit(2);
    steps_left = steps;
    arena_test_step = die_at_last_step;
    for (int i = 0; i < 2; i++) {
        arena_off one = arena_alloc(a, 100), two = arena_alloc(a, 100000);
        arena_off three = arena_alloc(a, 200);
        memset(arena_ptr(a, two), 7, 100000);
        arena_free(a, two);
        arena_free(a, one);
        arena_free(a, three);
    }
    /* Not by exit: valgrind would then want what the test's runner has allocated to be freed. */
    arena_test_step = NULL;
    (void)raise(SIGTERM);
}

/* Are all blocks zeroed, different from each other and from @mine? */
static void check_arena(struct arena *a, arena_off mine, int steps)
{
    arena_off o[60];
    for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
        size_t size = (const size_t[]){100, 200, 100000}[i % 3];
        o[i] = arena_alloc(a, size);
        cr_assert_not_null(arena_object(a, o[i], size), "step %d", steps);
        cr_assert(is_zero(arena_ptr(a, o[i]), size), "step %d", steps);
        memset(arena_ptr(a, o[i]), 0x55, size);
        cr_assert_neq(o[i], mine);
        for (size_t j = 0; j < i; j++)
            cr_assert_neq(o[i], o[j], "step %d", steps);
    }
    for (size_t i = 0; i < ARRAY_SIZE(o); i++)
        arena_free(a, o[i]);
}

/* Free whatever is live, found by trying: the count must come out as 0, not as what a death left of it. */
static void free_all(struct arena *a, int steps)
{
    for (arena_off o = 16; o < SMALL; o += 16)
        if (arena_object(a, o, 1) != NULL)
            arena_free(a, o);
    cr_assert_eq(arena_used(a), 0, "step %d: %zu", steps, arena_used(a));
}

Test(arena, survives_a_death_at_each_step, .timeout = 600)
{
    int steps = 0, status;
    do {
        struct arena *a = create(BIG);
        arena_off mine = arena_alloc(a, 100);
        strcpy(arena_ptr(a, mine), "mine");
        size_t used = arena_used(a);
        pid_t child = fork();
        if (child == 0)
            child_works(arena_fd(a), steps);
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFSIGNALED(status));
        size_t now = arena_used(a); /* what the child had is lost, at most */
        cr_assert_geq(now, used);
        cr_assert_leq(now, used + 3 * 120000);
        check_arena(a, mine, steps);
        cr_assert_eq(arena_used(a), now, "step %d", steps);
        cr_assert_str_eq(arena_ptr(a, mine), "mine");
        free_all(a, steps);
        arena_unmap(a);
        steps++;
    } while (WTERMSIG(status) == SIGKILL);
    cr_assert_gt(steps, 12 * 2, "the child did reach its steps");
}

static void *works(void *arg)
{
    struct arena *a = arg;
    arena_off o[64] = {0};
    unsigned seed = (unsigned)(uintptr_t)o;
    for (int i = 0; i < 5000; i++) {
        unsigned n = (unsigned)rand_r(&seed) % ARRAY_SIZE(o);
        if (o[n] != 0 && *(uint64_t *)arena_ptr(a, o[n]) != (uintptr_t)&o[n])
            return arg;
        arena_free(a, o[n]);
        o[n] = arena_alloc(a, 8 + (size_t)rand_r(&seed) % 500);
        *(uint64_t *)arena_ptr(a, o[n]) = (uintptr_t)&o[n];
    }
    for (size_t n = 0; n < ARRAY_SIZE(o); n++)
        arena_free(a, o[n]);
    return NULL;
}

Test(arena, threads_do_not_share_blocks, .timeout = 600)
{
    struct arena *a = create(BIG);
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, works, a), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        cr_assert_null(wrong);
    }
    cr_assert_eq(arena_used(a), 0);
    arena_unmap(a);
}
