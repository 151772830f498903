/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ev.h> /* before anything that brings <elf.h>, whose EV_NONE breaks it */

#include "engine/control.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "engine/workers.h"

struct control {
    struct engine *en;
    struct ev_loop *loop;
    struct ev_io exits;
    struct ev_async stop;
    struct ev_async nudge;
    struct ev_timer wake;
    struct ev_timer sweep;
    struct ev_async watch;
    struct ev_timer poke;
    pthread_t thread;
};

static void on_exits(struct ev_loop *loop, struct ev_io *watcher, int events)
{
    struct control *c = watcher->data;
    (void)loop;
    (void)events;
    (void)subjects_reap(c->en->subjects);
}

static void on_stop(struct ev_loop *loop, struct ev_async *watcher, int events)
{
    (void)watcher;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static void on_nudge(struct ev_loop *loop, struct ev_async *watcher, int events)
{
    struct control *c = watcher->data;
    (void)events;
    ev_timer_stop(loop, &c->wake);
    ev_timer_set(&c->wake, 0.02, 0.);
    ev_timer_start(loop, &c->wake);
}

static void on_wake(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
    struct control *c = watcher->data;
    (void)loop;
    (void)events;
    if (!atomic_load(&c->en->main_stopped))
        (void)kill(c->en->guardian->guardian, SIGCONT);
}

/* The tracer sits in waitpid; a child that nobody reports would sit there with it. */
static void on_sweep(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
    struct control *c = watcher->data;
    (void)loop;
    (void)events;
    subjects_sweep(c->en->subjects);
    if (atomic_load(&c->en->unborn) > 0)
        (void)pthread_kill(c->en->tracer, SIGUSR1);
}

static void on_watch(struct ev_loop *loop, struct ev_async *watcher, int events)
{
    struct control *c = watcher->data;
    (void)events;
    ev_timer_again(loop, &c->poke);
}

/* A call that is made for a target waits in a worker; a signal for the target does not reach that by itself.
 */
static void on_poke(struct ev_loop *loop, struct ev_timer *watcher, int events)
{
    struct control *c = watcher->data;
    (void)events;
    if (!workers_poke(c->en->workers))
        ev_timer_stop(loop, &c->poke);
}

static void *run(void *argument)
{
    struct control *c = argument;
    (void)ev_run(c->loop, 0);
    return NULL;
}

/* libev calls abort() when it can't have the descriptors it needs. */
static bool descriptors_left(void)
{
    int spare[8];
    size_t n = 0;
    while (n < ARRAY_SIZE(spare) && (spare[n] = eventfd(0, EFD_CLOEXEC)) >= 0)
        n++;
    bool enough = n == ARRAY_SIZE(spare);
    while (n > 0)
        (void)close(spare[--n]);
    return enough;
}

struct control *control_start(struct engine *en, struct err *e)
{
    if (!descriptors_left()) {
        err_set(e, EMFILE, "can't make the control loop: too few descriptors (ulimit -n)");
        return NULL;
    }
    struct control *c = calloc(1, sizeof *c);
    if (c == NULL || (c->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV)) == NULL) {
        err_set(e, ENOMEM, "can't make the control loop");
        free(c);
        return NULL;
    }
    c->en = en;
    c->exits.data = c;
    ev_io_init(&c->exits, on_exits, subjects_exits_fd(en->subjects), EV_READ);
    ev_async_init(&c->stop, on_stop);
    ev_io_start(c->loop, &c->exits);
    ev_async_start(c->loop, &c->stop);
    c->nudge.data = c;
    ev_async_init(&c->nudge, on_nudge);
    ev_async_start(c->loop, &c->nudge);
    c->wake.data = c;
    ev_timer_init(&c->wake, on_wake, 0., 0.);
    c->sweep.data = c;
    ev_timer_init(&c->sweep, on_sweep, 1., 1.);
    ev_timer_start(c->loop, &c->sweep);
    c->watch.data = c;
    ev_async_init(&c->watch, on_watch);
    ev_async_start(c->loop, &c->watch);
    c->poke.data = c;
    ev_timer_init(&c->poke, on_poke, 0., 0.01);
    int rc = pthread_create(&c->thread, NULL, run, c);
    if (rc != 0) {
        err_set(e, rc, "can't start the control loop: %s", strerror(rc));
        ev_loop_destroy(c->loop);
        free(c);
        return NULL;
    }
    return c;
}

void control_nudge(struct control *c)
{
    ev_async_send(c->loop, &c->nudge);
}

void control_watch(struct control *c)
{
    ev_async_send(c->loop, &c->watch);
}

void control_stop(struct control *c)
{
    if (c == NULL)
        return;
    ev_async_send(c->loop, &c->stop);
    (void)pthread_join(c->thread, NULL);
}

void control_free(struct control *c)
{
    if (c == NULL)
        return;
    ev_loop_destroy(c->loop);
    free(c);
}
