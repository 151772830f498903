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
    bool toured; /* its path leads through a procfs */
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
static int64_t again(const struct opening *o)
{
    char name[OPEN_FD_NAME_MAX];
    const unsigned done = O_CREAT | O_EXCL | O_NOFOLLOW;
    int flags = (int)(((unsigned)o->how.flags & ~done) | O_CLOEXEC | O_NOCTTY);
    int64_t own =
        o->toured ? open_own(o->j, o->object, flags | (int)(o->how.flags & O_NOFOLLOW)) : FOR_TARGET;
    if (own != FOR_TARGET)
        return own;
    return result_of(openat(AT_FDCWD, own_fd_name(o->object, name), flags, (mode_t)o->how.mode));
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
           S_ISSOCK(st.st_mode) || is_plain_device(&st);
}

/* What came of opening by path. */
static int64_t vetted(const struct opening *o, int64_t result)
{
    if (result < 0)
        return result == -EINTR ? result : lookup_failed(o->name, o->name->text, (int)-result);
    int fd = (int)result;
    int64_t rc = result;
    bool usable = o->looked && o->seen >= 0 ? job_may_use(o->j, fd) : !is_foreign(fd);
    if (!usable || !is_ours_to_open(fd))
        rc = FOR_TARGET;
    else if (o->looked && o->seen >= 0 && !walk_same(o->seen, fd))
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
    int64_t rc = entry_find(o->j, o->name, &e);
    close_fd_p(&e.dir);
    return rc < 0 ? rc : result;
}

/* By the name of its entry, where the way to that leads through a procfs. */
static int64_t by_entry(const struct opening *o, uint64_t flags)
{
    struct entry e = {.dir = DEAD_FD};
    int64_t rc = entry_find(o->j, o->name, &e);
    struct name there = {.arg = o->name->arg, .text = e.last, .start = e.dir, .resolve = o->name->resolve};
    struct opening in_it = *o;
    in_it.name = &there;
    if (rc == 0)
        rc = vetted_made(&in_it, by_path(&in_it, flags));
    if (rc < 0 && e.dir >= 0 && is_foreign(e.dir))
        rc = FOR_TARGET; /* a procfs denies to us what it does not deny to the target */
    close_fd_p(&e.dir);
    return rc;
}

/* A directory; from within, O_NOFOLLOW may be said again. */
static int64_t opened_directory(const struct opening *o)
{
    if ((o->how.flags & O_CREAT) != 0)
        return -EISDIR;
    if ((o->how.flags & O_NOFOLLOW) == 0)
        return again(o);
    int64_t rc = result_of(openat(o->object, ".", (int)o->how.flags | O_CLOEXEC, 0));
    return rc == -EACCES ? again(o) : rc; /* that asks for permission to search */
}

/*
 * O_CREAT has a rule of its own for what is there in sticky directories (fs.protected_regular), and what was
 * opened with O_NOFOLLOW says so (F_GETFL): ask by the path, but change and give nothing but what clauses
 * looked at.
 */
static int64_t asked_by_path(const struct opening *o, const struct stat *st)
{
    const uint64_t flags = o->how.flags & ~(uint64_t)(O_TRUNC | O_EXCL);
    bool kept = (flags & O_NOFOLLOW) != 0; /* and so not opened twice */
    if (!S_ISREG(st->st_mode) && !is_plain_device(st) && !(kept && S_ISFIFO(st->st_mode)))
        return FOR_TARGET;
    return o->toured ? by_entry(o, flags) : vetted_made(o, by_path(o, flags));
}

/* Something is there that clauses have looked at. */
static int64_t opened_seen(const struct opening *o, const struct stat *st)
{
    const uint64_t flags = o->how.flags;
    int64_t asked = FOR_TARGET;
    if ((flags & MAKES_UNNAMED) == 0 && S_ISDIR(st->st_mode))
        return opened_directory(o);
    if ((flags & MAKES_UNNAMED) == 0 && (flags & (O_CREAT | O_NOFOLLOW)) != 0)
        asked = asked_by_path(o, st);
    /* A magic link at the end of the way has no such rule. */
    if (asked < 0 && asked != FOR_TARGET && asked != -ELOOP)
        return asked;
    bool kept = asked >= 0 && (flags & O_NOFOLLOW) != 0;
    if (kept && (flags & O_TRUNC) == 0)
        return asked;
    int64_t rc = again(o);
    kept = kept && rc >= 0;
    int64_t spare = kept ? rc : asked;
    if (spare >= 0)
        (void)close((int)spare);
    return kept ? asked : rc;
}

/* Made where its directory was found, if nothing is there: @e. */
static int64_t made_at(const struct opening *o, const struct name *n, struct entry *e)
{
    struct name there = {.arg = n->arg, .resolve = n->resolve};
    struct opening in_it = *o;
    int64_t rc = entry_find(o->j, n, e);
    if (rc < 0)
        return rc;
    there.text = e->last;
    there.start = e->dir;
    in_it.name = &there;
    rc = by_path(&in_it, o->how.flags | O_EXCL);
    return rc < 0 ? rc : vetted(&in_it, rc);
}

/*
 * Clauses saw that nothing is there. O_EXCL keeps it so, and refuses dangling links too, whose targets
 * open(2) would make: these are followed from here. That following them is allowed the lookup has found.
 */
static int64_t created_unseen(const struct opening *o)
{
    char texts[2][PATH_MAX];
    struct name name = *o->name;
    struct entry e = {.dir = DEAD_FD};
    int64_t rc = -ELOOP;
    for (unsigned i = 0; i < LINKS_MAX && rc == -ELOOP; i++) {
        struct entry next = {.dir = DEAD_FD};
        rc = made_at(o, &name, &next);
        close_fd_p(&e.dir);
        e = next;
        if (rc != -EEXIST || (o->how.flags & O_EXCL) != 0)
            break;
        char *text = texts[i % 2];
        ssize_t len = readlinkat(e.dir, e.last, text, PATH_MAX - 1);
        text[len > 0 ? len : 0] = '\0';
        rc = len <= 0 ? -ESTALE : name.resolve != 0 ? FOR_TARGET : -ELOOP;
        name.error = 0;
        name.start = e.dir;
        name.text = text;
    }
    close_fd_p(&e.dir);
    return rc;
}

/* Nothing is there. */
static int64_t created(const struct opening *o)
{
    return o->looked ? created_unseen(o) : vetted_made(o, by_path(o, o->how.flags));
}

/* Not to be followed, which is an error; by_path knows which. */
static int64_t opened_link(const struct opening *o)
{
    const uint64_t flags = o->how.flags;
    if (!o->toured)
        return vetted_made(o, by_path(o, flags & ~(uint64_t)O_TRUNC));
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    return (flags & O_DIRECTORY) != 0 ? -ENOTDIR : -ELOOP;
}

/* What has to be opened by the target, but what clauses have looked at it may not: does it fail anyhow? */
static int64_t opened_by_target(const struct opening *o)
{
    static const int asks[] = {
        [O_RDONLY] = R_OK, [O_WRONLY] = W_OK, [O_RDWR] = R_OK | W_OK, [O_ACCMODE] = R_OK | W_OK};
    const uint64_t flags = o->how.flags;
    char name[OPEN_FD_NAME_MAX];
    if (!o->looked)
        return FOR_TARGET;
    if ((flags & O_DIRECTORY) != 0)
        return -ENOTDIR;
    int64_t rc =
        result_of(faccessat(AT_FDCWD, own_fd_name(o->object, name), asks[flags & O_ACCMODE], AT_EACCESS));
    return rc < 0 ? rc : descriptors_left(o->j->ev->tid) == IS_FULL ? IS_FULL : FOR_TARGET;
}

/* A name that is to be made can't say that it is a directory's. */
static bool says_directory(const char *text)
{
    size_t n = strlen(text), end = n;
    while (end > 0 && text[end - 1] == '/')
        end--;
    bool dots =
        end > 0 && text[end - 1] == '.' &&
        (end == 1 || text[end - 2] == '/' || (text[end - 2] == '.' && (end == 2 || text[end - 3] == '/')));
    return end > 0 && end < n && !dots;
}

static int64_t opened(const struct opening *o)
{
    const uint64_t flags = o->how.flags;
    struct stat st;
    if (fstat(o->object, &st) < 0)
        return FOR_TARGET;
    if ((flags & O_CREAT) != 0 && says_directory(o->name->text))
        return -EISDIR;
    if (S_ISLNK(st.st_mode))
        return opened_link(o);
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if (!is_ours_to_open(o->object))
        return opened_by_target(o);
    if (o->looked)
        return opened_seen(o, &st);
    if ((flags & (O_CREAT | O_NOFOLLOW | MAKES_UNNAMED)) != 0)
        return vetted_made(o, by_path(o, flags));
    return again(o);
}

static int64_t open_it(struct opening *o)
{
    const uint64_t flags = o->how.flags;
    const uint64_t exclusive = O_CREAT | O_EXCL;
    o->looked = event_object(o->j->ev, o->name->arg, &o->seen);
    bool follow = (flags & O_NOFOLLOW) == 0 && (flags & exclusive) != exclusive;
    int64_t rc = lookup_direct(o->j, o->name, follow);
    o->toured = rc == FOR_TARGET;
    if (o->toured)
        rc = lookup_at(o->j, o->name, follow);
    if (rc >= 0) {
        o->object = (int)rc;
        return opened(o);
    }
    if ((flags & O_CREAT) == 0 || rc == FOR_TARGET || rc == -ESTALE)
        return rc;
    if (o->looked && o->seen >= 0)
        return rc == -ENOENT ? -ESTALE : rc;
    if (o->looked && rc == -ELOOP && !says_directory(o->name->text))
        return rc; /* also of a mount with nosymfollow */
    return created(o);
}

/* The kernel looks at flags and text, then for a free descriptor, then for the file. */
int64_t do_open(struct job *j)
{
    struct opening o = {.j = j, .name = &j->names[0], .how = how_of(j), .object = DEAD_FD};
    int64_t rc = refused(&o);
    if (rc != 0)
        return rc;
    if (j->names[0].text == NULL || j->names[0].error == -EFAULT || j->names[0].error == -ENOENT ||
        j->names[0].error == -ENAMETOOLONG)
        return j->names[0].error;
    if (j->full)
        return IS_FULL;
    rc = open_it(&o);
    close_fd_p(&o.object);
    if (rc < 0) {
        int64_t left = rc != FOR_TARGET ? descriptors_left(j->ev->tid) : 0;
        return left < 0 ? left : rc;
    }
    j->file = (int)rc;
    return 0;
}
