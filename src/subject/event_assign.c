/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What clauses give in place of what the target, or in post the kernel, gave. */
#include "subject/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/cleanup.h"
#include "subject/event_parts.h"
#include "subject/memory.h"
#include "syscalls/decode.h"

struct event_stale {
    struct event_stale *next;
    void *data;
};

void event_drop_stale(struct idw_event *ev)
{
    while (ev->stale != NULL) {
        struct event_stale *s = ev->stale;
        ev->stale = s->next;
        free(s->data);
        free(s);
    }
}

/* Let @c be @data, a block that is the event's from now on; what it was stays for those who hold it. */
static int replace(struct idw_event *ev, struct event_copy *c, char *data, size_t len)
{
    if (c->data != NULL) {
        struct event_stale *s = malloc(sizeof *s);
        if (s == NULL) {
            free(data);
            return -ENOMEM;
        }
        *s = (struct event_stale){.next = ev->stale, .data = c->data};
        ev->stale = s;
    }
    data[len] = '\0';
    c->data = data;
    c->len = len;
    return 0;
}

static struct event_copy *copy_of(struct idw_event *ev, const struct call_arg *a)
{
    return &ev->copies[a - ev->call->args];
}

/* May a clause assign @a in this phase? */
static bool assignable(const struct idw_event *ev, const struct call_arg *a)
{
    if (!event_is_memory(a) || a->type == TYPE_STRV || a->source != FROM_REG)
        return false;
    return ((a->tags & TAG_OUT) != 0) == (ev->phase == IDW_POST);
}

/* Do others than @a go by the length in its length register? */
static bool length_is_shared(const struct call *c, const struct call_arg *a)
{
    for (unsigned i = 0; i < c->n_args; i++)
        if (&c->args[i] != a && event_is_memory(&c->args[i]) && c->args[i].len_reg == a->len_reg)
            return true;
    return false;
}

/* Can @len bytes be @a's at all? */
static int check_length(struct idw_event *ev, const struct call_arg *a, const void *data, size_t len)
{
    if (call_type_is_text(a->type)) {
        if (len >= MEMORY_STRING_MAX)
            return -ENAMETOOLONG;
        return data == NULL || memchr(data, '\0', len) != NULL ? -EINVAL : 0;
    }
    if (data == NULL && len > 0)
        return -EINVAL;
    if (len > EVENT_BYTES_MAX || (a->type == TYPE_SOCKADDR && len > sizeof(struct sockaddr_storage)))
        return -E2BIG;
    if (a->len_reg == 0)
        return len == a->size ? 0 : -EINVAL;
    if (ev->phase == IDW_PRE && length_is_shared(ev->call, a) && event_room(ev, a) != (int64_t)len)
        return -EINVAL;
    return 0;
}

/* The fault that is left, now that an input is assigned. */
static void faults_again(struct idw_event *ev)
{
    ev->fault = 0;
    for (unsigned i = 0; i < ev->call->n_args && ev->fault == 0; i++) {
        const struct event_copy *c = &ev->copies[i];
        bool fault = c->fetched && c->data == NULL &&
                     (c->error == EFAULT || c->error == ENAMETOOLONG || c->error == E2BIG);
        if (fault && event_scalar(ev, &ev->call->args[i]) != 0)
            ev->fault = c->error;
    }
}

static int assign_input(struct idw_event *ev, const struct call_arg *a, char *bytes, size_t len)
{
    struct event_copy *c = copy_of(ev, a);
    bool was_fault = c->data == NULL && c->error != 0 && ev->fault != 0;
    int rc = replace(ev, c, bytes, len);
    if (rc < 0)
        return rc;
    c->fetched = c->assigned = true;
    c->error = 0;
    if (was_fault)
        faults_again(ev);
    if (a->type == TYPE_PATH)
        event_forget_object(ev, a);
    if (a->len_reg != 0) {
        ev->regs[a->len_reg - 1] = len;
        ev->assigned |= (uint8_t)(1U << (a->len_reg - 1U));
    }
    return 0;
}

static int assign_output(struct idw_event *ev, const struct call_arg *a, char *bytes, size_t len)
{
    int64_t room = event_room(ev, a);
    /* Room for nothing is a question for the length (getxattr, readdir's kin). */
    bool asked = room == 0 && ev->result > 0;
    size_t given = room <= 0 || event_scalar(ev, a) == 0 ? 0 : (size_t)room < len ? (size_t)room : len;
    struct event_copy *c = copy_of(ev, a);
    int rc = replace(ev, c, bytes, given);
    if (rc < 0)
        return rc;
    c->fetched = c->assigned = true;
    c->error = 0;
    if (a->len_from_ret && !event_failed(ev->result)) {
        ev->result = (int64_t)(asked ? len : given);
        ev->result_assigned = true;
    }
    return 0;
}

int event_assign(struct idw_event *ev, const struct call_arg *a, const void *data, size_t len)
{
    if (!assignable(ev, a))
        return -EINVAL;
    int rc = check_length(ev, a, data, len);
    if (rc < 0)
        return rc;
    char *bytes = malloc(len + 1);
    if (bytes == NULL)
        return -ENOMEM;
    if (len > 0)
        memcpy(bytes, data, len);
    return ev->phase == IDW_PRE ? assign_input(ev, a, bytes, len) : assign_output(ev, a, bytes, len);
}

/* What is had of @a becomes @len bytes, more than it is: the rest is read, as far as it can be. */
static int lengthen(struct idw_event *ev, const struct call_arg *a, size_t len)
{
    struct event_copy *c = copy_of(ev, a);
    size_t had = c->len;
    size_t want = len < EVENT_BYTES_MAX ? len : EVENT_BYTES_MAX;
    if (a->type == TYPE_SOCKADDR && want > sizeof(struct sockaddr_storage))
        want = sizeof(struct sockaddr_storage);
    char *data = malloc(want + 1);
    if (data == NULL)
        return -ENOMEM;
    memcpy(data, c->data, had);
    ssize_t n = memory_read_some(ev->tid, (uint64_t)event_scalar(ev, a) + had, data + had, want - had);
    size_t have = had + (n > 0 ? (size_t)n : 0);
    int error = have < want ? EFAULT : a->type == TYPE_BUF && want < len ? E2BIG : 0;
    int rc = replace(ev, c, data, have);
    if (rc < 0)
        return rc;
    c->error = error;
    if (error == EFAULT && a->type != TYPE_BUF) /* whole or not at all, as the kernel takes it */
        ev->fault = EFAULT;
    return 0;
}

static int shorten(struct idw_event *ev, const struct call_arg *a, size_t len)
{
    struct event_copy *c = copy_of(ev, a);
    char *data = malloc(len + 1);
    if (data == NULL)
        return -ENOMEM;
    memcpy(data, c->data, len);
    c->error = 0;
    return replace(ev, c, data, len);
}

/* Copies that register @reg has the length of become @len bytes long. */
static int follow_length(struct idw_event *ev, unsigned reg, int64_t len)
{
    for (unsigned i = 0; i < ev->call->n_args; i++) {
        const struct call_arg *a = &ev->call->args[i];
        const struct event_copy *c = &ev->copies[i];
        if (a->len_reg != reg + 1 || a->len_is_pointer || c->data == NULL || len < 0)
            continue;
        bool longer = (size_t)len > c->len;
        if (longer && c->assigned)
            return -EINVAL;
        bool same = (size_t)len == c->len && c->error == 0;
        int rc = same ? 0 : longer ? lengthen(ev, a, (size_t)len) : shorten(ev, a, (size_t)len);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int event_set(struct idw_event *ev, unsigned reg, uint64_t value)
{
    const struct call_arg *a = event_arg_in(ev->call, reg);
    int rc = a != NULL ? follow_length(ev, reg, call_scalar(a, value)) : 0;
    if (rc < 0)
        return rc;
    uint64_t before = ev->regs[reg];
    ev->regs[reg] = value;
    ev->assigned |= (uint8_t)(1U << reg);
    event_forget_files(ev, reg, before);
    return 0;
}
