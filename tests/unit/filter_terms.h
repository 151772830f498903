/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Characterisations written by hand, and what the tests of src/filter share. */
#ifndef IDW_TESTS_FILTER_TERMS_H
#define IDW_TESTS_FILTER_TERMS_H

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <string.h>
#include "base/cleanup.h"
#include "filter/backend.h"
#include "syscalls/table.h"

#define ALL UINT64_MAX
#define CALLS(set_)                                                                                          \
    {                                                                                                        \
        .op = IDW_OP_CALLS, .set = (set_)                                                                    \
    }
#define MASKED(name_, mask_, cmp_, value_)                                                                   \
    {                                                                                                        \
        .op = IDW_OP_CMP, .cmp = IDW_##cmp_, .name = (name_), .mask = (mask_), .value = (uint64_t)(value_)   \
    }
#define CMP(name_, cmp_, value_) MASKED(CALL_NAME_##name_, ALL, cmp_, value_)
#define ATTR(name_, cmp_, value_) MASKED(IDW_ATTR_##name_, ALL, cmp_, value_)
#define STR(name_, cmp_, text_)                                                                              \
    {                                                                                                        \
        .op = IDW_OP_STR, .cmp = IDW_##cmp_, .name = CALL_NAME_##name_, .text = (text_)                      \
    }
#define AND                                                                                                  \
    {                                                                                                        \
        .op = IDW_OP_AND                                                                                     \
    }
#define OR                                                                                                   \
    {                                                                                                        \
        .op = IDW_OP_OR                                                                                      \
    }
#define NOT                                                                                                  \
    {                                                                                                        \
        .op = IDW_OP_NOT                                                                                     \
    }

static inline void release_program(struct sock_fprog *p)
{
    free(p->filter);
}

static inline void release_filter(struct filter **f)
{
    filter_free(*f);
}

#define _cleanup_program_ __attribute__((cleanup(release_program)))
#define _cleanup_filter_ __attribute__((cleanup(release_filter)))

/* The set that the words, separated by blanks, mean together. */
static inline struct idw_call_set set_of(const char *words)
{
    struct idw_call_set all = {0};
    char text[256];
    char *rest = NULL;

    cr_assert(strlen(words) < sizeof(text));
    (void)strcpy(text, words);
    for (char *w = strtok_r(text, " ", &rest); w != NULL; w = strtok_r(NULL, " ", &rest)) {
        struct idw_call_set one;

        cr_assert_neq(call_word(w, one.bits), WORD_UNKNOWN, "%s", w);
        for (size_t i = 0; i < IDW_SET_WORDS; i++)
            all.bits[i] |= one.bits[i];
    }
    return all;
}

static inline uint32_t nr_of(const char *name)
{
    const struct call *c = call_by_name(name);

    cr_assert_not_null(c, "%s", name);
    return (uint32_t)c->nr[ARCH_X86_64];
}

static inline struct seccomp_data data_of(uint32_t nr, const uint64_t args[6])
{
    struct seccomp_data d = {.nr = (int)nr, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = 0x7f0012345678};

    memcpy(d.args, args, sizeof(d.args));
    return d;
}

#endif
