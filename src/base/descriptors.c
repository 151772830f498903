/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/cleanup.h"

static bool was_closed[STDERR_FILENO + 1];
static int *inherited;
static size_t n_inherited;

int stdio_reserve(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        was_closed[fd] = true;
        int opened = open("/dev/null", O_RDWR | O_CLOEXEC); /* the lowest free one */
        if (opened < 0)
            return -errno;
    }
    return 0;
}

bool stdio_was_closed(int fd)
{
    return fd >= 0 && fd <= STDERR_FILENO && was_closed[fd];
}

void stdio_release(int fd)
{
    _cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0)
        (void)dup3(null, fd, O_CLOEXEC);
}

void inherited_note(void)
{
    _cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        int fd = atoi(entry->d_name);
        if (fd <= STDERR_FILENO || fd == dirfd(dir))
            continue;
        int *grown = reallocarray(inherited, n_inherited + 1, sizeof *inherited);
        if (grown == NULL)
            return;
        inherited = grown;
        inherited[n_inherited++] = fd;
    }
}

void inherited_release(void)
{
    for (size_t i = 0; i < n_inherited; i++)
        (void)close(inherited[i]);
    free(inherited);
    inherited = NULL;
    n_inherited = 0;
}
