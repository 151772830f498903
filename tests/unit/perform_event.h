/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events on the target of perform_help.h, made by hand. */
#ifndef TESTS_UNIT_PERFORM_EVENT_H
#define TESTS_UNIT_PERFORM_EVENT_H

#include "perform_help.h"

#include <errno.h>

static struct performer *pf;
static struct performed done;

/* An event of @call on the target: strings from @regs on are laid out in its memory. */
static void event(struct idw_event *ev, const char *call, const uint64_t regs[6])
{
    event_init(ev, NULL, target, call_by_name(call), regs);
    ev->performing = true;
    ev->result_file = DEAD_FD;
}

static uint64_t text(unsigned slot, const char *string)
{
    char *at = shared->memory + slot * 256UL;
    (void)snprintf(at, 256, "%s", string);
    return (uint64_t)at;
}

static enum performing now(struct idw_event *ev)
{
    enum performing p = perform(pf, ev, &done);
    event_result(ev, done.result);
    return p;
}

static void start(const struct guise *g)
{
    begin(g);
    pf = performer_new();
    cr_assert_not_null(pf);
}

static void stop(void)
{
    performed_clear(&done);
    performer_free(pf);
    end();
}

/* A clause has looked at argument @name and seen what is at @path now. */
static void look(struct idw_event *ev, unsigned name, const char *path)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    event_keep_object(ev, call_arg_named(ev->call, name), fd < 0 ? -errno : fd);
}

#endif
