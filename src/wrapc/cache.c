/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/cache.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/cleanup.h"
#include "idw/wrapper.h"
#include "syscalls/table.h"
#include "wrapc/build.h"

/* FNV-1a, 128 bits: no two wrappers of one user meet by chance, and a user has no reason to fool himself. */
typedef unsigned __int128 hash;
#define HASH_START (((hash)0x6c62272e07bb0142u << 64) | 0x62b821756295c58du)
#define HASH_PRIME (((hash)0x0000000001000000u << 64) | 0x000000000000013bu)

static void hash_add(hash *h, const void *data, size_t len)
{
    const unsigned char *c = data;
    for (size_t i = 0; i < len; i++)
        *h = (*h ^ c[i]) * HASH_PRIME; // NOLINT(clang-analyzer-core.*): what read(2) fills
}

/* All that the compiler says on standard output. */
static int hash_output(hash *h, const struct tool *t, const char *const *more, int in, struct err *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(e, "cannot make a pipe");
    _cleanup_close_ int from = ends[0];
    _cleanup_close_ int to = ends[1];
    pid_t pid = tool_spawn(t, more, in, to, e);
    if (pid < 0)
        return (int)pid;
    (void)close(move_fd(&to));
    char text[1 << 14];
    for (ssize_t n; (n = read(from, text, sizeof text)) > 0 || (n < 0 && errno == EINTR);)
        hash_add(h, text, n > 0 ? (size_t)n : 0);
    return tool_wait(t, pid, e);
}

static int cache_key(const struct tool *t, int code, hash *h, struct err *e)
{
    uint64_t facts[] = {IDW_ABI, call_fingerprint()};
    *h = HASH_START;
    hash_add(h, facts, sizeof facts);
    for (size_t i = 0; i < t->n; i++)
        hash_add(h, t->argv[i], strlen(t->argv[i]) + 1);
    int r = hash_output(h, t, (const char *[]){"--version", NULL}, -1, e);
    return r < 0 ? r : hash_output(h, t, (const char *[]){"-E", "-x", "c", "-", NULL}, code, e);
}

/* Every directory of @path that is missing, for us alone. */
static void make_dirs(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    (void)mkdir(path, 0700);
}

/* Nobody else can have written what is in it, and we can write. */
static bool dir_is_safe(const char *path)
{
    struct stat st;
    _cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 && faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
}

/* sudo -E leaves us the environment of another user: nothing of ours belongs in his directories. */
static bool is_ours(const char *dir)
{
    struct stat st;
    return dir != NULL && dir[0] == '/' && stat(dir, &st) == 0 && st.st_uid == geteuid();
}

/* $XDG_CACHE_HOME may be missing still; then what is above it says whose it will be. */
static bool is_foreign(const char *dir)
{
    struct stat st;
    _cleanup_free_ char *path = strdup(dir);
    if (path == NULL)
        return true;
    for (char *slash; stat(path, &st) < 0; *slash = '\0') {
        slash = strrchr(path, '/');
        if (slash == NULL || slash == path)
            return false;
    }
    return st.st_uid != geteuid() && st.st_uid != 0;
}

static char *home_cache(void)
{
    char *path = NULL;
    const char *base = getenv("XDG_CACHE_HOME");
    if (base != NULL && base[0] == '/' && !is_foreign(base))
        return asprintf(&path, "%s/idwrun", base) < 0 ? NULL : path;
    const char *home = getenv("HOME");
    if (!is_ours(home)) {
        const struct passwd *pw = getpwuid(geteuid());
        home = pw != NULL ? pw->pw_dir : NULL;
    }
    if (!is_ours(home))
        return NULL;
    return asprintf(&path, "%s/.cache/idwrun", home) < 0 ? NULL : path;
}

/* The same one each time, so that it is a cache; but anyone can have made it first. */
static char *shared_cache(const char *tmp)
{
    char *path = NULL;
    return asprintf(&path, "%s/idwrun-%u", tmp, (unsigned)geteuid()) < 0 ? NULL : path;
}

/* @path, the caller's now, if it is there or can be made, and is safe; otherwise it is freed. */
static char *usable_dir(char *path)
{
    if (path == NULL)
        return NULL;
    make_dirs(path);
    if (dir_is_safe(path))
        return path;
    free(path);
    return NULL;
}

char *cache_dir(struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    if (tmp == NULL || tmp[0] != '/')
        tmp = "/tmp";
    char *path = usable_dir(home_cache());
    if (path == NULL)
        path = usable_dir(shared_cache(tmp));
    if (path != NULL)
        return path;
    if (asprintf(&path, "%s/idwrun-XXXXXX", tmp) < 0) {
        (void)err_set(e, ENOMEM, "no memory");
        return NULL;
    }
    if (mkdtemp(path) == NULL) {
        (void)err_errno(e, "no home for the cache, and %s", path);
        free(path);
        return NULL;
    }
    return path;
}

/* The source's name as far as it is harmless in a file's, so that a person sees what is what. */
static void plain_name(const char *file, char *name, size_t size)
{
    const char *slash = strrchr(file, '/');
    size_t n = 0;
    for (const char *c = slash != NULL ? slash + 1 : file; *c != '\0' && *c != '.' && n + 1 < size; c++)
        if (isalnum((unsigned char)*c) || *c == '_' || *c == '-')
            name[n++] = *c;
    name[n] = '\0';
}

static bool is_cached(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int cache_object(const struct tool *t, int code, const char *file, char **path, struct err *e)
{
    hash h;
    int r = cache_key(t, code, &h, e);
    if (r < 0)
        return r;
    struct err why = {0};
    _cleanup_free_ char *dir = cache_dir(&why);
    if (dir == NULL)
        return err_set(e, why.code, "%s", why.text);
    char name[64];
    plain_name(file, name, sizeof name);
    _cleanup_free_ char *object = NULL;
    if (asprintf(&object, "%s/%s-%016" PRIx64 "%016" PRIx64 ".so", dir, name, (uint64_t)(h >> 64),
                 (uint64_t)h) < 0) {
        object = NULL;
        return err_set(e, ENOMEM, "no memory");
    }
    r = is_cached(object) ? 0 : build_object(t, code, object, 0700, e);
    if (r == 0)
        *path = steal_pointer(&object);
    return r;
}
