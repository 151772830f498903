/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "base/descriptors.h"
#include "engine/alone.h"
#include "engine/control.h"
#include "engine/launch.h"
#include "engine/own.h"
#include "engine/follow.h"
#include "engine/perform/perform.h"
#include "engine/signals.h"
#include "engine/stats.h"
#include "engine/trace.h"
#include "engine/workers.h"
#include "subject/proc.h"

static int load_wrappers(struct engine *en, struct err *e)
{
    for (size_t i = 0; i < en->options->n_wrappers; i++) {
        int rc = wss_load(en->wss, en->options->wrappers[i], e);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Those that make processes are rare; and who still makes the calls that only i386 has may pay for it. */
static bool may_be_summoned(const struct call *c)
{
    return follow_can_summon(c) || c->nr[ARCH_X86_64] == CALL_NR_NONE;
}

/* Processes are traced for good where a clause needs what only the target's own call can give, again and
 * again. */
static bool must_trace(const struct engine *en)
{
    for (size_t id = 0; id < call_count(); id++)
        if (en->routes[id] == ROUTE_TARGET && !may_be_summoned(call_by_id(id)))
            return true;
    return false;
}

static int build_filter(struct engine *en, struct err *e)
{
    struct filter *f = filter_new();
    if (f == NULL)
        return err_set(e, ENOMEM, "no memory for the filter");
    wss_routes(en->wss, perform_knows, en->routes);
    en->traced = must_trace(en);
    int rc = wss_filter(en->wss, f, en->routes, en->traced, e);
    if (rc == 0)
        rc = follow_filter(en, f, e);
    if (rc == 0)
        rc = own_filter(en, f, e);
    if (rc == 0)
        rc = alone_filter(f, e);
    if (rc == 0)
        rc = filter_build(f, &en->program, e);
    filter_free(f);
    return rc;
}

/* All that can go wrong before anything of the target exists. Returns 0, or -errno. */
static int prepare(struct engine *en, struct err *e)
{
    en->audit = audit_open(en->options->audit, e);
    if (en->audit == NULL)
        return -e->code;
    en->wss = wss_new(en->arena, en->audit);
    if (en->wss == NULL)
        return err_set(e, ENOMEM, "no memory for the wrappers");
    int rc = proc_init(e);
    if (rc == 0)
        rc = stats_open(en, e);
    if (rc == 0)
        rc = load_wrappers(en, e);
    if (rc == 0)
        rc = build_filter(en, e);
    if (rc < 0)
        return rc;
    en->subjects = subjects_new(en->arena, e);
    if (en->subjects == NULL)
        return -e->code;
    wss_subjects(en->wss, en->subjects);
    en->journal = journal_open(en->arena);
    if (en->journal == NULL)
        return err_set(e, ENOMEM, "the arena has no room for the journal");
    en->passes = passes_new();
    return en->passes != NULL ? 0 : err_set(e, ENOMEM, "no memory for the trace engine");
}

static void clear(struct engine *en)
{
    free(en->program.filter);
    passes_free(en->passes);
    subjects_free(en->subjects);
    wss_free(en->wss);
    audit_close(en->audit);
    close_fd_p(&en->stats);
    close_fd_p(&en->listener);
}

static int fail(struct engine *en, int status, const struct err *e)
{
    log_error("%s", e->text);
    (void)link_send(en->guardian, (struct link_message){.kind = LINK_FAILED, .value = status}, DEAD_FD);
    return status;
}

struct watching {
    struct engine *en;
    const struct launch *launch;
    int status; /* of the engine's process */
};

static void tell(const struct watching *w, enum link_kind kind, int value)
{
    (void)link_send(w->en->guardian, (struct link_message){.kind = kind, .value = value}, DEAD_FD);
}

static void on_stopped(void *context, int signal)
{
    const struct watching *w = context;
    atomic_store(&w->en->main_stopped, true);
    tell(w, LINK_STOPPED, signal);
}

/* The guardian has stopped itself with the program and can't read that it shall go on. */
static void on_continued(void *context)
{
    struct watching *w = context;
    atomic_store(&w->en->main_stopped, false);
    tell(w, LINK_CONTINUED, 0);
    (void)kill(w->en->guardian->guardian, SIGCONT);
    control_nudge(w->en->control);
}

static void on_ended(void *context, int status)
{
    struct watching *w = context;
    int errnum = launch_error(w->launch);
    stats_write(w->en);
    (void)subjects_reap(w->en->subjects);
    if (errnum != 0) {
        log_error("%s: %s", w->launch->path, strerror(errnum));
        w->status = errnum == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
        tell(w, LINK_FAILED, w->status);
    } else {
        const struct link_message m = {
            .kind = LINK_ENDED, .value = status, .pid = subjects_count(w->en->subjects) > 0};
        (void)link_send(w->en->guardian, m, DEAD_FD);
    }
    /* What it left behind must not keep our copies of its terminal or pipes open: their readers wait for the
     * end. */
    audit_detach(w->en->audit);
    log_to(DEAD_FD);
    stdio_release(STDERR_FILENO);
}

static int serve(struct engine *en, struct launch *l, struct subject *main)
{
    struct watching w = {.en = en, .launch = l};
    const struct trace_watch watch = {
        .stopped = on_stopped, .continued = on_continued, .ended = on_ended, .context = &w};
    struct err e = {0};
    en->tracer = pthread_self();
    en->control = control_start(en, &e);
    en->workers = en->control != NULL ? workers_start(en, &e) : NULL;
    if (en->workers == NULL) {
        (void)kill(l->pid, SIGKILL);
        w.status = fail(en, EXIT_IDWRUN, &e);
    }
    launch_go(l);
    trace_run(en, main, &watch);
    control_stop(en->control);
    workers_stop(en->workers);
    control_free(en->control);
    stats_write(en);
    return w.status;
}

/* A descriptor for each subject: as many as we may have. The target's own limit is not touched. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int launch(struct engine *en)
{
    struct launch l;
    struct err e = {0};
    int rc = launch_prepare(&l, en->options->argv, &e);
    if (rc < 0)
        return fail(en, rc == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, &e);
    rc = launch_start(&l, en, &e);
    struct subject *main = rc == 0 ? subjects_add(en->subjects, l.pid, NULL, HAPPENS_LAUNCH, &e) : NULL;
    int status;
    if (main == NULL) {
        if (l.pid > 0)
            (void)kill(l.pid, SIGKILL);
        status = fail(en, EXIT_IDWRUN, &e);
    } else {
        /* Out of the target's process group: what the terminal sends to it is not for us. */
        (void)setpgid(0, 0);
        stdio_release(STDIN_FILENO);
        stdio_release(STDOUT_FILENO);
        inherited_release();
        raise_descriptors();
        en->main = l.pid;
        (void)link_send(en->guardian, (struct link_message){.kind = LINK_LAUNCHED, .pid = l.pid},
                        en->listener);
        (void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0); /* the guardian's death is no reason to end the program */
        status = serve(en, &l, main);
        subject_unref(en->subjects, main);
    }
    launch_clear(&l);
    return status;
}

int engine_run(const struct engine_options *options, const struct engine_inherited *inherited,
               struct arena *arena, struct link *guardian)
{
    struct engine *en = calloc(1, sizeof *en);
    struct err e = {0};
    if (en == NULL)
        return EXIT_IDWRUN;
    en->options = options;
    en->inherited = inherited;
    en->arena = arena;
    en->guardian = guardian;
    en->listener = DEAD_FD;
    en->stats = DEAD_FD;
    inbox_init(&en->inbox);
    /* Orphans of the target stay below us: descendants, whatever a kernel with Yama thinks of tracing others.
     */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    int status = 0;
    if (prepare(en, &e) < 0)
        status = fail(en, EXIT_IDWRUN, &e);
    else if (options->dump_filter)
        filter_dump(&en->program, stdout);
    else
        status = launch(en);
    clear(en);
    free(en);
    return status;
}
