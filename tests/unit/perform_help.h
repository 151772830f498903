/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of performed calls share: a target, which makes a call itself or has it performed, and the
 * tree of files that both find alike. Descriptors and memory of the target are at the numbers and addresses
 * below.
 */
#ifndef TESTS_UNIT_PERFORM_HELP_H
#define TESTS_UNIT_PERFORM_HELP_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <fts.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "engine/perform/perform.h"

/* Descriptors of the target. */
enum { DIR_FD = 100, FILE_FD, LINK_FD, PIPE_FD, UDP_FD, TCP_FD, UNIX_FD, PROC_FD, READ_FD, CLOSED_FD };

#define USER_ID 4201
#define GROUP_ID 4202
#define OTHER_GROUP_ID 4203
#define MEMORY_SIZE (1UL << 20)
#define PAGE 4096UL

/* How the target differs from the test. */
struct guise {
    bool user;    /* another user, other groups */
    bool jail;    /* its root is the tree */
    bool no_caps; /* root without capabilities */
    mode_t umask; /* 0: as it is */
    int files;    /* RLIMIT_NOFILE, 0: as it is */
};

/* Shared with the target, at one address in both. */
struct shared {
    long nr;
    long regs[6];
    long result;
    int error;
    int flags;                /* of a new descriptor */
    char memory[MEMORY_SIZE]; /* strings and structs from the start, outputs from half on */
};

static struct shared *shared;
static char tree[64];
static pid_t target;
static int to_target, from_target;

static void make(const char *name, mode_t mode, uid_t owner)
{
    int fd = openat(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    cr_assert_geq(fd, 0, "%s", name);
    cr_assert_eq(write(fd, "content\n", 8), 8);
    (void)close(fd);
    cr_assert_eq(chmod(name, mode), 0);
    if (getuid() == 0)
        cr_assert_eq(lchown(name, owner, owner), 0);
}

static void make_dir(const char *name, mode_t mode, uid_t owner)
{
    cr_assert_eq(mkdir(name, 0700), 0);
    if (getuid() == 0)
        cr_assert_eq(lchown(name, owner, owner), 0);
    cr_assert_eq(chmod(name, mode), 0);
}

/* The test's own working directory is the tree while it does this. */
static void make_tree(void)
{
    static const char *const links[][2] = {
        {"file", "link"},          {"dir", "dirlink"},
        {"missing", "dangling"},   {"dangling", "dangling2"},
        {"loop", "loop"},          {"/proc/self/fd/101", "magic"},
        {"/proc/self", "self"},    {"dir/../dirlink/../link", "chain"},
        {"closed/file", "barred"}, {"/dev/null", "null"},
    };
    make_dir("dir", 0777, USER_ID);
    make_dir("closed", 0711, 0);
    make_dir("barrier", 0700, 0);
    make_dir("sticky", 01777, 0);
    make_dir("setgid", 02777, 0);
    make("file", 0666, USER_ID);
    make("other", 0644, 0);
    make("secret", 0600, 0);
    make("tool", 0755, 0);
    make("dir/file", 0644, USER_ID);
    make("dir/also", 0644, USER_ID);
    make("closed/file", 0600, 0);
    make("barrier/file", 0666, 0);
    make("sticky/file", 0666, 0);
    cr_assert_eq(mkfifo("fifo", 0666), 0);
    cr_assert_eq(chmod("fifo", 0666), 0);
    cr_assert_eq(setxattr("file", "user.test", "value", 5, 0), 0);
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        cr_assert_eq(symlink(links[i][0], links[i][1]), 0);
}

static void clear_tree(void)
{
    char *const paths[] = {tree, NULL};
    FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; (e = fts_read(fts)) != NULL;)
        if (e->fts_level > 0 && (e->fts_info != FTS_D || chmod(e->fts_path, 0700) < 0))
            (void)remove(e->fts_path);
    (void)fts_close(fts);
}

static void at_number(int fd, int number)
{
    if (fd < 0 || dup2(fd, number) != number || close(fd) < 0)
        _exit(3);
}

/* The target's descriptors, anew: the tree is another. */
static void open_all(void)
{
    int ends[2];
    at_number(open("dir", O_RDONLY | O_DIRECTORY), DIR_FD);
    at_number(open("file", O_RDWR), FILE_FD);
    at_number(open("link", O_PATH | O_NOFOLLOW), LINK_FD);
    at_number(open("file", O_RDONLY), READ_FD);
    if (pipe(ends) < 0 || close(ends[0]) < 0)
        _exit(3);
    at_number(ends[1], PIPE_FD);
    at_number(socket(AF_INET, SOCK_DGRAM, 0), UDP_FD);
    at_number(socket(AF_INET, SOCK_STREAM, 0), TCP_FD);
    at_number(socket(AF_UNIX, SOCK_STREAM, 0), UNIX_FD);
}

static void make_call(void)
{
    const long *r = shared->regs;
    shared->result = syscall(shared->nr, r[0], r[1], r[2], r[3], r[4], r[5]);
    shared->error = shared->result < 0 ? errno : 0;
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    if (syscall(SYS_capset, &head, none) < 0)
        _exit(3);
}

static void put_on(const struct guise *g)
{
    static const gid_t groups[] = {OTHER_GROUP_ID};
    struct rlimit files = {.rlim_cur = (rlim_t)g->files, .rlim_max = (rlim_t)g->files};
    at_number(open("/proc/self", O_RDONLY | O_DIRECTORY), PROC_FD);
    if (g->jail && (chroot(".") < 0 || chdir("/dir/..") < 0))
        _exit(3);
    if (g->user && (setgroups(1, groups) < 0 || setresgid(GROUP_ID, GROUP_ID, GROUP_ID) < 0 ||
                    setresuid(USER_ID, USER_ID, USER_ID) < 0))
        _exit(3);
    if (g->no_caps)
        drop_capabilities();
    if (g->umask != 0)
        (void)umask(g->umask);
    if (g->files != 0 && setrlimit(RLIMIT_NOFILE, &files) < 0)
        _exit(3);
}

/* A test that fails leaves nobody behind. */
static void end_with_the_test(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static void be_target(const struct guise *g, int commands, int answers)
{
    char command;
    (void)signal(SIGPIPE, SIG_IGN);
    put_on(g);
    end_with_the_test();
    while (read(commands, &command, 1) == 1) {
        if (command == 'o')
            open_all();
        else if (command == 'c')
            make_call();
        else if (command == 'g')
            shared->flags = fcntl((int)shared->result, F_GETFL);
        else if (command == 'x')
            (void)close((int)shared->result);
        if (write(answers, &command, 1) != 1)
            break;
    }
    _exit(0);
}

static void tell(char command)
{
    char answer = 0;
    cr_assert_eq(write(to_target, &command, 1), 1);
    cr_assert_eq(read(from_target, &answer, 1), 1, "the target has died");
}

static void fresh_tree(void)
{
    clear_tree();
    make_tree();
    tell('o');
}

static void begin(const struct guise *g)
{
    int commands[2], answers[2];
    (void)umask(022);
    (void)strcpy(tree, "/tmp/perform-XXXXXX");
    cr_assert_not_null(mkdtemp(tree));
    cr_assert_eq(chmod(tree, 0777), 0);
    cr_assert_eq(chdir(tree), 0);
    make_tree();
    shared = mmap(NULL, sizeof *shared + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(shared, MAP_FAILED);
    cr_assert_eq(pipe2(commands, O_CLOEXEC) | pipe2(answers, O_CLOEXEC), 0);
    target = fork();
    if (target == 0) {
        (void)close(commands[1]);
        (void)close(answers[0]);
        be_target(g, commands[0], answers[1]);
    }
    (void)close(commands[0]);
    (void)close(answers[1]);
    to_target = commands[1];
    from_target = answers[0];
    tell('o');
}

static void end(void)
{
    (void)close(to_target);
    (void)close(from_target);
    (void)waitpid(target, NULL, 0);
    clear_tree();
    cr_expect_eq(rmdir(tree), 0);
}

#endif
