/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is pinned, and where: on events of our own process, whose area nobody has mapped. test_inject.c has
 * the rest. */
#include "engine/pin.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "subject/event.h"

#define ADDRESS UINT64_C(0x50000000)
#define PAGE 4096UL

static struct pin_area *area;
static const char *view; /* as the target has it */

static void setup(void)
{
    struct err e = {0};
    area = pin_area_new(&e);
    cr_assert_not_null(area, "%s", e.text);
    view = mmap(NULL, PIN_AREA_SIZE, PROT_READ, MAP_SHARED, pin_area_fd(area), 0);
    cr_assert(view != MAP_FAILED);
    pin_area_mapped(area, ADDRESS);
}

static void teardown(void)
{
    (void)munmap((void *)view, PIN_AREA_SIZE);
    pin_area_unref(area);
}

TestSuite(pin, .init = setup, .fini = teardown);

static uint64_t reg(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

static struct idw_event event(const char *name, const uint64_t regs[6])
{
    struct idw_event ev;
    cr_assert_not_null(call_by_name(name), "%s", name);
    event_init(&ev, NULL, getpid(), call_by_name(name), regs);
    return ev;
}

#define EVENT(name, ...) event(name, (const uint64_t[6]){__VA_ARGS__})

static const struct call_arg *arg(const struct idw_event *ev, unsigned name)
{
    const struct call_arg *a = call_arg_named(ev->call, name);
    cr_assert_not_null(a);
    return a;
}

static void look(struct idw_event *ev, unsigned name)
{
    (void)event_memory(ev, arg(ev, name));
}

static const void *at(uint64_t address)
{
    cr_assert(address >= ADDRESS && address < ADDRESS + PIN_AREA_SIZE, "%#lx", address);
    return view + (address - ADDRESS);
}

/* Pin it as the tracer does. */
static int pin(struct pin *p, const struct idw_event *ev, uint64_t regs[6], uint8_t *changed)
{
    memcpy(regs, ev->regs, sizeof ev->regs);
    *changed = 0;
    return pin_arguments(p, area, ev, regs, changed);
}

Test(pin, only_what_was_looked_at)
{
    struct idw_event ev = EVENT("rename", reg("from"), reg("to"));
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    cr_expect(!pin_wanted(&ev));
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    cr_expect(p.area == NULL && changed == 0 && memcmp(regs, ev.regs, sizeof regs) == 0);
    pin_release(&p);
    look(&ev, CALL_NAME_newpath);
    cr_expect(pin_wanted(&ev));
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    cr_expect_eq(changed, 2);
    cr_expect_eq(regs[0], ev.regs[0]);
    cr_expect_str_eq(at(regs[1]), "to");
    pin_release(&p);
    event_clear(&ev);
}

Test(pin, what_the_kernel_writes_stays)
{
    struct {
        uint32_t version;
        int pid;
    } header = {0x20080522, 0};
    struct idw_event ev = EVENT("capget", reg(&header), 0); /* in and out */
    look(&ev, CALL_NAME_cap_header);
    cr_expect(ev.copies[0].data != NULL && !pin_wanted(&ev));
    event_clear(&ev);
}

Test(pin, null_stays_null)
{
    struct idw_event ev = EVENT("execve", reg("/bin/true"), 0, 0);
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    look(&ev, CALL_NAME_argv);
    cr_expect(!pin_wanted(&ev));
    look(&ev, CALL_NAME_path);
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    cr_expect(changed == 1 && regs[1] == 0);
    cr_expect_str_eq(at(regs[0]), "/bin/true");
    pin_release(&p);
    event_clear(&ev);
}

/* The pointers of a vector are the target's: of its size, to its addresses. */
static void vectors(enum call_arch arch, size_t size)
{
    char *const argv[] = {"a", "", "ccc", NULL}, *const envp[] = {NULL};
    struct idw_event ev = EVENT("execve", reg("/x"), reg(argv), reg(envp));
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    look(&ev, CALL_NAME_path);
    look(&ev, CALL_NAME_argv);
    look(&ev, CALL_NAME_envp);
    ev.arch = arch;
    for (int i = 0; i < 3; i++) /* as an i386 caller would have them */
        ev.regs[i] = arch == ARCH_I386 ? ev.regs[i] & UINT32_MAX : ev.regs[i];
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    cr_expect_eq(changed, 7);
    for (size_t i = 0; i < 4; i++) {
        uint64_t pointer = 0;
        memcpy(&pointer, (const char *)at(regs[1]) + i * size, size);
        if (i < 3)
            cr_expect_str_eq(at(pointer), argv[i]);
        else
            cr_expect_eq(pointer, 0);
    }
    uint64_t end = 1;
    memcpy(&end, at(regs[2]), size);
    cr_expect_eq(end & (size == 4 ? UINT32_MAX : UINT64_MAX), 0);
    pin_release(&p);
    event_clear(&ev);
}

Test(pin, vectors_of_each_pointer_size)
{
    vectors(ARCH_X86_64, 8);
    vectors(ARCH_I386, 4);
}

Test(pin, a_long_vector)
{
    enum { N = 20000 };
    _cleanup_free_ char **argv = calloc(N + 1, sizeof *argv);
    char text[] = "an argument of some length, twenty thousand times";
    for (int i = 0; i < N; i++)
        argv[i] = text;
    struct idw_event ev = EVENT("execve", reg("/x"), reg(argv), 0);
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    look(&ev, CALL_NAME_argv);
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    uint64_t last;
    memcpy(&last, (const char *)at(regs[1]) + (N - 1) * sizeof last, sizeof last);
    cr_expect_str_eq(at(last), text);
    pin_release(&p);
    event_clear(&ev);
}

Test(pin, an_assigned_length_is_told)
{
    struct idw_event ev = EVENT("write", 1, reg("four"), 4);
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    cr_assert_eq(event_assign(&ev, arg(&ev, CALL_NAME_buf), "something longer", 16), 0);
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    cr_expect(changed == 6 && regs[2] == 16);
    cr_expect_arr_eq(at(regs[1]), "something longer", 16);
    pin_release(&p);
    event_clear(&ev);
}

Test(pin, an_assignment_where_there_was_nothing)
{
    struct sockaddr to = {.sa_family = AF_UNIX};
    struct idw_event ev = EVENT("sendto", 1, 0, 0, 0, 0, 0);
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    cr_assert_eq(event_assign(&ev, arg(&ev, CALL_NAME_sockaddr), &to, sizeof to), 0);
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    cr_expect(changed == 0x30 && regs[5] == sizeof to);
    cr_expect_arr_eq(at(regs[4]), &to, sizeof to);
    pin_release(&p);
    event_clear(&ev);
}

/* O_DIRECT looks at where in a page, or a sector, a buffer begins. */
Test(pin, a_buffer_keeps_its_alignment)
{
    static char block[3 * PAGE] __attribute__((aligned(4096)));
    static const size_t offsets[] = {0, 1, 512, 4095};
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        struct idw_event ev = EVENT("write", 1, reg(block + offsets[i]), PAGE);
        struct pin p;
        uint64_t regs[6];
        uint8_t changed;
        look(&ev, CALL_NAME_buf);
        cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
        cr_expect_eq(regs[1] % PAGE, offsets[i]);
        pin_release(&p);
        event_clear(&ev);
    }
}

Test(pin, behind_an_unreadable_end_the_kernel_faults)
{
    char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(two != MAP_FAILED && mprotect(two + PAGE, PAGE, PROT_NONE) == 0);
    memcpy(two + PAGE - 3, "end", 3);
    struct idw_event ev = EVENT("write", 1, reg(two + PAGE - 3), 100);
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    int pipes[2];
    look(&ev, CALL_NAME_buf);
    cr_assert_eq(ev.copies[1].error, EFAULT);
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    cr_expect_eq(changed, 2);
    cr_expect_eq(regs[2], 100);
    cr_assert_eq(pipe(pipes), 0);
    cr_expect_eq(write(pipes[1], at(regs[1]), 3), 3);
    const char *behind = (const char *)at(regs[1]) + 3;
    cr_expect(write(pipes[1], behind, 1) < 0 && errno == EFAULT);
    pin_release(&p);
    event_clear(&ev);
}

Test(pin, pieces_lie_in_one_page_where_they_can)
{
    char name[3001] = "";
    memset(name, 'n', 3000);
    struct idw_event ev = EVENT("rename", reg(name), reg(name));
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    look(&ev, CALL_NAME_oldpath);
    look(&ev, CALL_NAME_newpath);
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(regs[i] / PAGE, (regs[i] + 3000) / PAGE);
        cr_expect_str_eq(at(regs[i]), name);
    }
    pin_release(&p);
    event_clear(&ev);
}

/* What the kernel reads beyond the bytes that clauses see comes along, and what it would refuse is left to
 * it. */
Test(pin, longer_than_the_table_says)
{
    static const struct {
        uint32_t bytes;
        size_t pinned;
    } rows[] = {{20, 28}, {128, 136}, {0, 8}, {129, 8}, {UINT32_MAX, 8}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        unsigned char handle[8 + 200];
        memset(handle, 0xab, sizeof handle);
        memcpy(handle, &rows[i].bytes, 4);
        struct idw_event ev = EVENT("open_by_handle_at", 3, reg(handle), O_RDONLY);
        struct pin p;
        uint64_t regs[6];
        uint8_t changed;
        look(&ev, CALL_NAME_handle);
        cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
        cr_expect_arr_eq(at(regs[1]), handle, rows[i].pinned, "row %zu", i);
        cr_expect_neq(((const unsigned char *)at(regs[1]))[rows[i].pinned], 0xab, "row %zu", i);
        pin_release(&p);
        event_clear(&ev);
        teardown(); /* what is behind the next one shall be clean */
        setup();
    }
}

Test(pin, mount_data_is_a_page)
{
    char data[PAGE];
    memset(data, 'x', sizeof data);
    data[1] = '\0'; /* binary data, as nfs has it */
    struct idw_event ev = EVENT("mount", 0, reg("/mnt"), reg("nfs"), 0, reg(data));
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    look(&ev, CALL_NAME_mount_data);
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    cr_expect_arr_eq(at(regs[4]), data, PAGE);
    cr_expect_eq(regs[4] % PAGE, 0);
    pin_release(&p);
    cr_assert_eq(event_assign(&ev, arg(&ev, CALL_NAME_mount_data), "ro", 2), 0);
    cr_assert_eq(pin(&p, &ev, regs, &changed), 0);
    static const char assigned[PAGE] = "ro";
    cr_expect_arr_eq(at(regs[4]), assigned, PAGE);
    pin_release(&p);
    event_clear(&ev);
}

Test(pin, a_struct_with_an_unreadable_rest_is_a_fault)
{
    char *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(two != MAP_FAILED && mprotect(two + PAGE, PAGE, PROT_NONE) == 0);
    char *handle = two + PAGE - 8;
    memcpy(handle, &(uint32_t){20}, 4);
    struct idw_event ev = EVENT("open_by_handle_at", 3, reg(handle), O_RDONLY);
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    look(&ev, CALL_NAME_handle);
    cr_expect_eq(pin(&p, &ev, regs, &changed), -EFAULT);
    cr_expect_null(p.area);
    event_clear(&ev);
}

Test(pin, zero_copy_is_refused)
{
    struct idw_event ev = EVENT("sendto", 1, reg("data"), 4, MSG_ZEROCOPY);
    struct pin p;
    uint64_t regs[6];
    uint8_t changed;
    look(&ev, CALL_NAME_buf);
    cr_expect(pin_wanted(&ev));
    cr_expect_eq(pin(&p, &ev, regs, &changed), -ENOBUFS);
    event_clear(&ev);
}

Test(pin, blocks_are_apart_and_come_back)
{
    enum { N = 3 };
    static char big[15UL << 20];
    struct pin p[N + 1];
    uint64_t regs[N + 1][6];
    uint8_t changed;
    struct idw_event ev = EVENT("write", 1, reg(big), sizeof big);
    look(&ev, CALL_NAME_buf);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N; i++) {
            memset(ev.copies[1].data, 'a' + i, sizeof big);
            cr_assert_eq(pin(&p[i], &ev, regs[i], &changed), 0, "%d", i);
        }
        cr_expect_eq(pin(&p[N], &ev, regs[N], &changed), -ENOMEM);
        cr_expect_null(p[N].area);
        for (int i = 0; i < N; i++) {
            const char *bytes = at(regs[i][1]);
            cr_expect(bytes[0] == 'a' + i && bytes[sizeof big - 1] == 'a' + i);
        }
        pin_release(&p[1]);
        cr_assert_eq(pin(&p[1], &ev, regs[1], &changed), 0, "what was given back is there again");
        for (int i = 0; i < N; i++)
            pin_release(&p[i]);
    }
    event_clear(&ev);
}

/* What a thread of the target could do with the descriptor, while it is there, or with a copy of it. */
Test(pin, the_file_is_sealed)
{
    struct pin_area *fresh = pin_area_new(NULL);
    int fd = pin_area_fd(fresh);
    char name[64];
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int again = open(name, O_RDWR | O_CLOEXEC);
    cr_assert_geq(again, 0);
    const int fds[] = {fd, again};
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        cr_expect_eq(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0), MAP_FAILED, "%zu", i);
        void *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fds[i], 0);
        cr_assert(map != MAP_FAILED);
        cr_expect_eq(mprotect(map, PAGE, PROT_READ | PROT_WRITE), -1, "%zu", i);
        cr_expect_eq(madvise(map, PAGE, MADV_REMOVE), -1, "%zu", i);
        (void)munmap(map, PAGE);
        cr_expect_eq(pwrite(fds[i], "x", 1, 0), -1, "%zu", i);
        cr_expect_eq(ftruncate(fds[i], 0), -1, "%zu", i);
        cr_expect_eq(ftruncate(fds[i], (off_t)PIN_AREA_SIZE), -1, "%zu", i);
        cr_expect_eq(fallocate(fds[i], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE), -1, "%zu", i);
        cr_expect_eq(fallocate(fds[i], FALLOC_FL_ZERO_RANGE, 0, PAGE), -1, "%zu", i);
        cr_expect_eq(fcntl(fds[i], F_ADD_SEALS, F_SEAL_WRITE), -1, "%zu", i);
    }
    (void)close(again);
    pin_area_unref(fresh);
}

static int descriptors(void)
{
    int n = 0;
    _cleanup_closedir_ DIR *d = opendir("/proc/self/fd");
    while (readdir(d) != NULL)
        n++;
    return n;
}

/* There may be thousands of areas. */
Test(pin, a_mapped_area_keeps_no_descriptor)
{
    int before = descriptors();
    struct pin_area *one = pin_area_new(NULL);
    cr_expect_gt(descriptors(), before);
    pin_area_mapped(one, ADDRESS);
    cr_expect_eq(descriptors(), before);
    cr_expect_lt(pin_area_fd(one), 0);
    pin_area_unref(one);
}

Test(pin, the_limit_of_file_sizes_holds)
{
    static const struct {
        rlim_t bytes;
        bool there;
    } rows[] = {{0, false}, {PAGE, false}, {100000, true}};
    struct idw_event ev = EVENT("chdir", reg("somewhere"));
    look(&ev, CALL_NAME_path);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct rlimit limit = {.rlim_max = RLIM_INFINITY};
        struct pin p;
        uint64_t regs[6];
        uint8_t changed = 0;
        limit.rlim_cur = rows[i].bytes;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        struct pin_area *one = pin_area_new(NULL);
        limit.rlim_cur = RLIM_INFINITY;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        cr_assert_eq(one != NULL, rows[i].there, "%zu", i);
        if (one != NULL) {
            memcpy(regs, ev.regs, sizeof regs);
            cr_expect_eq(pin_arguments(&p, one, &ev, regs, &changed), 0);
            pin_release(&p);
        }
        pin_area_unref(one);
    }
    event_clear(&ev);
}

Test(pin, who_shares_memory)
{
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        (void)pause();
        _exit(0);
    }
    cr_expect(pin_same_memory(getpid(), getpid()));
    cr_expect(!pin_same_memory(getpid(), child));
    (void)kill(child, SIGKILL);
}
