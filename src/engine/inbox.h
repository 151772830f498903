/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tracer's inbox: turns (turn.h) that other threads pass to it. turn_pass puts one in and wakes the
 * tracer.
 */
#ifndef IDW_ENGINE_INBOX_H
#define IDW_ENGINE_INBOX_H

#include <pthread.h>

struct turn;

struct inbox {
    pthread_mutex_t lock;
    struct turn *first, **last;
};

void inbox_init(struct inbox *in);

/* inbox_put - any thread. inbox_take - the next one, or NULL. */
void inbox_put(struct inbox *in, struct turn *t);
struct turn *inbox_take(struct inbox *in);

#endif
