/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the protection of the supervisor: the calls that we make for the target, see own_runs(). */
#ifndef IDW_ENGINE_OWN_ACT_H
#define IDW_ENGINE_OWN_ACT_H

#include "engine/engine.h"

/*
 * own_note_domain - a target is about to enter a Landlock domain, which may forbid it signals that we would
 * send for it. From now on nothing is sent for anybody, since nobody can tell who is in one.
 */
void own_note_domain(void);

/*
 * own_broadcast - kill(-1, @sig) of thread @tid, to all but ours. True: *@result is what kill returns; false:
 * let the kernel do it. Receivers see the caller's pid and uid; si_code is SI_QUEUE, which is all that one
 * process may say in another's name.
 */
bool own_broadcast(const struct engine *en, pid_t tid, int sig, int64_t *result);

/* F_SETOWN_EX, FIOSETOWN, SIOCSPGRP: whom a descriptor's signals go to, named in memory. */
struct own_owner_call {
    int fd;
    unsigned request; /* fcntl's or ioctl's */
    uint64_t address;
};

/* own_owner_is - would the owner be one of ours? What can't be read is not. */
bool own_owner_is(const struct engine *en, pid_t tid, const struct own_owner_call *c);

/* own_owner_set - make the call for thread @tid, on one reading of its memory. As own_broadcast. */
bool own_owner_set(const struct engine *en, pid_t tid, const struct own_owner_call *c, int64_t *result);

#endif
