/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/tool.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "base/cleanup.h"

/*
 * What is compiled has lines of the .wr file but, where a $name was replaced, not its columns. What -Werror=
 * names C17 compilers let pass though it can only go wrong when the body runs.
 */
static const char *const flags[] = {"-fPIC",
                                    "-O2",
                                    "-g",
                                    "-std=gnu17",
                                    "-Wall",
                                    "-Wextra",
                                    "-fvisibility=hidden",
                                    "-fno-show-column",
                                    "-Werror=implicit-function-declaration",
                                    "-Werror=implicit-int",
                                    "-Werror=int-conversion",
                                    "-Werror=incompatible-pointer-types"};

static int add(struct tool *t, const char *prefix, const char *word, size_t len)
{
    char **more = reallocarray(t->argv, t->n + 2, sizeof *more);
    if (more == NULL)
        return -ENOMEM;
    t->argv = more;
    t->argv[t->n + 1] = NULL;
    if (asprintf(&t->argv[t->n], "%s%.*s", prefix, (int)len, word) < 0) {
        t->argv[t->n] = NULL;
        return -ENOMEM;
    }
    t->n++;
    return 0;
}

/* The program that @word is, as execvp(3) would find it; the caller's. NULL: it is nowhere. */
static char *find_program(const char *word)
{
    const char *dirs = getenv("PATH");
    dirs = dirs != NULL ? dirs : "/usr/bin:/bin";
    for (const char *end; strchr(word, '/') == NULL; dirs = end + 1) {
        char *path = NULL;
        struct stat st;
        end = strchrnul(dirs, ':');
        if (asprintf(&path, "%.*s/%s", end > dirs ? (int)(end - dirs) : 1, end > dirs ? dirs : ".", word) < 0)
            return NULL;
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
            return path;
        free(path);
        if (*end == '\0')
            return NULL;
    }
    return strdup(word);
}

/*
 * Carets would be misplaced, and gcc and clang have different options against them: who it is says the name
 * behind the links, cc -> gcc -> x86_64-linux-gnu-gcc-12. Of any other compiler nothing is known.
 */
static int add_no_caret(struct tool *t, size_t n_words)
{
    static const struct {
        const char *name, *flag;
    } known[] = {{"clang", "-fno-caret-diagnostics"}, {"gcc", "-fno-diagnostics-show-caret"}};
    for (size_t i = n_words; i-- > 0;) {
        _cleanup_free_ char *path = find_program(t->argv[i]);
        _cleanup_free_ char *real = path != NULL ? realpath(path, NULL) : NULL;
        for (size_t k = 0; real != NULL && k < ARRAY_SIZE(known); k++)
            if (strstr(basename(real), known[k].name) != NULL)
                return add(t, known[k].flag, "", 0);
    }
    return 0;
}

/* The command and its words. The program's place is found once, so that all runs are of the same one. */
static int add_command(struct tool *t, const char *cc)
{
    int r = 0;
    for (cc += strspn(cc, " \t"); *cc != '\0' && r == 0; cc += strspn(cc, " \t")) {
        size_t len = strcspn(cc, " \t");
        r = add(t, "", cc, len);
        cc += len;
    }
    char *path = r == 0 ? find_program(t->argv[0]) : NULL;
    if (path != NULL) {
        free(t->argv[0]);
        t->argv[0] = path;
    }
    return r == 0 ? add_no_caret(t, t->n) : r;
}

static bool has_headers(const char *dir)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/idw/wrapper.h", dir);
    return n > 0 && (size_t)n < sizeof path && access(path, R_OK) == 0;
}

/* The headers that belong to this very wrapc: of its build tree, of the tree it is installed in, or as
 * configured. */
static bool own_headers(char *dir, size_t size)
{
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[len > 0 ? len : 0] = '\0';
    if (strncmp(exe, IDW_BUILD_DIR "/", sizeof IDW_BUILD_DIR) == 0) {
        (void)snprintf(dir, size, "%s", IDW_SOURCE_INCLUDE_DIR);
        if (has_headers(dir))
            return true;
    }
    char *slash = strrchr(exe, '/');
    if (slash != NULL) {
        *slash = '\0';
        int n = snprintf(dir, size, "%s/../include", exe);
        if (n > 0 && (size_t)n < size && has_headers(dir))
            return true;
    }
    (void)snprintf(dir, size, "%s", IDW_INCLUDE_DIR);
    return has_headers(dir);
}

static int add_includes(struct tool *t, const char *file, const char *const *includes, size_t n_includes,
                        bool *found)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(file, '/');
    int r = slash == NULL ? add(t, "-iquote", ".", 1)
                          : add(t, "-iquote", file, slash == file ? 1 : (size_t)(slash - file));
    *found = own_headers(dir, sizeof dir);
    for (size_t i = 0; i < n_includes && r == 0; i++) {
        r = add(t, "-I", includes[i], strlen(includes[i]));
        *found = *found || has_headers(includes[i]);
    }
    if (r == 0 && dir[0] != '\0')
        r = add(t, "-I", dir, strlen(dir));
    return r;
}

int tool_init(struct tool *t, const char *cc, const char *file, const char *const *includes,
              size_t n_includes, struct err *e)
{
    *t = (struct tool){0};
    if (cc == NULL)
        cc = getenv("CC");
    if (cc == NULL || cc[strspn(cc, " \t")] == '\0')
        cc = "cc";
    int r = add_command(t, cc);
    for (size_t i = 0; i < ARRAY_SIZE(flags) && r == 0; i++)
        r = add(t, "", flags[i], strlen(flags[i]));
    bool found = false;
    if (r == 0)
        r = add_includes(t, file, includes, n_includes, &found);
    if (r == 0 && !found)
        r = err_set(e, ENOENT, "idwrun's headers (idw/wrapper.h) are not in %s; name their directory with -I",
                    IDW_INCLUDE_DIR);
    else if (r < 0)
        err_set(e, -r, "no memory");
    if (r < 0)
        tool_clear(t);
    return r;
}

void tool_clear(struct tool *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->argv[i]);
    free(t->argv);
    *t = (struct tool){0};
}

/* The child gets the signals that we hold back while our temporary files are there. */
static int spawn(pid_t *pid, char **argv, int in, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    (void)sigemptyset(&none);
    int r = posix_spawn_file_actions_init(&actions);
    if (r != 0)
        return r;
    r = posix_spawnattr_init(&attr);
    if (r == 0) {
        (void)posix_spawnattr_setsigmask(&attr, &none);
        (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
        if (in >= 0)
            r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
        if (out >= 0 && r == 0)
            r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
        if (r == 0)
            r = posix_spawnp(pid, argv[0], &actions, &attr, argv, environ);
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return r;
}

pid_t tool_spawn(const struct tool *t, const char *const *more, int in, int out, struct err *e)
{
    size_t n = 0;
    while (more[n] != NULL)
        n++;
    char **argv = calloc(t->n + n + 1, sizeof *argv);
    if (argv == NULL)
        return err_set(e, ENOMEM, "no memory");
    memcpy(argv, t->argv, t->n * sizeof *argv);
    memcpy(argv + t->n, more, n * sizeof *argv);
    pid_t pid = -1;
    int r = in >= 0 && lseek(in, 0, SEEK_SET) < 0 ? errno : spawn(&pid, argv, in, out);
    free(argv);
    if (r == ENOENT)
        return err_set(
            e, r,
            "no C compiler: %s was not found; install one (Debian: apt install gcc libc6-dev) or name "
            "one with --cc or $CC",
            t->argv[0]);
    if (r != 0)
        return err_set(e, r, "cannot run the C compiler %s: %s", t->argv[0], strerror(r));
    return pid;
}

int tool_wait(const struct tool *t, pid_t pid, struct err *e)
{
    int status = 0;
    pid_t r;
    do
        r = waitpid(pid, &status, 0);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return err_errno(e, "cannot wait for the C compiler");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) != 127)
        return err_set(e, EINVAL, "the C compiler %s failed with status %d", t->argv[0], WEXITSTATUS(status));
    if (WIFEXITED(status))
        return err_set(e, EINVAL, "cannot run the C compiler %s", t->argv[0]);
    return err_set(e, EINVAL, "the C compiler %s was ended by signal %d", t->argv[0], WTERMSIG(status));
}

int tool_run(const struct tool *t, const char *const *more, int in, int out, struct err *e)
{
    pid_t pid = tool_spawn(t, more, in, out, e);
    return pid < 0 ? (int)pid : tool_wait(t, pid, e);
}
