/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/build.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/cleanup.h"

/* A file under way. */
struct draft {
    char *dir;  /* private, beside the final name */
    char *path; /* in it */
    sigset_t mask;
};

static void draft_end(struct draft *d)
{
    if (d->path != NULL)
        (void)unlink(d->path);
    if (d->dir != NULL)
        (void)rmdir(d->dir);
    free(d->path);
    free(d->dir);
    /* A signal that came meanwhile takes effect here, with nothing left to clean up. */
    (void)sigprocmask(SIG_SETMASK, &d->mask, NULL);
}

/* @len bytes of @dir and @name; the caller's. NULL: no memory. */
static char *path_join(const char *dir, int len, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%.*s%s", len, dir, name) < 0 ? NULL : path;
}

static int draft_begin(struct draft *d, const char *out, struct err *e)
{
    sigset_t held;
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGINT);
    (void)sigaddset(&held, SIGTERM);
    (void)sigaddset(&held, SIGHUP);
    *d = (struct draft){0};
    (void)sigprocmask(SIG_BLOCK, &held, &d->mask);
    const char *slash = strrchr(out, '/');
    int len = slash == NULL ? 0 : (int)(slash - out + 1);
    d->dir = path_join(out, len, ".wrapc-XXXXXX");
    if (d->dir == NULL)
        return err_set(e, ENOMEM, "no memory");
    if (mkdtemp(d->dir) == NULL) {
        int r = err_errno(e, "cannot write %s", out);
        free(d->dir);
        d->dir = NULL;
        return r;
    }
    d->path = path_join(d->dir, (int)strlen(d->dir), "/out");
    return d->path == NULL ? err_set(e, ENOMEM, "no memory") : 0;
}

static int draft_publish(const struct draft *d, const char *out, mode_t mode, struct err *e)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    if (chmod(d->path, mode & ~mask) < 0 || rename(d->path, out) < 0)
        return err_errno(e, "cannot write %s", out);
    return 0;
}

/* Renaming over a device or a directory is never meant. */
static int out_is_file(const char *out, struct err *e)
{
    struct stat st;
    if (stat(out, &st) == 0 && !S_ISREG(st.st_mode))
        return err_set(e, EINVAL, "%s is there and no regular file", out);
    return 0;
}

int build_object(const struct tool *t, int code, const char *out, mode_t mode, struct err *e)
{
    struct draft d;
    int r = out_is_file(out, e);
    if (r < 0)
        return r;
    r = draft_begin(&d, out, e);
    if (r == 0)
        r = tool_run(t, (const char *[]){"-shared", "-o", d.path, "-x", "c", "-", NULL}, code, -1, e);
    if (r == 0)
        r = draft_publish(&d, out, mode, e);
    draft_end(&d);
    return r;
}

static int copy(int from, int to, const char *out, struct err *e)
{
    char text[1 << 14];
    if (lseek(from, 0, SEEK_SET) < 0)
        return err_errno(e, "cannot read the C code");
    for (ssize_t n; (n = read(from, text, sizeof text)) > 0;)
        for (ssize_t done = 0, w; done < n; done += w) {
            w = write(to, text + done, (size_t)(n - done));
            if (w < 0)
                return err_errno(e, "cannot write %s", out);
        }
    return 0;
}

int build_copy(int code, const char *out, struct err *e)
{
    struct stat st;
    struct draft d;
    if (out == NULL)
        return copy(code, STDOUT_FILENO, "standard output", e);
    if (stat(out, &st) == 0 && !S_ISREG(st.st_mode)) {
        _cleanup_close_ int fd = open(out, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? err_errno(e, "cannot write %s", out) : copy(code, fd, out, e);
    }
    int r = draft_begin(&d, out, e);
    _cleanup_close_ int fd = r < 0 ? DEAD_FD : open(d.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (r == 0)
        r = fd < 0 ? err_errno(e, "cannot write %s", out) : copy(code, fd, out, e);
    if (r == 0)
        r = draft_publish(&d, out, 0666, e);
    draft_end(&d);
    return r;
}
