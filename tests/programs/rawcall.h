/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A system call with exactly these argument registers, and what became of them. */
#ifndef PROGRAMS_RAWCALL_H
#define PROGRAMS_RAWCALL_H

#include <stdint.h>

/* Six argument registers in, the same six out: the kernel's ABI says that they are left alone. */
static inline long raw_call(long nr, uint64_t regs[6])
{
    long ret;
    register uint64_t r10 __asm__("r10") = regs[3];
    register uint64_t r8 __asm__("r8") = regs[4];
    register uint64_t r9 __asm__("r9") = regs[5];
    __asm__ volatile("syscall"
                     : "=a"(ret), "+D"(regs[0]), "+S"(regs[1]), "+d"(regs[2]), "+r"(r10), "+r"(r8), "+r"(r9)
                     : "0"(nr)
                     : "rcx", "r11", "memory");
    regs[3] = r10;
    regs[4] = r8;
    regs[5] = r9;
    return ret;
}

#endif
