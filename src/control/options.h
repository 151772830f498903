/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idwrun's command line, apart from what it leads to. */
#ifndef IDW_CONTROL_OPTIONS_H
#define IDW_CONTROL_OPTIONS_H

#include "base/err.h"
#include "engine/engine.h"

enum options_result {
    OPTIONS_RUN,
    OPTIONS_HELP,
    OPTIONS_VERSION,
};

/*
 * options_parse - @argv as main got it.
 * @o: filled; its strings are argv's, its list of wrappers the caller's, options_clear
 * Returns an enum options_result, or -EINVAL with what is wrong.
 */
int options_parse(int argc, char **argv, struct engine_options *o, struct err *e);
void options_clear(struct engine_options *o);

/* options_help - the text of --help. */
const char *options_help(void);

#endif
