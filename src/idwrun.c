/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idwrun: run a program under wrappers. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "base/descriptors.h"
#include "control/options.h"

/* To somebody who can read it, or it is a failure. */
static int print(const char *text)
{
    if (!stdio_was_closed(STDOUT_FILENO) && fputs(text, stdout) >= 0 && fflush(stdout) == 0)
        return EXIT_SUCCESS;
    log_error("can't write to standard output");
    return EXIT_IDWRUN;
}

int main(int argc, char **argv)
{
    struct engine_options options;
    struct err e = {0};
    log_name("idwrun");
    if (stdio_reserve() < 0)
        return EXIT_IDWRUN;
    int what = options_parse(argc, argv, &options, &e);
    if (what < 0) {
        log_error("%s (idwrun --help says more)", e.text);
        return EXIT_IDWRUN;
    }
    if (what == OPTIONS_HELP)
        return print(options_help());
    if (what == OPTIONS_VERSION)
        return print("idwrun " IDW_VERSION "\n");
    int status = guardian_run(&options);
    options_clear(&options);
    return status;
}
