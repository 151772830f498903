/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Performed calls where something happens in between, or where the target is in a place of its own. */
#include "perform_event.h"

#include <errno.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include "engine/perform/performer.h"

static enum performing simply(const char *call, uint64_t a, uint64_t b, uint64_t c)
{
    struct idw_event ev;
    event(&ev, call, (const uint64_t[6]){a, b, c});
    enum performing p = now(&ev);
    event_clear(&ev);
    return p;
}

static void needs_root(void)
{
    if (getuid() != 0)
        cr_skip_test("needs root");
}

static void swap(const char *with, const char *path)
{
    (void)remove(path);
    if (with[0] != '\0')
        cr_assert_eq(rename(with, path), 0);
}

static bool there(const char *path)
{
    return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What a clause saw, what is there when the call is made, and what becomes of it. */
struct seen {
    const char *call;
    const char *path;    /* its argument */
    const char *look;    /* the argument's name */
    const char *seen;    /* the object */
    const char *swap[2]; /* then the first is put in the place of the second */
    long flags;
    int result; /* 1: for the target */
};

static const struct seen seen[] = {
    {"open", "file", "path", "file", {NULL}, O_RDONLY, 0},
    {"open", "link", "path", "file", {NULL}, O_RDONLY, 0},
    {"open", "file", "path", "file", {"secret", "file"}, O_RDONLY, -ESTALE},
    {"open", "link", "path", "file", {"magic", "link"}, O_RDONLY, 0}, /* which is the file */
    {"open", "link", "path", "other", {"magic", "link"}, O_RDONLY, -ESTALE},
    {"open", "file", "path", "file", {"dirlink", "file"}, O_RDONLY, -ESTALE},
    {"open", "file", "path", "file", {"", "file"}, O_RDONLY, -ENOENT},
    {"open", "missing", "path", "missing", {"file", "missing"}, O_RDONLY, -ENOENT},
    {"open", "file", "path", "file", {NULL}, O_PATH, 1},
    {"open", "file", "path", "file", {NULL}, O_RDONLY | O_NOFOLLOW, 0},
    {"open", "file", "path", "file", {"secret", "file"}, O_RDONLY | O_NOFOLLOW, -ESTALE},
    {"open", "file", "path", "file", {NULL}, O_RDWR | O_CREAT | O_TRUNC, 0},
    {"open", "file", "path", "file", {"secret", "file"}, O_RDWR | O_CREAT | O_TRUNC, -ESTALE},
    {"open", "file", "path", "file", {"", "file"}, O_RDWR | O_CREAT, -ESTALE},
    {"open", "missing", "path", "missing", {NULL}, O_RDWR | O_CREAT, 0},
    {"open", "dangling2", "path", "missing", {NULL}, O_RDWR | O_CREAT, 0},
    {"open", "missing", "path", "missing", {"secret", "missing"}, O_RDWR | O_CREAT | O_TRUNC, -ESTALE},
    {"open", "dangling2", "path", "missing", {"secret", "missing"}, O_RDWR | O_CREAT | O_TRUNC, -ESTALE},
    {"open", "missing", "path", "missing", {NULL}, O_RDWR | O_CREAT | O_EXCL, 0},
    {"open", "missing", "path", "missing", {"secret", "missing"}, O_RDWR | O_CREAT | O_EXCL, -EEXIST},
    {"chmod", "file", "path", "file", {NULL}, 0600, 0},
    {"chmod", "file", "path", "file", {"secret", "file"}, 0600, -ESTALE},
    {"unlink", "file", "path", "file", {NULL}, 0, 0},
    {"unlink", "file", "path", "file", {"secret", "file"}, 0, -ESTALE},
    {"unlink", "missing", "path", "missing", {"secret", "missing"}, 0, -ENOENT},
    {"unlink", "missing", "path", "missing", {NULL}, 0, -ENOENT},
    {"mkdir", "missing", "path", "missing", {NULL}, 0700, 0},
    {"mkdir", "missing", "path", "missing", {"secret", "missing"}, 0700, -EEXIST},
};

static void try_seen(const struct seen *s)
{
    struct idw_event ev;
    struct stat before, after;
    fresh_tree();
    cr_assert_eq(stat("secret", &before), 0);
    event(&ev, s->call, (const uint64_t[6]){text(0, s->path), (uint64_t)s->flags, 0640});
    look(&ev, call_name_find(s->look), s->seen);
    if (s->swap[0] != NULL)
        swap(s->swap[0], s->swap[1]);
    enum performing p = now(&ev);
    const char *what = s->call;
    if (s->result > 0) {
        cr_expect_eq(p, PERFORM_IN_TARGET, "%s %s", what, s->path);
    } else {
        cr_expect_eq(p, PERFORM_DONE, "%s %s", what, s->path);
        cr_expect_eq(done.result, s->result, "%s %s %#lo: %ld", what, s->path, s->flags, (long)done.result);
    }
    if (s->swap[0] != NULL && strcmp(s->swap[0], "secret") == 0) {
        cr_expect_eq(stat(s->swap[1], &after), 0, "%s %s: what came in between is gone", what, s->path);
        cr_expect_eq(after.st_size, before.st_size, "%s %s", what, s->path);
        cr_expect_eq(after.st_mode, before.st_mode, "%s %s", what, s->path);
        cr_expect_lt(done.file, 0, "%s %s", what, s->path);
    }
    performed_clear(&done);
    event_clear(&ev);
}

Test(perform_hard, what_clauses_saw)
{
    start(&(struct guise){0});
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
        try_seen(&seen[i]);
    stop();
}

Test(perform_hard, renamed_onto_what_nobody_saw)
{
    struct idw_event ev;
    start(&(struct guise){0});
    event(&ev, "rename", (const uint64_t[6]){text(0, "file"), text(1, "missing")});
    look(&ev, CALL_NAME_newpath, "missing");
    swap("secret", "missing");
    cr_expect_eq(now(&ev), PERFORM_DONE);
    cr_expect_eq(done.result, -ESTALE);
    cr_expect(there("file"));
    event_clear(&ev);
    stop();
}

/* Search permission is the target's, though clauses looked with ours. */
Test(perform_hard, seeing_is_no_permission)
{
    struct idw_event ev;
    needs_root();
    start(&(struct guise){.user = true});
    event(&ev, "open", (const uint64_t[6]){text(0, "barrier/file"), O_RDONLY});
    look(&ev, CALL_NAME_path, "barrier/file");
    cr_expect_eq(now(&ev), PERFORM_DONE);
    cr_expect_eq(done.result, -EACCES);
    event_clear(&ev);
    stop();
}

static void nothing(int signal)
{
    (void)signal;
}

Test(perform_hard, signal_while_a_fifo_waits)
{
    const struct itimerval soon = {.it_value = {.tv_usec = 50000}};
    start(&(struct guise){0});
    cr_assert_eq(sigaction(SIGALRM, &(struct sigaction){.sa_handler = nothing}, NULL), 0);
    cr_assert_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
    cr_expect_eq(simply("open", text(0, "fifo"), O_RDONLY, 0), PERFORM_INTERRUPTED);
    cr_expect_lt(done.file, 0);
    stop();
}

/* EMFILE comes ahead of everything that the path could be. */
Test(perform_hard, no_descriptor_is_free)
{
    start(&(struct guise){0});
    struct rlimit few = {.rlim_cur = 5, .rlim_max = 4096};
    cr_assert_eq(simply("open", text(0, "new"), O_CREAT | O_WRONLY, 0644), PERFORM_DONE);
    performed_clear(&done);
    cr_assert_eq(prlimit(target, RLIMIT_NOFILE, &few, NULL), 0);
    static const struct {
        const char *path;
        uint64_t flags;
        int result;
    } full[] = {
        {"newer", O_CREAT | O_WRONLY, -EMFILE}, {"file", O_WRONLY | O_TRUNC, -EMFILE},
        {"missing", O_RDONLY, -EMFILE},         {"file", O_CREAT | O_DIRECTORY | O_TMPFILE, -EINVAL},
        {"", O_CREAT | O_WRONLY, -ENOENT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(full); i++) {
        cr_expect_eq(simply("open", text(0, full[i].path), full[i].flags, 0644), PERFORM_DONE, "%s",
                     full[i].path);
        cr_expect_eq(done.result, full[i].result, "%s: %ld", full[i].path, (long)done.result);
    }
    cr_expect(!there("newer"));
    cr_expect_eq(simply("open", text(0, "file"), O_RDONLY, 0), PERFORM_DONE, "ADDFD will tell");
    stop();
}

Test(perform_hard, longer_than_the_limit)
{
    struct rlimit few = {.rlim_cur = 100, .rlim_max = 4096};
    start(&(struct guise){0});
    cr_assert_eq(prlimit(target, RLIMIT_FSIZE, &few, NULL), 0);
    cr_expect_eq(simply("truncate", text(0, "file"), 101, 0), PERFORM_IN_TARGET);
    cr_expect_eq(simply("truncate", text(0, "file"), 100, 0), PERFORM_DONE);
    cr_expect_eq(simply("ftruncate", FILE_FD, 101, 0), PERFORM_IN_TARGET);
    stop();
}

Test(perform_hard, outputs_that_do_not_fit)
{
    struct idw_event ev;
    char *hole = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_eq(mprotect(hole + PAGE, PAGE, PROT_READ), 0);
    start(&(struct guise){0});
    const uint64_t outs[] = {0, 8, UINT64_MAX - 10, (uint64_t)(hole + PAGE - 16)};
    for (size_t i = 0; i < ARRAY_SIZE(outs); i++) {
        event(&ev, "stat", (const uint64_t[6]){text(0, "file"), outs[i]});
        cr_expect_eq(now(&ev), PERFORM_DONE);
        cr_expect_eq(done.result, 0);
        cr_expect_eq(perform_give(&ev), -EFAULT, "%#lx", (unsigned long)outs[i]);
        event_clear(&ev);
    }
    stop();
}

/* Post clauses read what was not yet written, and what they change is what the target gets. */
Test(perform_hard, outputs_in_post)
{
    struct idw_event ev;
    start(&(struct guise){0});
    char *out = shared->memory + 4096;
    event(&ev, "readlink", (const uint64_t[6]){text(0, "link"), (uint64_t)out, 100});
    cr_assert_eq(now(&ev), PERFORM_DONE);
    const struct call_arg *a = call_arg_named(ev.call, CALL_NAME_buf);
    cr_expect_eq(event_memory(&ev, a)->len, 4);
    cr_expect_str_eq(event_memory(&ev, a)->data, "file");
    cr_expect_eq(out[0], 0, "before its time");
    cr_expect_eq(event_assign(&ev, a, "another", 7), 0);
    cr_expect_eq(perform_give(&ev), 0);
    cr_expect_eq(memcmp(out, "another", 8), 0);
    cr_expect_eq(ev.result, 7);
    event_clear(&ev);
    stop();
}

static void assign_path(struct idw_event *ev, const char *path)
{
    cr_assert_eq(event_assign(ev, call_arg_named(ev->call, CALL_NAME_path), path, strlen(path)), 0);
}

Test(perform_hard, assigned_paths)
{
    struct idw_event ev;
    start(&(struct guise){0});
    event(&ev, "open", (const uint64_t[6]){text(0, "missing"), O_RDONLY});
    assign_path(&ev, "dir/../dir/../dir/../file");
    cr_expect_eq(now(&ev), PERFORM_DONE);
    cr_expect_geq(done.file, 0);
    event_clear(&ev);
    event(&ev, "stat", (const uint64_t[6]){0, (uint64_t)(shared->memory + 4096)});
    assign_path(&ev, "file");
    cr_expect_eq(now(&ev), PERFORM_DONE, "a path for none");
    cr_expect_eq(done.result, 0);
    event_clear(&ev);
    stop();
}

/* A link that leads to a file and into procfs in turn, and a directory that is replaced by such a link. */
static void flip_for_ever(void)
{
    end_with_the_test();
    for (;;) {
        if (symlink("file", "next") < 0 || rename("next", "flip") < 0 ||
            symlink("/proc/self/status", "next") < 0 || rename("next", "flip") < 0 ||
            symlink("dir", "next") < 0 || rename("next", "turn") < 0 || symlink("/proc/self", "next") < 0 ||
            rename("next", "turn") < 0)
            _exit(1);
    }
}

/* Whatever comes of it, nothing of ours on procfs does. */
Test(perform_hard, links_swapped_all_the_time)
{
    static const long flags[] = {O_RDONLY, O_RDWR | O_CREAT, O_PATH, O_RDONLY | O_NOFOLLOW};
    static const char *const paths[] = {"flip", "turn/file", "turn/status", "turn/fd/3"};
    unsigned made = 0;
    start(&(struct guise){0});
    pid_t flipper = fork();
    if (flipper == 0)
        flip_for_ever();
    for (unsigned i = 0; i < 20000; i++) {
        struct statfs fs;
        enum performing p = simply("open", text(0, paths[i / 4 % 4]), (uint64_t)flags[i % 4], 0600);
        cr_assert_neq(p, PERFORM_INTERRUPTED);
        if (done.file >= 0) {
            cr_assert_eq(fstatfs(done.file, &fs), 0);
            cr_assert_neq(fs.f_type, PROC_SUPER_MAGIC, "%s %#lo", paths[i / 4 % 4], flags[i % 4]);
            made++;
        }
        performed_clear(&done);
    }
    cr_expect_gt(made, 100);
    (void)kill(flipper, SIGKILL);
    (void)waitpid(flipper, NULL, 0);
    stop();
}

static const struct {
    const char *path;
    long flags;
    enum performing how;
} devices[] = {
    {"/dev/null", O_RDWR, PERFORM_DONE},
    {"null", O_WRONLY | O_CREAT | O_TRUNC, PERFORM_DONE},
    {"/dev/zero", O_RDONLY, PERFORM_DONE},
    {"/dev/tty", O_RDWR, PERFORM_IN_TARGET},
    {"/dev/tty", O_PATH, PERFORM_IN_TARGET},
    {"/dev/ptmx", O_RDWR, PERFORM_IN_TARGET},
    {"/dev/fd/101", O_RDONLY, PERFORM_IN_TARGET},
    {"/dev/stdin", O_RDONLY, PERFORM_IN_TARGET},
    {"/proc/self", O_PATH, PERFORM_IN_TARGET},
    {"/proc/version", O_RDONLY, PERFORM_IN_TARGET},
    {"/sys/kernel", O_RDONLY, PERFORM_IN_TARGET},
    {"/proc/../etc/passwd", O_RDONLY, PERFORM_DONE},
    {"/proc/self/root/etc/passwd", O_RDONLY, PERFORM_IN_TARGET},
    {"/proc/self/task/nothing", O_RDONLY, PERFORM_IN_TARGET},
};

Test(perform_hard, devices_and_procfs)
{
    start(&(struct guise){0});
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
        cr_expect_eq(simply("open", text(0, devices[i].path), (uint64_t)devices[i].flags, 0644),
                     devices[i].how, "%s", devices[i].path);
        performed_clear(&done);
    }
    stop();
}

/* Lines of our status that say who we are. */
static char *identity_text(void)
{
    static const char *const keys[] = {"Umask:", "Uid:", "Gid:", "Groups:", "Cap"};
    char *text_of_lines = NULL, line[256];
    size_t size;
    FILE *f = fopen("/proc/thread-self/status", "re"), *to = open_memstream(&text_of_lines, &size);
    while (fgets(line, sizeof line, f) != NULL)
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
            if (strncmp(line, keys[i], strlen(keys[i])) == 0)
                (void)fputs(line, to);
    (void)fclose(f);
    (void)fclose(to);
    return text_of_lines;
}

static void *mask_of_another(void *mask)
{
    struct performer *other = performer_new();
    cr_assert_not_null(other);
    *(mode_t *)mask = umask(0);
    performer_free(other);
    return NULL;
}

/* A worker may be in a target's place when the thread that it has made for another starts. */
Test(perform_hard, worker_made_in_a_targets_place)
{
    start(&(struct guise){0});
    struct identity who = *performer_own(pf);
    _cleanup_close_ int root = open("/", O_PATH | O_CLOEXEC);
    pthread_t thread;
    mode_t mask = 0;
    who.umask = 0135;
    cr_assert_eq(performer_become(pf, &who, root), 0);
    cr_assert_eq(pthread_create(&thread, NULL, mask_of_another, &mask), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    performer_return(pf);
    cr_expect_eq(mask, 022, "%o", mask);
    stop();
}

/* The worker is what it was, whatever it has been. */
Test(perform_hard, worker_comes_back)
{
    char cwd[2][256], root[2][256] = {{0}};
    needs_root();
    start(&(struct guise){.user = true, .jail = true, .umask = 077});
    char *before = identity_text();
    cr_assert_not_null(getcwd(cwd[0], sizeof cwd[0]));
    cr_assert_gt(readlink("/proc/thread-self/root", root[0], sizeof root[0]), 0);
    cr_expect_eq(simply("mkdir", text(0, "/sticky/made"), 0777, 0), PERFORM_DONE);
    cr_expect_eq(done.result, 0);
    char *after = identity_text();
    cr_expect_str_eq(before, after);
    cr_assert_not_null(getcwd(cwd[1], sizeof cwd[1]));
    cr_expect_str_eq(cwd[0], cwd[1]);
    cr_assert_gt(readlink("/proc/thread-self/root", root[1], sizeof root[1]), 0);
    cr_expect_str_eq(root[0], root[1]);
    struct stat st;
    cr_expect_eq(stat("sticky/made", &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0700);
    cr_expect_eq(st.st_uid, USER_ID);
    cr_expect_eq(st.st_gid, GROUP_ID);
    free(before);
    free(after);
    stop();
}

/* A target of another kind, made from a child of its own. */
static void with_child(int (*become)(void), const char *call, uint64_t b, enum performing how, int64_t result)
{
    int ready[2];
    char c;
    cr_assert_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (become() < 0)
            _exit(1);
        end_with_the_test();
        (void)!write(ready[1], "r", 1);
        for (;;)
            (void)pause();
    }
    (void)close(ready[1]);
    cr_assert_eq(read(ready[0], &c, 1), 1);
    pid_t usual = target;
    target = pid;
    cr_expect_eq(simply(call, text(0, "secret"), b, 0), how);
    if (how == PERFORM_DONE)
        cr_expect_eq(done.result, result, "%ld", (long)done.result);
    target = usual;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)close(ready[0]);
}

static int enter_userns(void)
{
    return unshare(CLONE_NEWUSER);
}

/* setuid(2) programs ask access(2) what their caller may do. */
static int be_setuid_user(void)
{
    return setresgid(GROUP_ID, 0, 0) < 0 || setresuid(USER_ID, 0, 0) < 0 ? -1 : 0;
}

static int be_setuid_root(void)
{
    return setresgid(0, GROUP_ID, GROUP_ID) < 0 || setresuid(0, USER_ID, USER_ID) < 0 ? -1 : 0;
}

static int become_other_user(void)
{
    return setresgid(GROUP_ID, GROUP_ID, GROUP_ID) < 0 || setresuid(0, USER_ID, USER_ID) < 0 ||
                   syscall(SYS_setfsuid, 0) < 0
               ? -1
               : 0;
}

Test(perform_hard, other_identities)
{
    needs_root();
    start(&(struct guise){0});
    with_child(enter_userns, "open", O_RDONLY, PERFORM_IN_TARGET, 0);
    with_child(be_setuid_user, "open", O_RDONLY, PERFORM_DONE, 0);
    with_child(be_setuid_root, "open", O_RDONLY, PERFORM_DONE, -EACCES);
    with_child(be_setuid_user, "access", R_OK, PERFORM_IN_TARGET, 0);
    with_child(be_setuid_root, "access", R_OK, PERFORM_IN_TARGET, 0);
    with_child(become_other_user, "open", O_RDONLY, PERFORM_DONE, 0);
    stop();
}

Test(perform_hard, what_is_known)
{
    static const char *const known[] = {"open",         "openat2", "statx",  "faccessat2", "fchmodat2",
                                        "lremovexattr", "mknodat", "linkat", "bind",       "sendto"};
    static const char *const unknown[] = {"chdir", "chroot", "execve", "read", "sendmsg", "name_to_handle_at",
                                          "mount"};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        cr_expect(perform_knows(call_by_name(known[i])), "%s", known[i]);
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        cr_expect(!perform_knows(call_by_name(unknown[i])), "%s", unknown[i]);
    cr_expect(!perform_knows(call_by_nr(ARCH_I386, 5)), "i386's open");
}
