/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"

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
    (void)fprintf(f, "{\"events\":{\"notify\":%lu,\"trace\":%lu}", total(en->notified), total(en->traced));
    print_calls(f, "notify", en->notified);
    print_calls(f, "trace", en->traced);
    (void)fputs("}\n", f);
    if (fclose(f) != 0)
        log_warn("%s: %s", en->options->stats, strerror(errno));
}
