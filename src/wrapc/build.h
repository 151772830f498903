/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that wrapc writes. Each is made in a private directory beside its final name and moved there when it
 * is complete: an error, or ^C, leaves neither a partial file nor a damaged old one.
 */
#ifndef IDW_WRAPC_BUILD_H
#define IDW_WRAPC_BUILD_H

#include <sys/types.h>
#include "base/err.h"
#include "wrapc/tool.h"

/*
 * build_object - compile the C in descriptor @code to the shared object @out, with permissions @mode (less
 * the umask). Returns 0, or -errno.
 */
int build_object(const struct tool *t, int code, const char *out, mode_t mode, struct err *e);

/* build_copy - what is in @code as the file @out; NULL: to standard output; a device or FIFO is written to.
 * Returns 0, or -errno. */
int build_copy(int code, const char *out, struct err *e);

#endif
