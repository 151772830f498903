/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a thread has left of its limits, and what it shares with us. prlimit(2) needs a capability to look at
 * another user's; procfs does not. */
#include "engine/perform/job.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "subject/proc.h"

#define CGROUP_MAX 8192

/* The soft limit called @name. False: not known. */
static bool limit_of(pid_t tid, const char *name, uint64_t *limit)
{
    char line[256];
    int fd = proc_open(tid, "limits", O_RDONLY);
    _cleanup_fclose_ FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (f == NULL) {
        close_fd_p(&fd);
        return false;
    }
    size_t n = strlen(name);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, n) != 0)
            continue;
        const char *soft = line + n + strspn(line + n, " ");
        *limit = strncmp(soft, "unlimited", 9) == 0 ? UINT64_MAX : strtoull(soft, NULL, 10);
        return true;
    }
    return false;
}

bool may_exceed(pid_t tid, const char *name, uint64_t value)
{
    uint64_t limit;
    return !limit_of(tid, name, &limit) || value > limit;
}

/* The size of this directory is the number of descriptors since Linux 6.2. */
static bool fewer_than(pid_t tid, uint64_t limit)
{
    struct stat st;
    _cleanup_close_ int fd = proc_open(tid, "fd", O_PATH | O_DIRECTORY);
    return fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size < limit;
}

int64_t descriptors_left(pid_t tid)
{
    uint64_t limit, below = 0;
    if (!limit_of(tid, "Max open files", &limit))
        return FOR_TARGET;
    if (fewer_than(tid, limit))
        return 0;
    int fd = proc_open(tid, "fd", O_RDONLY | O_DIRECTORY);
    _cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (d == NULL) {
        close_fd_p(&fd);
        return FOR_TARGET;
    }
    /* A limit that was lowered leaves descriptors above it. */
    for (const struct dirent *entry; (entry = readdir(d)) != NULL;)
        below += entry->d_name[0] != '.' && strtoull(entry->d_name, NULL, 10) < limit;
    return below < limit ? 0 : IS_FULL;
}

/* Its inode number; 0: not known. */
static ino_t namespace_of(pid_t tid, const char *kind)
{
    struct stat st;
    _cleanup_close_ int dir = proc_open(tid, "ns", O_PATH | O_DIRECTORY);
    return dir >= 0 && fstatat(dir, kind, &st, 0) == 0 ? st.st_ino : 0;
}

bool same_namespace(pid_t tid, const char *kind)
{
    ino_t theirs = namespace_of(tid, kind);
    return theirs != 0 && theirs == namespace_of(getpid(), kind);
}

/* False: not known. */
static bool cgroup_of(pid_t tid, char text[CGROUP_MAX])
{
    int fd = proc_open(tid, "cgroup", O_RDONLY);
    _cleanup_fclose_ FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (f == NULL) {
        close_fd_p(&fd);
        return false;
    }
    size_t n = fread(text, 1, CGROUP_MAX, f);
    if (n == CGROUP_MAX || ferror(f))
        return false;
    text[n] = '\0';
    return true;
}

bool same_cgroup(pid_t tid)
{
    char theirs[CGROUP_MAX], ours[CGROUP_MAX];
    return cgroup_of(tid, theirs) && cgroup_of(getpid(), ours) && strcmp(theirs, ours) == 0;
}
