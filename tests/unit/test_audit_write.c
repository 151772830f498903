/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where audit records go: files, pipes, and what can't be written. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "audit_help.h"
#include "base/log.h"

Test(audit_write, notes_come_in_order_and_are_appended)
{
    const char *path = new_file();
    for (int round = 0; round < 2; round++) {
        struct audit *au = audit_open(path, NULL);
        struct idw_event ev;
        begin(&ev, "getpid", (uint64_t[6]){0});
        audit_said(&ev, round == 0 ? "1" : "3");
        audit_said(&ev, round == 0 ? "2" : "4");
        audit_flush(au, &ev);
        audit_flush(au, &ev); /* nothing left */
        audit_close(au);
    }
    _cleanup_free_ char *text = contents(path);
    (void)unlink(path);
    int count = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        struct json_object *o = json_tokener_parse(line);
        cr_assert_not_null(o);
        cr_expect_eq(json_object_get_int(get(o, "text")), ++count);
        (void)json_object_put(o);
    }
    cr_expect_eq(count, 4);
}

Test(audit_write, files)
{
    char dir[] = "/tmp/test_audit_d.XXXXXX";
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(chdir(dir), 0);
    cr_assert_eq(symlink("nowhere", "dangling"), 0);
    cr_assert_eq(symlink("made", "link"), 0);
    (void)umask(0);
    static const struct {
        const char *path;
        int error; /* 0: opens */
    } cases[] = {
        {"made", 0},
        {"made", 0},
        {"link", 0},
        {"dangling", ENOENT},
        {".", EISDIR},
        {"no/such/dir", ENOENT},
        {"made/below", ENOTDIR},
        {"/dev/null", 0},
        {"-", 0},
        {NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};
        struct audit *au = audit_open(cases[i].path, &e);
        cr_expect_eq(e.code, cases[i].error, "%s: %s", cases[i].path, e.text);
        cr_expect_eq(au != NULL, cases[i].error == 0);
        if (au == NULL)
            cr_expect_not_null(strstr(e.text, cases[i].path), "%s", e.text);
        else
            cr_expect(fcntl(audit_fd(au), F_GETFD) & FD_CLOEXEC);
        audit_close(au);
    }
    struct stat st;
    cr_assert_eq(stat("made", &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0600);
    cr_expect_eq(access("nowhere", F_OK), -1);
    (void)unlink("made");
    (void)unlink("link");
    (void)unlink("dangling");
    (void)rmdir(dir);
}

static void say(struct audit *au, const char *text)
{
    struct idw_event ev;
    begin(&ev, "getpid", (uint64_t[6]){0});
    audit_said(&ev, text);
    audit_flush(au, &ev);
    event_clear(&ev);
}

/* Lines that wait in @fd. */
static int lines_in(int fd)
{
    char text[4096];
    ssize_t n = read(fd, text, sizeof text);
    int count = 0;
    for (ssize_t i = 0; i < n; i++)
        count += text[i] == '\n';
    return count;
}

Test(audit_write, what_cannot_be_written_is_warned_of_once)
{
    int log[2], gone[2];
    cr_assert_eq(pipe2(log, O_CLOEXEC | O_NONBLOCK), 0);
    cr_assert_eq(pipe2(gone, O_CLOEXEC), 0);
    (void)close(gone[0]);
    (void)signal(SIGPIPE, SIG_IGN);
    log_to(log[1]);
    struct audit *au = audit_open("/dev/full", NULL);
    say(au, "a");
    say(au, "b");
    audit_close(au);
    cr_expect_eq(lines_in(log[0]), 1);
    cr_assert_eq(dup2(gone[1], STDOUT_FILENO), STDOUT_FILENO);
    au = audit_open("-", NULL);
    say(au, "a");
    say(au, "b");
    audit_close(au);
    cr_expect_eq(lines_in(log[0]), 1);
    log_to(STDERR_FILENO);
}

Test(audit_write, after_half_a_line_a_new_one_starts)
{
    struct rlimit old, low;
    const char *path = new_file();
    struct audit *au = audit_open(path, NULL);
    (void)signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    low = (struct rlimit){.rlim_cur = 50, .rlim_max = old.rlim_max};
    log_to(-1);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
    say(au, "lost");
    say(au, "lost too");
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    say(au, "whole");
    audit_close(au);
    _cleanup_free_ char *text = contents(path);
    (void)unlink(path);
    char *newline = strchr(text, '\n');
    cr_assert_not_null(newline);
    cr_expect_eq(newline - text, 50);
    struct json_object *o = json_tokener_parse(newline + 1);
    cr_assert_not_null(o, "%s", text);
    cr_expect_str_eq(json_object_get_string(get(o, "text")), "whole");
    (void)json_object_put(o);
}

enum { WRITERS = 4, EACH = 100 };

static void *writer(void *au)
{
    char text[3001];
    memset(text, '\x01', sizeof text - 1); /* escaped, more than PIPE_BUF: the kernel may split it */
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < EACH; i++)
        say(au, text);
    return NULL;
}

/* Threads write to a pipe that takes only parts, and that somebody has made non-blocking: whole lines come
 * out. */
Test(audit_write, lines_never_mix, .timeout = 60)
{
    int p[2];
    cr_assert_eq(pipe2(p, O_CLOEXEC), 0);
    cr_assert_eq(fcntl(p[1], F_SETFL, O_NONBLOCK), 0);
    cr_assert_eq(dup2(p[1], STDOUT_FILENO), STDOUT_FILENO);
    struct audit *au = audit_open("-", NULL);
    (void)close(p[1]);
    (void)close(STDOUT_FILENO);
    pthread_t threads[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, writer, au), 0);
    _cleanup_fclose_ FILE *f = fdopen(p[0], "re");
    char *line = NULL;
    size_t size = 0;
    for (int i = 0; i < WRITERS * EACH; i++) {
        cr_assert_gt(getline(&line, &size, f), PIPE_BUF);
        struct json_object *o = json_tokener_parse(line);
        cr_assert_not_null(o, "%s", line);
        cr_expect_eq(json_object_get_string_len(get(o, "text")), 4 * 3000);
        (void)json_object_put(o);
    }
    free(line);
    for (int i = 0; i < WRITERS; i++)
        (void)pthread_join(threads[i], NULL);
    audit_close(au);
    cr_expect_eq(fgetc(f), EOF, "and nothing else");
}

/* The launched program has ended: its standard error is let go, a file that was asked for is not. */
Test(audit_write, detach_lets_go_of_standard_error_alone)
{
    int p[2];
    const char *path = new_file();
    cr_assert_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    cr_assert_eq(dup2(p[1], STDERR_FILENO), STDERR_FILENO);
    struct audit *standard = audit_open(NULL, NULL);
    cr_assert_eq(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    (void)close(p[1]);
    struct audit *file = audit_open(path, NULL);
    say(standard, "before");
    cr_expect_eq(lines_in(p[0]), 1);
    audit_detach(standard);
    audit_detach(file);
    char byte;
    cr_expect_eq(read(p[0], &byte, 1), 0, "nobody holds it any more");
    say(standard, "to syslog");
    say(file, "after");
    audit_close(standard);
    audit_close(file);
    _cleanup_free_ char *text = contents(path);
    (void)unlink(path);
    cr_expect_not_null(strstr(text, "\"text\":\"after\""));
}
