/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths that lead through a procfs, in calls whose objects clauses have looked at. */
#include "perform_event.h"

#include "idlib/walk.h"

/* Of the target's /proc/PID in place of %d; where the file system has none: bare names. */
struct tour {
    const char *call, *path;
    const char *seen; /* what the clause saw there; NULL: nothing */
    uint64_t flags;
    int64_t result; /* of a call that returns a descriptor, 0 */
    bool in_target;
};

static const struct tour tours[] = {
    {"open", "/proc/self/status", "/proc/%d/status", O_RDONLY, 0},
    {"open", "/proc/self/fd/101", "file", O_RDWR, 0},
    {"open", "/dev/fd/101", "file", O_RDONLY, 0},
    {"open", "/dev/fd/101", "other", O_RDONLY, -ESTALE},
    {"open", "/dev/fd/101", "/proc/%d/fd/101", O_RDONLY | O_NOFOLLOW, -ELOOP},
    {"open", "magic", "file", O_RDONLY, 0},
    {"open", "magic", "secret", O_RDONLY, -ESTALE},
    {"open", "/proc/thread-self/cwd/dir/file", "dir/file", O_RDONLY, 0},
    {"open", "/proc/self/cwd/dirlink/file", "dir/file", O_RDONLY | O_NOFOLLOW, 0},
    {"open", "/proc/self/cwd/file", "other", O_RDONLY, -ESTALE},
    {"open", "/proc/self/cwd/file", "file", O_RDWR | O_CREAT | O_TRUNC, 0},
    {"open", "/proc/self/cwd/file", "file", O_RDWR | O_CREAT | O_EXCL, -EEXIST},
    {"open", "/proc/self/cwd/new", NULL, O_RDWR | O_CREAT, 0},
    {"open", "/proc/self/cwd/dangling2", NULL, O_RDWR | O_CREAT, 0},
    {"open", "/proc/self/cwd/dir", "dir", O_RDWR | O_TMPFILE, 0},
    {"open", "/proc/self/cwd/missing", NULL, O_RDONLY, -ENOENT},
    {"open", "/proc/self/fd", "/proc/%d/fd", O_RDONLY | O_DIRECTORY, 0},
    {"open", "/proc/thread-self/comm", "/proc/%d/task/%d/comm", O_WRONLY | O_TRUNC, 0},
    {"open", "/proc/self/maps", "/proc/%d/maps", O_RDONLY, 0},
    {"open", "/proc/self/fdinfo/101", "/proc/%d/fdinfo/101", O_RDONLY | O_NOFOLLOW, 0},
    {"open", "/proc/self/fd/4000", NULL, O_RDONLY, -ENOENT},
    {"open", "/proc/self/root/etc/passwd", "/etc/passwd", O_RDONLY, 0},
    {"chmod", "/proc/self/cwd/file", "file", 0600, 0},
    {"chmod", "/proc/self/cwd/file", "secret", 0600, -ESTALE},
    {"unlink", "/proc/self/cwd/file", "file", 0, 0},
    {"unlink", "/proc/self/cwd/file", "other", 0, -ESTALE},
    {"mkdir", "/dev/fd/100/new", NULL, 0700, 0},
    /* What is the engine's is nobody's: to us it is our own, and to the target it might be barred. */
    {"open", "/proc/%u/cwd/file", "file", O_RDONLY, 0, true},
    {"open", "/proc/%u/fd/0", "/dev/null", O_RDONLY, 0, true},
    {"open", "/proc/%u/task/%u/root/etc/passwd", "/etc/passwd", O_RDONLY, 0, true},
    {"mkdir", "/proc/%u/cwd/new", NULL, 0700, 0, true},
};

/* @text with the target's number for %d and our own for %u. */
static const char *numbered(const char *text, char *to, size_t size)
{
    FILE *f = fmemopen(to, size, "w");
    cr_assert_not_null(f);
    for (; *text != '\0'; text++) {
        bool number = text[0] == '%' && (text[1] == 'd' || text[1] == 'u');
        if (number)
            (void)fprintf(f, "%d", (int)(*++text == 'd' ? target : getpid()));
        else
            (void)fputc(*text, f);
    }
    (void)fputc('\0', f);
    (void)fclose(f);
    return to;
}

static int object_at(const char *path)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static void try_tour(const struct tour *t)
{
    char path[256], seen[256];
    struct idw_event ev;
    fresh_tree();
    event(&ev, t->call, (const uint64_t[6]){text(0, numbered(t->path, path, sizeof path)), t->flags, 0640});
    int object = t->seen != NULL ? object_at(numbered(t->seen, seen, sizeof seen)) : -ENOENT;
    event_keep_object(&ev, call_arg_named(ev.call, CALL_NAME_path), object);
    enum performing p = now(&ev);
    cr_expect_eq(p, t->in_target ? PERFORM_IN_TARGET : PERFORM_DONE, "%s %s", t->call, path);
    if (p == PERFORM_DONE)
        cr_expect_eq(done.result, t->result, "%s %s: %ld", t->call, path, (long)done.result);
    bool opens = strcmp(t->call, "open") == 0 && t->result == 0 && !t->in_target;
    cr_expect_eq(done.file >= 0, opens, "%s %s", t->call, path);
    if (opens && object >= 0 && (t->flags & O_TMPFILE) != O_TMPFILE)
        cr_expect(walk_same(done.file, object), "%s %s is another file", t->call, path);
    performed_clear(&done);
    event_clear(&ev);
}

static void try_tours(const struct guise *g)
{
    start(g);
    for (size_t i = 0; i < ARRAY_SIZE(tours); i++)
        try_tour(&tours[i]);
    stop();
}

Test(perform_procfs, tours)
{
    try_tours(&(struct guise){0});
}

/* No flags make the C library end us. */
Test(perform_procfs, flags_that_want_a_mode)
{
    static const uint64_t flags[] = {O_RDWR | O_TMPFILE, O_RDWR | O_TMPFILE | O_NOFOLLOW, O_CREAT, O_NOFOLLOW,
                                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW};
    struct tour t = {"open", "/proc/self/fd", "/proc/%d/fd", 0, 0};
    const int unnamed = getuid() == 0 ? -EOPNOTSUPP : -EACCES;
    start(&(struct guise){0});
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        t.flags = flags[i];
        t.result = (t.flags & O_CREAT) != 0 ? -EISDIR : (t.flags & O_ACCMODE) == O_RDWR ? unnamed : 0;
        try_tour(&t);
    }
    stop();
}

/* A process that has changed who it is is nobody's to look into, but by a privilege. */
Test(perform_procfs, tours_of_a_user)
{
    if (getuid() != 0)
        cr_skip_test("needs root");
    try_tours(&(struct guise){.user = true});
}

/* What may not be searched is not searched by way of one's own folder either. */
Test(perform_procfs, permissions_are_the_targets)
{
    if (getuid() != 0)
        cr_skip_test("needs root");
    start(&(struct guise){.user = true});
    struct idw_event ev;
    event(&ev, "open", (const uint64_t[6]){text(0, "/proc/self/cwd/barrier/file"), O_RDONLY});
    look(&ev, CALL_NAME_path, "barrier/file");
    cr_expect_eq(now(&ev), PERFORM_DONE);
    cr_expect_eq(done.result, -EACCES, "%ld", (long)done.result);
    performed_clear(&done);
    event_clear(&ev);
    stop();
}
