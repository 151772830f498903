/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls about one object, by path or descriptor: the very call of the target, with our descriptors and copies
 * in place of its own. A path becomes the name of our descriptor of what the path led to; a final symbolic
 * link has been followed or not by then, hence setxattr for lsetxattr and the like.
 */
#include "engine/perform/job.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"

#define OUTPUTS_MAX 2

struct output {
    const struct call_arg *arg;
    void *data;
    size_t size;
};

struct substitution {
    struct job *j;
    long regs[6];
    int object; /* what the path led to, ours */
    char object_name[OPEN_FD_NAME_MAX];
    struct output outputs[OUTPUTS_MAX];
    size_t n_outputs;
};

static void clear(struct substitution *s)
{
    close_fd_p(&s->object);
    for (size_t i = 0; i < s->n_outputs; i++)
        free(s->outputs[i].data);
}

static int64_t put_path(struct substitution *s, const struct call_arg *a)
{
    const struct name *n = &s->j->names[0];
    if (n->error != 0)
        return n->error;
    if (n->text == NULL) {
        s->regs[a->reg] = 0;
        return 0;
    }
    if (n->empty) { /* some calls mind how the descriptor has been opened */
        s->regs[a->reg] = (long)"";
        s->regs[a->dirfd_reg - 1] = n->start;
        return 0;
    }
    int64_t fd = lookup(s->j, n);
    if (fd < 0)
        return fd;
    s->object = (int)fd;
    s->regs[a->reg] = (long)own_fd_name(s->object, s->object_name);
    if (a->dirfd_reg != 0)
        s->regs[a->dirfd_reg - 1] = AT_FDCWD;
    if (a->at_flags_reg != 0)
        s->regs[a->at_flags_reg - 1] &= ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
    return 0;
}

/* Attributes and links are no longer than this, so more room makes no difference. */
static int64_t put_output(struct substitution *s, const struct call_arg *a)
{
    size_t size = a->len_reg != 0 ? (size_t)s->regs[a->len_reg - 1] : a->size;
    if (size > XATTR_SIZE_MAX)
        size = XATTR_SIZE_MAX;
    if (a->len_reg != 0)
        s->regs[a->len_reg - 1] = (long)size;
    s->regs[a->reg] = 0;
    if (size == 0)
        return 0;
    struct output *o = &s->outputs[s->n_outputs++];
    *o = (struct output){.arg = a, .data = calloc(1, size), .size = size};
    s->regs[a->reg] = (long)o->data;
    return o->data != NULL ? 0 : FOR_TARGET;
}

static void put_input(struct substitution *s, const struct call_arg *a)
{
    const struct event_copy *c = event_memory(s->j->ev, a);
    if (a->len_reg != 0 && s->regs[a->len_reg - 1] == 0)
        return; /* looked at for what it is, never read */
    if (s->regs[a->reg] != 0 || c->assigned)
        s->regs[a->reg] = c->data != NULL && c->error == 0 ? (long)c->data : UNREADABLE;
}

static int64_t put_argument(struct substitution *s, const struct call_arg *a)
{
    if (a->source != FROM_REG)
        return 0;
    if (a->type == TYPE_PATH)
        return put_path(s, a);
    if (a->type == TYPE_FD)
        s->regs[a->reg] = event_fd(s->j->ev, a); /* job_prepare has seen that it is there */
    else if (a->type == TYPE_DIRFD && s->j->names[0].text == NULL)
        s->regs[a->reg] = event_fd(s->j->ev, a);
    else if (call_type_info(a->type)->memory && (a->tags & TAG_OUT) != 0)
        return put_output(s, a);
    else if (call_type_info(a->type)->memory)
        put_input(s, a);
    return 0;
}

static int64_t keep_outputs(struct substitution *s, int64_t result)
{
    for (size_t i = 0; i < s->n_outputs; i++) {
        const struct output *o = &s->outputs[i];
        size_t len = o->arg->len_from_ret && (size_t)result < o->size ? (size_t)result : o->size;
        if (event_put(s->j->ev, o->arg, o->data, len) < 0)
            return -ENOMEM;
    }
    return result;
}

int64_t substitute(struct job *j)
{
    struct substitution s __attribute__((cleanup(clear))) = {.j = j, .object = DEAD_FD};
    for (unsigned i = 0; i < ARRAY_SIZE(s.regs); i++)
        s.regs[i] = (long)j->ev->regs[i];
    for (unsigned i = 0; i < j->ev->call->n_args; i++) {
        int64_t rc = put_argument(&s, &j->ev->call->args[i]);
        if (rc < 0)
            return rc;
    }
    long nr = j->how->as != 0 ? j->how->as : j->ev->call->nr[ARCH_X86_64];
    int64_t result = result_of(syscall(nr, s.regs[0], s.regs[1], s.regs[2], s.regs[3], s.regs[4], s.regs[5]));
    return result < 0 ? result : keep_outputs(&s, result);
}

int64_t do_readlink(struct job *j)
{
    const struct call_arg *out = call_arg_named(j->ev->call, CALL_NAME_buf);
    char text[PATH_MAX];
    int64_t fd = lookup(j, &j->names[0]);
    if (fd < 0)
        return fd;
    if (is_foreign((int)fd)) { /* a procfs' links say something else to others, or nothing */
        (void)close((int)fd);
        return FOR_TARGET;
    }
    int size = (int)job_argument(j, CALL_NAME_size);
    int64_t n =
        result_of(readlinkat((int)fd, "", text, (size_t)size < sizeof text ? (size_t)size : sizeof text));
    (void)close((int)fd);
    if (n == -ENOENT && !j->names[0].empty)
        return -EINVAL; /* what is no link is called nothing by readlinkat("") */
    return n >= 0 && event_put(j->ev, out, text, (size_t)n) < 0 ? -ENOMEM : n;
}

/*
 * access(2) goes by the real ids, which job_prepare has put in place of the others; the kernel would take the
 * worker's own instead.
 */
int64_t do_access(struct job *j)
{
    char name[OPEN_FD_NAME_MAX];
    int64_t fd = lookup(j, &j->names[0]);
    if (fd < 0)
        return fd;
    int64_t rc = result_of(syscall(SYS_faccessat2, AT_FDCWD, own_fd_name((int)fd, name),
                                   (int)job_argument(j, CALL_NAME_amode), AT_EACCESS));
    (void)close((int)fd);
    return rc;
}
