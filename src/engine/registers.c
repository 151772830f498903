/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/registers.h"

#include <sys/user.h>

#define AT(reg) offsetof(struct user_regs_struct, reg)

const size_t argument_register[ARCH_COUNT][6] = {
    [ARCH_X86_64] = {AT(rdi), AT(rsi), AT(rdx), AT(r10), AT(r8), AT(r9)},
    [ARCH_I386] = {AT(rbx), AT(rcx), AT(rdx), AT(rsi), AT(rdi), AT(rbp)},
};
