/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Audit records: JSON, one record a line. docs/audit.md has each key with an example.
 *
 *     struct audit *au = audit_open(path, &e);     // "-" is standard output
 *     audit_raised(&ev, desc, values);             // notes, while clauses run: no verdict yet
 *     audit_said(&ev, "text");
 *     audit_flush(au, &ev);                        // one line a note, now that there is one
 *     audit_close(au);
 *
 * A record: {"time": RFC 3339 with microseconds, UTC, "host", "wrapper", "event", "params": {...},
 *   "subject": {"pid","tid","ppid","uid","euid","program","exe","invoker"},
 *   "call": {"name","phase","args":{NAME: value...},"ret","errno"},
 *   "verdict": "run"|"deny EPERM"|"fake N"|"kill",
 *   "text": ...}.
 *
 * Bytes that come from a target are escaped before they become a JSON string so that none is lost and none
 * moves a terminal's cursor: a backslash is written \\, a control character or a byte that is not UTF-8 is
 * \xNN (a backslash, an x, two hexadecimal digits); the JSON string's text is that text.
 *
 * A line is one write(2), so lines never mix. What can't be written is lost, with one warning a handle; the
 * caller blocks SIGPIPE.
 */
#ifndef IDW_AUDIT_AUDIT_H
#define IDW_AUDIT_AUDIT_H

#include "base/err.h"
#include "idw/wrapper.h"
#include "subject/event.h"

struct audit;

/*
 * audit_open - @path: a file (made with mode 0600, appended to; a FIFO or device is opened as it is), "-": a
 * duplicate of standard output, NULL: a duplicate of standard error. Descriptors are CLOEXEC. A file is never
 * made at the end of a dangling symbolic link. NULL: could not be opened.
 */
struct audit *audit_open(const char *path, struct err *e);
int audit_fd(const struct audit *au); /* owned by @au */
void audit_close(struct audit *au);

/*
 * audit_detach - the program that was launched has ended and its terminal or pipe must be let go: records
 * that went to standard error for want of a better place go to syslog(3), LOG_AUTHPRIV, from now on. Others
 * are not touched.
 */
void audit_detach(struct audit *au);

/*
 * Notes: what a wrapper (ev->wrapper) said while a clause ran. Values are copied; time, phase and subject are
 * those of this moment. Without memory for the note, ev->internal_error is set.
 */
void audit_raised(struct idw_event *ev, const struct idw_event_desc *desc, const union idw_value *values);
void audit_said(struct idw_event *ev, const char *text);

/*
 * audit_flush - write a line for each note, with the verdict as it stands, and drop the notes. Thread-safe.
 * While the event is in its pre phase, paths and strings that no clause has looked at are fetched for it.
 */
void audit_flush(struct audit *au, struct idw_event *ev);

/* audit_drop - forget the notes. event_clear does it. */
void audit_drop(struct idw_event *ev);

/* audit_escape - the text form of @len bytes, as above; a new string, the caller's, free(). NULL: no memory.
 */
char *audit_escape(const char *bytes, size_t len);

#endif
