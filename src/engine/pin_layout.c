/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/pin_layout.h"

#include <errno.h>
#include <linux/socket.h>
#include <string.h>
#include <sys/socket.h>
#include "base/cleanup.h"
#include "subject/memory.h"

#define ALIGNMENT 16UL

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static size_t pointer_size(const struct idw_event *ev)
{
    return ev->arch == ARCH_I386 ? sizeof(uint32_t) : sizeof(uint64_t);
}

static void put_pointer(char *to, uint64_t value, size_t size)
{
    memcpy(to, &value, size); /* little-endian */
}

/* The copy that @field is a field of, or NULL. */
static const struct event_copy *struct_of(const struct idw_event *ev, const struct call_arg *field)
{
    const struct call_arg *whole = event_arg_in(ev->call, field->reg);
    return whole != NULL && whole->type == TYPE_STRUCT ? &ev->copies[whole - ev->call->args] : NULL;
}

/* Where the target has argument @a. */
static uint64_t address_of(const struct idw_event *ev, const struct call_arg *a)
{
    uint64_t address = 0;
    size_t size = pointer_size(ev);
    const struct event_copy *s = a->source == FROM_FIELD ? struct_of(ev, a) : NULL;
    if (a->source == FROM_REG)
        memcpy(&address, &ev->regs[a->reg], size);
    else if (s != NULL && s->data != NULL && a->offset + a->size <= s->len)
        memcpy(&address, (const char *)s->data + a->offset, a->size < size ? a->size : size);
    return address;
}

/* NULL and "no bytes" mean the same wherever they lie, so they stay where they are. */
static bool is_pinned(const struct idw_event *ev, unsigned i)
{
    const struct call_arg *a = &ev->call->args[i];
    const struct event_copy *c = &ev->copies[i];
    if (!call_type_info(a->type)->memory || (a->tags & (TAG_IN | TAG_OUT)) != TAG_IN || c->data == NULL)
        return false;
    if (c->assigned)
        return true;
    return address_of(ev, a) != 0 && (call_type_is_text(a->type) || a->type == TYPE_STRV || c->len > 0);
}

/*
 * Of some arguments the kernel reads more than clauses are shown: how much says a word of the argument itself
 * (perf_event_open(2), sched_setattr(2), open_by_handle_at(2), statmount(2)), or it takes a page whatever is
 * in it (copy_mount_options() of fs/namespace.c). A size out of bounds is refused by the kernel for itself.
 */
#define NO_WORD UINT8_MAX
static const struct {
    uint16_t name;
    uint8_t word;
    size_t plus, least, most;
} longer[] = {
    {CALL_NAME_handle, 0, 8, 8, 8 + 128},
    {CALL_NAME_perf_attr, 1, 0, 64, PIN_PAGE},
    {CALL_NAME_sched_attr, 0, 0, 48, PIN_PAGE},
    {CALL_NAME_mnt_id_req, 0, 0, 24, PIN_PAGE},
    {CALL_NAME_mount_data, NO_WORD, PIN_PAGE, 0, PIN_PAGE},
};

/* Bytes that come from the copy. */
static size_t bytes_known(const struct pin_piece *p)
{
    return call_type_is_text(p->arg->type) ? p->copy->len + 1 : p->copy->len;
}

static size_t bytes_read(const struct pin_piece *p)
{
    size_t known = bytes_known(p);
    for (size_t i = 0; i < ARRAY_SIZE(longer); i++) {
        uint32_t word = 0;
        size_t at = longer[i].word * sizeof word;
        if (p->arg->name != longer[i].name)
            continue;
        if (longer[i].word != NO_WORD && at + sizeof word <= known)
            memcpy(&word, (const char *)p->copy->data + at, sizeof word);
        size_t all = longer[i].plus + word;
        return all > known && all >= longer[i].least && all <= longer[i].most ? all : known;
    }
    return known;
}

static size_t vector_bytes(const struct idw_event *ev, const struct event_copy *c)
{
    char *const *vector = c->data;
    size_t size = (c->len + 1) * pointer_size(ev);
    for (size_t i = 0; i < c->len; i++)
        size += strlen(vector[i]) + 1;
    return size;
}

/*
 * A buffer keeps its place in the page, which decides whether a file opened with O_DIRECT takes it. All else
 * lies in one page if it can: a target can have a page of its own answer with EFAULT (MADV_GUARD_INSTALL),
 * and there are calls that take what comes before (mount).
 */
static size_t place(size_t at, const struct pin_piece *p)
{
    if (p->arg->type == TYPE_BUF && !p->copy->assigned)
        return at + (p->address - at) % PIN_PAGE;
    at = round_up(at, ALIGNMENT);
    return p->size > PIN_PAGE - at % PIN_PAGE ? round_up(at, PIN_PAGE) : at;
}

/* The kernel keeps pages of MSG_ZEROCOPY beyond the call, and our block is another's by then. */
static bool outlives_call(const struct idw_event *ev)
{
    for (unsigned i = 0; i < ev->call->n_args; i++)
        if (ev->call->args[i].flagset == FLAGS_msg && (ev->regs[ev->call->args[i].reg] & MSG_ZEROCOPY) != 0)
            return true;
    return false;
}

static int add_piece(struct pin_layout *l, const struct idw_event *ev, unsigned i)
{
    struct pin_piece *p = &l->pieces[l->n++];
    *p = (struct pin_piece){.arg = &ev->call->args[i], .copy = &ev->copies[i]};
    p->address = address_of(ev, p->arg);
    p->size = p->arg->type == TYPE_STRV ? vector_bytes(ev, p->copy) : bytes_read(p);
    p->to_end = p->copy->error == EFAULT;
    if (p->to_end && l->to_end)
        return -EINVAL;
    l->to_end |= p->to_end;
    return p->arg->type == TYPE_BUF && outlives_call(ev) ? -ENOBUFS : 0;
}

int pin_layout(struct pin_layout *l, const struct idw_event *ev)
{
    *l = (struct pin_layout){0};
    for (unsigned i = 0; i < ev->call->n_args; i++) {
        int rc = is_pinned(ev, i) ? add_piece(l, ev, i) : 0;
        if (rc < 0)
            return rc;
    }
    for (size_t reg = 0; reg < ARRAY_SIZE(ev->structs); reg++)
        if (ev->structs[reg].data != NULL)
            return -EINVAL; /* fields of a struct whose whole length the table doesn't know */
    for (unsigned i = 0; i < l->n; i++) {
        struct pin_piece *p = &l->pieces[i];
        if (p->to_end)
            continue;
        p->at = place(l->size, p);
        l->size = p->at + p->size;
    }
    for (unsigned i = 0; i < l->n; i++)
        if (l->pieces[i].to_end) {
            l->size = round_up(l->size + l->pieces[i].size, PIN_PAGE);
            l->pieces[i].at = l->size - l->pieces[i].size;
        }
    return 0;
}

static void lay_vector(const struct pin_piece *p, char *block, uint64_t address, size_t pointer)
{
    char *const *vector = p->copy->data;
    size_t at = p->at + (p->copy->len + 1) * pointer;
    for (size_t i = 0; i < p->copy->len; i++) {
        size_t size = strlen(vector[i]) + 1;
        put_pointer(block + p->at + i * pointer, address + at, pointer);
        memcpy(block + at, vector[i], size);
        at += size;
    }
    put_pointer(block + p->at + p->copy->len * pointer, 0, pointer);
}

/* What clauses haven't seen is read now, once. */
static int lay_rest(const struct pin_piece *p, const struct idw_event *ev, char *to)
{
    size_t known = bytes_known(p);
    ssize_t n = 0;
    if (p->size > known && !p->copy->assigned) {
        n = memory_read_some(ev->tid, p->address + known, to + known, p->size - known);
        if (!call_type_is_text(p->arg->type) && n < (ssize_t)(p->size - known))
            return -EFAULT;
        n = n < 0 ? 0 : n;
    }
    memset(to + known + n, 0, p->size - known - (size_t)n);
    return 0;
}

/* Where the length is told, it is that of what lies there now. */
static void tell_length(const struct pin_piece *p, uint64_t regs[6], uint8_t *changed)
{
    const struct call_arg *a = p->arg;
    bool other = p->copy->assigned || (a->type == TYPE_BUF && p->copy->error == E2BIG);
    if (!other || a->len_reg == 0 || a->len_is_pointer || a->source != FROM_REG)
        return;
    regs[a->len_reg - 1] = p->copy->len;
    *changed |= (uint8_t)(1U << (a->len_reg - 1U));
}

/* Let the call find piece @p at @address. */
static int tell_address(const struct pin_layout *l, const struct pin_piece *p, const struct idw_event *ev,
                        char *block, uint64_t address, uint64_t regs[6], uint8_t *changed)
{
    if (p->arg->source == FROM_REG) {
        regs[p->arg->reg] = address;
        *changed |= (uint8_t)(1U << p->arg->reg);
        return 0;
    }
    for (unsigned i = 0; i < l->n; i++)
        if (l->pieces[i].copy == struct_of(ev, p->arg)) {
            put_pointer(block + l->pieces[i].at + p->arg->offset, address, p->arg->size);
            return 0;
        }
    return -EINVAL;
}

int pin_lay(const struct pin_layout *l, const struct idw_event *ev, char *block, uint64_t address,
            uint64_t regs[6], uint8_t *changed)
{
    for (unsigned i = 0; i < l->n; i++) {
        const struct pin_piece *p = &l->pieces[i];
        if (p->arg->type == TYPE_STRV) {
            lay_vector(p, block, address, pointer_size(ev));
            continue;
        }
        memcpy(block + p->at, p->copy->data, bytes_known(p));
        int rc = lay_rest(p, ev, block + p->at);
        if (rc < 0)
            return rc;
    }
    for (unsigned i = 0; i < l->n; i++) {
        const struct pin_piece *p = &l->pieces[i];
        int rc = tell_address(l, p, ev, block, address + p->at, regs, changed);
        if (rc < 0)
            return rc;
        tell_length(p, regs, changed);
    }
    return 0;
}
