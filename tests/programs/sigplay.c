/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sigplay PLAY [ARG] - what signals do to a program, said on standard output.
 *
 *     count          install handlers, say "ready", then "got N" for each signal, until standard input ends
 *     die N          end by signal N, the default action
 *     fault KIND     end by a fault: segv ill fpe trap bus abort
 *     intr, restart  a read that a handler without, with SA_RESTART interrupts
 *     suspend        sigsuspend until a child's signal
 *     sleep          nanosleep that a signal interrupts: is the rest right?
 *     storm N        N rounds of calls under a timer of 1 ms: which failed?
 *     jobs           a child that stops and goes on, as waitpid tells
 *     catch-tstp     say "ready"; at SIGTSTP say "tidy", stop, then say "back"
 *     ignore-tstp    say "ready", ignore SIGTSTP, then say "line" when one came from standard input
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int pipe_fds[2];
static volatile sig_atomic_t caught;

static void say(const char *text)
{
    (void)!write(1, text, strlen(text));
}

static void on_counted(int signum)
{
    char text[] = "got   \n";
    int saved = errno;
    text[4] = (char)('0' + signum / 10);
    text[5] = (char)('0' + signum % 10);
    say(text);
    errno = saved;
}

static void on_caught(int signum)
{
    (void)signum;
    caught++;
}

/* Lets an interrupted read end: there is something to read from now on. */
static void on_write(int signum)
{
    (void)signum;
    caught++;
    (void)!write(pipe_fds[1], "x", 1);
}

static void handle(int signum, void (*handler)(int), int flags)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
    (void)sigaction(signum, &sa, NULL);
}

static void alarm_in_ms(long first, long again)
{
    struct itimerval t = {.it_value = {.tv_usec = first * 1000}, .it_interval = {.tv_usec = again * 1000}};
    (void)setitimer(ITIMER_REAL, &t, NULL);
}

static int play_count(const char *arg)
{
    const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,  SIGUSR1,      SIGUSR2,
                           SIGCONT, SIGALRM, SIGURG,  SIGWINCH, SIGRTMIN + 1, SIGRTMIN};
    char c;
    (void)arg;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        handle(signals[i], on_counted, SA_RESTART);
    say("ready\n");
    while (read(0, &c, 1) > 0)
        continue;
    say("end\n");
    return 0;
}

static int play_die(const char *arg)
{
    int signum = atoi(arg);
    sigset_t set;
    (void)signal(signum, SIG_DFL);
    (void)sigemptyset(&set);
    (void)sigprocmask(SIG_SETMASK, &set, NULL);
    say("dying\n");
    (void)kill(getpid(), signum);
    (void)usleep(1000);
    say("alive\n");
    return 0;
}

static int play_fault(const char *arg)
{
    volatile int zero = 0;
    volatile char *volatile nowhere = NULL;
    say("faulting\n");
    if (strcmp(arg, "segv") == 0)
        *nowhere = 1;
    else if (strcmp(arg, "ill") == 0)
        __asm__ volatile("ud2");
    else if (strcmp(arg, "fpe") == 0)
        __asm__ volatile("idivl %0" : : "m"(zero), "a"(1), "d"(0));
    else if (strcmp(arg, "trap") == 0)
        __asm__ volatile("int3");
    else if (strcmp(arg, "bus") == 0)
        (void)raise(SIGBUS);
    else
        abort();
    return 1;
}

static int read_interrupted(int flags)
{
    char c;
    if (pipe(pipe_fds) < 0)
        return 1;
    handle(SIGALRM, on_write, flags);
    alarm_in_ms(50, 0);
    ssize_t n = read(pipe_fds[0], &c, 1);
    printf("read = %s, caught %d\n", n == 1 ? "1" : strerrorname_np(errno), (int)caught);
    return 0;
}

static int play_intr(const char *arg)
{
    (void)arg;
    return read_interrupted(0);
}

static int play_restart(const char *arg)
{
    (void)arg;
    return read_interrupted(SA_RESTART);
}

static int play_suspend(const char *arg)
{
    sigset_t blocked, none;
    (void)arg;
    (void)sigemptyset(&none);
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &blocked, NULL);
    handle(SIGUSR1, on_caught, 0);
    pid_t child = fork();
    if (child == 0) {
        (void)kill(getppid(), SIGUSR1);
        _exit(0);
    }
    int r = sigsuspend(&none);
    printf("sigsuspend = %s, caught %d\n", r < 0 ? strerrorname_np(errno) : "0", (int)caught);
    (void)waitpid(child, NULL, 0);
    return 0;
}

static int play_sleep(const char *arg)
{
    struct timespec want = {.tv_sec = 2}, rest = {0};
    (void)arg;
    handle(SIGALRM, on_caught, 0);
    alarm_in_ms(200, 0);
    int r = nanosleep(&want, &rest);
    bool right = rest.tv_sec == 1 && rest.tv_nsec > 500000000L;
    printf("nanosleep = %s, rest %s\n", r < 0 ? strerrorname_np(errno) : "0", right ? "right" : "wrong");
    return 0;
}

static int play_storm(const char *arg)
{
    int failed[4] = {0};
    int rounds = atoi(arg);
    handle(SIGALRM, on_caught, SA_RESTART);
    alarm_in_ms(1, 1);
    for (int i = 0; i < rounds; i++) {
        char c;
        int fd = open("/dev/zero", O_RDONLY);
        failed[0] += fd < 0;
        failed[1] += read(fd, &c, 1) != 1;
        failed[2] += close(fd) != 0;
        if (i % 16 == 0) {
            int status = 0;
            pid_t child = fork();
            if (child == 0)
                _exit(7);
            failed[3] += child < 0 || waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 7;
        }
    }
    alarm_in_ms(0, 0);
    printf("failed: open %d read %d close %d fork %d\n", failed[0], failed[1], failed[2], failed[3]);
    return 0;
}

static void say_status(int status)
{
    if (WIFSTOPPED(status))
        printf("stopped by %d\n", WSTOPSIG(status));
    else if (WIFCONTINUED(status))
        printf("continued\n");
    else if (WIFSIGNALED(status))
        printf("killed by %d\n", WTERMSIG(status));
    else
        printf("exited %d\n", WEXITSTATUS(status));
}

static int play_jobs(const char *arg)
{
    const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN};
    int status = 0;
    int gate[2]; /* the next stop waits until the going on has been seen: the kernel keeps the last news only
                  */
    char byte = 0;
    (void)arg;
    if (pipe(gate) < 0)
        return 1;
    pid_t child = fork();
    if (child == 0) {
        /* A group of its own, not orphaned: else TSTP and TTIN stop nobody. */
        (void)setpgid(0, 0);
        for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
            (void)raise(stops[i]);
            (void)!read(gate[0], &byte, 1);
        }
        for (;;)
            (void)pause();
    }
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        (void)waitpid(child, &status, WUNTRACED);
        say_status(status);
        (void)kill(child, SIGCONT);
        (void)waitpid(child, &status, WCONTINUED);
        say_status(status);
        (void)!write(gate[1], &byte, 1);
    }
    (void)kill(child, SIGTERM);
    (void)waitpid(child, &status, 0);
    say_status(status);
    return 0;
}

static void on_tstp(int signum)
{
    (void)signum;
    say("tidy\n");
    (void)raise(SIGSTOP);
    say("back\n");
}

static int play_catch_tstp(const char *arg)
{
    (void)arg;
    handle(SIGTSTP, on_tstp, SA_RESTART);
    say("ready\n");
    while (pause() < 0)
        continue;
    return 0;
}

static int play_ignore_tstp(const char *arg)
{
    char line[64];
    (void)arg;
    (void)signal(SIGTSTP, SIG_IGN);
    say("ready\n");
    if (fgets(line, sizeof(line), stdin) != NULL)
        say("line\n");
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const char *arg);
} plays[] = {
    {"count", play_count},
    {"die", play_die},
    {"fault", play_fault},
    {"intr", play_intr},
    {"restart", play_restart},
    {"suspend", play_suspend},
    {"sleep", play_sleep},
    {"storm", play_storm},
    {"jobs", play_jobs},
    {"catch-tstp", play_catch_tstp},
    {"ignore-tstp", play_ignore_tstp},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(plays) / sizeof(plays[0]); i++)
        if (strcmp(plays[i].name, argv[1]) == 0)
            return plays[i].run(argc > 2 ? argv[2] : "");
    fprintf(stderr, "sigplay: no such play\n");
    return 125;
}
