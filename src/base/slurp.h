/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small file, or what comes out of a pipe, as a string. */
#ifndef IDW_BASE_SLURP_H
#define IDW_BASE_SLURP_H

#include <stddef.h>
#include <sys/types.h>

/*
 * slurp - read @fd to its end into @text, @size bytes with the NUL that is always put behind what was read.
 * Returns the length; -EFBIG: there is more, and @text has the first @size - 1 bytes; or -errno.
 */
ssize_t slurp(int fd, char *text, size_t size);

#endif
