/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of a record as JSON objects; docs/audit.md has each key.
 *
 *     bool cut = false;
 *     struct json_object *record = record_head(ev, desc, values, &cut);   // while the clause runs
 *     record_put(record, "call", record_call(ev, phase));                 // when the verdict is known
 *     record_put(record, "verdict", record_verdict(&ev->verdict));
 *
 * Each function returns a new object, the caller's, or NULL without memory. Keys come out in the order they
 * went in.
 */
#ifndef IDW_AUDIT_RECORD_H
#define IDW_AUDIT_RECORD_H

#include <json.h>
#include <stdbool.h>
#include "subject/event.h"

#define RECORD_STRING_MAX 4096 /* bytes of one string before they are escaped */
#define RECORD_VECTOR_MAX 64   /* strings of one argv or envp */

/* record_head - time to subject. @desc, @values: NULL when nothing was raised. @cut: set when a string was
 * cut. */
struct json_object *record_head(struct idw_event *ev, const struct idw_event_desc *desc,
                                const union idw_value *values, bool *cut);

/*
 * record_call - the call as it is known in @phase, the phase of the note. Paths, strings and fields that
 * nobody has looked at are fetched while the event itself is in its pre phase, never later.
 */
struct json_object *record_call(struct idw_event *ev, enum idw_phase phase);

struct json_object *record_verdict(const struct verdict *v);

/* record_text - a JSON string of @len bytes from a target or a wrapper, escaped, cut at RECORD_STRING_MAX. */
struct json_object *record_text(const char *bytes, size_t len, bool *cut);

/* record_put - @object[@key] = @value, which is @object's from now on (NULL: null). */
void record_put(struct json_object *object, const char *key, struct json_object *value);

#endif
