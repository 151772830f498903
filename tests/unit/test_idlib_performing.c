/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that we make ourselves act on what clauses have looked at. The target is this process. */
#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "idw/wdl.h"
#include "subject/event.h"

#define P(pointer) ((uint64_t)(uintptr_t)(pointer))

static char top[] = "/tmp/idlib-XXXXXX";

static void make_top(void)
{
    cr_assert_not_null(mkdtemp(top));
    cr_assert_eq(chdir(top), 0);
    cr_assert_eq(mkdir("dir", 0755), 0);
}

static void remove_top(void)
{
    char command[64];
    (void)snprintf(command, sizeof command, "rm -rf -- '%s'", top);
    cr_assert_eq(system(command), 0);
}

static void make_file(const char *name)
{
    _cleanup_close_ int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0, "%s: %s", name, strerror(errno));
}

static ino_t inode(const char *name)
{
    struct stat st;
    cr_assert_eq(lstat(name, &st), 0, "%s", name);
    return st.st_ino;
}

static void event(struct idw_event *ev, const char *call, uint64_t r0, uint64_t r1, uint64_t r2, uint64_t r3)
{
    const uint64_t regs[6] = {r0, r1, r2, r3, 0, 0};
    const struct call *c = call_by_name(call);
    cr_assert_not_null(c, "%s", call);
    event_init(ev, NULL, getpid(), c, regs);
    ev->performing = true;
}

static int look(struct idw_event *ev, struct stat *st)
{
    return idw_wr_stat(ev, idw_str(ev, CALL_NAME_path), st);
}

static int kept_object(const struct idw_event *ev)
{
    int object = 0;
    cr_assert(event_object(ev, call_arg_named(ev->call, CALL_NAME_path), &object));
    return object;
}

Test(performing, the_object_that_was_looked_at_is_kept, .init = make_top, .fini = remove_top)
{
    struct idw_event ev;
    struct stat st, kept;
    make_file("a");
    make_file("b");
    ino_t first = inode("a");
    event(&ev, "chmod", P("a"), 0600, 0, 0);
    cr_assert_eq(look(&ev, &st), 0);
    cr_expect_eq(st.st_ino, first);
    cr_assert_eq(rename("b", "a"), 0);
    cr_assert_eq(look(&ev, &st), 0);
    cr_expect_eq(st.st_ino, first, "looked at once");
    cr_expect(fstat(kept_object(&ev), &kept) == 0 && kept.st_ino == first);
    cr_assert_eq(idw_wr_stat(&ev, "a", &st), 0);
    cr_expect_eq(st.st_ino, inode("a"), "another string is another question");
    event_result(&ev, 0);
    cr_assert_eq(look(&ev, &st), 0);
    cr_expect_eq(st.st_ino, inode("a"), "behind the call, what is there then");
    cr_expect(fstat(kept_object(&ev), &kept) == 0 && kept.st_ino == first);
    event_clear(&ev);
}

Test(performing, that_there_is_nothing_is_kept_too, .init = make_top, .fini = remove_top)
{
    struct idw_event ev;
    struct stat st;
    event(&ev, "mkdir", P("new"), 0755, 0, 0);
    cr_expect_eq(look(&ev, &st), -ENOENT);
    make_file("new");
    cr_expect_eq(look(&ev, &st), -ENOENT);
    cr_expect_eq(kept_object(&ev), -ENOENT);
    event_result(&ev, 0);
    cr_expect_eq(look(&ev, &st), 0);
    event_clear(&ev);
}

Test(performing, another_path_is_looked_at_anew, .init = make_top, .fini = remove_top)
{
    struct idw_event ev;
    struct stat st;
    make_file("a");
    make_file("b");
    event(&ev, "chmod", P("a"), 0600, 0, 0);
    cr_assert_eq(look(&ev, &st), 0);
    idw_assign(&ev, CALL_NAME_path, "b", 1);
    cr_assert_eq(look(&ev, &st), 0);
    cr_expect_eq(st.st_ino, inode("b"));
    event_clear(&ev);
}

Test(performing, the_directory_is_the_one_that_the_call_gets, .init = make_top, .fini = remove_top)
{
    struct idw_event ev;
    struct stat st;
    make_file("a");
    make_file("dir/a");
    _cleanup_close_ int here = open(".", O_PATH | O_CLOEXEC), dir = open("dir", O_PATH | O_CLOEXEC);
    event(&ev, "fchmodat", (uint64_t)dir, P("a"), 0600, 0);
    cr_assert_eq(idw_wr_fstat(&ev, dir, &st), 0);
    cr_assert_eq(dup3(here, dir, O_CLOEXEC), dir);
    cr_assert_eq(look(&ev, &st), 0);
    cr_expect_eq(st.st_ino, inode("dir/a"));
    cr_assert_eq(idw_wr_fstat(&ev, dir, &st), 0);
    cr_expect_eq(st.st_ino, inode("dir"));
    event_clear(&ev);
}

Test(performing, files_and_sockets_by_descriptor, .init = make_top, .fini = remove_top)
{
    struct idw_event ev;
    struct stat st;
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    struct sockaddr_un own = {.sun_family = AF_UNIX, .sun_path = "socket"};
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                        null = open("/dev/null", O_RDONLY);
    cr_assert_eq(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    event(&ev, "connect", (uint64_t)fd, P(&own), sizeof own, 0);
    cr_assert_eq(idw_wr_fstat(&ev, fd, &st), 0);
    cr_expect(S_ISSOCK(st.st_mode));
    cr_assert_eq(dup2(null, fd), fd);
    cr_expect_eq(idw_wr_getsockname(&ev, fd, &addr, &len), 0, "not what is there now");
    cr_expect_str_eq(((struct sockaddr_un *)&addr)->sun_path, "socket");
    cr_expect_eq(idw_wr_getpeername(&ev, fd, &addr, &len), -ENOTCONN);
    cr_expect_eq(idw_wr_getsockname(&ev, null, &addr, &len), -ENOTSOCK, "no argument of this call");
    cr_expect_eq(idw_wr_fstat(&ev, 9999, &st), -EBADF);
    cr_expect(!ev.internal_error);
    event_clear(&ev);
    event(&ev, "connect", 9999, P(&own), sizeof own, 0);
    cr_expect_eq(idw_wr_fstat(&ev, 9999, &st), -EBADF);
    cr_expect_eq(idw_wr_getpeername(&ev, 9999, &addr, &len), -EBADF);
    cr_expect(!ev.internal_error);
    event_clear(&ev);
}

Test(performing, the_new_file_before_the_target_has_it, .init = make_top, .fini = remove_top)
{
    struct idw_event ev;
    struct stat st;
    make_file("a");
    event(&ev, "open", P("a"), O_RDONLY, 0, 0);
    _cleanup_close_ int file = open("a", O_RDONLY | O_CLOEXEC);
    event_result(&ev, 900);
    ev.result_file = file;
    cr_assert_eq(idw_wr_fstat(&ev, 900, &st), 0);
    cr_expect_eq(st.st_ino, inode("a"));
    cr_expect_eq(idw_wr_fstat(&ev, 901, &st), -EBADF);
    event_clear(&ev);
    cr_expect_geq(fcntl(file, F_GETFD), 0, "it was only lent");
}

Test(performing, nothing_is_kept_for_calls_of_others, .init = make_top, .fini = remove_top)
{
    struct idw_event ev;
    struct stat st;
    int object;
    make_file("a");
    event(&ev, "chmod", P("a"), 0600, 0, 0);
    ev.performing = false;
    cr_assert_eq(look(&ev, &st), 0);
    cr_expect_not(event_object(&ev, call_arg_named(ev.call, CALL_NAME_path), &object));
    event_clear(&ev);
}
