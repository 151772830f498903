/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is to say of a call: what it has written, and what it has opened, bound, connected or sent. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "differ.h"

#define PTS_MAJOR 136

static bool of_tree(const struct round *r, dev_t dev)
{
    return r->has_tree_dev && dev == r->tree_dev;
}

/* What belongs to another file system counts what is not ours: the processes, the terminals. */
static void say_attributes(struct round *r, const struct stat *st)
{
    bool ours = of_tree(r, st->st_dev);
    say(" mode=%o uid=%u gid=%u %s", st->st_mode, st->st_uid, st->st_gid, ours ? "tree" : "other");
    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
        say(" rdev=%u:%u", major(st->st_rdev), major(st->st_rdev) == PTS_MAJOR ? 0 : minor(st->st_rdev));
    if (!ours || r->outside)
        return;
    say(" nlink=%lu", (unsigned long)st->st_nlink);
    if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode))
        say(" size=%lld", (long long)st->st_size);
    say_time("atime", st->st_atim.tv_sec, st->st_atim.tv_nsec);
    say_time("mtime", st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

static const struct value *argument(const struct round *r, const struct call *c, enum arg_kind kind)
{
    for (unsigned i = 0; i < 6; i++)
        if (c->args[i] == kind)
            return &r->values[i];
    return NULL;
}

static void say_stat(struct round *r, const struct call *c, long result)
{
    const struct value *v = argument(r, c, ARG_STAT);
    struct stat st;
    if (result != 0 || v->cap < sizeof(st))
        return;
    memcpy(&st, v->mem, sizeof(st));
    say_attributes(r, &st);
}

static void say_statx(struct round *r, const struct call *c, long result)
{
    const struct value *v = argument(r, c, ARG_STATX);
    struct statx x;
    if (result != 0 || v->cap < sizeof(x))
        return;
    memcpy(&x, v->mem, sizeof(x));
    struct stat st = {
        .st_mode = x.stx_mode,
        .st_uid = x.stx_uid,
        .st_gid = x.stx_gid,
        .st_nlink = x.stx_nlink,
        .st_size = (off_t)x.stx_size,
        .st_dev = makedev(x.stx_dev_major, x.stx_dev_minor),
        .st_rdev = makedev(x.stx_rdev_major, x.stx_rdev_minor),
        .st_atim = {x.stx_atime.tv_sec, x.stx_atime.tv_nsec},
        .st_mtim = {x.stx_mtime.tv_sec, x.stx_mtime.tv_nsec},
    };
    say(" mask=%#x attributes=%#llx/%#llx", x.stx_mask, (unsigned long long)x.stx_attributes,
        (unsigned long long)x.stx_attributes_mask);
    say_attributes(r, &st);
}

static void say_statfs(struct round *r, const struct call *c, long result)
{
    const struct value *v = argument(r, c, ARG_STATFS);
    struct statfs fs;
    if (result != 0 || v->cap < sizeof(fs))
        return;
    memcpy(&fs, v->mem, sizeof(fs));
    say(" type=%#lx bsize=%ld namelen=%ld flags=%#lx blocks=%s", (unsigned long)fs.f_type, (long)fs.f_bsize,
        (long)fs.f_namelen, (unsigned long)fs.f_flags, fs.f_blocks > 0 ? "some" : "0");
}

/* A link's length is that of the process id in it. */
static bool is_masked(const struct round *r, const struct call *c, long result)
{
    const struct value *v = argument(r, c, ARG_BUF);
    if (c->outcome != OUT_BYTES || result <= 0 || v->mem == NULL || (size_t)result > v->cap ||
        strncmp(c->name, "readlink", 8) != 0)
        return false;
    return r->outside || memmem(v->mem, (size_t)result, "[", 1) != NULL ||
           memmem(v->mem, (size_t)result, "#", 1) != NULL;
}

enum { PID_LENGTH_MOST = 7 }; /* of 4194304, PID_MAX_LIMIT of the kernel */

static void say_bytes(struct round *r, const struct call *c, long result)
{
    const struct value *v = argument(r, c, ARG_BUF);
    const struct value *size = argument(r, c, ARG_BUF_INT);
    if (result <= 0 || v->mem == NULL || (size_t)result > v->cap)
        return;
    say(" ");
    /* Whether and where it has been cut depends on the length of the process id. */
    if (is_masked(r, c, result) && size != NULL &&
        ((uint32_t)size->raw <= PID_LENGTH_MOST || (size_t)result == (uint32_t)size->raw))
        say("cut");
    else
        say_normal((const char *)v->mem, (size_t)result);
    size_t more = memory_touched(v, (size_t)result);
    if (more > 0)
        say(" touched %zu more", more);
}

static void say_extra(struct round *r, const struct call *c, long result)
{
    const struct value *v = &r->extra;
    (void)c;
    if (result <= 0 || v->mem == NULL || (size_t)result > v->cap)
        return;
    say(" ");
    say_text((const char *)v->mem, (size_t)result);
}

/* Where /proc says that it is open, when there is a /proc. */
static void say_name(int fd)
{
    char name[64], target[PATH_LONGEST];
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(name, target, 4096);
    if (n > 0)
        say_normal(target, (size_t)n);
}

/* Some stay open, for later calls to name; nothing that is not the tree's, if these could do harm with it. */
static void keep(struct round *r, int fd)
{
    if (rnd_one_in(r, 3) && (!r->outside || r->harmless))
        (void)dup3(fd, KEEP_FIRST + (int)(r->kept++ % N_KEPT), O_CLOEXEC);
    (void)close(fd);
}

static void say_opened(struct round *r, const struct call *c, long result)
{
    struct stat st;
    int fd = (int)result;
    (void)c;
    if (result < 0)
        return;
    say(" flags=%#x,%d", (unsigned)fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
    if (fstat(fd, &st) == 0)
        say_attributes(r, &st);
    if (rnd_one_in(r, 3))
        say_name(fd);
    keep(r, fd);
}

static void say_bound(struct round *r, const struct call *c, long result)
{
    (void)c;
    if (result == 0)
        net_say_bound((int)(uint32_t)r->values[0].raw);
}

static void say_connected(struct round *r, const struct call *c, long result)
{
    (void)c;
    if (result == 0)
        net_say_connected((int)(uint32_t)r->values[0].raw);
}

static void say_sent(struct round *r, const struct call *c, long result)
{
    (void)r;
    (void)c;
    if (result >= 0)
        net_say_received();
}

static void (*const sayers[])(struct round *r, const struct call *c, long result) = {
    [OUT_FD] = say_opened,     [OUT_STAT] = say_stat,         [OUT_STATX] = say_statx,
    [OUT_STATFS] = say_statfs, [OUT_BYTES] = say_bytes,       [OUT_XATTR_ARGS] = say_extra,
    [OUT_BIND] = say_bound,    [OUT_CONNECT] = say_connected, [OUT_SEND] = say_sent,
};

static bool is_written(enum arg_kind kind)
{
    return kind == ARG_STAT || kind == ARG_STATX || kind == ARG_STATFS || kind == ARG_BUF;
}

/* A call that failed has written nothing; but for a fault in the middle, where it had to stop. */
static void say_touched(const struct round *r, const struct call *c, long result)
{
    for (unsigned i = 0; i < 6; i++)
        if (is_written(c->args[i]) && result < 0 && result != -EFAULT && memory_touched(&r->values[i], 0) > 0)
            say(" touched");
        else if (is_written(c->args[i]) && !r->values[i].writable && memory_touched(&r->values[i], 0) > 0)
            say(" touched what can't be written");
}

void outcome_say(struct round *r, const struct call *c, long result)
{
    if (result < 0)
        say(" = %s", result >= -4095 ? strerrorname_np((int)-result) : "?");
    else if (is_masked(r, c, result))
        say(" = some");
    else
        say(" = %ld", result);
    say_touched(r, c, result);
    if (sayers[c->outcome] != NULL)
        sayers[c->outcome](r, c, result);
}
