/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The output, with what no two runs have in common masked. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "differ.h"

static char pending[1 << 16];
static size_t n_pending;
static int64_t began;

void say_begin(void)
{
    began = time(NULL) - 10;
}

void say_flush(void)
{
    size_t done = 0;
    while (done < n_pending) {
        ssize_t n = write(REPORT_FD, pending + done, n_pending - done);
        if (n <= 0)
            _exit(120);
        done += (size_t)n;
    }
    n_pending = 0;
}

void say(const char *format, ...)
{
    if (n_pending > sizeof(pending) - 8192)
        say_flush();
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(pending + n_pending, sizeof(pending) - n_pending, format, ap);
    va_end(ap);
    if (n > 0)
        n_pending += (size_t)n;
}

static uint32_t hash(const unsigned char *bytes, size_t len)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ bytes[i]) * 16777619u;
    return h;
}

void escape(char *to, size_t size, const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    size_t shown = len <= 48 ? len : 20, used = 0;
    for (size_t i = 0; i < shown && used + 8 < size; i++)
        used += (size_t)snprintf(to + used, size - used,
                                 p[i] > ' ' && p[i] < 0x7f && p[i] != '\\' ? "%c" : "\\x%02x", p[i]);
    if (shown < len && used + 40 < size)
        used += (size_t)snprintf(to + used, size - used, "...[%zu,%08x]", len, hash(p, len));
    to[used] = '\0';
}

void say_text(const char *text, size_t len)
{
    char line[400];
    escape(line, sizeof(line), text, len);
    say("\"%s\"", line);
}

static bool starts(const char *text, size_t len, const char *prefix)
{
    size_t n = strlen(prefix);
    return len >= n && memcmp(text, prefix, n) == 0;
}

/* How many digits at @text are of this run alone; @before: what stands in front of them. */
static size_t digits_of_run(const char *text, size_t len, const char *start)
{
    size_t n = 0;
    while (n < len && isdigit((unsigned char)text[n]))
        n++;
    if (n == 0 || (text > start && isdigit((unsigned char)text[-1])))
        return 0;
    size_t before = (size_t)(text - start);
    /* At the very start it is a process, or as much of its number as the caller's buffer has room for. */
    static const char *const marks[] = {"[", "#", "pts/", "task/"};
    for (size_t i = 0; i < COUNT(marks); i++)
        if (before == 0 ||
            (before >= strlen(marks[i]) && starts(text - strlen(marks[i]), strlen(marks[i]), marks[i])))
            return n;
    char number[24] = "";
    memcpy(number, text, n < sizeof(number) - 1 ? n : sizeof(number) - 1);
    long id = strtol(number, NULL, 10);
    return id > 50 && (id == getpid() || id == gettid() || id == getppid()) ? n : 0;
}

void say_normal(const char *text, size_t len)
{
    static char normal[1 << 17];
    size_t used = 0;
    for (size_t i = 0; i < len && used < sizeof(normal) - 4;) {
        size_t n = digits_of_run(text + i, len - i, text);
        normal[used++] = n > 0 ? 'N' : text[i];
        i += n > 0 ? n : 1;
    }
    say_text(normal, used);
}

void say_time(const char *what, int64_t sec, int64_t nsec)
{
    if (sec >= began && sec < began + 36000)
        say(" %s=now", what);
    else
        say(" %s=%lld.%09lld", what, (long long)sec, (long long)nsec);
}
