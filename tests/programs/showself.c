/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * showself [ARG...] - say everything that a program inherits, one "name: value" a line, in a form that is the
 * same for two runs started alike: no pids, no inode numbers of pipes. What is said goes to the descriptor in
 * SHOWSELF_FD (default 1), so that it can be asked with standard output closed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void show_words(FILE *out, char **argv)
{
    char cwd[PATH_MAX];
    for (int i = 0; argv[i] != NULL; i++)
        fprintf(out, "argv[%d]: %s\n", i, argv[i]);
    for (int i = 0; environ[i] != NULL; i++)
        fprintf(out, "environ[%d]: %s\n", i, environ[i]);
    fprintf(out, "cwd: %s\n", getcwd(cwd, sizeof(cwd)) != NULL ? cwd : strerrorname_np(errno));
}

static const char *kind_of(mode_t mode)
{
    return S_ISREG(mode)    ? "file"
           : S_ISFIFO(mode) ? "pipe"
           : S_ISSOCK(mode) ? "socket"
           : S_ISCHR(mode)  ? "character device"
           : S_ISDIR(mode)  ? "directory"
                            : "other";
}

static void show_descriptor(FILE *out, int fd)
{
    struct stat st;
    char path[64], target[PATH_MAX];
    int status = fcntl(fd, F_GETFL), own = fcntl(fd, F_GETFD);

    if (fstat(fd, &st) < 0)
        return;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    target[n > 0 ? n : 0] = '\0';
    fprintf(out, "fd %d: %s flags %#o fd-flags %d offset %lld terminal %d %s\n", fd, kind_of(st.st_mode),
            (unsigned)status, own, (long long)lseek(fd, 0, SEEK_CUR), isatty(fd),
            target[0] == '/' ? target : "");
}

/* Numbers are tried, not listed: a listing would show the descriptor that lists; both must agree. */
static void show_descriptors(FILE *out)
{
    int counted = 0, listed = 0;
    for (int fd = 0; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0) {
            show_descriptor(out, fd);
            counted++;
        }
    DIR *d = opendir("/proc/self/fd");
    if (d != NULL) {
        while (readdir(d) != NULL)
            listed++;
        (void)closedir(d);
    }
    fprintf(out, "descriptors: %d, more than that listed: %d\n", counted, listed - counted);
}

static void show_status_lines(FILE *out)
{
    static const char *const wanted[] = {"Uid:",       "Gid:",    "Groups:", "SigPnd:", "ShdPnd:",
                                         "SigBlk:",    "SigIgn:", "SigCgt:", "CapInh:", "CapPrm:",
                                         "CapEff:",    "CapBnd:", "CapAmb:", "Umask:",  "Cpus_allowed_list:",
                                         "TracerPid:", "Threads:"};
    char line[4096];
    FILE *f = fopen("/proc/self/status", "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
            if (strncmp(line, wanted[i], strlen(wanted[i])) == 0 &&
                (strcmp(wanted[i], "TracerPid:") != 0 || getenv("SHOWSELF_TRACER") != NULL))
                fputs(line, out);
    if (f != NULL)
        (void)fclose(f);
}

static void show_limits(FILE *out)
{
    for (int r = 0; r < RLIM_NLIMITS; r++) {
        struct rlimit l;
        if (getrlimit((__rlimit_resource_t)r, &l) == 0)
            fprintf(out, "rlimit %d: %llu %llu\n", r, (unsigned long long)l.rlim_cur,
                    (unsigned long long)l.rlim_max);
    }
}

static void show_oom(FILE *out)
{
    char text[32] = "";
    FILE *f = fopen("/proc/self/oom_score_adj", "re");
    if (f != NULL && fgets(text, sizeof(text), f) != NULL)
        fprintf(out, "oom_score_adj: %s", text);
    if (f != NULL)
        (void)fclose(f);
}

static void show_process(FILE *out)
{
    struct itimerval timer = {0};
    int pdeath = -1, subreaper = -1;
    (void)getitimer(ITIMER_REAL, &timer);
    (void)prctl(PR_GET_PDEATHSIG, &pdeath);
    (void)prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    fprintf(out, "nice: %d\nscheduler: %d\npersonality: %#x\n", getpriority(PRIO_PROCESS, 0),
            sched_getscheduler(0), (unsigned)personality(0xffffffff));
    fprintf(out, "timer: %d\npdeathsig: %d\nsubreaper: %d\ndumpable: %d\n", timer.it_value.tv_sec != 0,
            pdeath, subreaper, prctl(PR_GET_DUMPABLE));
    fprintf(out, "secure: %lu\ntimerslack: %d\nsecurebits: %d\n", getauxval(AT_SECURE),
            prctl(PR_GET_TIMERSLACK), prctl(PR_GET_SECUREBITS));
    fprintf(out, "foreground: %d\n", tcgetpgrp(0) == getpgrp());
    fprintf(out, "a child is waiting: %d\n", waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD);
}

int main(int argc, char **argv)
{
    const char *where = getenv("SHOWSELF_FD");
    int fd = where != NULL ? atoi(where) : 1;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    (void)argc;
    if (out == NULL)
        return 1;
    show_words(out, argv);
    show_descriptors(out);
    show_status_lines(out);
    show_limits(out);
    show_process(out);
    show_oom(out);
    if (fclose(out) != 0 || write(fd, text, size) != (ssize_t)size)
        return 1;
    free(text);
    return 0;
}
