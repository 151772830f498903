/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Performed calls against the same calls bare: a target in many guises makes each call of a table on a fresh
 * tree, then has it performed on another; result, errno, outputs, descriptor and tree must be the same.
 */
#include "perform_help.h"

#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/time.h>
#include <utime.h>

enum kind { NUMBER, TEXT, BYTES, OUT };

struct arg {
    enum kind kind;
    long number; /* or size */
    const void *data;
};

#define N(n)                                                                                                 \
    {                                                                                                        \
        NUMBER, (long)(n), NULL                                                                              \
    }
#define P(text)                                                                                              \
    {                                                                                                        \
        TEXT, 0, (text)                                                                                      \
    }
#define B(object)                                                                                            \
    {                                                                                                        \
        BYTES, sizeof(object), &(object)                                                                     \
    }
#define O(size)                                                                                              \
    {                                                                                                        \
        OUT, (size), NULL                                                                                    \
    }

struct
try {
    const char *call;
    struct arg args[6];
    bool in_target; /* for the target to do, in every guise */
};

static const struct timespec early[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
static const struct timespec half[2] = {{.tv_sec = 1000}, {.tv_nsec = UTIME_OMIT}};
static const struct timespec none[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};
static const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
static const struct timeval early_us[2] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
static const struct utimbuf early_s = {1000, 2000};
static const struct open_how how_read = {.flags = O_RDONLY};
static const struct open_how how_beneath = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};
static const struct open_how how_no_links = {.flags = O_RDONLY, .resolve = RESOLVE_NO_SYMLINKS};
static const struct open_how how_in_root = {.flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT};
static const struct open_how how_wrong = {.flags = O_RDONLY, .mode = 0644};
static const struct open_how how_create = {.flags = O_CREAT | O_WRONLY, .mode = 0666};
static const struct sockaddr_in nobody = {
    .sin_family = AF_INET, .sin_port = 0x0100, .sin_addr = {0x0100007f}};
static const struct sockaddr_in any_port = {.sin_family = AF_INET, .sin_addr = {0x0100007f}};
static const struct sockaddr_in low_port = {
    .sin_family = AF_INET, .sin_port = 0x0902, .sin_addr = {0x0100007f}};
static const struct sockaddr wrong_family = {.sa_family = AF_INET6};
static char long_path[5000], long_name[300];

static const struct try tries[] = {
    /* open: what is there */
    {"open", {P("file"), N(O_RDONLY)}},
    {"open", {P("file"), N(O_RDWR | O_APPEND | O_CLOEXEC)}},
    {"open", {P("other"), N(O_RDWR)}},
    {"open", {P("secret"), N(O_RDONLY)}},
    {"open", {P("file"), N(O_RDWR | O_TRUNC)}},
    {"open", {P("other"), N(O_RDONLY | O_TRUNC)}},
    {"open", {P("missing"), N(O_RDONLY)}},
    {"open", {P(""), N(O_RDONLY)}},
    {"open", {P("file/"), N(O_RDONLY)}},
    {"open", {P("file/x"), N(O_RDONLY)}},
    {"open", {P("dir"), N(O_RDONLY)}},
    {"open", {P("dir/"), N(O_RDONLY | O_DIRECTORY)}},
    {"open", {P("dir"), N(O_WRONLY)}},
    {"open", {P("file"), N(O_RDONLY | O_DIRECTORY)}},
    {"open", {P("link"), N(O_RDONLY)}},
    {"open", {P("link"), N(O_RDONLY | O_NOFOLLOW)}},
    {"open", {P("link"), N(O_RDONLY | O_NOFOLLOW | O_DIRECTORY)}},
    {"open", {P("link"), N(O_PATH | O_NOFOLLOW)}, true},
    {"open", {P("link"), N(O_PATH)}, true},
    {"open", {P("file"), N(O_RDONLY | O_NOFOLLOW)}},
    {"open", {P("chain"), N(O_RDWR)}},
    {"open", {P("loop"), N(O_RDONLY)}},
    {"open", {P("dangling"), N(O_RDONLY)}},
    {"open", {P("barred"), N(O_RDONLY)}},
    {"open", {P("barrier/file"), N(O_RDONLY)}},
    {"open", {P("../../../../../etc/passwd"), N(O_RDONLY)}},
    {"open", {P("/dir/file"), N(O_RDONLY)}},
    {"open", {P("/"), N(O_RDONLY)}},
    {"open", {P("."), N(O_RDONLY)}},
    {"open", {P(".."), N(O_RDONLY | O_DIRECTORY)}},
    {"open", {P(long_path), N(O_RDONLY)}},
    {"open", {P(long_name), N(O_RDONLY)}},
    {"open", {P("file"), N(O_RDONLY | 0x10000000)}},
    {"open", {P("file"), N(O_RDONLY | O_NOATIME)}},
    {"open", {P("other"), N(O_RDONLY | O_NOATIME)}},
    {"open", {P("file"), N(O_ACCMODE)}},
    {"open", {P("fifo"), N(O_RDONLY | O_NONBLOCK)}},
    {"open", {P("fifo"), N(O_WRONLY | O_NONBLOCK)}},
    {"open", {P("fifo"), N(O_RDWR)}},
    /* open: what is made */
    {"open", {P("new"), N(O_CREAT | O_RDWR), N(0666)}},
    {"open", {P("new"), N(O_CREAT | O_RDWR), N(06777)}},
    {"open", {P("new"), N(O_CREAT | O_EXCL | O_WRONLY), N(0)}},
    {"open", {P("file"), N(O_CREAT | O_EXCL | O_WRONLY), N(0644)}},
    {"open", {P("link"), N(O_CREAT | O_EXCL | O_WRONLY), N(0644)}},
    {"open", {P("dangling"), N(O_CREAT | O_EXCL | O_WRONLY), N(0644)}},
    {"open", {P("dangling2"), N(O_CREAT | O_WRONLY), N(0644)}},
    {"open", {P("file"), N(O_CREAT | O_WRONLY | O_TRUNC), N(0644)}},
    {"open", {P("secret"), N(O_CREAT | O_WRONLY | O_TRUNC), N(0644)}},
    {"open", {P("sticky/file"), N(O_CREAT | O_WRONLY), N(0644)}},
    {"open", {P("sticky/new"), N(O_CREAT | O_WRONLY), N(0644)}},
    {"open", {P("setgid/new"), N(O_CREAT | O_WRONLY), N(02775)}},
    {"open", {P("dir"), N(O_CREAT | O_RDONLY), N(0644)}},
    {"open", {P("new/"), N(O_CREAT | O_WRONLY), N(0644)}},
    {"open", {P("file/"), N(O_CREAT | O_WRONLY), N(0644)}},
    {"open", {P("dir"), N(O_CREAT | O_DIRECTORY), N(0644)}},
    {"open", {P("missing/new"), N(O_CREAT | O_WRONLY), N(0644)}},
    {"open", {P("closed/new"), N(O_CREAT | O_WRONLY), N(0644)}},
    {"open", {P("/tmp"), N(O_CREAT | O_EXCL | O_WRONLY), N(0644)}},
    {"open", {P("dir"), N(O_TMPFILE | O_RDWR), N(0666)}},
    {"open", {P("dir"), N(O_TMPFILE | O_RDONLY), N(0666)}},
    {"open", {P("file"), N(O_TMPFILE | O_RDWR), N(0666)}},
    {"open", {P("closed"), N(O_TMPFILE | O_RDWR), N(0666)}},
    {"creat", {P("new"), N(0666)}},
    {"creat", {P("file"), N(0666)}},
    {"openat", {N(DIR_FD), P("file"), N(O_RDONLY)}},
    {"openat", {N(DIR_FD), P("new"), N(O_CREAT | O_RDWR), N(0666)}},
    {"openat", {N(FILE_FD), P("file"), N(O_RDONLY)}},
    {"openat", {N(CLOSED_FD), P("file"), N(O_RDONLY)}},
    {"openat", {N(-1), P("/"), N(O_RDONLY)}},
    {"openat", {N(CLOSED_FD), P(""), N(O_RDONLY)}},
    {"openat", {N(LINK_FD), P("x"), N(O_RDONLY)}},
    {"openat2", {N(AT_FDCWD), P("link"), B(how_read), N(sizeof how_read)}},
    {"openat2", {N(DIR_FD), P("../file"), B(how_beneath), N(sizeof how_beneath)}},
    {"openat2", {N(DIR_FD), P("file"), B(how_beneath), N(sizeof how_beneath)}},
    {"openat2", {N(AT_FDCWD), P("link"), B(how_no_links), N(sizeof how_no_links)}},
    {"openat2", {N(DIR_FD), P("/../file"), B(how_in_root), N(sizeof how_in_root)}},
    {"openat2", {N(AT_FDCWD), P("file"), B(how_wrong), N(sizeof how_wrong)}},
    {"openat2", {N(AT_FDCWD), P("file"), B(how_read), N(8)}},
    {"openat2", {N(AT_FDCWD), P("new"), B(how_create), N(sizeof how_create)}},
    /* what only the target can do */
    {"open", {P("magic"), N(O_RDONLY)}, true},
    {"open", {P("self/status"), N(O_RDONLY)}, true},
    {"open", {P("self/fd/101"), N(O_RDONLY)}, true},
    {"open", {P("self/missing"), N(O_RDONLY)}, true},
    {"open", {P("file"), N(O_CREAT | O_EXCL | O_WRONLY | O_PATH)}, true},
    {"openat", {N(PROC_FD), P("status"), N(O_RDONLY)}, true},
    {"stat", {P("self/fd/101/x"), O(sizeof(struct stat))}, true},
    {"readlink", {P("self"), O(100), N(100)}},
    {"readlink", {P("self/exe"), O(100), N(100)}, true},
    {"readlink", {P("file"), O(100), N(0)}, true},
    {"mkdir", {P("self/x"), N(0777)}, true},
    {"unlink", {P("self/fd/101"), N(0)}, true},
    {"connect", {N(UNIX_FD), B(wrong_family), N(sizeof wrong_family)}, true},
    /* stat and its like */
    {"stat", {P("file"), O(sizeof(struct stat))}},
    {"stat", {P("missing"), O(sizeof(struct stat))}},
    {"stat", {P("barrier/file"), O(sizeof(struct stat))}},
    {"stat", {P("link/"), O(sizeof(struct stat))}},
    {"lstat", {P("link"), O(sizeof(struct stat))}},
    {"lstat", {P("dirlink/"), O(sizeof(struct stat))}},
    {"fstat", {N(FILE_FD), O(sizeof(struct stat))}},
    {"fstat", {N(CLOSED_FD), O(sizeof(struct stat))}},
    {"fstat", {N(UDP_FD), O(sizeof(struct stat))}},
    {"newfstatat", {N(DIR_FD), P("also"), O(sizeof(struct stat)), N(0)}},
    {"newfstatat", {N(LINK_FD), P(""), O(sizeof(struct stat)), N(AT_EMPTY_PATH)}},
    {"newfstatat", {N(PIPE_FD), P(""), O(sizeof(struct stat)), N(AT_EMPTY_PATH)}},
    {"newfstatat", {N(FILE_FD), P(""), O(sizeof(struct stat)), N(0)}},
    {"newfstatat", {N(AT_FDCWD), P(""), O(sizeof(struct stat)), N(AT_EMPTY_PATH)}},
    {"newfstatat", {N(AT_FDCWD), P("link"), O(sizeof(struct stat)), N(AT_SYMLINK_NOFOLLOW)}},
    {"statx", {N(AT_FDCWD), P("file"), N(0), N(STATX_BASIC_STATS), O(sizeof(struct statx))}},
    {"statx", {N(DIR_FD), P(""), N(AT_EMPTY_PATH), N(STATX_BASIC_STATS), O(sizeof(struct statx))}},
    {"statx", {N(AT_FDCWD), P("file"), N(0), N(0x80000000), O(sizeof(struct statx))}, true},
    {"access", {P("file"), N(F_OK)}},
    {"access", {P("secret"), N(R_OK)}},
    {"access", {P("other"), N(W_OK)}},
    {"access", {P("tool"), N(X_OK)}},
    {"access", {P("other"), N(X_OK)}},
    {"access", {P("missing"), N(F_OK)}},
    {"access", {P("barrier/file"), N(F_OK)}},
    {"faccessat", {N(DIR_FD), P("file"), N(R_OK)}},
    {"faccessat2", {N(DIR_FD), P("file"), N(W_OK), N(AT_EACCESS)}},
    {"faccessat2", {N(AT_FDCWD), P("link"), N(W_OK), N(AT_SYMLINK_NOFOLLOW)}},
    {"faccessat2", {N(FILE_FD), P(""), N(R_OK), N(AT_EMPTY_PATH)}},
    {"readlink", {P("link"), O(100), N(100)}},
    {"readlink", {P("chain"), O(3), N(3)}},
    {"readlink", {P("file"), O(100), N(100)}},
    {"readlink", {P("link/"), O(100), N(100)}},
    {"readlinkat", {N(LINK_FD), P(""), O(100), N(100)}},
    {"readlinkat", {N(FILE_FD), P(""), O(100), N(100)}},
    {"statfs", {P("barred"), O(120)}},
    /* attributes */
    {"chmod", {P("file"), N(0600)}},
    {"chmod", {P("other"), N(0600)}},
    {"chmod", {P("file"), N(06777)}},
    {"chmod", {P("link"), N(0640)}},
    {"fchmod", {N(FILE_FD), N(0611)}},
    {"fchmod", {N(LINK_FD), N(0611)}},
    {"fchmodat", {N(DIR_FD), P("file"), N(0611)}},
    {"fchmodat2", {N(DIR_FD), P("file"), N(0611), N(AT_SYMLINK_NOFOLLOW)}},
    {"fchmodat2", {N(AT_FDCWD), P("link"), N(0611), N(AT_SYMLINK_NOFOLLOW)}},
    {"chown", {P("file"), N(-1), N(OTHER_GROUP_ID)}},
    {"chown", {P("file"), N(12), N(-1)}},
    {"lchown", {P("link"), N(-1), N(OTHER_GROUP_ID)}},
    {"fchown", {N(FILE_FD), N(-1), N(GROUP_ID)}},
    {"fchownat", {N(AT_FDCWD), P("link"), N(-1), N(OTHER_GROUP_ID), N(AT_SYMLINK_NOFOLLOW)}},
    {"fchownat", {N(FILE_FD), P(""), N(-1), N(OTHER_GROUP_ID), N(AT_EMPTY_PATH)}},
    {"truncate", {P("file"), N(3)}},
    {"truncate", {P("other"), N(3)}},
    {"truncate", {P("dir"), N(3)}},
    {"truncate", {P("fifo"), N(3)}},
    {"truncate", {P("file"), N(-1)}, true},
    {"ftruncate", {N(FILE_FD), N(2)}},
    {"ftruncate", {N(READ_FD), N(2)}},
    {"utime", {P("file"), B(early_s)}},
    {"utime", {P("other"), N(0)}},
    {"utimes", {P("link"), B(early_us)}},
    {"futimesat", {N(DIR_FD), P("file"), B(early_us)}},
    {"futimesat", {N(FILE_FD), N(0), B(early_us)}},
    {"utimensat", {N(AT_FDCWD), P("link"), B(early), N(AT_SYMLINK_NOFOLLOW)}},
    {"utimensat", {N(AT_FDCWD), P("sticky/file"), B(now), N(0)}},
    {"utimensat", {N(AT_FDCWD), P("sticky/file"), B(early), N(0)}},
    {"utimensat", {N(DIR_FD), P("file"), B(half), N(0)}},
    {"utimensat", {N(FILE_FD), N(0), B(early), N(0)}},
    {"utimensat", {N(CLOSED_FD), P("/missing"), B(none), N(0)}, true},
    {"setxattr", {P("file"), P("user.more"), P("abc"), N(3), N(0)}},
    {"setxattr", {P("file"), P("user.test"), P("abc"), N(3), N(XATTR_CREATE)}},
    {"setxattr", {P("other"), P("user.test"), P("abc"), N(3), N(0)}},
    {"setxattr", {P("file"), P("trusted.test"), P("abc"), N(3), N(0)}},
    {"lsetxattr", {P("link"), P("user.test"), P("abc"), N(3), N(0)}},
    {"fsetxattr", {N(FILE_FD), P("user.test"), P("abcdefg"), N(7), N(0)}},
    {"getxattr", {P("link"), P("user.test"), O(64), N(64)}},
    {"getxattr", {P("file"), P("user.test"), O(2), N(2)}},
    {"getxattr", {P("file"), P("user.test"), N(0), N(0)}},
    {"getxattr", {P("file"), P("user.missing"), O(64), N(64)}},
    {"lgetxattr", {P("link"), P("user.test"), O(64), N(64)}},
    {"fgetxattr", {N(FILE_FD), P("user.test"), O(64), N(1UL << 40)}},
    {"listxattr", {P("file"), O(64), N(64)}},
    {"llistxattr", {P("link"), O(64), N(64)}},
    {"removexattr", {P("file"), P("user.test")}},
    {"removexattr", {P("other"), P("user.test")}},
    {"lremovexattr", {P("file"), P("user.test")}},
    {"fremovexattr", {N(FILE_FD), P("user.test")}},
    /* entries */
    {"unlink", {P("file")}},
    {"unlink", {P("other")}},
    {"unlink", {P("sticky/file")}},
    {"unlink", {P("dir")}},
    {"unlink", {P("link")}},
    {"unlink", {P("link/")}},
    {"unlink", {P("file/")}},
    {"unlink", {P("dir/.")}},
    {"unlink", {P("/")}},
    {"unlink", {P("closed/file")}},
    {"unlink", {P("missing/x")}},
    {"unlink", {P(long_name)}},
    {"unlinkat", {N(DIR_FD), P("file"), N(0)}},
    {"unlinkat", {N(AT_FDCWD), P("setgid"), N(AT_REMOVEDIR)}},
    {"unlinkat", {N(AT_FDCWD), P("file"), N(1)}, true},
    {"rmdir", {P("dir")}},
    {"rmdir", {P("setgid/")}},
    {"rmdir", {P("setgid/.")}},
    {"rmdir", {P("setgid/..")}},
    {"rmdir", {P("/")}},
    {"rmdir", {P("dirlink")}},
    {"rmdir", {P("dirlink/")}},
    {"mkdir", {P("new"), N(0777)}},
    {"mkdir", {P("new///"), N(01777)}},
    {"mkdir", {P("setgid/new"), N(0777)}},
    {"mkdir", {P("file"), N(0777)}},
    {"mkdir", {P("dangling"), N(0777)}},
    {"mkdir", {P("dangling/"), N(0777)}},
    {"mkdir", {P("/"), N(0777)}},
    {"mkdir", {P("."), N(0777)}},
    {"mkdir", {P("missing/.."), N(0777)}},
    {"mkdir", {P("closed/new"), N(0777)}},
    {"mkdir", {P("barrier/new"), N(0777)}},
    {"mkdir", {P("dirlink/new"), N(0777)}},
    {"mkdirat", {N(DIR_FD), P("new"), N(0777)}},
    {"mkdirat", {N(DIR_FD), P("../new"), N(0777)}},
    {"mkdirat", {N(CLOSED_FD), P("new"), N(0777)}},
    {"mkdirat", {N(CLOSED_FD), P("/tmp"), N(0777)}},
    {"mkdirat", {N(FILE_FD), P("new"), N(0777)}},
    {"mknod", {P("new"), N(S_IFIFO | 0666), N(0)}},
    {"mknod", {P("new"), N(0666), N(0)}},
    {"mknod", {P("new/"), N(S_IFREG | 0666), N(0)}},
    {"mknod", {P("new"), N(S_IFCHR | 0666), N(0x103)}},
    {"mknodat", {N(DIR_FD), P("new"), N(S_IFSOCK | 0666), N(0)}},
    {"symlink", {P("anything"), P("new")}},
    {"symlink", {P("anything"), P("file")}},
    {"symlink", {P("anything"), P("new/")}},
    {"symlink", {P("anything"), P("closed/new")}},
    {"symlink", {P(""), P("missing/new")}},
    {"symlinkat", {P("anything"), N(DIR_FD), P("new")}},
    {"link", {P("file"), P("new")}},
    {"link", {P("other"), P("new")}},
    {"link", {P("secret"), P("new")}},
    {"link", {P("link"), P("new")}},
    {"link", {P("dir"), P("new")}},
    {"link", {P("missing"), P("closed/new")}},
    {"link", {P("file"), P("other")}},
    {"link", {P("file"), P("new/")}},
    {"linkat", {N(AT_FDCWD), P("link"), N(DIR_FD), P("new"), N(AT_SYMLINK_FOLLOW)}},
    {"rename", {P("file"), P("new")}},
    {"rename", {P("file"), P("dir/file")}},
    {"rename", {P("other"), P("sticky/new")}},
    {"rename", {P("sticky/file"), P("new")}},
    {"rename", {P("dir"), P("dir/sub")}},
    {"rename", {P("dir"), P("new/")}},
    {"rename", {P("file"), P("new/")}},
    {"rename", {P("file"), P("dir")}},
    {"rename", {P("setgid"), P("dir")}},
    {"rename", {P("missing"), P("closed/new")}},
    {"rename", {P("file"), P("closed/new")}},
    {"rename", {P("."), P("new")}},
    {"rename", {P("file"), P("link")}},
    {"renameat", {N(DIR_FD), P("file"), N(AT_FDCWD), P("file")}},
    {"renameat2", {N(DIR_FD), P("file"), N(AT_FDCWD), P("file"), N(1)}},
    {"renameat2", {N(DIR_FD), P("file"), N(AT_FDCWD), P("other"), N(2)}},
    {"renameat2", {N(DIR_FD), P("file"), N(AT_FDCWD), P("other"), N(3)}, true},
    /* sockets */
    {"connect", {N(TCP_FD), B(nobody), N(sizeof nobody)}},
    {"connect", {N(UDP_FD), B(nobody), N(sizeof nobody)}},
    {"connect", {N(UDP_FD), B(nobody), N(4)}},
    {"connect", {N(UDP_FD), B(nobody), N(1000)}, true},
    {"connect", {N(UDP_FD), B(wrong_family), N(sizeof wrong_family)}},
    {"connect", {N(CLOSED_FD), B(nobody), N(sizeof nobody)}},
    {"connect", {N(FILE_FD), B(nobody), N(sizeof nobody)}},
    {"bind", {N(UDP_FD), B(any_port), N(sizeof any_port)}},
    {"bind", {N(TCP_FD), B(any_port), N(sizeof any_port)}},
    {"bind", {N(UDP_FD), B(low_port), N(sizeof low_port)}},
    {"bind", {N(UDP_FD), B(wrong_family), N(sizeof wrong_family)}},
    {"sendto", {N(UDP_FD), P("text"), N(4), N(0), B(nobody), N(sizeof nobody)}},
    {"sendto", {N(UDP_FD), P("text"), N(4), N(0), N(0), N(0)}},
    {"sendto", {N(UDP_FD), P(long_path), N(70000), N(0), B(nobody), N(sizeof nobody)}},
    {"sendto", {N(TCP_FD), P("text"), N(4), N(0), N(0), N(0)}, true},
};

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* All that a call can have changed, in text. Times that a call set are small, all others are now. */
static char *snapshot(void)
{
    char *text = NULL, value[64];
    size_t size;
    FILE *f = open_memstream(&text, &size);
    char *const paths[] = {tree, NULL};
    FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    for (FTSENT *e; (e = fts_read(fts)) != NULL;) {
        const struct stat *st = e->fts_statp;
        if (e->fts_info == FTS_DP)
            continue;
        ssize_t n = lgetxattr(e->fts_path, "user.test", value, sizeof value);
        fprintf(f, "%s %o %u:%u %lu links %lu bytes x%zd times %ld %ld\n", e->fts_path, st->st_mode,
                st->st_uid, st->st_gid, (unsigned long)st->st_nlink,
                (unsigned long)(S_ISDIR(st->st_mode) ? 0 : st->st_size), n,
                st->st_atime < 1000000 ? st->st_atime : -1, st->st_mtime < 1000000 ? st->st_mtime : -1);
    }
    (void)fts_close(fts);
    (void)fclose(f);
    return text;
}

/* Lay @t out in shared memory; registers into @regs. */
static void lay_out(const struct try *t, uint64_t regs[6])
{
    char *in = shared->memory, *out = shared->memory + MEMORY_SIZE / 2;
    memset(out, 0x55, MEMORY_SIZE / 2);
    for (unsigned i = 0; i < 6; i++) {
        const struct arg *a = &t->args[i];
        size_t size = a->kind == TEXT ? strlen(a->data) + 1 : (size_t)a->number;
        regs[i] = a->kind == NUMBER ? (uint64_t)a->number : (uint64_t)(a->kind == OUT ? out : in);
        if (a->kind == TEXT || a->kind == BYTES) {
            memcpy(in, a->data, size);
            in += size + 64;
        }
        shared->regs[i] = (long)regs[i];
    }
}

struct outcome {
    long result;
    int error, flags;
    char *tree, *out, link[256];
};

static void outcome_clear(struct outcome *o)
{
    free(o->tree);
    free(o->out);
}

/* Times and numbers of the file are not alike in two trees. */
static void keep_out(const struct try *t, struct outcome *o)
{
    o->out = malloc(4096);
    memcpy(o->out, shared->memory + MEMORY_SIZE / 2, 4096);
    struct stat *st = (struct stat *)o->out;
    struct statx *stx = (struct statx *)o->out;
    if (o->result != 0)
        return;
    if (strcmp(t->call, "statx") == 0) {
        stx->stx_ino = stx->stx_blocks = 0;
        stx->stx_atime = stx->stx_btime = stx->stx_ctime = stx->stx_mtime = (struct statx_timestamp){0};
    } else if (strcmp(t->call, "statfs") == 0) {
        memset(o->out + 16, 0, 40); /* what is free */
    } else if (strstr(t->call, "stat") != NULL) {
        st->st_ino = 0;
        memset(&st->st_atim, 0, 3 * sizeof st->st_atim);
    }
}

/* What descriptor @fd of @pid is. */
static void link_of(pid_t pid, int fd, char link[256])
{
    char name[64];
    (void)snprintf(name, sizeof name, "/proc/%d/fd/%d", pid, fd);
    cr_expect_gt(readlink(name, link, 255), 0, "%s", name);
}

static void bare(const struct try *t, const struct call *c, struct outcome *o)
{
    uint64_t regs[6];
    lay_out(t, regs);
    shared->nr = c->nr[ARCH_X86_64];
    tell('c');
    o->result = shared->result;
    o->error = shared->error;
    o->tree = snapshot();
    keep_out(t, o);
    if (c->returns_fd && o->result >= 0) {
        tell('g');
        o->flags = shared->flags;
        link_of(target, (int)o->result, o->link);
        tell('x');
        o->result = 0;
    }
}

static enum performing performed(struct performer *pf, const struct try *t, const struct call *c,
                                 struct outcome *o)
{
    uint64_t regs[6];
    struct performed p;
    struct idw_event ev;
    lay_out(t, regs);
    event_init(&ev, NULL, target, c, regs);
    ev.performing = true;
    ev.result_file = DEAD_FD;
    enum performing done = perform(pf, &ev, &p);
    event_result(&ev, p.result);
    o->result = event_failed(p.result) ? -1 : p.result;
    o->error = event_failed(p.result) ? (int)-p.result : 0;
    cr_expect_eq(perform_give(&ev), 0, "%s", t->call);
    o->tree = snapshot();
    keep_out(t, o);
    if (p.file >= 0) {
        link_of(getpid(), p.file, o->link);
        o->flags = fcntl(p.file, F_GETFL);
    }
    performed_clear(&p);
    event_clear(&ev);
    return done;
}

/* An unnamed file's number is not to be compared. */
static const char *comparable(const char *link)
{
    return strstr(link, "/#") != NULL ? "unnamed" : link;
}

static void compare(const struct try *t, const struct outcome *a, const struct outcome *b)
{
    const char *path = t->args[t->args[0].kind == TEXT ? 0 : 1].data;
    char what[128];
    (void)snprintf(what, sizeof what, "%s %.60s", t->call, path != NULL ? path : "-");
    cr_expect_eq(a->result, b->result, "%s: %ld (%d), performed %ld (%d)", what, a->result, a->error,
                 b->result, b->error);
    cr_expect_eq(a->error, b->error, "%s: errno %d, performed %d", what, a->error, b->error);
    cr_expect_eq(a->flags, b->flags, "%s: flags %#o, performed %#o", what, a->flags, b->flags);
    cr_expect_str_eq(a->tree, b->tree, "%s:\n%s\nperformed\n%s", what, a->tree, b->tree);
    if (strcmp(t->call, "fstat") != 0 && strstr(t->call, "fstatat") == NULL)
        cr_expect_eq(memcmp(a->out, b->out, 4096), 0, "%s: output", what);
    const char *x = comparable(a->link), *y = comparable(b->link);
    cr_expect_str_eq(x, y, "%s: %s, performed %s", what, x, y);
}

/* As it was in the beginning. */
static void restore(const char *before)
{
    __attribute__((cleanup(free_p))) char *is = snapshot();
    if (strcmp(is, before) != 0)
        fresh_tree();
    else
        tell('o');
}

static void run(const struct guise *g)
{
    memset(long_path, 'x', sizeof long_path - 1);
    memset(long_name, 'y', sizeof long_name - 1);
    begin(g);
    struct performer *pf = performer_new();
    cr_assert_not_null(pf);
    __attribute__((cleanup(free_p))) char *before = snapshot();
    for (size_t i = 0; i < ARRAY_SIZE(tries); i++) {
        const struct try *t = &tries[i];
        const struct call *c = call_by_name(t->call);
        __attribute__((cleanup(outcome_clear))) struct outcome a = {0}, b = {0};
        cr_assert(c != NULL && perform_knows(c), "%s", t->call);
        restore(before);
        bare(t, c, &a);
        restore(before);
        enum performing done = performed(pf, t, c, &b);
        bool in_jail = g->jail && t->in_target; /* no /proc there: its links lead nowhere */
        if (!in_jail)
            cr_expect_eq(done, t->in_target ? PERFORM_IN_TARGET : PERFORM_DONE, "%s %s: %d", t->call,
                         t->args[0].kind == TEXT ? (const char *)t->args[0].data : "-", done);
        if (done == PERFORM_DONE)
            compare(t, &a, &b);
        else
            cr_expect_str_eq(before, b.tree, "%s has done something", t->call);
    }
    performer_free(pf);
    end();
}

static void run_as_root(struct guise g)
{
    if (getuid() != 0)
        cr_skip_test("needs root");
    run(&g);
}

Test(perform, as_the_same)
{
    run(&(struct guise){0});
}

Test(perform, other_umask)
{
    run(&(struct guise){.umask = 0137});
}

Test(perform, as_a_user)
{
    run_as_root((struct guise){.user = true, .umask = 002});
}

Test(perform, without_capabilities)
{
    run_as_root((struct guise){.no_caps = true});
}

Test(perform, in_a_jail)
{
    run_as_root((struct guise){.jail = true});
}

Test(perform, user_in_a_jail)
{
    run_as_root((struct guise){.jail = true, .user = true, .umask = 077});
}
