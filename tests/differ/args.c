/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One argument of each kind. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <utime.h>

#include "differ.h"

/* An int: in a third of the calls the register's other half, which the kernel ignores, is not what it should
 * be. */
static void number(struct round *r, int n, struct value *v)
{
    *v = (struct value){.raw = (uint32_t)n};
    bool poisoned = rnd_one_in(r, 3);
    if (poisoned)
        v->raw |= rnd(r) << 32;
    else
        v->raw = (uint64_t)(int64_t)n;
    (void)snprintf(v->text, sizeof(v->text), "%#x%s", (unsigned)n, poisoned ? "^" : "");
}

/* The same for what the kernel takes 16 bits of. */
static void mode_number(struct round *r, unsigned mode, struct value *v)
{
    number(r, (int)mode, v);
    if (rnd_one_in(r, 4)) {
        v->raw |= (uint64_t)(rnd(r) & 0xffff) << 16;
        (void)snprintf(v->text, sizeof(v->text), "%#o^^", mode);
    }
}

static void wide(uint64_t n, struct value *v)
{
    *v = (struct value){.raw = n};
    (void)snprintf(v->text, sizeof(v->text), "%lld", (long long)n);
}

static char path[PATH_LONGEST];

static void some_path(struct round *r, enum path_use use, unsigned slot, struct value *v)
{
    bool last = true;
    for (unsigned i = slot + 1; i < 6; i++)
        last = last && r->call->args[i] != ARG_WPATH;
    size_t n = path_make(r, use, last, path, sizeof(path));
    memory_in(r, slot, path, n + 1, v);
}

static void path_looked_at(struct round *r, unsigned slot, struct value *v)
{
    some_path(r, PATH_LOOKED_AT, slot, v);
}

static void path_changed(struct round *r, unsigned slot, struct value *v)
{
    some_path(r, PATH_CHANGED, slot, v);
}

static void path_opened(struct round *r, unsigned slot, struct value *v)
{
    some_path(r, PATH_OPENED, slot, v);
}

static void none(struct round *r, unsigned slot, struct value *v)
{
    (void)slot;
    *v = (struct value){.raw = rnd(r)};
}

static int some_fd(struct round *r)
{
    static const int odd[] = {-1,    -100,       -99,           400, 0x7fffffff, (int)0x80000000,
                              -5000, KEEP_FIRST, KEEP_FIRST + 3};
    return rnd_one_in(r, 8) ? PICK(r, odd) : (int)rnd_below(r, FD_LAST + 1);
}

static void dirfd(struct round *r, unsigned slot, struct value *v)
{
    static const int dirs[] = {3, 3, 3, 3, 3, 18, 4, 19, 11, 5, 8};
    (void)slot;
    size_t which = rnd_below(r, 10);
    number(r, which < 5 ? AT_FDCWD : which < 9 ? PICK(r, dirs) : some_fd(r), v);
}

static void fd(struct round *r, unsigned slot, struct value *v)
{
    (void)slot;
    number(r, some_fd(r), v);
}

static unsigned open_bits(struct round *r)
{
    static const unsigned modes[] = {O_RDONLY, O_RDONLY, O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_ACCMODE};
    static const unsigned usual[] = {
        0,
        0,
        O_NONBLOCK,
        O_NONBLOCK,
        O_CREAT,
        O_CREAT | O_EXCL,
        O_CREAT | O_TRUNC,
        O_TRUNC,
        O_APPEND,
        O_PATH,
        O_PATH | O_NOFOLLOW,
        O_NOFOLLOW,
        O_DIRECTORY,
        O_PATH | O_DIRECTORY,
        O_DIRECTORY | O_NOFOLLOW,
        O_TMPFILE,
        O_TMPFILE | O_EXCL,
        O_CREAT | O_NOFOLLOW,
        O_CREAT | O_DIRECTORY,
        O_CREAT | O_NONBLOCK,
        O_NOCTTY,
        O_CREAT | O_PATH,
    };
    static const unsigned more[] = {O_CLOEXEC, O_CLOEXEC,   O_SYNC,   O_DSYNC,  O_NOATIME, O_DIRECT,
                                    O_ASYNC,   O_LARGEFILE, O_NDELAY, O_NOCTTY, O_EXCL,    __O_TMPFILE,
                                    1u << 24,  1u << 31,    4,        O_CREAT,  O_TRUNC};
    static const unsigned safe =
        O_NONBLOCK | O_PATH | O_NOFOLLOW | O_DIRECTORY | O_NOCTTY | O_CLOEXEC | O_NOATIME | O_DIRECT;
    unsigned bits = PICK(r, modes) | PICK(r, usual);
    while (rnd_one_in(r, 3))
        bits |= PICK(r, more);
    return r->outside && !r->harmless ? bits & safe : bits;
}

static void open_flags(struct round *r, unsigned slot, struct value *v)
{
    (void)slot;
    number(r, (int)open_bits(r), v);
}

static const unsigned modes[] = {0644,  0600,  0755,  0777,  0700,  0666, 0444, 0,
                                 04755, 02755, 01777, 06711, 07777, 0222, 0111, 0311};

static void mode(struct round *r, unsigned slot, struct value *v)
{
    (void)slot;
    mode_number(r, PICK(r, modes) | (rnd_one_in(r, 12) ? 0170000 : 0), v);
}

static void node_mode(struct round *r, unsigned slot, struct value *v)
{
    static const unsigned types[] = {S_IFREG, S_IFREG, 0,       S_IFIFO, S_IFSOCK, S_IFCHR,
                                     S_IFBLK, S_IFDIR, S_IFLNK, 0150000, S_IFMT};
    (void)slot;
    mode_number(r, PICK(r, types) | PICK(r, modes), v);
}

static void device(struct round *r, unsigned slot, struct value *v)
{
    static const int devs[] = {0, 0x103, 0x105, 0x107, 0}; /* nothing, and null, zero, full */
    (void)slot;
    number(r, PICK(r, devs), v);
}

static void how(struct round *r, unsigned slot, struct value *v)
{
    /* Not RESOLVE_CACHED: what is cached differs from run to run. */
    static const uint64_t resolve[] = {RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS,
                                       RESOLVE_BENEATH, RESOLVE_IN_ROOT,       0x40,
                                       1ull << 40};
    struct {
        struct open_how how;
        char more[4072 + 1000];
    } h = {.how = {.flags = open_bits(r)}};
    if (h.how.flags & (O_CREAT | __O_TMPFILE) || rnd_one_in(r, 30))
        h.how.mode = PICK(r, modes);
    if (rnd_one_in(r, 30))
        h.how.flags |= 1ull << (32 + rnd_below(r, 32));
    if (rnd_one_in(r, 20))
        h.how.mode |= 1ull << (12 + rnd_below(r, 40));
    while (rnd_one_in(r, 3))
        h.how.resolve |= PICK(r, resolve);
    static const size_t sizes[] = {0, 1, 16, 23, 25, 32, 32, 4095, 4096, 4097, 5000};
    r->size = rnd_one_in(r, 8) ? PICK(r, sizes) : sizeof(h.how);
    if (rnd_one_in(r, 3))
        h.more[rnd_below(r, 8)] = 1;
    memory_in(r, slot, &h, r->size == 0 ? 24 : r->size, v);
    if (v->mem != NULL)
        (void)snprintf(v->text, sizeof(v->text), "{%#llx,%#llo,%#llx}", (unsigned long long)h.how.flags,
                       (unsigned long long)h.how.mode, (unsigned long long)h.how.resolve);
}

/* The size that goes with the last struct. */
static void its_size(struct round *r, unsigned slot, struct value *v)
{
    (void)slot;
    wide(r->size, v);
}

static void stat_buf(struct round *r, unsigned slot, struct value *v)
{
    memory_out(r, slot, sizeof(struct stat), v);
}

static void statx_buf(struct round *r, unsigned slot, struct value *v)
{
    memory_out(r, slot, sizeof(struct statx), v);
}

static void statfs_buf(struct round *r, unsigned slot, struct value *v)
{
    memory_out(r, slot, sizeof(struct statfs), v);
}

static void at_flags(struct round *r, unsigned slot, struct value *v)
{
    static const struct {
        const char *call;
        int bits[4];
    } usual[] = {
        {"unlinkat", {0, AT_REMOVEDIR, AT_REMOVEDIR, 0}},
        {"linkat", {0, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH}},
        {"faccessat2", {0, AT_EACCESS, AT_SYMLINK_NOFOLLOW | AT_EACCESS, AT_EMPTY_PATH}},
        {"", {0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW}},
    };
    static const int odd[] = {AT_SYMLINK_FOLLOW,
                              AT_REMOVEDIR,
                              AT_NO_AUTOMOUNT,
                              AT_STATX_FORCE_SYNC,
                              AT_STATX_DONT_SYNC,
                              0x6000,
                              1,
                              0x10000,
                              -1};
    size_t which = 0;
    (void)slot;
    while (usual[which].call[0] != '\0' && strcmp(usual[which].call, r->call->name) != 0)
        which++;
    number(r, rnd_one_in(r, 6) ? PICK(r, odd) : PICK(r, usual[which].bits), v);
}

static void statx_mask(struct round *r, unsigned slot, struct value *v)
{
    static const unsigned masks[] = {0x7ff,  0x7ff,  0xfff,  0,          1,          0x200,
                                     0x1000, 0x2000, 0x4000, 0x80000000, 0xffffffff, 0x7fffffff};
    (void)slot;
    number(r, (int)PICK(r, masks), v);
}

static void access_mode(struct round *r, unsigned slot, struct value *v)
{
    static const int bits[] = {0, 1, 2, 3, 4, 5, 6, 7, 0, 2, 4, 1, 3, 8, -1};
    (void)slot;
    number(r, PICK(r, bits), v);
}

static void buf(struct round *r, unsigned slot, struct value *v)
{
    static const size_t sizes[] = {4096, 4096, 255, 100, 5, 1, 1, 3, 65536, 70000};
    r->size = PICK(r, sizes);
    memory_out(r, slot, r->size, v);
}

/* Of the buffer above: all of it, less, none, or what can't be. */
static uint64_t odd_size(struct round *r)
{
    static const uint64_t odd[] = {
        0, 0, (uint64_t)-1, (uint64_t)1 << 31, ((uint64_t)1 << 32) + 8, (uint64_t)1 << 63};
    if (rnd_one_in(r, 12))
        return PICK(r, odd);
    return rnd_one_in(r, 5) ? rnd_below(r, r->size + 1) : r->size;
}

static void buf_size(struct round *r, unsigned slot, struct value *v)
{
    (void)slot;
    wide(odd_size(r), v);
}

static void buf_int(struct round *r, unsigned slot, struct value *v)
{
    (void)slot;
    number(r, (int)odd_size(r), v);
}

static void id(struct round *r, unsigned slot, struct value *v)
{
    static const int ids[] = {-1, -1, 0, 1000, 1234, 65534, -2, 0x7fffffff};
    (void)slot;
    number(r, PICK(r, ids), v);
}

static void length(struct round *r, unsigned slot, struct value *v)
{
    static const int64_t lengths[] = {
        0, 0, 1, 10, 100, 4096, 5000, 20000, 1 << 20, -1, (int64_t)1 << 33, INT64_MAX, INT64_MIN};
    (void)slot;
    wide((uint64_t)PICK(r, lengths), v);
}

static const int64_t seconds[] = {0,
                                  1,
                                  1000000000,
                                  1234567890,
                                  -1,
                                  -1000000000,
                                  (int64_t)1 << 31,
                                  (int64_t)1 << 33,
                                  (int64_t)1 << 34,
                                  INT64_MAX,
                                  INT64_MIN};

static void utimbuf(struct round *r, unsigned slot, struct value *v)
{
    struct utimbuf t = {PICK(r, seconds), PICK(r, seconds)};
    memory_in(r, slot, &t, sizeof(t), v);
}

static void times(struct round *r, unsigned slot, const int64_t *fractions, size_t n, struct value *v)
{
    int64_t t[4] = {PICK(r, seconds), fractions[rnd_below(r, n)], PICK(r, seconds),
                    fractions[rnd_below(r, n)]};
    memory_in(r, slot, t, sizeof(t), v);
}

static void timevals(struct round *r, unsigned slot, struct value *v)
{
    static const int64_t micros[] = {0, 0, 5, 999999, 1000000, -1};
    times(r, slot, micros, COUNT(micros), v);
}

static void timespecs(struct round *r, unsigned slot, struct value *v)
{
    static const int64_t nanos[] = {0,  0,         5,          999999999, 1000000000,
                                    -1, UTIME_NOW, UTIME_OMIT, UTIME_NOW, UTIME_OMIT};
    times(r, slot, nanos, COUNT(nanos), v);
}

static void xattr_name(struct round *r, unsigned slot, struct value *v)
{
    static const char *const names[] = {
        "user.a",
        "user.a",
        "user.b",
        "user.c",
        "user.a",
        "user.",
        "user",
        "trusted.a",
        "trusted.b",
        "security.x",
        "security.capability",
        "system.posix_acl_access",
        "system.posix_acl_default",
        "system.sockprotoname",
        "odd.a",
        "",
        ".",
        "USER.a",
    };
    static char name[1024];
    static const size_t lengths[] = {255, 255, 256, 257, 1000};
    if (rnd_one_in(r, 12)) {
        size_t n = PICK(r, lengths);
        (void)snprintf(name, sizeof(name), "user.%0*d", (int)n - 5, 1);
    } else {
        (void)snprintf(name, sizeof(name), "%s", PICK(r, names));
    }
    memory_in(r, slot, name, strlen(name) + 1, v);
}

static void data(struct round *r, unsigned slot, struct value *v)
{
    static const size_t sizes[] = {1, 4, 10, 10, 100, 255, 3000, 4000, 5000, 65536, 65537, 70000};
    static uint8_t bytes[70000];
    r->size = PICK(r, sizes);
    memset(bytes, (int)(rnd(r) & 0xff), r->size);
    memory_in(r, slot, bytes, r->size, v);
}

static void xattr_flags(struct round *r, unsigned slot, struct value *v)
{
    static const int bits[] = {0, 0, 0, XATTR_CREATE, XATTR_REPLACE, 3, 4, -1};
    (void)slot;
    number(r, PICK(r, bits), v);
}

/* struct xattr_args of setxattrat and getxattrat: its value lies in a slot of its own. */
static void xattr_args(struct round *r, unsigned slot, struct value *v)
{
    struct value value;
    bool reads = strncmp(r->call->name, "set", 3) == 0;
    (reads ? data : buf)(r, 6, &value);
    struct {
        uint64_t value;
        uint32_t size, flags;
        uint64_t more[2];
    } a = {value.raw, (uint32_t)odd_size(r), 0, {0, 0}};
    if (reads)
        a.flags = rnd_one_in(r, 3) ? (uint32_t)rnd_below(r, 5) : 0;
    static const size_t sizes[] = {0, 8, 15, 17, 24, 32, 4096, 4097};
    a.more[0] = rnd_one_in(r, 3);
    r->size = rnd_one_in(r, 8) ? PICK(r, sizes) : 16;
    memory_in(r, slot, &a, r->size > sizeof(a) || r->size == 0 ? sizeof(a) : r->size, v);
    if (v->mem != NULL) {
        char text[sizeof(value.text)];
        memcpy(text, value.text, sizeof(text));
        (void)snprintf(v->text, sizeof(v->text), "{%.90s,%u,%u}", text, a.size, a.flags);
    }
    if (!reads)
        r->extra = value;
}

static void rename_flags(struct round *r, unsigned slot, struct value *v)
{
    static const int bits[] = {0, 0, 1, 1, 2, 2, 3, 4, 5, 8, -1};
    (void)slot;
    number(r, PICK(r, bits), v);
}

static void socket_fd(struct round *r, unsigned slot, struct value *v)
{
    (void)slot;
    number(r, rnd_one_in(r, 16) ? some_fd(r) : net_socket(r), v);
}

static void address(struct round *r, unsigned slot, struct value *v)
{
    struct sockaddr_storage addr;
    char text[100];
    r->size = net_address(r, &addr, text, sizeof(text));
    memory_in(r, slot, &addr, sizeof(addr) < r->size || r->size == 0 ? sizeof(addr) : r->size, v);
    if (v->mem != NULL)
        (void)snprintf(v->text, sizeof(v->text), "%s", text);
}

static void address_length(struct round *r, unsigned slot, struct value *v)
{
    static const int odd[] = {0, 1, 2, 3, 15, 16, 17, 28, 110, 111, 128, 129, 200, -1, 0x7fffffff};
    (void)slot;
    number(r, rnd_one_in(r, 8) ? PICK(r, odd) : (int)r->size, v);
}

static void message_flags(struct round *r, unsigned slot, struct value *v)
{
    static const int bits[] = {0,       0,       MSG_DONTWAIT, MSG_NOSIGNAL, MSG_NOSIGNAL | MSG_DONTWAIT,
                               MSG_EOR, MSG_OOB, MSG_MORE,     MSG_CONFIRM,  MSG_PEEK,
                               0x800000};
    (void)slot;
    number(r, PICK(r, bits) | MSG_DONTWAIT, v);
}

static void (*const makers[ARG_KINDS])(struct round *r, unsigned slot, struct value *v) = {
    [ARG_NONE] = none,
    [ARG_PATH] = path_looked_at,
    [ARG_WPATH] = path_changed,
    [ARG_OPATH] = path_opened,
    [ARG_DIRFD] = dirfd,
    [ARG_FD] = fd,
    [ARG_OPEN_FLAGS] = open_flags,
    [ARG_MODE] = mode,
    [ARG_NODE_MODE] = node_mode,
    [ARG_DEV] = device,
    [ARG_HOW] = how,
    [ARG_HOW_SIZE] = its_size,
    [ARG_STAT] = stat_buf,
    [ARG_STATX] = statx_buf,
    [ARG_STATFS] = statfs_buf,
    [ARG_AT_FLAGS] = at_flags,
    [ARG_STATX_MASK] = statx_mask,
    [ARG_ACCESS_MODE] = access_mode,
    [ARG_BUF] = buf,
    [ARG_BUF_SIZE] = buf_size,
    [ARG_BUF_INT] = buf_int,
    [ARG_ID] = id,
    [ARG_LENGTH] = length,
    [ARG_UTIMBUF] = utimbuf,
    [ARG_TIMEVALS] = timevals,
    [ARG_TIMESPECS] = timespecs,
    [ARG_XATTR_NAME] = xattr_name,
    [ARG_DATA] = data,
    [ARG_DATA_SIZE] = buf_size,
    [ARG_XATTR_FLAGS] = xattr_flags,
    [ARG_XATTR_ARGS] = xattr_args,
    [ARG_XATTR_ARGS_SIZE] = its_size,
    [ARG_RENAME_FLAGS] = rename_flags,
    [ARG_SOCKET] = socket_fd,
    [ARG_ADDR] = address,
    [ARG_ADDR_LEN] = address_length,
    [ARG_MSG_FLAGS] = message_flags,
};

void arg_make(struct round *r, enum arg_kind kind, unsigned slot, struct value *v)
{
    makers[kind](r, slot, v);
}
