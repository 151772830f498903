/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a thread has left of its limits. prlimit(2) needs a capability to look at another user's; procfs does
 * not. */
#include "engine/perform/job.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/cleanup.h"
#include "subject/proc.h"

bool may_exceed(pid_t tid, const char *name, uint64_t value)
{
    char line[256];
    int fd = proc_open(tid, "limits", O_RDONLY);
    _cleanup_fclose_ FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (f == NULL) {
        close_fd_p(&fd);
        return true;
    }
    size_t n = strlen(name);
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, name, n) != 0)
            continue;
        const char *soft = line + n + strspn(line + n, " ");
        return strncmp(soft, "unlimited", 9) != 0 && value > strtoull(soft, NULL, 10);
    }
    return true;
}

/* The size of this directory is their number since Linux 6.2. */
static int64_t count_descriptors(pid_t tid)
{
    struct stat st;
    int fd = proc_open(tid, "fd", O_RDONLY | O_DIRECTORY);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > 0) {
        close_fd_p(&fd);
        return fd < 0 ? -1 : st.st_size;
    }
    _cleanup_closedir_ DIR *d = fdopendir(fd);
    if (d == NULL) {
        (void)close(fd);
        return -1;
    }
    int64_t n = 0;
    for (const struct dirent *entry; (entry = readdir(d)) != NULL;)
        n += entry->d_name[0] != '.';
    return n;
}

bool descriptors_full(pid_t tid)
{
    int64_t n = count_descriptors(tid);
    return n < 0 || may_exceed(tid, "Max open files", (uint64_t)n + 1);
}
