/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * selfplay PLAY [ARG] - twins of the kernel's own tests of user notification
 * (tools/testing/selftests/seccomp), seen from the program that is notified about: what it does, said on
 * standard output, is the same bare and wrapped.
 *
 *     descriptors    numbers, flags and offsets of new descriptors (user_notification_addfd) rlimit opens up
 * to RLIMIT_NOFILE: nothing is created where no number is left (.._addfd_rlimit) faults         addresses at
 * the end of a page and beyond                           (.._fault_recv) storm FLAGS N  N rounds of calls
 * under a timer; FLAGS: restart, plain              (.._signal) pending FLAGS  a handler's signal arrives
 * while a slow wrapper decides             (.._wait_killable) killed SIGNAL  a child is killed while a slow
 * wrapper decides                      (.._kill_in_middle) pidns          children in two new pid namespaces
 * leave marks                      (.._child_pid_ns, sibling) threadend      the leader ends first, then the
 * threads, one by one                 (.._filter_empty_threaded) order N        processes and threads take
 * turns at calls                           (.._fifo) stopped        sleeps that SIGSTOP and SIGCONT interrupt
 * (TRACE_syscall, restart) filters        filters of its own: errno, trap, for all threads; a listener
 * (TSYNC, .._basic) unheard        opens in a loop, saying "opened" or the error, until it ends
 * (.._closed_listener)
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "selfplay.h"

static volatile sig_atomic_t caught;

static void on_caught(int signum)
{
    (void)signum;
    caught++;
}

void handle(int signum, void (*handler)(int), int flags)
{
    struct sigaction sa = {.sa_handler = handler, .sa_flags = flags};
    (void)sigaction(signum, &sa, NULL);
}

void alarm_in_ms(long first, long again)
{
    struct itimerval t = {.it_value = {.tv_usec = first * 1000}, .it_interval = {.tv_usec = again * 1000}};
    (void)setitimer(ITIMER_REAL, &t, NULL);
}

void say(const char *what, long result)
{
    if (result < 0)
        printf("%s = %s\n", what, strerrorname_np(errno));
    else
        printf("%s = %ld\n", what, result);
    (void)fflush(stdout);
}

void say_end(const char *who, pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFSIGNALED(status))
        printf("%s killed by %d\n", who, WTERMSIG(status));
    else
        printf("%s exited %d\n", who, WEXITSTATUS(status));
    (void)fflush(stdout);
}

/* What a new descriptor is like, whoever has put it there. */
static void say_descriptor(const char *what, int fd)
{
    struct stat st;
    say(what, fd);
    if (fd < 0)
        return;
    printf("  close-on-exec %d flags %#x offset %lld", fcntl(fd, F_GETFD), (unsigned)fcntl(fd, F_GETFL),
           (long long)lseek(fd, 0, SEEK_CUR));
    if (fstat(fd, &st) == 0)
        printf(" type %#o mode %#o size %lld", st.st_mode & S_IFMT, st.st_mode & 07777,
               (long long)(S_ISREG(st.st_mode) ? st.st_size : 0));
    printf("\n");
}

static int play_descriptors(const char *arg)
{
    (void)arg;
    (void)umask(027);
    say_descriptor("create", open("a", O_RDWR | O_CREAT | O_EXCL, 0666));
    (void)!write(3, "abc", 3);
    say_descriptor("again", open("a", O_RDWR | O_CREAT | O_EXCL, 0666));
    say_descriptor("close-on-exec", open("a", O_RDONLY | O_CLOEXEC));
    say_descriptor("append", open("a", O_WRONLY | O_APPEND | O_NONBLOCK));
    say_descriptor("path", open("a", O_PATH));
    say("close 4", close(4));
    say_descriptor("lowest", open(".", O_RDONLY | O_DIRECTORY));
    say_descriptor("creat", creat("b", 07777));
    say("dup2", dup2(3, 100));
    say("close 3", close(3));
    say_descriptor("lowest", open("/dev/null", O_RDWR));
    say_descriptor("truncated", open("a", O_WRONLY | O_TRUNC));
    say_descriptor("temporary", open(".", O_TMPFILE | O_RDWR, 0640));
    say_descriptor("directory written", open(".", O_WRONLY));
    say_descriptor("no directory", open("a", O_RDONLY | O_DIRECTORY));
    say_descriptor("relative to 4", openat(4, "a", O_RDONLY));
    say_descriptor("relative to nothing", openat(77, "a", O_RDONLY));
    say("mkdir", mkdir("d", 0777));
    say_descriptor("high", fcntl(open("d", O_RDONLY), F_DUPFD, 500));
    /* One open file: what one descriptor does to the offset, the other sees. */
    say("write", write(100, "defg", 4));
    say("offset", lseek(100, 0, SEEK_CUR));
    return 0;
}

static int play_rlimit(const char *arg)
{
    struct rlimit few = {.rlim_cur = 10, .rlim_max = 10};
    char name[16];
    (void)arg;
    if (setrlimit(RLIMIT_NOFILE, &few) < 0)
        return 1;
    for (int i = 0; i < 9; i++) {
        (void)snprintf(name, sizeof(name), "f%d", i);
        int fd = open(name, O_WRONLY | O_CREAT, 0600);
        say(name, fd);
        say("  is there", access(name, F_OK));
    }
    say("directory", open(".", O_RDONLY));
    say("truncate not", open("f0", O_WRONLY | O_TRUNC));
    say("close 5", close(5));
    say("reused", open("f8", O_WRONLY | O_CREAT, 0600));
    say("full again", open("f0", O_RDONLY));
    say("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    return 0;
}

/* Two pages, of which the second is not there (or, @prot, not to be written). */
static char *page_end(int prot)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(pages, 'x', 8192);
    (void)mprotect(pages + 4096, 4096, prot);
    return pages + 4096;
}

static void fault_strings(char *end)
{
    static char path[200001];
    say("unterminated", open(end - 5, O_RDONLY));
    say("unterminated, created", open(end - 5, O_WRONLY | O_CREAT, 0600));
    say("unterminated, made", mkdir(end - 3, 0700));
    memcpy(end - 5, "/tmp", 5);
    say("terminated", access(end - 5, F_OK));
    say("nowhere", open(end, O_RDONLY));
    say("null", syscall(SYS_mkdir, NULL, 0700));
    say("kernel's", chmod((const char *)(uintptr_t)0xffffffff80000000UL, 0600));
    say("not canonical", chmod((const char *)(uintptr_t)0x800000000000UL, 0600));
    say("empty", mkdir("", 0700));
    for (size_t n = 4094; n <= 4097; n++) {
        memset(path, '/', n);
        path[n] = '\0';
        say("long", access(path, F_OK));
    }
    memset(path, 'y', sizeof(path) - 1);
    say("very long", access(path, F_OK));
    path[256] = '\0';
    say("long name", access(path, F_OK));
    say("rename both", rename(end, "x"));
    say("rename one", rename("nothing", end));
    say("symlink", symlink(end - 5, end));
    say("symlink's target", symlink(end, "x"));
}

static void fault_results(char *end, char *locked)
{
    struct stat *whole = (void *)(end - sizeof(struct stat)), *cut = (void *)(end - 8);
    say("whole", stat("/tmp", whole));
    say("cut", stat("/tmp", cut));
    say("cut, of nothing", stat("/nonexistent", cut));
    say("locked", stat("/tmp", (void *)locked));
    say("null", syscall(SYS_stat, "/tmp", NULL));
    say("link", symlink("0123456789", "link"));
    say("all of it", readlink("link", end - 10, 10));
    say("some of it", readlink("link", end - 5, 5));
    say("beyond", readlink("link", end - 5, 10));
    say("locked", readlink("link", locked, 10));
    printf("  %.5s\n", end - 5);
}

static void fault_addresses(char *end)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "nobody"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char *at = end - 9;
    memcpy(at, &un, 9);
    say("connect", connect(fd, (void *)at, 9));
    say("connect beyond", connect(fd, (void *)at, 10));
    say("connect null", connect(fd, NULL, 9));
    say("connect too long", connect(fd, (void *)at, 129));
    say("connect negative", connect(fd, (void *)at, (socklen_t)-1));
    say("bind beyond", bind(fd, (void *)at, 20));
    say("bind", bind(fd, (void *)at, 9));
}

static int play_faults(const char *arg)
{
    (void)arg;
    fault_strings(page_end(PROT_NONE));
    fault_results(page_end(PROT_NONE), page_end(PROT_READ));
    fault_addresses(page_end(PROT_NONE));
    say("alive", mkdir("alive", 0700));
    return 0;
}

struct tally {
    long calls, interrupted, wrong;
};

/* @r: the result of a call that EINTR may end if it has not run, which @ran tells. */
static void count(struct tally *t, long r, bool ran)
{
    t->calls++;
    if (r < 0 && errno == EINTR && !ran)
        t->interrupted++;
    else
        t->wrong += r < 0;
}

/* The question may be interrupted, too. */
static bool is_open(int fd)
{
    int r;
    do
        r = fcntl(fd, F_GETFD);
    while (r < 0 && errno == EINTR);
    return r >= 0;
}

static void storm_close(struct tally *t, int fd)
{
    int r = close(fd), saved = errno;
    bool ran = r < 0 && !is_open(fd);
    errno = saved;
    count(t, r, ran);
    if (r < 0 && !ran)
        (void)close(fd);
}

static int play_storm(const char *arg)
{
    struct tally t = {0};
    struct stat st;
    char *end;
    handle(SIGALRM, on_caught, strncmp(arg, "restart", 7) == 0 ? SA_RESTART : 0);
    long rounds = strtol(arg + strcspn(arg, ":") + 1, &end, 10);
    alarm_in_ms(1, 1);
    for (long i = 0; i < rounds; i++) {
        int fd = open("f", O_RDWR | O_CREAT, 0600);
        count(&t, fd, false);
        if (fd >= 0)
            storm_close(&t, fd);
        int r = mkdir("d", 0700), saved = errno;
        bool ran = r < 0 && syscall(SYS_rmdir, "d") == 0;
        errno = saved;
        count(&t, r, ran);
        count(&t, stat("f", &st), false);
        if (r == 0)
            while (rmdir("d") < 0 && errno == EINTR)
                t.interrupted++;
    }
    alarm_in_ms(0, 0);
    printf("wrong %ld interrupted %ld of %ld caught %s\n", t.wrong, t.interrupted, t.calls,
           caught > 0 ? "some" : "none");
    return 0;
}

/* mkdir, at which the wrapper `slow` takes 400 ms; the alarm rings at 150. */
static int play_pending(const char *arg)
{
    static const struct {
        const char *path;
        mode_t mode;
    } slow[] = {{"by-register", 0701}, {"slow-path", 0700}, {"by-result", 0702}};
    handle(SIGALRM, on_caught, strcmp(arg, "restart") == 0 ? SA_RESTART : 0);
    for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
        caught = 0;
        alarm_in_ms(150, 0);
        say(slow[i].path, mkdir(slow[i].path, slow[i].mode));
        while (caught == 0)
            (void)usleep(10000);
        printf("caught %d\n", (int)caught);
        say("again", mkdir(slow[i].path, 0755));
    }
    return 0;
}

static int play_killed(const char *arg)
{
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            (void)!mkdir(i == 1 ? "slow-path" : "x", i == 0 ? 0701 : 0702);
            (void)pause();
        }
        (void)usleep(150000);
        (void)kill(child, atoi(arg));
        say_end("child", child);
    }
    say("alive", mkdir("alive", 0755));
    return 0;
}

static int play_unheard(const char *arg)
{
    (void)arg;
    for (int i = 0; i < 3000; i++) {
        int fd = open("/etc/passwd", O_RDONLY);
        (void)!write(1, fd < 0 ? "denied\n" : "opened\n", 7);
        if (fd >= 0)
            (void)close(fd);
        (void)usleep(20000);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const char *arg);
} plays[] = {
    {"descriptors", play_descriptors},
    {"rlimit", play_rlimit},
    {"faults", play_faults},
    {"storm", play_storm},
    {"pending", play_pending},
    {"killed", play_killed},
    {"pidns", play_pidns},
    {"order", play_order},
    {"threadend", play_threadend},
    {"stopped", play_stopped},
    {"filters", play_filters},
    {"tracer", play_tracer},
    {"unheard", play_unheard},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof(plays) / sizeof(plays[0]); i++)
        if (strcmp(plays[i].name, argv[1]) == 0)
            return plays[i].run(argc > 2 ? argv[2] : "");
    fprintf(stderr, "selfplay: no such play\n");
    return 125;
}
