/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The open family. What is there already is looked up first, and that very object opened: no device or socket
 * is opened by mistake, and what clauses looked at is what the target gets. A file that shall be made is
 * opened by its path, and what came of it is looked at afterwards.
 */
#include "engine/perform/job.h"

#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "idlib/walk.h"

#define MAKES_UNNAMED (O_TMPFILE & ~O_DIRECTORY)

/* VALID_OPEN_FLAGS of the kernel's include/linux/fcntl.h: open drops what is not in it, openat2 refuses it.
 */
#define OPEN_KNOWN                                                                                           \
    ((unsigned)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |         \
                O_ASYNC | O_DIRECT | 0100000 /* O_LARGEFILE */ | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |      \
                O_CLOEXEC | O_PATH | O_TMPFILE))
#define OPEN_KNOWN_PATH ((unsigned)(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)) /* O_PATH_FLAGS */

#define LINKS_MAX 40 /* MAXSYMLINKS of the kernel */

struct opening {
    struct job *j;
    const struct name *name;
    struct open_how how; /* as the target asks */
    int object;          /* what is there; O_PATH */
    int seen;            /* by clauses: a descriptor, -errno, or 0: they did not look */
    bool looked;
};

static struct open_how how_of(const struct job *j)
{
    struct open_how how = {.flags = job_argument(j, CALL_NAME_flags),
                           .mode = job_argument(j, CALL_NAME_mode),
                           .resolve = job_argument(j, CALL_NAME_resolve)};
    if (call_arg_named(j->ev->call, CALL_NAME_how) != NULL)
        return how;
    how.flags = (unsigned)how.flags & ((how.flags & O_PATH) != 0 ? OPEN_KNOWN_PATH : OPEN_KNOWN);
    how.mode = (how.flags & (O_CREAT | MAKES_UNNAMED)) != 0 ? how.mode & 07777 : 0;
    return how;
}

/* Refused whatever the path is? The empty one is found to be wrong just behind all that. openat2's struct
 * goes as it came: it may be longer than ours. */
static int64_t refused(const struct opening *o)
{
    const struct call_arg *a = call_arg_named(o->j->ev->call, CALL_NAME_how);
    const void *how = a != NULL ? event_memory(o->j->ev, a)->data : &o->how;
    size_t size = a != NULL ? (size_t)job_argument(o->j, CALL_NAME_size) : sizeof o->how;
    int64_t rc = result_of(syscall(SYS_openat2, AT_FDCWD, "", how, size));
    return rc == -ENOENT ? 0 : rc < 0 ? rc : FOR_TARGET;
}

static int64_t by_path(const struct opening *o, uint64_t flags)
{
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .mode = (flags & (O_CREAT | MAKES_UNNAMED)) != 0 ? o->how.mode : 0,
                           .resolve = o->how.resolve | RESOLVE_NO_MAGICLINKS};
    if ((flags & O_PATH) == 0)
        how.flags |= O_NOCTTY;
    return result_of(syscall(SYS_openat2, o->name->start, o->name->text, &how, sizeof how));
}

/* O_NOFOLLOW has had its say, and here would refuse the name of our descriptor, which is a link. */
static int64_t again(int object, uint64_t flags)
{
    char name[OPEN_FD_NAME_MAX];
    const unsigned done = O_CREAT | O_EXCL | O_NOFOLLOW;
    return result_of(
        openat(AT_FDCWD, own_fd_name(object, name), (int)(((unsigned)flags & ~done) | O_CLOEXEC | O_NOCTTY)));
}

/* null, zero, full, random, urandom: the same for everybody. */
static bool is_plain_device(const struct stat *st)
{
    static const unsigned plain[] = {3, 5, 7, 8, 9};
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, plain[i]))
            return true;
    return false;
}

/* May it be us who opens this? */
static bool is_ours_to_open(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISLNK(st.st_mode) ||
           is_plain_device(&st);
}

/* What came of opening by path. */
static int64_t vetted(const struct opening *o, int64_t result)
{
    if (result < 0)
        return result == -EINTR ? result : lookup_failed(o->name, o->name->text, (int)-result);
    int fd = (int)result;
    bool path_only = (o->how.flags & O_PATH) != 0;
    int64_t rc = result;
    if (is_foreign(fd) || (!path_only && !is_ours_to_open(fd)))
        rc = FOR_TARGET;
    else if (o->looked && o->seen >= 0 && (o->how.flags & MAKES_UNNAMED) == 0 && !walk_same(o->seen, fd))
        rc = -ESTALE;
    if (rc != result)
        (void)close(fd);
    return rc;
}

/* An error of opening a file to be made is about the path's last component too: the walk can't tell it. */
static int64_t vetted_made(const struct opening *o, int64_t result)
{
    if (result >= 0 || result == -EINTR)
        return vetted(o, result);
    struct entry e = {.dir = DEAD_FD};
    int64_t rc = entry_find(o->name, &e);
    close_fd_p(&e.dir);
    return rc < 0 ? rc : result;
}

/*
 * Something is there that clauses have looked at, and O_CREAT has a rule of its own for it in sticky
 * directories (fs.protected_regular): ask by the path, but change and open nothing but what they looked at.
 */
static int64_t seen_and_created(const struct opening *o)
{
    struct stat st;
    if (fstat(o->object, &st) < 0)
        return FOR_TARGET;
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
        int64_t asked = vetted(o, by_path(o, o->how.flags & ~(uint64_t)(O_TRUNC | O_EXCL)));
        if (asked < 0)
            return asked;
        (void)close((int)asked);
    }
    return again(o->object, o->how.flags);
}

/* What the symbolic link at @n says, into @text; @e: where it is, the caller's. False: there is no link. */
static bool link_at(const struct name *n, struct entry *e, char text[PATH_MAX])
{
    ssize_t len = entry_find(n, e) == 0 ? readlinkat(e->dir, e->last, text, PATH_MAX - 1) : -1;
    text[len > 0 ? len : 0] = '\0';
    return len > 0;
}

/*
 * Clauses saw that nothing is there. O_EXCL keeps it so, and refuses dangling links too, whose targets
 * open(2) would make: these are followed from here. That following them is allowed the lookup has found.
 */
static int64_t created_unseen(const struct opening *o)
{
    char texts[2][PATH_MAX];
    struct name name = *o->name;
    struct opening there = *o;
    int dir = DEAD_FD;
    int64_t rc = -ELOOP;
    there.name = &name;
    for (unsigned i = 0; i < LINKS_MAX; i++) {
        struct entry e = {.dir = DEAD_FD};
        rc = vetted_made(&there, by_path(&there, o->how.flags | O_EXCL));
        if (rc != -EEXIST || (o->how.flags & O_EXCL) != 0)
            break;
        bool link = link_at(&name, &e, texts[i % 2]);
        close_fd_p(&dir);
        dir = e.dir;
        rc = link ? -ELOOP : -ESTALE;
        if (!link)
            break;
        name.start = dir;
        name.text = texts[i % 2];
    }
    close_fd_p(&dir);
    return rc;
}

/* Nothing is there. */
static int64_t created(const struct opening *o)
{
    return o->looked ? created_unseen(o) : vetted_made(o, by_path(o, o->how.flags));
}

static int64_t opened(const struct opening *o)
{
    const uint64_t flags = o->how.flags;
    struct stat st;
    if (!is_ours_to_open(o->object) || fstat(o->object, &st) < 0)
        return FOR_TARGET;
    if (S_ISLNK(st.st_mode)) /* not to be followed: an error, and by_path knows which */
        return vetted_made(o, by_path(o, flags & ~(uint64_t)O_TRUNC));
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if ((flags & O_CREAT) != 0)
        return o->looked ? seen_and_created(o) : vetted_made(o, by_path(o, flags));
    if ((flags & MAKES_UNNAMED) != 0 || ((flags & O_NOFOLLOW) != 0 && !o->looked))
        return vetted_made(o, by_path(o, flags));
    return again(o->object, flags);
}

static int64_t open_it(struct opening *o)
{
    const uint64_t flags = o->how.flags;
    const uint64_t exclusive = O_CREAT | O_EXCL;
    int64_t rc = refused(o);
    if (rc == 0 && o->name->error != 0)
        rc = o->name->error;
    if (rc != 0)
        return rc;
    o->looked = event_object(o->j->ev, o->name->arg, &o->seen);
    if ((flags & O_PATH) != 0 && !o->looked)
        return vetted(o, by_path(o, flags));
    bool follow = (flags & O_NOFOLLOW) == 0 && ((flags & O_PATH) != 0 || (flags & exclusive) != exclusive);
    rc = lookup_at(o->j, o->name, follow);
    if ((flags & O_PATH) != 0) { /* a clause saw it: that object, by that object's descriptor */
        if (rc < 0)
            return rc;
        (void)close((int)rc);
        return vetted(o, by_path(o, flags));
    }
    if (rc >= 0) {
        o->object = (int)rc;
        return opened(o);
    }
    if ((flags & O_CREAT) == 0 || rc == FOR_TARGET || rc == -ESTALE)
        return rc;
    if (o->looked && o->seen >= 0)
        return rc == -ENOENT ? -ESTALE : rc;
    return created(o);
}

/* The kernel looks at flags and text, then for a free descriptor, then for the file. */
static bool comes_first(const struct opening *o, int64_t rc)
{
    return rc == -EINVAL || rc == -E2BIG || rc == o->name->error;
}

static int64_t full_or(const struct job *j, int64_t rc)
{
    int64_t left = descriptors_left(j->ev->tid);
    return left < 0 ? left : rc;
}

int64_t do_open(struct job *j)
{
    struct opening o = {.j = j, .name = &j->names[0], .how = how_of(j), .object = DEAD_FD};
    int64_t rc = open_it(&o);
    close_fd_p(&o.object);
    if (rc < 0)
        return rc == FOR_TARGET || comes_first(&o, rc) ? rc : full_or(j, rc);
    j->file = (int)rc;
    return 0;
}
