/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * blockplay PLAY [ARG] - calls that wait for somebody else, and what reaches the one who waits. Said on
 * standard output; times only as "in time" or not.
 *
 *     process         open of a FIFO, which waits for a process that opens the other end
 *     thread          the same, for a thread of this process, that makes many calls before
 *     many N          N threads, each at a FIFO of its own
 *     handler FLAGS   a handler's signal while open waits; FLAGS: restart, plain
 *     timer           ten signals with SA_RESTART, then the other end is opened
 *     default SIGNAL  a child that waits gets a signal that it does not handle
 *     ignored         ... that it ignores, and SIGCHLD and SIGWINCH, which do nothing by default
 *     masked          ... that it has blocked
 *     stop            ... SIGSTOP, later SIGCONT: it waits on
 *     connect         a stream socket whose queue is full: until somebody accepts
 *     connect-handler the same, until a signal; FLAGS as above
 *     connect-tcp     the same on the loopback, and connect once more after the signal
 *     lease           open of a file that another process has a lease on
 *     others          while eight processes wait, calls of another one are not slow
 *     cancel          a thread that waits is cancelled
 *     wait NAME       say "ready", then open NAME for reading
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static struct timespec begin;

static void say(const char *what, long result)
{
    if (result < 0)
        printf("%s = %s\n", what, strerrorname_np(errno));
    else
        printf("%s = %ld\n", what, result);
    (void)fflush(stdout);
}

static void start_clock(void)
{
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
}

static long clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000;
}

/* What should take @ms has; the upper bound leaves room for a busy machine. */
static void say_time(long ms)
{
    long took = clock_ms();
    if (took >= ms - 10 && took < ms + 1000)
        printf("  in time\n");
    else
        printf("  after %ld ms, not %ld\n", took, ms);
    (void)fflush(stdout);
}

static void sleep_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};
    while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
        continue;
}

static void handle(int signum, void (*handler)(int), const char *flags)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = strcmp(flags, "restart") == 0 ? SA_RESTART : 0};
    (void)sigaction(signum, &sa, NULL);
}

static void alarm_in_ms(long first, long again)
{
    struct itimerval t = {.it_value = {.tv_usec = first * 1000}, .it_interval = {.tv_usec = again * 1000}};
    (void)setitimer(ITIMER_REAL, &t, NULL);
}

static void on_caught(int signum)
{
    (void)signum;
    caught++;
}

/* From the second signal on the other end is open, so that a restarted open ends. */
static void on_caught_open(int signum)
{
    (void)signum;
    if (++caught == 2)
        (void)open("fifo", O_RDWR | O_NONBLOCK);
}

static void say_end(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status))
        printf("child killed by %d\n", WTERMSIG(status));
    else
        printf("child exited %d\n", WEXITSTATUS(status));
    (void)fflush(stdout);
}

static int read_one(const char *name)
{
    char c = '?';
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        return -1;
    if (read(fd, &c, 1) != 1 || c != 'x')
        return -1;
    return close(fd);
}

static int write_one(const char *name)
{
    int fd = open(name, O_WRONLY);
    if (fd < 0)
        return -1;
    (void)!write(fd, "x", 1);
    return close(fd);
}

/* A child that waits at `fifo` and ends with 0, or the errno that it got. */
static pid_t waiting_child(const sigset_t *mask)
{
    pid_t child = fork();
    if (child == 0) {
        if (mask != NULL)
            (void)sigprocmask(SIG_BLOCK, mask, NULL);
        _exit(read_one("fifo") < 0 ? errno : 0);
    }
    return child;
}

static int play_process(const char *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        pid_t child = waiting_child(NULL);
        sleep_ms(i * 100);
        start_clock();
        say("wrote", write_one("fifo"));
        say_time(0);
        say_end(child);
    }
    /* The other way round: the writer waits for a reader. */
    pid_t child = fork();
    if (child == 0) {
        _exit(write_one("fifo") < 0 ? errno : 0);
    }
    sleep_ms(100);
    say("read", read_one("fifo"));
    say_end(child);
    return 0;
}

static void *read_in_thread(void *name)
{
    return read_one(name) == 0 ? NULL : name;
}

static int play_thread(const char *arg)
{
    pthread_t t;
    struct stat st;
    void *failed = NULL;
    (void)arg;
    (void)pthread_create(&t, NULL, read_in_thread, "fifo");
    sleep_ms(100);
    start_clock();
    for (int i = 0; i < 200; i++) {
        int fd = open("other", O_RDWR | O_CREAT, 0600);
        if (fd < 0 || close(fd) < 0 || stat("other", &st) < 0)
            say("other", -1);
    }
    say("wrote", write_one("fifo"));
    say_time(0);
    (void)pthread_join(t, &failed);
    printf("thread read%s\n", failed ? " nothing" : "");
    return 0;
}

static int play_many(const char *arg)
{
    int n = atoi(arg), failures = 0;
    pthread_t *threads = calloc((size_t)n, sizeof(*threads));
    char(*names)[16] = calloc((size_t)n, sizeof(*names));
    for (int i = 0; i < n; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "fifo%d", i);
        failures += mkfifo(names[i], 0600) < 0;
        failures += pthread_create(&threads[i], NULL, read_in_thread, names[i]) != 0;
    }
    sleep_ms(300);
    start_clock();
    for (int i = n - 1; i >= 0; i--)
        failures += write_one(names[i]) < 0;
    for (int i = 0; i < n; i++) {
        void *failed = NULL;
        (void)pthread_join(threads[i], &failed);
        failures += failed != NULL;
    }
    say_time(0);
    printf("failures %d\n", failures);
    return 0;
}

static int play_handler(const char *arg)
{
    handle(SIGALRM, on_caught_open, arg);
    start_clock();
    alarm_in_ms(100, 100);
    int fd = open("fifo", O_RDONLY);
    alarm_in_ms(0, 0);
    say("open", fd);
    printf("caught %d\n", (int)caught);
    say_time(strcmp(arg, "restart") == 0 ? 200 : 100);
    return 0;
}

static int play_timer(const char *arg)
{
    (void)arg;
    handle(SIGALRM, on_caught, "restart");
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(550);
        _exit(write_one("fifo") < 0);
    }
    start_clock();
    alarm_in_ms(50, 50);
    int r = read_one("fifo");
    alarm_in_ms(0, 0);
    say("read", r);
    say_time(550);
    printf("caught %s\n", caught >= 8 && caught <= 40 ? "all" : "too few or too many");
    say_end(child);
    return 0;
}

static int play_default(const char *arg)
{
    for (int i = 0; i < 3; i++) {
        pid_t child = waiting_child(NULL);
        sleep_ms(i * 100);
        start_clock();
        (void)kill(child, atoi(arg));
        say_end(child);
        say_time(0);
    }
    return 0;
}

static int play_ignored(const char *arg)
{
    (void)arg;
    (void)signal(SIGUSR1, SIG_IGN);
    pid_t child = waiting_child(NULL);
    sleep_ms(100);
    (void)kill(child, SIGUSR1);
    (void)kill(child, SIGCHLD);
    (void)kill(child, SIGWINCH);
    (void)kill(child, SIGCONT);
    sleep_ms(100);
    say("gone yet", waitpid(child, NULL, WNOHANG));
    say("wrote", write_one("fifo"));
    say_end(child);
    return 0;
}

static int play_masked(const char *arg)
{
    sigset_t set;
    (void)arg;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    pid_t child = waiting_child(&set);
    sleep_ms(100);
    (void)kill(child, SIGTERM);
    sleep_ms(100);
    say("gone yet", waitpid(child, NULL, WNOHANG));
    say("wrote", write_one("fifo"));
    say_end(child);
    return 0;
}

static int play_stop(const char *arg)
{
    int status = 0;
    pid_t child = waiting_child(NULL);
    (void)arg;
    for (int i = 0; i < 2; i++) {
        sleep_ms(100);
        start_clock();
        (void)kill(child, SIGSTOP);
        (void)waitpid(child, &status, WUNTRACED);
        printf("stopped %d\n", WIFSTOPPED(status));
        (void)kill(child, SIGCONT);
        (void)waitpid(child, &status, WCONTINUED);
        printf("continued %d\n", WIFCONTINUED(status));
        say_time(0);
    }
    say("wrote", write_one("fifo"));
    say_end(child);
    return 0;
}

/* A listening socket whose queue is full. */
static int full_socket(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    say("bind", bind(listener, (void *)&un, sizeof(un)));
    say("listen", listen(listener, 0));
    say("connect", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&un, sizeof(un)));
    return listener;
}

static int connect_once_more(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "socket"};
    return connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&un, sizeof(un));
}

static void *accept_late(void *listener)
{
    sleep_ms(200);
    (void)accept(*(int *)listener, NULL, NULL);
    return NULL;
}

static int play_connect(const char *arg)
{
    int listener = full_socket();
    pthread_t t;
    (void)arg;
    start_clock();
    (void)pthread_create(&t, NULL, accept_late, &listener);
    say("connect, blocked", connect_once_more());
    say_time(200);
    (void)pthread_join(t, NULL);
    pid_t child = fork();
    if (child == 0) {
        _exit(connect_once_more() < 0 ? errno : 0);
    }
    sleep_ms(100);
    say("accept", accept(listener, NULL, NULL) >= 0 ? 0 : -1);
    say_end(child);
    return 0;
}

static int play_connect_handler(const char *arg)
{
    (void)full_socket();
    handle(SIGALRM, on_caught, arg);
    start_clock();
    alarm_in_ms(100, 0);
    say("connect, blocked", connect_once_more());
    printf("caught %d\n", (int)caught);
    say_time(100);
    return 0;
}

static int play_connect_tcp(const char *arg)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sin);
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)arg;
    (void)bind(listener, (void *)&sin, len);
    (void)listen(listener, 0);
    (void)getsockname(listener, (void *)&sin, &len);
    say("connect", connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&sin, len));
    handle(SIGALRM, on_caught, "plain");
    start_clock();
    alarm_in_ms(150, 0);
    say("connect, blocked", connect(fd, (void *)&sin, len));
    say_time(150);
    printf("caught %d\n", (int)caught);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    say("connect again", connect(fd, (void *)&sin, len));
    return 0;
}

static volatile sig_atomic_t lease_fd;

static void on_lease(int signum)
{
    (void)signum;
    sleep_ms(150);
    (void)fcntl(lease_fd, F_SETLEASE, F_UNLCK);
    caught++;
}

static int play_lease(const char *arg)
{
    (void)arg;
    handle(SIGIO, on_lease, "restart");
    lease_fd = open("leased", O_RDWR | O_CREAT, 0600);
    say("lease", fcntl(lease_fd, F_SETLEASE, F_WRLCK));
    pid_t child = fork();
    if (child == 0) {
        (void)close(lease_fd);
        start_clock();
        say("nonblocking", open("leased", O_RDONLY | O_NONBLOCK));
        say("open", open("leased", O_RDONLY) >= 0 ? 0 : -1);
        say_time(150);
        _exit(0);
    }
    say_end(child);
    printf("caught %d\n", (int)caught);
    return 0;
}

static int play_others(const char *arg)
{
    pid_t children[8];
    struct stat st;
    (void)arg;
    for (size_t i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            (void)!read_one("fifo");
            _exit(1);
        }
    }
    sleep_ms(200);
    start_clock();
    for (int i = 0; i < 500; i++) {
        int fd = open("other", O_RDWR | O_CREAT, 0600);
        if (fd < 0 || close(fd) < 0 || stat("other", &st) < 0)
            say("other", -1);
    }
    say_time(0);
    for (size_t i = 0; i < 8; i++)
        (void)kill(children[i], SIGKILL);
    for (size_t i = 0; i < 8; i++)
        say_end(children[i]);
    return 0;
}

static int play_cancel(const char *arg)
{
    pthread_t t;
    void *result = NULL;
    (void)arg;
    (void)pthread_create(&t, NULL, read_in_thread, "fifo");
    sleep_ms(100);
    start_clock();
    say("cancel", pthread_cancel(t));
    (void)pthread_join(t, &result);
    printf("cancelled %d\n", result == PTHREAD_CANCELED);
    say_time(0);
    return 0;
}

static int play_wait(const char *arg)
{
    printf("ready\n");
    (void)fflush(stdout);
    say("read", read_one(arg));
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const char *arg);
} plays[] = {
    {"process", play_process}, {"thread", play_thread}, {"many", play_many},
    {"handler", play_handler}, {"timer", play_timer},   {"default", play_default},
    {"ignored", play_ignored}, {"masked", play_masked}, {"stop", play_stop},
    {"connect", play_connect}, {"lease", play_lease},   {"connect-handler", play_connect_handler},
    {"others", play_others},   {"cancel", play_cancel}, {"connect-tcp", play_connect_tcp},
    {"wait", play_wait},
};

int main(int argc, char **argv)
{
    (void)mkfifo("fifo", 0666);
    for (size_t i = 0; argc > 1 && i < sizeof(plays) / sizeof(plays[0]); i++)
        if (strcmp(plays[i].name, argv[1]) == 0)
            return plays[i].run(argc > 2 ? argv[2] : "");
    fprintf(stderr, "blockplay: no such play\n");
    return 125;
}
