/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idwrun: run a program under wrappers. */
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/descriptors.h"
#include "control/options.h"

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
        return fputs(options_help(), stdout) < 0 || fflush(stdout) != 0 ? EXIT_IDWRUN : EXIT_SUCCESS;
    if (what == OPTIONS_VERSION)
        return puts("idwrun " IDW_VERSION) < 0 || fflush(stdout) != 0 ? EXIT_IDWRUN : EXIT_SUCCESS;
    int status = guardian_run(&options);
    options_clear(&options);
    return status;
}
