/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "syscalls/decode.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "syscalls/flags.h"

static const struct flagset *const flagsets[FLAGS_COUNT] = {
#define FLAGSET(n) [FLAGS_##n] = &flagset_##n,
#include "syscalls/flagsets.def"
#undef FLAGSET
};

/* Text that grows in the caller's buffer and is cut where that ends. */
struct text {
    char *start;
    size_t size;
    size_t len; /* what stands in the buffer, NUL not counted */
};

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *format, ...)
{
    va_list args;
    if (t->size == 0)
        return;
    va_start(args, format);
    int n = vsnprintf(t->start + t->len, t->size - t->len, format, args);
    va_end(args);
    if (n > 0)
        t->len = (size_t)n < t->size - t->len ? t->len + (size_t)n : t->size - 1;
}

/* low2highuid() of the kernel's include/linux/highuid.h */
static int64_t old_id(uint64_t value)
{
    return (uint16_t)value == UINT16_MAX ? UINT32_MAX : (uint16_t)value;
}

int64_t call_scalar(const struct call_arg *a, uint64_t value)
{
    const struct call_type_info *type = call_type_info(a->type);
    if (a->type == TYPE_UID16 || a->type == TYPE_GID16)
        return old_id(value);
    bool narrow = a->narrow && a->source == FROM_REG;
    if (type == NULL || (type->bits != 32 && !narrow))
        return (int64_t)value;
    return type->is_signed ? (int64_t)(int32_t)value : (int64_t)(uint32_t)value;
}

/* Bits that a value of this type has, so that a negative int is not 64 ones. */
static uint64_t cut(const struct call_arg *a, uint64_t value)
{
    const struct call_type_info *type = call_type_info(a->type);
    return type != NULL && type->bits == 32 ? (uint32_t)value : value;
}

static void add_one_of(const struct flagset *set, uint64_t value, struct text *t)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->names[i].value == value) {
            add(t, "%s", set->names[i].name);
            return;
        }
    }
}

static void add_bits(const struct flagset *set, uint64_t value, struct text *t)
{
    const char *bar = "";
    uint64_t rest = value;
    for (size_t i = 0; i < set->n; i++) {
        const struct flag_name *f = &set->names[i];
        if ((rest & f->mask) != f->value)
            continue;
        add(t, "%s%s", bar, f->name);
        bar = "|";
        rest &= ~f->mask;
    }
    if (rest != 0)
        add(t, "%s0x%" PRIx64, bar, rest);
    else if (*bar == '\0')
        add(t, "0");
}

static void add_by_type(const struct call_arg *a, uint64_t value, struct text *t)
{
    char name[32];
    switch (a->type) {
    case TYPE_DIRFD:
        if ((int)value == AT_FDCWD)
            add(t, "AT_FDCWD");
        break;
    case TYPE_MODE:
        add(t, value == 0 ? "0" : "0%03o", (unsigned)value);
        break;
    case TYPE_SIGNAL:
        if (value != 0)
            add(t, "%s", decode_signal((int)value, name, sizeof name));
        break;
    case TYPE_ADDR:
        if (value == 0)
            add(t, "NULL");
        else
            add(t, "0x%" PRIx64, value);
        break;
    default:
        break;
    }
}

size_t call_decode(const struct call_arg *a, uint64_t value, char *text, size_t size)
{
    struct text t = {text, size, 0};
    const struct flagset *set = a->flagset < FLAGS_COUNT ? flagsets[a->flagset] : NULL;
    if (size > 0)
        text[0] = '\0';
    value = cut(a, value);
    if (set == NULL)
        add_by_type(a, value, &t);
    else if (set->one_of)
        add_one_of(set, value, &t);
    else
        add_bits(set, value, &t);
    return t.len;
}

const char *decode_errno(int errnum)
{
    return errnum > 0 ? strerrorname_np(errnum) : NULL;
}

const char *decode_signal(int signum, char *text, size_t size)
{
    const char *name = signum > 0 ? sigabbrev_np(signum) : NULL;
    if (name != NULL)
        (void)snprintf(text, size, "SIG%s", name);
    else if (signum > 0 && signum <= SIGRTMAX)
        (void)snprintf(text, size, "SIG%d", signum);
    else
        (void)snprintf(text, size, "%d", signum);
    return text;
}
