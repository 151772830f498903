/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths that lead through a procfs, where clauses have looked at what they name. The target may not make such
 * a call any more, since it might find something else; so its way is walked here, links of procfs meaning
 * the thread's, with the target's permissions.
 *
 * Of a process's own folder procfs lets the process see more than others of the same ids, so the worker is
 * itself in the target's. In the engine's own folder the worker would see more than the target may
 * (same_thread_group of the kernel's ptrace_may_access), whatever ids it has taken on: no way leads there.
 */
#include "engine/perform/job.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
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
#include "idlib/walk.h"
#include "subject/proc.h"
#include "subject/subject.h"

#define PROC_ROOT_INODE 1 /* PROC_ROOT_INO: of every procfs */

enum place {
    ELSEWHERE,  /* on no procfs */
    PROC_TOP,   /* its root */
    PROC_OTHER, /* sysctls, drivers' */
    OF_PROCESS,
    OF_TARGET,
    FORBIDDEN, /* the engine's, or not known */
};

struct tour {
    struct walk w; /* first */
    const struct job *j;
    pid_t target;     /* the process */
    enum place place; /* of the last directory */
    bool paused;      /* the worker is itself */
};

/* Behind @key in @status; 0: no such line. @last: the last number of the line. */
static pid_t number_behind(const char *status, const char *key, bool last)
{
    const char *at = strstr(status, key);
    if (at == NULL)
        return 0;
    at += strlen(key);
    char *next = NULL;
    long n = strtol(at, &next, 10);
    while (last && *next == '\t')
        n = strtol(next, &next, 10);
    return (pid_t)n;
}

/* Of the process that status file @name, near directory @dir of procfs, is about. ENOENT: about none. */
static int read_status(int dir, const char *name, char *text, size_t size)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    _cleanup_close_ int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? 0 : -EIO;
}

/* Only the mighty may follow what is in map_files. */
static bool is_map_files(int fd)
{
    static const char name[] = "/map_files";
    char link[PATH_MAX], own[OPEN_FD_NAME_MAX];
    ssize_t n = readlinkat(proc_root(), own_fd_name(fd, own), link, sizeof link);
    ssize_t len = (ssize_t)sizeof name - 1;
    return n < 0 || (n >= len && memcmp(link + n - len, name, (size_t)len) == 0);
}

/* Of directory @fd of a procfs. Numbers of another procfs than ours may mean others; the last is the
 * innermost. */
static enum place place_in_proc(int fd, bool own, pid_t target)
{
    char text[2048];
    int rc = read_status(fd, "status", text, sizeof text);
    if (rc == -ENOENT)
        rc = read_status(fd, "../status", text, sizeof text);
    if (rc < 0)
        return rc == -ENOENT ? PROC_OTHER : FORBIDDEN;
    pid_t tgid = number_behind(text, "\nTgid:", false);
    if (tgid <= 0 || tgid == getpid() || number_behind(text, "\nNStgid:", true) == getpid())
        return FORBIDDEN;
    return own && tgid == target && !is_map_files(fd) ? OF_TARGET : OF_PROCESS;
}

static enum place place_of(int fd, const struct stat *st, pid_t target)
{
    struct statfs fs;
    struct stat ours;
    if (fstatfs(fd, &fs) < 0 || fstat(proc_root(), &ours) < 0)
        return FORBIDDEN;
    if (fs.f_type != PROC_SUPER_MAGIC)
        return ELSEWHERE;
    if (st->st_ino == PROC_ROOT_INODE)
        return PROC_TOP;
    return place_in_proc(fd, st->st_dev == ours.st_dev, target);
}

static void be(struct tour *t, bool itself)
{
    if (itself && !t->paused)
        performer_pause(t->j->pf);
    if (!itself && t->paused)
        performer_resume(t->j->pf, &t->j->who, t->j->root);
    t->paused = itself;
}

static bool look_around(struct walk *w)
{
    struct tour *t = (struct tour *)w;
    struct stat st;
    if (fstat(w->at, &st) < 0)
        return true;
    if (!S_ISDIR(st.st_mode))
        return false;
    t->place = place_of(w->at, &st, t->target);
    be(t, t->place == OF_TARGET);
    return t->place == FORBIDDEN;
}

static bool is_of(int fd, long type)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 && fs.f_type == type;
}

/* Sysctls ask for the effective id, which a worker keeps (performer.h), as network file systems and cgroups
 * do. */
static bool is_like_us(const struct job *j)
{
    return j->who.fsuid == geteuid();
}

/* Does the call want no more than anybody may who may read? */
static bool only_reads(const struct job *j)
{
    if (strcmp(j->ev->call->family, "open") == 0)
        return (job_argument(j, CALL_NAME_flags) & (O_ACCMODE | O_TRUNC)) == O_RDONLY;
    return (job_argument(j, CALL_NAME_amode) & ~(uint64_t)R_OK) == 0;
}

bool job_may_use(const struct job *j, int fd)
{
    return !is_foreign(fd) || (j->looked && (is_of(fd, PROC_SUPER_MAGIC) || is_of(fd, SYSFS_MAGIC) ||
                                             is_of(fd, NSFS_MAGIC) || is_like_us(j)));
}

/* May we act on what the tour has led to? Sysctls mean those of who looks: of its network and its IPC. */
static bool is_usable(const struct tour *t)
{
    struct stat st;
    if (!is_of(t->w.at, PROC_SUPER_MAGIC))
        return job_may_use(t->j, t->w.at);
    if (t->place == PROC_TOP || t->place == OF_PROCESS || t->place == OF_TARGET)
        return true;
    if (!same_namespace(t->j->ev->tid, "net") || !same_namespace(t->j->ev->tid, "ipc"))
        return false;
    return is_like_us(t->j) || (only_reads(t->j) && fstat(t->w.at, &st) == 0 && (st.st_mode & S_IROTH) != 0);
}

int64_t lookup_by_walk(const struct job *j, const struct name *n, const char *text, bool follow)
{
    _cleanup_close_ int root = open("/", O_PATH | O_CLOEXEC);
    struct tour t = {.w = {.tid = j->ev->tid, .root = root, .follow = follow, .stop = look_around},
                     .j = j,
                     .target = subject_tgid(j->ev->tid)};
    if (n->resolve != 0 || root < 0 || t.target <= 0)
        return FOR_TARGET;
    t.w.at = fcntl(text[0] == '/' ? root : n->start, F_DUPFD_CLOEXEC, 3);
    if (t.w.at < 0)
        return FOR_TARGET;
    int rc = look_around(&t.w) ? -EXDEV : walk(&t.w, text);
    be(&t, true); /* to see its namespaces */
    bool usable = rc == 0 && is_usable(&t);
    be(&t, false);
    if (usable)
        return t.w.at;
    (void)close(t.w.at);
    return rc == 0 || rc == -EXDEV || t.w.blind || is_scarce(-rc) ? FOR_TARGET : rc;
}

/* Which of its files it is, by the last components of its name; NULL: none of those. */
static const char *own_file(int object, char link[PATH_MAX])
{
    static const char *const files[] = {"fd", "fdinfo", "maps", "comm"};
    char own[OPEN_FD_NAME_MAX];
    ssize_t n = readlinkat(proc_root(), own_fd_name(object, own), link, PATH_MAX - 1);
    if (n <= 0)
        return NULL;
    link[n] = '\0';
    char *last = strrchr(link, '/');
    if (last == NULL)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (strcmp(last + 1, files[i]) == 0)
            return last + 1;
    size_t up = sizeof "/fdinfo" - 1;
    bool in_fdinfo = (size_t)(last - link) >= up && memcmp(last - up, "/fdinfo", up) == 0;
    return in_fdinfo ? last - up + 1 : NULL;
}

static bool is_same(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* In folder @of of our procfs. */
static int open_in(const char *of, const char *name, int object, int flags)
{
    char path[PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/%s", of, name);
    int fd = openat(proc_root(), path, flags, 0);
    if (fd < 0 || is_same(fd, object))
        return fd < 0 ? -errno : fd;
    (void)close(fd);
    return -ENOENT;
}

static bool is_owner(const struct job *j, int object)
{
    struct stat st;
    return (j->who.effective & (UINT64_C(1) << CAP_FOWNER)) != 0 ||
           (fstat(object, &st) == 0 && st.st_uid == j->who.fsuid);
}

int64_t open_own(const struct job *j, int object, int flags)
{
    char link[PATH_MAX], process[32], thread[64];
    const char *name = own_file(object, link);
    bool writes = (flags & (O_ACCMODE | O_TRUNC)) != O_RDONLY;
    if (name == NULL || (flags & (O_TMPFILE & ~O_DIRECTORY)) != 0 || (writes && strcmp(name, "comm") != 0) ||
        ((flags & O_NOATIME) != 0 && !is_owner(j, object)))
        return FOR_TARGET;
    pid_t pid = subject_tgid(j->ev->tid);
    (void)snprintf(process, sizeof process, "%d", (int)pid);
    (void)snprintf(thread, sizeof thread, "%d/task/%d", (int)pid, (int)j->ev->tid);
    performer_pause(j->pf);
    int fd = open_in(process, name, object, flags);
    if (fd < 0)
        fd = open_in(thread, name, object, flags);
    performer_resume(j->pf, &j->who, j->root);
    return fd < 0 ? FOR_TARGET : fd;
}
