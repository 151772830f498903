/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/tracee.h"

#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
#include <stdlib.h>
#include "engine/engine.h"
#include "engine/registers.h"

struct tracee *tracee_find(struct tracees *all, pid_t tid)
{
    struct tracee *t;
    HASH_FIND_INT(all->by_tid, &tid, t);
    return t;
}

struct tracee *tracee_get(struct tracees *all, pid_t tid)
{
    struct tracee *t = tracee_find(all, tid);
    if (t != NULL)
        return t;
    t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->tid = tid;
    HASH_ADD_INT(all->by_tid, tid, t);
    return t;
}

static bool in_worker(const struct tracee *t)
{
    return t->step == STEP_ASKED || t->step == STEP_SHOWN;
}

void tracee_drop(struct tracees *all, struct tracee *t, struct engine *en)
{
    HASH_DEL(all->by_tid, t);
    passes_revoke(en->passes, t->tid);
    if (t->turn != NULL && in_worker(t))
        t->turn->tracee = NULL;
    else
        turn_free(t->turn);
    if (t->subject != NULL) {
        subjects_thread_gone(en->subjects, t->tid);
        subject_unref(en->subjects, t->subject);
    }
    free(t);
}

void tracee_rename(struct tracees *all, struct tracee *t, pid_t tid)
{
    HASH_DEL(all->by_tid, t);
    t->tid = tid;
    if (t->turn != NULL)
        t->turn->ev.tid = tid;
    HASH_ADD_INT(all->by_tid, tid, t);
}

void tracee_resume(const struct tracee *t, int signal)
{
    bool to_call = t->step == STEP_ENTERING || t->step == STEP_INJECTING || t->step == STEP_CLOSING ||
                   t->step == STEP_RUNNING;
    (void)ptrace(to_call ? PTRACE_SYSCALL : PTRACE_CONT, t->tid, 0, (unsigned long)signal);
}

int tracee_mask(struct tracee *t)
{
    static const uint64_t all = ~0UL;
    if (ptrace(PTRACE_GETSIGMASK, t->tid, sizeof t->mask, &t->mask) < 0 ||
        ptrace(PTRACE_SETSIGMASK, t->tid, sizeof all, &all) < 0)
        return -ESRCH;
    return 0;
}

int tracee_unmask(const struct tracee *t)
{
    return ptrace(PTRACE_SETSIGMASK, t->tid, sizeof t->mask, &t->mask) < 0 ? -ESRCH : 0;
}

int tracee_entry(const struct tracee *t, struct entry *at)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof info, &info) < 0)
        return -ESRCH;
    if (info.op != PTRACE_SYSCALL_INFO_SECCOMP && info.op != PTRACE_SYSCALL_INFO_ENTRY)
        return -EINVAL;
    at->seccomp = info.op == PTRACE_SYSCALL_INFO_SECCOMP;
    at->arch = info.arch == AUDIT_ARCH_X86_64 ? ARCH_X86_64 : ARCH_I386;
    at->nr = (long)(at->seccomp ? info.seccomp.nr : info.entry.nr);
    for (int i = 0; i < 6; i++)
        at->args[i] = at->seccomp ? info.seccomp.args[i] : info.entry.args[i];
    return 0;
}

int tracee_exit(const struct tracee *t, int64_t *result)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof info, &info) < 0)
        return -ESRCH;
    if (info.op != PTRACE_SYSCALL_INFO_EXIT)
        return -EINVAL;
    *result = info.exit.rval;
    return 0;
}

static void put_args(struct user_regs_struct *regs, enum call_arch arch, const uint64_t args[6],
                     uint8_t which)
{
    for (int i = 0; i < 6; i++)
        if ((which >> i) & 1)
            *(unsigned long long *)((char *)regs + argument_register[arch][i]) = args[i];
}

int tracee_assign(const struct tracee *t, enum call_arch arch, const uint64_t args[6], uint8_t which)
{
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, t->tid, 0, &regs) < 0)
        return -ESRCH;
    put_args(&regs, arch, args, which);
    return ptrace(PTRACE_SETREGS, t->tid, 0, &regs) < 0 ? -ESRCH : 0;
}

static int put_register(const struct tracee *t, size_t offset, uint64_t value)
{
    return ptrace(PTRACE_POKEUSER, t->tid, offset, value) < 0 ? -ESRCH : 0;
}

/* A negative number makes the kernel skip the call and keep the result register (kernel/seccomp.c). */
int tracee_hold(const struct tracee *t)
{
    return put_register(t, offsetof(struct user_regs_struct, orig_rax), (uint64_t)-1);
}

int tracee_run(const struct tracee *t, long nr)
{
    return put_register(t, offsetof(struct user_regs_struct, orig_rax), (uint64_t)nr);
}

int tracee_skip(const struct tracee *t, int64_t result)
{
    int rc = tracee_hold(t);
    return rc < 0 ? rc : put_register(t, offsetof(struct user_regs_struct, rax), (uint64_t)result);
}

/* syscall and int 0x80 are two bytes long. */
int tracee_repeat(const struct tracee *t, enum call_arch arch, long nr, uint64_t argument)
{
    enum { INSTRUCTION = 2 };
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, t->tid, 0, &regs) < 0)
        return -ESRCH;
    put_args(&regs, arch, (const uint64_t[6]){argument}, 1);
    regs.rip -= INSTRUCTION;
    regs.rax = (unsigned long long)nr;
    return ptrace(PTRACE_SETREGS, t->tid, 0, &regs) < 0 ? -ESRCH : 0;
}

int tracee_return(const struct tracee *t, const int64_t *result, enum call_arch arch, const uint64_t args[6],
                  uint8_t which)
{
    struct user_regs_struct regs;
    if (ptrace(PTRACE_GETREGS, t->tid, 0, &regs) < 0)
        return -ESRCH;
    put_args(&regs, arch, args, which);
    if (result != NULL)
        regs.rax = (unsigned long long)*result;
    return ptrace(PTRACE_SETREGS, t->tid, 0, &regs) < 0 ? -ESRCH : 0;
}
