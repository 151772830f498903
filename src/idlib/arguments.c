/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What $names read and assign. */
#include "idw/wrapper.h"

#include <errno.h>
#include <string.h>

#include "subject/event.h"
#include "syscalls/decode.h"

static bool is_attr(uint16_t name)
{
    return name >= IDW_ATTR_FIRST && name < IDW_ATTR_END;
}

/*
 * The call's argument @name, or NULL. A number that no table has can't have come from wrapc with our table,
 * so the wrapper isn't what we took it for: nothing that it decides may let a call run.
 */
static const struct call_arg *argument(struct idw_event *ev, uint16_t name)
{
    if (is_attr(name))
        return NULL;
    if (name == CALL_NAME_NONE || name >= CALL_NAME_COUNT) {
        ev->internal_error = true;
        return NULL;
    }
    return call_arg_named(ev->call, name);
}

static const struct event_copy *copy_of(struct idw_event *ev, const struct call_arg *a, enum call_type first,
                                        enum call_type last)
{
    return a != NULL && a->type >= first && a->type <= last ? event_memory(ev, a) : NULL;
}

int64_t idw_int(struct idw_event *ev, uint16_t name)
{
    if (is_attr(name))
        return event_attr(ev, name);
    const struct call_arg *a = argument(ev, name);
    return a != NULL && !call_type_info(a->type)->memory ? event_scalar(ev, a) : 0;
}

const char *idw_str(struct idw_event *ev, uint16_t name)
{
    if (is_attr(name))
        return event_attr_text(ev, name);
    const struct event_copy *c = copy_of(ev, argument(ev, name), TYPE_PATH, TYPE_STR);
    return c != NULL ? c->data : NULL;
}

const void *idw_buf(struct idw_event *ev, uint16_t name)
{
    const struct event_copy *c = copy_of(ev, argument(ev, name), TYPE_BUF, TYPE_STRUCT);
    return c != NULL ? c->data : NULL;
}

size_t idw_len(struct idw_event *ev, uint16_t name)
{
    if (is_attr(name)) {
        const char *text = event_attr_text(ev, name);
        return text != NULL ? strlen(text) : 0;
    }
    const struct event_copy *c = copy_of(ev, argument(ev, name), TYPE_PATH, TYPE_STRUCT);
    return c != NULL && c->data != NULL ? c->len : 0;
}

const char *const *idw_strv(struct idw_event *ev, uint16_t name)
{
    const struct event_copy *c = copy_of(ev, argument(ev, name), TYPE_STRV, TYPE_STRV);
    return c != NULL ? c->data : NULL;
}

bool idw_has(struct idw_event *ev, uint16_t name)
{
    if (name == IDW_ATTR_ret || name == IDW_ATTR_errno)
        return ev->phase == IDW_POST;
    return is_attr(name) || argument(ev, name) != NULL;
}

bool idw_bad(struct idw_event *ev, uint16_t name)
{
    const struct call_arg *a = argument(ev, name);
    return a != NULL && event_memory(ev, a)->error != 0;
}

/* As documented at IDW_ATTR_ret and IDW_ATTR_errno. Returns false for what can't be assigned. */
static bool set_result(struct idw_event *ev, uint16_t name, int64_t value)
{
    if (ev->phase != IDW_POST)
        return false;
    if (name == IDW_ATTR_ret) {
        if (!event_failed(value))
            ev->result = value;
        else if (!event_failed(ev->result))
            ev->result = -EPERM;
    } else if (name == IDW_ATTR_errno && value >= 0 && value <= EVENT_ERRNO_MAX) {
        if (value > 0)
            ev->result = -value;
        else if (event_failed(ev->result))
            ev->result = 0;
    } else {
        return false;
    }
    ev->result_assigned = true;
    return true;
}

static bool set_argument(struct idw_event *ev, const struct call_arg *a, uint64_t value)
{
    if (a == NULL || ev->phase != IDW_PRE || call_type_info(a->type)->memory)
        return false;
    int64_t cut = call_scalar(a, value);
    if (a->source == FROM_PAIR) {
        bool low = event_set(ev, a->reg, (uint32_t)value) == 0;
        return event_set(ev, a->high_reg, value >> 32) == 0 && low;
    }
    if (a->source != FROM_REG)
        return event_scalar(ev, a) == cut && event_memory(ev, a)->error == 0;
    return event_set(ev, a->reg, (uint64_t)cut) == 0;
}

void idw_set(struct idw_event *ev, uint16_t name, uint64_t value)
{
    bool done =
        is_attr(name) ? set_result(ev, name, (int64_t)value) : set_argument(ev, argument(ev, name), value);
    if (!done)
        ev->internal_error = true;
}

void idw_assign(struct idw_event *ev, uint16_t name, const void *data, size_t len)
{
    const struct call_arg *a = argument(ev, name);
    if (a == NULL || event_assign(ev, a, data, len) < 0)
        ev->internal_error = true;
}
