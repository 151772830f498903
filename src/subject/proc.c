/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/cleanup.h"

/* The whole of /proc/PID/FILE as a string; these files fit. Returns its length, or -ESRCH. */
static ssize_t proc_slurp(pid_t pid, const char *file, char *text, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    size_t used = 0;
    for (;;) {
        ssize_t n = read(fd, text + used, size - 1 - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -ESRCH; /* gone between open and read */
        if (n == 0 || used + (size_t)n == size - 1) {
            used += (size_t)n;
            text[used] = '\0';
            return used > 0 ? (ssize_t)used : -ESRCH;
        }
        used += (size_t)n;
    }
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
    uint64_t start;
    if (rest == NULL ||
        sscanf(rest + 1,
               " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64, &ppid,
               &start) != 2)
        return -ESRCH;
    *out = (struct proc_stat){.ppid = ppid, .start_time = start};
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
    const char *uid = strstr(text, "\nUid:");
    const char *gid = strstr(text, "\nGid:");
    int tgid_value;
    struct proc_status s;
    if (tgid == NULL || uid == NULL || gid == NULL || sscanf(tgid, "\nTgid: %d", &tgid_value) != 1 ||
        sscanf(uid, "\nUid: %u %u", &s.uid, &s.euid) != 2 ||
        sscanf(gid, "\nGid: %u %u", &s.gid, &s.egid) != 2)
        return -ESRCH;
    s.tgid = tgid_value;
    *out = s;
    return 0;
}

int proc_exe(pid_t pid, char *text, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t n = readlink(path, text, size - 1);
    int error = n < 0 ? -errno : 0;
    text[n < 0 ? 0 : n] = '\0';
    return error;
}
