/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths as the target has them, resolved by the kernel for a worker that is in the target's place. The one
 * thing that is not the target's is /proc/self, and whatever else on procfs is about who looks. It never is
 * acted on: what was found is held by a descriptor, and is looked at before it is used.
 */
#include "engine/perform/job.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "idlib/walk.h"

/* File systems that <linux/magic.h> has not, by their own headers: socket, pipe and anonymous inodes are
 * there. */
#define BCACHEFS_MAGIC 0xca451a4e
#define EXFAT_MAGIC 0x2011bab0
#define JFS_MAGIC 0x3153464a
#define XFS_MAGIC 0x58465342
#define ZFS_MAGIC 0x2fc12fc1

bool is_foreign(int fd)
{
    static const unsigned long plain[] = {
        EXT4_SUPER_MAGIC,
        XFS_MAGIC,
        BTRFS_SUPER_MAGIC,
        TMPFS_MAGIC,
        OVERLAYFS_SUPER_MAGIC,
        RAMFS_MAGIC,
        F2FS_SUPER_MAGIC,
        SQUASHFS_MAGIC,
        EROFS_SUPER_MAGIC_V1,
        ISOFS_SUPER_MAGIC,
        MSDOS_SUPER_MAGIC,
        EXFAT_MAGIC,
        UDF_SUPER_MAGIC,
        BCACHEFS_MAGIC,
        ZFS_MAGIC,
        JFS_MAGIC,
        NILFS_SUPER_MAGIC,
        REISERFS_SUPER_MAGIC,
        HUGETLBFS_MAGIC,
        DEVPTS_SUPER_MAGIC,
        PIPEFS_MAGIC,
        SOCKFS_MAGIC,
        ANON_INODE_FS_MAGIC,
        MINIX_SUPER_MAGIC,
        MINIX3_SUPER_MAGIC,
    };
    struct statfs fs;
    if (fstatfs(fd, &fs) < 0)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if ((unsigned long)fs.f_type == plain[i])
            return false;
    return true;
}

static int open_path(const struct name *n, const char *text, uint64_t flags, uint64_t resolve)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags,
                           .resolve =
                               (n->resolve & ~(uint64_t)RESOLVE_CACHED) | RESOLVE_NO_MAGICLINKS | resolve};
    int fd = (int)syscall(SYS_openat2, n->start, text, &how, sizeof how);
    return fd < 0 ? -errno : fd;
}

bool is_scarce(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOSYS || error == EAGAIN;
}

static bool at_foreign(struct walk *w)
{
    return is_foreign(w->at);
}

/*
 * Did the way lead through a foreign file system? Failing in the same way without crossing a mount says no;
 * otherwise it takes a walk. Of links that openat2's flags forbid the walk knows nothing.
 */
int64_t lookup_failed(const struct name *n, const char *text, int error)
{
    if (is_scarce(error))
        return FOR_TARGET;
    int fd = open_path(n, text, n->follow ? 0 : O_NOFOLLOW, RESOLVE_NO_XDEV);
    if (fd == -error)
        return -error;
    if (fd >= 0)
        (void)close(fd);
    if (n->resolve != 0)
        return FOR_TARGET;
    _cleanup_close_ int root = open("/", O_PATH | O_CLOEXEC);
    struct walk w = {.root = root, .follow = n->follow, .stop = at_foreign};
    w.at = text[0] == '/' ? open("/", O_PATH | O_CLOEXEC) : fcntl(n->start, F_DUPFD_CLOEXEC, 3);
    if (root < 0 || w.at < 0 || is_foreign(w.at)) {
        close_fd_p(&w.at);
        return FOR_TARGET;
    }
    int rc = walk(&w, text);
    (void)close(w.at);
    return rc == -error ? -error : FOR_TARGET;
}

/* What a clause saw where now @fd, or a failure, is. */
static int64_t as_seen(const struct job *j, const struct name *n, int fd)
{
    int seen;
    if (!event_object(j->ev, n->arg, &seen))
        return fd;
    int64_t rc = seen < 0 ? seen : walk_same(seen, fd) ? fd : -ESTALE;
    if (rc != fd)
        (void)close(fd);
    return rc;
}

int64_t lookup_direct(const struct job *j, const struct name *n, bool follow)
{
    if (n->error != 0)
        return n->error;
    if (n->empty) {
        int same = fcntl(n->start, F_DUPFD_CLOEXEC, 3);
        return same < 0 ? FOR_TARGET : same;
    }
    int fd = open_path(n, n->text, follow ? 0 : O_NOFOLLOW, 0);
    if (fd < 0) {
        struct name as_followed = *n;
        as_followed.follow = follow;
        return lookup_failed(&as_followed, n->text, -fd);
    }
    if (is_foreign(fd)) {
        (void)close(fd);
        return FOR_TARGET;
    }
    return as_seen(j, n, fd);
}

int64_t lookup_at(const struct job *j, const struct name *n, bool follow)
{
    int64_t rc = lookup_direct(j, n, follow);
    int seen;
    if (rc != FOR_TARGET || n->text == NULL || !event_object(j->ev, n->arg, &seen))
        return rc;
    rc = lookup_by_walk(j, n, n->text, follow);
    if (rc >= 0)
        return as_seen(j, n, (int)rc);
    bool denied = rc == -EACCES || rc == -EPERM;
    return rc == FOR_TARGET || rc == seen || denied ? rc : -ESTALE;
}

int64_t lookup(const struct job *j, const struct name *n)
{
    return lookup_at(j, n, n->follow);
}

/* Where the last component of @text starts; @text itself when it has none but slashes. */
static size_t last_component(const char *text)
{
    size_t end = strlen(text);
    while (end > 0 && text[end - 1] == '/')
        end--;
    while (end > 0 && text[end - 1] != '/')
        end--;
    return end;
}

static int64_t parent_of(const struct name *n, const char *parent)
{
    struct name up = {.arg = n->arg, .start = n->start, .follow = true, .resolve = n->resolve};
    if (n->error != 0)
        return n->error;
    int fd = open_path(&up, parent, O_DIRECTORY, 0);
    if (fd < 0)
        return lookup_failed(&up, parent, -fd);
    if (!is_foreign(fd))
        return fd;
    (void)close(fd);
    return FOR_TARGET;
}

int64_t entry_find(const struct job *j, const struct name *n, struct entry *e)
{
    char parent[PATH_MAX];
    int seen;
    if (n->text == NULL || (n->error != 0 && n->error != FOR_TARGET))
        return n->error != 0 ? n->error : FOR_TARGET;
    size_t at = last_component(n->text);
    e->last = n->text + at;
    /* Of "/" the parent and the last component both are "/". The dot asks for permission to search it. */
    bool rooted = at == 0 && n->text[0] == '/';
    (void)snprintf(parent, sizeof parent, "%.*s%s.", (int)at, n->text, rooted ? "/" : "");
    int64_t rc = parent_of(n, parent);
    if (rc == FOR_TARGET && event_object(j->ev, n->arg, &seen))
        rc = lookup_by_walk(j, n, parent, true);
    e->dir = rc >= 0 ? (int)rc : DEAD_FD;
    return rc < 0 ? rc : 0;
}

/* The entry itself: a slash behind a symbolic link makes these calls fail, not follow. */
static int open_entry(const struct entry *e)
{
    char name[PATH_MAX];
    size_t n = strlen(e->last);
    while (n > 1 && e->last[n - 1] == '/')
        n--;
    memcpy(name, e->last, n);
    name[n] = '\0';
    return openat(e->dir, name, O_PATH | O_CLOEXEC | O_NOFOLLOW | (e->last[n] == '/' ? O_DIRECTORY : 0));
}

int64_t entry_still(const struct job *j, const struct name *n, const struct entry *e, int64_t appeared)
{
    int seen;
    if (!event_object(j->ev, n->arg, &seen))
        return 0;
    _cleanup_close_ int fd = open_entry(e);
    if (fd < 0)
        return 0; /* the call fails as well */
    if (seen < 0)
        return appeared;
    return walk_same(seen, fd) ? 0 : -ESTALE;
}

static uint64_t mount_of(int fd)
{
    struct statx st;
    return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == 0 ? st.stx_mnt_id : 0;
}

bool same_mount(int a, int b)
{
    return mount_of(a) == mount_of(b);
}

int64_t entry_busy(const struct job *j, const struct entry *e, mode_t type)
{
    if (!j->other_mounts || strcmp(e->last, "..") == 0)
        return 0;
    _cleanup_close_ int fd = open_entry(e);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 || (type != 0 && S_ISDIR(type) != S_ISDIR(st.st_mode)))
        return 0;
    return same_mount(fd, e->dir) ? 0 : -EBUSY;
}
