/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wr_stat and wr_fstat: files as the subject names them. */
#include "idw/wdl.h"

#include "base/cleanup.h"
#include "idlib/ours.h"
#include "idlib/resolve.h"
#include "idlib/theirs.h"
#include "subject/event.h"
#include "subject/reach.h"

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

static int find(struct idw_event *ev, struct lookup *l)
{
    int fd = resolve(l);
    if (l->blind || ours_scarce(fd))
        ev->internal_error = true;
    return fd;
}

/*
 * What path argument @a, of a call that we make, names: found from our own copy of its directory. In the pre
 * phase once, for the call to act on; behind the call, whatever is there then. Ours to close if @kept is not
 * set.
 */
static int object_of(struct idw_event *ev, const struct call_arg *a, const char *path, bool *kept)
{
    int object, start = DEAD_FD;
    *kept = ev->phase == IDW_PRE;
    if (*kept && event_object(ev, a, &object))
        return object;
    struct lookup l = as_called(ev, a, path);
    const struct call_arg *dir = a->dirfd_reg != 0 ? event_arg_in(ev->call, a->dirfd_reg - 1U) : NULL;
    if (dir != NULL && (path[0] != '/' || l.resolve != 0)) {
        start = ours_look(ev, event_fd(ev, dir));
        if (start < 0 && path[0] != '/')
            return start;
        l.start = start >= 0 ? &start : NULL;
    }
    object = find(ev, &l);
    if (*kept)
        event_keep_object(ev, a, object);
    return object;
}

int idw_wr_stat(struct idw_event *ev, const char *path, struct stat *st)
{
    if (path == NULL)
        return -EFAULT;
    const struct call_arg *owner = event_path_owner(ev, path);
    bool kept = false;
    int fd;
    if (owner != NULL && ev->performing) {
        fd = object_of(ev, owner, path, &kept);
    } else {
        struct lookup l = {.tid = ev->tid, .dirfd = AT_FDCWD, .path = path, .follow = true};
        if (owner != NULL)
            l = as_called(ev, owner, path);
        fd = find(ev, &l);
    }
    int r = fd < 0 ? fd : stat_of(fd, st);
    if (!kept)
        close_fd_p(&fd);
    return r;
}

/* Of a call that we make: our descriptor of the file that it has opened, or that an argument means, or
 * -errno. */
static bool is_known(struct idw_event *ev, int fd, int *known)
{
    const struct call_arg *a = theirs_argument(ev, fd);
    if (ev->phase == IDW_POST && ev->result_file >= 0 && fd == ev->result)
        *known = ev->result_file;
    else if (a != NULL)
        *known = ours_look(ev, event_fd(ev, a));
    else
        return false;
    return true;
}

int idw_wr_fstat(struct idw_event *ev, int fd, struct stat *st)
{
    char link[16];
    int known;
    if (fd < 0)
        return -EBADF;
    if (is_known(ev, fd, &known))
        return known < 0 ? known : stat_of(known, st);
    (void)snprintf(link, sizeof link, "fd/%d", fd);
    _cleanup_close_ int theirs = ours_look(ev, reach_link(ev->tid, link));
    return theirs < 0 ? theirs : stat_of(theirs, st);
}
