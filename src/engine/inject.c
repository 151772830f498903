/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/inject.h"

#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/cleanup.h"
#include "engine/registers.h"
#include "filter/place.h"
#include "syscalls/table.h"

static const uint32_t audit_arch[ARCH_COUNT] = {
    [ARCH_X86_64] = AUDIT_ARCH_X86_64,
    [ARCH_I386] = AUDIT_ARCH_I386,
};

/* syscall, int $0x80: what the thread goes back to, two bytes ahead of where the call returns. */
enum { INSTRUCTION_SIZE = 2 };

enum step { STEP_FETCH, STEP_MAP, STEP_NO_FORK, STEP_NO_DUMP, STEP_SEAL, STEP_UNMAP, STEP_CLOSE, STEP_OWN };

static const struct {
    long nr[ARCH_COUNT]; /* in the order of enum call_arch */
    enum step done, failed;
} steps[] = {
    [STEP_FETCH] = {{PLACE_NR_AREA, PLACE_NR_AREA}, STEP_MAP, STEP_OWN},
    [STEP_MAP] = {{SYS_mmap, 192}, STEP_NO_FORK, STEP_CLOSE}, /* mmap2 */
    [STEP_NO_FORK] = {{SYS_madvise, 219}, STEP_NO_DUMP, STEP_UNMAP},
    [STEP_NO_DUMP] = {{SYS_madvise, 219}, STEP_SEAL, STEP_UNMAP},
    [STEP_SEAL] = {{PIN_NR_MSEAL, PIN_NR_MSEAL}, STEP_CLOSE, STEP_UNMAP},
    [STEP_UNMAP] = {{SYS_munmap, 91}, STEP_CLOSE, STEP_CLOSE},
    [STEP_CLOSE] = {{SYS_close, 6}, STEP_OWN, STEP_OWN},
};

/* The arguments of the call of this step; the thread's own ones with STEP_OWN. */
static void step_args(const struct injection *in, uint64_t args[6])
{
    const uint64_t below_4g = in->arch == ARCH_X86_64 ? MAP_32BIT : 0;
    const uint64_t calls[][6] = {
        [STEP_FETCH] = {0},
        [STEP_MAP] = {0, PIN_AREA_SIZE, PROT_READ, MAP_SHARED | below_4g, (uint64_t)in->fd, 0},
        [STEP_NO_FORK] = {in->address, PIN_AREA_SIZE, MADV_DONTFORK},
        [STEP_NO_DUMP] = {in->address, PIN_AREA_SIZE, MADV_DONTDUMP},
        [STEP_SEAL] = {in->address, PIN_AREA_SIZE, 0},
        [STEP_UNMAP] = {in->address, PIN_AREA_SIZE},
        [STEP_CLOSE] = {(uint64_t)in->fd},
    };
    memcpy(args, calls[in->step], sizeof calls[0]);
}

/* Registers with which the call of this step is made. */
static struct user_regs_struct step_regs(const struct injection *in)
{
    struct user_regs_struct regs = in->own;
    uint64_t args[6];
    if (in->step == STEP_OWN)
        return regs;
    step_args(in, args);
    for (int i = 0; i < 6; i++)
        *(unsigned long long *)((char *)&regs + argument_register[in->arch][i]) = args[i];
    regs.orig_rax = (unsigned long long)steps[in->step].nr[in->arch];
    return regs;
}

static int put_regs(const struct injection *in, const struct user_regs_struct *regs)
{
    return ptrace(PTRACE_SETREGS, in->tid, 0, regs) < 0 ? -ESRCH : 0;
}

static int resume(const struct injection *in)
{
    return ptrace(PTRACE_SYSCALL, in->tid, 0, 0) < 0 ? -ESRCH : 0;
}

/*
 * At an entry: whatever instruction has brought the thread here and with whatever registers (another thread
 * may write to its code), it makes the call of this step.
 */
static int make_call(const struct injection *in)
{
    struct user_regs_struct regs = step_regs(in);
    uint64_t args[6];
    step_args(in, args);
    long nr = steps[in->step].nr[in->arch];
    int rc = in->step == STEP_FETCH ? passes_addfd(in->passes, in->tid, nr, args, pin_area_fd(in->area))
                                    : passes_continue(in->passes, in->tid, nr, args);
    if (rc == 0)
        rc = put_regs(in, &regs);
    return rc < 0 ? rc : resume(in);
}

/* Can the thread go back to the instruction that made the call, and make it again? */
static int know_call(struct injection *in, long nr)
{
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, in->tid, sizeof info, &info) < 0 ||
        ptrace(PTRACE_GETREGS, in->tid, 0, &in->own) < 0)
        return -ESRCH;
    in->own.orig_rax = (unsigned long long)nr;
    in->arch = info.arch == AUDIT_ARCH_I386 ? ARCH_I386 : ARCH_X86_64;
    /* The code is not read: that may wait for the target. The kernel restarts calls at rip - 2, too. */
    return info.arch == audit_arch[in->arch] ? 0 : -EINVAL;
}

int inject_area(struct injection *in, pid_t tid, long nr, struct passes *passes, struct pin_area *area)
{
    const uint64_t all = UINT64_MAX;
    *in = (struct injection){.tid = tid, .passes = passes, .area = area, .fd = DEAD_FD};
    int rc = know_call(in, nr);
    if (rc < 0)
        return rc;
    if (ptrace(PTRACE_GETSIGMASK, tid, sizeof in->mask, &in->mask) < 0 ||
        ptrace(PTRACE_SETSIGMASK, tid, sizeof all, &all) < 0)
        return -ESRCH;
    rc = make_call(in);
    if (rc == -ENOMEM)
        (void)ptrace(PTRACE_SETSIGMASK, tid, sizeof in->mask, &in->mask);
    return rc;
}

/* At the entry of its own call, or of one that a changed instruction has made of it: then it makes none. */
static enum inject_next finish(struct injection *in, bool same_arch)
{
    if (!same_arch) {
        in->error = EPERM;
        in->own.orig_rax = (unsigned long long)-1;
    }
    passes_revoke(in->passes, in->tid);
    (void)put_regs(in, &in->own);
    (void)ptrace(PTRACE_SETSIGMASK, in->tid, sizeof in->mask, &in->mask);
    if (in->error != 0)
        return INJECT_FAILED;
    pin_area_mapped(in->area, in->address);
    return INJECT_DONE;
}

static enum inject_next at_entry(struct injection *in, uint32_t arch)
{
    bool same_arch = arch == audit_arch[in->arch];
    if (!same_arch || in->step == STEP_OWN)
        return finish(in, same_arch);
    int rc = make_call(in);
    if (rc != -ENOMEM)
        return INJECT_GOES_ON; /* if it is gone, wait(2) will tell */
    in->error = ENOMEM;
    return finish(in, true);
}

/* What a step has brought. Returns 0, or -errno. */
static int take_result(struct injection *in, int64_t result, bool is_error)
{
    if (is_error)
        return (int)result;
    if (in->step == STEP_FETCH)
        in->fd = (int)result;
    if (in->step == STEP_MAP)
        in->address = (uint64_t)result & UINT32_MAX;
    if (in->step != STEP_SEAL)
        return 0;
    int rc = pin_area_check(in->area, in->tid, in->address);
    return rc;
}

static enum inject_next at_exit(struct injection *in, int64_t result, bool is_error)
{
    if (is_error && result_restarts(result)) {
        (void)resume(in);
        return INJECT_GOES_ON;
    }
    passes_revoke(in->passes, in->tid);
    int rc = take_result(in, result, is_error);
    if (rc < 0 && in->error == 0)
        in->error = -rc;
    in->step = rc < 0 ? steps[in->step].failed : steps[in->step].done;
    if (in->step == STEP_SEAL && !pin_can_seal())
        in->step = STEP_CLOSE;
    struct user_regs_struct regs = step_regs(in);
    regs.rip -= INSTRUCTION_SIZE;
    regs.rax = regs.orig_rax;
    regs.orig_rax = (unsigned long long)-1; /* no call to make again: its result is none of the kernel's */
    if (put_regs(in, &regs) == 0)
        (void)resume(in);
    return INJECT_GOES_ON;
}

enum inject_next inject_stop(struct injection *in, int status)
{
    struct __ptrace_syscall_info info;
    if (!WIFSTOPPED(status))
        return INJECT_NOT_OURS;
    if (status >> 16 == PTRACE_EVENT_SECCOMP) {
        (void)resume(in);
        return INJECT_GOES_ON;
    }
    if (status >> 16 != 0 || (WSTOPSIG(status) & ~0x80) != SIGTRAP)
        return INJECT_NOT_OURS;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, in->tid, sizeof info, &info) < 0)
        return INJECT_GOES_ON;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
        return at_entry(in, info.arch);
    if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        return at_exit(in, info.exit.rval, info.exit.is_error != 0);
    return INJECT_NOT_OURS;
}
