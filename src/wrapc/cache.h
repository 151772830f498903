/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cache of compiled wrappers, for `idwrun --wrap ./x.wr`: $XDG_CACHE_HOME/idwrun, else ~/.cache/idwrun,
 * else $TMPDIR/idwrun-UID, else a new private directory under $TMPDIR. What is in it is loaded into a
 * supervisor, so nobody else may have written it; nor is anything put into another user's home.
 */
#ifndef IDW_WRAPC_CACHE_H
#define IDW_WRAPC_CACHE_H

#include "base/err.h"
#include "wrapc/tool.h"

/*
 * cache_object - the shared object for the C in descriptor @code, which stems from the .wr file @file;
 * compiled now if it is not there. Its name holds a hash of the preprocessed C, the compiler's version and
 * flags, the ABI and the table of calls. @path: where it is; the caller's, free(). Returns 0, or -errno.
 */
int cache_object(const struct tool *t, int code, const char *file, char **path, struct err *e);

/*
 * cache_dir - the directory, made if need be; a new string, the caller's. NULL: error. The environment is
 * read.
 */
char *cache_dir(struct err *e);

#endif
