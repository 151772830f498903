/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Characterisations on an event: the whole of what the filter could only approximate. */
#ifndef IDW_WSS_MATCH_H
#define IDW_WSS_MATCH_H

#include "idw/wrapper.h"
#include "subject/event.h"

/* match_check - is @clause's characterisation well formed (terms_check)? match_event relies on it. */
bool match_check(const struct idw_clause *clause);

/*
 * match_event - does @ev match? Parts that the phase doesn't know yet ($ret before the call) count as true
 * when @unknown is set, so that the answer is then "may match".
 */
bool match_event(const struct idw_clause *clause, struct idw_event *ev, bool unknown);

/* match_call - can any event of call @c match? */
bool match_call(const struct idw_clause *clause, const struct call *c);

#endif
