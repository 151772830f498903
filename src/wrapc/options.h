/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wrapc's command line, apart from main so that tests can have it.
 */
#ifndef IDW_WRAPC_OPTIONS_H
#define IDW_WRAPC_OPTIONS_H

#include <stddef.h>
#include "base/err.h"

enum wrapc_mode { WRAPC_BUILD, WRAPC_EMIT_C, WRAPC_CHECK, WRAPC_CACHED, WRAPC_HELP, WRAPC_VERSION };

struct wrapc_options {
    enum wrapc_mode mode;
    const char *file;
    const char *out; /* NULL: the mode's default */
    const char *cc;  /* NULL: $CC, then cc */
    const char **includes;
    size_t n_includes;
};

extern const char wrapc_usage[];

/*
 * wrapc_options_parse - all strings are @argv's; @o->includes is the caller's, free(). Returns 0, or -EINVAL.
 */
int wrapc_options_parse(struct wrapc_options *o, int argc, char **argv, struct err *e);

#endif
