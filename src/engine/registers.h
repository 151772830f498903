/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the kernel takes a call's arguments and gives its result, seen by a tracer. */
#ifndef IDW_ENGINE_REGISTERS_H
#define IDW_ENGINE_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "syscalls/table.h"

/* Offsets of the argument registers in struct user_regs_struct, syscall(2). */
extern const size_t argument_register[ARCH_COUNT][6];

/* Kernel-internal results of a call that a signal interrupted (ERESTARTSYS and so on, include/linux/errno.h):
 * the signal's handling decides what becomes of them. NOINTR: it starts anew whatever the handler's flags
 * are. */
enum { RESTART_FIRST = 512, RESTART_SYS = 512, RESTART_NOINTR = 513, RESTART_LAST = 516 };

/* result_restarts - was the call interrupted, and will the kernel make it again? */
static inline bool result_restarts(int64_t result)
{
    return result <= -RESTART_FIRST && result >= -RESTART_LAST;
}

#endif
