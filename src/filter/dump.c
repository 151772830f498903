/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "filter/filter.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <stddef.h>
#include <string.h>
#include "base/cleanup.h"
#include "syscalls/decode.h"
#include "syscalls/table.h"

/* What A holds, as far as it is the same on every way to an instruction. */
enum { A_UNKNOWN = -1, A_NOT_REACHED = -2 }; /* else: offset in struct seccomp_data */

/* What is known at an instruction: A, and whose calls come here, x86-64's unless i386's were asked for. */
struct known {
    int a;
    enum call_arch arch;
};

static void word_name(uint32_t offset, char *text, size_t size)
{
    static const char *const words[] = {"nr", "arch", "ip.low", "ip.high"};
    uint32_t word = offset / 4;

    if (word < ARRAY_SIZE(words))
        (void)snprintf(text, size, "%s", words[word]);
    else
        (void)snprintf(text, size, "arg%" PRIu32 ".%s", (word - 4) / 2, word % 2 == 0 ? "low" : "high");
}

/* The meaning of @k compared with A, or NULL. */
static const char *value_name(struct known known, uint32_t k)
{
    if (known.a == (int)offsetof(struct seccomp_data, arch))
        return k == AUDIT_ARCH_X86_64 ? "x86-64" : k == AUDIT_ARCH_I386 ? "i386" : NULL;
    if (known.a != (int)offsetof(struct seccomp_data, nr))
        return NULL;
    const struct call *call = call_by_nr(known.arch, (int32_t)k);
    return call != NULL ? call->name : NULL;
}

static void print_return(uint32_t value, FILE *out)
{
    static const struct {
        uint32_t action;
        const char *name;
    } actions[] = {
        {SECCOMP_RET_ALLOW, "allow"},      {SECCOMP_RET_USER_NOTIF, "notify"}, {SECCOMP_RET_TRACE, "trace"},
        {SECCOMP_RET_ERRNO, "deny"},       {SECCOMP_RET_LOG, "log"},           {SECCOMP_RET_TRAP, "trap"},
        {SECCOMP_RET_KILL_THREAD, "kill"}, {SECCOMP_RET_KILL_PROCESS, "kill"},
    };
    const char *name = "unknown", *error = decode_errno((int)(value & SECCOMP_RET_DATA));

    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (actions[i].action == (value & SECCOMP_RET_ACTION_FULL))
            name = actions[i].name;
    bool errnum = (value & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && error != NULL;
    (void)fprintf(out, "ret   %s%s%s", name, errnum ? " " : "", errnum ? error : "");
}

static void print_jump(const struct sock_filter *i, uint32_t pc, struct known known, FILE *out)
{
    static const char *const names[] = {
        [BPF_JEQ >> 4] = "jeq", [BPF_JGT >> 4] = "jgt", [BPF_JGE >> 4] = "jge", [BPF_JSET >> 4] = "jset"};
    uint32_t op = BPF_OP(i->code) >> 4;

    if (BPF_OP(i->code) == BPF_JA) {
        (void)fprintf(out, "ja    %" PRIu32, pc + 1 + i->k);
        return;
    }
    (void)fprintf(out, "%-5s ", op < ARRAY_SIZE(names) && names[op] != NULL ? names[op] : "j?");
    if (BPF_SRC(i->code) == BPF_X)
        (void)fprintf(out, "x");
    else
        (void)fprintf(out, "0x%" PRIx32, i->k);
    (void)fprintf(out, ", %" PRIu32 ", %" PRIu32, pc + 1 + i->jt, pc + 1 + i->jf);
    const char *meaning = BPF_SRC(i->code) == BPF_K ? value_name(known, i->k) : NULL;
    if (meaning != NULL)
        (void)fprintf(out, "    ; %s", meaning);
}

static void print_alu(const struct sock_filter *i, FILE *out)
{
    static const char *const names[] = {
        [BPF_ADD >> 4] = "add", [BPF_SUB >> 4] = "sub", [BPF_MUL >> 4] = "mul", [BPF_DIV >> 4] = "div",
        [BPF_OR >> 4] = "or",   [BPF_AND >> 4] = "and", [BPF_LSH >> 4] = "lsh", [BPF_RSH >> 4] = "rsh",
        [BPF_NEG >> 4] = "neg", [BPF_XOR >> 4] = "xor",
    };
    uint32_t op = BPF_OP(i->code) >> 4;

    (void)fprintf(out, "%-5s ", op < ARRAY_SIZE(names) && names[op] != NULL ? names[op] : "alu?");
    if (BPF_SRC(i->code) == BPF_X)
        (void)fprintf(out, "x");
    else if (BPF_OP(i->code) != BPF_NEG)
        (void)fprintf(out, "0x%" PRIx32, i->k);
}

static void print_load(const struct sock_filter *i, FILE *out)
{
    char word[24];

    (void)fprintf(out, "%-5s ", BPF_CLASS(i->code) == BPF_LD ? "ld" : "ldx");
    switch (BPF_MODE(i->code)) {
    case BPF_ABS:
        word_name(i->k, word, sizeof(word));
        (void)fprintf(out, "%s", word);
        break;
    case BPF_LEN:
        (void)fprintf(out, "len");
        break;
    case BPF_MEM:
        (void)fprintf(out, "m[%" PRIu32 "]", i->k);
        break;
    default:
        (void)fprintf(out, "0x%" PRIx32, i->k);
        break;
    }
}

static void print(const struct sock_filter *i, uint32_t pc, struct known known, FILE *out)
{
    (void)fprintf(out, "%4" PRIu32 ": ", pc);
    switch (BPF_CLASS(i->code)) {
    case BPF_LD:
    case BPF_LDX:
        print_load(i, out);
        break;
    case BPF_ST:
    case BPF_STX:
        (void)fprintf(out, "%-5s m[%" PRIu32 "]", BPF_CLASS(i->code) == BPF_ST ? "st" : "stx", i->k);
        break;
    case BPF_ALU:
        print_alu(i, out);
        break;
    case BPF_JMP:
        print_jump(i, pc, known, out);
        break;
    case BPF_RET:
        if (BPF_RVAL(i->code) == BPF_A)
            (void)fprintf(out, "ret   a");
        else
            print_return(i->k, out);
        break;
    default:
        (void)fprintf(out, "%s", BPF_MISCOP(i->code) == BPF_TAX ? "tax" : "txa");
        break;
    }
    (void)fprintf(out, "\n");
}

static void reach(struct known *at, uint32_t len, uint32_t pc, struct known known)
{
    if (pc >= len)
        return;
    if (at[pc].a != A_NOT_REACHED && at[pc].a != known.a)
        known.a = A_UNKNOWN;
    at[pc] = known;
}

/* Note for the instructions that may come next what A holds there. */
static void follow(const struct sock_filter *i, uint32_t pc, struct known *at, uint32_t len)
{
    struct known known = at[pc], yes = known;

    switch (BPF_CLASS(i->code)) {
    case BPF_RET:
        return;
    case BPF_JMP:
        if (BPF_OP(i->code) == BPF_JA) {
            reach(at, len, i->k < len ? pc + 1 + i->k : len, known);
            return;
        }
        if (known.a == (int)offsetof(struct seccomp_data, arch) && i->k == AUDIT_ARCH_I386)
            yes.arch = ARCH_I386;
        reach(at, len, pc + 1 + i->jt, yes);
        reach(at, len, pc + 1 + i->jf, known);
        return;
    case BPF_LD:
        known.a = BPF_MODE(i->code) == BPF_ABS ? (int)i->k : A_UNKNOWN;
        break;
    case BPF_ALU:
    case BPF_MISC:
        known.a = A_UNKNOWN;
        break;
    default:
        break;
    }
    reach(at, len, pc + 1, known);
}

void filter_dump(const struct sock_fprog *prog, FILE *out)
{
    static const struct known nothing = {A_UNKNOWN, ARCH_X86_64};
    struct known at[BPF_MAXINSNS];
    uint32_t known = prog->len < BPF_MAXINSNS ? prog->len : BPF_MAXINSNS;

    at[0] = nothing;
    for (uint32_t pc = 1; pc < known; pc++)
        at[pc] = (struct known){A_NOT_REACHED, ARCH_X86_64};
    for (uint32_t pc = 0; pc < prog->len; pc++) {
        print(&prog->filter[pc], pc, pc < known ? at[pc] : nothing, out);
        if (pc < known)
            follow(&prog->filter[pc], pc, at, known);
    }
}
