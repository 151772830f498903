/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/asm.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>

#define REACH 255u /* of a conditional jump: its offsets are bytes */

void asm_clear(struct asm_code *a)
{
    free(a->code);
    free(a->near);
    *a = (struct asm_code){0};
}

static bool grow(struct asm_code *a)
{
    uint32_t room = a->room == 0 ? 1024 : a->room * 2;

    if (room > ASM_MAX)
        return false;
    struct sock_filter *code = reallocarray(a->code, room, sizeof(*code));
    if (code == NULL)
        return false;
    a->code = code;
    uint32_t *near = reallocarray(a->near, room, sizeof(*near));
    if (near == NULL)
        return false;
    a->near = near;
    a->room = room;
    return true;
}

static uint32_t emit(struct asm_code *a, struct sock_filter insn)
{
    if (!a->failed && a->n == a->room && !grow(a))
        a->failed = true;
    if (a->failed)
        return 0;
    a->code[a->n] = insn;
    a->near[a->n] = a->n;
    return a->n++;
}

/* Instructions between @label and an instruction that is emitted after @ahead others. */
static uint32_t distance(const struct asm_code *a, uint32_t label, uint32_t ahead)
{
    return a->n + ahead - label - 1;
}

uint32_t asm_ret(struct asm_code *a, uint32_t value)
{
    /* Short of the full reach, so that it stays near while the code that uses it is written. */
    for (uint32_t i = a->n; i > 0 && distance(a, i - 1, 0) < REACH / 2; i--)
        if (a->code[i - 1].code == (BPF_RET | BPF_K) && a->code[i - 1].k == value)
            return i - 1;
    return emit(a, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value));
}

/* @label, or a stand-in for it that a conditional jump emitted after @ahead other instructions reaches. */
static uint32_t reachable(struct asm_code *a, uint32_t label, uint32_t ahead)
{
    if (a->failed || distance(a, label, ahead) <= REACH)
        return label;
    if (a->code[label].code == (BPF_RET | BPF_K))
        return asm_ret(a, a->code[label].k);
    if (distance(a, a->near[label], ahead) > REACH)
        a->near[label] = emit(a, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, distance(a, label, 0)));
    return a->failed ? 0 : a->near[label];
}

uint32_t asm_jump(struct asm_code *a, uint16_t op, uint32_t k, uint32_t yes, uint32_t no)
{
    if (yes == no)
        return yes;
    /* The stand-in for `no` may come in between. */
    yes = reachable(a, yes, 1);
    no = reachable(a, no, 0);
    uint8_t jt = (uint8_t)distance(a, yes, 0);
    uint8_t jf = (uint8_t)distance(a, no, 0);
    return emit(a, (struct sock_filter)BPF_JUMP(BPF_JMP | op | BPF_K, k, jt, jf));
}

void asm_fall(struct asm_code *a, uint32_t label)
{
    if (a->failed || label == a->n - 1)
        return;
    if (a->code[label].code == (BPF_RET | BPF_K))
        (void)emit(a, a->code[label]);
    else
        (void)emit(a, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, distance(a, label, 0)));
}

uint32_t asm_load(struct asm_code *a, uint32_t offset)
{
    return emit(a, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

uint32_t asm_alu(struct asm_code *a, uint16_t op, uint32_t k)
{
    return emit(a, (struct sock_filter)BPF_STMT(BPF_ALU | op | BPF_K, k));
}

struct sock_filter *asm_finish(const struct asm_code *a)
{
    struct sock_filter *code = a->failed ? NULL : calloc(a->n, sizeof(*code));

    for (uint32_t i = 0; code != NULL && i < a->n; i++)
        code[i] = a->code[a->n - 1 - i];
    return code;
}
