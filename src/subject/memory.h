/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The target's memory, read once into our own. */
#ifndef IDW_SUBJECT_MEMORY_H
#define IDW_SUBJECT_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

/* MAX_ARG_STRLEN, the longest string that the kernel itself takes */
#define MEMORY_STRING_MAX (128UL * 1024)
/* The most that argv and envp of an execve may take: 3/4 of _STK_LIM (8 MiB), bprm_stack_limits() of
 * fs/exec.c */
#define MEMORY_STRV_MAX (6UL * 1024 * 1024)

/*
 * memory_read - @size bytes at @address of thread @tid. Returns @size, or -errno (-EFAULT: not all is
 * readable, -ESRCH: no such thread any more, -EPERM).
 */
ssize_t memory_read(pid_t tid, uint64_t address, void *buffer, size_t size);

/*
 * memory_read_some - the same, but what is readable before the first unreadable byte is enough: calls that
 * move bytes (write, send) work on that much too. Returns the number of bytes, at least 1 unless @size is 0,
 * or -errno.
 */
ssize_t memory_read_some(pid_t tid, uint64_t address, void *buffer, size_t size);

/*
 * memory_read_string - the string at @address, NUL included, into a new block *@text (the caller's, free()).
 * Returns its length without the NUL, or -EFAULT, -ENAMETOOLONG (longer than MEMORY_STRING_MAX), -ENOMEM.
 */
ssize_t memory_read_string(pid_t tid, uint64_t address, char **text);

/*
 * memory_read_strv - the NULL-terminated vector of strings at @address: *@vector is one block (the caller's,
 * free()) that holds pointers and strings. Address 0 is an empty vector, as execve(2) takes it.
 * MEMORY_STRV_MAX counts strings and pointers. Returns the number of strings, or -EFAULT, -E2BIG (over
 * MEMORY_STRV_MAX), -ENOMEM.
 */
ssize_t memory_read_strv(pid_t tid, uint64_t address, char ***vector);

/* memory_read_strv32 - the same of a vector of i386's, whose pointers have 4 bytes. */
ssize_t memory_read_strv32(pid_t tid, uint64_t address, char ***vector);

#endif
