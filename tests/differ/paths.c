/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths: of the tree (tree.c), its descriptors (fds.c), and of the system, which are only looked at. */
#include <stdio.h>
#include <string.h>

#include "differ.h"

/* '@' in front stands for the tree's absolute path. All of these stay in the tree, whatever is done to them.
 */
static const char *const inside[] = {
    "f",
    "f",
    "d/f",
    "./f",
    "d/../f",
    "@/f",
    "@/d/f",
    "//@/f",
    "d//f",
    "@",
    "d",
    "d/",
    "d/.",
    "d/..",
    ".",
    "..",
    "./",
    "",
    "f/",
    "f/.",
    "f/..",
    "f/x",
    "nothing",
    "nothing/",
    "nothing/x",
    "nothing/..",
    "d/new",
    "new1",
    "new2",
    "new3",
    "new4",
    "new5/",
    "@/new6",
    "sgid/new",
    "sticky/new",
    "l",
    "l/",
    "d/l",
    "abs",
    "ldir",
    "ldir/",
    "ldir/f",
    "ldir/new",
    "slashed",
    "dangling",
    "dangling/",
    "loop",
    "loop/",
    "loop/x",
    "chain39",
    "chain40",
    "chain41",
    "fifo",
    "d/fifo",
    "sock",
    "sock/",
    "dgram",
    "null",
    "null/",
    "tty",
    "ro",
    "f000",
    "f600",
    "other",
    "suid",
    "run",
    "hard",
    "d000",
    "d000/f",
    "d311",
    "d311/f",
    "d311/new",
    "d644/f",
    "sticky",
    "sticky/mine",
    "sticky/other",
    "sgid",
    "sgid/f",
    "empty",
    "empty/",
    "empty/.",
    "bytes\xff\x80 \n\t",
    "magic",
    "magicdir/f",
    "viacwd",
    "mount/f",
    "mount/new",
    "mount",
    "tmp/f",
    "tmp/new",
    "tmp",
    "fixed",
    "append",
    "a/../f",
    "d/d2/../../f",
    "d/d2/d3",
    "d/d2/d3/f",
    "rm",
    "rm2",
};

/* Of procfs, where nobody but the caller's own entries can be changed, and these not by their names. */
static const char *const magic[] = {
    "/proc/self/fd/0",
    "/proc/self/fd/3",
    "/proc/self/fd/4",
    "/proc/self/fd/5",
    "/proc/self/fd/6",
    "/proc/self/fd/7",
    "/proc/self/fd/9",
    "/proc/self/fd/10",
    "/proc/self/fd/11",
    "/proc/self/fd/12",
    "/proc/self/fd/13",
    "/proc/self/fd/8",
    "/proc/self/fd/3/f",
    "/proc/self/fd/4/f",
    "/proc/self/fd/5/",
    "/proc/self/fd/5/x",
    "/proc/self/fd/11/x",
    "/proc/self/fd/400",
    "/proc/self/fd/-1",
    "/proc/self/fd/05",
    "/dev/fd/5",
    "/dev/fd/3/f",
    "/dev/fd/6",
    "/dev/fd/2",
    "/proc/thread-self/fd/5",
    "/proc/thread-self/fd/3/new",
    "/proc/self/cwd",
    "/proc/self/cwd/",
    "/proc/self/cwd/f",
    "/proc/thread-self/cwd/d/f",
    "/proc/self/cwd/../a",
    "/proc/self/../self/fd/5",
    "/proc/self/task/../fd/5",
};

/* Only looked at by those who could change them. */
static const char *const outside[] = {
    "/",
    "/.",
    "/..",
    "//",
    "/dev/null",
    "/dev/full",
    "/dev/zero",
    "/dev/tty",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
    "/dev/fd",
    "/dev/fd/",
    "/dev/null/",
    "/etc/passwd",
    "/etc/shadow",
    "/etc",
    "/etc/nothing",
    "/etc/passwd/x",
    "/proc/self",
    "/proc/self/",
    "/proc/thread-self",
    "/proc/thread-self/",
    "/proc/self/status",
    "/proc/self/root",
    "/proc/self/root/etc/passwd",
    "/proc/self/comm",
    "/proc/thread-self/comm",
    "/proc/self/ns/mnt",
    "/proc/self/ns/user",
    "/proc/self/fd",
    "/proc/self/fdinfo/0",
    "/proc/self/environ",
    "/proc/self/task",
    "/proc/self/mem",
    "/proc/self/maps",
    "/proc/self/attr/current",
    "/proc/self/oom_score_adj",
    "/proc/mounts",
    "/proc/self/mountinfo",
    "/proc/1",
    "/proc/version",
    "/proc/sys/kernel/ostype",
    "/sys",
    "/usr/bin/env",
    "/bin",
    "/etc/../etc/./passwd",
    "/../../etc/passwd",
    "/nothing",
    "/proc/nothing",
    "/proc/self/nothing",
    "/proc/net",
    "/proc/self/net/dev",
};

/* Only looked at: our own program among it, which the next run needs as it is. */
static const char *const precious[] = {"/proc/self/exe", "/proc/1/cwd", "/proc/1/root/etc",
                                       "/proc/self/exe/x"};

/* What a kind of call needs to get anywhere: its last path is, now and then, one of these. */
static const struct {
    const char *call; /* its name begins so */
    const char *paths[14];
} favourites[] = {
    {"mk",
     {"new1", "d/new", "d/new2", "sgid/new", "sticky/new", "@/new6", "d/d2/new", "a/new3", "new5/",
      "d/d2/../new2", "tmp/new", "mount/new", "d311/new", "/proc/self/fd/3/new4"}},
    {"symlink",
     {"new1", "d/new", "d/new2", "sgid/new", "sticky/new", "@/new6", "d/d2/new", "a/new3", "new4",
      "d/d2/../new2", "tmp/new", "mount/new", "d311/new", "/proc/self/fd/3/new4"}},
    {"link",
     {"new1", "d/new", "d/new2", "sgid/new", "sticky/new", "@/new6", "d/d2/new", "a/new3", "new4",
      "d/d2/../new2", "tmp/new", "mount/new", "d311/new", "/proc/self/fd/3/new4"}},
    {"rename",
     {"new1", "d/new", "d/new2", "sgid/new", "sticky/new", "@/new6", "d/d2/new", "a/new3", "new4",
      "d/d2/../new2", "tmp/new", "mount/new", "f", "new5/"}},
    {"readlink",
     {"l", "d/l", "abs", "ldir", "slashed", "dangling", "loop", "magic", "chain3", "chain39", "viacwd",
      "/proc/self/cwd", "/proc/self/fd/5", "/dev/fd/4"}},
    {"rmdir",
     {"empty", "d/d2/d3", "new1", "d/new", "sgid/new", "sticky/new", "a/new3", "a", "d/d2/new", "new5",
      "@/new6", "empty/", "tmp", "new4"}},
};

static const char *favourite(struct round *r)
{
    for (size_t i = 0; i < COUNT(favourites); i++)
        if (strncmp(r->call->name, favourites[i].call, strlen(favourites[i].call)) == 0)
            return PICK(r, favourites[i].paths);
    return NULL;
}

static size_t put(char *to, const char *text)
{
    size_t n = strlen(text);
    memcpy(to, text, n + 1);
    return n;
}

/* "./././ ... f" of exactly @len bytes, or one name of as many. */
static size_t long_path(struct round *r, char *to, size_t len)
{
    const char *unit = rnd_one_in(r, 3) ? "d/../" : "./";
    size_t used = 0;
    while (used + strlen(unit) < len)
        used += put(to + used, unit);
    while (used + 1 < len)
        to[used++] = '/';
    to[used++] = 'f';
    to[used] = '\0';
    return used;
}

static size_t long_name(struct round *r, char *to, size_t len)
{
    size_t used = rnd_one_in(r, 2) ? put(to, "d/") : 0;
    memset(to + used, 'n', len);
    to[used + len] = '\0';
    return used + len;
}

static size_t odd_length(struct round *r, char *to)
{
    static const size_t paths[] = {4094, 4095, 4095, 4096, 4097, 8192, 100000, PATH_LONGEST - 1};
    static const size_t names[] = {254, 255, 255, 256, 257, 4095};
    return rnd_one_in(r, 2) ? long_path(r, to, PICK(r, paths)) : long_name(r, to, PICK(r, names));
}

size_t path_make(struct round *r, enum path_use use, bool last, char *to, size_t size)
{
    size_t which = rnd_below(r, 100);
    if (size < PATH_LONGEST)
        return 0;
    if (which < 3)
        return odd_length(r, to);
    if (which < 14)
        return put(to, PICK(r, magic));
    r->outside = r->outside || (which < 28 && (use != PATH_CHANGED || r->harmless));
    if (which == 14 && use == PATH_LOOKED_AT)
        return put(to, PICK(r, precious));
    if (which < 28 && (use != PATH_CHANGED || r->harmless))
        return put(to, PICK(r, outside));
    const char *p = last && rnd_one_in(r, 2) ? favourite(r) : NULL;
    if (p == NULL)
        p = PICK(r, inside);
    const char *at = strchr(p, '@');
    if (at == NULL)
        return put(to, p);
    return (size_t)snprintf(to, size, "%.*s%s/a/b/tree%s", (int)(at - p), p, r->root, at + 1);
}
