/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What bodies call. For paths and descriptors the target is a real process in a place of its own (another
 * working directory, another root, other mounts, another pid namespace); it makes each call itself and says
 * what it saw, and that is what wr_stat must see.
 */
#include <criterion/criterion.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "idw/wdl.h"
#include "subject/event.h"

#define DELETED 100 /* descriptors of the targets */
#define OTHER 101   /* the directory "other" */
#define PLAIN 102   /* the file "file" of their working directory */
#define CLOSED 103

static char top[64]; /* each test's own directory; targets work in top/cwd */

static void in_top(const char *name, char *path)
{
    (void)snprintf(path, PATH_MAX, "%s/%s", top, name);
}

static void make_file(const char *name, const char *text)
{
    char path[PATH_MAX];
    in_top(name, path);
    FILE *f = fopen(path, "we");
    cr_assert_not_null(f, "%s", path);
    cr_assert_geq(fputs(text, f), 0);
    (void)fclose(f);
}

static void make_link(const char *text, const char *name)
{
    char path[PATH_MAX];
    in_top(name, path);
    cr_assert_eq(symlink(text, path), 0, "%s", path);
}

static void make_dir(const char *name)
{
    char path[PATH_MAX];
    in_top(name, path);
    cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
}

static void open_at(const char *name, int fd)
{
    char path[PATH_MAX];
    in_top(name, path);
    int opened = open(path, O_RDONLY);
    if (opened < 0 || dup2(opened, fd) != fd || close(opened) < 0)
        _exit(2);
}

/* What the targets have, we have too, but other files: a look at ours must not go unnoticed. */
static void mislead(void)
{
    char path[PATH_MAX];
    in_top("other", path);
    cr_assert_eq(chdir(path), 0);
    open_at("cwd", DELETED);
    open_at("cwd/dir", OTHER);
    open_at("cwd/dir/file", PLAIN);
    open_at("cwd/dir/file", CLOSED);
}

static void make_tree(void)
{
    static const char *const dirs[] = {"cwd", "cwd/dir", "cwd/jail", "cwd/jail/dir", "other", "proc", "dev"};
    static const char *const links[][2] = {
        {"file", "cwd/link"},
        {"dir", "cwd/dirlink"},
        {"missing", "cwd/dangling"},
        {"loop", "cwd/loop"},
        {"/cwd/file", "cwd/rooted"},
        {"../../../../../../../../../../cwd/file", "cwd/far"},
        {"/proc/self/cwd/file", "cwd/own_cwd"},
        {"/proc/self/fd/100", "cwd/own_fd"},
        {"/proc/thread-self/cwd", "cwd/own_thread"},
        {"/dev/fd/101", "cwd/own_dev_fd"},
        {"/proc/self/fd", "dev/fd"},
        {"dir/../dirlink/../link", "cwd/chain"},
    };
    (void)strcpy(top, "/tmp/idlib-XXXXXX");
    cr_assert_not_null(mkdtemp(top));
    cr_assert_eq(chmod(top, 0755), 0);
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
        make_dir(dirs[i]);
    make_file("cwd/file", "in cwd");
    make_file("cwd/dir/file", "in dir, longer");
    make_file("cwd/jail/file", "in jail");
    make_file("other/file", "in other, longer still");
    make_file("deleted", "deleted soon, so of quite another length");
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        make_link(links[i][0], links[i][1]);
    make_link("file", "cwd/hop1");
    for (int i = 2; i <= 41; i++) {
        char text[32], name[32];
        (void)snprintf(text, sizeof text, "hop%d", i - 1);
        (void)snprintf(name, sizeof name, "cwd/hop%d", i);
        make_link(text, name);
    }
    mislead();
}

static void remove_tree(void)
{
    char command[PATH_MAX];
    (void)snprintf(command, sizeof command, "rm -rf -- '%s'", top);
    cr_assert_eq(system(command), 0);
}

/* Where a target goes before it looks. 0, or -1: not possible for this user. */
struct place {
    const char *name;
    int (*enter)(void);
    unsigned long clone_flags;
    bool needs_root; /* the others work in a user namespace, too */
};

static int stay(void)
{
    return 0;
}

static int become_root_of_namespace(void)
{
    return geteuid() == 0 ? 0 : unshare(CLONE_NEWUSER);
}

static int enter_root(void)
{
    return become_root_of_namespace() < 0 || chroot(top) < 0 || chdir("/cwd") < 0 ? -1 : 0;
}

/* A root that the working directory isn't below: ".." doesn't end at it. */
static int enter_root_below(void)
{
    return become_root_of_namespace() < 0 || chroot("jail") < 0 ? -1 : 0;
}

static int enter_deleted(void)
{
    return mkdir("gone", 0755) < 0 || chdir("gone") < 0 || rmdir("../gone") < 0 ? -1 : 0;
}

/* Other mounts under the same names: files that we see otherwise, or not at all. */
static int enter_mounts(void)
{
    char path[PATH_MAX];
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    in_top("cwd/dir", path);
    if (mount("none", path, "tmpfs", 0, NULL) < 0)
        return -1;
    int fd = open("dir/only_here", O_CREAT | O_WRONLY, 0640);
    return fd < 0 || ftruncate(fd, 12345) < 0 ? -1 : close(fd);
}

static int enter_pids(void)
{
    char path[PATH_MAX];
    in_top("proc", path);
    return enter_mounts() < 0 || mount("none", path, "proc", 0, NULL) < 0 || chroot(top) < 0 ||
                   chdir("/cwd") < 0
               ? -1
               : 0;
}

static const struct place places[] = {
    {"another working directory", stay, 0, false},
    {"a deleted working directory", enter_deleted, 0, false},
    {"another root", enter_root, 0, false},
    {"a root below the working directory", enter_root_below, 0, false},
    {"other mounts", enter_mounts, CLONE_NEWNS, true},
    {"other process numbers", enter_pids, CLONE_NEWNS | CLONE_NEWPID, true},
};

static const char too_long_name[NAME_MAX + 2] = {[0 ... NAME_MAX] = 'x'};
static const char too_long_path[PATH_MAX + 1] = {[0 ... PATH_MAX - 1] = '/'};

static const struct glance {
    int dirfd;
    const char *path;
    int flags;
} glances[] = {
    {AT_FDCWD, "file", 0},
    {AT_FDCWD, "./dir//file", 0},
    {AT_FDCWD, "dir/../file", 0},
    {AT_FDCWD, "..", 0},
    {AT_FDCWD, "../other/file", 0},
    {AT_FDCWD, "../../../../../../../../../..", 0},
    {AT_FDCWD, "/", 0},
    {AT_FDCWD, "/..", 0},
    {AT_FDCWD, "/file", 0},
    {AT_FDCWD, "/cwd/file", 0},
    {AT_FDCWD, "/etc/passwd", 0},
    {AT_FDCWD, "/etc/passwd", AT_SYMLINK_NOFOLLOW},
    {AT_FDCWD, "link", 0},
    {AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW},
    {AT_FDCWD, "chain", 0},
    {AT_FDCWD, "rooted", 0},
    {AT_FDCWD, "far", 0},
    {AT_FDCWD, "dirlink", AT_SYMLINK_NOFOLLOW},
    {AT_FDCWD, "dirlink/", AT_SYMLINK_NOFOLLOW},
    {AT_FDCWD, "dirlink/file", AT_SYMLINK_NOFOLLOW},
    {AT_FDCWD, "dirlink/..", 0},
    {AT_FDCWD, "dir/only_here", 0},
    {AT_FDCWD, "dangling", 0},
    {AT_FDCWD, "dangling", AT_SYMLINK_NOFOLLOW},
    {AT_FDCWD, "loop", 0},
    {AT_FDCWD, "hop40", 0},
    {AT_FDCWD, "hop41", 0},
    {AT_FDCWD, "hop41", AT_SYMLINK_NOFOLLOW},
    {AT_FDCWD, "missing", 0},
    {AT_FDCWD, "missing/..", 0},
    {AT_FDCWD, "file/", 0},
    {AT_FDCWD, "file/..", 0},
    {AT_FDCWD, "file/file", 0},
    {AT_FDCWD, "link/", 0},
    {AT_FDCWD, "", 0},
    {AT_FDCWD, "", AT_EMPTY_PATH},
    {AT_FDCWD, too_long_name, 0},
    {AT_FDCWD, too_long_path, 0},
    {AT_FDCWD, "own_cwd", 0},
    {AT_FDCWD, "own_cwd", AT_SYMLINK_NOFOLLOW},
    {AT_FDCWD, "own_fd", 0},
    {AT_FDCWD, "own_thread/file", 0},
    {AT_FDCWD, "own_dev_fd/file", 0},
    {AT_FDCWD, "/proc/self", 0},
    {AT_FDCWD, "/proc/self", AT_SYMLINK_NOFOLLOW},
    {AT_FDCWD, "/proc/self/cwd/file", 0},
    {AT_FDCWD, "/proc/self/root/cwd/file", 0},
    {AT_FDCWD, "/proc/self/cwd", AT_SYMLINK_NOFOLLOW},
    {AT_FDCWD, "/proc/self/status", 0},
    {AT_FDCWD, "/proc/thread-self/status", 0},
    {AT_FDCWD, "/proc/mounts", 0},
    {AT_FDCWD, "/proc/self/fd/100", 0},
    {AT_FDCWD, "/proc/self/fd/103", 0},
    {AT_FDCWD, "/proc/1/cwd/missing", 0},
    {AT_FDCWD, "/dev/fd/100", 0},
    {AT_FDCWD, "/dev/fd/101/file", 0},
    {OTHER, "file", 0},
    {OTHER, "../cwd/link", AT_SYMLINK_NOFOLLOW},
    {OTHER, "/cwd/file", 0},
    {OTHER, "", AT_EMPTY_PATH},
    {DELETED, "", AT_EMPTY_PATH},
    {PLAIN, "file", 0},
    {PLAIN, "/", 0},
    {CLOSED, "file", 0},
    {CLOSED, "/", 0},
    {CLOSED, "", AT_EMPTY_PATH},
    {-1, "file", 0},
};

/* What the targets tell us, in memory that they share with us. */
static struct seen {
    bool ready, impossible;
    int result[ARRAY_SIZE(glances)];
    struct stat st[ARRAY_SIZE(glances)];
} * seen;

static void target(const struct place *place, int ready)
{
    char path[PATH_MAX];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed assertion ends the test before end() */
    open_at("deleted", DELETED);
    open_at("other", OTHER);
    open_at("cwd/file", PLAIN);
    (void)close(CLOSED);
    in_top("deleted", path);
    (void)unlink(path);
    in_top("cwd", path);
    seen->impossible = chdir(path) < 0 || place->enter() < 0;
    for (size_t i = 0; i < ARRAY_SIZE(glances); i++) {
        const struct glance *g = &glances[i];
        seen->result[i] = fstatat(g->dirfd, g->path, &seen->st[i], g->flags) < 0 ? -errno : 0;
    }
    seen->ready = true;
    (void)close(ready);
    for (;;)
        (void)pause();
}

/* Returns the target, at rest. */
static pid_t start(const struct place *place)
{
    int ends[2];
    char byte;
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(seen, MAP_FAILED);
    cr_assert_eq(pipe(ends), 0);
    pid_t pid = (pid_t)syscall(SYS_clone, place->clone_flags | SIGCHLD, NULL, NULL, NULL, NULL);
    cr_assert_geq(pid, 0, "%s: %s", place->name, strerror(errno));
    if (pid == 0)
        target(place, ends[1]);
    (void)close(ends[1]);
    cr_assert_eq(read(ends[0], &byte, 1), 0); /* until it closes its end */
    (void)close(ends[0]);
    cr_assert(seen->ready, "%s: the target failed", place->name);
    return pid;
}

static void end(pid_t pid)
{
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    (void)munmap(seen, sizeof *seen);
}

static void event(struct idw_event *ev, pid_t tid, const char *call, uint64_t r0, uint64_t r1, uint64_t r2,
                  uint64_t r3)
{
    const uint64_t regs[6] = {r0, r1, r2, r3, 0, 0};
    const struct call *c = call_by_name(call);
    cr_assert_not_null(c, "%s", call);
    event_init(ev, NULL, tid, c, regs);
}

#define P(pointer) ((uint64_t)(uintptr_t)(pointer))

static bool same_file(const struct stat *x, const struct stat *y)
{
    return x->st_dev == y->st_dev && x->st_ino == y->st_ino && x->st_mode == y->st_mode;
}

static void compare(const struct place *place, size_t i, int r, const struct stat *st)
{
    const struct glance *g = &glances[i];
    cr_expect_eq(r, seen->result[i], "%s: %.40s at %d, flags %#x: %s, but the target says %s", place->name,
                 g->path, g->dirfd, g->flags, strerror(-r), strerror(-seen->result[i]));
    if (r == 0 && seen->result[i] == 0)
        cr_expect(same_file(st, &seen->st[i]), "%s: %s at %d, flags %#x: another file than the target's",
                  place->name, g->path, g->dirfd, g->flags);
}

Test(stat, sees_what_the_target_sees, .init = make_tree, .fini = remove_tree, .timeout = 600)
{
    for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
        if (places[p].needs_root && geteuid() != 0)
            continue;
        make_file("deleted", "deleted soon, so of quite another length");
        pid_t pid = start(&places[p]);
        cr_expect(!seen->impossible || geteuid() != 0, "%s: cannot go there", places[p].name);
        /* Calls that the target makes, and those that are made for it. */
        for (size_t n = 0; n < 2 * ARRAY_SIZE(glances) && !seen->impossible; n++) {
            size_t i = n / 2;
            const struct glance *g = &glances[i];
            struct idw_event ev;
            struct stat st;
            event(&ev, pid, "newfstatat", (uint64_t)g->dirfd, P(g->path), 0, (uint64_t)g->flags);
            ev.performing = n % 2 == 1;
            const char *path = idw_str(&ev, CALL_NAME_path);
            compare(&places[p], i, idw_wr_stat(&ev, path, &st), &st);
            /* The same words, but not the call's own: as stat(2) would take them. */
            if (g->dirfd == AT_FDCWD && g->flags == 0)
                compare(&places[p], i, idw_wr_stat(&ev, g->path, &st), &st);
            event_clear(&ev);
        }
        end(pid);
    }
}

Test(stat, follows_links_as_the_call_does, .init = make_tree, .fini = remove_tree)
{
    static struct open_how plain, in_root = {.resolve = RESOLVE_IN_ROOT},
                                  no_links = {.resolve = RESOLVE_NO_SYMLINKS},
                                  nofollow = {.flags = O_NOFOLLOW};
    static const char link[] = "link", rooted[] = "/link", file[] = "other";
    const uint64_t cwd = (uint64_t)AT_FDCWD, size = sizeof plain;
    const struct {
        const char *call;
        uint64_t regs[4];
        enum call_name name;
        mode_t type; /* S_IFREG: the link's target; 0: ELOOP */
    } cases[] = {
        {"open", {P(link), O_RDONLY}, CALL_NAME_path, S_IFREG},
        {"open", {P(link), O_NOFOLLOW}, CALL_NAME_path, S_IFLNK},
        {"open", {P(link), O_CREAT | O_WRONLY}, CALL_NAME_path, S_IFREG},
        {"open", {P(link), O_CREAT | O_EXCL | O_WRONLY}, CALL_NAME_path, S_IFLNK},
        {"open", {P(link), O_CREAT | O_EXCL | O_PATH}, CALL_NAME_path, S_IFREG},
        {"creat", {P(link)}, CALL_NAME_path, S_IFREG},
        {"openat2", {cwd, P(link), P(&plain), size}, CALL_NAME_path, S_IFREG},
        {"openat2", {cwd, P(link), P(&nofollow), size}, CALL_NAME_path, S_IFLNK},
        {"openat2", {cwd, P(link), P(&no_links), size}, CALL_NAME_path, 0},
        {"openat2", {cwd, P(rooted), P(&in_root), size}, CALL_NAME_path, S_IFREG},
        {"lstat", {P(link)}, CALL_NAME_path, S_IFLNK},
        {"chmod", {P(link), 0600}, CALL_NAME_path, S_IFREG},
        {"unlinkat", {cwd, P(link), 0}, CALL_NAME_path, S_IFLNK},
        {"readlink", {P(link)}, CALL_NAME_path, S_IFLNK},
        {"linkat", {cwd, P(link), OTHER, P(file)}, CALL_NAME_oldpath, S_IFLNK},
        {"renameat", {OTHER, P("file"), cwd, P(link)}, CALL_NAME_newpath, S_IFLNK},
        {"execve", {P(link)}, CALL_NAME_path, S_IFREG},
    };
    pid_t pid = start(&places[0]);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        struct stat st = {0};
        const uint64_t *r = cases[i].regs;
        event(&ev, pid, cases[i].call, r[0], r[1], r[2], r[3]);
        int got = idw_wr_stat(&ev, idw_str(&ev, cases[i].name), &st);
        cr_expect_eq(got, cases[i].type == 0 ? -ELOOP : 0, "case %zu, %s: %d", i, cases[i].call, got);
        cr_expect_eq(st.st_mode & S_IFMT, cases[i].type, "case %zu, %s", i, cases[i].call);
        event_clear(&ev);
    }
    struct idw_event ev;
    struct stat st;
    event(&ev, pid, "linkat", cwd, P(link), OTHER, P(file));
    ev.regs[4] = AT_SYMLINK_FOLLOW;
    cr_expect_eq(idw_wr_stat(&ev, idw_str(&ev, CALL_NAME_oldpath), &st), 0);
    cr_expect(S_ISREG(st.st_mode));
    cr_expect_eq(idw_wr_stat(&ev, NULL, &st), -EFAULT);
    event_clear(&ev);
    event(&ev, pid, "readlinkat", OTHER, P(""), 0, 0);
    cr_expect_eq(idw_wr_stat(&ev, idw_str(&ev, CALL_NAME_path), &st), 0);
    cr_expect(S_ISDIR(st.st_mode));
    event_clear(&ev);
    end(pid);
    event(&ev, pid, "close", 0, 0, 0, 0);
    cr_expect_eq(idw_wr_stat(&ev, "/", &st), -ESRCH);
    cr_expect_eq(idw_wr_fstat(&ev, 0, &st), -ESRCH);
    event_clear(&ev);
}

/* Sockets, pipes and files of a target; the parent closes its own copies, so that only the target has them.
 */
enum { STREAM = 110, TCP, LISTENER, PIPE, LINK };

static struct sockaddr_in tcp_peer, tcp_own;

static void give(int fd, int as)
{
    cr_assert_geq(fd, 0, "%s", strerror(errno));
    cr_assert_eq(dup2(fd, as), as);
    (void)close(fd);
}

static void open_sockets(void)
{
    int pair[2], ends[2];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    give(pair[0], STREAM);
    cr_assert_eq(pipe(ends), 0);
    give(ends[0], PIPE);
    give(socket(AF_INET, SOCK_STREAM, 0), LISTENER);
    cr_assert_eq(bind(LISTENER, (struct sockaddr *)&address, len), 0);
    cr_assert_eq(listen(LISTENER, 1), 0);
    cr_assert_eq(getsockname(LISTENER, (struct sockaddr *)&tcp_peer, &len), 0);
    give(socket(AF_INET, SOCK_STREAM, 0), TCP);
    cr_assert_eq(connect(TCP, (struct sockaddr *)&tcp_peer, len), 0);
    cr_assert_eq(getsockname(TCP, (struct sockaddr *)&tcp_own, &len), 0);
    char path[PATH_MAX];
    in_top("cwd/link", path);
    give(open(path, O_PATH | O_NOFOLLOW), LINK);
}

static void close_sockets(void)
{
    for (int fd = STREAM; fd <= LINK; fd++)
        (void)close(fd);
}

Test(fstat, sees_the_targets_descriptors, .init = make_tree, .fini = remove_tree)
{
    open_sockets();
    pid_t pid = start(&places[0]);
    close_sockets();
    static const struct {
        int fd, result;
        mode_t type;
        off_t size;
    } cases[] = {
        {DELETED, 0, S_IFREG, 40}, {OTHER, 0, S_IFDIR, -1}, {PLAIN, 0, S_IFREG, 6}, {STREAM, 0, S_IFSOCK, -1},
        {PIPE, 0, S_IFIFO, -1},    {LINK, 0, S_IFLNK, 4},   {CLOSED, -EBADF, 0, 0}, {-1, -EBADF, 0, 0},
        {AT_FDCWD, -EBADF, 0, 0},  {INT_MAX, -EBADF, 0, 0},
    };
    struct idw_event ev;
    event(&ev, pid, "fchmod", DELETED, 0600, 0, 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct stat st = {0};
        cr_expect_eq(idw_wr_fstat(&ev, cases[i].fd, &st), cases[i].result, "descriptor %d", cases[i].fd);
        cr_expect_eq(st.st_mode & S_IFMT, cases[i].type, "descriptor %d", cases[i].fd);
        cr_expect(cases[i].size < 0 || st.st_size == cases[i].size, "descriptor %d: %ld", cases[i].fd,
                  (long)st.st_size);
    }
    event_clear(&ev);
    end(pid);
}

Test(sockets, names_are_the_targets, .init = make_tree, .fini = remove_tree)
{
    open_sockets();
    pid_t pid = start(&places[0]);
    close_sockets();
    const struct {
        int fd, peer, own;
        const struct sockaddr_in *peer_name, *own_name;
    } cases[] = {
        {TCP, 0, 0, &tcp_peer, &tcp_own},     {LISTENER, -ENOTCONN, 0, NULL, &tcp_peer},
        {STREAM, 0, 0, NULL, NULL},           {PLAIN, -ENOTSOCK, -ENOTSOCK, NULL, NULL},
        {CLOSED, -EBADF, -EBADF, NULL, NULL}, {-1, -EBADF, -EBADF, NULL, NULL},
    };
    struct idw_event ev;
    event(&ev, pid, "read", TCP, 0, 0, 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sockaddr_storage peer, own;
        socklen_t peer_len = sizeof peer, own_len = sizeof own;
        cr_expect_eq(idw_wr_getpeername(&ev, cases[i].fd, &peer, &peer_len), cases[i].peer, "case %zu", i);
        cr_expect_eq(idw_wr_getsockname(&ev, cases[i].fd, &own, &own_len), cases[i].own, "case %zu", i);
        if (cases[i].peer_name != NULL)
            cr_expect_eq(memcmp(&peer, cases[i].peer_name, peer_len), 0, "case %zu", i);
        if (cases[i].own_name != NULL)
            cr_expect_eq(memcmp(&own, cases[i].own_name, own_len), 0, "case %zu", i);
    }
    struct sockaddr_storage small;
    socklen_t len = 2;
    memset(&small, 0xff, sizeof small);
    cr_expect_eq(idw_wr_getpeername(&ev, TCP, &small, &len), 0);
    cr_expect_eq(len, sizeof(struct sockaddr_in));
    cr_expect_eq(small.ss_family, AF_INET);
    cr_expect_eq(((struct sockaddr_in *)&small)->sin_port, 0xffff, "no more than the bytes asked for");
    char text[64], expected[64];
    (void)snprintf(expected, sizeof expected, "127.0.0.1:%d", ntohs(tcp_peer.sin_port));
    cr_expect_eq(wr_get_addr(&tcp_peer, sizeof tcp_peer, text, sizeof text), 0);
    cr_expect_str_eq(text, expected);
    event_clear(&ev);
    end(pid);
    event(&ev, pid, "read", TCP, 0, 0, 0);
    len = sizeof small;
    cr_expect_eq(idw_wr_getpeername(&ev, TCP, &small, &len), -ESRCH);
    event_clear(&ev);
}

/* A thread with descriptors of its own (CLONE_FILES undone): its socket is not its leader's. */
static int own_fd, thread_pipe[2], stop_pipe[2];

static void *thread(void *arg)
{
    pid_t tid = gettid();
    char byte;
    (void)unshare(CLONE_FILES);
    own_fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)!write(thread_pipe[1], &tid, sizeof tid);
    (void)!read(stop_pipe[0], &byte, 1);
    return arg;
}

Test(sockets, a_thread_has_its_own)
{
    pthread_t t;
    pid_t tid;
    struct idw_event ev;
    struct sockaddr_storage addr;
    struct stat st;
    socklen_t len = sizeof addr;
    cr_assert_eq(pipe(thread_pipe), 0);
    cr_assert_eq(pipe(stop_pipe), 0);
    cr_assert_eq(pthread_create(&t, NULL, thread, NULL), 0);
    cr_assert_eq(read(thread_pipe[0], &tid, sizeof tid), (ssize_t)sizeof tid);
    cr_assert_lt(fcntl(own_fd, F_GETFD), 0, "the leader has it too");
    event(&ev, tid, "read", 0, 0, 0, 0);
    cr_expect_eq(idw_wr_getsockname(&ev, own_fd, &addr, &len), 0);
    cr_expect_eq(addr.ss_family, AF_INET);
    cr_expect_eq(idw_wr_fstat(&ev, own_fd, &st), 0);
    cr_expect(S_ISSOCK(st.st_mode));
    event_clear(&ev);
    cr_assert_eq(write(stop_pipe[1], "", 1), 1);
    pthread_join(t, NULL);
}
