/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table's rows and what finds them. The rows themselves are in calls/; docs/howto-add-a-call.md says how
 * to read and write them.
 */
#include "syscalls/table.h"

#include <assert.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include "base/cleanup.h"
#include "idw/wrapper.h"

/*
 * Numbers run from 0 to NR_LOW_END and, since the architectures share new numbers, on from NR_SHARED. Leaving
 * out that gap turns a number into an id. A number in the gap would land on another call's row, which
 * -Woverride-init reports.
 */
#define NR_LOW_END 337
#define NR_SHARED 424
#define ID(nr_) ((nr_) < NR_LOW_END ? (nr_) : (nr_) - (NR_SHARED - NR_LOW_END))

#define NONE CALL_NR_NONE
#define G(group_) (1u << GROUP_BIT_##group_)

/* Arguments: register, type, name, and what else there is to say. */
#define ARG(reg_, type_, name_, ...)                                                                         \
    {                                                                                                        \
        .name = CALL_NAME_##name_, .type = TYPE_##type_, .reg = (reg_), ##__VA_ARGS__                        \
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
#define BYTES(size_) .size = (size_)
#define CONST(value_) .source = FROM_CONST, .value = (value_)
#define FIELD(offset_, size_) .source = FROM_FIELD, .offset = (offset_), .size = (size_)

/* clang-format off */
#define ROW(name_, nr_, nr_i386_, family_, groups_, fd_, ...)                                                \
    [ID(nr_)] = {                                                                                            \
        .name = #name_,                                                                                      \
        .family = #family_,                                                                                  \
        .nr = {[ARCH_X86_64] = (nr_), [ARCH_I386] = (nr_i386_)},                                             \
        .groups = (groups_),                                                                                 \
        .n_args = sizeof((const struct call_arg[]){__VA_ARGS__}) / sizeof(struct call_arg),                  \
        .returns_fd = (fd_),                                                                                 \
        .args = {__VA_ARGS__},                                                                               \
    },
#define CALL(name_, nr_, nr_i386_, family_, groups_, ...)                                                    \
    ROW(name_, nr_, nr_i386_, family_, groups_, false, ##__VA_ARGS__)
#define CALL_FD(name_, nr_, nr_i386_, family_, groups_, ...)                                                 \
    ROW(name_, nr_, nr_i386_, family_, groups_, true, ##__VA_ARGS__)
/* clang-format on */

static const struct call calls[] = {
#include "syscalls/calls/all.def"
};

static_assert(ARRAY_SIZE(calls) <= IDW_SET_CALLS, "a wrapper's sets of calls have a bit for each call");
static_assert(GROUP_COUNT <= 32, "call.groups has a bit for each group");

static const struct call_type_info types[TYPE_COUNT] = {
    [TYPE_INT] = {"int", 32, true, false},
    [TYPE_UINT] = {"unsigned int", 32, false, false},
    [TYPE_LONG] = {"long", 64, true, false},
    [TYPE_ULONG] = {"unsigned long", 64, false, false},
    [TYPE_SIZE] = {"size_t", 64, false, false},
    [TYPE_OFF] = {"off_t", 64, true, false},
    [TYPE_FD] = {"int", 32, true, false},
    [TYPE_DIRFD] = {"int", 32, true, false},
    [TYPE_FLAGS] = {"int", 32, true, false},
    [TYPE_LFLAGS] = {"unsigned long", 64, false, false},
    [TYPE_MODE] = {"mode_t", 32, false, false},
    [TYPE_DEV] = {"unsigned int", 32, false, false},
    [TYPE_PID] = {"pid_t", 32, true, false},
    [TYPE_UID] = {"uid_t", 32, false, false},
    [TYPE_GID] = {"gid_t", 32, false, false},
    [TYPE_SIGNAL] = {"int", 32, true, false},
    [TYPE_ADDR] = {"unsigned long", 64, false, false},
    [TYPE_PATH] = {"const char *", 0, false, true},
    [TYPE_STR] = {"const char *", 0, false, true},
    [TYPE_STRV] = {"const char *const *", 0, false, true},
    [TYPE_BUF] = {"const void *", 0, false, true},
    [TYPE_SOCKADDR] = {"const struct sockaddr *", 0, false, true},
    [TYPE_STRUCT] = {"const void *", 0, false, true},
};

size_t call_count(void)
{
    return ARRAY_SIZE(calls);
}

const struct call *call_by_id(size_t id)
{
    return id < ARRAY_SIZE(calls) ? &calls[id] : NULL;
}

size_t call_id(const struct call *c)
{
    return (size_t)(c - calls);
}

const struct call *call_by_nr(enum call_arch arch, long nr)
{
    if (nr < 0)
        return NULL;
    if (arch == ARCH_X86_64) {
        if (nr >= NR_LOW_END && nr < NR_SHARED)
            return NULL;
        return call_by_id((size_t)ID(nr));
    }
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        if (arch < ARCH_COUNT && calls[i].nr[arch] == nr)
            return &calls[i];
    return NULL;
}

const struct call *call_by_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        if (strcmp(calls[i].name, name) == 0)
            return &calls[i];
    return NULL;
}

const struct call_arg *call_arg_named(const struct call *c, unsigned name)
{
    for (size_t i = 0; i < c->n_args; i++)
        if (c->args[i].name == name)
            return &c->args[i];
    return NULL;
}

const struct call_type_info *call_type_info(unsigned type)
{
    return type < TYPE_COUNT ? &types[type] : NULL;
}

bool call_open_writes(uint64_t flags)
{
    /* O_PATH opens nothing: the kernel drops all that asks for more (build_open_how). */
    if ((flags & O_PATH) != 0)
        return false;
    return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}
