/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rewriteplay [-t THREADS] [-n ROUNDS] [-s] [-f] [-H] PIECE... - calls that wrappers rewrite (rewriteplay.h).
 *
 *     rewriteplay open-longer         "open-longer: rewritten 0"
 *
 * -t, -n   so many threads play the pieces so many times each; what they say is said once, and must be the
 * same -s       under a timer of 2 ms, whose handler makes such a call, too -f       while another thread
 * forks, vforks and execs -H       while another thread hunts for memory that the supervisor has put here,
 * and tries to change it rewriteplay vforks N   N children by vfork that exec: "mappings" and "descriptors",
 * whether there are more than before In the end "clobbered N": registers and memory of the caller that were
 * not as before.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "rawcall.h"
#include "rewriteplay.h"

int clobbered;
static int threads = 1, rounds = 1;
static bool signals, forks, hunt;
static volatile bool over;
static const struct piece *chosen[64];
static int n_chosen, n_different;
static char first_said[64][SAID_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

long checked_call(long nr, int n, ...)
{
    uint64_t before[6], after[6];
    va_list args;
    va_start(args, n);
    for (int i = 0; i < 6; i++)
        before[i] = i < n ? va_arg(args, uint64_t) : 0x5a5a00000000a5a5UL + (uint64_t)i;
    va_end(args);
    memcpy(after, before, sizeof(after));
    long r = raw_call(nr, after);
    kept(after, before, sizeof(after));
    if (r < 0 && r >= -4095) {
        errno = (int)-r;
        return -1;
    }
    return r;
}

void kept(const void *what, const void *as, size_t size)
{
    if (memcmp(what, as, size) != 0)
        __atomic_add_fetch(&clobbered, 1, __ATOMIC_RELAXED);
}

void said_text(char *said, const char *format, ...)
{
    size_t used = strlen(said);
    va_list args;
    va_start(args, format);
    (void)snprintf(said + used, SAID_MAX - used, "%s", used > 0 ? " " : "");
    used = strlen(said);
    (void)vsnprintf(said + used, SAID_MAX - used, format, args);
    va_end(args);
}

void said_result(char *said, long result)
{
    if (result < 0)
        said_text(said, "%s", strerrorname_np(errno));
    else
        said_text(said, "%ld", result);
}

void put_file(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    (void)!pwrite(fd, text, strlen(text), 0);
    (void)close(fd);
}

void said_fd(char *said, int fd)
{
    char text[128] = "";
    if (fd < 0) {
        said_result(said, -1);
        return;
    }
    (void)!pread(fd, text, sizeof(text) - 1, 0);
    said_text(said, "%s", text);
    (void)close(fd);
}

void said_file(char *said, const char *name)
{
    said_fd(said, open(name, O_RDONLY));
}

static const struct piece *piece_named(const char *name)
{
    for (const struct piece *p = file_pieces; p->name != NULL; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    for (const struct piece *p = other_pieces; p->name != NULL; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    fprintf(stderr, "rewriteplay: no piece %s\n", name);
    exit(125);
}

/* What a piece says has its id in it as "#": the same for all threads. */
static void tell(int which, int id, const char *text)
{
    char number[16], plain[SAID_MAX] = "";
    const char *at;
    (void)snprintf(number, sizeof(number), "<%d>", id);
    at = strstr(text, number);
    if (at != NULL)
        (void)snprintf(plain, sizeof(plain), "%.*s#%s", (int)(at - text), text, at + strlen(number));
    else
        (void)snprintf(plain, sizeof(plain), "%s", text);
    (void)pthread_mutex_lock(&lock);
    if (first_said[which][0] == '\0')
        (void)strcpy(first_said[which], plain);
    else if (strcmp(first_said[which], plain) != 0 && n_different++ < 5)
        printf("%s: and then %s\n", chosen[which]->name, plain);
    (void)pthread_mutex_unlock(&lock);
}

static void *play_all(void *arg)
{
    int id = (int)(intptr_t)arg;
    for (int i = 0; i < rounds; i++)
        for (int which = 0; which < n_chosen; which++) {
            char said[SAID_MAX] = "";
            chosen[which]->play(id, said);
            tell(which, id, said);
        }
    return NULL;
}

static void on_alarm(int signum)
{
    char path[] = "from-handler";
    int saved = errno;
    (void)signum;
    int fd = (int)checked_call(SYS_open, 2, ARG(path), ARG(O_RDONLY));
    if (fd >= 0)
        (void)close(fd);
    errno = saved;
}

static void vfork_true(void)
{
    pid_t child = vfork();
    if (child == 0) {
        (void)execl("/bin/true", "true", NULL);
        _exit(0);
    }
    (void)waitpid(child, NULL, 0);
}

static void *fork_all_along(void *arg)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (!over) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        (void)waitpid(child, NULL, 0);
        vfork_true();
        (void)usleep(2000);
    }
    return arg;
}

/* Everything that could make [start, end) hold other bytes: how many of these ways worked? */
static int attack(char *start, size_t size)
{
    static char bad[64];
    struct iovec own = {bad, sizeof(bad)}, there = {start, sizeof(bad)};
    int mem = open("/proc/self/mem", O_RDWR), wins = 0;
    memset(bad, 'Z', sizeof(bad));
    wins += mprotect(start, size, PROT_READ | PROT_WRITE) == 0;
    wins += mem >= 0 && pwrite(mem, bad, sizeof(bad), (off_t)(uintptr_t)start) > 0;
    wins += process_vm_writev(getpid(), &own, 1, &there, 1, 0) > 0;
    wins += mmap(start, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
            MAP_FAILED;
    wins += mremap(start, size, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, (char *)0x700000000000) != MAP_FAILED;
    wins += munmap(start, 4096) == 0;
    wins += madvise(start, size, MADV_REMOVE) == 0;
    (void)madvise(start, size, MADV_DONTNEED); /* which loses nothing of a shared mapping */
    if (mem >= 0)
        (void)close(mem);
    return wins;
}

/* Shared mappings; this program has none of its own. */
static void *hunter(void *arg)
{
    int *wins = arg;
    char line[512];
    while (!over) {
        FILE *maps = fopen("/proc/self/maps", "r");
        while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
            unsigned long start, end;
            char mode[8];
            if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) == 3 && mode[3] == 's') {
                wins[0]++;
                wins[1] += attack((char *)start, end - start);
            }
        }
        if (maps != NULL)
            (void)fclose(maps);
    }
    return NULL;
}

static int lines_of(const char *name)
{
    int n = 0, c;
    FILE *f = fopen(name, "r");
    while (f != NULL && (c = fgetc(f)) != EOF)
        n += c == '\n';
    if (f != NULL)
        (void)fclose(f);
    return n;
}

static int entries_of(const char *name)
{
    int n = 0;
    DIR *d = opendir(name);
    while (d != NULL && readdir(d) != NULL)
        n++;
    if (d != NULL)
        (void)closedir(d);
    return n;
}

static void vfork_once(void)
{
    char path[] = "from-exec", *argv[] = {path, NULL}, *envp[] = {NULL};
    int status = 0;
    pid_t child = vfork();
    if (child == 0) {
        (void)execve(path, argv, envp);
        _exit(126);
    }
    (void)waitpid(child, &status, 0);
    kept(path, "from-exec", sizeof(path));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        n_different++;
}

static int play_vforks(int n)
{
    (void)!symlink("/bin/false", "from-exec");
    (void)!symlink("/bin/true", "into-a-name-that-is-quite-a-bit-longer-than-it-was-before-exec");
    vfork_once();
    int lines = lines_of("/proc/self/maps"), fds = entries_of("/proc/self/fd");
    for (int i = 1; i < n; i++)
        vfork_once();
    printf("mappings %+d\ndescriptors %+d\n", lines_of("/proc/self/maps") - lines,
           entries_of("/proc/self/fd") - fds);
    printf("not rewritten %s\n", n_different == n ? "all" : n_different == 0 ? "none" : "some");
    printf("clobbered %d\n", clobbered);
    return 0;
}

static void play_threads(void)
{
    pthread_t t[64], helper;
    int wins[2] = {0};
    if (forks || hunt)
        (void)pthread_create(&helper, NULL, forks ? fork_all_along : hunter, wins);
    for (int i = 1; i < threads && i < 64; i++)
        (void)pthread_create(&t[i], NULL, play_all, (void *)(intptr_t)i);
    (void)play_all(NULL);
    for (int i = 1; i < threads && i < 64; i++)
        (void)pthread_join(t[i], NULL);
    over = true;
    if (forks || hunt)
        (void)pthread_join(helper, NULL);
    if (hunt)
        printf("hunted %s won %d\n", wins[0] > 0 ? "some" : "none", wins[1]);
}

int main(int argc, char **argv)
{
    struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    if (argc == 3 && strcmp(argv[1], "vforks") == 0)
        return play_vforks(atoi(argv[2]));
    for (int c; (c = getopt(argc, argv, "t:n:sfH")) != -1;) {
        threads = c == 't' ? atoi(optarg) : threads;
        rounds = c == 'n' ? atoi(optarg) : rounds;
        signals |= c == 's';
        forks |= c == 'f';
        hunt |= c == 'H';
    }
    while (optind < argc && n_chosen < 64)
        chosen[n_chosen++] = piece_named(argv[optind++]);
    put_file("into-a-name-that-is-quite-a-bit-longer-than-it-was-before-handler", "");
    (void)sigaction(SIGALRM, &sa, NULL);
    if (signals)
        (void)setitimer(ITIMER_REAL, &often, NULL);
    play_threads();
    (void)setitimer(ITIMER_REAL, &never, NULL);
    for (int i = 0; i < n_chosen; i++)
        printf("%s: %s\n", chosen[i]->name, first_said[i]);
    printf("clobbered %d\n", clobbered);
    return 0;
}
