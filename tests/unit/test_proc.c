/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What /proc says, also when somebody has mounted something else there. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "subject/proc.h"

Test(proc, status_of_this_process)
{
    struct proc_status s;
    cr_assert_eq(proc_init(NULL), 0);
    cr_assert_eq(proc_status(getpid(), &s), 0);
    cr_expect_eq(s.tgid, getpid());
    cr_expect_eq(s.ppid, getppid());
    cr_expect_eq(s.uid, getuid());
    cr_expect_eq(s.egid, getegid());
}

static void *thread_stat(void *out)
{
    cr_expect_eq(proc_stat(getpid(), out), 0);
    return NULL;
}

Test(proc, stat_of_this_process)
{
    struct proc_stat alone, two;
    pthread_t t;
    cr_assert_eq(proc_stat(getpid(), &alone), 0);
    cr_assert_eq(pthread_create(&t, NULL, thread_stat, &two), 0);
    cr_assert_eq(pthread_join(t, NULL), 0);
    cr_expect_eq(alone.state, 'R');
    cr_expect_eq(alone.ppid, getppid());
    cr_expect_eq(two.threads, alone.threads + 1);
    cr_expect_eq(two.start_time, alone.start_time);
}

Test(proc, stat_of_who_has_ended)
{
    const uint32_t exiting = 0x4; /* PF_EXITING */
    struct proc_stat s;
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    cr_assert_eq(proc_stat(pid, &s), 0);
    cr_expect_eq(s.state, 'Z');
    cr_expect_eq(s.ppid, getpid());
    cr_expect(s.flags & exiting);
    (void)waitpid(pid, NULL, 0);
    cr_expect_eq(proc_stat(pid, &s), -ESRCH);
}

Test(proc, one_descriptor_for_all)
{
    int fd = proc_root();
    cr_assert_geq(fd, 0);
    cr_expect_eq(proc_root(), fd);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

Test(proc, open_takes_no_link)
{
    cr_expect_eq(proc_open(getpid(), "exe", O_RDONLY), -ELOOP);
    cr_expect_eq(proc_open(getpid(), "cwd/etc", O_RDONLY), -ELOOP);
    cr_expect_eq(proc_open(INT_MAX, "status", O_RDONLY), -ESRCH);
    _cleanup_close_ int fd = proc_open(getpid(), "", O_PATH | O_DIRECTORY);
    cr_expect_geq(fd, 0);
}

static bool own_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

Test(proc, something_else_on_proc)
{
    struct proc_status s;
    cr_assert_eq(proc_init(NULL), 0);
    if (!own_mounts() || mount("none", "/proc", "tmpfs", 0, NULL) < 0)
        cr_skip("not allowed to mount");
    cr_assert_neq(access("/proc/self/status", F_OK), 0);
    cr_expect_eq(proc_status(getpid(), &s), 0);
    cr_expect_eq(s.tgid, getpid());
    cr_assert_eq(umount("/proc"), 0, "sanitizers look there at the end");
}

Test(proc, something_else_on_a_file_of_proc)
{
    char path[64];
    struct proc_status s;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)getpid());
    if (!own_mounts() || mount("/dev/null", path, NULL, MS_BIND, NULL) < 0)
        cr_skip("not allowed to mount there");
    cr_expect_eq(proc_status(getpid(), &s), -EXDEV);
    cr_assert_eq(umount(path), 0, "sanitizers look there at the end");
}

Test(proc, no_procfs)
{
    if (!own_mounts() || mount("none", "/proc", "tmpfs", 0, NULL) < 0)
        cr_skip("not allowed to mount");
    struct err e = {0};
    struct proc_status s;
    cr_expect_eq(proc_init(&e), -ENODEV);
    cr_expect_eq(proc_status(getpid(), &s), -ENODEV);
    cr_assert_eq(umount("/proc"), 0, "sanitizers look there at the end");
}

/* A copy of sleep(1) @depth folders of @width characters down from a temporary folder; runs until killed. */
static pid_t run_deep(unsigned depth, size_t width)
{
    char dir[] = "/tmp/idw-proc-XXXXXX", name[NAME_MAX + 1];
    int tell[2];
    memset(name, 'd', width);
    name[width] = '\0';
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(pipe2(tell, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int rc = chdir(dir);
        for (unsigned i = 0; rc == 0 && i < depth; i++)
            rc = mkdir(name, 0700) < 0 ? -1 : chdir(name);
        if (rc == 0 && system("cp /bin/sleep program") == 0)
            (void)execl("program", "program", "60", NULL);
        _exit(1);
    }
    (void)close(tell[1]);
    cr_expect_eq(read(tell[0], name, 1), 0, "closed by the exec");
    (void)close(tell[0]);
    char command[64];
    (void)snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
    return pid;
}

Test(proc, a_long_path_keeps_its_end)
{
    static const struct {
        unsigned depth;
        size_t width;
        size_t size;
        int expect;
        const char *text; /* NULL: only what it ends in */
    } cases[] = {
        {0, 1, 1024, 0, NULL},
        {8, 200, 1024, 0, NULL},
        {1, 20, 29, 0, ".../program (deleted)"},
        {1, 20, 24, 0, ".../program (deleted)"},
        {25, 200, 1024, -ENAMETOOLONG, "?"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        pid_t pid = run_deep(cases[i].depth, cases[i].width);
        char text[1024];
        memset(text, 'x', sizeof text);
        cr_expect_eq(proc_exe(pid, text, cases[i].size), cases[i].expect, "case %zu", i);
        cr_assert_lt(strnlen(text, sizeof text), cases[i].size, "case %zu", i);
        const char *slash = strrchr(text, '/');
        if (cases[i].text != NULL)
            cr_expect_str_eq(text, cases[i].text, "case %zu: %s", i, text);
        else
            cr_expect(slash != NULL && strcmp(slash, "/program (deleted)") == 0, "case %zu: %s", i, text);
        cr_expect_eq(strncmp(text, "...", 3) == 0, cases[i].depth > 0 && cases[i].expect == 0, "case %zu", i);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        char gone[16];
        cr_expect_lt(proc_exe(pid, gone, sizeof gone), 0);
        cr_expect_str_eq(gone, "");
    }
}
