/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the event_*.c files share. */
#ifndef IDW_SUBJECT_EVENT_PARTS_H
#define IDW_SUBJECT_EVENT_PARTS_H

#include "subject/event.h"

static inline bool event_is_memory(const struct call_arg *a)
{
    return call_type_info(a->type)->memory;
}

/*
 * event_room - how many bytes there are at argument @a (buffer, address, struct) as the target says, whatever
 * the result is. Returns it, -EINVAL for a negative length, or -errno: the word with it can't be read.
 */
int64_t event_room(struct idw_event *ev, const struct call_arg *a);

/* event_drop_stale - nobody holds replaced bytes any more. */
void event_drop_stale(struct idw_event *ev);

/* event_forget_files - register @reg is another now: drop what was kept of what it said. @before: its value.
 */
void event_forget_files(struct idw_event *ev, unsigned reg, uint64_t before);

/* event_forget_object - drop what was kept of path argument @a. */
void event_forget_object(struct idw_event *ev, const struct call_arg *a);

#endif
