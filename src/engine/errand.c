/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls that run in the target: from their entry, with pinned arguments, to their exit. */
#include "engine/tracer.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include "base/log.h"
#include "engine/alone.h"
#include "engine/follow.h"
#include "engine/own.h"
#include "engine/program.h"
#include "engine/registers.h"
#include "engine/seize.h"
#include "subject/proc.h"

#define ALL_REGISTERS 0x3f

static void end_turn(struct tracer *tr, struct tracee *t)
{
    passes_revoke(tr->en->passes, t->tid);
    turn_free(t->turn);
    t->turn = NULL;
    t->step = STEP_FREE;
}

/* At an entry: the call doesn't run. A thread whose registers can't be written is dying. */
static void refuse_call(struct tracer *tr, struct tracee *t, int64_t result)
{
    (void)tracee_skip(t, result);
    end_turn(tr, t);
    tracer_let_go(tr, t);
}

/* An exec that nobody saw has taken the area away; what lies there now is the target's. */
static bool area_is_lost(const struct subject *s)
{
    const struct pin_area *a = s->memory;
    return s->unseen && pin_area_address(a) != 0 &&
           pin_area_check(a, s->record->pid, pin_area_address(a)) < 0;
}

/* The subject's pin area, which it may share with the process that it was made of. NULL: why is in @e. */
static struct pin_area *area_of(struct tracer *tr, struct subject *s, struct err *e)
{
    if (s->memory != NULL && area_is_lost(s))
        subject_forget_memory(s);
    if (s->memory != NULL)
        return s->memory;
    /* Its parent of now: the number that the record has may be a child's by now, and go round in circles. */
    struct proc_stat st;
    struct subject *parent =
        proc_stat(s->record->pid, &st) == 0 ? subjects_find(tr->en->subjects, st.ppid) : NULL;
    bool shared = parent != NULL && pin_same_memory(s->record->pid, parent->record->pid);
    struct pin_area *a = shared ? area_of(tr, parent, e) : pin_area_new(e);
    if (a != NULL) {
        s->memory = shared ? pin_area_ref(a) : a;
        s->memory_drop = (void (*)(void *))pin_area_unref;
    }
    subject_unref(tr->en->subjects, parent);
    return a;
}

static bool is_injected(const struct tracer *tr, const struct pin_area *a)
{
    for (const struct tracee *t = tr->tracees.by_tid; t != NULL; t = t->hh.next)
        if (t->step == STEP_INJECTING && t->injection.area == a)
            return true;
    return false;
}

/* Has any other thread something in @a? It has until the turn is over, post clauses and all. */
static bool is_used(const struct tracer *tr, const struct pin_area *a)
{
    for (const struct tracee *t = tr->tracees.by_tid; t != NULL; t = t->hh.next)
        if (t->turn != NULL && t->turn->pin.area == a)
            return true;
    return false;
}

/* Others of its address space have what it needs; they give it back, and it goes on from here (errand_retry).
 */
static int queue(struct tracer *tr, struct tracee *t)
{
    t->step = STEP_QUEUED;
    tr->queued++;
    return 1;
}

/* Without mseal(2): does what is pinned stay as it is, during the call of @t? Returns 0; 1 when the thread
 * waits for others to be gone; or -EPERM. */
static int stays_pinned(struct tracer *tr, struct tracee *t, const struct pin_area *a)
{
    int rc = alone_is(tr->en->subjects, t->subject, t->tid, !tr->en->traced);
    if (rc == -EAGAIN && tr->en->traced)
        return queue(tr, t);
    if (rc == 0 && pin_area_address(a) != 0)
        rc = pin_area_check(a, t->tid, pin_area_address(a));
    return rc < 0 ? -EPERM : 0;
}

/* Copies that the kernel is to read go where the target can't change them. Returns 1 when the thread is busy
 * with that. */
static int pin(struct tracer *tr, struct tracee *t, uint64_t regs[6], uint8_t *changed)
{
    struct turn *turn = t->turn;
    struct err e = {0};
    turn->unpinned = false;
    if (turn->fixed || !pin_wanted(&turn->ev))
        return 0;
    struct pin_area *a = area_of(tr, t->subject, &e);
    if (a == NULL) {
        log_error("process %d: %s: %s", (int)t->subject->record->pid, turn->ev.call->name, e.text);
        return -ENOMEM;
    }
    if (!pin_can_seal()) {
        int rc = stays_pinned(tr, t, a);
        turn->unpinned = rc < 0 && program_tells(&turn->ev);
        if (rc < 0 && !turn->unpinned)
            log_error("process %d: %s: its arguments can't be pinned while others may change its memory "
                      "(needs Linux 6.10): refused",
                      (int)t->subject->record->pid, turn->ev.call->name);
        if (rc != 0)
            return turn->unpinned ? 0 : rc;
    }
    if (pin_area_address(a) != 0) {
        int rc = pin_arguments(&turn->pin, a, &turn->ev, regs, changed);
        return rc == -ENOMEM && is_used(tr, a) ? queue(tr, t) : rc;
    }
    if (is_injected(tr, a))
        return queue(tr, t);
    int rc = inject_area(&t->injection, t->tid, turn->nr, tr->en->passes, a);
    if (rc == 0)
        t->step = STEP_INJECTING;
    return rc < 0 ? rc : 1;
}

/* At the entry of a call that has been let pass: what was judged, or assigned, is what it runs with; or it
 * doesn't. */
static void enter(struct tracer *tr, struct tracee *t)
{
    struct turn *turn = t->turn;
    uint64_t regs[6];
    uint8_t changed = turn->called.packed ? ALL_REGISTERS : turn->ev.assigned;
    memcpy(regs, turn->ev.regs, sizeof regs);
    int rc = pin(tr, t, regs, &changed);
    if (rc > 0)
        return;
    /* i386's have upper halves that events don't; the kernel tells them, with the notification. */
    for (int i = 0; i < 6; i++)
        if (!(changed >> i & 1))
            regs[i] = turn->given[i];
    bool exit_wanted = changed != 0 || turn->unpinned || turn->response == RESPOND_RUN_POST || turn->id != 0;
    if (rc == 0 && exit_wanted)
        rc = passes_continue(tr->en->passes, t->tid, turn->run, regs);
    if (rc == 0 && changed != 0)
        rc = tracee_assign(t, turn->ev.arch, regs, changed);
    if (rc == 0)
        rc = tracee_run(t, turn->run);
    if (rc < 0) {
        refuse_call(tr, t, rc == -ESRCH ? -EPERM : rc);
        return;
    }
    follow_seen(t->subject, turn->ev.call);
    turn->changed = changed;
    if (exit_wanted)
        t->step = STEP_RUNNING;
    else
        end_turn(tr, t);
    tracee_resume(t, 0);
}

/* Its clauses have run: at the seccomp stop where they were asked. */
static void judged(struct tracer *tr, struct tracee *t)
{
    t->step = STEP_FREE;
    const struct idw_event *ev = &t->turn->ev;
    int64_t result;
    if (t->turn->response == RESPOND_RESULT)
        refuse_call(tr, t, ev->result);
    else if (own_decides(tr->en, t->tid, ev->call, ev->regs, &result))
        refuse_call(tr, t, result);
    else
        enter(tr, t);
}

static void ask_here(struct tracer *tr, struct tracee *t)
{
    struct turn *turn = t->turn;
    turn->response = respond_pre(tr->en, &turn->ev, BY_TRACE);
    judged(tr, t);
}

void errand_seccomp(struct tracer *tr, struct tracee *t)
{
    struct entry at;
    struct called called;
    if (t->step == STEP_RUNNING) { /* the filter asks about what we have let in */
        tracee_resume(t, 0);
        return;
    }
    if (t->turn != NULL)
        end_turn(tr, t);
    int rc = tracee_entry(t, &at);
    bool known = rc == 0 && called_read(&called, at.arch, at.nr, at.args) == 0;
    if (known && tracee_hold(t) == 0)
        t->turn = turn_new(tr->en, subject_ref(t->subject), t->tid, &called, at.args);
    if (t->turn == NULL) {
        (void)tracee_skip(t, rc == 0 && !known ? -ENOSYS : -EPERM);
        tracee_resume(t, 0);
        return;
    }
    t->turn->tracee = t;
    /* Reading the target's memory may wait for the target, and the tracer must not. */
    const struct call *c = called.call;
    if (called.memory || wss_reads(tr->en->wss, c, IDW_PRE) || wss_reads(tr->en->wss, c, IDW_POST)) {
        t->step = STEP_ASKED;
        turn_ask(t->turn, TURN_JUDGED);
    } else {
        ask_here(tr, t);
    }
}

/* At the exit of a call that has made a descriptor which shall not be: the thread closes it before it goes
 * on. */
static bool close_first(struct tracer *tr, struct tracee *t)
{
    struct turn *turn = t->turn;
    uint64_t regs[6];
    if (!turn_must_close(turn))
        return false;
    turn_closes(turn, (int)turn->result);
    memcpy(regs, turn->given, sizeof regs);
    regs[0] = turn->ev.regs[0];
    if (turn->changed != 0 && tracee_return(t, NULL, turn->ev.arch, turn->given, turn->changed) < 0)
        return false;
    turn->changed = 1;
    if (tracee_mask(t) < 0 || passes_continue(tr->en->passes, t->tid, turn->run, regs) < 0 ||
        tracee_repeat(t, turn->ev.arch, turn->run, regs[0]) < 0)
        return false;
    t->step = STEP_CLOSING;
    tracee_resume(t, 0);
    return true;
}

/* At the exit: post clauses have seen the result, or none wants to. */
static void leave(struct tracer *tr, struct tracee *t)
{
    struct turn *turn = t->turn;
    if (close_first(tr, t))
        return;
    bool post = turn->response == RESPOND_RUN_POST;
    bool changed = turn->fixed || (post && turn->ev.result_assigned);
    if (changed || turn->changed != 0)
        (void)tracee_return(t, changed ? &turn->ev.result : NULL, turn->ev.arch, turn->given, turn->changed);
    end_turn(tr, t);
    tracer_let_go(tr, t);
}

/*
 * A call that a signal interrupted is EINTR to post clauses. Unless they assign another result, what becomes
 * of it is the kernel's business: restarted, it comes as a new event, or as restart_syscall(2), which is a
 * call of its own.
 */
static void at_exit(struct tracer *tr, struct tracee *t)
{
    struct turn *turn = t->turn;
    int64_t result;
    if (tracee_exit(t, &result) < 0) {
        /* An entry, when we waited for an exit: a vsyscall is emulated by the kernel and has none. */
        end_turn(tr, t);
        tracer_let_go(tr, t);
        return;
    }
    if (turn->response != RESPOND_RUN_POST) {
        leave(tr, t);
        return;
    }
    turn->result = result_restarts(result) ? -EINTR : result;
    if (wss_reads(tr->en->wss, turn->ev.call, IDW_POST)) {
        t->step = STEP_SHOWN;
        turn_ask(turn, TURN_SEEN);
    } else {
        respond_post(tr->en, &turn->ev, turn->result);
        leave(tr, t);
    }
}

/* The summoned thread is at the entry of a call, undisturbed by signals: it is the one that was judged. */
static void at_entry(struct tracer *tr, struct tracee *t)
{
    struct entry at;
    bool same = tracee_entry(t, &at) == 0 && at.nr == t->turn->nr && at.arch == t->turn->ev.arch &&
                memcmp(at.args, t->turn->given, sizeof at.args) == 0;
    (void)tracee_unmask(t);
    if (same) {
        enter(tr, t);
    } else {
        end_turn(tr, t);
        tracer_let_go(tr, t);
    }
}

static void at_close(struct tracee *t)
{
    (void)tracee_unmask(t);
    t->step = STEP_RUNNING;
    tracee_resume(t, 0);
}

void errand_call(struct tracer *tr, struct tracee *t)
{
    if (t->step == STEP_ENTERING)
        at_entry(tr, t);
    else if (t->step == STEP_RUNNING)
        at_exit(tr, t);
    else if (t->step == STEP_CLOSING)
        at_close(t);
    else
        tracer_let_go(tr, t);
}

bool errand_inject(struct tracer *tr, struct tracee *t, int status)
{
    switch (inject_stop(&t->injection, status)) {
    case INJECT_GOES_ON:
        return true;
    case INJECT_DONE:
        t->step = STEP_FREE;
        enter(tr, t);
        return true;
    case INJECT_FAILED:
        t->step = STEP_FREE;
        log_error("process %d: %s: its arguments can't be pinned (%s): refused", (int)t->subject->record->pid,
                  t->turn->ev.call->name, strerror(t->injection.error));
        refuse_call(tr, t, -EPERM);
        return true;
    default:
        return false;
    }
}

void errand_retry(struct tracer *tr)
{
    struct tracee *t, *next;
    if (tr->queued == 0)
        return;
    tr->queued = 0;
    HASH_ITER (hh, tr->tracees.by_tid, t, next) {
        if (t->step == STEP_QUEUED) {
            t->step = STEP_FREE;
            enter(tr, t);
        }
    }
}

bool errand_stop(struct tracer *tr, struct tracee *t, int signal)
{
    if (t->step != STEP_SUMMONED || signal != SIGTRAP)
        return false;
    if (t->turn->stage != TURN_SUMMON) {
        end_turn(tr, t);
        tracer_let_go(tr, t);
        return true;
    }
    t->step = STEP_ENTERING;
    if (tracee_mask(t) == 0)
        tracee_resume(t, 0);
    return true;
}

static void answer(const struct engine *en, uint64_t id, int error, bool run)
{
    struct {
        struct seccomp_notif_resp resp;
        char larger[256]; /* a later kernel's */
    } a = {.resp = {.id = id, .error = error, .flags = run ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0U}};
    (void)ioctl(en->listener, SECCOMP_IOCTL_NOTIF_SEND, &a);
}

/*
 * Its thread can't be traced: it has a tracer already, or may not be looked at. What was to be pinned doesn't
 * run; a process that is made unseen comes with its first event (subjects_get).
 */
static void can_not_summon(struct tracer *tr, struct turn *turn)
{
    bool harmless = turn->stage == TURN_SUMMON && !turn->fixed && turn->response == RESPOND_RUN &&
                    turn->ev.assigned == 0 && !pin_wanted(&turn->ev) && follow_wants(tr->en, turn->ev.call);
    if (harmless) {
        turn->subject->unseen = true;
        alone_unseen(tr->en->subjects, turn->subject);
    }
    static const int error[] = {[TURN_SUMMON] = -EPERM, [TURN_RELEASE] = -EINTR};
    answer(tr->en, turn->id, harmless ? 0 : error[turn->stage], harmless);
    turn_free(turn);
}

static struct tracee *get_hold(struct tracer *tr, struct turn *turn)
{
    pid_t tid = turn->ev.tid;
    struct tracee *t = tracee_find(&tr->tracees, tid);
    if (t != NULL && (t->subject == NULL || t->turn != NULL))
        return NULL;
    if (t == NULL) {
        if (!seize(tr->en, tid, turn->id) || (t = tracee_get(&tr->tracees, tid)) == NULL)
            return NULL;
        t->lent = true;
        children_own(tr, t, subject_ref(turn->subject));
    }
    return ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0 ? NULL : t;
}

/* Interrupted and answered, the thread stops before anything else, and then makes its call anew. */
static void summon(struct tracer *tr, struct turn *turn)
{
    struct tracee *t = get_hold(tr, turn);
    if (t == NULL) {
        can_not_summon(tr, turn);
        return;
    }
    t->turn = turn;
    turn->tracee = t;
    t->step = STEP_SUMMONED;
    answer(tr->en, turn->id, turn->stage == TURN_RELEASE ? -RESTART_SYS : -RESTART_NOINTR, false);
}

void errand_turn(struct tracer *tr, struct turn *turn)
{
    if (turn->stage <= TURN_RELEASE)
        summon(tr, turn);
    else if (turn->tracee == NULL)
        turn_free(turn); /* its thread has died meanwhile */
    else if (turn->stage == TURN_JUDGED)
        judged(tr, turn->tracee);
    else
        leave(tr, turn->tracee);
}

void errand_child(const struct tracee *parent, struct tracee *child)
{
    const struct turn *turn = parent->turn;
    if (parent->step == STEP_RUNNING && turn->changed != 0) {
        child->restore = turn->changed;
        child->restore_arch = turn->ev.arch;
        memcpy(child->given, turn->given, sizeof child->given);
    }
}

bool errand_exec(struct tracer *tr, struct tracee *t)
{
    struct turn *turn = t->turn;
    (void)tr;
    if (turn == NULL || t->step != STEP_RUNNING)
        return true;
    turn->changed = 0; /* the registers are the new program's */
    pin_release(&turn->pin);
    return program_is_judged(&turn->ev, t->tid) && (!turn->unpinned || program_got_judged(&turn->ev, t->tid));
}

bool errand_done_early(const struct tracee *t)
{
    if (t->step == STEP_FREE)
        return true;
    return t->step == STEP_RUNNING && t->turn->changed == 0 && t->turn->response != RESPOND_RUN_POST &&
           !t->turn->fixed;
}
