/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *log_program = "idwrun";
static int log_fd = STDERR_FILENO;

void log_name(const char *name)
{
    log_program = name;
}

void log_to(int fd)
{
    log_fd = fd;
}

/* One write(2) a message: lines of the guardian, the engine and the target never mix within a line. */
__attribute__((format(printf, 3, 0))) static void log_line(const char *colour, const char *kind,
                                                           const char *format, va_list args)
{
    if (log_fd < 0)
        return;
    int saved = errno;
    char text[1536];
    char line[1700];
    (void)vsnprintf(text, sizeof text, format, args);
    int coloured = isatty(log_fd) && getenv("NO_COLOR") == NULL;
    int n = snprintf(line, sizeof line, "%s: %s%s%s%s\n", log_program, coloured ? colour : "", kind,
                     coloured ? "\033[0m" : "", text);
    if (n > 0)
        (void)!write(log_fd, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
    errno = saved;
}

void log_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("\033[31m", "", format, args);
    va_end(args);
}

void log_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("\033[33m", "warning: ", format, args);
    va_end(args);
}
