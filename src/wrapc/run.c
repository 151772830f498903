/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "base/cleanup.h"
#include "base/descriptors.h"
#include "base/log.h"
#include "wrapc/build.h"
#include "wrapc/cache.h"
#include "wrapc/options.h"
#include "wrapc/tool.h"
#include "wrapc/translate.h"

/* The .wr file as C in memory: a descriptor, the caller's, or -errno. */
static int translate_file(const char *file, struct err *e)
{
    struct source s;
    _cleanup_close_ int fd = memfd_create("wrapper.c", MFD_CLOEXEC);
    _cleanup_fclose_ FILE *out = fd < 0 ? NULL : fdopen(fcntl(fd, F_DUPFD_CLOEXEC, 3), "w");
    if (out == NULL)
        return err_errno(e, "no room for the C code");
    int r = source_open(&s, file, e);
    if (r < 0)
        return r;
    r = translate(&s, out);
    if (r < 0) {
        (void)source_report(&s, stderr);
        (void)err_set(e, -r, "%s", "");
    }
    source_close(&s);
    if (r == 0 && fflush(out) != 0)
        r = err_errno(e, "no room for the C code");
    return r < 0 ? r : move_fd(&fd);
}

/* FILE.wr -> FILE.so */
static char *default_out(const char *file)
{
    char *out = NULL;
    size_t len = strlen(file);
    if (len > 3 && strcmp(file + len - 3, ".wr") == 0)
        len -= 3;
    return asprintf(&out, "%.*s.so", (int)len, file) < 0 ? NULL : out;
}

static int print(const char *text, const char *end, struct err *e)
{
    if (fputs(text, stdout) < 0 || fputs(end, stdout) < 0 || fflush(stdout) != 0)
        return err_errno(e, "cannot write to standard output");
    return 0;
}

static int compile(const struct wrapc_options *o, const struct tool *t, int code, struct err *e)
{
    _cleanup_free_ char *path = NULL;
    int r;
    if (o->mode == WRAPC_CHECK)
        return tool_run(t, (const char *[]){"-fsyntax-only", "-x", "c", "-", NULL}, code, -1, e);
    if (o->mode == WRAPC_CACHED) {
        r = cache_object(t, code, o->file, &path, e);
        return r < 0 ? r : print(path, "\n", e);
    }
    path = o->out != NULL ? NULL : default_out(o->file);
    if (o->out == NULL && path == NULL)
        return err_set(e, ENOMEM, "no memory");
    return build_object(t, code, o->out != NULL ? o->out : path, 0777, e);
}

static int carry_out(const struct wrapc_options *o, struct err *e)
{
    _cleanup_close_ int code = translate_file(o->file, e);
    if (code < 0)
        return code;
    if (o->mode == WRAPC_EMIT_C)
        return build_copy(code, o->out, e);
    struct tool t;
    int r = tool_init(&t, o->cc, o->file, o->includes, o->n_includes, e);
    if (r < 0)
        return r;
    r = compile(o, &t, code, e);
    tool_clear(&t);
    return r;
}

static bool writes_stdout(const struct wrapc_options *o)
{
    return o->mode == WRAPC_HELP || o->mode == WRAPC_VERSION || o->mode == WRAPC_CACHED ||
           (o->mode == WRAPC_EMIT_C && o->out == NULL);
}

static int act(const struct wrapc_options *o, bool has_stdout, struct err *e)
{
    if (!has_stdout && writes_stdout(o))
        return err_set(e, EBADF, "cannot write to standard output: it is closed");
    if (o->mode == WRAPC_HELP)
        return print(wrapc_usage, "", e);
    if (o->mode == WRAPC_VERSION)
        return print("wrapc " IDW_VERSION, "\n", e);
    return carry_out(o, e);
}

int wrapc_run(int argc, char **argv)
{
    bool has_stdout = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    struct wrapc_options o;
    struct err e = {0};
    log_name("wrapc");
    if (stdio_reserve() < 0)
        return 1;
    int r = wrapc_options_parse(&o, argc, argv, &e);
    int status = r < 0 ? 2 : 0;
    if (r == 0)
        r = act(&o, has_stdout, &e);
    if (r < 0 && e.text[0] != '\0')
        log_error("%s", e.text);
    free(o.includes);
    return r < 0 && status == 0 ? 1 : status;
}
