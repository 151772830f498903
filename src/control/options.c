/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "control/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "Usage: idwrun [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
    "Run PROGRAM and all that it starts under wrappers, which see its system calls.\n"
    "\n"
    "  -w, --wrap WRAPPER   wrap with WRAPPER: a name (imapd_id), a source (./x.wr) or an\n"
    "                       object (./x.so); may be given often, the first is outermost\n"
    "  -a, --audit FILE     append audit records to FILE, one JSON object a line;\n"
    "                       - is standard output; the default is standard error\n"
    "      --stats FILE     write how many events reached the wrappers, as JSON\n"
    "      --no-new-privs   let no program gain privileges by setuid, also as root\n"
    "      --dump-filter    print the seccomp filter of the wrappers and stop\n"
    "  -h, --help           print this and exit\n"
    "  -V, --version        print the version and exit\n"
    "\n"
    "Exit status: that of PROGRAM, or death by the same signal; 125 if idwrun itself\n"
    "fails, 126 if PROGRAM can't be run, 127 if it isn't found.\n"
    "See idwrun(1), wrapc(1), wdl(5).\n";

enum { OPT_STATS = 256, OPT_NO_NEW_PRIVS, OPT_DUMP_FILTER };

static const struct option long_options[] = {
    {"wrap", required_argument, NULL, 'w'},
    {"audit", required_argument, NULL, 'a'},
    {"stats", required_argument, NULL, OPT_STATS},
    {"no-new-privs", no_argument, NULL, OPT_NO_NEW_PRIVS},
    {"dump-filter", no_argument, NULL, OPT_DUMP_FILTER},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

const char *options_help(void)
{
    return help_text;
}

void options_clear(struct engine_options *o)
{
    free((void *)o->wrappers);
    o->wrappers = NULL;
    o->n_wrappers = 0;
}

/* No two options share a place, so argc is room enough. */
static int add_wrapper(struct engine_options *o, int argc, const char *spec, struct err *e)
{
    const char **list = (const char **)(void *)o->wrappers;
    if (list == NULL)
        list = calloc((size_t)argc, sizeof *list);
    if (list == NULL)
        return err_set(e, ENOMEM, "no memory");
    list[o->n_wrappers++] = spec;
    o->wrappers = list;
    return 0;
}

static int unknown_option(char **argv, int c, struct err *e)
{
    const char *text = argv[optind - 1];
    if (c == ':')
        return err_set(e, EINVAL, "option %s needs an argument", text);
    if (optopt != 0 && optopt < 256)
        return err_set(e, EINVAL, "unknown option -%c", optopt);
    return err_set(e, EINVAL, "unknown, ambiguous or wrongly used option %s", text);
}

int options_parse(int argc, char **argv, struct engine_options *o, struct err *e)
{
    *o = (struct engine_options){0};
    optind = 1;
    opterr = 0;
    int c;
    int rc = 0;
    while (rc == 0 && (c = getopt_long(argc, argv, "+:w:a:hV", long_options, NULL)) != -1) {
        switch (c) {
        case 'w':
            rc = add_wrapper(o, argc, optarg, e);
            break;
        case 'a':
            o->audit = optarg;
            break;
        case OPT_STATS:
            o->stats = optarg;
            break;
        case OPT_NO_NEW_PRIVS:
            o->no_new_privs = true;
            break;
        case OPT_DUMP_FILTER:
            o->dump_filter = true;
            break;
        case 'h':
            return OPTIONS_HELP;
        case 'V':
            return OPTIONS_VERSION;
        default:
            rc = unknown_option(argv, c, e);
        }
    }
    o->argv = argv + optind;
    if (rc == 0 && o->argv[0] == NULL && !o->dump_filter)
        rc = err_set(e, EINVAL, "no program to run");
    if (rc < 0)
        options_clear(o);
    return rc < 0 ? rc : OPTIONS_RUN;
}
