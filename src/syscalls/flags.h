/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Vocabularies: what bits and values are called. For decode.c alone; the flags_*.c files define one
 * `flagset_NAME` for each FLAGSET(NAME) of flagsets.def.
 */
#ifndef IDW_SYSCALLS_FLAGS_H
#define IDW_SYSCALLS_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"

/* The name of a value whose bits under @mask are @value. */
struct flag_name {
    uint64_t mask;
    uint64_t value;
    const char *name;
};

struct flagset {
    const struct flag_name *names; /* what fits takes its bits: zero first, then values of many bits */
    size_t n;
    bool one_of; /* one value, not a union of bits */
};

#define FLAGSET(n) extern const struct flagset flagset_##n;
#include "syscalls/flagsets.def"
#undef FLAGSET

#define BIT(name_)                                                                                           \
    {                                                                                                        \
        (uint64_t)(name_), (uint64_t)(name_), #name_                                                         \
    }
#define PART(mask_, name_)                                                                                   \
    {                                                                                                        \
        (mask_), (uint64_t)(name_), #name_                                                                   \
    }
#define VALUE(name_)                                                                                         \
    {                                                                                                        \
        UINT64_MAX, (uint64_t)(name_), #name_                                                                \
    }

#define DEFINE(set_, one_of_, ...)                                                                           \
    static const struct flag_name names_##set_[] = {__VA_ARGS__};                                            \
    const struct flagset flagset_##set_ = {names_##set_, ARRAY_SIZE(names_##set_), one_of_}
#define BITS(set_, ...) DEFINE(set_, false, __VA_ARGS__)
#define ONE_OF(set_, ...) DEFINE(set_, true, __VA_ARGS__)

#endif
