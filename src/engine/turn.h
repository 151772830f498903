/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A turn: one call of one thread, from its notification or seccomp stop to its end, wherever it is made.
 * Workers run clauses on it, the tracer sees it through the target; it belongs to whoever has it at the
 * moment.
 *
 *     worker:  turn_new ... respond_pre ... turn_summon(&turn, TURN_SUMMON)         // it must run in the
 * target tracer:  turn_ask(turn, TURN_JUDGED) ... comes back by its inbox   // clauses that read memory
 */
#ifndef IDW_ENGINE_TURN_H
#define IDW_ENGINE_TURN_H

#include "engine/pin.h"
#include "engine/respond.h"
#include "engine/workers.h"
#include "subject/called.h"

struct tracee;

/* What the tracer is to do with it. The first two come from a notification. */
enum turn_stage {
    TURN_SUMMON,  /* judged: let it run in its thread */
    TURN_RELEASE, /* a signal is pending for its thread: let that have it; the call then starts anew, or fails
                   */
    TURN_JUDGED,  /* its pre clauses have run, `response` says what they said */
    TURN_SEEN,    /* its post clauses have run */
};

struct turn {
    struct job job;
    struct turn *next; /* in the inbox */
    enum turn_stage stage;
    struct engine *en;
    struct idw_event ev;
    struct subject *subject; /* referenced */
    struct tracee *tracee;   /* the tracer's; NULL: its thread is gone, or not traced yet */
    uint64_t id;             /* of the notification, 0: it came by a seccomp stop */
    struct called called;
    long nr;           /* what was called */
    long run;          /* what is to run */
    bool unpinned;     /* an exec's: with what it ran is seen when it has gone well, see program.h */
    bool fixed;        /* whatever comes of that, the result is ev.result */
    uint64_t given[6]; /* the argument registers as the target had them */
    uint8_t changed;   /* those that were changed, to be given back */
    int64_t result;    /* the kernel's */
    enum response response;
    struct pin pin;
};

/* turn_new - @s: its reference goes to the turn. NULL: no memory (then the reference is given back). */
struct turn *turn_new(struct engine *en, struct subject *s, pid_t tid, const struct called *called,
                      const uint64_t args[6]);
void turn_free(struct turn *t); /* NULL is fine */

/* turn_unpack - of a packed call: have its arguments before clauses see it. A worker's, since it may wait for
 * the target. Returns 0, or what the call fails with. */
int turn_unpack(struct turn *t);

/* turn_pass - to the tracer, which is woken. */
void turn_pass(struct turn *t, enum turn_stage stage);

/* turn_summon - the same from a worker, which has nothing more to do with *@t: it becomes NULL. */
void turn_summon(struct turn **t, enum turn_stage stage);

/*
 * turn_close - the performed call's clauses have failed it, and descriptor @number was reserved for it: the
 * target closes that in place of its call, and gets the event's result.
 */
void turn_close(struct turn **t, int number);

/* turn_must_close - has a descriptor come of a call that clauses have made fail, so that nobody else will
 * close it? */
bool turn_must_close(const struct turn *t);

/* turn_closes - let what is to run be close(@number), and its result be the event's. */
void turn_closes(struct turn *t, int number);

/* turn_ask - let a worker run the clauses that lead to @stage (JUDGED: pre, SEEN: post), and pass it back
 * then. */
void turn_ask(struct turn *t, enum turn_stage stage);

#endif
