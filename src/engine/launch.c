/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/launch.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "engine/signals.h"
#include "engine/tracee.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

extern char **environ;

/* Shared by engine and stub; gone from the target with its execve. */
struct launch_page {
    atomic_int listener; /* 0: not yet; else descriptor + 1, or -errno */
    atomic_int go;
    atomic_int exec_errno;
};

static int check_program(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode) || access(path, X_OK) < 0)
        return -EACCES;
    return 0;
}

/* execvp(3)'s search: the first that can be run; EACCES is remembered, ENOENT is not. */
static int search_path(const char *name, char *path)
{
    const char *dirs = getenv("PATH");
    int result = -ENOENT;
    if (dirs == NULL)
        dirs = "/bin:/usr/bin";
    for (const char *at = dirs;; at++) {
        size_t len = strcspn(at, ":");
        int n = snprintf(path, PATH_MAX, "%.*s%s%s", (int)len, at, len > 0 ? "/" : "", name);
        int rc = n < PATH_MAX ? check_program(path) : -ENAMETOOLONG;
        if (rc == 0)
            return 0;
        if (rc == -EACCES)
            result = rc;
        at += len;
        if (*at == '\0')
            return result;
    }
}

/* bash puts the path of what it starts into $_: that is us, and the target would be told so. */
static void own_underscore(const char *path)
{
    char own[PATH_MAX];
    struct stat a, b;
    const char *value = getenv("_");
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
    if (value == NULL || n <= 0)
        return;
    own[n] = '\0';
    if (stat(value, &a) == 0 && stat(own, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        (void)setenv("_", path, 1);
}

int launch_prepare(struct launch *l, char **argv, struct err *e)
{
    *l = (struct launch){.argv = argv, .pid = -1};
    int rc;
    if (strchr(argv[0], '/') != NULL)
        rc = snprintf(l->path, sizeof l->path, "%s", argv[0]) < PATH_MAX ? check_program(l->path)
                                                                         : -ENAMETOOLONG;
    else
        rc = argv[0][0] != '\0' ? search_path(argv[0], l->path) : -ENOENT;
    if (rc < 0)
        return err_set(e, -rc, "%s: %s", argv[0], rc == -ENOENT ? "command not found" : strerror(-rc));
    size_t n = 0;
    while (argv[n] != NULL)
        n++;
    l->script_argv = calloc(n + 2, sizeof *l->script_argv);
    l->page = mmap(NULL, sizeof *l->page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (l->page == MAP_FAILED)
        l->page = NULL;
    if (l->script_argv == NULL || l->page == NULL) {
        launch_clear(l);
        return err_set(e, ENOMEM, "%s: no memory to launch it", argv[0]);
    }
    l->script_argv[0] = "/bin/sh";
    l->script_argv[1] = l->path;
    memcpy(l->script_argv + 2, argv + 1, (n - 1) * sizeof *argv);
    own_underscore(l->path);
    return 0;
}

/* CAP_SYS_ADMIN may install a filter as it is; others only give up setuid programs for it (seccomp(2)). */
static bool must_not_gain(const struct engine_options *o)
{
    cap_flag_value_t admin = CAP_CLEAR;
    cap_t caps = cap_get_proc();
    if (caps != NULL) {
        (void)cap_get_flag(caps, CAP_SYS_ADMIN, CAP_EFFECTIVE, &admin);
        (void)cap_free(caps);
    }
    return o->no_new_privs || admin != CAP_SET;
}

/* Returns what goes into page->listener. */
static int install_filter(const struct engine *en)
{
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                      &en->program);
    if (fd < 0 && errno == EINVAL)
        fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &en->program);
    return fd < 0 ? -errno : (int)fd + 1;
}

/* In the child, until execve. Only async-signal-safe calls, and after the filter none that it could trap but
 * execve. */
static _Noreturn void stub(const struct launch *l, const struct engine *en, int gate, bool no_new_privs)
{
    char byte;
    (void)close(en->guardian->fd); /* the guardian must see the end of the engine, not of the engine and us */
    if (read(gate, &byte, 1) != 1)
        _exit(EXIT_IDWRUN);
    (void)sigaction(SIGCHLD, &en->inherited->sigchld, NULL);
    (void)sigprocmask(SIG_SETMASK, &en->inherited->mask, NULL);
    if (no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        atomic_store(&l->page->listener, -errno);
    else
        atomic_store(&l->page->listener, install_filter(en));
    /* A futex or a pipe would be a call, and any call may be one that a wrapper names. */
    while (atomic_load(&l->page->go) == 0)
        __builtin_ia32_pause();
    (void)execve(l->path, l->argv, environ);
    if (errno == ENOEXEC)
        (void)execve("/bin/sh", l->script_argv, environ);
    atomic_store(&l->page->exec_errno, errno);
    _exit(EXIT_NOT_FOUND);
}

static void kill_stub(struct launch *l)
{
    if (l->pid < 0)
        return;
    (void)kill(l->pid, SIGKILL);
    while (waitpid(l->pid, NULL, __WALL) < 0 && errno == EINTR)
        ;
    l->pid = -1;
}

/* The stub's answer. A signal may stop it on the way, for it is traced already, or kill it. */
static int await_filter(struct launch *l)
{
    static const struct timespec pause = {.tv_nsec = 20000};
    int status;
    for (;;) {
        int published = atomic_load(&l->page->listener);
        if (published != 0)
            return published;
        if (waitpid(l->pid, &status, __WALL | WNOHANG) != l->pid) {
            (void)nanosleep(&pause, NULL);
        } else if (WIFSTOPPED(status)) {
            (void)ptrace(PTRACE_CONT, l->pid, 0, (status >> 16) == 0 ? (unsigned long)WSTOPSIG(status) : 0UL);
        } else {
            l->pid = -1;
            return -ESRCH;
        }
    }
}

static int explain_filter(int error, struct err *e)
{
    if (error == EBUSY)
        return err_set(
            e, error,
            "a notification filter is in place already (a container runtime's, or another idwrun around this "
            "one); the kernel allows one: run the wrappers there, or this program outside of it");
    errno = error;
    return err_errno(e, "can't install the filter");
}

static int take_listener(const struct launch *l, struct engine *en, int published, struct err *e)
{
    if (published < 0)
        return explain_filter(-published, e);
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, l->pid, 0);
    int fd = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, published - 1, 0);
    if (fd < 0)
        return err_errno(e, "can't take the listener from the child");
    en->listener = fd;
    return 0;
}

int launch_start(struct launch *l, struct engine *en, struct err *e)
{
    int gate[2];
    bool no_new_privs = must_not_gain(en->options);
    if (pipe2(gate, O_CLOEXEC) < 0)
        return err_errno(e, "no pipe to the child");
    signals_block();
    l->pid = fork();
    if (l->pid == 0) {
        (void)close(gate[1]);
        stub(l, en, gate[0], no_new_privs);
    }
    (void)close(gate[0]);
    _cleanup_close_ int open_gate = gate[1];
    if (l->pid < 0)
        return err_errno(e, "can't fork");
    /* The stub spins until it is let go; should we die before, nobody else would end it. */
    if (ptrace(PTRACE_SEIZE, l->pid, 0, TRACE_OPTIONS | PTRACE_O_EXITKILL) < 0) {
        int rc = errno == EPERM || errno == EINVAL /* an outer idwrun's answer, filter/place.h */
                     ? err_set(e, EPERM,
                               "can't trace the program: it has a tracer already; idwrun does not run "
                               "inside of idwrun, strace or gdb")
                     : err_errno(e, "can't trace the program");
        kill_stub(l);
        return rc;
    }
    /* From here on nobody of our user may look into us or trace us; the child had to be seized first. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)!write(open_gate, "", 1);
    int rc = take_listener(l, en, await_filter(l), e);
    if (rc < 0)
        kill_stub(l);
    return rc;
}

void launch_done(pid_t pid)
{
    (void)ptrace(PTRACE_SETOPTIONS, pid, 0, TRACE_OPTIONS);
}

void launch_go(struct launch *l)
{
    atomic_store(&l->page->go, 1);
}

int launch_error(const struct launch *l)
{
    return atomic_load(&l->page->exec_errno);
}

void launch_clear(struct launch *l)
{
    free(l->script_argv);
    if (l->page != NULL)
        (void)munmap(l->page, sizeof *l->page);
    l->script_argv = NULL;
    l->page = NULL;
}
