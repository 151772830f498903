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

/* Names of files and the like are somebody else's bytes: none of them may end the line or talk to the
 * terminal. */
static void log_escape(char *out, size_t size, const char *in)
{
    size_t n = 0;
    for (; *in != '\0' && n + 5 < size; in++) {
        unsigned char c = (unsigned char)*in;
        if (c < 0x20 || c == 0x7f)
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
        else
            out[n++] = (char)c;
    }
    out[n] = '\0';
}

/* One write(2) a message: lines of the guardian, the engine and the target never mix within a line. */
__attribute__((format(printf, 3, 0))) static void log_line(const char *colour, const char *kind,
                                                           const char *format, va_list args)
{
    if (log_fd < 0)
        return;
    int saved = errno;
    char raw[1536];
    char text[2048];
    char line[2200];
    (void)vsnprintf(raw, sizeof raw, format, args);
    log_escape(text, sizeof text, raw);
    int coloured = isatty(log_fd) && getenv("NO_COLOR") == NULL;
    int n = snprintf(line, sizeof line, "%s%s:%s %s%s\n", coloured ? colour : "", log_program,
                     coloured ? "\033[0m" : "", kind, text);
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
