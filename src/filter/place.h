/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside the room: what no target may do, because it would then answer its own calls in our place; and calls
 * that are newer than the table.
 *
 * A notification listener of its own outranks our RET_TRACE (seccomp(2), order of actions), and its CONTINUE
 * lets the call run; and a process that has slipped past our tracer (CLONE_UNTRACED) may find another that
 * asks for seccomp stops. The first gets EBUSY, what the kernel says of a second listener; the second EINVAL,
 * what a kernel says that has no such option (ptrace(2)). Registers decide both.
 */
#ifndef IDW_FILTER_PLACE_H
#define IDW_FILTER_PLACE_H

#include "filter/filter.h"
#include "syscalls/table.h"

/* No call of any kernel: always notified, also of i386, so that the engine can put a descriptor into a thread
 * (engine/inject.h). */
#define PLACE_NR_AREA 0x3fffff00u

/* place_keep - put these tests, place_size() instructions, in front of @prog, a program for the calls of
 * @arch, whose filter is replaced. Returns 0, -ENOMEM. */
int place_keep(enum call_arch arch, struct sock_fprog *prog, struct err *e);
size_t place_size(void);

#endif
