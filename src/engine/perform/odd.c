/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arguments that the kernel refuses, or that only a newer kernel knows. Such a call is the target's own
 * business: errors then come in the kernel's order. Only where clauses have looked at what the call is about,
 * and the target therefore may not make it, the kernel is asked what it thinks of the arguments.
 */
#include "engine/perform/job.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "base/cleanup.h"

bool odd_access(struct job *j)
{
    return (job_argument(j, CALL_NAME_amode) & ~(uint64_t)(R_OK | W_OK | X_OK)) != 0;
}

bool odd_readlink(struct job *j)
{
    return (int)job_argument(j, CALL_NAME_size) <= 0;
}

bool odd_statx(struct job *j)
{
    const uint64_t sync = AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC;
    return (job_argument(j, CALL_NAME_mask) & STATX__RESERVED) != 0 ||
           (job_argument(j, CALL_NAME_flags) & sync) == sync;
}

/* utimes and its like give microseconds, utimensat nanoseconds or the special values. */
bool odd_times(struct job *j)
{
    const struct call_arg *a = call_arg_named(j->ev->call, CALL_NAME_times);
    const struct event_copy *c = event_memory(j->ev, a);
    struct timespec times[2];
    if (c->data == NULL || a->size != sizeof times)
        return false;
    memcpy(times, c->data, sizeof times);
    long most = strcmp(j->ev->call->name, "utimensat") == 0 ? 999999999 : 999999;
    unsigned omitted = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
        bool special = most > 999999 && (times[i].tv_nsec == UTIME_NOW || times[i].tv_nsec == UTIME_OMIT);
        if (!special && (times[i].tv_nsec < 0 || times[i].tv_nsec > most))
            return true;
        omitted += special && times[i].tv_nsec == UTIME_OMIT;
    }
    return omitted == ARRAY_SIZE(times);
}

static bool odd_value(struct job *j)
{
    const struct call_arg *a = call_arg_named(j->ev->call, CALL_NAME_value);
    uint64_t size = job_argument(j, CALL_NAME_size);
    return size > XATTR_SIZE_MAX || (size > 0 && (a == NULL || event_memory(j->ev, a)->data == NULL)) ||
           (job_argument(j, CALL_NAME_flags) & ~UINT64_C(3)) != 0;
}

bool odd_xattr(struct job *j)
{
    const char *name = job_text(j, CALL_NAME_name);
    bool names = call_arg_named(j->ev->call, CALL_NAME_name) != NULL;
    bool sets = strcmp(j->ev->call->family, "setxattr") == 0 || strcmp(j->ev->call->name, "fsetxattr") == 0;
    if (names && (name == NULL || name[0] == '\0' || strlen(name) > XATTR_NAME_MAX))
        return true;
    return sets && odd_value(j);
}

bool odd_truncate(struct job *j)
{
    return (int64_t)job_argument(j, CALL_NAME_length) < 0;
}

bool odd_mknod(struct job *j)
{
    mode_t type = (mode_t)job_argument(j, CALL_NAME_mode) & S_IFMT;
    return type != 0 && !S_ISREG(type) && !S_ISFIFO(type) && !S_ISSOCK(type) && !S_ISCHR(type) &&
           !S_ISBLK(type);
}

bool odd_unlink(struct job *j)
{
    return (job_argument(j, CALL_NAME_flags) & ~(uint64_t)AT_REMOVEDIR) != 0;
}

bool odd_rename(struct job *j)
{
    uint64_t flags = job_argument(j, CALL_NAME_flags);
    return flags != 0 && flags != RENAME_NOREPLACE && flags != RENAME_EXCHANGE;
}

/* The kernel looks at where the bytes are, even of none, ahead of the socket. */
bool odd_sendto(struct job *j)
{
    const struct call_arg *a = call_arg_named(j->ev->call, CALL_NAME_buf);
    return a != NULL && (j->ev->regs[a->reg] >> 47) != 0;
}

#define NOWHERE                                                                                              \
    "self/fd/-" /* from where a worker in its place is (performer.h); there never is such a file */

/* In place of argument @a: nothing, in the way that the target asked for. */
static long nothing_like(const struct job *j, const struct call_arg *a)
{
    const struct event_copy *c = event_memory(j->ev, a);
    bool null = j->ev->regs[a->reg] == 0 && !c->assigned;
    if (a->type == TYPE_FD || a->type == TYPE_DIRFD)
        return -1;
    if (!call_type_info(a->type)->memory)
        return (long)j->ev->regs[a->reg];
    if (null || (a->tags & TAG_OUT) != 0)
        return 0;
    if (c->data == NULL || c->error != 0)
        return UNREADABLE;
    return a->type == TYPE_PATH && c->len > 0 ? (long)NOWHERE : (long)c->data;
}

int64_t job_refused(const struct job *j)
{
    long regs[6];
    for (unsigned i = 0; i < ARRAY_SIZE(regs); i++)
        regs[i] = (long)j->ev->regs[i];
    for (unsigned i = 0; i < j->ev->call->n_args; i++) {
        const struct call_arg *a = &j->ev->call->args[i];
        if (a->source == FROM_REG)
            regs[a->reg] = nothing_like(j, a);
    }
    int64_t rc = result_of(
        syscall(j->ev->call->nr[ARCH_X86_64], regs[0], regs[1], regs[2], regs[3], regs[4], regs[5]));
    return rc == -EBADF || rc == -ENOENT || rc == -EACCES || rc == -ENOTDIR ? NOTHING_WRONG : rc;
}
