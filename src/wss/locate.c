/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/slurp.h"
#include "wss/layer.h"

extern char **environ;

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcmp(s + n - m, end) == 0;
}

/* Directory of the running program: an installed tree and a build tree can both be moved. */
static int own_directory(char *dir)
{
    ssize_t n = readlink("/proc/self/exe", dir, PATH_MAX - 1);
    if (n <= 0)
        return -ENOENT;
    dir[n] = '\0';
    *strrchr(dir, '/') = '\0';
    return 0;
}

static const char *wrapc_path(char *buffer)
{
    char dir[PATH_MAX];
    if (own_directory(dir) == 0 && snprintf(buffer, PATH_MAX, "%s/wrapc", dir) < PATH_MAX &&
        access(buffer, X_OK) == 0)
        return buffer;
    return IDW_BIN_DIR "/wrapc";
}

static int spawn_with_output(pid_t *child, const char *program, char *const argv[], int out)
{
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    int rc = posix_spawn(child, program, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return -rc;
}

/* wrapc compiles into its cache and prints the object's path; its messages go to our standard error. */
static int compile(const char *source, char *path, struct err *e)
{
    char buffer[PATH_MAX];
    const char *wrapc = wrapc_path(buffer);
    char *argv[] = {"wrapc", "--cached", (char *)source, NULL};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "%s: no pipe to wrapc", source);
    _cleanup_close_ int in = ends[0];
    pid_t child;
    int rc = spawn_with_output(&child, wrapc, argv, ends[1]);
    (void)close(ends[1]);
    if (rc < 0)
        return err_set(e, -rc, "%s: can't run %s to compile it: %s", source, wrapc, strerror(-rc));
    (void)slurp(in, path, PATH_MAX);
    path[strcspn(path, "\n")] = '\0';
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || path[0] != '/')
        return err_set(e, EIO, "%s: does not compile", source);
    return 0;
}

/* An explicit file: kept as it is, made absolute enough for dlopen not to search for it. */
static int take_file(const char *spec, char *path, struct err *e)
{
    struct stat st;
    if (stat(spec, &st) < 0)
        return err_errno(e, "wrapper %s", spec);
    if (!S_ISREG(st.st_mode))
        return err_set(e, EINVAL, "wrapper %s: not a regular file", spec);
    if (ends_with(spec, ".wr"))
        return compile(spec, path, e);
    if (snprintf(path, PATH_MAX, "%s%s", strchr(spec, '/') ? "" : "./", spec) >= PATH_MAX)
        return err_set(e, ENAMETOOLONG, "wrapper %s", spec);
    return 0;
}

/* dir/NAME.so, else dir/NAME.wr compiled. Returns 1 if there was one, 0 if not. */
static int search_directory(const char *dir, size_t len, const char *name, char *path, struct err *e)
{
    char candidate[PATH_MAX];
    static const char *const ends[] = {".so", ".wr"};
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        int n = snprintf(candidate, sizeof candidate, "%.*s/%s%s", (int)len, dir, name, ends[i]);
        if (n < 0 || (size_t)n >= sizeof candidate || access(candidate, R_OK) < 0)
            continue;
        int rc = take_file(candidate, path, e);
        return rc < 0 ? rc : 1;
    }
    return 0;
}

static int search_list(const char *dirs, const char *name, char *path, struct err *e)
{
    for (const char *at = dirs; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, ":");
        int rc = len > 0 ? search_directory(at, len, name, path, e) : 0;
        if (rc != 0)
            return rc;
        at += len + (at[len] == ':');
    }
    return 0;
}

int locate_wrapper(const char *spec, char *path, struct err *e)
{
    if (strchr(spec, '/') != NULL || ends_with(spec, ".wr") || ends_with(spec, ".so"))
        return take_file(spec, path, e);
    if (spec[0] == '\0')
        return err_set(e, EINVAL, "the name of a wrapper can't be empty");
    char own[PATH_MAX];
    char near[4 * PATH_MAX] = "";
    if (own_directory(own) == 0)
        (void)snprintf(near, sizeof near, "%s/wrappers:%s/../lib/idwrun:%s/../share/idwrun/wrappers", own,
                       own, own);
    const char *const lists[] = {getenv("IDW_WRAPPER_PATH"), near, IDW_WRAPPER_DIR, IDW_WRAPPER_SOURCE_DIR};
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        int rc = search_list(lists[i], spec, path, e);
        if (rc != 0)
            return rc < 0 ? rc : 0;
    }
    return err_set(
        e, ENOENT,
        "wrapper %s not found: neither %s.so nor %s.wr is in $IDW_WRAPPER_PATH, %s or %s (a file in the "
        "working directory is named ./%s.wr)",
        spec, spec, spec, near, IDW_WRAPPER_DIR, spec);
}
