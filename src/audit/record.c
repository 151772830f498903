/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit/record.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "audit/audit.h"
#include "base/cleanup.h"
#include "syscalls/decode.h"
#include "syscalls/table.h"

static char host[HOST_NAME_MAX + 1];
static pthread_once_t host_once = PTHREAD_ONCE_INIT;

static void host_find(void)
{
    if (gethostname(host, sizeof host - 1) < 0)
        host[0] = '\0';
}

void record_put(struct json_object *object, const char *key, struct json_object *value)
{
    if (json_object_object_add(object, key, value) < 0)
        (void)json_object_put(value);
}

struct json_object *record_text(const char *bytes, size_t len, bool *cut)
{
    if (len > RECORD_STRING_MAX) {
        len = RECORD_STRING_MAX;
        *cut = true;
    }
    _cleanup_free_ char *text = audit_escape(bytes, len);
    return text != NULL ? json_object_new_string(text) : NULL;
}

static struct json_object *text_or_null(const char *text, bool *cut)
{
    return text != NULL ? record_text(text, strlen(text), cut) : NULL;
}

static struct json_object *now(void)
{
    struct timespec t;
    struct tm utc;
    char seconds[32];
    char text[64];
    (void)clock_gettime(CLOCK_REALTIME, &t);
    (void)gmtime_r(&t.tv_sec, &utc);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text, sizeof text, "%s.%06ldZ", seconds, t.tv_nsec / 1000);
    return json_object_new_string(text);
}

static struct json_object *params(const struct idw_event_desc *desc, const union idw_value *values, bool *cut)
{
    struct json_object *object = json_object_new_object();
    for (uint32_t i = 0; object != NULL && i < desc->n_params; i++) {
        struct json_object *value;
        switch (desc->params[i].kind) {
        case IDW_KIND_SIGNED:
            value = json_object_new_int64(values[i].i);
            break;
        case IDW_KIND_UNSIGNED:
            value = json_object_new_uint64(values[i].u);
            break;
        default:
            value = text_or_null(values[i].s, cut);
            break;
        }
        record_put(object, desc->params[i].name, value);
    }
    return object;
}

static struct json_object *subject(struct idw_event *ev, bool *cut)
{
    static const struct {
        const char *key;
        uint16_t attr;
        bool is_text;
        bool is_cred;
    } keys[] = {
        {.key = "pid", .attr = IDW_ATTR_pid},
        {.key = "tid", .attr = IDW_ATTR_tid},
        {.key = "ppid", .attr = IDW_ATTR_ppid},
        {.key = "uid", .attr = IDW_ATTR_uid, .is_cred = true},
        {.key = "euid", .attr = IDW_ATTR_euid, .is_cred = true},
        {.key = "program", .attr = IDW_ATTR_program, .is_text = true},
        {.key = "exe", .attr = IDW_ATTR_exe, .is_text = true},
        {.key = "invoker", .attr = IDW_ATTR_invoker},
    };
    struct json_object *object = json_object_new_object();
    for (size_t i = 0; object != NULL && i < ARRAY_SIZE(keys); i++) {
        if (keys[i].is_text) {
            record_put(object, keys[i].key, text_or_null(event_attr_text(ev, keys[i].attr), cut));
            continue;
        }
        int64_t value = event_attr(ev, keys[i].attr);
        if (!keys[i].is_cred || value != (uid_t)-1)
            record_put(object, keys[i].key, json_object_new_int64(value));
    }
    return object;
}

struct json_object *record_head(struct idw_event *ev, const struct idw_event_desc *desc,
                                const union idw_value *values, bool *cut)
{
    struct json_object *record = json_object_new_object();
    if (record == NULL)
        return NULL;
    (void)pthread_once(&host_once, host_find);
    record_put(record, "time", now());
    record_put(record, "host", text_or_null(host, cut));
    if (ev->wrapper != NULL)
        record_put(record, "wrapper", text_or_null(ev->wrapper, cut));
    if (desc != NULL) {
        record_put(record, "event", json_object_new_string(desc->name));
        record_put(record, "params", params(desc, values, cut));
    }
    record_put(record, "subject", subject(ev, cut));
    return record;
}

static struct json_object *errno_json(int errnum)
{
    const char *name = decode_errno(errnum);
    return name != NULL ? json_object_new_string(name) : json_object_new_int(errnum);
}

static struct json_object *scalar(const struct call_arg *a, int64_t value)
{
    char text[1024];
    if (call_decode(a, (uint64_t)value, text, sizeof text) > 0)
        return json_object_new_string(text);
    return call_type_info(a->type)->is_signed ? json_object_new_int64(value)
                                              : json_object_new_uint64((uint64_t)value);
}

static struct json_object *vector(const struct event_copy *c, bool *cut)
{
    const char *const *strings = c->data;
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; array != NULL && i < c->len; i++) {
        if (i == RECORD_VECTOR_MAX) {
            *cut = true;
            break;
        }
        struct json_object *text = text_or_null(strings[i], cut);
        if (json_object_array_add(array, text) < 0)
            (void)json_object_put(text);
    }
    return array;
}

/* Contents of buffers stay out of the log: they are other people's mail and passwords. */
static struct json_object *summary(const struct event_copy *c)
{
    struct json_object *object = json_object_new_object();
    if (object != NULL && c->data != NULL)
        record_put(object, "len", json_object_new_uint64(c->len));
    if (object != NULL && c->error != 0)
        record_put(object, "error", errno_json(c->error));
    return object;
}

static struct json_object *memory(const struct call_arg *a, const struct event_copy *c, bool *cut)
{
    char text[256];
    if (c->data == NULL)
        return summary(c);
    switch (a->type) {
    case TYPE_PATH:
    case TYPE_STR:
        return record_text(c->data, c->len, cut);
    case TYPE_STRV:
        return vector(c, cut);
    case TYPE_SOCKADDR:
        if (decode_sockaddr(c->data, c->len, text, sizeof text) == 0)
            return record_text(text, strlen(text), cut);
        return summary(c);
    default:
        return summary(c);
    }
}

/*
 * What an argument shows, as a note of @phase may know it; NULL: nobody has looked at it. Once the call has
 * run, the target may have changed what the kernel took: nothing that went in is fetched any more.
 */
static struct json_object *argument(struct idw_event *ev, const struct call_arg *a, enum idw_phase phase,
                                    bool *cut)
{
    bool is_memory = call_type_info(a->type)->memory;
    bool fetched = event_fetched(ev, a);
    if (phase != ev->phase && (a->tags & TAG_OUT))
        fetched = false; /* its copy is of the other phase */
    else if (!fetched && ev->phase == IDW_PRE)
        fetched = !is_memory || a->type == TYPE_PATH || a->type == TYPE_STR;
    if (!fetched)
        return NULL;
    return is_memory ? memory(a, event_memory(ev, a), cut) : scalar(a, event_scalar(ev, a));
}

static bool is_assigned(const struct idw_event *ev, const struct call_arg *a)
{
    if (call_type_info(a->type)->memory)
        return ev->copies[a - ev->call->args].assigned;
    return a->source == FROM_REG && (ev->assigned & 1U << a->reg);
}

/* Names of the arguments that aren't the target's own any more; NULL: they all are. */
static struct json_object *assigned(const struct idw_event *ev, enum idw_phase phase)
{
    struct json_object *array = NULL;
    for (unsigned i = 0; i < ev->call->n_args; i++) {
        const struct call_arg *a = &ev->call->args[i];
        if (!is_assigned(ev, a) || (phase == IDW_PRE && (a->tags & TAG_OUT)))
            continue;
        if (array == NULL)
            array = json_object_new_array();
        if (array != NULL)
            (void)json_object_array_add(array, json_object_new_string(call_name_text(a->name)));
    }
    return array;
}

/* A result as programs see it: -1 and an errno, or the value. */
static void record_result(struct json_object *object, const char *ret, const char *error, int64_t result)
{
    bool failed = event_failed(result);
    record_put(object, ret, json_object_new_int64(failed ? -1 : result));
    if (failed)
        record_put(object, error, errno_json((int)-result));
}

struct json_object *record_call(struct idw_event *ev, enum idw_phase phase)
{
    struct json_object *object = json_object_new_object();
    struct json_object *args = json_object_new_object();
    if (object == NULL || args == NULL) {
        (void)json_object_put(object);
        (void)json_object_put(args);
        return NULL;
    }
    bool cut = false;
    record_put(object, "name", json_object_new_string(ev->call->name));
    record_put(object, "phase", json_object_new_string(phase == IDW_PRE ? "pre" : "post"));
    for (unsigned i = 0; i < ev->call->n_args; i++) {
        const struct call_arg *a = &ev->call->args[i];
        if (phase == IDW_POST || !event_out_only(a))
            record_put(args, call_name_text(a->name), argument(ev, a, phase, &cut));
    }
    record_put(object, "args", args);
    struct json_object *names = assigned(ev, phase);
    if (names != NULL)
        record_put(object, "assigned", names);
    if (phase == IDW_POST) {
        record_result(object, "ret", "errno", ev->result);
        if (ev->result_assigned && ev->result != ev->kernel_result)
            record_result(object, "kernel_ret", "kernel_errno", ev->kernel_result);
    }
    if (cut)
        record_put(object, "truncated", json_object_new_boolean(1));
    return object;
}

struct json_object *record_verdict(const struct verdict *v)
{
    char text[48];
    const char *name = v->kind == VERDICT_DENY ? decode_errno((int)v->value) : NULL;
    switch (v->kind) {
    case VERDICT_RUN:
        return json_object_new_string("run");
    case VERDICT_KILL:
        return json_object_new_string("kill");
    case VERDICT_FAKE:
        (void)snprintf(text, sizeof text, "fake %" PRId64, v->value);
        break;
    case VERDICT_DENY:
        if (name != NULL)
            (void)snprintf(text, sizeof text, "deny %s", name);
        else
            (void)snprintf(text, sizeof text, "deny %" PRId64, v->value);
        break;
    }
    return json_object_new_string(text);
}
