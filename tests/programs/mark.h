/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mark: an openat of a file that isn't there, whose path says who made it. A wrapper that sees the call
 * compares the path with what it believes about the caller; the kernel's own answers stand in the path.
 */
#ifndef PROGRAMS_MARK_H
#define PROGRAMS_MARK_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MARK_DIR "/nonexistent/mark"

static inline void mark(const char *kind)
{
    char path[128];
    long pid = syscall(SYS_getpid), tid = syscall(SYS_gettid), ppid = syscall(SYS_getppid);
    (void)snprintf(path, sizeof(path), MARK_DIR "/%s.p%ld.t%ld.pp%ld", kind, pid, tid, ppid);
    (void)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
}

#endif
