/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench_floor_trace [--exit] CALL PROGRAM [ARG...] - the least that SECCOMP_RET_TRACE with ptrace costs: a
 * tracer that lets each CALL run and looks at nothing. --exit: stops at the end of the call, too.
 */
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include "floor.h"

static int fail(const char *what)
{
    perror(what);
    return EXIT_FLOOR;
}

static int run_program(const char *call, char **argv)
{
    long nr = floor_number(call);
    (void)raise(SIGSTOP); /* until the tracer has its options set */
    if (floor_install(nr, SECCOMP_RET_TRACE, 0) < 0)
        return fail("floor_trace: seccomp");
    (void)execvp(argv[0], argv);
    return fail(argv[0]);
}

static bool stopped_by(int status, int what)
{
    return WIFSTOPPED(status) && status >> 8 == what;
}

/* One thread, no signals but the first SIGSTOP: that is all that the loop under measurement has. */
static int trace(pid_t child, bool with_exit)
{
    int status = 0;
    if (waitpid(child, &status, WUNTRACED) < 0 ||
        ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) <
            0)
        return fail("floor_trace: ptrace");
    (void)kill(child, SIGCONT);
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        bool entry = stopped_by(status, SIGTRAP | (PTRACE_EVENT_SECCOMP << 8));
        bool ours = entry || status >> 16 != 0 || stopped_by(status, SIGTRAP | 0x80);
        long pass_on = ours ? 0 : WSTOPSIG(status);
        (void)ptrace(entry && with_exit ? PTRACE_SYSCALL : PTRACE_CONT, child, NULL, pass_on);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FLOOR;
}

int main(int argc, char **argv)
{
    bool with_exit = argc > 1 && strcmp(argv[1], "--exit") == 0;

    argv += 1 + with_exit;
    argc -= 1 + with_exit;
    if (argc < 2) {
        fputs("usage: bench_floor_trace [--exit] CALL PROGRAM [ARG...]\n", stderr);
        return EXIT_FLOOR;
    }
    pid_t child = fork();
    if (child == 0)
        _exit(run_program(argv[0], argv + 1));
    return trace(child, with_exit);
}
