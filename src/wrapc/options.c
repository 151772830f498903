/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

const char wrapc_usage[] =
    "usage: wrapc [options] FILE.wr\n"
    "Compile a wrapper, written in WDL, to a shared object that idwrun loads.\n"
    "\n"
    "  -o OUT          write to OUT; otherwise FILE.so beside FILE.wr\n"
    "  -c, --emit-c    write the C that the wrapper becomes, to OUT or standard output\n"
    "      --check     look for errors, the C compiler's too, and write nothing\n"
    "      --cached    compile into the user's cache, unless it is there, and print the object's path\n"
    "  -I DIR          look for headers in DIR first; may be given more than once\n"
    "      --cc CC     the C compiler; otherwise $CC, otherwise cc\n"
    "  -h, --help      this text\n"
    "  -V, --version   the version\n"
    "\n"
    "wdl(5) describes the language, wrapc(1) the rest.\n";

enum { OPT_CC = 256, OPT_CACHED, OPT_CHECK };

static const struct option long_options[] = {
    {"emit-c", no_argument, NULL, 'c'},
    {"cc", required_argument, NULL, OPT_CC},
    {"cached", no_argument, NULL, OPT_CACHED},
    {"check", no_argument, NULL, OPT_CHECK},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static int set_mode(struct wrapc_options *o, enum wrapc_mode mode, struct err *e)
{
    if (mode < WRAPC_HELP && o->mode != WRAPC_BUILD && o->mode != mode)
        return err_set(e, EINVAL, "only one of --emit-c, --check and --cached can be given");
    o->mode = mode;
    return 0;
}

static int add_include(struct wrapc_options *o, const char *dir, struct err *e)
{
    const char **more = reallocarray(o->includes, o->n_includes + 1, sizeof *more);
    if (more == NULL)
        return err_set(e, ENOMEM, "no memory");
    o->includes = more;
    o->includes[o->n_includes++] = dir;
    return 0;
}

static int one_option(struct wrapc_options *o, int opt, char **argv, struct err *e)
{
    switch (opt) {
    case 'o':
        o->out = optarg;
        return 0;
    case 'I':
        return add_include(o, optarg, e);
    case OPT_CC:
        o->cc = optarg;
        return 0;
    case 'c':
        return set_mode(o, WRAPC_EMIT_C, e);
    case OPT_CHECK:
        return set_mode(o, WRAPC_CHECK, e);
    case OPT_CACHED:
        return set_mode(o, WRAPC_CACHED, e);
    case 'h':
        return set_mode(o, WRAPC_HELP, e);
    case 'V':
        return set_mode(o, WRAPC_VERSION, e);
    case ':':
        return err_set(e, EINVAL, "option %s needs a value", argv[optind - 1]);
    default:
        return err_set(e, EINVAL, "unknown option %s; see wrapc --help", argv[optind - 1]);
    }
}

int wrapc_options_parse(struct wrapc_options *o, int argc, char **argv, struct err *e)
{
    *o = (struct wrapc_options){.mode = WRAPC_BUILD};
    optind = 0; /* glibc: forget an earlier run */
    for (int opt; (opt = getopt_long(argc, argv, ":o:cI:hV", long_options, NULL)) != -1;) {
        int r = one_option(o, opt, argv, e);
        if (r < 0)
            return r;
        if (o->mode == WRAPC_HELP || o->mode == WRAPC_VERSION)
            return 0;
    }
    if (optind + 1 != argc)
        return err_set(e, EINVAL, "%s; see wrapc --help",
                       optind == argc ? "the wrapper's source is missing" : "one source at a time");
    o->file = argv[optind];
    if (o->out != NULL && (o->mode == WRAPC_CHECK || o->mode == WRAPC_CACHED))
        return err_set(e, EINVAL, "-o goes with neither --check nor --cached");
    return 0;
}
