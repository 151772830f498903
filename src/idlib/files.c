/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wr_stat and wr_fstat: files as the subject names them. */
#include "idw/wdl.h"

#include "base/cleanup.h"
#include "idlib/ours.h"
#include "idlib/resolve.h"
#include "subject/event.h"

static int stat_of(int fd, struct stat *st)
{
    return fstatat(fd, "", st, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* Does open with these flags leave a final symbolic link alone? O_PATH makes it ignore O_CREAT and O_EXCL. */
static bool open_nofollow(uint64_t flags)
{
    const uint64_t create = O_CREAT | O_EXCL;
    return (flags & O_NOFOLLOW) != 0 || ((flags & O_PATH) == 0 && (flags & create) == create);
}

static uint64_t argument_or_0(struct idw_event *ev, enum call_name name)
{
    const struct call_arg *a = call_arg_named(ev->call, name);
    return a != NULL ? (uint64_t)event_scalar(ev, a) : 0;
}

/* How the call itself goes about its path argument @a. */
static struct lookup as_called(struct idw_event *ev, const struct call_arg *a, const char *path)
{
    struct lookup l = {.tid = ev->tid, .dirfd = AT_FDCWD, .path = path};
    unsigned at_flags = a->at_flags_reg != 0 ? (unsigned)ev->regs[a->at_flags_reg - 1] : 0;
    if (a->dirfd_reg != 0)
        l.dirfd = (int)ev->regs[a->dirfd_reg - 1];
    l.follow = (a->tags & TAG_NOFOLLOW) == 0 ? (at_flags & AT_SYMLINK_NOFOLLOW) == 0
                                             : (at_flags & AT_SYMLINK_FOLLOW) != 0;
    /* readlinkat takes "" for the descriptor without being asked. */
    l.empty = (at_flags & AT_EMPTY_PATH) != 0 || strcmp(ev->call->name, "readlinkat") == 0;
    if ((a->tags & TAG_COND) != 0) {
        l.follow = !open_nofollow(argument_or_0(ev, CALL_NAME_flags));
        l.resolve = argument_or_0(ev, CALL_NAME_resolve);
    }
    return l;
}

int idw_wr_stat(struct idw_event *ev, const char *path, struct stat *st)
{
    if (path == NULL)
        return -EFAULT;
    const struct call_arg *owner = event_path_owner(ev, path);
    struct lookup l = {.tid = ev->tid, .dirfd = AT_FDCWD, .path = path, .follow = true};
    if (owner != NULL)
        l = as_called(ev, owner, path);
    _cleanup_close_ int fd = resolve(&l);
    if (l.blind || ours_scarce(fd))
        ev->internal_error = true;
    return fd < 0 ? fd : stat_of(fd, st);
}

int idw_wr_fstat(struct idw_event *ev, int fd, struct stat *st)
{
    char link[16];
    if (fd < 0)
        return -EBADF;
    (void)snprintf(link, sizeof link, "fd/%d", fd);
    _cleanup_close_ int theirs = ours_look(ev, resolve_proc(ev->tid, link));
    return theirs < 0 ? theirs : stat_of(theirs, st);
}
