/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table's rows and what finds them. The rows themselves are in calls/; docs/howto-add-a-call.md says how
 * to read and write them.
 */
#include "syscalls/rows.h"

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
#include "syscalls/i386.h"

static const struct call calls[] = {
#include "syscalls/calls/all.def"
};

static_assert(ARRAY_SIZE(calls) == N_X86_64 + N_I386_ONLY, "the rows of i386 stand behind the others");
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
    [TYPE_UID16] = {"uid_t", 32, false, false},
    [TYPE_GID16] = {"gid_t", 32, false, false},
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
    return c->id;
}

const struct call *call_by_nr(enum call_arch arch, long nr)
{
    if (arch == ARCH_I386)
        return i386_by_nr(nr);
    if (arch != ARCH_X86_64 || nr < 0 || (nr >= NR_LOW_END && nr < NR_SHARED))
        return NULL;
    return ID(nr) < (long)N_X86_64 ? &calls[ID(nr)] : NULL;
}

long call_last_nr(enum call_arch arch)
{
    return arch == ARCH_X86_64 ? calls[N_X86_64 - 1].nr[ARCH_X86_64] : i386_last_nr();
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
