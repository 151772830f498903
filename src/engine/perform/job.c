/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is looked at of the target and its arguments before a handler runs. */
#include "engine/perform/job.h"

#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "subject/reach.h"

#define SCOPED (RESOLVE_BENEATH | RESOLVE_IN_ROOT)

uint64_t job_argument(const struct job *j, unsigned name)
{
    const struct call_arg *a = call_arg_named(j->ev->call, name);
    return a != NULL ? (uint64_t)event_scalar(j->ev, a) : 0;
}

const char *job_text(const struct job *j, unsigned name)
{
    const struct call_arg *a = call_arg_named(j->ev->call, name);
    return a != NULL ? event_memory(j->ev, a)->data : NULL;
}

const char *own_fd_name(int fd, char name[OPEN_FD_NAME_MAX])
{
    (void)snprintf(name, OPEN_FD_NAME_MAX, "self/fd/%d", fd);
    return name;
}

int64_t result_of(long rc)
{
    return rc < 0 ? -errno : rc;
}

/* A descriptor of the target's, in our hands. */
static int64_t usable(const struct job *j, int fd)
{
    if (fd == -EBADF)
        return -EBADF;
    return fd < 0 || !job_may_use(j, fd) ? FOR_TARGET : fd;
}

/* Where @n starts: our descriptor of the directory, or -errno. */
static int start_of(struct job *j, const struct name *n)
{
    if (n->arg->dirfd_reg != 0)
        return event_fd(j->ev, event_arg_in(j->ev->call, n->arg->dirfd_reg - 1U));
    if (j->cwd < 0)
        j->cwd = reach_link(j->ev->tid, "cwd");
    return j->cwd;
}

static bool may_be_empty(const struct job *j, const struct call_arg *a)
{
    /* readlinkat takes "" for the descriptor without being asked. */
    return j->how->run == do_readlink
               ? a->dirfd_reg != 0
               : a->at_flags_reg != 0 && (j->ev->regs[a->at_flags_reg - 1] & AT_EMPTY_PATH) != 0;
}

static int64_t read_name(struct job *j, struct name *n)
{
    const struct call_arg *a = n->arg;
    const struct event_copy *c = event_memory(j->ev, a);
    unsigned at_flags = a->at_flags_reg != 0 ? (unsigned)j->ev->regs[a->at_flags_reg - 1] : 0;
    if (c->data == NULL)
        return FOR_TARGET;
    n->text = c->data;
    n->follow = (a->tags & TAG_NOFOLLOW) == 0 ? (at_flags & AT_SYMLINK_NOFOLLOW) == 0
                                              : (at_flags & AT_SYMLINK_FOLLOW) != 0;
    n->resolve = (a->tags & TAG_COND) != 0 ? job_argument(j, CALL_NAME_resolve) : 0;
    if (c->len >= PATH_MAX)
        return -ENAMETOOLONG;
    n->empty = c->len == 0;
    if (n->empty && !may_be_empty(j, a))
        return -ENOENT;
    if (n->text[0] == '/' && (n->resolve & SCOPED) == 0)
        return 0;
    n->start = start_of(j, n);
    if (n->start >= 0 && is_foreign(n->start))
        return n->empty && job_may_use(j, n->start) ? 0 : FOR_TARGET;
    /* Ahead of that, openat2 refuses absolute paths beneath anything. */
    bool first = n->start == -EBADF && (n->resolve == 0 || j->looked);
    return first ? -EBADF : n->start < 0 ? FOR_TARGET : 0;
}

/* Inputs are taken whole or not at all; strings, but paths, as long as the kernel takes them. */
static bool inputs_are_had(struct job *j)
{
    for (unsigned i = 0; i < j->ev->call->n_args; i++) {
        const struct call_arg *a = &j->ev->call->args[i];
        if (!call_type_info(a->type)->memory || (a->tags & TAG_OUT) != 0 || a->type == TYPE_PATH)
            continue;
        const struct event_copy *c = event_memory(j->ev, a);
        if (event_scalar(j->ev, a) != 0 && (c->data == NULL || c->error != 0))
            return false;
    }
    return true;
}

static int64_t descriptors_are_had(struct job *j)
{
    for (unsigned i = 0; i < j->ev->call->n_args; i++) {
        const struct call_arg *a = &j->ev->call->args[i];
        if (a->type != TYPE_FD)
            continue;
        /* AT_FDCWD means something to some calls, as other negative ones may. */
        if ((int)event_scalar(j->ev, a) < 0)
            return j->looked ? -EBADF : FOR_TARGET;
        int64_t fd = usable(j, event_fd(j->ev, a));
        if (fd < 0)
            return fd;
    }
    return 0;
}

static int64_t flags_are_known(const struct job *j)
{
    for (unsigned i = 0; i < j->ev->call->n_args; i++) {
        const struct call_arg *a = &j->ev->call->args[i];
        if (a->at_flags_reg != 0 && ((unsigned)j->ev->regs[a->at_flags_reg - 1] & ~j->how->at_flags) != 0)
            return FOR_TARGET;
    }
    return 0;
}

/* A NULL for a path means the descriptor to some calls. Rare, but for futimens(3), which is one of those. */
static void read_names(struct job *j)
{
    for (unsigned i = 0; i < j->ev->call->n_args && j->n_names < JOB_NAMES; i++) {
        const struct call_arg *a = &j->ev->call->args[i];
        if (a->type != TYPE_PATH)
            continue;
        struct name *n = &j->names[j->n_names++];
        *n = (struct name){.arg = a, .start = DEAD_FD};
        if (event_scalar(j->ev, a) != 0 || event_memory(j->ev, a)->data != NULL)
            n->error = read_name(j, n);
        else if (a->dirfd_reg != 0 && (int)j->ev->regs[a->dirfd_reg - 1] != AT_FDCWD &&
                 j->how->run == substitute)
            n->error = start_of(j, n) < 0 ? FOR_TARGET : 0;
        else
            n->error = j->looked ? -EFAULT : FOR_TARGET;
    }
}

/* Of arguments that we make nothing of, or that the kernel may refuse. */
static int64_t look_at_values(struct job *j)
{
    int64_t rc = flags_are_known(j);
    bool had = inputs_are_had(j);
    j->odd = rc != 0 || !had || (j->how->odd != NULL && j->how->odd(j));
    if (!had && j->how->run != substitute)
        rc = FOR_TARGET;
    return j->odd && !j->looked ? FOR_TARGET : rc;
}

int64_t job_prepare(struct job *j)
{
    event_prefetch(j->ev);
    j->root = reach_link(j->ev->tid, "root");
    if (j->root < 0 || identity_read(j->ev->tid, &j->who) < 0)
        return FOR_TARGET;
    int64_t rc = look_at_values(j);
    if (rc == 0)
        rc = descriptors_are_had(j);
    if (rc == 0 && j->how->check != NULL)
        rc = j->how->check(j);
    if (rc == 0)
        read_names(j);
    if (!j->odd || !j->looked)
        return rc;
    j->otherwise = rc; /* the kernel is asked first */
    return 0;
}

void job_clear(struct job *j)
{
    close_fd_p(&j->root);
    close_fd_p(&j->cwd);
    identity_clear(&j->who);
}
