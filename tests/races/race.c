/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "race.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "swap.h"

#define THREADS_MAX 16

struct swapped *swapped;
uint32_t words[2];

static const struct attack *attack;
static struct {
    unsigned long tries, seconds, wins;
} limits;
static struct timespec began;
static bool swaps;
static _Atomic unsigned long counts[OUTCOMES];
static _Atomic int last_other;

void fail(const char *what)
{
    fprintf(stderr, "race: %s: %s\n", what, strerror(errno));
    exit(3);
}

int check(int result, const char *what)
{
    if (result < 0)
        fail(what);
    return result;
}

enum outcome refused(void)
{
    if (errno == EPERM || errno == ESTALE) /* forbidden; or it was another by the time that it was used */
        return REFUSED;
    last_other = errno;
    return OTHER;
}

void words_are(const char *good, const char *evil)
{
    memcpy(&words[false], good, sizeof words[0]);
    memcpy(&words[true], evil, sizeof words[0]);
    swapped->word = words[false];
}

char *lead_with(const void *bytes, size_t len)
{
    return memcpy((char *)&swapped->word - len, bytes, len);
}

void turn_word(bool evil)
{
    atomic_store_explicit(&swapped->word, words[evil], memory_order_relaxed);
}

static long ms_since_begin(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000;
}

enum { WAIT_FOR_BOTH = 9000 }; /* ms */

/* On a busy machine many attempts may pass before the swapper gets to run for the first time. */
static bool seen_both(void)
{
    return !swaps || (counts[REFUSED] > 0 && counts[GOOD] > 0);
}

static bool over(void)
{
    unsigned long tries = counts[WIN] + counts[GOOD] + counts[REFUSED] + counts[OTHER];
    long ms = ms_since_begin(), most = (long)limits.seconds * 1000;
    if (limits.wins > 0 && counts[WIN] >= limits.wins)
        return true;
    if ((limits.tries > 0 && tries >= limits.tries) || (most > 0 && ms >= most))
        return seen_both() || (most > 0 && ms >= most + WAIT_FOR_BOTH);
    return false;
}

static void *attempt_until_over(void *unused)
{
    while (!over())
        counts[attack->attempt()]++;
    return unused;
}

static void attempt_in_handler(int signum)
{
    (void)signum;
    int saved = errno;
    counts[attack->attempt()]++;
    errno = saved;
}

static const struct attack *attack_named(const char *name)
{
    const struct attack *const families[] = {open_attacks, file_attacks, exec_attacks, net_attacks};
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        for (const struct attack *a = families[i]; a->name != NULL; a++)
            if (strcmp(a->name, name) == 0)
                return a;
    return NULL;
}

static void make_area(void)
{
    char *area =
        mmap(NULL, BEFORE + sizeof *swapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        fail("mmap");
    swapped = (struct swapped *)(void *)(area + BEFORE);
}

static void run(const struct swapper *s)
{
    pthread_t others[THREADS_MAX];
    unsigned n = 0;
    swaps = s->stop != NULL;
    if (s->start != NULL)
        s->start(attack);
    clock_gettime(CLOCK_MONOTONIC, &began);
    while (n + 1 < attack->threads && n < THREADS_MAX &&
           pthread_create(&others[n], NULL, attempt_until_over, NULL) == 0)
        n++;
    attempt_until_over(NULL);
    while (n > 0)
        pthread_join(others[--n], NULL);
    if (s->stop != NULL)
        s->stop();
}

static unsigned long number(char **argv, int argc, int i)
{
    return i < argc ? strtoul(argv[i], NULL, 0) : 0;
}

int main(int argc, char **argv, char **envp)
{
    if (argc > 0 && (strcmp(argv[0], "witness") == 0 || strcmp(argv[0], "./good") == 0))
        return be_witness(argv, envp);
    const struct swapper *swapper = argc > 2 ? swapper_named(argv[2]) : NULL;
    attack = swapper != NULL ? attack_named(argv[1]) : NULL;
    if (attack == NULL) {
        fputs("usage: race ATTACK BY [TRIES [SECONDS [WINS]]]\n", stderr);
        return 2;
    }
    limits.tries = number(argv, argc, 3);
    limits.seconds = number(argv, argc, 4);
    limits.wins = number(argv, argc, 5);
    on_signal = attempt_in_handler;
    make_area();
    attack->prepare();
    run(swapper);
    unsigned long tries = counts[WIN] + counts[GOOD] + counts[REFUSED] + counts[OTHER];
    printf("tries %lu wins %lu good %lu refused %lu other %lu%s%s\n", tries, counts[WIN], counts[GOOD],
           counts[REFUSED], counts[OTHER], counts[OTHER] > 0 ? " " : "",
           counts[OTHER] > 0 ? strerrorname_np(last_other) : "");
    return 0;
}
