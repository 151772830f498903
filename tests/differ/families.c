/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The calls, in families: each family is made equally often. */
#include <sys/syscall.h>

#include "differ.h"

/* Numbers of calls that are newer than Debian 12's headers. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#define SYS_removexattrat 466
#endif

#define A(kind) ARG_##kind
#define C(name, outcome, ...)                                                                                \
    {                                                                                                        \
#name, SYS_##name, {__VA_ARGS__ }, OUT_##outcome                                                     \
    }

static const struct call open_calls[] = {
    C(open, FD, A(OPATH), A(OPEN_FLAGS), A(MODE)),
    C(openat, FD, A(DIRFD), A(OPATH), A(OPEN_FLAGS), A(MODE)),
    C(openat, FD, A(DIRFD), A(OPATH), A(OPEN_FLAGS), A(MODE)),
    C(openat2, FD, A(DIRFD), A(OPATH), A(HOW), A(HOW_SIZE)),
    C(creat, FD, A(WPATH), A(MODE)),
};
static const struct call stat_calls[] = {
    C(stat, STAT, A(PATH), A(STAT)),
    C(lstat, STAT, A(PATH), A(STAT)),
    C(newfstatat, STAT, A(DIRFD), A(PATH), A(STAT), A(AT_FLAGS)),
    C(fstat, STAT, A(FD), A(STAT)),
    C(statx, STATX, A(DIRFD), A(PATH), A(AT_FLAGS), A(STATX_MASK), A(STATX)),
};
static const struct call statfs_calls[] = {
    C(statfs, STATFS, A(PATH), A(STATFS)),
    C(fstatfs, STATFS, A(FD), A(STATFS)),
};
static const struct call access_calls[] = {
    C(access, NONE, A(PATH), A(ACCESS_MODE)),
    C(faccessat, NONE, A(DIRFD), A(PATH), A(ACCESS_MODE)),
    C(faccessat2, NONE, A(DIRFD), A(PATH), A(ACCESS_MODE), A(AT_FLAGS)),
};
static const struct call readlink_calls[] = {
    C(readlink, BYTES, A(PATH), A(BUF), A(BUF_INT)),
    C(readlinkat, BYTES, A(DIRFD), A(PATH), A(BUF), A(BUF_INT)),
};
static const struct call chmod_calls[] = {
    C(chmod, NONE, A(WPATH), A(MODE)),
    C(fchmodat, NONE, A(DIRFD), A(WPATH), A(MODE)),
    C(fchmodat2, NONE, A(DIRFD), A(WPATH), A(MODE), A(AT_FLAGS)),
    C(fchmod, NONE, A(FD), A(MODE)),
};
static const struct call chown_calls[] = {
    C(chown, NONE, A(WPATH), A(ID), A(ID)),
    C(lchown, NONE, A(WPATH), A(ID), A(ID)),
    C(fchownat, NONE, A(DIRFD), A(WPATH), A(ID), A(ID), A(AT_FLAGS)),
    C(fchown, NONE, A(FD), A(ID), A(ID)),
};
static const struct call unlink_calls[] = {
    C(unlink, NONE, A(WPATH)),
    C(unlinkat, NONE, A(DIRFD), A(WPATH), A(AT_FLAGS)),
};
static const struct call rmdir_calls[] = {C(rmdir, NONE, A(WPATH))};
static const struct call rename_calls[] = {
    C(rename, NONE, A(WPATH), A(WPATH)),
    C(renameat, NONE, A(DIRFD), A(WPATH), A(DIRFD), A(WPATH)),
    C(renameat2, NONE, A(DIRFD), A(WPATH), A(DIRFD), A(WPATH), A(RENAME_FLAGS)),
};
static const struct call link_calls[] = {
    C(link, NONE, A(WPATH), A(WPATH)),
    C(linkat, NONE, A(DIRFD), A(WPATH), A(DIRFD), A(WPATH), A(AT_FLAGS)),
};
static const struct call symlink_calls[] = {
    C(symlink, NONE, A(WPATH), A(WPATH)),
    C(symlinkat, NONE, A(WPATH), A(DIRFD), A(WPATH)),
};
static const struct call mkdir_calls[] = {
    C(mkdir, NONE, A(WPATH), A(MODE)),
    C(mkdirat, NONE, A(DIRFD), A(WPATH), A(MODE)),
};
static const struct call mknod_calls[] = {
    C(mknod, NONE, A(WPATH), A(NODE_MODE), A(DEV)),
    C(mknodat, NONE, A(DIRFD), A(WPATH), A(NODE_MODE), A(DEV)),
};
static const struct call truncate_calls[] = {
    C(truncate, NONE, A(WPATH), A(LENGTH)),
    C(ftruncate, NONE, A(FD), A(LENGTH)),
};
static const struct call utime_calls[] = {
    C(utime, NONE, A(WPATH), A(UTIMBUF)),
    C(utimes, NONE, A(WPATH), A(TIMEVALS)),
    C(futimesat, NONE, A(DIRFD), A(WPATH), A(TIMEVALS)),
    C(utimensat, NONE, A(DIRFD), A(WPATH), A(TIMESPECS), A(AT_FLAGS)),
};
static const struct call setxattr_calls[] = {
    C(setxattr, NONE, A(WPATH), A(XATTR_NAME), A(DATA), A(DATA_SIZE), A(XATTR_FLAGS)),
    C(lsetxattr, NONE, A(WPATH), A(XATTR_NAME), A(DATA), A(DATA_SIZE), A(XATTR_FLAGS)),
    C(fsetxattr, NONE, A(FD), A(XATTR_NAME), A(DATA), A(DATA_SIZE), A(XATTR_FLAGS)),
    C(setxattrat, NONE, A(DIRFD), A(WPATH), A(AT_FLAGS), A(XATTR_NAME), A(XATTR_ARGS), A(XATTR_ARGS_SIZE)),
    C(removexattr, NONE, A(WPATH), A(XATTR_NAME)),
    C(lremovexattr, NONE, A(WPATH), A(XATTR_NAME)),
    C(fremovexattr, NONE, A(FD), A(XATTR_NAME)),
    C(removexattrat, NONE, A(DIRFD), A(WPATH), A(AT_FLAGS), A(XATTR_NAME)),
};
static const struct call getxattr_calls[] = {
    C(getxattr, BYTES, A(PATH), A(XATTR_NAME), A(BUF), A(BUF_SIZE)),
    C(lgetxattr, BYTES, A(PATH), A(XATTR_NAME), A(BUF), A(BUF_SIZE)),
    C(fgetxattr, BYTES, A(FD), A(XATTR_NAME), A(BUF), A(BUF_SIZE)),
    C(getxattrat, XATTR_ARGS, A(DIRFD), A(PATH), A(AT_FLAGS), A(XATTR_NAME), A(XATTR_ARGS),
      A(XATTR_ARGS_SIZE)),
    C(listxattr, BYTES, A(PATH), A(BUF), A(BUF_SIZE)),
    C(llistxattr, BYTES, A(PATH), A(BUF), A(BUF_SIZE)),
    C(flistxattr, BYTES, A(FD), A(BUF), A(BUF_SIZE)),
    C(listxattrat, BYTES, A(DIRFD), A(PATH), A(AT_FLAGS), A(BUF), A(BUF_SIZE)),
};
static const struct call connect_calls[] = {C(connect, CONNECT, A(SOCKET), A(ADDR), A(ADDR_LEN))};
static const struct call bind_calls[] = {C(bind, BIND, A(SOCKET), A(ADDR), A(ADDR_LEN))};
static const struct call sendto_calls[] = {
    C(sendto, SEND, A(SOCKET), A(DATA), A(DATA_SIZE), A(MSG_FLAGS), A(ADDR), A(ADDR_LEN)),
};

#define FAMILY(name)                                                                                         \
    {                                                                                                        \
#name, name##_calls, COUNT(name##_calls)                                                             \
    }

const struct family families[] = {
    FAMILY(open),    FAMILY(stat),   FAMILY(statfs),   FAMILY(access), FAMILY(readlink), FAMILY(chmod),
    FAMILY(chown),   FAMILY(unlink), FAMILY(rmdir),    FAMILY(rename), FAMILY(link),     FAMILY(symlink),
    FAMILY(mkdir),   FAMILY(mknod),  FAMILY(truncate), FAMILY(utime),  FAMILY(setxattr), FAMILY(getxattr),
    FAMILY(connect), FAMILY(bind),   FAMILY(sendto),
};
const size_t n_families = COUNT(families);
