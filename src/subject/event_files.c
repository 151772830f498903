/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors and objects that clauses look at and the performed call acts on. */
#include "subject/event.h"

#include <errno.h>
#include <fcntl.h>
#include "base/cleanup.h"
#include "subject/event_parts.h"
#include "subject/reach.h"

/* What fds[] and objects[] hold: 0 for nothing, our descriptor + 1, or -errno. */
static void put_down(int *slot)
{
    if (*slot > 0)
        close_fd_p(&(int){*slot - 1});
    *slot = 0;
}

static int as_slot(int fd)
{
    return fd >= 0 ? fd + 1 : fd;
}

static int from_slot(int slot)
{
    return slot > 0 ? slot - 1 : slot;
}

int event_fd(struct idw_event *ev, const struct call_arg *a)
{
    if (a->source != FROM_REG || (a->type != TYPE_FD && a->type != TYPE_DIRFD))
        return -EBADF;
    int *slot = &ev->fds[a->reg];
    if (*slot == 0) {
        int fd = (int)event_scalar(ev, a);
        bool cwd = a->type == TYPE_DIRFD && fd == AT_FDCWD;
        *slot = as_slot(cwd ? reach_link(ev->tid, "cwd") : reach_fd(ev->tid, fd));
    }
    return from_slot(*slot);
}

bool event_object(const struct idw_event *ev, const struct call_arg *a, int *object)
{
    int slot = ev->objects[a - ev->call->args];
    if (slot != 0)
        *object = from_slot(slot);
    return slot != 0;
}

void event_keep_object(struct idw_event *ev, const struct call_arg *a, int object)
{
    event_forget_object(ev, a);
    ev->objects[a - ev->call->args] = as_slot(object);
}

void event_forget_object(struct idw_event *ev, const struct call_arg *a)
{
    put_down(&ev->objects[a - ev->call->args]);
}

/* Bits of open's flags that say where a path leads. */
#define LEADING_FLAGS (O_NOFOLLOW | O_PATH | O_CREAT | O_EXCL)

void event_forget_files(struct idw_event *ev, unsigned reg, uint64_t before)
{
    if (ev->regs[reg] == before)
        return;
    put_down(&ev->fds[reg]);
    const struct call_arg *scalar = event_arg_in(ev->call, reg);
    bool leads =
        scalar != NULL && scalar->name == CALL_NAME_flags && ((ev->regs[reg] ^ before) & LEADING_FLAGS) != 0;
    for (unsigned i = 0; i < ev->call->n_args; i++) {
        const struct call_arg *a = &ev->call->args[i];
        if (a->type == TYPE_PATH &&
            (a->dirfd_reg == reg + 1 || a->at_flags_reg == reg + 1 || ((a->tags & TAG_COND) != 0 && leads)))
            event_forget_object(ev, a);
    }
}

bool event_looked(const struct idw_event *ev)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ev->fds); i++)
        if (ev->fds[i] != 0)
            return true;
    for (unsigned i = 0; i < CALL_ARGS_MAX; i++)
        if (ev->objects[i] != 0)
            return true;
    return false;
}

void event_drop_files(struct idw_event *ev)
{
    for (unsigned i = 0; i < ARRAY_SIZE(ev->fds); i++)
        put_down(&ev->fds[i]);
    for (unsigned i = 0; i < CALL_ARGS_MAX; i++)
        put_down(&ev->objects[i]);
}
