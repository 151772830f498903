/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clauses give arguments, and what is kept for the call that is performed. The target is this process.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "subject/memory.h"
#include "event_help.h"

static const struct call_arg *arg(const struct idw_event *ev, unsigned name)
{
    const struct call_arg *a = call_arg_named(ev->call, name);
    cr_assert_not_null(a);
    return a;
}

static const struct event_copy *copy(struct idw_event *ev, unsigned name)
{
    return event_memory(ev, arg(ev, name));
}

static int assign(struct idw_event *ev, unsigned name, const void *data, size_t len)
{
    return event_assign(ev, arg(ev, name), data, len);
}

static void begin_call(struct idw_event *ev, const char *call, uint64_t r0, uint64_t r1, uint64_t r2)
{
    const struct call *c = call_by_name(call);
    cr_assert_not_null(c, "%s", call);
    begin(ev, c, r0, r1, r2);
}

Test(assign, a_string_before_and_after_it_was_read)
{
    char path[] = "/tmp/before";
    struct idw_event ev;
    begin_call(&ev, "open", address_of(path), 0, 0);
    const char *first = copy(&ev, CALL_NAME_path)->data;
    event_keep_object(&ev, arg(&ev, CALL_NAME_path), -ENOENT);
    char longer[MEMORY_STRING_MAX];
    memset(longer, 'l', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    cr_assert_eq(assign(&ev, CALL_NAME_path, longer, sizeof longer - 1), 0);
    cr_expect_str_eq(first, "/tmp/before", "who holds it may go on reading it");
    cr_assert_eq(assign(&ev, CALL_NAME_path, "/x", 2), 0);
    const struct event_copy *c = copy(&ev, CALL_NAME_path);
    cr_expect_str_eq(c->data, "/x");
    cr_expect(c->len == 2 && c->assigned && c->fetched && c->error == 0);
    cr_expect_eq(event_path_owner(&ev, c->data), arg(&ev, CALL_NAME_path));
    cr_expect_eq(ev.regs[0], address_of(path), "where it will lie is the engine's to say");
    cr_expect_eq(ev.assigned, 0);
    int object;
    cr_expect_not(event_object(&ev, arg(&ev, CALL_NAME_path), &object), "it was the other path's");
    event_result(&ev, 3);
    cr_expect_str_eq(copy(&ev, CALL_NAME_path)->data, "/x");
    event_clear(&ev);

    begin_call(&ev, "open", address_of(path), 0, 0);
    cr_assert_eq(assign(&ev, CALL_NAME_path, "", 0), 0);
    cr_expect_str_eq(copy(&ev, CALL_NAME_path)->data, "", "and the target's is not fetched any more");
    event_clear(&ev);
}

Test(assign, to_what_was_read_of_itself)
{
    struct idw_event ev;
    begin_call(&ev, "write", 1, address_of("0123456789"), 10);
    const char *data = copy(&ev, CALL_NAME_buf)->data;
    cr_assert_eq(assign(&ev, CALL_NAME_buf, data + 2, 5), 0);
    cr_expect_eq(memcmp(copy(&ev, CALL_NAME_buf)->data, "23456", 6), 0);
    event_clear(&ev);
}

Test(assign, the_length_follows)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};
    static const struct {
        const char *call;
        unsigned name, length;
        unsigned reg;
        size_t len;
    } cases[] = {
        {"write", CALL_NAME_buf, CALL_NAME_count, 2, 7},
        {"write", CALL_NAME_buf, CALL_NAME_count, 2, 0},
        {"connect", CALL_NAME_sockaddr, CALL_NAME_addrlen, 2, sizeof(struct sockaddr_in)},
        {"sethostname", CALL_NAME_hostname, CALL_NAME_len, 1, 3},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        begin_call(&ev, cases[i].call, 3, 3, 3);
        cr_assert_eq(assign(&ev, cases[i].name, &sin, cases[i].len), 0, "case %zu", i);
        cr_expect_eq(event_scalar(&ev, arg(&ev, cases[i].length)), (int64_t)cases[i].len, "case %zu", i);
        cr_expect_eq(ev.assigned, 1 << cases[i].reg, "case %zu", i);
        cr_expect_eq(copy(&ev, cases[i].name)->len, cases[i].len, "case %zu", i);
        event_clear(&ev);
    }
}

Test(assign, what_cannot_be)
{
    static char big[EVENT_BYTES_MAX + 1];
    static const struct {
        const char *call;
        unsigned name;
        enum idw_phase phase;
        const void *data;
        size_t len;
        int rc;
    } cases[] = {
        {"open", CALL_NAME_flags, IDW_PRE, big, 4, -EINVAL},
        {"execve", CALL_NAME_argv, IDW_PRE, big, 8, -EINVAL},
        {"open", CALL_NAME_path, IDW_POST, "x", 1, -EINVAL},
        {"read", CALL_NAME_buf, IDW_PRE, "x", 1, -EINVAL},
        {"recvmsg", CALL_NAME_msg, IDW_PRE, big, sizeof(struct msghdr), -EINVAL},
        {"openat2", CALL_NAME_resolve, IDW_PRE, big, 8, -EINVAL},
        {"open", CALL_NAME_path, IDW_PRE, NULL, 0, -EINVAL},
        {"open", CALL_NAME_path, IDW_PRE, "a\0b", 3, -EINVAL},
        {"open", CALL_NAME_path, IDW_PRE, "x", MEMORY_STRING_MAX, -ENAMETOOLONG},
        {"write", CALL_NAME_buf, IDW_PRE, NULL, 1, -EINVAL},
        {"write", CALL_NAME_buf, IDW_PRE, big, EVENT_BYTES_MAX + 1, -E2BIG},
        {"connect", CALL_NAME_sockaddr, IDW_PRE, big, 129, -E2BIG},
        {"stat", CALL_NAME_statbuf, IDW_POST, big, sizeof(struct stat) - 1, -EINVAL},
        {"rt_sigprocmask", CALL_NAME_sigset, IDW_PRE, big, 4, -EINVAL},
        {"rt_sigprocmask", CALL_NAME_sigset, IDW_PRE, big, 8, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        begin_call(&ev, cases[i].call, 0, 0, 0);
        ev.regs[3] = 8;
        if (cases[i].phase == IDW_POST)
            event_result(&ev, 0);
        cr_expect_eq(assign(&ev, cases[i].name, cases[i].data, cases[i].len), cases[i].rc, "case %zu", i);
        cr_expect(cases[i].rc == 0 || ev.assigned == 0, "case %zu", i);
        event_clear(&ev);
    }
}

Test(assign, an_unreadable_argument_is_a_fault_no_more)
{
    struct idw_event ev;
    begin_call(&ev, "rename", 8, 16, 0);
    cr_expect_eq(copy(&ev, CALL_NAME_oldpath)->error, EFAULT);
    cr_expect_eq(copy(&ev, CALL_NAME_newpath)->error, EFAULT);
    cr_assert_eq(assign(&ev, CALL_NAME_oldpath, "a", 1), 0);
    cr_expect_eq(ev.fault, EFAULT, "the other is one");
    cr_assert_eq(assign(&ev, CALL_NAME_newpath, "b", 1), 0);
    cr_expect_eq(ev.fault, 0);
    event_clear(&ev);
}

/* What the target gets of "0123456789", and what becomes of the result. */
Test(assign, outputs_are_cut_to_the_room)
{
    static char room[64];
    static const struct {
        const char *call;
        unsigned name;
        uint64_t regs[3];
        int64_t result;
        size_t given;
        int64_t after;
    } cases[] = {
        {"read", CALL_NAME_buf, {0, 1, 20}, 3, 10, 10},
        {"read", CALL_NAME_buf, {0, 1, 4}, 3, 4, 4},
        {"read", CALL_NAME_buf, {0, 1, 4}, 0, 4, 4},
        {"read", CALL_NAME_buf, {0, 1, 4}, -EAGAIN, 4, -EAGAIN},
        {"read", CALL_NAME_buf, {0, 0, 4}, 3, 0, 0},
        {"readlink", CALL_NAME_buf, {1, 1, UINT64_C(0x100000006)}, 5, 6, 6},
        {"fgetxattr", CALL_NAME_value, {0, 0, 1}, 7, 0, 10}, /* size 0, in register 3 */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        const uint64_t *r = cases[i].regs;
        begin_call(&ev, cases[i].call, r[0], r[1] ? address_of(room) : 0,
                   r[2] == 1 ? address_of(room) : r[2]);
        event_result(&ev, cases[i].result);
        cr_assert_eq(assign(&ev, cases[i].name, "0123456789", 10), 0, "case %zu", i);
        const struct event_copy *c = copy(&ev, cases[i].name);
        cr_expect(c->assigned && c->len == cases[i].given, "case %zu: %zu", i, c->len);
        cr_expect_eq(memcmp(c->data, "0123456789", c->len), 0, "case %zu", i);
        cr_expect_eq(ev.result, cases[i].after, "case %zu: %ld", i, (long)ev.result);
        cr_expect_eq(ev.kernel_result, cases[i].result, "case %zu", i);
        cr_expect_eq(ev.result_assigned, cases[i].result >= 0, "case %zu", i);
        event_clear(&ev);
    }
}

Test(assign, a_struct_where_there_is_none_asked_for)
{
    struct timespec left = {0};
    struct idw_event ev;
    begin_call(&ev, "nanosleep", address_of(&left), 0, 0);
    event_result(&ev, 0);
    cr_assert_eq(assign(&ev, CALL_NAME_rem, &left, sizeof left), 0);
    cr_expect_eq(copy(&ev, CALL_NAME_rem)->len, 0);
    event_clear(&ev);
}

/* accept's addrlen: the room before the call, what there was to write behind it. */
Test(assign, the_room_of_an_address_is_what_the_target_said_before)
{
    struct sockaddr_in6 there = {.sin6_family = AF_INET6}, other = {.sin6_family = AF_INET6, .sin6_port = 1};
    socklen_t len = 12;
    struct idw_event ev;
    begin_call(&ev, "accept", 3, address_of(&there), address_of(&len));
    event_prefetch(&ev);
    len = sizeof there;
    event_result(&ev, 4);
    cr_expect_eq(copy(&ev, CALL_NAME_sockaddr)->len, 12, "the kernel wrote no more");
    cr_assert_eq(assign(&ev, CALL_NAME_sockaddr, &other, sizeof other), 0);
    cr_expect_eq(copy(&ev, CALL_NAME_sockaddr)->len, 12);
    cr_expect_eq(ev.result, 4);
    event_clear(&ev);
}

Test(set, copies_follow_their_length)
{
    char *a = pages(1);
    memset(a, 'm', PAGE);
    static const struct {
        uint64_t offset, count, set;
        size_t len;
        int error;
    } cases[] = {
        {0, 10, 4, 4, 0},
        {0, 10, 10, 10, 0},
        {0, 10, 20, 20, 0},
        {PAGE - 10, 10, 20, 10, EFAULT},
        {PAGE - 10, 20, 20, 10, EFAULT},
        {PAGE - 10, 20, 6, 6, 0},
        {PAGE - 10, 20, 10, 10, 0},
        {0, 0, 3, 3, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        begin_call(&ev, "write", 1, address_of(a) + cases[i].offset, cases[i].count);
        const struct event_copy *c = copy(&ev, CALL_NAME_buf);
        const char *held = c->data;
        size_t had = c->len;
        memset(a, 'x', PAGE);
        cr_assert_eq(event_set(&ev, 2, cases[i].set), 0);
        cr_expect(c->len == cases[i].len && c->error == cases[i].error, "case %zu: %zu %d", i, c->len,
                  c->error);
        for (size_t k = 0; k < c->len; k++)
            cr_expect_eq(((const char *)c->data)[k], k < had ? 'm' : 'x', "case %zu: byte %zu", i, k);
        cr_expect_eq(((const char *)c->data)[c->len], '\0');
        cr_expect(had == 0 || held[had - 1] == 'm', "who holds it may go on reading it");
        cr_expect(ev.regs[2] == cases[i].set && ev.assigned == 1 << 2);
        memset(a, 'm', PAGE);
        event_clear(&ev);
    }
}

Test(set, a_length_beyond_what_was_assigned)
{
    struct idw_event ev;
    begin_call(&ev, "write", 1, address_of("abcdefgh"), 8);
    cr_assert_eq(assign(&ev, CALL_NAME_buf, "xyz", 3), 0);
    cr_expect_eq(event_set(&ev, 2, 4), -EINVAL);
    cr_expect_eq(ev.regs[2], 3);
    cr_expect_eq(event_set(&ev, 2, 2), 0);
    cr_expect_eq(copy(&ev, CALL_NAME_buf)->len, 2);
    event_clear(&ev);
}

Test(set, a_struct_is_had_whole_or_not_at_all)
{
    char *a = pages(1);
    struct idw_event ev;
    const uint64_t regs[6] = {3, address_of("x"), address_of(a) + PAGE - 24, 24};
    event_init(&ev, &someone, getpid(), call_by_name("openat2"), regs);
    cr_expect_eq(copy(&ev, CALL_NAME_how)->len, 24);
    cr_expect_eq(event_set(&ev, 3, 32), 0);
    cr_expect_eq(ev.fault, EFAULT);
    event_clear(&ev);
}

Test(files, a_descriptor_is_taken_once)
{
    _cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct idw_event ev;
    begin_call(&ev, "fchmod", (uint64_t)fd, 0600, 0);
    int kept = event_fd(&ev, arg(&ev, CALL_NAME_fd));
    cr_assert(kept >= 0 && kept != fd);
    struct stat a, b;
    _cleanup_close_ int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    cr_assert_eq(dup3(zero, fd, O_CLOEXEC), fd);
    cr_expect_eq(event_fd(&ev, arg(&ev, CALL_NAME_fd)), kept);
    cr_expect(fstat(kept, &a) == 0 && stat("/dev/null", &b) == 0 && a.st_rdev == b.st_rdev);
    cr_expect(fcntl(kept, F_GETFD) & FD_CLOEXEC);
    cr_assert_eq(event_set(&ev, 0, (uint64_t)zero), 0);
    cr_expect(fcntl(kept, F_GETFD) < 0 && errno == EBADF, "another descriptor is meant now");
    kept = event_fd(&ev, arg(&ev, CALL_NAME_fd));
    cr_expect(fstat(kept, &a) == 0 && stat("/dev/zero", &b) == 0 && a.st_rdev == b.st_rdev);
    event_clear(&ev);
    cr_expect(fcntl(kept, F_GETFD) < 0 && errno == EBADF, "it was the event's");
}

Test(files, descriptors_that_are_none)
{
    static const struct {
        const char *call;
        unsigned name;
        uint64_t value;
        int expected; /* 0: a descriptor */
    } cases[] = {
        {"fchmod", CALL_NAME_fd, 9999, -EBADF},
        {"fchmod", CALL_NAME_fd, UINT64_MAX, -EBADF},
        {"fchmod", CALL_NAME_fd, (uint64_t)(int64_t)AT_FDCWD, -EBADF},
        {"fchmod", CALL_NAME_fd, UINT64_C(0x100000000), 0},
        {"openat", CALL_NAME_dirfd, (uint64_t)(int64_t)AT_FDCWD, 0},
        {"openat", CALL_NAME_dirfd, (uint32_t)AT_FDCWD, 0},
        {"openat", CALL_NAME_dirfd, 9999, -EBADF},
        {"openat", CALL_NAME_flags, 0, -EBADF},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        begin_call(&ev, cases[i].call, cases[i].value, 0, 0);
        int fd = event_fd(&ev, arg(&ev, cases[i].name));
        cr_expect(cases[i].expected == 0 ? fd >= 0 : fd == cases[i].expected, "case %zu: %d", i, fd);
        event_clear(&ev);
    }
}

Test(files, an_object_is_dropped_when_its_path_leads_elsewhere)
{
    static const struct {
        const char *call;
        unsigned reg;
        uint64_t value;
        bool kept;
    } cases[] = {
        {"openat", 0, 5, false},
        {"openat", 2, O_NOFOLLOW, false},
        {"openat", 2, O_APPEND, true},
        {"openat", 3, 0600, true},
        {"openat", 0, 3, true}, /* as it is */
        {"fchmodat2", 3, AT_SYMLINK_NOFOLLOW, false},
        {"fchmodat2", 2, 0600, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        begin_call(&ev, cases[i].call, 3, address_of("x"), 0);
        const struct call_arg *path = arg(&ev, CALL_NAME_path);
        int object, fd = open("/", O_PATH | O_CLOEXEC);
        cr_expect_not(event_object(&ev, path, &object));
        event_keep_object(&ev, path, fd);
        cr_assert_eq(event_set(&ev, cases[i].reg, cases[i].value), 0);
        bool kept = event_object(&ev, path, &object);
        cr_expect_eq(kept, cases[i].kept, "case %zu", i);
        cr_expect(!kept || object == fd, "case %zu", i);
        cr_expect_eq(fcntl(fd, F_GETFD) >= 0, kept, "case %zu", i);
        event_clear(&ev);
        cr_expect_lt(fcntl(fd, F_GETFD), 0);
    }
}

Test(prefetch, what_is_in_memory_and_nothing_else)
{
    char path[] = "/a", from[] = "/b";
    struct idw_event ev;
    begin_call(&ev, "rename", address_of(path), address_of(from), 0);
    event_prefetch(&ev);
    memset(path, 'x', 2);
    memset(from, 'x', 2);
    cr_expect_str_eq(copy(&ev, CALL_NAME_oldpath)->data, "/a");
    cr_expect_str_eq(copy(&ev, CALL_NAME_newpath)->data, "/b");
    event_clear(&ev);
    begin_call(&ev, "read", 0, address_of(path), 2);
    event_prefetch(&ev);
    cr_expect_not(event_fetched(&ev, arg(&ev, CALL_NAME_buf)), "the kernel writes it");
    event_clear(&ev);
    begin_call(&ev, "accept", 0, 0, 0);
    event_prefetch(&ev);
    cr_expect(ev.rooms_known == 0 && ev.fault == 0, "no address is wanted");
    event_clear(&ev);
}
