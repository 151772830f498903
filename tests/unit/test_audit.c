/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Audit records: each key, each kind of argument, odd bytes. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include "audit_help.h"

static const struct idw_param params[] = {
    {"rule", "const char *", IDW_KIND_STRING},
    {"object", "const char *", IDW_KIND_STRING},
    {"low", "int", IDW_KIND_SIGNED},
    {"high", "dev_t", IDW_KIND_UNSIGNED},
};
static const struct idw_event_desc violation = {"violation", params, ARRAY_SIZE(params)};
static const union idw_value values[] = {{.s = "open\\read"}, {.s = NULL}, {.i = -5}, {.u = UINT64_MAX}};

static uint64_t address_of(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* What audit_flush writes for @ev's one note. */
static struct json_object *flushed(struct idw_event *ev)
{
    const char *path = new_file();
    struct audit *au = audit_open(path, NULL);
    cr_assert_not_null(au);
    audit_flush(au, ev);
    audit_close(au);
    _cleanup_free_ char *line = contents(path);
    (void)unlink(path);
    size_t len = strlen(line);
    cr_assert_gt(len, 1);
    cr_assert_eq(line[len - 1], '\n');
    cr_assert_eq(strchr(line, '\n'), line + len - 1, "one line: %s", line);
    struct json_object *o = json_tokener_parse(line);
    cr_assert_not_null(o, "%s", line);
    return o;
}

static const char *keys(struct json_object *o)
{
    static char text[512];
    text[0] = '\0';
    json_object_object_foreach (o, key, value) {
        (void)value;
        strcat(strcat(text, key), " ");
    }
    return text;
}

static const char *json(struct json_object *o)
{
    return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

Test(audit, escape)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"/etc/passwd", "/etc/passwd"},
        {"", ""},
        {"a\\b", "a\\\\b"},
        {"\\x0a", "\\\\x0a"},
        {"\n\t\033[2J\177", "\\x0a\\x09\\x1b[2J\\x7f"},
        {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0"}, /* C1, and no more */
        {"\xff\xfe\x80", "\\xff\\xfe\\x80"},
        {"\xc3", "\\xc3"},
        {"\xc3(", "\\xc3("},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
        {"\xc0\xaf\xc1\xbf", "\\xc0\\xaf\\xc1\\xbf"}, /* overlong */
        {"\xe0\x9f\xbf\xe0\xa0\x80", "\\xe0\\x9f\\xbf\xe0\xa0\x80"},
        {"\xf0\x8f\xbf\xbf\xf0\x90\x80\x80", "\\xf0\\x8f\\xbf\\xbf\xf0\x90\x80\x80"},
        {"\xed\x9f\xbf\xed\xa0\x80\xed\xbf\xbf\xee\x80\x80",
         "\xed\x9f\xbf\\xed\\xa0\\x80\\xed\\xbf\\xbf\xee\x80\x80"},
        {"\xf4\x8f\xbf\xbf\xf4\x90\x80\x80\xf8\x88\x80\x80\x80",
         "\xf4\x8f\xbf\xbf\\xf4\\x90\\x80\\x80\\xf8\\x88\\x80\\x80\\x80"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *text = audit_escape(cases[i].bytes, strlen(cases[i].bytes));
        cr_expect_str_eq(text, cases[i].text, "%zu: %s", i, text);
    }
    _cleanup_free_ char *nul = audit_escape("a\0b", 3);
    cr_expect_str_eq(nul, "a\\x00b");
}

static size_t unescape(const char *text, unsigned char *bytes)
{
    size_t len = 0;
    for (; *text != '\0'; text++) {
        unsigned value = (unsigned char)*text;
        if (*text == '\\' && text[1] == 'x') {
            cr_assert_eq(sscanf(text + 2, "%2x", &value), 1);
            text += 3;
        } else if (*text == '\\') {
            text++;
        }
        bytes[len++] = (unsigned char)value;
    }
    return len;
}

/* Of all strings of these pieces, up to three: back come the bytes, so no two look alike. */
Test(audit, escape_loses_nothing)
{
    static const char *const pieces[] = {"\\",           "x",    "0a",   "\n",   "\xc3", "\xa9",
                                         "\xed\xa0\x80", "\xc2", "\x85", "\xf0", "",     "\xe2\x82"};
    enum { N = ARRAY_SIZE(pieces) };
    for (size_t i = 0; i < (size_t)N * N * N; i++) {
        char in[32];
        unsigned char out[128];
        int len = snprintf(in, sizeof in, "%s%s%s", pieces[i % N], pieces[i / N % N], pieces[i / N / N]);
        _cleanup_free_ char *text = audit_escape(in, (size_t)len);
        cr_assert_eq(unescape(text, out), (size_t)len, "%s", text);
        cr_assert_eq(memcmp(in, out, (size_t)len), 0, "%s", text);
        for (const char *c = text; *c != '\0'; c++)
            cr_assert((unsigned char)*c >= 0x20 && *c != 0x7f);
    }
}

Test(audit, a_raised_event)
{
    struct idw_event ev;
    char path[] = "/bin/s\x1bh";
    const char *argv[] = {"sh", "-i", NULL};
    begin(&ev, "execve", (uint64_t[6]){address_of(path), address_of(argv), address_of(argv)});
    (void)event_memory(&ev, call_arg_named(ev.call, CALL_NAME_argv));
    audit_raised(&ev, &violation, values);
    event_verdict(&ev, VERDICT_DENY, EPERM);
    struct json_object *o = flushed(&ev);
    cr_expect_str_eq(keys(o), "time host wrapper event params subject call verdict ");
    cr_expect_str_eq(json_object_get_string(get(o, "wrapper")), "imapd_id");
    cr_expect_str_eq(json_object_get_string(get(o, "event")), "violation");
    cr_expect_str_eq(
        json(get(o, "params")),
        "{\"rule\":\"open\\\\\\\\read\",\"object\":null,\"low\":-5,\"high\":18446744073709551615}");
    cr_expect_str_eq(keys(get(o, "subject")), "pid tid ppid uid euid program exe invoker ");
    char expect[512];
    (void)snprintf(expect, sizeof expect,
                   "{\"pid\":4711,\"tid\":%d,\"ppid\":%d,\"uid\":%u,\"euid\":%u,\"program\":\"im\\\\x0aap\","
                   "\"exe\":\"/usr/lib/dovecot/im\\\\x0aap\",\"invoker\":1234}",
                   getpid(), getppid(), getuid(), geteuid());
    cr_expect_str_eq(json(get(o, "subject")), expect);
    cr_expect_str_eq(json(get(o, "call")),
                     "{\"name\":\"execve\",\"phase\":\"pre\",\"args\":{\"path\":\"/bin/s\\\\x1bh\","
                     "\"argv\":[\"sh\",\"-i\"],\"envp\":null}}");
    cr_expect_str_eq(json_object_get_string(get(o, "verdict")), "deny EPERM");
    const char *time = json_object_get_string(get(o, "time"));
    int n = 0;
    (void)sscanf(time, "20%*2d-%*2d-%*2dT%*2d:%*2d:%*2d.%*6dZ%n", &n);
    cr_expect_eq(n, 27, "%s", time);
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    cr_expect_str_eq(json_object_get_string(get(o, "host")), host);
    cr_expect_null(ev.notes, "flushed notes are gone");
    (void)json_object_put(o);
    event_clear(&ev);
}

Test(audit, said_text)
{
    struct idw_event ev;
    char text[] = "caf\xe9 \xc3\xa9";
    begin(&ev, "getpid", (uint64_t[6]){0});
    audit_said(&ev, text);
    memset(text, 'x', sizeof text - 1);
    struct json_object *o = flushed(&ev);
    cr_expect_str_eq(keys(o), "time host wrapper subject call verdict text ");
    cr_expect_str_eq(json_object_get_string(get(o, "text")), "caf\\xe9 \xc3\xa9", "values are copied");
    cr_expect_str_eq(json_object_get_string(get(o, "verdict")), "run");
    (void)json_object_put(o);
    event_clear(&ev);
}

Test(audit, verdicts)
{
    static const struct {
        struct verdict v;
        const char *text;
    } cases[] = {
        {{VERDICT_RUN, 0}, "run"},
        {{VERDICT_FAKE, -7}, "fake -7"},
        {{VERDICT_DENY, EACCES}, "deny EACCES"},
        {{VERDICT_DENY, 4000}, "deny 4000"},
        {{VERDICT_KILL, 0}, "kill"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        begin(&ev, "getpid", (uint64_t[6]){0});
        audit_said(&ev, "");
        event_verdict(&ev, cases[i].v.kind, cases[i].v.value);
        struct json_object *o = flushed(&ev);
        cr_expect_str_eq(json_object_get_string(get(o, "verdict")), cases[i].text);
        (void)json_object_put(o);
        event_clear(&ev);
    }
}

/* One note about a call; its "call" as text. @result: NULL for pre. */
static void check_call(const char *name, const uint64_t regs[6], const int64_t *result, unsigned fetch,
                       const char *expect)
{
    struct idw_event ev;
    begin(&ev, name, regs);
    if (result != NULL)
        event_result(&ev, *result);
    if (fetch != CALL_NAME_NONE)
        (void)event_memory(&ev, call_arg_named(ev.call, fetch));
    audit_said(&ev, "x");
    struct json_object *o = flushed(&ev);
    cr_expect_str_eq(json(get(o, "call")), expect, "%s", json(get(o, "call")));
    (void)json_object_put(o);
    event_clear(&ev);
}

Test(audit, calls)
{
    struct stat st = {0};
    const uint64_t bad = address_of("") + (1UL << 45);
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0xc0000201)};
    struct sockaddr odd = {.sa_family = 250};
    const uint64_t openat[6] = {(uint32_t)AT_FDCWD, address_of("/x"), O_WRONLY | O_CREAT, 0640};
    const uint64_t fstat_[6] = {7, address_of(&st)};
    check_call("openat", openat, NULL, CALL_NAME_NONE,
               "{\"name\":\"openat\",\"phase\":\"pre\",\"args\":{\"dirfd\":\"AT_FDCWD\",\"path\":\"/x\","
               "\"flags\":\"O_WRONLY|O_CREAT\",\"mode\":\"0640\"}}");
    check_call("openat", openat, &(int64_t){-ENOENT}, CALL_NAME_path,
               "{\"name\":\"openat\",\"phase\":\"post\",\"args\":{\"dirfd\":\"AT_FDCWD\",\"path\":\"/x\","
               "\"flags\":\"O_WRONLY|O_CREAT\",\"mode\":\"0640\"},\"ret\":-1,\"errno\":\"ENOENT\"}");
    /* After the call nothing that went in is fetched. */
    check_call("openat", openat, &(int64_t){5}, CALL_NAME_NONE,
               "{\"name\":\"openat\",\"phase\":\"post\",\"args\":{\"dirfd\":\"AT_FDCWD\",\"path\":null,"
               "\"flags\":\"O_WRONLY|O_CREAT\",\"mode\":\"0640\"},\"ret\":5}");
    check_call("chdir", (uint64_t[6]){bad}, NULL, CALL_NAME_NONE,
               "{\"name\":\"chdir\",\"phase\":\"pre\",\"args\":{\"path\":{\"error\":\"EFAULT\"}}}");
    /* What the kernel writes is in post records only. */
    check_call("fstat", fstat_, NULL, CALL_NAME_statbuf,
               "{\"name\":\"fstat\",\"phase\":\"pre\",\"args\":{\"fd\":7}}");
    check_call(
        "fstat", fstat_, &(int64_t){0}, CALL_NAME_statbuf,
        "{\"name\":\"fstat\",\"phase\":\"post\",\"args\":{\"fd\":7,\"statbuf\":{\"len\":144}},\"ret\":0}");
    check_call("fstat", fstat_, &(int64_t){0}, CALL_NAME_NONE,
               "{\"name\":\"fstat\",\"phase\":\"post\",\"args\":{\"fd\":7,\"statbuf\":null},\"ret\":0}");
    check_call("connect", (uint64_t[6]){3, address_of(&in), sizeof in}, NULL, CALL_NAME_sockaddr,
               "{\"name\":\"connect\",\"phase\":\"pre\",\"args\":{\"fd\":3,\"sockaddr\":\"192.0.2.1:80\","
               "\"addrlen\":16}}");
    check_call("connect", (uint64_t[6]){3, address_of(&odd), sizeof odd}, NULL, CALL_NAME_sockaddr,
               "{\"name\":\"connect\",\"phase\":\"pre\",\"args\":{\"fd\":3,\"sockaddr\":{\"len\":16},"
               "\"addrlen\":16}}");
    check_call("write", (uint64_t[6]){1, address_of("secret"), 6}, NULL, CALL_NAME_buf,
               "{\"name\":\"write\",\"phase\":\"pre\",\"args\":{\"fd\":1,\"buf\":{\"len\":6},\"count\":6}}");
    check_call("write", (uint64_t[6]){1, address_of("secret"), UINT64_MAX}, NULL, CALL_NAME_NONE,
               "{\"name\":\"write\",\"phase\":\"pre\",\"args\":{\"fd\":1,\"buf\":null,\"count\":"
               "18446744073709551615}}");
}

/* Said before the call, written after it: the phase is that of the clause, and no late look at the target. */
Test(audit, a_note_keeps_its_phase)
{
    struct idw_event ev;
    begin(&ev, "chdir", (uint64_t[6]){address_of("/x")});
    audit_said(&ev, "early");
    strcpy(record.exe, "/bin/other");
    event_result(&ev, -EPERM);
    struct json_object *o = flushed(&ev);
    cr_expect_str_eq(json(get(o, "call")), "{\"name\":\"chdir\",\"phase\":\"pre\",\"args\":{\"path\":null}}");
    cr_expect_str_eq(json_object_get_string(get(get(o, "subject"), "program")), "im\\x0aap");
    (void)json_object_put(o);
    event_clear(&ev);
}

Test(audit, assigned_arguments_are_named)
{
    struct idw_event ev;
    begin(&ev, "fchmod", (uint64_t[6]){3, 0600});
    ev.assigned = 1 << 1;
    audit_said(&ev, "x");
    struct json_object *o = flushed(&ev);
    cr_expect_str_eq(json(get(get(o, "call"), "assigned")), "[\"mode\"]");
    (void)json_object_put(o);
    event_clear(&ev);
}

Test(audit, assigned_memory_is_named_and_shown)
{
    struct idw_event ev;
    begin(&ev, "chdir", (uint64_t[6]){address_of("/x")});
    cr_assert_eq(event_assign(&ev, call_arg_named(ev.call, CALL_NAME_path), "/new", 4), 0);
    audit_said(&ev, "x");
    struct json_object *o = flushed(&ev);
    cr_expect_str_eq(
        json(get(o, "call")),
        "{\"name\":\"chdir\",\"phase\":\"pre\",\"args\":{\"path\":\"/new\"},\"assigned\":[\"path\"]}");
    (void)json_object_put(o);
    event_clear(&ev);
}

Test(audit, the_kernels_result_is_told_when_a_clause_changed_it)
{
    static const struct {
        int64_t kernel, assigned;
        const char *expected;
    } cases[] = {
        {0, 0, "\"ret\":0}"},
        {-EACCES, -EACCES, "\"ret\":-1,\"errno\":\"EACCES\"}"},
        {-EACCES, 0, "\"ret\":0,\"kernel_ret\":-1,\"kernel_errno\":\"EACCES\"}"},
        {0, -ENOENT, "\"ret\":-1,\"errno\":\"ENOENT\",\"kernel_ret\":0}"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        begin(&ev, "chdir", (uint64_t[6]){0});
        event_result(&ev, cases[i].kernel);
        ev.result = cases[i].assigned;
        ev.result_assigned = true;
        audit_said(&ev, "x");
        struct json_object *o = flushed(&ev);
        const char *call = json(get(o, "call"));
        cr_expect_not_null(strstr(call, cases[i].expected), "%s", call);
        (void)json_object_put(o);
        event_clear(&ev);
    }
}

Test(audit, long_things_are_cut)
{
    static char path[5001];
    memset(path, 'p', sizeof path - 1);
    const char *argv[71] = {0};
    for (size_t i = 0; i < 70; i++)
        argv[i] = "a";
    struct idw_event ev;
    begin(&ev, "execve", (uint64_t[6]){address_of(path), address_of(argv), 0});
    (void)event_memory(&ev, call_arg_named(ev.call, CALL_NAME_argv));
    audit_said(&ev, path);
    struct json_object *o = flushed(&ev);
    struct json_object *call = get(o, "call");
    cr_expect_str_eq(keys(o), "time host wrapper subject call verdict text truncated ");
    cr_expect_str_eq(keys(call), "name phase args truncated ");
    cr_expect_eq(json_object_get_string_len(get(get(call, "args"), "path")), 4096);
    cr_expect_eq(json_object_array_length(get(get(call, "args"), "argv")), 64);
    cr_expect_eq(json_object_get_string_len(get(o, "text")), 4096);
    cr_expect(json_object_get_boolean(get(call, "truncated")));
    (void)json_object_put(o);
    event_clear(&ev);

    begin(&ev, "execve", (uint64_t[6]){address_of("/short"), address_of(argv), 0});
    (void)event_memory(&ev, call_arg_named(ev.call, CALL_NAME_argv));
    audit_said(&ev, "x");
    o = flushed(&ev);
    cr_expect_str_eq(keys(get(o, "call")), "name phase args truncated ", "a vector alone is enough");
    (void)json_object_put(o);
    event_clear(&ev);

    path[4096] = '\0';
    argv[64] = NULL;
    begin(&ev, "execve", (uint64_t[6]){address_of(path), address_of(argv), 0});
    (void)event_memory(&ev, call_arg_named(ev.call, CALL_NAME_argv));
    audit_said(&ev, path);
    o = flushed(&ev);
    cr_expect_str_eq(keys(o), "time host wrapper subject call verdict text ");
    cr_expect_str_eq(keys(get(o, "call")), "name phase args ");
    (void)json_object_put(o);
    event_clear(&ev);
}

Test(audit, clear_and_drop_forget_notes)
{
    struct idw_event ev;
    begin(&ev, "getpid", (uint64_t[6]){0});
    audit_said(&ev, "one");
    audit_raised(&ev, &violation, values);
    audit_drop(&ev);
    cr_expect_null(ev.notes);
    audit_said(&ev, "three");
    event_clear(&ev); /* the leak checker looks on */
    cr_expect_null(ev.notes);
}

/* A path with every byte but NUL, through the command that docs/audit.md gives. */
Test(audit, raw_bytes_come_back_as_documented)
{
    char path[256], original[256] = "";
    for (int i = 1; i < 256; i++)
        path[i - 1] = (char)i;
    path[255] = '\0';
    memcpy(original, path, sizeof path);
    const char *file = new_file();
    struct audit *au = audit_open(file, NULL);
    struct idw_event ev;
    begin(&ev, "chdir", (uint64_t[6]){address_of(path)});
    audit_said(&ev, "x");
    audit_flush(au, &ev);
    audit_close(au);
    event_clear(&ev);

    _cleanup_free_ char *docs = contents(IDW_SOURCE_ROOT "/docs/audit.md");
    char *command = strstr(docs, "\npython3 -c ");
    cr_assert_not_null(command);
    command[1 + strcspn(command + 1, "\n")] = '\0';
    char *shell;
    cr_assert_gt(asprintf(&shell, "%s < %s", command + 1, file), 0);
    FILE *p = popen(shell, "re");
    cr_assert_not_null(p);
    char got[512];
    size_t n = fread(got, 1, sizeof got, p);
    cr_expect_eq(pclose(p), 0);
    cr_assert_eq(n, sizeof original);
    cr_expect_eq(memcmp(got, original, n), 0);
    free(shell);
    (void)unlink(file);
}
