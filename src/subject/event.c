/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/cleanup.h"
#include "subject/event_parts.h"
#include "subject/memory.h"
#include "syscalls/decode.h"

static const struct event_copy empty_copy;

static void copy_clear(struct event_copy *c)
{
    free(c->data);
    *c = empty_copy;
}

void event_init(struct idw_event *ev, struct subject *subject, pid_t tid, const struct call *call,
                const uint64_t regs[6])
{
    *ev = (struct idw_event){.subject = subject,
                             .tid = tid,
                             .call = call,
                             .arch = call->arch,
                             .phase = IDW_PRE,
                             .result_file = DEAD_FD};
    memcpy(ev->regs, regs, sizeof ev->regs);
    /* A 64-bit program that makes an i386 call has upper halves, which the kernel drops. */
    for (unsigned i = 0; call->arch == ARCH_I386 && i < ARRAY_SIZE(ev->regs); i++)
        ev->regs[i] = (uint32_t)ev->regs[i];
}

void event_result(struct idw_event *ev, int64_t result)
{
    ev->phase = IDW_POST;
    ev->result = result;
    ev->kernel_result = result;
    event_drop_stale(ev);
    for (unsigned i = 0; i < ev->call->n_args; i++) {
        const struct call_arg *a = &ev->call->args[i];
        if (!(a->tags & TAG_OUT) || ev->copies[i].put)
            continue;
        copy_clear(&ev->copies[i]);
        if (a->source == FROM_FIELD)
            copy_clear(&ev->structs[a->reg]);
    }
}

int event_put(struct idw_event *ev, const struct call_arg *a, const void *data, size_t len)
{
    char *bytes = malloc(len + 1);
    if (bytes == NULL)
        return -ENOMEM;
    if (len > 0)
        memcpy(bytes, data, len);
    bytes[len] = '\0';
    struct event_copy *c = &ev->copies[a - ev->call->args];
    copy_clear(c);
    *c = (struct event_copy){.data = bytes, .len = len, .fetched = true, .put = true};
    return 0;
}

void event_clear(struct idw_event *ev)
{
    if (ev->notes != NULL && ev->notes_drop != NULL)
        ev->notes_drop(ev);
    for (unsigned i = 0; i < CALL_ARGS_MAX; i++)
        copy_clear(&ev->copies[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(ev->structs); i++)
        copy_clear(&ev->structs[i]);
    event_drop_stale(ev);
    event_drop_files(ev);
}

void event_verdict(struct idw_event *ev, enum verdict_kind kind, int64_t value)
{
    if (kind > ev->verdict.kind)
        ev->verdict = (struct verdict){.kind = kind, .value = value};
}

const struct call_arg *event_arg_in(const struct call *c, unsigned reg)
{
    for (unsigned i = 0; i < c->n_args; i++)
        if (c->args[i].source == FROM_REG && c->args[i].reg == reg)
            return &c->args[i];
    return NULL;
}

/* A length as the kernel takes it: an int's high half is not part of it. */
static int64_t register_length(const struct idw_event *ev, unsigned reg)
{
    const struct call_arg *a = event_arg_in(ev->call, reg);
    return a != NULL && !event_is_memory(a) ? call_scalar(a, ev->regs[reg]) : (int64_t)ev->regs[reg];
}

/* The length that lies where register @reg points to; a room that is known is remembered, and counts. */
static int64_t pointed_length(struct idw_event *ev, unsigned reg)
{
    int32_t there;
    ssize_t rc = memory_read(ev->tid, ev->regs[reg], &there, sizeof there);
    if (rc < 0)
        return rc;
    if (there < 0)
        return -EINVAL;
    bool known = (ev->rooms_known & 1U << reg) != 0;
    if (ev->phase == IDW_PRE && !known) {
        ev->rooms[reg] = (uint32_t)there;
        ev->rooms_known |= (uint8_t)(1U << reg);
    } else if (known && there > (int64_t)ev->rooms[reg]) {
        return ev->rooms[reg]; /* the kernel says how long it would have been, and writes what fits */
    }
    return there;
}

int64_t event_room(struct idw_event *ev, const struct call_arg *a)
{
    if (a->len_reg == 0)
        return a->size;
    if (a->len_is_pointer)
        return pointed_length(ev, a->len_reg - 1U);
    int64_t len = register_length(ev, a->len_reg - 1U);
    return len < 0 ? -EINVAL : len;
}

/* Bytes of memory argument @a, by the table's rules, or -errno. */
static int64_t length_of(struct idw_event *ev, const struct call_arg *a)
{
    int64_t len = event_room(ev, a);
    if (len < 0 || !a->len_from_ret)
        return len;
    int64_t used = ev->phase == IDW_POST && ev->result > 0 ? ev->result : 0;
    return a->len_reg != 0 && len < used ? len : used;
}

/* Errors that the target makes. Any other means that we can't see what a wrapper must see. */
static bool error_is_targets(int error)
{
    return error == EFAULT || error == ENAMETOOLONG || error == E2BIG || error == EINVAL || error == ESRCH;
}

/* What the kernel might have where we have not: see ->fault. */
static bool error_is_fault(int error)
{
    return error == EFAULT || error == ENAMETOOLONG || error == E2BIG;
}

/* What lies at @address could not be had. */
static void copy_failed(struct idw_event *ev, struct event_copy *c, uint64_t address, int error)
{
    c->error = error;
    if (!error_is_targets(error))
        ev->internal_error = true;
    if (ev->phase == IDW_PRE && address != 0 && ev->fault == 0 && error_is_fault(error))
        ev->fault = error;
}

/* @len bytes at @address; @partly: the beginning will do. */
static void copy_bytes(struct idw_event *ev, struct event_copy *c, uint64_t address, size_t len, bool partly)
{
    char *data = malloc(len + 1);
    if (data == NULL) {
        copy_failed(ev, c, address, ENOMEM);
        return;
    }
    ssize_t n =
        partly ? memory_read_some(ev->tid, address, data, len) : memory_read(ev->tid, address, data, len);
    if (n < 0) {
        free(data);
        copy_failed(ev, c, address, (int)-n);
        return;
    }
    if ((size_t)n < len) {
        char *less = realloc(data, (size_t)n + 1);
        data = less != NULL ? less : data;
        c->error = EFAULT;
    }
    data[n] = '\0';
    c->data = data;
    c->len = (size_t)n;
}

static void fetch_bytes(struct idw_event *ev, const struct call_arg *a, uint64_t address,
                        struct event_copy *c)
{
    int64_t len = length_of(ev, a);
    if (len < 0) {
        copy_failed(ev, c, address, (int)-len);
        return;
    }
    bool partly = a->type == TYPE_BUF;
    size_t max = a->type == TYPE_SOCKADDR ? sizeof(struct sockaddr_storage) : EVENT_BYTES_MAX;
    size_t want = (size_t)len < max ? (size_t)len : max;
    /* move_addr_to_kernel() of net/socket.c looks at the length first. */
    bool address_too_long = a->type == TYPE_SOCKADDR && !event_out_only(a);
    if (want < (size_t)len && (a->type == TYPE_STRUCT || address_too_long)) {
        copy_failed(ev, c, address, address_too_long ? EINVAL : E2BIG);
        return;
    }
    copy_bytes(ev, c, address, want, partly);
    if (partly && want < (size_t)len && c->error == 0)
        c->error = E2BIG;
}

static void fetch(struct idw_event *ev, const struct call_arg *a, uint64_t address, struct event_copy *c)
{
    ssize_t n;
    switch (a->type) {
    case TYPE_PATH:
    case TYPE_STR:
        n = memory_read_string(ev->tid, address, (char **)&c->data);
        break;
    case TYPE_STRV:
        n = ev->arch == ARCH_I386 ? memory_read_strv32(ev->tid, address, (char ***)&c->data)
                                  : memory_read_strv(ev->tid, address, (char ***)&c->data);
        break;
    default:
        fetch_bytes(ev, a, address, c);
        return;
    }
    if (n < 0)
        copy_failed(ev, c, address, (int)-n);
    else
        c->len = (size_t)n;
}

/* The argument that is the whole struct which @field is in, or NULL. */
static const struct call_arg *whole_struct(const struct call *c, const struct call_arg *field)
{
    const struct call_arg *a = event_arg_in(c, field->reg);
    return a != NULL && a->type == TYPE_STRUCT && (a->tags & TAG_OUT) == (field->tags & TAG_OUT) ? a : NULL;
}

/* The struct that @field is in, as far as any of the call's fields reaches. */
static const struct event_copy *field_struct(struct idw_event *ev, const struct call_arg *field)
{
    const struct call_arg *whole = whole_struct(ev->call, field);
    if (whole != NULL)
        return event_memory(ev, whole);
    struct event_copy *c = &ev->structs[field->reg];
    if (c->fetched || (event_out_only(field) && ev->phase == IDW_PRE))
        return c;
    c->fetched = true;
    size_t extent = 0;
    for (unsigned i = 0; i < ev->call->n_args; i++) {
        const struct call_arg *a = &ev->call->args[i];
        if (a->source == FROM_FIELD && a->reg == field->reg && (size_t)a->offset + a->size > extent)
            extent = (size_t)a->offset + a->size;
    }
    if (field->len_reg != 0 && !event_is_memory(field)) {
        uint64_t size = (uint64_t)register_length(ev, field->len_reg - 1);
        if (size < extent)
            extent = size;
    }
    copy_bytes(ev, c, ev->regs[field->reg], extent, false);
    return c;
}

/* The field's bytes, 0 where the struct of the target's version ends before them: so does
 * copy_struct_from_user(). */
static uint64_t field_value(struct idw_event *ev, const struct call_arg *field)
{
    const struct event_copy *c = field_struct(ev, field);
    uint64_t value = 0;
    if (c->data != NULL && c->len > field->offset) {
        size_t size = field->size < sizeof value ? field->size : sizeof value;
        size_t there = c->len - field->offset;
        memcpy(&value, (const char *)c->data + field->offset, size < there ? size : there);
    }
    return value;
}

static uint64_t raw_value(struct idw_event *ev, const struct call_arg *a)
{
    switch (a->source) {
    case FROM_REG:
        return ev->regs[a->reg];
    case FROM_FIELD:
        return field_value(ev, a);
    case FROM_PAIR:
        return (uint32_t)ev->regs[a->reg] | ev->regs[a->high_reg] << 32;
    case FROM_PAGES:
        return (uint64_t)(uint32_t)ev->regs[a->reg] << 12;
    default:
        return a->value;
    }
}

int64_t event_scalar(struct idw_event *ev, const struct call_arg *a)
{
    uint64_t value = raw_value(ev, a);
    return event_is_memory(a) ? (int64_t)value : call_scalar(a, value);
}

const struct event_copy *event_memory(struct idw_event *ev, const struct call_arg *a)
{
    if (!event_is_memory(a))
        return a->source == FROM_FIELD ? field_struct(ev, a) : &empty_copy;
    struct event_copy *c = &ev->copies[a - ev->call->args];
    if (c->fetched || (event_out_only(a) && ev->phase == IDW_PRE))
        return c;
    c->fetched = true;
    uint64_t address = (uint64_t)event_scalar(ev, a);
    if (a->source == FROM_FIELD && field_struct(ev, a)->data == NULL)
        c->error = field_struct(ev, a)->error;
    else
        fetch(ev, a, address, c);
    return c;
}

bool event_fetched(const struct idw_event *ev, const struct call_arg *a)
{
    if (event_is_memory(a))
        return ev->copies[a - ev->call->args].fetched;
    if (a->source != FROM_FIELD)
        return true;
    const struct call_arg *whole = whole_struct(ev->call, a);
    return whole != NULL ? event_fetched(ev, whole) : ev->structs[a->reg].fetched;
}

const struct call_arg *event_path_owner(const struct idw_event *ev, const char *text)
{
    for (unsigned i = 0; text != NULL && i < ev->call->n_args; i++)
        if (ev->call->args[i].type == TYPE_PATH && ev->copies[i].data == text)
            return &ev->call->args[i];
    return NULL;
}

void event_prefetch(struct idw_event *ev)
{
    for (unsigned i = 0; i < ev->call->n_args; i++) {
        const struct call_arg *a = &ev->call->args[i];
        if (a->type != TYPE_STRV)
            (void)event_memory(ev, a);
        if (a->len_is_pointer)
            (void)event_room(ev, a);
    }
}
