/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *format, ...)
{
    if (e != NULL) {
        va_list args;
        va_start(args, format);
        e->code = code;
        (void)vsnprintf(e->text, sizeof e->text, format, args);
        va_end(args);
    }
    return -code;
}

int err_errno(struct err *e, const char *format, ...)
{
    int code = errno;
    if (e != NULL) {
        va_list args;
        va_start(args, format);
        e->code = code;
        int n = vsnprintf(e->text, sizeof e->text, format, args);
        va_end(args);
        if (n >= 0 && (size_t)n < sizeof e->text)
            (void)snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", strerror(code));
    }
    return -code;
}
