/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/perf_event.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include "base/cleanup.h"
#include "engine/alone.h"
#include "engine/own_act.h"
#include "engine/own_names.h"
#include "subject/proc.h"
#include "syscalls/terms.h"

#define TESTS_MOST 3

struct own_test {
    uint16_t name; /* enum call_name; CALL_NAME_NONE: no test */
    uint8_t cmp;
    uint64_t value, mask; /* a mask of 0 is none */
};

/* How the argument names whom the call is about. */
enum own_kind {
    NAMES_TASK,       /* a process or thread */
    NAMES_GROUP,      /* a process group */
    NAMES_EITHER,     /* positive a process, negative a group */
    NAMES_AT_POINTER, /* an owner (own_owner_call) in memory */
    NAMES_BY_PIDFD,
    NAMES_PARENT, /* not at all: the caller's parent */
    NAMES_ALL,    /* everybody */
    NAMES_NOBODY, /* puts the caller into a Landlock domain */
};

static const struct own_call {
    const char *call;
    uint16_t arg; /* enum call_name */
    uint8_t kind;
    int error;                         /* what the call says when there is no such process */
    struct own_test tests[TESTS_MOST]; /* of registers: only then */
} own_calls[] = {
#define A(name) CALL_NAME_##name
    {"kill",
     A(target_pid),
     NAMES_EITHER,
     ESRCH,
     {{A(sig), IDW_NE, 0}, {A(target_pid), IDW_NE, 0}, {A(target_pid), IDW_NE, (uint64_t)-1}}},
    {"kill", A(target_pid), NAMES_ALL, ESRCH, {{A(sig), IDW_NE, 0}, {A(target_pid), IDW_EQ, (uint64_t)-1}}},
    {"tkill", A(target_pid), NAMES_TASK, ESRCH, {{A(sig), IDW_NE, 0}}},
    {"tgkill", A(target_tid), NAMES_TASK, ESRCH, {{A(sig), IDW_NE, 0}}},
    {"rt_sigqueueinfo", A(target_pid), NAMES_TASK, ESRCH, {{A(sig), IDW_NE, 0}}},
    {"rt_tgsigqueueinfo", A(target_tid), NAMES_TASK, ESRCH, {{A(sig), IDW_NE, 0}}},
    {"pidfd_open", A(target_pid), NAMES_TASK, ESRCH, {}},
    {"pidfd_send_signal", A(pidfd), NAMES_BY_PIDFD, ESRCH, {{A(sig), IDW_NE, 0}}},
    {"pidfd_getfd", A(pidfd), NAMES_BY_PIDFD, ESRCH, {}},
    {"process_madvise", A(pidfd), NAMES_BY_PIDFD, ESRCH, {}},
    {"process_mrelease", A(pidfd), NAMES_BY_PIDFD, ESRCH, {}},
    {"fcntl", A(arg), NAMES_EITHER, ESRCH, {{A(cmd), IDW_EQ, F_SETOWN}}},
    {"fcntl", A(arg), NAMES_AT_POINTER, ESRCH, {{A(cmd), IDW_EQ, F_SETOWN_EX}}},
    {"fcntl64", A(arg), NAMES_EITHER, ESRCH, {{A(cmd), IDW_EQ, F_SETOWN}}},
    {"fcntl64", A(arg), NAMES_AT_POINTER, ESRCH, {{A(cmd), IDW_EQ, F_SETOWN_EX}}},
    {"ioctl", A(arg), NAMES_AT_POINTER, ESRCH, {{A(request), IDW_EQ, FIOSETOWN}}},
    {"ioctl", A(arg), NAMES_AT_POINTER, ESRCH, {{A(request), IDW_EQ, SIOCSPGRP}}},
    {"ptrace", A(target_pid), NAMES_TASK, ESRCH, {{A(ptrace_request), IDW_EQ, PTRACE_ATTACH}}},
    {"ptrace", A(target_pid), NAMES_TASK, ESRCH, {{A(ptrace_request), IDW_EQ, PTRACE_SEIZE}}},
    {"ptrace", A(target_pid), NAMES_PARENT, EPERM, {{A(ptrace_request), IDW_EQ, PTRACE_TRACEME}}},
    {"process_vm_readv", A(target_pid), NAMES_TASK, ESRCH, {}},
    {"process_vm_writev", A(target_pid), NAMES_TASK, ESRCH, {}},
    {"kcmp", A(pid1), NAMES_TASK, ESRCH, {}},
    {"kcmp", A(pid2), NAMES_TASK, ESRCH, {}},
    {"get_robust_list", A(target_pid), NAMES_TASK, ESRCH, {{A(target_pid), IDW_NE, 0}}},
    {"perf_event_open",
     A(target_pid),
     NAMES_TASK,
     ESRCH,
     {{A(target_pid), IDW_GT, 0}, {A(flags), IDW_EQ, 0, PERF_FLAG_PID_CGROUP}}},
    {"move_pages", A(target_pid), NAMES_TASK, ESRCH, {{A(target_pid), IDW_NE, 0}}},
    {"migrate_pages", A(target_pid), NAMES_TASK, ESRCH, {{A(target_pid), IDW_NE, 0}}},
    {"prlimit64", A(target_pid), NAMES_TASK, ESRCH, {{A(target_pid), IDW_NE, 0}}},
    {"setpriority", A(who), NAMES_TASK, ESRCH, {{A(which), IDW_EQ, PRIO_PROCESS}, {A(who), IDW_NE, 0}}},
    {"setpriority", A(who), NAMES_GROUP, ESRCH, {{A(which), IDW_EQ, PRIO_PGRP}, {A(who), IDW_NE, 0}}},
    {"ioprio_set", A(who), NAMES_TASK, ESRCH, {{A(which), IDW_EQ, IOPRIO_WHO_PROCESS}, {A(who), IDW_NE, 0}}},
    {"ioprio_set", A(who), NAMES_GROUP, ESRCH, {{A(which), IDW_EQ, IOPRIO_WHO_PGRP}, {A(who), IDW_NE, 0}}},
    {"sched_setaffinity", A(target_pid), NAMES_TASK, ESRCH, {{A(target_pid), IDW_NE, 0}}},
    {"sched_setscheduler", A(target_pid), NAMES_TASK, ESRCH, {{A(target_pid), IDW_NE, 0}}},
    {"sched_setparam", A(target_pid), NAMES_TASK, ESRCH, {{A(target_pid), IDW_NE, 0}}},
    {"sched_setattr", A(target_pid), NAMES_TASK, ESRCH, {{A(target_pid), IDW_NE, 0}}},
    {"landlock_restrict_self", A(fd), NAMES_NOBODY, 0, {}},
    {"setpgid", A(pgid), NAMES_GROUP, EPERM, {{A(pgid), IDW_NE, 0}}},
#undef A
};

#define N_CALLS ARRAY_SIZE(own_calls)

/* The same as characterisations: each call, and its tests. */
static struct own_clause {
    const struct call *call;
    struct idw_call_set set;
    struct idw_term terms[1 + 2 * TESTS_MOST];
    struct idw_clause clause;
} own_clauses[N_CALLS];
static pthread_once_t own_clauses_once = PTHREAD_ONCE_INIT;

static uint64_t mask_of(const struct own_test *t)
{
    return t->mask != 0 ? t->mask : UINT64_MAX;
}

static void make_clause(const struct own_call *o, struct own_clause *c)
{
    c->call = call_by_name(o->call);
    if (c->call == NULL)
        return;
    size_t id = call_id(c->call), n = 0;
    c->set.bits[id / 64] = UINT64_C(1) << (id % 64);
    c->terms[n++] = (struct idw_term){.op = IDW_OP_CALLS};
    for (const struct own_test *t = o->tests; t < o->tests + TESTS_MOST && t->name != CALL_NAME_NONE; t++) {
        c->terms[n++] = (struct idw_term){
            .op = IDW_OP_CMP, .cmp = t->cmp, .name = t->name, .mask = mask_of(t), .value = t->value};
        c->terms[n++] = (struct idw_term){.op = IDW_OP_AND};
    }
    c->clause = (struct idw_clause){.phase = IDW_PRE,
                                    .terms = c->terms,
                                    .n_terms = (uint32_t)n,
                                    .sets = &c->set,
                                    .n_sets = 1,
                                    .file = __FILE__,
                                    .line = __LINE__};
}

static void make_clauses(void)
{
    for (size_t i = 0; i < N_CALLS; i++)
        make_clause(&own_calls[i], &own_clauses[i]);
}

int own_filter(const struct engine *en, struct filter *f, struct err *e)
{
    (void)en;
    (void)pthread_once(&own_clauses_once, make_clauses);
    for (size_t i = 0; i < N_CALLS; i++) {
        if (own_clauses[i].call == NULL)
            return err_set(e, EINVAL, "the table has no call %s", own_calls[i].call);
        int rc = filter_add_clause(f, &own_clauses[i].clause, FILTER_NOTIFY, e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static bool passes_test(const struct call *c, const struct own_test *t, const uint64_t args[6])
{
    const struct call_arg *a = call_arg_named(c, t->name);
    return terms_compare(call_type_info(a->type), t->cmp, mask_of(t), args[a->reg], t->value);
}

static bool applies(const struct own_call *o, const struct call *c, const uint64_t args[6])
{
    for (const struct own_test *t = o->tests; t < o->tests + TESTS_MOST && t->name != CALL_NAME_NONE; t++)
        if (!passes_test(c, t, args))
            return false;
    return true;
}

/* The row from @from on that is about this call; NULL: none. */
static const struct own_call *next_row(size_t *from, const struct call *c, const uint64_t args[6])
{
    (void)pthread_once(&own_clauses_once, make_clauses);
    size_t id = call_id(c);
    while (*from < N_CALLS) {
        size_t i = (*from)++;
        if (own_clauses[i].call != NULL && call_id(own_clauses[i].call) == id &&
            applies(&own_calls[i], c, args))
            return &own_calls[i];
    }
    return NULL;
}

static bool is_either(const struct engine *en, pid_t id)
{
    return id > 0 ? own_is_task(en, id) : id != INT32_MIN && own_is_group(en, -id);
}

static bool is_parent(const struct engine *en, pid_t tid)
{
    struct proc_status status;
    return proc_status(tid, &status) == 0 && own_is_task(en, status.ppid);
}

/* 1, 0, or -errno: what the call is about can't be looked at, so that it fails. */
static int names_ours(const struct engine *en, pid_t tid, enum own_kind kind, uint64_t value,
                      const uint64_t args[6])
{
    switch (kind) {
    case NAMES_TASK:
        return own_is_task(en, (pid_t)value);
    case NAMES_GROUP:
        return own_is_group(en, (pid_t)value);
    case NAMES_EITHER:
        return is_either(en, (pid_t)value);
    case NAMES_AT_POINTER:
        return own_owner_is(en, tid, &(struct own_owner_call){(int)args[0], (unsigned)args[1], value});
    case NAMES_BY_PIDFD:
        return own_is_pidfd(en, tid, (int)value);
    case NAMES_PARENT:
        return is_parent(en, tid);
    case NAMES_ALL:
        return 0;
    case NAMES_NOBODY:
        own_note_domain();
        return 0;
    }
    return -EPERM;
}

bool own_refuses(const struct engine *en, pid_t tid, const struct call *c, const uint64_t args[6],
                 int64_t *result)
{
    const struct own_call *o;
    for (size_t i = 0; (o = next_row(&i, c, args)) != NULL;) {
        int rc = names_ours(en, tid, o->kind, args[call_arg_named(c, o->arg)->reg], args);
        /* A descriptor and a parent are what they are, whatever the numbers. */
        bool by_number = o->kind != NAMES_BY_PIDFD && o->kind != NAMES_PARENT;
        if (rc == 0 || (rc > 0 && by_number && !own_same_numbers(tid)))
            continue;
        *result = rc < 0 ? rc : -o->error;
        return true;
    }
    return false;
}

/* What the kernel can't be let do as it is. */
static bool made_here(enum own_kind kind)
{
    return kind == NAMES_AT_POINTER || kind == NAMES_ALL;
}

bool own_runs(const struct engine *en, pid_t tid, const struct call *c, const uint64_t args[6],
              int64_t *result)
{
    const struct own_call *o;
    size_t i = 0;
    while ((o = next_row(&i, c, args)) != NULL && !made_here(o->kind))
        ;
    if (o == NULL || !own_same_numbers(tid))
        return false;
    if (o->kind == NAMES_ALL)
        return own_broadcast(en, tid, (int)args[1], result);
    return own_owner_set(en, tid, &(struct own_owner_call){(int)args[0], (unsigned)args[1], args[2]}, result);
}

bool own_decides(const struct engine *en, pid_t tid, const struct call *c, const uint64_t args[6],
                 int64_t *result)
{
    return alone_refuses(c, args, result) || own_refuses(en, tid, c, args, result) ||
           own_runs(en, tid, c, args, result);
}
