/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rounds. See differ.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "differ.h"

#define CALLS_A_ROUND 20 /* of each family */
#define CALLS_A_MEND 100

static volatile sig_atomic_t signals_seen;

uint64_t rnd(struct round *r)
{
    uint64_t z = r->random += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static void on_signal(int signum)
{
    signals_seen |= 1 << (signum % 31);
}

static void on_alarm(int signum)
{
    (void)signum;
}

static void handle_signals(void)
{
    static const int shown[] = {SIGPIPE, SIGXFSZ, SIGIO, SIGSYS, SIGURG, SIGTTIN, SIGTTOU, SIGHUP};
    struct sigaction seen = {.sa_handler = on_signal}, alarm = {.sa_handler = on_alarm};
    for (size_t i = 0; i < COUNT(shown); i++)
        (void)sigaction(shown[i], &seen, NULL);
    (void)sigaction(SIGALRM, &alarm, NULL);
}

/* A call that blocks, of a fifo without a writer, ends by a signal, and must do so wrapped as well. */
static void set_timer(long ms)
{
    struct itimerval t = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    (void)setitimer(ITIMER_REAL, &t, NULL);
}

static void say_call(const struct round *r, const struct call *c, unsigned n)
{
    say("%u.%u %s(", r->number, n, c->name);
    for (unsigned i = 0; i < 6 && c->args[i] != ARG_NONE; i++)
        say("%s%s", i > 0 ? ", " : "", r->values[i].text);
    say(")");
}

static void make_call(struct round *r, const struct family *f, unsigned n)
{
    const struct call *c = &f->calls[rnd_below(r, f->n_calls)];
    struct value *v = r->values;
    bool may_block = c->outcome >= OUT_BIND || c->outcome == OUT_FD;
    r->call = c;
    r->outside = false;
    r->extra = (struct value){0};
    for (unsigned i = 0; i < 6; i++)
        arg_make(r, (enum arg_kind)c->args[i], i, &v[i]);
    say_call(r, c, n);
    if (may_block)
        set_timer(150);
    signals_seen = 0;
    errno = 0;
    long result = syscall(c->nr, v[0].raw, v[1].raw, v[2].raw, v[3].raw, v[4].raw, v[5].raw);
    long outcome = result == -1 && errno != 0 ? -errno : result;
    if (may_block)
        set_timer(0);
    outcome_say(r, c, outcome);
    if (signals_seen != 0)
        say(" signals %#x", (unsigned)signals_seen);
    say("\n");
}

static void make_calls(struct round *r)
{
    unsigned n = 0;
    for (unsigned i = 0; i < r->n_calls; i++)
        for (size_t k = 0; k < n_families; k++) {
            /* Another order each time. */
            make_call(r, &families[(k * 8 + i) % n_families], n++);
            if (n % CALLS_A_MEND == 0)
                tree_mend(r);
        }
    fds_say();
}

static void run_child(struct round *r)
{
    handle_signals();
    fds_setup(r);
    net_setup(r);
    situation_run(r, make_calls);
    say_flush();
    _exit(0);
}

static void make_round(struct round *r, const char *top)
{
    char tree[600];
    (void)snprintf(tree, sizeof(tree), "%s/a/b/tree", r->root);
    char *const folders[] = {r->root, "a", "a/b", "a/b/tree"};
    (void)umask(0);
    for (size_t i = 0; i < COUNT(folders); i++)
        if (mkdir(folders[i], 0777) < 0 || (i == 0 && chdir(r->root) < 0))
            exit(121);
    if (chdir(tree) < 0)
        exit(122);
    tree_make(r);
    say("round %u: %s\n", r->number, situation_name(r));
    say_flush();
    pid_t child = fork();
    if (child == 0)
        run_child(r);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (status != 0)
        say("round %u ended with %#x\n", r->number, (unsigned)status);
    (void)chmod(r->root, 0700);
    tree_say(r->root);
    tree_remove(r->root);
    if (chdir(top) < 0 || rmdir(r->root) < 0)
        say("the folder of round %u is still there: %s\n", r->number, strerrorname_np(errno));
    say_flush();
}

int main(int argc, char **argv)
{
    if (argc < 4 || argv[1][0] != '/') {
        fprintf(stderr, "usage: differ FOLDER SEED CALLS [ROUND]\n");
        return 2;
    }
    unsigned long seed = strtoul(argv[2], NULL, 10), calls = strtoul(argv[3], NULL, 10);
    unsigned long rounds = (calls + CALLS_A_ROUND - 1) / CALLS_A_ROUND,
                  first = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
    if (dup3(1, REPORT_FD, O_CLOEXEC) < 0)
        return 3;
    say_begin();
    memory_setup();
    for (unsigned long i = first; i < (argc > 4 ? first + 1 : rounds); i++) {
        struct round r = {
            .random = seed * 1000003u + i,
            .number = (unsigned)i,
            .n_calls = CALLS_A_ROUND,
            .as_root = geteuid() == 0,
            .harmless = geteuid() != 0,
        };
        (void)snprintf(r.root, sizeof(r.root), "%s/round", argv[1]);
        make_round(&r, argv[1]);
    }
    say_flush();
    return 0;
}
