/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "swap.h"
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void (*on_signal)(int signum);

static const struct attack *attack;
static atomic_bool *ends; /* shared with the swapping process */
static pthread_t thread, attempting;
static pid_t process;

static uint32_t dice(void)
{
    static uint32_t x = 2463534242;
    x ^= x << 13;
    x ^= x >> 17;
    return x ^= x << 5;
}

/* From nothing to some 100 µs; short and long ones alike are frequent, since nobody knows how wide the
 * windows are. */
static void pause_a_moment(void)
{
    for (uint32_t n = dice() & ((1U << dice() % 12) - 1); n > 0; n--)
        __builtin_ia32_pause();
}

static void turn_until_end(void)
{
    for (bool evil = true; !atomic_load(ends); evil = !evil) {
        attack->turn(evil);
        pause_a_moment();
    }
}

static void prepare(const struct attack *a)
{
    attack = a;
    ends = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ends == MAP_FAILED)
        fail("mmap");
}

static void *in_thread(void *unused)
{
    turn_until_end();
    return unused;
}

static void start_thread(const struct attack *a, void *(*body)(void *))
{
    prepare(a);
    if (pthread_create(&thread, NULL, body, NULL) != 0)
        fail("pthread_create");
}

static void thread_start(const struct attack *a)
{
    start_thread(a, in_thread);
}

/* A Landlock domain is the caller's alone; this one restricts nothing that an attack does. */
static void sandbox_start(const struct attack *a)
{
    struct landlock_ruleset_attr rules = {.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK};
    int fd = check((int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0), "landlock");
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
    check((int)syscall(SYS_landlock_restrict_self, fd, 0), "landlock");
    thread_start(a);
}

static void thread_stop(void)
{
    atomic_store(ends, true);
    pthread_join(thread, NULL);
}

static int in_process(void *unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    turn_until_end();
    return 0;
}

static void process_start(const struct attack *a)
{
    prepare(a);
    process = check(fork(), "fork");
    if (process == 0)
        _exit(in_process(NULL));
}

/* Also shares thread-local storage with us: its swap may make no call that sets errno. */
static void vm_start(const struct attack *a)
{
    static char stack[65536] __attribute__((aligned(16)));
    prepare(a);
    process = check(clone(in_process, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL), "clone");
}

static void process_stop(void)
{
    atomic_store(ends, true);
    waitpid(process, NULL, 0);
}

static void *with_signals(void *unused)
{
    while (!atomic_load(ends)) {
        for (uint32_t n = dice() % 64 + 8; n > 0; n--) {
            attack->turn(n % 2 == 0);
            pause_a_moment();
        }
        pthread_kill(attempting, SIGUSR1);
    }
    return unused;
}

static void signals_start(const struct attack *a)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    attempting = pthread_self();
    sigaction(SIGUSR1, &action, NULL);
    start_thread(a, with_signals);
}

static void bad_start(const struct attack *a)
{
    a->turn(true);
}

static int uffd;
static struct swapped fillings[2]; /* by "evil" */

static bool serve_fault(unsigned char *filling)
{
    struct pollfd ready = {.fd = uffd, .events = POLLIN};
    struct uffd_msg message;
    if (poll(&ready, 1, 20) != 1 || read(uffd, &message, sizeof message) != (ssize_t)sizeof message)
        return false;
    struct uffdio_copy copy = {
        .dst = (uintptr_t)swapped, .src = (uintptr_t)&fillings[ *filling ^= 1], .len = sizeof *swapped};
    return ioctl(uffd, UFFDIO_COPY, &copy) == 0;
}

static void *serve_faults(void *unused)
{
    unsigned char filling = 1;
    while (!atomic_load(ends)) {
        if (!serve_fault(&filling))
            continue;
        pause_a_moment();
        madvise(swapped, sizeof *swapped, MADV_REMOVE);
    }
    return unused;
}

static void uffd_start(const struct attack *a)
{
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register where = {.range = {(uintptr_t)swapped, sizeof *swapped},
                                    .mode = UFFDIO_REGISTER_MODE_MISSING};
    for (int evil = 0; evil < 2; evil++) {
        memcpy(&fillings[evil], swapped, sizeof *swapped);
        fillings[evil].word = words[evil];
    }
    uffd = check((int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK), "userfaultfd");
    check(ioctl(uffd, UFFDIO_API, &api), "UFFDIO_API");
    check(ioctl(uffd, UFFDIO_REGISTER, &where), "UFFDIO_REGISTER");
    madvise(swapped, sizeof *swapped, MADV_REMOVE);
    start_thread(a, serve_faults);
}

static const struct swapper swappers[] = {
    {"none", NULL, NULL},
    {"bad", bad_start, NULL},
    {"thread", thread_start, thread_stop},
    {"sandbox", sandbox_start, thread_stop},
    {"vm", vm_start, process_stop},
    {"process", process_start, process_stop},
    {"signals", signals_start, thread_stop},
    {"uffd", uffd_start, thread_stop},
};

const struct swapper *swapper_named(const char *name)
{
    for (size_t i = 0; i < sizeof swappers / sizeof swappers[0]; i++)
        if (strcmp(swappers[i].name, name) == 0)
            return &swappers[i];
    return NULL;
}
