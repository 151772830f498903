/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fsplay OP [ARG...] OP [ARG...] ... - perform file operations in order and say the result of each.
 *
 *     fsplay creat F chmod F 600              "creat F = 0", "chmod F 600 = 0"
 *     fsplay creat F fork chmod F 600         the rest runs in a child, which the parent waits for
 *     fsplay creat F child chmod F 600 end stat F   the operations up to `end` run in a child, then the
 * parent goes on
 *
 * Operations that open leave their descriptor as the current one, which fchmod, fstat, read, write and close
 * use. A failure is said ("= EPERM") and the next operation follows. Exit status: the number of failures.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int current = -1;
static int failures;

static int opened(int fd)
{
    if (fd < 0)
        return -1;
    if (current >= 0)
        (void)close(current);
    current = fd;
    return 0;
}

static mode_t octal(const char *text)
{
    return (mode_t)strtoul(text, NULL, 8);
}

static int do_creat(char **a)
{
    return opened(open(a[0], O_WRONLY | O_CREAT | O_TRUNC, 0644));
}

static int do_creat_call(char **a)
{
    return opened(creat(a[0], 0644));
}

static int do_creat_excl(char **a)
{
    return opened(open(a[0], O_RDWR | O_CREAT | O_EXCL, 0600));
}

static int do_open_ro(char **a)
{
    return opened(open(a[0], O_RDONLY));
}

static int do_open_old(char **a)
{
    return opened((int)syscall(SYS_open, a[0], O_RDONLY));
}

static int do_openat2_ro(char **a)
{
    struct open_how how = {.flags = O_RDONLY};
    return opened((int)syscall(SYS_openat2, AT_FDCWD, a[0], &how, sizeof(how)));
}

static int do_open_rw(char **a)
{
    return opened(open(a[0], O_RDWR));
}

static int do_open_wo(char **a)
{
    return opened(open(a[0], O_WRONLY));
}

static int do_chmod(char **a)
{
    return chmod(a[0], octal(a[1]));
}

static int do_fchmod(char **a)
{
    return fchmod(current, octal(a[0]));
}

static int do_fchmodat(char **a)
{
    int dir = open(a[0], O_PATH | O_DIRECTORY);
    int r = dir < 0 ? -1 : fchmodat(dir, a[1], octal(a[2]), 0);
    int saved = errno;
    if (dir >= 0)
        (void)close(dir);
    errno = saved;
    return r;
}

static int do_stat(char **a)
{
    struct stat st;
    return stat(a[0], &st);
}

static int do_lstat(char **a)
{
    struct stat st;
    return lstat(a[0], &st);
}

static int do_fstat(char **a)
{
    struct stat st;
    (void)a;
    return fstat(current, &st);
}

static int do_mode(char **a)
{
    struct stat st;
    if (stat(a[0], &st) < 0)
        return -1;
    printf("mode %s %03o\n", a[0], (unsigned)(st.st_mode & 07777));
    return 0;
}

static int do_read(char **a)
{
    char buf[4096];
    ssize_t n = read(current, buf, sizeof(buf));
    (void)a;
    if (n > 0)
        printf("data %.*s\n", (int)strcspn(buf, "\n") < (int)n ? (int)strcspn(buf, "\n") : (int)n, buf);
    return n < 0 ? -1 : 0;
}

static int do_write(char **a)
{
    return write(current, a[0], strlen(a[0])) < 0 ? -1 : 0;
}

static int do_close(char **a)
{
    int fd = current;
    (void)a;
    current = -1;
    return close(fd);
}

static int do_mkdir(char **a)
{
    return mkdir(a[0], 0755);
}

/* A mode that the wrapper verdicts_notify kills for. */
static int do_mkdir_733(char **a)
{
    (void)a;
    return mkdir("killed", 0733);
}

static int do_chdir(char **a)
{
    return chdir(a[0]);
}

static int do_link(char **a)
{
    return link(a[0], a[1]);
}

static int do_symlink(char **a)
{
    return symlink(a[0], a[1]);
}

static int do_rename(char **a)
{
    return rename(a[0], a[1]);
}

static int do_unlink(char **a)
{
    return unlink(a[0]);
}

static int do_umask(char **a)
{
    (void)umask(octal(a[0]));
    return 0;
}

static int do_setuid(char **a)
{
    return setuid((uid_t)atoi(a[0]));
}

static int do_socket(char **a)
{
    return opened(socket(atoi(a[0]), SOCK_STREAM, 0));
}

static int do_getppid(char **a)
{
    (void)a;
    return getppid() < 0 ? -1 : 0;
}

static int do_sleep(char **a)
{
    return usleep((useconds_t)atoi(a[0]) * 1000);
}

static int do_say(char **a)
{
    printf("%s\n", a[0]);
    return 0;
}

static int do_execve(char **a)
{
    char *argv[] = {a[0], NULL};
    char *envp[] = {NULL};
    (void)fflush(stdout);
    return execve(a[0], argv, envp);
}

static const struct op {
    const char *name;
    int n_args;
    int (*run)(char **args);
} ops[] = {
    {"creat", 1, do_creat},     {"creat-call", 1, do_creat_call}, {"creat-excl", 1, do_creat_excl},
    {"open-ro", 1, do_open_ro}, {"open-old", 1, do_open_old},     {"openat2-ro", 1, do_openat2_ro},
    {"open-rw", 1, do_open_rw}, {"open-wo", 1, do_open_wo},       {"chmod", 2, do_chmod},
    {"fchmod", 1, do_fchmod},   {"fchmodat", 3, do_fchmodat},     {"stat", 1, do_stat},
    {"lstat", 1, do_lstat},     {"fstat", 0, do_fstat},           {"mode", 1, do_mode},
    {"read", 0, do_read},       {"write", 1, do_write},           {"close", 0, do_close},
    {"mkdir", 1, do_mkdir},     {"mkdir-733", 0, do_mkdir_733},   {"chdir", 1, do_chdir},
    {"link", 2, do_link},       {"symlink", 2, do_symlink},       {"rename", 2, do_rename},
    {"unlink", 1, do_unlink},   {"umask", 1, do_umask},           {"setuid", 1, do_setuid},
    {"socket", 1, do_socket},   {"getppid", 0, do_getppid},       {"sleep", 1, do_sleep},
    {"say", 1, do_say},         {"execve", 1, do_execve},
};

static void run_ops(char **args);

static const struct op *op_named(const char *name)
{
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        if (strcmp(ops[i].name, name) == 0)
            return &ops[i];
    fprintf(stderr, "fsplay: no operation %s\n", name);
    exit(125);
}

static char **run_one(char **args)
{
    const struct op *op = op_named(args[0]);
    char **next = args + 1;
    errno = 0;
    int r = op->run(args + 1);
    const char *result = r < 0 ? strerrorname_np(errno) : "0";
    failures += r < 0;
    printf("%s", args[0]);
    for (int i = 0; i < op->n_args; i++)
        printf(" %s", *next++);
    printf(" = %s\n", result);
    (void)fflush(stdout);
    return next;
}

static void wait_for(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status))
        printf("child killed by %d\n", WTERMSIG(status));
    failures += WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The operations up to the matching `end` in a child; returns what follows. */
static char **run_child(char **args)
{
    char **end = args;
    for (int depth = 1; *end != NULL; end++) {
        depth += strcmp(*end, "child") == 0;
        depth -= strcmp(*end, "end") == 0;
        if (depth == 0)
            break;
    }
    pid_t child = fork();
    if (child == 0) {
        failures = 0;
        if (*end != NULL)
            *end = NULL;
        run_ops(args);
        exit(failures);
    }
    wait_for(child);
    return *end != NULL ? end + 1 : end;
}

static void *run_thread(void *args)
{
    run_ops(args);
    return NULL;
}

static void run_ops(char **args)
{
    while (*args != NULL) {
        if (strcmp(*args, "child") == 0) {
            args = run_child(args + 1);
        } else if (strcmp(*args, "fork") == 0) {
            pid_t child = fork();
            if (child != 0) {
                wait_for(child);
                return;
            }
            failures = 0;
            args++;
        } else if (strcmp(*args, "thread") == 0) {
            pthread_t t;
            if (pthread_create(&t, NULL, run_thread, args + 1) == 0)
                (void)pthread_join(t, NULL);
            return;
        } else {
            args = run_one(args);
        }
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    run_ops(argv + 1);
    return failures > 99 ? 99 : failures;
}
