/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/turn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "engine/perform/perform.h"
#include "engine/program.h"

struct turn *turn_new(struct engine *en, struct subject *s, pid_t tid, const struct called *called,
                      const uint64_t args[6])
{
    struct turn *t = calloc(1, sizeof *t);
    if (t == NULL) {
        subject_unref(en->subjects, s);
        return NULL;
    }
    t->en = en;
    t->subject = s;
    t->called = *called;
    t->nr = t->run = called->nr;
    memcpy(t->given, args, sizeof t->given);
    event_init(&t->ev, s, tid, called->call, called->regs);
    /* What clauses look at is compared with what was executed. */
    t->ev.performing = program_may_change(called->call);
    return t;
}

int turn_unpack(struct turn *t)
{
    int rc = t->called.packed ? called_unpack(&t->called, t->ev.tid) : 0;
    if (rc < 0 || !t->called.packed)
        return rc;
    memcpy(t->ev.regs, t->called.regs, sizeof t->ev.regs);
    t->run = t->called.nr;
    return 0;
}

void turn_free(struct turn *t)
{
    if (t == NULL)
        return;
    audit_drop(&t->ev);
    event_clear(&t->ev);
    pin_release(&t->pin);
    subject_unref(t->en->subjects, t->subject);
    free(t);
}

void inbox_init(struct inbox *in)
{
    (void)pthread_mutex_init(&in->lock, NULL);
    in->first = NULL;
    in->last = &in->first;
}

void inbox_put(struct inbox *in, struct turn *t)
{
    t->next = NULL;
    pthread_mutex_lock(&in->lock);
    *in->last = t;
    in->last = &t->next;
    pthread_mutex_unlock(&in->lock);
}

struct turn *inbox_take(struct inbox *in)
{
    pthread_mutex_lock(&in->lock);
    struct turn *t = in->first;
    if (t != NULL && (in->first = t->next) == NULL)
        in->last = &in->first;
    pthread_mutex_unlock(&in->lock);
    return t;
}

void turn_pass(struct turn *t, enum turn_stage stage)
{
    struct engine *en = t->en;
    t->stage = stage;
    inbox_put(&en->inbox, t);
    (void)pthread_kill(en->tracer, SIGUSR1);
}

void turn_summon(struct turn **t, enum turn_stage stage)
{
    struct turn *turn = steal_pointer(t);
    turn->ev.performing = program_may_change(turn->ev.call);
    respond_counts(turn->en, turn->ev.call, BY_SUMMON);
    turn_pass(turn, stage);
}

bool turn_must_close(const struct turn *t)
{
    return t->ev.call->returns_fd && !t->fixed && t->result >= 0 && t->ev.result_assigned &&
           event_failed(t->ev.result);
}

void turn_closes(struct turn *t, int number)
{
    t->run = call_by_name("close")->nr[t->ev.arch];
    t->ev.regs[0] = (uint64_t)number;
    t->ev.assigned |= 1;
    t->fixed = true;
    t->response = RESPOND_RUN;
}

void turn_close(struct turn **t, int number)
{
    turn_closes(*t, number);
    turn_summon(t, TURN_SUMMON);
}

/* What post clauses have assigned goes to the target's memory from here: that may wait for the target, too.
 */
static void give(struct idw_event *ev)
{
    if (event_failed(ev->result) || perform_give(ev) == 0)
        return;
    ev->result = -EFAULT;
    ev->result_assigned = true;
}

static void run_clauses(struct worker *w, struct job *job)
{
    struct turn *t = container_of(job, struct turn, job);
    bool room = worker_may_wait(w);
    int rc = room && t->stage == TURN_JUDGED ? turn_unpack(t) : 0;
    if (t->stage == TURN_JUDGED && rc == 0) {
        if (room)
            event_prefetch(&t->ev);
        else
            t->ev.internal_error = true;
        t->response = respond_pre(t->en, &t->ev, BY_TRACE);
        rc = t->response != RESPOND_RESULT ? program_look(&t->ev) : 0;
    } else if (t->stage == TURN_SEEN) {
        respond_post(t->en, &t->ev, t->result);
        give(&t->ev);
    }
    if (rc < 0) {
        event_result(&t->ev, rc);
        t->response = RESPOND_RESULT;
    }
    turn_pass(t, t->stage);
}

void turn_ask(struct turn *t, enum turn_stage stage)
{
    t->stage = stage;
    t->job.run = run_clauses;
    workers_push(t->en->workers, &t->job);
}
