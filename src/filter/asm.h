/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An assembler for classic BPF that works from the end of the program to its start: jumps go forward only, so
 * every target is known when the jump is emitted.
 *
 *     uint32_t yes = asm_ret(&a, SECCOMP_RET_TRACE), no = asm_ret(&a, SECCOMP_RET_ALLOW);
 *     asm_jump(&a, BPF_JEQ, 2, yes, no);
 *     asm_load(&a, offsetof(struct seccomp_data, nr));   // stands in front of the jump
 *     struct sock_filter *program = asm_finish(&a);
 *
 * A label is what an emitting function returned: the instruction's distance from the end. Conditional jumps
 * reach 255 instructions; where a target is further a copy of it (a return) or a JA to it is put in between.
 */
#ifndef IDW_FILTER_ASM_H
#define IDW_FILTER_ASM_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/* An assembler stops counting here; far beyond what a kernel takes, so that sizes can be compared before. */
#define ASM_MAX (1u << 24)

struct asm_code {             /* all zero: empty; asm_clear */
    struct sock_filter *code; /* last instruction first */
    uint32_t *near;           /* for each label: the last JA to it, or itself */
    uint32_t n, room;
    bool failed; /* no memory, or ASM_MAX: labels mean nothing any more */
};

void asm_clear(struct asm_code *a);

/* Each returns the label of what it emitted. */
uint32_t asm_load(struct asm_code *a, uint32_t offset); /* A = word at @offset of struct seccomp_data */
uint32_t asm_alu(struct asm_code *a, uint16_t op, uint32_t k); /* A = A op k; @op: BPF_AND, BPF_XOR ... */
uint32_t asm_jump(struct asm_code *a, uint16_t op, uint32_t k, uint32_t yes, uint32_t no); /* if (A op k) */

/* asm_ret - label of a `return @value`: one that is near, or a new one. Nothing runs into it. */
uint32_t asm_ret(struct asm_code *a, uint32_t value);

/* asm_fall - make the next instruction emitted run into @label. */
void asm_fall(struct asm_code *a, uint32_t label);

/* asm_finish - the program in the order of its execution. NULL: no memory. `n` instructions; the caller's,
 * free(). */
struct sock_filter *asm_finish(const struct asm_code *a);

#endif
