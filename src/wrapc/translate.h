/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The compiler proper, from WDL to C; what the C compiler makes of it is src/wrapc/build.h's.
 *
 *     struct source s;
 *     source_open(&s, file, &e);
 *     if (translate(&s, out) < 0)
 *         source_report(&s, stderr);
 *     source_close(&s);
 */
#ifndef IDW_WRAPC_TRANSLATE_H
#define IDW_WRAPC_TRANSLATE_H

#include "wrapc/source.h"

/* translate - @s as C to @out. Returns 0, or -EINVAL: nothing is written, the errors are noted in @s. */
int translate(struct source *s, FILE *out);

#endif
