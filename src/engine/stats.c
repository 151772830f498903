/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"

/*
 * Each event is counted as notify or trace, by how it came to the clauses; those that were performed for the
 * target, or made to run in it after their notification, once more as that.
 */
static const char *const ways[ENGINE_WAYS] = {
    [BY_NOTIFY] = "notify", [BY_TRACE] = "trace", [BY_PERFORM] = "performed", [BY_SUMMON] = "summoned"};

int stats_open(struct engine *en, struct err *e)
{
    const char *path = en->options->stats;
    if (path == NULL)
        return 0;
    en->stats = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0666);
    return en->stats < 0 ? err_errno(e, "cannot open statistics file '%s'", path) : 0;
}

static unsigned long total(const atomic_ulong *counters)
{
    unsigned long n = 0;
    for (size_t id = 0; id < IDW_SET_CALLS; id++)
        n += atomic_load(&counters[id]);
    return n;
}

static void print_calls(FILE *f, const char *engine, const atomic_ulong *counters)
{
    const char *comma = "";
    (void)fprintf(f, ",\"%s\":{", engine);
    for (size_t id = 0; id < call_count(); id++) {
        unsigned long n = atomic_load(&counters[id]);
        if (n == 0)
            continue;
        (void)fprintf(f, "%s\"%s\":%lu", comma, call_by_id(id)->name, n);
        comma = ",";
    }
    (void)fputc('}', f);
}

void stats_write(struct engine *en)
{
    if (en->stats < 0)
        return;
    FILE *f = fdopen(fcntl(en->stats, F_DUPFD_CLOEXEC, 3), "w");
    if (f == NULL) {
        log_warn("%s: %s", en->options->stats, strerror(errno));
        return;
    }
    rewind(f);
    (void)fprintf(f, "{\"events\":{\"notify\":%lu,\"trace\":%lu}", total(en->events[BY_NOTIFY]),
                  total(en->events[BY_TRACE]));
    for (size_t i = 0; i < ENGINE_WAYS; i++)
        print_calls(f, ways[i], en->events[i]);
    (void)fputs("}\n", f);
    if (fclose(f) != 0)
        log_warn("%s: %s", en->options->stats, strerror(errno));
}
