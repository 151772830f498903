/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of the programs themselves, for a person, on standard error: "idwrun: text". Audit records are not
 * messages and go through src/audit. Colour only on a terminal and never with NO_COLOR set (no-color.org).
 */
#ifndef IDW_BASE_LOG_H
#define IDW_BASE_LOG_H

/* log_name - set the name in front of each message; @name must outlive the program's use of it. */
void log_name(const char *name);

/* log_to - write to @fd from now on; a negative @fd drops messages. The caller keeps owning it. */
void log_to(int fd);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
