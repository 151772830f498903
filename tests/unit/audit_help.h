/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the audit room share: a subject, an event, files of one's own. */
#ifndef TEST_AUDIT_HELP_H
#define TEST_AUDIT_HELP_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "audit/audit.h"
#include "base/cleanup.h"

static struct subject_record record = {
    .pid = 4711, .ppid = 4710, .invoker = 1234, .exe = "/usr/lib/dovecot/im\nap"};
static struct subject someone = {.record = &record};

static inline void begin(struct idw_event *ev, const char *call, const uint64_t regs[6])
{
    const struct call *c = call_by_name(call);
    cr_assert_not_null(c, "%s", call);
    event_init(ev, &someone, getpid(), c, regs);
    ev->wrapper = "imapd_id";
}

/* An empty file of this test's own, which exists. */
static inline const char *new_file(void)
{
    static char path[32];
    strcpy(path, "/tmp/test_audit.XXXXXX");
    int fd = mkostemp(path, O_CLOEXEC);
    cr_assert_geq(fd, 0);
    (void)close(fd);
    return path;
}

/* All of a file of less than a mebibyte, as a string: the caller's. */
static inline char *contents(const char *path)
{
    enum { SIZE = 1 << 20 };
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    cr_assert_not_null(f, "%s", path);
    char *text = malloc(SIZE);
    cr_assert_not_null(text);
    text[fread(text, 1, SIZE - 1, f)] = '\0';
    return text;
}

static inline struct json_object *get(struct json_object *o, const char *key)
{
    struct json_object *value = NULL;
    cr_assert(json_object_object_get_ex(o, key, &value), "no %s in %s", key, json_object_to_json_string(o));
    return value;
}

#endif
