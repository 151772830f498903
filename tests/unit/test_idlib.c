/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What bodies call, but for files and sockets (test_idlib_files.c). The target is this process itself. */
#include <criterion/criterion.h>

#include "audit/audit.h"
#include "base/cleanup.h"
#include "idw/wdl.h"
#include "subject/event.h"

static void event(struct idw_event *ev, pid_t tid, const char *call, uint64_t r0, uint64_t r1, uint64_t r2,
                  uint64_t r3)
{
    const uint64_t regs[6] = {r0, r1, r2, r3, 0, 0};
    const struct call *c = call_by_name(call);
    cr_assert_not_null(c, "%s", call);
    event_init(ev, NULL, tid, c, regs);
}

#define P(pointer) ((uint64_t)(uintptr_t)(pointer))

static const char *const arguments[] = {"imap", "-x", NULL};

Test(arguments, are_read_by_name)
{
    struct idw_event ev;
    event(&ev, getpid(), "openat", (uint64_t)AT_FDCWD, P("/etc/passwd"), O_CREAT | 0xffffffff00000000UL,
          0640);
    cr_expect_eq(idw_int(&ev, CALL_NAME_flags), O_CREAT);
    cr_expect_eq(idw_int(&ev, CALL_NAME_dirfd), AT_FDCWD);
    cr_expect_eq(idw_int(&ev, CALL_NAME_mode), 0640);
    cr_expect_str_eq(idw_str(&ev, CALL_NAME_path), "/etc/passwd");
    cr_expect_eq(idw_str(&ev, CALL_NAME_path), idw_str(&ev, CALL_NAME_path), "one copy");
    cr_expect_eq(idw_len(&ev, CALL_NAME_path), 11);
    cr_expect_null(idw_buf(&ev, CALL_NAME_path));
    cr_expect_null(idw_strv(&ev, CALL_NAME_path));
    cr_expect_null(idw_str(&ev, CALL_NAME_flags));
    cr_expect(idw_has(&ev, CALL_NAME_path) && !idw_has(&ev, CALL_NAME_fd));
    cr_expect_eq(idw_int(&ev, CALL_NAME_fd), 0);
    cr_expect(!idw_bad(&ev, CALL_NAME_path) && !idw_bad(&ev, CALL_NAME_flags) && !idw_bad(&ev, CALL_NAME_fd));
    cr_expect_str_eq(idw_str(&ev, IDW_ATTR_call), "openat");
    cr_expect_eq(idw_len(&ev, IDW_ATTR_call), 6);
    cr_expect_eq(idw_int(&ev, IDW_ATTR_tid), getpid());
    cr_expect_eq(idw_int(&ev, IDW_ATTR_euid), geteuid());
    cr_expect(idw_has(&ev, IDW_ATTR_uid) && !idw_has(&ev, IDW_ATTR_ret) && !idw_has(&ev, IDW_ATTR_errno));
    cr_expect(!ev.internal_error);
    event_result(&ev, -ENOENT);
    cr_expect(idw_has(&ev, IDW_ATTR_ret));
    cr_expect_eq(idw_int(&ev, IDW_ATTR_ret), -1);
    cr_expect_eq(idw_int(&ev, IDW_ATTR_errno), ENOENT);
    event_clear(&ev);

    event(&ev, getpid(), "execve", P("/bin/imap"), P(arguments), 16, 0);
    cr_expect_str_eq(idw_strv(&ev, CALL_NAME_argv)[1], "-x");
    cr_expect_null(idw_strv(&ev, CALL_NAME_argv)[2]);
    cr_expect_eq(idw_len(&ev, CALL_NAME_argv), 2);
    cr_expect(idw_bad(&ev, CALL_NAME_envp));
    cr_expect_null(idw_strv(&ev, CALL_NAME_envp));
    cr_expect_eq(idw_len(&ev, CALL_NAME_envp), 0);
    cr_expect(!ev.internal_error, "a bad address is the target's mistake");
    event_clear(&ev);

    event(&ev, getpid(), "write", 1, P("bytes"), 3, 0);
    cr_expect_eq(memcmp(idw_buf(&ev, CALL_NAME_buf), "byt", 3), 0);
    cr_expect_eq(idw_len(&ev, CALL_NAME_buf), 3);
    event_clear(&ev);
}

Test(arguments, a_name_of_no_table_is_no_permission)
{
    static const uint16_t unknown[] = {CALL_NAME_NONE, CALL_NAME_COUNT, IDW_ATTR_FIRST - 1, IDW_ATTR_END,
                                       0xffff};
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        struct idw_event ev;
        event(&ev, getpid(), "close", 3, 0, 0, 0);
        cr_expect_eq(idw_int(&ev, unknown[i]), 0);
        cr_expect(!idw_has(&ev, unknown[i]));
        cr_expect(ev.internal_error, "case %zu", i);
        event_clear(&ev);
    }
}

Test(arguments, are_assigned)
{
    static const struct {
        const char *call;
        uint16_t name;
        uint64_t value;
        bool refused;
        uint8_t reg;
        uint64_t expected;
    } cases[] = {
        {"openat", CALL_NAME_flags, O_RDONLY | O_CLOEXEC, false, 2, O_CLOEXEC},
        {"openat", CALL_NAME_flags, 0x7f00000001, false, 2, 1},
        {"openat", CALL_NAME_dirfd, 0xffffffff, false, 0, UINT64_MAX},
        {"openat", CALL_NAME_mode, UINT64_MAX, false, 3, 0xffffffff},
        {"write", CALL_NAME_count, UINT64_MAX, false, 2, UINT64_MAX},
        {"openat", CALL_NAME_path, 0, true, 0, 0},
        {"openat", CALL_NAME_fd, 0, true, 0, 0},
        {"openat", IDW_ATTR_ret, 0, true, 0, 0},
        {"openat", IDW_ATTR_pid, 0, true, 0, 0},
        {"creat", CALL_NAME_flags, O_CREAT | O_WRONLY, true, 0, 0},
        {"openat2", CALL_NAME_flags, 1, true, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        event(&ev, getpid(), cases[i].call, 0, 0, 0, 0);
        idw_set(&ev, cases[i].name, cases[i].value);
        cr_expect_eq(ev.internal_error, cases[i].refused, "case %zu", i);
        cr_expect_eq(ev.assigned, cases[i].refused ? 0 : 1 << cases[i].reg, "case %zu", i);
        cr_expect_eq(ev.regs[cases[i].reg], cases[i].expected, "case %zu", i);
        event_clear(&ev);
    }
    struct idw_event ev;
    event(&ev, getpid(), "creat", 0, 0, 0, 0);
    idw_set(&ev, CALL_NAME_flags, O_CREAT | O_WRONLY | O_TRUNC);
    cr_expect(!ev.internal_error, "it is so already");
    event_result(&ev, 3);
    idw_set(&ev, CALL_NAME_mode, 0);
    cr_expect(ev.internal_error, "too late");
    event_clear(&ev);
}

Test(arguments, memory_is_assigned)
{
    static const struct {
        const char *call;
        uint16_t name;
        enum idw_phase phase;
        const char *text;
        bool refused;
    } cases[] = {
        {"openat", CALL_NAME_path, IDW_PRE, "/new", false},
        {"write", CALL_NAME_buf, IDW_PRE, "longer than it was", false},
        {"openat", CALL_NAME_path, IDW_PRE, NULL, true},
        {"openat", CALL_NAME_path, IDW_POST, "/new", true},
        {"openat", CALL_NAME_buf, IDW_PRE, "x", true},
        {"openat", CALL_NAME_flags, IDW_PRE, "x", true},
        {"openat", IDW_ATTR_exe, IDW_PRE, "x", true},
        {"openat", CALL_NAME_NONE, IDW_PRE, "x", true},
        {"execve", CALL_NAME_argv, IDW_PRE, "x", true},
        {"read", CALL_NAME_buf, IDW_PRE, "x", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *text = cases[i].text;
        struct idw_event ev;
        event(&ev, getpid(), cases[i].call, 1, P("old"), 3, 0);
        if (cases[i].phase == IDW_POST)
            event_result(&ev, 0);
        idw_assign(&ev, cases[i].name, text, text != NULL ? strlen(text) : 0);
        cr_expect_eq(ev.internal_error, cases[i].refused, "case %zu", i);
        if (!cases[i].refused) {
            bool string = cases[i].name == CALL_NAME_path;
            cr_expect_str_eq(string ? idw_str(&ev, cases[i].name) : idw_buf(&ev, cases[i].name), text);
            cr_expect_eq(idw_len(&ev, cases[i].name), strlen(text), "case %zu", i);
        }
        event_clear(&ev);
    }
}

Test(arguments, a_length_beyond_what_was_assigned_is_refused)
{
    struct idw_event ev;
    event(&ev, getpid(), "write", 1, P("old"), 3, 0);
    idw_assign(&ev, CALL_NAME_buf, "12345", 5);
    cr_expect_eq(idw_int(&ev, CALL_NAME_count), 5);
    idw_set(&ev, CALL_NAME_count, 4);
    cr_expect(!ev.internal_error && idw_len(&ev, CALL_NAME_buf) == 4);
    idw_set(&ev, CALL_NAME_count, 5);
    cr_expect(ev.internal_error);
    event_clear(&ev);
}

Test(arguments, what_a_call_wrote_is_assigned_behind_it)
{
    char buffer[8] = "abc";
    struct idw_event ev;
    event(&ev, getpid(), "read", 0, P(buffer), sizeof buffer, 0);
    event_result(&ev, 3);
    cr_expect_eq(memcmp(idw_buf(&ev, CALL_NAME_buf), "abc", 3), 0);
    idw_assign(&ev, CALL_NAME_buf, "0123456789", 10);
    cr_expect(!ev.internal_error && idw_len(&ev, CALL_NAME_buf) == 8 && idw_int(&ev, IDW_ATTR_ret) == 8);
    event_clear(&ev);
}

Test(arguments, results_are_assigned)
{
    static const struct {
        int64_t before;
        uint16_t name;
        int64_t value;
        int64_t after;
    } cases[] = {
        {3, IDW_ATTR_ret, 5, 5},
        {-ENOENT, IDW_ATTR_ret, 5, 5},
        {-ENOENT, IDW_ATTR_ret, -1, -ENOENT},
        {3, IDW_ATTR_ret, -1, -EPERM},
        {3, IDW_ATTR_ret, -4095, -EPERM},
        {3, IDW_ATTR_ret, -4096, -4096},
        {3, IDW_ATTR_errno, EACCES, -EACCES},
        {-ENOENT, IDW_ATTR_errno, EACCES, -EACCES},
        {-ENOENT, IDW_ATTR_errno, 0, 0},
        {3, IDW_ATTR_errno, 0, 3},
        {3, IDW_ATTR_errno, 4095, -4095},
    };
    struct idw_event ev;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        event(&ev, getpid(), "close", 0, 0, 0, 0);
        event_result(&ev, cases[i].before);
        idw_set(&ev, cases[i].name, (uint64_t)cases[i].value);
        cr_expect_eq(ev.result, cases[i].after, "case %zu: %ld", i, (long)ev.result);
        cr_expect(ev.result_assigned && !ev.internal_error, "case %zu", i);
        event_clear(&ev);
    }
    static const int64_t wrong[] = {-1, 4096};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        event(&ev, getpid(), "close", 0, 0, 0, 0);
        event_result(&ev, 0);
        idw_set(&ev, IDW_ATTR_errno, (uint64_t)wrong[i]);
        cr_expect(ev.internal_error && !ev.result_assigned);
        event_clear(&ev);
    }
}

Test(verdicts, the_strictest_holds)
{
    struct idw_event ev;
    event(&ev, getpid(), "close", 0, 0, 0, 0);
    idw_fake(&ev, 7);
    cr_expect(ev.verdict.kind == VERDICT_FAKE && ev.verdict.value == 7);
    idw_deny(&ev, EACCES);
    idw_fake(&ev, 8);
    cr_expect(ev.verdict.kind == VERDICT_DENY && ev.verdict.value == EACCES);
    idw_kill(&ev);
    idw_deny(&ev, EPERM);
    cr_expect_eq(ev.verdict.kind, VERDICT_KILL);
    event_clear(&ev);
    static const int wrong[] = {0, -1, 4096, INT_MIN};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        event(&ev, getpid(), "close", 0, 0, 0, 0);
        idw_deny(&ev, wrong[i]);
        cr_expect(ev.verdict.kind == VERDICT_DENY && ev.verdict.value == EPERM, "deny %d is no success",
                  wrong[i]);
        event_clear(&ev);
    }
}

Test(tables, are_the_events_and_a_failure_denies)
{
    static const struct idw_table_desc desc = {.name = "t", .row_size = 8, .key_size = 4};
    struct idw_event ev;
    idw_table handle = 0;
    uint32_t row[2] = {1, 2}, other[2] = {3, 4}, out[2] = {0};
    event(&ev, getpid(), "close", 0, 0, 0, 0);
    ev.arena = arena_create(1 << 20, NULL);
    cr_assert_not_null(ev.arena);
    cr_expect_eq(idw_table_insert(&ev, &handle, &desc, row), 1);
    cr_expect_eq(idw_table_insert(&ev, &handle, &desc, other), 1);
    cr_expect(idw_table_exists(&ev, &handle, &desc, row));
    cr_expect(idw_table_select(&ev, &handle, &desc, row, out) && out[1] == 2);
    cr_expect_eq(idw_table_delete(&ev, &handle, &desc, row), 1);
    cr_expect(!idw_table_exists(&ev, &handle, &desc, row));
    cr_expect(!idw_table_select(&ev, &handle, &desc, row, out));
    cr_expect_eq(idw_table_delete(&ev, &handle, &desc, row), 0);
    cr_expect(!ev.internal_error);
    while (arena_alloc(ev.arena, 1) != 0)
        ;
    idw_table fresh = 0;
    cr_expect_eq(idw_table_insert(&ev, &fresh, &desc, row), -ENOMEM);
    cr_expect(ev.internal_error);
    arena_unmap(ev.arena);
    event_clear(&ev);
}

/* The whole file as one string, the caller's. */
static char *contents(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "re");
    cr_assert_not_null(f);
    if (getdelim(&text, &size, '\0', f) < 0)
        cr_assert_fail("%s is empty", path);
    (void)fclose(f);
    return text;
}

Test(audit, what_is_said_and_raised_is_recorded)
{
    static const struct idw_param params[] = {{"rule", "const char *", IDW_KIND_STRING}};
    static const struct idw_event_desc violation = {"violation", params, 1};
    const union idw_value values[] = {{.s = "no-exec"}};
    char path[] = "/tmp/idlib-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    (void)close(fd);
    struct idw_event ev;
    struct audit *au = audit_open(path, NULL);
    cr_assert_not_null(au);
    event(&ev, getpid(), "close", 0, 0, 0, 0);
    ev.wrapper = "tested";
    idw_wr_audit(&ev, "said plainly");
    idw_wr_audit_printf(&ev, "%d of %s", 3, "them");
    idw_raise(&ev, &violation, values);
    audit_flush(au, &ev);
    event_clear(&ev);
    audit_close(au);
    _cleanup_free_ char *log = contents(path);
    (void)unlink(path);
    static const char *const expected[] = {"said plainly", "3 of them", "violation", "no-exec"};
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        cr_expect_not_null(strstr(log, expected[i]), "%s: %s", expected[i], log);
}
