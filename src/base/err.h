/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors: what every function that can fail takes last.
 *
 *     struct err e = {0};
 *     if (wss_load(wss, name, &e) < 0) {
 *         log_error("%s", e.text);
 *         return EXIT_IDWRUN;
 *     }
 *
 * A function that fails returns a negative errno and leaves one sentence for a person in the object; one that
 * succeeds returns >= 0 and leaves the object alone. The object is the caller's; NULL is allowed and drops
 * the text.
 */
#ifndef IDW_BASE_ERR_H
#define IDW_BASE_ERR_H

#include <stdarg.h>

struct err {
    int code;        /* a positive errno, 0 while nothing failed */
    char text[1024]; /* no newline at the end; may hold FILE:LINE: in front */
};

/*
 * err_set - note a failure.
 * @e: may be NULL
 * @code: a positive errno
 * Returns -code, so that `return err_set(e, EINVAL, "...")` reads well.
 */
int err_set(struct err *e, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* err_errno - the same with errno as the code and its text (": No such file or directory") at the end. */
int err_errno(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
