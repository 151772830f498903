/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that make, remove and rename entries of directories: relative to our descriptor of the directory. */
#include "engine/perform/job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"

static void entry_clear(struct entry *e)
{
    close_fd_p(&e->dir);
}

#define _cleanup_entry_ __attribute__((cleanup(entry_clear)))
#define NO_ENTRY                                                                                             \
    {                                                                                                        \
        .dir = DEAD_FD                                                                                       \
    }

int64_t do_unlink(struct job *j)
{
    _cleanup_entry_ struct entry e = NO_ENTRY;
    int flags =
        strcmp(j->ev->call->name, "rmdir") == 0 ? AT_REMOVEDIR : (int)job_argument(j, CALL_NAME_flags);
    int64_t rc = entry_find(j, &j->names[0], &e);
    if (rc == 0)
        rc = entry_still(j, &j->names[0], &e, -ENOENT);
    if (rc == 0)
        rc = entry_busy(j, &e, (flags & AT_REMOVEDIR) != 0 ? S_IFDIR : S_IFREG);
    return rc < 0 ? rc : result_of(unlinkat(e.dir, e.last, flags));
}

int64_t do_mkdir(struct job *j)
{
    _cleanup_entry_ struct entry e = NO_ENTRY;
    int64_t rc = entry_find(j, &j->names[0], &e);
    return rc < 0 ? rc : result_of(mkdirat(e.dir, e.last, (mode_t)job_argument(j, CALL_NAME_mode)));
}

int64_t do_mknod(struct job *j)
{
    _cleanup_entry_ struct entry e = NO_ENTRY;
    int64_t rc = entry_find(j, &j->names[0], &e);
    return rc < 0 ? rc
                  : result_of(syscall(SYS_mknodat, e.dir, e.last, (mode_t)job_argument(j, CALL_NAME_mode),
                                      (unsigned)job_argument(j, CALL_NAME_dev)));
}

int64_t do_symlink(struct job *j)
{
    _cleanup_entry_ struct entry e = NO_ENTRY;
    int64_t rc = entry_find(j, &j->names[0], &e);
    return rc < 0 ? rc : result_of(symlinkat(job_text(j, CALL_NAME_target), e.dir, e.last));
}

int64_t do_link(struct job *j)
{
    char name[OPEN_FD_NAME_MAX];
    _cleanup_entry_ struct entry e = NO_ENTRY;
    const struct name *old = &j->names[0];
    int64_t object = lookup(j, old);
    if (object == FOR_TARGET && old->text != NULL && (job_argument(j, CALL_NAME_flags) & AT_EMPTY_PATH) != 0)
        object = lookup_by_walk(j, old, old->text, old->follow); /* for check_link's reason */
    if (object < 0)
        return object;
    int64_t rc = entry_find(j, &j->names[1], &e);
    if (rc == 0)
        rc = result_of(linkat(AT_FDCWD, own_fd_name((int)object, name), e.dir, e.last, AT_SYMLINK_FOLLOW));
    (void)close((int)object);
    return rc;
}

/* The kernel looks whether they are when both have been found, on one mount and of one kind. */
static int64_t busy(const struct job *j, const struct entry *from, const struct entry *to)
{
    struct stat old, new;
    bool swaps = (job_argument(j, CALL_NAME_flags) & RENAME_EXCHANGE) != 0;
    if (!same_mount(from->dir, to->dir) || fstatat(from->dir, from->last, &old, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    bool there = fstatat(to->dir, to->last, &new, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && !swaps && S_ISDIR(old.st_mode) != S_ISDIR(new.st_mode))
        return 0;
    int64_t rc = entry_busy(j, from, 0);
    return rc == 0 && there ? entry_busy(j, to, 0) : rc;
}

int64_t do_rename(struct job *j)
{
    _cleanup_entry_ struct entry from = NO_ENTRY, to = NO_ENTRY;
    int64_t rc = entry_find(j, &j->names[0], &from);
    if (rc == 0)
        rc = entry_find(j, &j->names[1], &to);
    if (rc == 0)
        rc = entry_still(j, &j->names[0], &from, -ENOENT);
    if (rc == 0)
        rc = entry_still(j, &j->names[1], &to, -ESTALE);
    if (rc == 0)
        rc = busy(j, &from, &to);
    return rc < 0 ? rc
                  : result_of(syscall(SYS_renameat2, from.dir, from.last, to.dir, to.last,
                                      (unsigned)job_argument(j, CALL_NAME_flags)));
}
