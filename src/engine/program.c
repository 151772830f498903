/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/program.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "idlib/resolve.h"
#include "subject/proc.h"

static bool same_file(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What a script's first line names, or "". */
static void interpreter(int object, char name[256])
{
    char link[64], line[256];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", object);
    _cleanup_close_ int fd = open(link, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
    name[0] = '\0';
    if (n < 3 || line[0] != '#' || line[1] != '!')
        return;
    line[n] = '\0';
    const char *at = line + 2 + strspn(line + 2, " \t");
    (void)snprintf(name, 256, "%.*s", (int)strcspn(at, " \t\n"), at);
}

/* An interpreter may be a script, too. */
enum { DEPTH_MAX = 5 }; /* exec_binprm() of fs/exec.c */

static bool is_program(pid_t tid, int exe, int object, int depth)
{
    char name[256];
    if (same_file(exe, object))
        return true;
    interpreter(object, name);
    if (name[0] == '\0' || depth == DEPTH_MAX)
        return false;
    struct lookup l = {.tid = tid, .dirfd = AT_FDCWD, .path = name, .follow = true};
    _cleanup_close_ int next = resolve(&l);
    return next >= 0 && is_program(tid, exe, next, depth + 1);
}

bool program_may_change(const struct call *c)
{
    return strcmp(c->name, "execve") == 0 || strcmp(c->name, "execveat") == 0;
}

bool program_is_judged(const struct idw_event *ev)
{
    for (unsigned i = 0; i < ev->call->n_args; i++) {
        if (ev->objects[i] <= 0)
            continue;
        _cleanup_close_ int dir = proc_open(ev->tid, "", O_PATH | O_DIRECTORY);
        _cleanup_close_ int exe = dir < 0 ? -1 : openat(dir, "exe", O_PATH | O_CLOEXEC);
        return exe >= 0 && is_program(ev->tid, exe, ev->objects[i] - 1, 0);
    }
    return true;
}
