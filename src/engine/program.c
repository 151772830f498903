/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "idlib/resolve.h"
#include "subject/memory.h"
#include "idw/wdl.h"
#include "subject/proc.h"

/* What a script's first line says: its interpreter, and the one argument for it, or NULL. */
struct script {
    char line[256]; /* BINPRM_BUF_SIZE */
    const char *name, *argument;
};

/* An interpreter may be a script, too. */
enum { DEPTH_MAX = 5 }; /* exec_binprm() of fs/exec.c */

static bool same_file(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* As load_script() of fs/binfmt_script.c takes it apart. */
static bool is_script(int object, struct script *s)
{
    static const char blank[] = " \t";
    char link[64];
    struct stat st;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", object);
    if (fstat(object, &st) < 0 || !S_ISREG(st.st_mode)) /* others may wait, or do something */
        return false;
    _cleanup_close_ int fd = open(link, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, s->line, sizeof s->line - 1);
    if (n < 3 || s->line[0] != '#' || s->line[1] != '!')
        return false;
    s->line[n] = '\0';
    size_t end = 2 + strcspn(s->line + 2, "\n");
    while (end > 2 && strchr(blank, s->line[end - 1]) != NULL)
        end--;
    s->line[end] = '\0';
    char *name = s->line + 2 + strspn(s->line + 2, blank);
    char *behind = name + strcspn(name, blank);
    s->name = name;
    s->argument = *behind != '\0' ? behind + strspn(behind, blank) : NULL;
    *behind = '\0';
    return *name != '\0';
}

/* The scripts that lead from @object to the program @exe of @tid. Returns how many; or -1, they don't. */
static int find_scripts(pid_t tid, int exe, int object, struct script scripts[DEPTH_MAX])
{
    _cleanup_close_ int next = DEAD_FD;
    for (int n = 0; n <= DEPTH_MAX; n++) {
        if (same_file(exe, object))
            return n;
        if (n == DEPTH_MAX || !is_script(object, &scripts[n]))
            break;
        struct lookup l = {.tid = tid, .dirfd = AT_FDCWD, .path = scripts[n].name, .follow = true};
        close_fd_p(&next);
        object = next = resolve(&l);
    }
    return -1;
}

static int open_exe(pid_t tid)
{
    _cleanup_close_ int dir = proc_open(tid, "", O_PATH | O_DIRECTORY);
    return dir < 0 ? dir : openat(dir, "exe", O_PATH | O_CLOEXEC);
}

bool program_may_change(const struct call *c)
{
    return strcmp(c->name, "execve") == 0 || strcmp(c->name, "execveat") == 0;
}

int program_look(struct idw_event *ev)
{
    const struct call_arg *a = call_arg_named(ev->call, CALL_NAME_path);
    struct stat st;
    int object;
    if (!program_may_change(ev->call) || !event_looked(ev) || a == NULL || event_object(ev, a, &object))
        return 0;
    const char *path = event_memory(ev, a)->data;
    if (path != NULL)
        (void)idw_wr_stat(ev, path, &st);
    return path != NULL && !ev->internal_error ? 0 : ev->fault != 0 ? -ev->fault : -EPERM;
}

bool program_is_judged(const struct idw_event *ev, pid_t tid)
{
    struct script scripts[DEPTH_MAX];
    for (unsigned i = 0; i < ev->call->n_args; i++) {
        if (ev->objects[i] == 0)
            continue;
        if (ev->objects[i] < 0)
            return false; /* they saw that nothing was there, and now there was */
        _cleanup_close_ int exe = open_exe(tid);
        return exe >= 0 && find_scripts(tid, exe, ev->objects[i] - 1, scripts) >= 0;
    }
    return true;
}

/* Where the kernel has put strings: fields of /proc/PID/stat. Right behind the variables lies what it says
 * has been executed (do_execveat_common() of fs/exec.c; AT_EXECFN). */
struct strings_at {
    uint64_t arg_start, arg_end, env_start, env_end;
};

static int find_strings(pid_t tid, struct strings_at *at)
{
    char text[2048];
    _cleanup_close_ int fd = proc_open(tid, "stat", O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (n <= 0)
        return -ESRCH;
    text[n] = '\0';
    const char *field = strrchr(text, ')'); /* the 2nd; the name may hold anything */
    for (int i = 2; field != NULL && i < 48; i++)
        field = strchr(field + 1, ' ');
    return field != NULL && sscanf(field, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &at->arg_start,
                                   &at->arg_end, &at->env_start, &at->env_end) == 4
               ? 0
               : -ESRCH;
}

/* Strings one behind the other, as on the stack. */
struct strings {
    FILE *out;
    char *bytes;
    size_t size;
};

#define _cleanup_strings_ __attribute__((cleanup(strings_clear)))

static void strings_clear(struct strings *s)
{
    if (s->out != NULL)
        (void)fclose(s->out);
    free(s->bytes);
}

static int strings_open(struct strings *s)
{
    s->out = open_memstream(&s->bytes, &s->size);
    return s->out == NULL ? -ENOMEM : 0;
}

static void add(struct strings *s, const char *text)
{
    if (text != NULL)
        (void)fwrite(text, strlen(text) + 1, 1, s->out);
}

static void add_all(struct strings *s, const struct event_copy *vector, size_t from)
{
    char *const *texts = vector->data;
    for (size_t i = from; i < vector->len; i++)
        add(s, texts[i]);
}

/* Are the strings from @start to @end of the new program's these? */
static bool has_strings(pid_t tid, uint64_t start, uint64_t end, struct strings *s)
{
    if (fflush(s->out) != 0 || end - start != s->size)
        return false;
    _cleanup_free_ char *bytes = malloc(s->size + 1);
    return bytes != NULL && memory_read(tid, start, bytes, s->size) == (ssize_t)s->size &&
           memcmp(bytes, s->bytes, s->size) == 0;
}

static const struct event_copy *copy_of(const struct idw_event *ev, uint16_t name)
{
    const struct call_arg *a = call_arg_named(ev->call, name);
    const struct event_copy *c = a != NULL ? &ev->copies[a - ev->call->args] : NULL;
    return c != NULL && c->data != NULL ? c : NULL;
}

/* Is @name, what the kernel says has been executed, what it makes of @path (alloc_bprm() of fs/exec.c)? */
static bool is_name_of(const struct idw_event *ev, const char *path, const char *name)
{
    char folder[32];
    if (strcmp(ev->call->name, "execve") == 0 || (int)ev->regs[0] == AT_FDCWD || path[0] == '/')
        return strcmp(name, path) == 0;
    int n = snprintf(folder, sizeof folder, "/dev/fd/%d%s", (int)ev->regs[0], path[0] != '\0' ? "/" : "");
    return strncmp(name, folder, (size_t)n) == 0 && strcmp(name + n, path) == 0;
}

/* A script's arguments have its path among them, behind the first; these could be such. */
static bool could_be_scripts(const struct event_copy *argv, const char *name)
{
    char *const *arguments = argv->data;
    for (size_t i = 1; i < argv->len; i++)
        if (strcmp(arguments[i], name) == 0)
            return true;
    return false;
}

/* How many scripts lead from what @name names to the program; or -1. */
static int count_scripts(pid_t tid, const char *name, struct script scripts[DEPTH_MAX])
{
    struct lookup l = {.tid = tid, .dirfd = AT_FDCWD, .path = name, .follow = true};
    _cleanup_close_ int exe = open_exe(tid);
    _cleanup_close_ int object = resolve(&l);
    return exe < 0 || object < 0 ? -1 : find_scripts(tid, exe, object, scripts);
}

static bool got_arguments(const struct idw_event *ev, pid_t tid, const struct strings_at *at,
                          const char *name)
{
    const struct event_copy *argv = copy_of(ev, CALL_NAME_argv);
    struct script scripts[DEPTH_MAX];
    _cleanup_strings_ struct strings direct = {0}, by_script = {0};
    if (argv == NULL)
        return true;
    if (strings_open(&direct) < 0 || strings_open(&by_script) < 0)
        return false;
    char *const *arguments = argv->data;
    add(&direct, argv->len > 0 ? arguments[0] : ""); /* the kernel's, if there is none */
    add_all(&direct, argv, 1);
    bool as_given = has_strings(tid, at->arg_start, at->arg_end, &direct);
    if (as_given && !could_be_scripts(argv, name))
        return true;
    int n = count_scripts(tid, name, scripts);
    if (n <= 0)
        return n == 0 && as_given;
    while (n-- > 0) {
        add(&by_script, scripts[n].name);
        add(&by_script, scripts[n].argument);
    }
    add(&by_script, name);
    add_all(&by_script, argv, 1);
    return has_strings(tid, at->arg_start, at->arg_end, &by_script);
}

static bool got_variables(const struct idw_event *ev, pid_t tid, const struct strings_at *at)
{
    const struct event_copy *envp = copy_of(ev, CALL_NAME_envp);
    _cleanup_strings_ struct strings all = {0};
    if (envp == NULL)
        return true;
    if (strings_open(&all) < 0)
        return false;
    add_all(&all, envp, 0);
    return has_strings(tid, at->env_start, at->env_end, &all);
}

bool program_tells(const struct idw_event *ev)
{
    if (!program_may_change(ev->call))
        return false;
    for (unsigned i = 0; i < ev->call->n_args; i++)
        if (ev->copies[i].assigned)
            return false;
    return true;
}

bool program_got_judged(const struct idw_event *ev, pid_t tid)
{
    struct strings_at at;
    _cleanup_free_ char *name = NULL;
    if (find_strings(tid, &at) < 0 || memory_read_string(tid, at.env_end, &name) < 0)
        return false;
    const struct event_copy *path = copy_of(ev, CALL_NAME_path);
    return (path == NULL || is_name_of(ev, path->data, name)) && got_variables(ev, tid, &at) &&
           got_arguments(ev, tid, &at, name);
}
