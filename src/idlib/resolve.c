/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "idlib/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "idlib/ours.h"
#include "idlib/walk.h"
#include "subject/reach.h"

#define SCOPED (RESOLVE_BENEATH | RESOLVE_IN_ROOT)

static int look_at(struct lookup *l, const char *link)
{
    int fd = reach_link(l->tid, link);
    l->blind = ours_blind(fd);
    return fd;
}

static int directory_of(struct lookup *l)
{
    if (l->start != NULL) {
        int fd = fcntl(*l->start, F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : fd;
    }
    if (l->dirfd == AT_FDCWD)
        return look_at(l, "cwd");
    if (l->dirfd < 0)
        return -EBADF;
    char link[16];
    (void)snprintf(link, sizeof link, "fd/%d", l->dirfd);
    return look_at(l, link);
}

static bool is_on_proc(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC;
}

/*
 * The kernel's own resolution, for where it means the same for us as for the target. Magic links are refused,
 * since /proc/self/cwd would be ours; for the same reason nothing on a procfs is taken from here.
 */
static int by_kernel(const struct lookup *l, int start, uint64_t flags)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC | (l->follow ? 0 : O_NOFOLLOW),
        .resolve = (l->resolve & ~(uint64_t)RESOLVE_CACHED) | flags | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, start, l->path, &how, sizeof how);
    return fd < 0 ? -errno : fd;
}

int resolve(struct lookup *l)
{
    l->blind = false;
    bool absolute = l->path[0] == '/', scoped = (l->resolve & SCOPED) != 0;
    if (strlen(l->path) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (l->path[0] == '\0')
        return l->empty ? directory_of(l) : -ENOENT;

    _cleanup_close_ int root = look_at(l, "root");
    if (root < 0)
        return root;
    _cleanup_close_ int start = absolute && !scoped ? fcntl(root, F_DUPFD_CLOEXEC, 3) : directory_of(l);
    if (start < 0)
        return absolute && !scoped ? -errno : start;
    _cleanup_close_ int own_root = open("/", O_PATH | O_CLOEXEC);
    bool same_root = own_root >= 0 && walk_same(root, own_root);
    if (same_root || absolute || scoped) {
        _cleanup_close_ int fd = by_kernel(l, start, same_root || scoped ? 0 : RESOLVE_IN_ROOT);
        if (fd >= 0 && !is_on_proc(fd))
            return move_fd(&fd);
        if (fd < 0 && l->resolve != 0)
            return fd; /* what it failed for may be the very thing that the target's flags forbid */
    }
    struct walk w = {.tid = l->tid, .root = scoped ? start : root, .at = DEAD_FD, .follow = l->follow};
    w.at = fcntl(start, F_DUPFD_CLOEXEC, 3);
    int r = w.at < 0 ? -errno : walk(&w, l->path);
    l->blind = w.blind;
    _cleanup_close_ int at = w.at;
    return r < 0 ? r : move_fd(&at);
}
