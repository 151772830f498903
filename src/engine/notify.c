/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "engine/engine.h"
#include "engine/follow.h"
#include "engine/own.h"
#include "engine/perform/perform.h"
#include "engine/program.h"
#include "engine/turn.h"
#include "idlib/walk.h"
#include "subject/reach.h"

/* A notification is answered here, or somebody else will. */
enum answering { ANSWER, ANSWERED };

static bool still_there(const struct worker *w)
{
    return ioctl(w->en->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &w->req->id) == 0;
}

static enum answering answer_continue(struct worker *w)
{
    w->resp->error = 0;
    w->resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    return ANSWER;
}

static enum answering answer_result(struct worker *w, int64_t result)
{
    w->resp->error = event_failed(result) ? (int)result : 0;
    w->resp->val = event_failed(result) ? 0 : result;
    return ANSWER;
}

/* Put @fd into the target. Returns its number there, or -errno: the target's limit, or it is gone. */
static int put_fd(const struct worker *w, int fd, bool cloexec, int at, bool send)
{
    struct seccomp_notif_addfd add = {.id = w->req->id,
                                      .flags = (send ? SECCOMP_ADDFD_FLAG_SEND : 0U) |
                                               (at >= 0 ? SECCOMP_ADDFD_FLAG_SETFD : 0U),
                                      .srcfd = (uint32_t)fd,
                                      .newfd = at >= 0 ? (uint32_t)at : 0,
                                      .newfd_flags = cloexec ? O_CLOEXEC : 0};
    int rc;
    do
        rc = ioctl(w->en->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : rc;
}

/* For a call of ours, which keeps the file. */
static enum answering answer_pass(struct worker *w, int fd)
{
    int rc = put_fd(w, fd, true, -1, true);
    return rc < 0 ? answer_result(w, rc) : ANSWERED;
}

/*
 * A post clause wants to know the number that a new descriptor will have, before it is there. A directory
 * that can't be read from holds the place; should the clauses fail the call, the target must close it.
 */
static int reserve(struct worker *w)
{
    _cleanup_close_ int nothing = eventfd(0, EFD_CLOEXEC);
    return nothing < 0 ? -errno : put_fd(w, nothing, true, -1, false);
}

/*
 * The answer is sent when our descriptor has been closed (notify_serve): with another of the same file
 * somewhere, a pipe would not end, a program would be busy, a lock would stay.
 */
static enum answering give_file(struct worker *w, struct turn **turn, struct performed *p)
{
    struct turn *t = *turn;
    if (t->response != RESPOND_RUN_POST)
        return answer_result(w, put_fd(w, p->file, p->cloexec, -1, false));
    int number = reserve(w);
    if (number >= 0)
        t->ev.result_file = p->file;
    respond_post(w->en, &t->ev, number);
    t->ev.result_file = DEAD_FD;
    if (number < 0)
        return answer_result(w, t->ev.result);
    if (!t->ev.result_assigned) {
        int rc = put_fd(w, p->file, p->cloexec, number, false);
        if (rc >= 0)
            return answer_result(w, number);
        t->ev.result = rc;
    }
    turn_close(turn, number);
    return ANSWERED;
}

/* What the kernel would have written to the target's memory is written when nobody wants the call to fail any
 * more. */
static enum answering give_result(struct worker *w, struct turn **turn, struct performed *p)
{
    struct turn *t = *turn;
    if (p->file >= 0)
        return give_file(w, turn, p);
    int64_t result = p->result;
    event_result(&t->ev, result);
    if (t->response == RESPOND_RUN_POST) {
        respond_post(w->en, &t->ev, result);
        result = t->ev.result;
    }
    if (!event_failed(result) && still_there(w)) {
        int rc = perform_give(&t->ev);
        if (rc < 0)
            result = rc;
    }
    return answer_result(w, result);
}

/* Do paths mean the same to the thread as to us? Of another mount namespace the root is another mount. */
static bool has_our_root(pid_t tid)
{
    _cleanup_close_ int theirs = reach_link(tid, "root"), ours = open("/", O_PATH | O_CLOEXEC);
    return theirs >= 0 && ours >= 0 && walk_same(theirs, ours);
}

/* Is the object that clauses saw a character device, and its path now the canonical one? */
static bool canonical_device(struct turn *t, const struct call_arg *path)
{
    char link[32], name[PATH_MAX];
    struct stat st, by_name;
    int object;
    if (!event_object(&t->ev, path, &object) || object < 0 || fstat(object, &st) < 0 || !S_ISCHR(st.st_mode))
        return false;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", object);
    ssize_t n = readlink(link, name, sizeof name - 1);
    if (n <= 0)
        return false;
    name[n] = '\0';
    return strncmp(name, "/dev/", 5) == 0 && has_our_root(t->ev.tid) && lstat(name, &by_name) == 0 &&
           by_name.st_rdev == st.st_rdev && by_name.st_ino == st.st_ino && by_name.st_dev == st.st_dev &&
           event_assign(&t->ev, path, name, (size_t)n) == 0;
}

/*
 * The target would look up names and descriptors again, and they may mean something else by then. Three may:
 * reading a link, which gives but a text; a handle that only gives a name to what is judged again when it is
 * used (O_PATH), and a device, by its canonical name without a link at its end, which nobody swaps who may
 * not write to /dev.
 */
static bool may_look_again(struct turn *t)
{
    const struct call_arg *path = call_arg_named(t->ev.call, CALL_NAME_path);
    const struct call_arg *flags = call_arg_named(t->ev.call, CALL_NAME_flags);
    if (strcmp(t->ev.call->family, "readlink") == 0)
        return true;
    bool opens = strcmp(t->ev.call->family, "open") == 0 && path != NULL && flags != NULL;
    return opens && (((uint64_t)event_scalar(&t->ev, flags) & O_PATH) != 0 || canonical_device(t, path));
}

static enum answering perform_elsewhere(struct turn **turn, bool looked, enum performing how)
{
    struct turn *t = *turn;
    if (looked && how == PERFORM_IN_TARGET && !may_look_again(t)) {
        if (!atomic_exchange(&t->subject->warned, true))
            log_warn(
                "process %d: %s: clauses have looked at what it is about, and it can be made in the process "
                "alone, which "
                "might find something else there: refused",
                (int)t->subject->record->pid, t->ev.call->name);
        return ANSWER;
    }
    turn_summon(turn, how == PERFORM_INTERRUPTED ? TURN_RELEASE : TURN_SUMMON);
    return ANSWERED;
}

static enum answering perform_turn(struct worker *w, struct turn **turn)
{
    struct turn *t = *turn;
    struct performed p = {.file = DEAD_FD};
    worker_begin(w, w->req->id, t->ev.tid);
    bool looked = event_looked(&t->ev);
    if (w->performer == NULL) /* descriptors were short */
        w->performer = performer_new();
    bool can = w->performer != NULL && !t->subject->sandboxed;
    enum performing how = can ? perform(w->performer, &t->ev, &p) : PERFORM_IN_TARGET;
    worker_end(w);
    if (how != PERFORM_DONE) {
        performed_clear(&p);
        return perform_elsewhere(turn, looked, how);
    }
    w->stale = looked && p.result == -ESTALE && p.file < 0;
    if (w->stale)
        return answer_result(w, -ESTALE);
    respond_counts(w->en, t->ev.call, BY_PERFORM);
    enum answering a = give_result(w, turn, &p);
    performed_clear(&p);
    return a;
}

/* What the clauses say of a turn whose arguments are at hand, and what becomes of it then. */
static enum answering judge(struct worker *w, struct turn **turn, enum wss_route route)
{
    struct engine *en = w->en;
    struct turn *t = *turn;
    int64_t result;
    if (!still_there(w))
        return ANSWER;
    t->response = respond_pre(en, &t->ev, BY_NOTIFY);
    if (t->response == RESPOND_RESULT)
        return answer_result(w, t->ev.result);
    int rc = program_look(&t->ev);
    if (rc < 0)
        return answer_result(w, rc);
    if (own_decides(en, t->ev.tid, t->ev.call, t->ev.regs, &result))
        return answer_result(w, result);
    if (route == ROUTE_PERFORM)
        return perform_turn(w, turn);
    if (follow_needs_not(en, &t->ev))
        return answer_continue(w);
    turn_summon(turn, TURN_SUMMON);
    return ANSWERED;
}

static enum answering with_turn(struct worker *w, struct subject *s, const struct called *called)
{
    enum wss_route route = w->en->routes[call_id(called->call)];
    bool memory = route > ROUTE_REGISTERS || called->memory;
    struct turn *t =
        turn_new(w->en, subject_ref(s), (pid_t)w->req->pid, called, (const uint64_t *)w->req->data.args);
    if (t == NULL)
        return ANSWER;
    t->id = w->req->id;
    t->ev.performing = t->ev.performing || route == ROUTE_PERFORM;
    int rc = memory && !worker_may_wait(w) ? -ENOMEM : turn_unpack(t);
    if (rc == 0 && memory)
        event_prefetch(&t->ev);
    enum answering a = rc == 0 ? judge(w, &t, route) : answer_result(w, rc);
    turn_free(t);
    return a;
}

/* What a path leads to can change between the verdict and the call: then it is judged anew, to a limit. */
static enum answering to_a_limit(struct worker *w, struct subject *s, const struct called *called)
{
    enum { TRIES = 8 };
    enum answering a = ANSWER;
    int tries = 0;
    do {
        w->stale = false;
        a = with_turn(w, s, called);
    } while (w->stale && ++tries < TRIES);
    return a;
}

/* One process must not have all the threads that there can be, to the harm of the others. */
static enum answering in_turns(struct worker *w, struct subject *s, const struct called *called)
{
    enum { MOST = 512 };
    enum answering a;
    if (atomic_fetch_add(&s->waiting, 1) < MOST)
        a = to_a_limit(w, s, called);
    else
        a = answer_result(w, -ENOMEM);
    (void)atomic_fetch_sub(&s->waiting, 1);
    subject_unref(w->en->subjects, s);
    return a;
}

static enum answering by_registers(struct worker *w, struct subject *s, const struct called *called)
{
    const struct call *c = called->call;
    struct idw_event ev;
    event_init(&ev, s, (pid_t)w->req->pid, c, called->regs);
    enum answering a = ANSWER;
    /* Its subject's lock may be held by clauses that look at a target's file system; own_decides reads
     * memory. */
    (void)worker_spare(w);
    enum response r = respond_pre(w->en, &ev, BY_NOTIFY);
    int64_t result;
    if (r == RESPOND_RUN && own_decides(w->en, ev.tid, c, ev.regs, &result)) {
        a = answer_result(w, result);
    } else if (r == RESPOND_RUN) {
        follow_seen(s, c);
        a = answer_continue(w);
    }
    if (r == RESPOND_RESULT)
        a = answer_result(w, ev.result);
    audit_drop(&ev);
    event_clear(&ev);
    subject_unref(w->en->subjects, s);
    return a;
}

static enum answering ask(struct worker *w, const struct called *called)
{
    struct engine *en = w->en;
    struct subject *s = subjects_get(en->subjects, (pid_t)w->req->pid, NULL);
    if (s == NULL || !still_there(w)) {
        subject_unref(en->subjects, s);
        return ANSWER;
    }
    if (called->memory || en->routes[call_id(called->call)] > ROUTE_REGISTERS ||
        follow_wants(en, called->call))
        return in_turns(w, s, called);
    return by_registers(w, s, called);
}

/* The answer is to deny, until the layers have said otherwise. */
static enum answering decide(struct worker *w)
{
    const struct seccomp_notif *req = w->req;
    w->resp->id = req->id;
    w->resp->error = -EPERM;
    if (req->pid == 0)
        return ANSWER; /* in a pid namespace that we can't see into */
    int fd;
    switch (
        passes_take(w->en->passes, (pid_t)req->pid, req->data.nr, (const uint64_t *)req->data.args, &fd)) {
    case PASS_CONTINUE:
        return answer_continue(w);
    case PASS_ADDFD:
        return answer_pass(w, fd);
    case PASS_NONE:
        break;
    }
    enum call_arch arch = req->data.arch == AUDIT_ARCH_X86_64 ? ARCH_X86_64 : ARCH_I386;
    struct called called;
    int rc = called_read(&called, arch, req->data.nr, (const uint64_t *)req->data.args);
    return rc == 0 ? ask(w, &called) : answer_result(w, rc);
}

/* From RECV to SEND. The target may die in between at any point: ENOENT, and nobody waits. */
void notify_serve(struct worker *w)
{
    if (ioctl(w->en->listener, SECCOMP_IOCTL_NOTIF_RECV, w->req) < 0)
        return;
    struct journal_entry *entry = journal_enter(w->en->journal, w->slot, w->req);
    if (decide(w) == ANSWER)
        (void)ioctl(w->en->listener, SECCOMP_IOCTL_NOTIF_SEND, w->resp);
    journal_leave(entry);
}
