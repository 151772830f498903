/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "idlib/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "idlib/ours.h"
#include "subject/proc.h"

#define LINKS_MAX 40       /* MAXSYMLINKS of the kernel */
#define NOSYMFOLLOW 0x2000 /* ST_NOSYMFOLLOW of the kernel's include/linux/statfs.h */
#define PROC_ROOT_INODE 1  /* PROC_ROOT_INO: of every procfs */

bool walk_same(int fd1, int fd2)
{
    const unsigned mask = STATX_INO | STATX_MNT_ID;
    struct statx x, y;
    return statx(fd1, "", AT_EMPTY_PATH, mask, &x) == 0 && statx(fd2, "", AT_EMPTY_PATH, mask, &y) == 0 &&
           (x.stx_mask & y.stx_mask & mask) == mask && x.stx_mnt_id == y.stx_mnt_id &&
           x.stx_ino == y.stx_ino && x.stx_dev_major == y.stx_dev_major && x.stx_dev_minor == y.stx_dev_minor;
}

static void move_to(struct walk *w, int *fd)
{
    (void)close(w->at);
    w->at = move_fd(fd);
}

/* The last number of line @key of the thread's status: its id in the innermost pid namespace that it is in.
 * Or -errno. */
static long innermost(pid_t tid, const char *key)
{
    char line[512];
    size_t n = strlen(key);
    _cleanup_close_ int fd = proc_open(tid, "status", O_RDONLY);
    if (fd < 0)
        return fd;
    _cleanup_fclose_ FILE *f = fdopen(fd, "r");
    if (f == NULL)
        return -errno;
    (void)move_fd(&fd);
    while (fgets(line, sizeof line, f) != NULL) {
        const char *last = strrchr(line, '\t');
        if (strncmp(line, key, n) == 0 && line[n] == ':' && last != NULL)
            return strtol(last + 1, NULL, 10);
    }
    return -ESRCH;
}

/*
 * What "self" and "thread-self" in the root of the procfs @proc say to the thread. Our own procfs knows it by
 * the numbers that we know; another one is taken for that of the innermost pid namespace.
 */
static int text_of_self(struct walk *w, bool thread, char text[PATH_MAX])
{
    struct stat theirs, ours;
    bool own = fstat(w->at, &theirs) == 0 && fstat(proc_root(), &ours) == 0 && theirs.st_dev == ours.st_dev;
    long pid = innermost(w->tid, own ? "Tgid" : "NStgid");
    long tid = own || pid < 0 ? w->tid : innermost(w->tid, "NSpid");
    if (pid < 0 || tid < 0) {
        int r = (int)(pid < 0 ? pid : tid);
        w->blind = ours_blind(r);
        return r == -ESRCH ? -ENOENT : r;
    }
    if (thread)
        (void)snprintf(text, PATH_MAX, "%ld/task/%ld", pid, tid);
    else
        (void)snprintf(text, PATH_MAX, "%ld", pid);
    return 0;
}

static bool is_proc_root(int dir)
{
    struct stat st;
    return fstat(dir, &st) == 0 && st.st_ino == PROC_ROOT_INODE;
}

/* Does this link of a procfs lead where no text could (fd/N, cwd, exe)? The kernel tells by refusing. */
static bool is_magic(int dir, const char *name)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    _cleanup_close_ int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
    return fd < 0 && errno == ELOOP;
}

static int text_of_link(int link, char text[PATH_MAX])
{
    ssize_t n = readlinkat(link, "", text, PATH_MAX - 1);
    if (n <= 0)
        return n < 0 ? -errno : -ENOENT;
    text[n] = '\0';
    return 0;
}

/* Symbolic link @name, open as @link: @text is what it says, or "" when following it has moved @w already. */
static int follow_link(struct walk *w, const char *name, int link, char text[PATH_MAX])
{
    struct statfs fs;
    if (fstatfs(link, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC) {
        bool self = strcmp(name, "self") == 0, thread = strcmp(name, "thread-self") == 0;
        if ((self || thread) && is_proc_root(w->at))
            return text_of_self(w, thread, text);
        if (is_magic(w->at, name)) {
            _cleanup_close_ int fd = openat(w->at, name, O_PATH | O_CLOEXEC);
            if (fd < 0)
                return -errno;
            move_to(w, &fd);
            return 0;
        }
    }
    int r = text_of_link(link, text);
    if (r < 0 || text[0] != '/')
        return r;
    _cleanup_close_ int fd = fcntl(w->root, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return -errno;
    move_to(w, &fd);
    return 0;
}

/* Is it on a mount with nosymfollow? */
static bool is_not_followed(int link)
{
    struct statfs fs;
    return fstatfs(link, &fs) == 0 && (fs.f_flags & NOSYMFOLLOW) != 0;
}

/* One component. @link: what a symbolic link to be followed says, or "". */
static int enter(struct walk *w, const char *name, bool follow, unsigned *links, char link[PATH_MAX])
{
    link[0] = '\0';
    if (strcmp(name, "..") == 0 && walk_same(w->at, w->root))
        return 0;
    struct stat st;
    _cleanup_close_ int fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISLNK(st.st_mode) || !follow) {
        move_to(w, &fd);
        return 0;
    }
    if (++*links > LINKS_MAX || is_not_followed(fd))
        return -ELOOP;
    return follow_link(w, name, fd, link);
}

static bool is_directory(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* *@text: what is left to walk, replaced where a symbolic link makes it longer. */
static int walk_text(struct walk *w, char **text)
{
    unsigned links = 0;
    for (const char *rest = *text; rest += strspn(rest, "/"), *rest != '\0';) {
        char name[PATH_MAX], link[PATH_MAX]; /* how long a name may be is the file system's business */
        size_t n = strcspn(rest, "/");
        if (n >= sizeof name)
            return -ENAMETOOLONG;
        memcpy(name, rest, n);
        name[n] = '\0';
        rest += n;
        int r = enter(w, name, w->follow || *rest == '/', &links, link);
        if (r < 0)
            return r;
        if (w->stop != NULL && w->stop(w))
            return -EXDEV;
        if (link[0] == '\0') {
            if (*rest == '/' && !is_directory(w->at))
                return -ENOTDIR;
            continue;
        }
        char *longer = NULL;
        if (asprintf(&longer, "%s%s", link, rest) < 0)
            return -ENOMEM;
        free(*text);
        rest = *text = longer;
    }
    return 0;
}

int walk(struct walk *w, const char *path)
{
    char *text = strdup(path);
    if (text == NULL)
        return -ENOMEM;
    int r = walk_text(w, &text);
    free(text);
    return r;
}
