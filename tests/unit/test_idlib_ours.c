/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose failure it is that a file or socket can't be seen: the subject's own, or ours. */
#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "idw/wdl.h"
#include "subject/event.h"

#define NOBODY 65534

static char top[] = "/tmp/idlib-ours-XXXXXX";
static int stays_open[2];

/* Sleeps in @top, with a socket as @stays_open[0], as somebody who is not root. */
static pid_t target(bool dumpable)
{
    int ready[2];
    char byte;
    cr_assert_eq(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int rc = prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0);
        if (rc == 0 && chdir(top) == 0 && write(ready[1], "", 1) == 1)
            for (;;)
                (void)pause();
        _exit(1);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return pid;
}

static void end(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(top));
    cr_assert_eq(chmod(top, 0755), 0);
    char path[64];
    (void)snprintf(path, sizeof path, "%s/closed", top);
    cr_assert_eq(mkdir(path, 0), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, stays_open), 0);
}

static void tear_down(void)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/closed", top);
    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(rmdir(top), 0);
}

/* The tree too: tear_down is nobody then. */
static void become_nobody(void)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/closed", top);
    if (geteuid() == 0 && chown(path, NOBODY, NOBODY) == 0 && chown(top, NOBODY, NOBODY) == 0)
        cr_assert_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
}

enum question { STAT, FSTAT, SOCKNAME };

/* What @question gives; *@ours: whether the call was refused for it. */
static int ask(pid_t pid, enum question question, const char *path, int fd, bool *ours)
{
    struct stat st;
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    const uint64_t regs[6] = {0};
    struct idw_event ev;
    int rc;
    event_init(&ev, NULL, pid, call_by_name("getpid"), regs);
    switch (question) {
    case STAT:
        rc = idw_wr_stat(&ev, path, &st);
        break;
    case FSTAT:
        rc = idw_wr_fstat(&ev, fd, &st);
        break;
    default:
        rc = idw_wr_getsockname(&ev, fd, &addr, &len);
        break;
    }
    *ours = ev.internal_error;
    event_clear(&ev);
    return rc;
}

Test(ours, no_permission, .init = set_up, .fini = tear_down)
{
    become_nobody();
    const int fd = stays_open[0], closed = 4000;
    const struct {
        const char *what, *path;
        enum question question;
        bool dumpable;
        int fd, expect;
        bool ours;
    } cases[] = {
        {"file", ".", STAT, true, -1, 0, false},
        {"no file", "none", STAT, true, -1, -ENOENT, false},
        {"folder without permission", "closed/file", STAT, true, -1, -EACCES, false},
        {"descriptor", NULL, FSTAT, true, fd, 0, false},
        {"closed descriptor", NULL, FSTAT, true, closed, -EBADF, false},
        {"socket", NULL, SOCKNAME, true, fd, 0, false},
        {"closed socket", NULL, SOCKNAME, true, closed, -EBADF, false},
        {"own file", "/proc/self/cwd/none", STAT, true, -1, -ENOENT, false},
        {"hidden file", ".", STAT, false, -1, -EACCES, true},
        {"hidden root", "/tmp", STAT, false, -1, -EACCES, true},
        {"hidden descriptor", NULL, FSTAT, false, fd, -EACCES, true},
        {"hidden socket", NULL, SOCKNAME, false, fd, -EPERM, true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        pid_t pid = target(cases[i].dumpable);
        bool ours;
        int rc = ask(pid, cases[i].question, cases[i].path, cases[i].fd, &ours);
        cr_expect_eq(rc, cases[i].expect, "%s: %d", cases[i].what, rc);
        cr_expect_eq(ours, cases[i].ours, "%s", cases[i].what);
        end(pid);
    }
}

/* A target that is root can hide its status from us, and with it what its /proc/self is. */
Test(ours, hidden_status, .init = set_up, .fini = tear_down)
{
    pid_t pid = target(true);
    char path[64];
    bool ours;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("/dev/null", path, NULL, MS_BIND, NULL) < 0) {
        end(pid);
        cr_skip("not allowed to mount there");
    }
    cr_expect_eq(ask(pid, STAT, ".", -1, &ours), 0);
    cr_expect_not(ours);
    cr_expect_lt(ask(pid, STAT, "/proc/self/cwd/none", -1, &ours), 0);
    cr_expect(ours);
    end(pid);
}

/* With each number of descriptors that isn't enough: refused; and never an answer that isn't so. */
Test(ours, no_descriptors, .init = set_up, .fini = tear_down)
{
    static const struct {
        const char *path;
        enum question question;
        int expect;
    } cases[] = {
        {".", STAT, 0},      {"/proc/self/cwd/none", STAT, -ENOENT}, {"/tmp", STAT, 0}, {NULL, FSTAT, 0},
        {NULL, SOCKNAME, 0},
    };
    pid_t pid = target(true);
    bool ours;
    cr_assert_eq(ask(pid, FSTAT, NULL, stays_open[0], &ours), 0, "/proc is open from here on");
    int next = dup(0);
    (void)close(next);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned refused = 0;
        for (int free_ones = 0; free_ones < 12; free_ones++) {
            struct rlimit limit;
            cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
            limit.rlim_cur = (rlim_t)(next + free_ones);
            cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
            int rc = ask(pid, cases[i].question, cases[i].path, stays_open[0], &ours);
            cr_expect(ours || rc == cases[i].expect, "case %zu, %d free: %d", i, free_ones, rc);
            cr_expect(!ours || rc == -EMFILE, "case %zu, %d free: %d", i, free_ones, rc);
            refused += ours;
        }
        cr_expect(refused > 0 && refused < 12, "case %zu: %u", i, refused);
    }
    end(pid);
}
