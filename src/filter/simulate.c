/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel's view of a program: refused or run. Source: net/core/filter.c (bpf_check_classic,
 * check_load_and_stores), kernel/seccomp.c (seccomp_check_filter).
 */
#include "filter/simulate.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define ERRNO_MAX 4095u /* the kernel's MAX_ERRNO: SECCOMP_RET_ERRNO's data is capped to it */

/* What may stand in `k`. */
enum operand { REFUSED, ANY, NONZERO, SHIFT, SLOT_READ, SLOT_WRITE, WORD, JUMP, BRANCH };

/* With an operand in the instruction, and with X. */
#define FROM_BOTH(class_, op_, k_, x_)                                                                       \
    [BPF_##class_ | BPF_##op_] = (k_), [BPF_##class_ | BPF_##op_ | BPF_X] = (x_)

/* Every instruction that seccomp_check_filter lets through; the rest is REFUSED. */
static const uint8_t accepted[256] = {
    [BPF_LD | BPF_W | BPF_ABS] = WORD,
    [BPF_LD | BPF_W | BPF_LEN] = ANY,
    [BPF_LDX | BPF_W | BPF_LEN] = ANY,
    [BPF_LD | BPF_IMM] = ANY,
    [BPF_LDX | BPF_IMM] = ANY,
    [BPF_LD | BPF_MEM] = SLOT_READ,
    [BPF_LDX | BPF_MEM] = SLOT_READ,
    [BPF_ST] = SLOT_WRITE,
    [BPF_STX] = SLOT_WRITE,
    [BPF_MISC | BPF_TAX] = ANY,
    [BPF_MISC | BPF_TXA] = ANY,
    [BPF_RET | BPF_K] = ANY,
    [BPF_RET | BPF_A] = ANY,
    [BPF_ALU | BPF_NEG] = ANY,
    [BPF_JMP | BPF_JA] = JUMP,
    FROM_BOTH(ALU, ADD, ANY, ANY),
    FROM_BOTH(ALU, SUB, ANY, ANY),
    FROM_BOTH(ALU, MUL, ANY, ANY),
    FROM_BOTH(ALU, DIV, NONZERO, ANY),
    FROM_BOTH(ALU, AND, ANY, ANY),
    FROM_BOTH(ALU, OR, ANY, ANY),
    FROM_BOTH(ALU, XOR, ANY, ANY),
    FROM_BOTH(ALU, LSH, SHIFT, ANY),
    FROM_BOTH(ALU, RSH, SHIFT, ANY),
    FROM_BOTH(JMP, JEQ, BRANCH, BRANCH),
    FROM_BOTH(JMP, JGE, BRANCH, BRANCH),
    FROM_BOTH(JMP, JGT, BRANCH, BRANCH),
    FROM_BOTH(JMP, JSET, BRANCH, BRANCH),
};

static bool operand_valid(const struct sock_filter *i, uint32_t left)
{
    switch (i->code < 256 ? accepted[i->code] : REFUSED) {
    case ANY:
        return true;
    case NONZERO:
        return i->k != 0;
    case SHIFT:
        return i->k < 32;
    case SLOT_READ:
    case SLOT_WRITE:
        return i->k < BPF_MEMWORDS;
    case WORD:
        return i->k < sizeof(struct seccomp_data) && i->k % 4 == 0;
    case JUMP: /* @left: instructions behind this one */
        return i->k < left;
    case BRANCH:
        return i->jt < left && i->jf < left;
    default:
        return false;
    }
}

/* No scratch word is read before each way to the read has written it. @prog has passed operand_valid. */
static bool slots_written(const struct sock_fprog *prog)
{
    uint16_t at[BPF_MAXINSNS]; /* words written when control gets there by a jump */
    uint16_t written = 0;

    memset(at, 0xff, sizeof(at));
    for (uint32_t pc = 0; pc < prog->len; pc++) {
        const struct sock_filter *i = &prog->filter[pc];

        written &= at[pc];
        switch (accepted[i->code]) {
        case SLOT_WRITE:
            written |= (uint16_t)(1u << i->k);
            break;
        case SLOT_READ:
            if ((written >> i->k & 1) == 0)
                return false;
            break;
        case JUMP:
            at[pc + 1 + i->k] &= written;
            written = 0xffff;
            break;
        case BRANCH:
            at[pc + 1 + i->jt] &= written;
            at[pc + 1 + i->jf] &= written;
            written = 0xffff;
            break;
        default:
            break;
        }
    }
    return true;
}

bool simulate_valid(const struct sock_fprog *prog)
{
    if (prog->filter == NULL || prog->len == 0 || prog->len > BPF_MAXINSNS)
        return false;
    for (uint32_t pc = 0; pc < prog->len; pc++)
        if (!operand_valid(&prog->filter[pc], prog->len - pc - 1))
            return false;
    uint16_t end = prog->filter[prog->len - 1].code;
    return (end == (BPF_RET | BPF_K) || end == (BPF_RET | BPF_A)) && slots_written(prog);
}

struct machine {
    uint32_t a, x, pc;
    uint32_t slots[BPF_MEMWORDS];
    const struct seccomp_data *data;
};

/* false: division by zero, which ends a program with 0, that is SECCOMP_RET_KILL_THREAD. */
static bool alu(struct machine *m, const struct sock_filter *i)
{
    uint32_t operand = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
    bool division = BPF_OP(i->code) == BPF_DIV;

    if (division && operand == 0)
        return false;
    switch (BPF_OP(i->code)) {
    case BPF_ADD:
        m->a += operand;
        break;
    case BPF_SUB:
        m->a -= operand;
        break;
    case BPF_MUL:
        m->a *= operand;
        break;
    case BPF_DIV:
        m->a /= operand;
        break;
    case BPF_AND:
        m->a &= operand;
        break;
    case BPF_OR:
        m->a |= operand;
        break;
    case BPF_XOR:
        m->a ^= operand;
        break;
    case BPF_LSH: /* the kernel masks a count that comes from X */
        m->a <<= operand & 31;
        break;
    case BPF_RSH:
        m->a >>= operand & 31;
        break;
    default: /* BPF_NEG */
        m->a = -m->a;
        break;
    }
    return true;
}

static void jump(struct machine *m, const struct sock_filter *i)
{
    uint32_t operand = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
    bool taken;

    switch (BPF_OP(i->code)) {
    case BPF_JEQ:
        taken = m->a == operand;
        break;
    case BPF_JGT:
        taken = m->a > operand;
        break;
    case BPF_JGE:
        taken = m->a >= operand;
        break;
    case BPF_JSET:
        taken = (m->a & operand) != 0;
        break;
    default: /* BPF_JA */
        m->pc += i->k;
        return;
    }
    m->pc += taken ? i->jt : i->jf;
}

static uint32_t loaded(const struct machine *m, const struct sock_filter *i)
{
    uint32_t word;

    switch (BPF_MODE(i->code)) {
    case BPF_ABS:
        memcpy(&word, (const char *)m->data + i->k, sizeof(word));
        return word;
    case BPF_LEN:
        return sizeof(struct seccomp_data);
    case BPF_MEM:
        return m->slots[i->k];
    default: /* BPF_IMM */
        return i->k;
    }
}

/* Jumps go forward only and the last instruction returns: this ends. */
uint32_t simulate_run(const struct sock_fprog *prog, const struct seccomp_data *data)
{
    struct machine m = {.data = data};

    for (;;) {
        const struct sock_filter *i = &prog->filter[m.pc++];

        switch (BPF_CLASS(i->code)) {
        case BPF_LD:
            m.a = loaded(&m, i);
            break;
        case BPF_LDX:
            m.x = loaded(&m, i);
            break;
        case BPF_ST:
            m.slots[i->k] = m.a;
            break;
        case BPF_STX:
            m.slots[i->k] = m.x;
            break;
        case BPF_ALU:
            if (!alu(&m, i))
                return SECCOMP_RET_KILL_THREAD;
            break;
        case BPF_JMP:
            jump(&m, i);
            break;
        case BPF_RET:
            return BPF_RVAL(i->code) == BPF_A ? m.a : i->k;
        default: /* BPF_MISC */
            if (BPF_MISCOP(i->code) == BPF_TAX)
                m.x = m.a;
            else
                m.a = m.x;
            break;
        }
    }
}

enum filter_action filter_simulate(const struct sock_fprog *prog, const struct seccomp_data *data,
                                   int *errnum)
{
    uint32_t result = simulate_valid(prog) ? simulate_run(prog, data) : (SECCOMP_RET_ERRNO | EINVAL);
    uint32_t value = result & SECCOMP_RET_DATA;

    switch (result & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return FILTER_ALLOW;
    case SECCOMP_RET_USER_NOTIF:
        return FILTER_NOTIFY;
    case SECCOMP_RET_TRACE:
        return FILTER_TRACE;
    case SECCOMP_RET_ERRNO:
        break;
    default: /* the ways to kill and to trap, which no filter of ours has */
        value = EINVAL;
        break;
    }
    if (errnum != NULL)
        *errnum = (int)(value < ERRNO_MAX ? value : ERRNO_MAX);
    return FILTER_DENY;
}
