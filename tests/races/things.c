/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files, links and descriptors that attacks swap. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "race.h"

int behind[2];

int make_file(const char *name, size_t size)
{
    int fd = check(open(".new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0755), ".new");
    check(fchmodat(AT_FDCWD, ".new", 0755, 0), ".new"); /* whatever the umask */
    check(truncate(".new", (off_t)size), ".new");
    check(link(".new", name), name);
    check(unlink(".new"), ".new");
    return fd;
}

void forbid_file(const char *name)
{
    char second[64];
    snprintf(second, sizeof second, "%s.too", name);
    check(link(name, second), second);
}

bool is_forbidden(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_nlink == 2;
}

void two_links(const char *good, const char *evil)
{
    check(symlink(good, "link"), "link");
    check(symlink(evil, "other"), "other");
}

void exchange_links(bool evil)
{
    (void)evil;
    syscall(SYS_renameat2, AT_FDCWD, "link", AT_FDCWD, "other", RENAME_EXCHANGE);
}

void swap_fd(bool evil)
{
    dup3(behind[evil], SWAPPED_FD, O_CLOEXEC);
}
