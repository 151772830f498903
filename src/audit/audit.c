/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "audit/record.h"
#include "base/cleanup.h"
#include "base/descriptors.h"
#include "base/log.h"

struct audit {
    int fd;          /* DEAD_FD: syslog */
    bool by_default; /* standard error, for want of a better place */
    char *name;      /* for messages */
    pthread_mutex_t lock;
    bool torn;   /* the last line is there in part only */
    bool warned; /* that records are being lost */
};

struct audit_note {
    struct audit_note *next;
    enum idw_phase phase;
    struct json_object *record; /* as far as it was known then */
    struct json_object *text;   /* or NULL */
    bool cut;
};

/*
 * A new file is made with O_EXCL, which follows no symbolic link, so a dangling one that somebody left in
 * /tmp makes no file elsewhere; what exists is opened as it is, /dev/stdout and other links included.
 */
static int open_file(const char *path, struct err *e)
{
    const int flags = O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC;
    int fd = open(path, flags);
    if (fd < 0 && errno == ENOENT) {
        fd = open(path, flags | O_CREAT | O_EXCL, 0600);
        if (fd < 0 && errno == EEXIST) /* somebody else's has just come to be; or it is a dangling link */
            fd = open(path, flags);
    }
    if (fd < 0)
        (void)err_errno(e, "cannot open audit file '%s'", path);
    return fd;
}

static int open_standard(int standard, const char *name, struct err *e)
{
    int fd = fcntl(standard, F_DUPFD_CLOEXEC, 3);
    if (standard == STDOUT_FILENO && stdio_was_closed(standard)) {
        close_fd_p(&fd);
        return err_set(e, EBADF, "cannot write audit records to %s: it is closed", name);
    }
    if (fd < 0)
        (void)err_errno(e, "cannot write audit records to %s", name);
    return fd;
}

struct audit *audit_open(const char *path, struct err *e)
{
    const char *name = path == NULL ? "standard error" : strcmp(path, "-") == 0 ? "standard output" : path;
    _cleanup_close_ int fd = path == NULL   ? open_standard(STDERR_FILENO, name, e)
                             : name != path ? open_standard(STDOUT_FILENO, name, e)
                                            : open_file(path, e);
    if (fd < 0)
        return NULL;
    struct audit *au = calloc(1, sizeof *au);
    char *copy = strdup(name);
    if (au == NULL || copy == NULL) {
        free(au);
        free(copy);
        (void)err_set(e, ENOMEM, "cannot open audit file '%s': no memory", name);
        return NULL;
    }
    au->fd = move_fd(&fd);
    au->name = copy;
    au->by_default = path == NULL;
    (void)pthread_mutex_init(&au->lock, NULL);
    return au;
}

int audit_fd(const struct audit *au)
{
    return au->fd;
}

void audit_close(struct audit *au)
{
    if (au == NULL)
        return;
    close_fd_p(&au->fd);
    (void)pthread_mutex_destroy(&au->lock);
    free(au->name);
    free(au);
}

void audit_detach(struct audit *au)
{
    (void)pthread_mutex_lock(&au->lock);
    if (au->by_default) {
        close_fd_p(&au->fd);
        au->fd = DEAD_FD;
        openlog("idwrun", LOG_PID, LOG_AUTHPRIV);
    }
    (void)pthread_mutex_unlock(&au->lock);
}

static void note_free(struct audit_note *n)
{
    (void)json_object_put(n->record);
    (void)json_object_put(n->text);
    free(n);
}

/* A note that can't be kept would be an alarm that nobody hears. */
static void note_add(struct idw_event *ev, struct audit_note *n)
{
    if (n == NULL || n->record == NULL) {
        if (n != NULL)
            note_free(n);
        ev->internal_error = true;
        return;
    }
    struct audit_note **last = &ev->notes;
    while (*last != NULL)
        last = &(*last)->next;
    *last = n;
    ev->notes_drop = audit_drop;
}

void audit_raised(struct idw_event *ev, const struct idw_event_desc *desc, const union idw_value *values)
{
    struct audit_note *n = calloc(1, sizeof *n);
    if (n != NULL) {
        n->phase = ev->phase;
        n->record = record_head(ev, desc, values, &n->cut);
    }
    note_add(ev, n);
}

void audit_said(struct idw_event *ev, const char *text)
{
    struct audit_note *n = calloc(1, sizeof *n);
    if (n != NULL) {
        n->phase = ev->phase;
        n->record = record_head(ev, NULL, NULL, &n->cut);
        n->text = text != NULL ? record_text(text, strlen(text), &n->cut) : NULL;
    }
    note_add(ev, n);
}

void audit_drop(struct idw_event *ev)
{
    while (ev->notes != NULL) {
        struct audit_note *n = ev->notes;
        ev->notes = n->next;
        note_free(n);
    }
}

/* All of @line, also where a pipe takes it in parts or our standard output was made non-blocking by its other
 * users. */
static int write_all(struct audit *au, const char *line, size_t len)
{
    while (len > 0) {
        ssize_t n = write(au->fd, line, len);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd ready = {.fd = au->fd, .events = POLLOUT};
            (void)poll(&ready, 1, -1);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        au->torn = true;
        line += n;
        len -= (size_t)n;
    }
    au->torn = false;
    return 0;
}

/* Behind half a line (the disk was full) the next one starts anew. */
static int write_json(struct audit *au, const char *json)
{
    char *line;
    int len = asprintf(&line, "%s%s\n", au->torn ? "\n" : "", json);
    if (len < 0)
        return -ENOMEM;
    int rc = write_all(au, line, (size_t)len);
    free(line);
    return rc;
}

static void write_line(struct audit *au, const char *json)
{
    int rc = 0;
    (void)pthread_mutex_lock(&au->lock);
    if (au->fd >= 0)
        rc = write_json(au, json);
    else
        syslog(LOG_NOTICE, "%s", json);
    if (rc < 0 && !au->warned) {
        au->warned = true;
        log_warn("audit records are lost, cannot write to %s: %s", au->name, strerror(-rc));
    }
    (void)pthread_mutex_unlock(&au->lock);
}

void audit_flush(struct audit *au, struct idw_event *ev)
{
    for (struct audit_note *n = ev->notes; n != NULL; n = n->next) {
        record_put(n->record, "call", record_call(ev, n->phase));
        record_put(n->record, "verdict", record_verdict(&ev->verdict));
        if (n->text != NULL)
            record_put(n->record, "text", steal_pointer(&n->text));
        if (n->cut)
            record_put(n->record, "truncated", json_object_new_boolean(1));
        const char *json = json_object_to_json_string_ext(n->record, JSON_C_TO_STRING_PLAIN |
                                                                         JSON_C_TO_STRING_NOSLASHESCAPE);
        if (json != NULL)
            write_line(au, json);
    }
    audit_drop(ev);
}
