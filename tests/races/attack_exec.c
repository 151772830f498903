/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* execve: the path, an argument, a variable or the file behind a symbolic link is swapped; by a child of its
 * own, or by one of vfork, whose memory the swapper shares. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "race.h"

enum { STATUS_GOOD = 40, STATUS_FORBIDDEN, STATUS_REFUSED, STATUS_OTHER };

static const char *path = "./good";
static char *arguments[3] = {(char *)"witness"};
static char *variables[2];

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

int be_witness(char **argv, char **envp)
{
    char exe[4096] = "";
    bool forbidden =
        ends_with((const char *)getauxval(AT_EXECFN), "evil"); // NOLINT(performance-no-int-to-ptr)
    if (readlink("/proc/self/exe", exe, sizeof exe - 1) < 0)
        return STATUS_OTHER;
    forbidden |= ends_with(exe, "evil");
    while (*argv != NULL)
        forbidden |= ends_with(*argv++, "evil");
    while (*envp != NULL)
        forbidden |= ends_with(*envp++, "evil");
    return forbidden ? STATUS_FORBIDDEN : STATUS_GOOD;
}

/* A copy of this program. Not through a descriptor that is still open for writing: ETXTBSY. */
static void make_program(const char *name)
{
    struct stat st;
    int to = make_file(name, 0);
    int from = check(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "/proc/self/exe");
    check(fstat(from, &st), "/proc/self/exe");
    while (sendfile(to, from, NULL, (size_t)st.st_size) > 0)
        continue;
    close(from);
    close(to);
}

static void two_programs(void)
{
    make_program("good");
    make_program("evil");
    forbid_file("evil");
}

static void two_paths(void)
{
    two_programs();
    words_are("good", "evil");
    path = lead_with("./", 2);
}

static void two_symlinks(void)
{
    two_programs();
    two_links("good", "evil");
    path = "link";
}

static void two_arguments(void)
{
    two_programs();
    words_are("good", "evil");
    arguments[1] = lead_with("", 0);
}

static void two_variables(void)
{
    two_programs();
    words_are("good", "evil");
    variables[0] = lead_with("MODE=", 5);
}

/* A script; its arguments begin with its interpreter. */
static void script_arguments(void)
{
    static const char line[] = "#!./good one two\n";
    two_arguments();
    int fd = make_file("script", 0);
    check((int)write(fd, line, sizeof line - 1), "script");
    close(fd);
    path = "./script";
}

static _Noreturn void execute(void)
{
    syscall(SYS_execve, path, arguments, variables);
    _exit(errno == EPERM ? STATUS_REFUSED : STATUS_OTHER);
}

static enum outcome outcome_of(pid_t child)
{
    static const enum outcome outcomes[] = {GOOD, WIN, REFUSED, OTHER};
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return refused();
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) /* found out before its first instruction */
        return REFUSED;
    if (!WIFEXITED(status) || WEXITSTATUS(status) < STATUS_GOOD || WEXITSTATUS(status) > STATUS_OTHER)
        return OTHER;
    return outcomes[WEXITSTATUS(status) - STATUS_GOOD];
}

static enum outcome try_execve(void)
{
    pid_t child = fork();
    if (child == 0)
        execute();
    return outcome_of(child);
}

static enum outcome try_vfork(void)
{
    pid_t child = vfork();
    if (child == 0)
        execute();
    return outcome_of(child);
}

const struct attack exec_attacks[] = {
    {"exec-path", two_paths, turn_word, try_execve},
    {"exec-argument", two_arguments, turn_word, try_execve},
    {"exec-variable", two_variables, turn_word, try_execve},
    {"exec-symlink", two_symlinks, exchange_links, try_execve},
    {"vfork-path", two_paths, turn_word, try_vfork},
    {"vfork-argument", two_arguments, turn_word, try_vfork},
    {"vfork-variable", two_variables, turn_word, try_vfork},
    {"vfork-script", script_arguments, turn_word, try_vfork},
    {NULL},
};
