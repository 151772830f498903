/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/slurp.h"

static int root = DEAD_FD; /* or -errno */
static pthread_once_t root_once = PTHREAD_ONCE_INIT;

static void root_open(void)
{
    struct statfs fs;
    _cleanup_close_ int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstatfs(fd, &fs) < 0)
        root = -errno;
    else
        root = fs.f_type == PROC_SUPER_MAGIC ? move_fd(&fd) : -ENODEV;
}

int proc_root(void)
{
    (void)pthread_once(&root_once, root_open);
    return root;
}

int proc_init(struct err *e)
{
    int fd = proc_root();
    return fd < 0 ? err_set(e, -fd, "/proc is not usable: %s", strerror(-fd)) : 0;
}

int proc_open(pid_t pid, const char *name, int flags)
{
    char path[64];
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
                           .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
    int dir = proc_root();
    if (dir < 0)
        return dir;
    (void)snprintf(path, sizeof path, "%d/%s", (int)pid, name);
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS) /* under valgrind: a kernel that has our listener's calls has this one */
        fd = openat(dir, path, flags | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    return fd;
}

/* /proc/PID/FILE, as much of it as fits. Returns its length, or -ESRCH. */
static ssize_t proc_slurp(pid_t pid, const char *file, char *text, size_t size)
{
    _cleanup_close_ int fd = proc_open(pid, file, O_RDONLY);
    if (fd < 0)
        return fd;
    ssize_t n = slurp(fd, text, size);
    if (n == -EFBIG)
        return (ssize_t)size - 1;
    return n > 0 ? n : -ESRCH; /* gone between open and read */
}

int proc_stat(pid_t pid, struct proc_stat *out)
{
    char text[1024];
    ssize_t n = proc_slurp(pid, "stat", text, sizeof text);
    if (n < 0)
        return (int)n;
    /* The name in parentheses is the target's own and may hold anything, more parentheses too. */
    const char *rest = strrchr(text, ')');
    int ppid;
    struct proc_stat s = {0};
    if (rest == NULL ||
        sscanf(rest + 1,
               " %c %d %*d %*d %*d %*d %" SCNu32 " %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %u %*d %" SCNu64,
               &s.state, &ppid, &s.flags, &s.threads, &s.start_time) != 5)
        return -ESRCH;
    s.ppid = ppid;
    *out = s;
    return 0;
}

int proc_status(pid_t tid, struct proc_status *out)
{
    char text[4096];
    ssize_t n = proc_slurp(tid, "status", text, sizeof text);
    if (n < 0)
        return (int)n;
    /* Name: is escaped by the kernel, so no line can be forged. */
    const char *tgid = strstr(text, "\nTgid:");
    const char *ppid = strstr(text, "\nPPid:");
    const char *uid = strstr(text, "\nUid:");
    const char *gid = strstr(text, "\nGid:");
    int tgid_value, ppid_value;
    struct proc_status s;
    if (tgid == NULL || ppid == NULL || uid == NULL || gid == NULL ||
        sscanf(tgid, "\nTgid: %d", &tgid_value) != 1 || sscanf(ppid, "\nPPid: %d", &ppid_value) != 1 ||
        sscanf(uid, "\nUid: %u %u", &s.uid, &s.euid) != 2 ||
        sscanf(gid, "\nGid: %u %u", &s.gid, &s.egid) != 2)
        return -ESRCH;
    s.tgid = tgid_value;
    s.ppid = ppid_value;
    *out = s;
    return 0;
}

/* A line of hexadecimal digits of a status text, 0 without it. */
static uint64_t status_mask(const char *text, const char *key)
{
    const char *line = strstr(text, key);
    return line != NULL ? strtoull(line + strlen(key), NULL, 16) : 0;
}

bool proc_signalled(pid_t tid)
{
    char text[16384]; /* its groups stand ahead of its signals */
    if (proc_slurp(tid, "status", text, sizeof text) < 0)
        return true; /* gone: nothing to wait for */
    uint64_t pending = status_mask(text, "\nSigPnd:") | status_mask(text, "\nShdPnd:");
    return (pending & ~status_mask(text, "\nSigBlk:") & ~status_mask(text, "\nSigIgn:")) != 0;
}

/* The end of @path, at most @size bytes with its NUL, from a slash on if there is one. */
static void keep_tail(const char *path, char *text, size_t size)
{
    static const char mark[] = "...";
    size_t room = size - sizeof mark;
    const char *tail = path + strlen(path) - room;
    const char *slash = strchr(tail, '/');
    (void)snprintf(text, size, "%s%s", mark, slash != NULL ? slash : tail);
}

int proc_exe(pid_t pid, char *text, size_t size)
{
    char path[PATH_MAX];
    text[0] = '\0';
    _cleanup_close_ int dir = proc_open(pid, "", O_PATH | O_DIRECTORY);
    if (dir < 0)
        return dir;
    ssize_t n = readlinkat(dir, "exe", path, sizeof path - 1);
    if (n < 0) {
        int error = -errno;
        if (error == -ENAMETOOLONG)
            (void)snprintf(text, size, "?");
        return error;
    }
    path[n] = '\0';
    if ((size_t)n < size)
        memcpy(text, path, (size_t)n + 1);
    else
        keep_tail(path, text, size);
    return 0;
}
