/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine process: launches the target below itself, receives its calls, runs the layers, carries out
 * verdicts.
 *
 *     guardian (src/engine/guardian.c)     forks the engine, forwards signals, passes on the exit status
 *       +- engine (this)                   main thread: the tracer; workers; one control thread
 *            +- target and all its descendants
 *
 * struct engine is what its threads share. It is built by engine_run before the first thread starts and
 * constant from then on, but for what says otherwise.
 */
#ifndef IDW_ENGINE_ENGINE_H
#define IDW_ENGINE_ENGINE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include "audit/audit.h"
#include "base/err.h"
#include "engine/inbox.h"
#include "engine/journal.h"
#include "engine/link.h"
#include "engine/passes.h"
#include "filter/filter.h"
#include "subject/subject.h"
#include "wss/wss.h"

#define ENGINE_WORKERS 2 /* to begin with */

/* How an event got to the clauses, and how its call was made. */
enum engine_way { BY_NOTIFY, BY_TRACE, BY_PERFORM, BY_SUMMON, ENGINE_WAYS };

/* Exit statuses of idwrun itself, those of env(1) and timeout(1). */
#define EXIT_IDWRUN 125
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

/* What the command line asks for; all strings outlive the run. */
struct engine_options {
    const char *const *wrappers; /* names or files, outermost first */
    size_t n_wrappers;
    char **argv;       /* the program and its arguments, NULL-terminated */
    const char *audit; /* NULL: standard error; "-": standard output */
    const char *stats; /* NULL: none */
    bool no_new_privs; /* even where it isn't needed */
    bool dump_filter;  /* print it and stop */
};

/* How the caller of idwrun had things: the target gets them back. */
struct engine_inherited {
    sigset_t mask;
    struct sigaction sigchld;
};

struct engine {
    const struct engine_options *options;
    const struct engine_inherited *inherited;
    struct arena *arena;
    struct audit *audit;
    struct wss *wss;
    struct subjects *subjects;
    struct journal *journal;
    struct link *guardian;
    struct sock_fprog program;     /* the filter */
    uint8_t routes[IDW_SET_CALLS]; /* enum wss_route of each call */
    bool traced; /* each process is traced for good; else only for calls that run in the target */
    int listener;
    struct passes *passes;
    struct workers *workers;
    struct control *control;
    struct inbox inbox; /* the tracer's */
    pid_t main;         /* pid of the launched program */
    atomic_bool main_stopped;
    pthread_t tracer;   /* the main thread */
    atomic_uint unborn; /* children that wait for their parent's report */
    int stats;          /* --stats FILE, or DEAD_FD */
    /* Events by what became of them and call, for --stats. */
    atomic_ulong events[ENGINE_WAYS][IDW_SET_CALLS];
};

/*
 * engine_run - the engine's whole life, from loading the wrappers to the end of the last subject.
 * @arena, @guardian: the guardian's; used, not freed
 * Returns an exit status for the engine's process; all that the guardian needs to know went over the link.
 */
int engine_run(const struct engine_options *options, const struct engine_inherited *inherited,
               struct arena *arena, struct link *guardian);

/*
 * guardian_run - what idwrun does after its command line: arena, engine, signals, exit status.
 * Returns the target's exit status as exit(3) takes it, or one of the EXIT_ values; where the target died of
 * a signal, it dies of the same signal instead of returning.
 */
int guardian_run(const struct engine_options *options);

#endif
