/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * aloneplay CALL PIECE - makes a call whose argument lies in memory (CALL: write or connect, to a unix socket
 * that is not there) where others can change its address space, and where they can't any more. Prints for
 * each attempt whether it ran or was refused with EPERM, by other calls than these.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK (256UL * 1024)

static const char *call;
static char *self;
static atomic_bool over;

static void say(const char *what, const char *outcome)
{
    char line[200];
    int n = snprintf(line, sizeof line, "%s: %s\n", what, outcome);
    (void)!writev(1, &(struct iovec){line, (size_t)n}, 1);
}

static const char *outcome(void)
{
    const struct sockaddr_un nobody = {.sun_family = AF_UNIX, .sun_path = "./nobody"};
    int fd = strcmp(call, "connect") == 0 ? socket(AF_UNIX, SOCK_STREAM, 0) : open("/dev/null", O_WRONLY);
    long rc = strcmp(call, "connect") == 0 ? connect(fd, (const struct sockaddr *)&nobody, sizeof nobody)
                                           : write(fd, "text", 4);
    int error = rc < 0 ? errno : 0;
    (void)close(fd);
    return error == EPERM ? "refused" : error == 0 || error == ENOENT ? "ran" : strerror(error);
}

static void attempt(const char *what)
{
    say(what, outcome());
}

static void wait_for_end(void)
{
    while (!over)
        (void)usleep(1000);
}

static void *sleeper(void *unused)
{
    (void)unused;
    wait_for_end();
    return NULL;
}

static int sharer(void *what)
{
    if (what != NULL)
        attempt(what);
    wait_for_end();
    return 0;
}

static int at_once(void *what)
{
    if (what != NULL)
        attempt(what);
    return 0;
}

static int executes(void *unused)
{
    (void)execl("/bin/true", "true", (char *)NULL);
    return unused == NULL ? 127 : 0;
}

/* A process by clone(2), with its own stack. */
static pid_t make(int (*body)(void *), void *argument, int flags)
{
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return clone(body, stack + STACK, flags | SIGCHLD, argument);
}

static void end(pid_t pid)
{
    over = true;
    (void)waitpid(pid, NULL, __WALL);
}

static void thread(void)
{
    pthread_t t;
    pthread_create(&t, NULL, sleeper, NULL);
    attempt("with a thread");
    over = true;
    pthread_join(t, NULL);
    attempt("joined");
}

static void *nothing(void *unused)
{
    return unused;
}

/* What has been joined may take a moment to be gone. */
static void joined(void)
{
    int ran = 0;
    for (int i = 0; i < 200; i++) {
        pthread_t t;
        pthread_create(&t, NULL, nothing, NULL);
        pthread_join(t, NULL);
        ran += strcmp(outcome(), "ran") == 0;
    }
    say("joined 200", ran == 200 ? "ran" : "refused");
}

static pthread_t first;

static void *last_thread(void *unused)
{
    pthread_join(first, NULL);
    (void)usleep(20000);
    attempt("the leader has ended");
    _exit(0);
    return unused;
}

static void leader(void)
{
    pthread_t t;
    first = pthread_self();
    pthread_create(&t, NULL, last_thread, NULL);
    pthread_exit(NULL);
}

static void forked(void)
{
    pid_t pid = fork();
    attempt(pid == 0 ? "forked" : "has forked");
    if (pid == 0)
        _exit(0);
    end(pid);
}

static void shared(void)
{
    pid_t pid = make(sharer, "child that shares", CLONE_VM);
    (void)usleep(50000);
    attempt("parent that shares");
    end(pid);
    attempt("parent that shared");
    (void)execl(self, self, call, "once", (char *)NULL);
}

/* Many times, since what comes of one depends on who is quicker. */
static void vforked(void)
{
    int ran = 0;
    for (int i = 0; i < 50; i++) {
        end(make(at_once, i == 0 ? "in vfork" : NULL, CLONE_VM | CLONE_VFORK));
        ran += strcmp(outcome(), "ran") == 0;
        pid_t pid = make(executes, NULL, CLONE_VM | CLONE_VFORK);
        ran += strcmp(outcome(), "ran") == 0;
        end(pid);
    }
    say("after 100 vforks", ran == 100 ? "ran" : "refused");
}

/* Its process goes on when the first thread has left; and the parent, too. */
static int leaves_thread(void *unused)
{
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)unused;
    (void)clone(sharer, stack + STACK, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, "thread of a vfork child");
    (void)syscall(SYS_exit, 0);
    return 0;
}

static void vfork_thread(void)
{
    pid_t pid = make(leaves_thread, NULL, CLONE_VM | CLONE_VFORK);
    (void)usleep(50000);
    attempt("whose vfork child left a thread");
    end(pid);
    attempt("it has ended");
}

static int leaves_process(void *unused)
{
    (void)make(sharer, NULL, CLONE_VM);
    attempt("vfork child that shares");
    (void)unused;
    return 0;
}

static void vfork_clone(void)
{
    end(make(leaves_process, NULL, CLONE_VM | CLONE_VFORK));
    attempt("whose vfork child left a process");
}

static int vforks(void *unused)
{
    (void)make(at_once, "vfork in vfork", CLONE_VM | CLONE_VFORK);
    attempt("vfork child that has vforked");
    (void)unused;
    return 0;
}

static void vfork_vfork(void)
{
    end(make(vforks, NULL, CLONE_VM | CLONE_VFORK));
    attempt("whose child has vforked");
}

static void hidden(void)
{
    struct clone_args args = {.exit_signal = SIGCHLD};
    pid_t pid = make(sharer, NULL, CLONE_VM | CLONE_UNTRACED);
    say("CLONE_UNTRACED", pid > 0 ? "made" : strerrorname_np(errno));
    long rc = syscall(SYS_clone3, &args, sizeof args);
    if (rc == 0)
        _exit(0);
    say("clone3", rc > 0 ? "made" : strerrorname_np(errno));
    attempt("still alone");
}

static void once(void)
{
    attempt("once");
}

/* The area goes, and something of our own comes in its place. */
static void unmapped(void)
{
    char line[512];
    unsigned long start = 0, area_end = 0;
    attempt("before");
    FILE *f = fopen("/proc/self/maps", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strstr(line, "/memfd:idwrun") != NULL && sscanf(line, "%lx-%lx", &start, &area_end) == 2)
            break;
    if (f != NULL)
        (void)fclose(f);
    void *at = (void *)start; // NOLINT(performance-no-int-to-ptr)
    bool gone = start != 0 && munmap(at, area_end - start) == 0;
    say("area", gone ? "gone" : start != 0 ? "there" : "none");
    attempt("without it");
    (void)mmap(at, area_end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    attempt("with another");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*play)(void);
    } pieces[] = {
        {"thread", thread},
        {"joined", joined},
        {"leader", leader},
        {"forked", forked},
        {"shared", shared},
        {"vforked", vforked},
        {"vfork-thread", vfork_thread},
        {"vfork-clone", vfork_clone},
        {"vfork-vfork", vfork_vfork},
        {"hidden", hidden},
        {"once", once},
        {"unmapped", unmapped},
    };
    self = argv[0];
    call = argc > 2 ? argv[1] : "";
    for (size_t i = 0; argc > 2 && i < sizeof pieces / sizeof pieces[0]; i++)
        if (strcmp(pieces[i].name, argv[2]) == 0) {
            pieces[i].play();
            return 0;
        }
    return 2;
}
