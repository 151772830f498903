/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the words of calls/ mean: they are read twice, once as x86-64 has the calls (table.c) and, with
 * ROWS_I386 defined, as i386 has them (i386.c), where registers have 32 bits, structs that hold longs and
 * pointers are shorter, and 64-bit values come in two registers. Both readings of a row have one id.
 */
#ifndef IDW_SYSCALLS_ROWS_H
#define IDW_SYSCALLS_ROWS_H

#include "syscalls/table.h"

#define NONE CALL_NR_NONE
#define G(group_) (1u << GROUP_BIT_##group_)

/*
 * x86-64's numbers run from 0 to NR_LOW_END and, since the architectures share new numbers, on from
 * NR_SHARED. Leaving out that gap turns a number into an id. A number in the gap would land on another call's
 * row, which -Woverride-init reports.
 */
#define NR_LOW_END 337
#define NR_SHARED 424
#define ID(nr_) ((nr_) < NR_LOW_END ? (nr_) : (nr_) - (NR_SHARED - NR_LOW_END))

/* Behind x86-64's calls, those that only i386 has. */
#define CALL(name_, nr_, ...) [ID(nr_)] = 1,
#define CALL_FD(name_, nr_, ...) [ID(nr_)] = 1,
#define CALL32(name_, ...)
#define CALL32_FD(name_, ...)
static const char rows_of_x86_64[] = {
#include "syscalls/calls/all.def"
};
#define N_X86_64 sizeof(rows_of_x86_64)
#undef CALL
#undef CALL_FD
#undef CALL32
#undef CALL32_FD

#define CALL(name_, ...)
#define CALL_FD(name_, ...)
#define CALL32(name_, ...) I386_ONLY_##name_,
#define CALL32_FD(name_, ...) I386_ONLY_##name_,
enum {
#include "syscalls/calls/all.def"
    N_I386_ONLY
};
#undef CALL
#undef CALL_FD
#undef CALL32
#undef CALL32_FD
#define ID32(name_) (N_X86_64 + I386_ONLY_##name_)

#define ROWS_LIST(...) __VA_ARGS__
#define ROWS_SECOND(a_, b_, ...) b_

#ifdef ROWS_I386
#define ROWS_ARCH ARCH_I386
#define ROWS_NARROW 1
#define BY_ARCH(x86_64_, i386_) ROWS_LIST i386_
#define BYTES(size_, ...) .size = ROWS_SECOND(size_, ##__VA_ARGS__, (size_), 0)
#define PAIR(low_, high_, type_, name_) ARG(low_, type_, name_, .source = FROM_PAIR, .high_reg = (high_))
#define PAGES(reg_, type_, name_) ARG(reg_, type_, name_, .source = FROM_PAGES)
#define TYPE_OLD_UID TYPE_UID16
#define TYPE_OLD_GID TYPE_GID16
#else
#define ROWS_ARCH ARCH_X86_64
#define ROWS_NARROW 0
#define BY_ARCH(x86_64_, i386_) ROWS_LIST x86_64_
#define BYTES(size_, ...) .size = (size_)
#define PAIR(low_, high_, type_, name_) ARG(low_, type_, name_)
#define PAGES(reg_, type_, name_) ARG(reg_, type_, name_)
#define TYPE_OLD_UID TYPE_UID
#define TYPE_OLD_GID TYPE_GID
#endif

/* Arguments: register, type, name, and what else there is to say. */
#define ARG(reg_, type_, name_, ...)                                                                         \
    {                                                                                                        \
        .name = CALL_NAME_##name_, .type = TYPE_##type_, .reg = (reg_), .narrow = ROWS_NARROW, ##__VA_ARGS__ \
    }
#define IN(reg_, type_, name_, ...) ARG(reg_, type_, name_, .tags = TAG_IN, ##__VA_ARGS__)
#define OUT(reg_, type_, name_, ...) ARG(reg_, type_, name_, .tags = TAG_OUT, ##__VA_ARGS__)
#define INOUT(reg_, type_, name_, ...) ARG(reg_, type_, name_, .tags = TAG_IN | TAG_OUT, ##__VA_ARGS__)
#define PATH(reg_, name_, tags_, ...) ARG(reg_, PATH, name_, .tags = TAG_IN | (tags_), ##__VA_ARGS__)
#define RPATH(reg_, name_, ...) PATH(reg_, name_, TAG_RPATH, ##__VA_ARGS__)
#define WPATH(reg_, name_, ...) PATH(reg_, name_, TAG_WPATH, ##__VA_ARGS__)
#define RPATH_NOFOLLOW(reg_, name_, ...) PATH(reg_, name_, TAG_RPATH | TAG_NOFOLLOW, ##__VA_ARGS__)
#define WPATH_NOFOLLOW(reg_, name_, ...) PATH(reg_, name_, TAG_WPATH | TAG_NOFOLLOW, ##__VA_ARGS__)
#define OPEN_PATH(reg_, name_, ...) PATH(reg_, name_, TAG_RPATH | TAG_WPATH | TAG_COND, ##__VA_ARGS__)

#define SET(flagset_) .flagset = FLAGS_##flagset_
#define AT(reg_) .dirfd_reg = 1 + (reg_)
#define AT_FLAGS(reg_) .at_flags_reg = 1 + (reg_)
#define LEN(reg_) .len_reg = 1 + (reg_)
#define LEN_POINTER(reg_) .len_reg = 1 + (reg_), .len_is_pointer = 1
#define LEN_RET .len_from_ret = 1
#define CONST(value_) .source = FROM_CONST, .value = (value_)
#define FIELD(offset_, size_) .source = FROM_FIELD, .offset = (offset_), .size = (size_)

/* What stands behind a designator. */
/* clang-format off */
#define ROWS_CALL(id_, name_, nr_, nr_i386_, family_, groups_, fd_, ...)                                     \
    {                                                                                                        \
        .name = #name_,                                                                                      \
        .family = #family_,                                                                                  \
        .id = (uint16_t)(id_),                                                                               \
        .arch = ROWS_ARCH,                                                                                   \
        .nr = {[ARCH_X86_64] = (nr_), [ARCH_I386] = (nr_i386_)},                                             \
        .groups = (groups_),                                                                                 \
        .n_args = sizeof((const struct call_arg[]){__VA_ARGS__}) / sizeof(struct call_arg),                  \
        .returns_fd = (fd_),                                                                                 \
        .args = {__VA_ARGS__},                                                                               \
    },
#define CALL(name_, nr_, nr_i386_, family_, groups_, ...)                                                    \
    [ID(nr_)] = ROWS_CALL(ID(nr_), name_, nr_, nr_i386_, family_, groups_, false, ##__VA_ARGS__)
#define CALL_FD(name_, nr_, nr_i386_, family_, groups_, ...)                                                 \
    [ID(nr_)] = ROWS_CALL(ID(nr_), name_, nr_, nr_i386_, family_, groups_, true, ##__VA_ARGS__)
#define CALL32(name_, nr_i386_, family_, groups_, ...)                                                       \
    [ID32(name_)] = ROWS_CALL(ID32(name_), name_, NONE, nr_i386_, family_, groups_, false, ##__VA_ARGS__)
#define CALL32_FD(name_, nr_i386_, family_, groups_, ...)                                                    \
    [ID32(name_)] = ROWS_CALL(ID32(name_), name_, NONE, nr_i386_, family_, groups_, true, ##__VA_ARGS__)
/* clang-format on */

#endif
