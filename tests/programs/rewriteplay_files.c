/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces about paths, and about the results of calls that have one. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "rewriteplay.h"

#define LONGER "into-a-name-that-is-quite-a-bit-longer-than-it-was-before-"

/* The name that the program says and the one that the wrapper makes of it, with files that tell which was
 * taken. */
struct names {
    char from[128], was[128], into[128];
};

static void names_make(struct names *n, const char *from, const char *into, const char *piece, int id)
{
    (void)snprintf(n->from, sizeof(n->from), "%s%s%d", from, piece, id);
    (void)snprintf(n->into, sizeof(n->into), "%s%s%d", into, piece, id);
    memcpy(n->was, n->from, sizeof(n->was));
}

static void put_both(const struct names *n, int id)
{
    char text[64];
    /* Relative to here, so that the path doesn't begin with what is rewritten. */
    char unwatched[160];
    (void)snprintf(unwatched, sizeof(unwatched), "./%s", n->from);
    (void)snprintf(text, sizeof(text), "bare <%d>", id);
    put_file(unwatched, text);
    (void)snprintf(text, sizeof(text), "rewritten <%d>", id);
    put_file(n->into, text);
}

static void open_longer(int id, char *said)
{
    struct names n;
    names_make(&n, "from-", LONGER, "open", id);
    put_both(&n, id);
    said_fd(said, (int)checked_call(SYS_open, 2, ARG(n.from), ARG(O_RDONLY)));
    kept(n.from, n.was, sizeof(n.was));
}

static void open_shorter(int id, char *said)
{
    struct names n;
    names_make(&n, "a-long-name-that-will-be-short-", "s-", "open", id);
    put_both(&n, id);
    said_fd(said, (int)checked_call(SYS_openat, 3, ARG(AT_FDCWD), ARG(n.from), ARG(O_RDONLY | O_CLOEXEC)));
    kept(n.from, n.was, sizeof(n.was));
}

static void openat2_longer(int id, char *said)
{
    struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_NO_SYMLINKS}, was = how;
    struct names n;
    names_make(&n, "from-", LONGER, "openat2", id);
    put_both(&n, id);
    said_fd(said, (int)checked_call(SYS_openat2, 4, ARG(AT_FDCWD), ARG(n.from), ARG(&how), ARG(sizeof(how))));
    kept(n.from, n.was, sizeof(n.was));
    kept(&how, &was, sizeof(how));
}

/* The wrapper takes O_TRUNC away. */
static void open_flags(int id, char *said)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "flags-%d", id);
    put_file(path, "not truncated");
    int fd = (int)checked_call(SYS_open, 3, ARG(path), ARG(O_RDWR | O_TRUNC), ARG(0));
    said_fd(said, fd);
    put_file(path, "");
}

static void mkdir_longer(int id, char *said)
{
    struct names n;
    struct stat st;
    names_make(&n, "from-", LONGER, "mkdir", id);
    said_result(said, checked_call(SYS_mkdir, 2, ARG(n.from), ARG(0777)));
    int r = stat(n.into, &st);
    said_text(said, "%s %o", r == 0 ? "rewritten" : "bare", r == 0 ? st.st_mode & 0777 : 0);
    kept(n.from, n.was, sizeof(n.was));
    (void)rmdir(n.into);
    (void)syscall(SYS_unlinkat, AT_FDCWD, n.from, AT_REMOVEDIR);
}

static void rename_new(int id, char *said)
{
    struct names n;
    char old[32];
    names_make(&n, "from-", LONGER, "rename", id);
    (void)snprintf(old, sizeof(old), "old-%d", id);
    put_file(old, "renamed");
    said_result(said, checked_call(SYS_rename, 2, ARG(old), ARG(n.from)));
    said_file(said, n.into);
    kept(n.from, n.was, sizeof(n.was));
    (void)unlink(n.into);
}

static void symlink_target(int id, char *said)
{
    char target[64], was[64], path[32], got[128] = "";
    (void)snprintf(target, sizeof(target), "from-target%d", id);
    memcpy(was, target, sizeof(was));
    (void)snprintf(path, sizeof(path), "link-%d", id);
    (void)unlink(path);
    said_result(said, checked_call(SYS_symlink, 2, ARG(target), ARG(path)));
    (void)!readlink(path, got, sizeof(got) - 1);
    said_text(said, "%s",
              strncmp(got, LONGER, strlen(LONGER)) == 0 ? "rewritten"
              : got[0] == 'f'                           ? "bare"
                                                        : got);
    kept(target, was, sizeof(was));
}

static void stat_longer(int id, char *said)
{
    struct names n;
    struct stat st = {0};
    names_make(&n, "from-", LONGER, "stat", id);
    put_both(&n, 0);
    said_result(said, checked_call(SYS_stat, 2, ARG(n.from), ARG(&st)));
    said_text(said, "%ld", (long)st.st_size);
    kept(n.from, n.was, sizeof(n.was));
}

static void chmod_longer(int id, char *said)
{
    struct names n;
    struct stat st = {0};
    names_make(&n, "from-", LONGER, "chmod", id);
    put_both(&n, id);
    (void)!fchmodat(AT_FDCWD, n.into, 0644, 0);
    said_result(said, checked_call(SYS_chmod, 2, ARG(n.from), ARG(0601)));
    (void)stat(n.into, &st);
    said_text(said, "%o", st.st_mode & 0777);
    kept(n.from, n.was, sizeof(n.was));
}

static void execve_longer(int id, char *said)
{
    struct names n;
    int status = 0;
    names_make(&n, "from-", LONGER, "execve", id);
    char *argv[] = {n.from, NULL}, *envp[] = {NULL};
    (void)!symlink("/bin/false", n.from);
    (void)!symlink("/bin/true", n.into);
    pid_t child = fork();
    if (child == 0) {
        (void)execve(n.from, argv, envp);
        _exit(126);
    }
    (void)waitpid(child, &status, 0);
    said_text(said, "%d", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

/* Changed results: the wrapper says that the file is from 1970 and 7 bytes long. */
static void stat_result(int id, char *said)
{
    struct stat st[2];
    char path[32];
    memset(st, 'c', sizeof(st));
    (void)snprintf(path, sizeof(path), "result-%d", id);
    put_file(path, "123");
    said_result(said, checked_call(SYS_stat, 2, ARG(path), ARG(&st[0])));
    said_text(said, "%s %ld bytes mode %o", st[0].st_mtime == 42 ? "old" : "new", (long)st[0].st_size,
              st[0].st_mode & S_IFMT);
    said_text(said, "%s", memchr(&st[1], 'c', 1) != NULL ? "" : "beyond the end");
}

/* ... and that the link leads elsewhere: all of it, and cut to the room that there is. */
static void readlink_result(int id, char *said)
{
    char path[32], buf[64];
    (void)snprintf(path, sizeof(path), "result-link-%d", id);
    (void)!symlink("target", path);
    for (size_t size = 4; size <= 32; size += 28) {
        memset(buf, '.', sizeof(buf));
        long r = checked_call(SYS_readlink, 3, ARG(path), ARG(buf), ARG(size));
        said_result(said, r);
        said_text(said, "%.*s", r > 0 ? (int)r : 0, buf);
        said_text(said, "%s", buf[size] == '.' ? "" : "beyond the end");
    }
}

static void errno_result(int id, char *said)
{
    (void)id;
    said_result(said, checked_call(SYS_access, 2, ARG("result-nothing"), ARG(F_OK)));
    said_result(said, checked_call(SYS_access, 2, ARG("/"), ARG(F_OK)));
}

const struct piece file_pieces[] = {
    {"open-longer", open_longer},   {"open-shorter", open_shorter},
    {"openat2", openat2_longer},    {"open-flags", open_flags},
    {"mkdir", mkdir_longer},        {"rename", rename_new},
    {"symlink", symlink_target},    {"stat", stat_longer},
    {"chmod", chmod_longer},        {"execve", execve_longer},
    {"stat-result", stat_result},   {"readlink-result", readlink_result},
    {"errno-result", errno_result}, {NULL, NULL},
};
