/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: what is fetched, when, how much of it, and that nothing is looked at twice. The target is this
 * process. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "subject/event.h"
#include "subject/memory.h"
#include "event_help.h"

Test(event, a_string_is_fetched_once_for_both_phases)
{
    char path[] = "/tmp/before";
    struct call c =
        one_argument((struct call_arg){.type = TYPE_PATH, .name = CALL_NAME_path, .tags = TAG_IN}, 0, NULL);
    struct idw_event ev;
    begin(&ev, &c, address_of(path), 0, 0);
    cr_expect_not(event_fetched(&ev, &c.args[0]));
    const struct event_copy *copy = event_memory(&ev, &c.args[0]);
    cr_assert_str_eq(copy->data, "/tmp/before");
    cr_expect_eq(copy->len, strlen(path));
    cr_expect_eq(copy->error, 0);
    cr_expect(event_fetched(&ev, &c.args[0]));
    cr_expect_eq(event_path_owner(&ev, copy->data), &c.args[0]);
    cr_expect_null(event_path_owner(&ev, path), "only the copy itself is known");
    cr_expect_null(event_path_owner(&ev, NULL));
    memcpy(path, "/etc/shadow", sizeof path);
    cr_expect_str_eq(event_memory(&ev, &c.args[0])->data, "/tmp/before");
    const void *data = copy->data;
    event_result(&ev, 0);
    cr_expect_str_eq(event_memory(&ev, &c.args[0])->data, "/tmp/before");
    cr_expect_eq(event_memory(&ev, &c.args[0])->data, data, "the very same");
    event_clear(&ev);
}

Test(event, what_cannot_be_read)
{
    static char too_long[MEMORY_STRING_MAX + 2];
    memset(too_long, 'a', sizeof too_long - 1);
    char *a = pages(1);
    memset(a, 'b', PAGE);
    const struct {
        const char *what;
        uint8_t type;
        uint64_t address;
        int error;
    } cases[] = {
        {"no path", TYPE_PATH, 0, EFAULT},
        {"a kernel address", TYPE_STR, UINT64_MAX - 100, EFAULT},
        {"no end", TYPE_PATH, address_of(a), EFAULT},
        {"too long", TYPE_PATH, address_of(too_long), ENAMETOOLONG},
        {"vector nowhere", TYPE_STRV, address_of(a + PAGE), EFAULT},
        {"struct beyond the end", TYPE_STRUCT, address_of(a + PAGE - 15), EFAULT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct call c =
            one_argument((struct call_arg){.type = cases[i].type, .tags = TAG_IN, .size = 16}, 0, NULL);
        struct idw_event ev;
        begin(&ev, &c, cases[i].address, 0, 0);
        const struct event_copy *copy = event_memory(&ev, &c.args[0]);
        cr_expect_null(copy->data, "%s", cases[i].what);
        cr_expect_eq(copy->len, 0, "%s", cases[i].what);
        cr_expect_eq(copy->error, cases[i].error, "%s: %d", cases[i].what, copy->error);
        cr_expect_not(ev.internal_error, "%s is the target's own fault", cases[i].what);
        event_clear(&ev);
    }
}

Test(event, a_thread_that_is_gone)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    struct call c = one_argument((struct call_arg){.type = TYPE_PATH, .tags = TAG_IN}, 0, NULL);
    const uint64_t regs[6] = {address_of("x")};
    struct idw_event ev;
    event_init(&ev, &someone, pid, &c, regs);
    cr_expect_eq(event_memory(&ev, &c.args[0])->error, ESRCH);
    cr_expect_not(ev.internal_error);
    cr_expect_eq(event_attr(&ev, IDW_ATTR_uid), (uid_t)-1);
    cr_expect_eq(event_attr(&ev, IDW_ATTR_egid), (gid_t)-1);
    cr_expect_eq(event_attr(&ev, IDW_ATTR_ppid), 4710, "the last that was known");
    cr_expect_eq(ev.fault, 0);
    event_clear(&ev);
}

#define BUF .type = TYPE_BUF, .tags = TAG_IN, .len_reg = 2
#define READ_BUF .type = TYPE_BUF, .tags = TAG_OUT, .len_reg = 2, .len_from_ret = 1
#define ADDRESS .type = TYPE_SOCKADDR, .tags = TAG_IN, .len_reg = 2
#define FIXED_STRUCT .type = TYPE_STRUCT, .tags = TAG_IN, .size = 24
#define SIZED_STRUCT .type = TYPE_STRUCT, .tags = TAG_IN, .len_reg = 2

/* What the table's rules make of registers and result; the memory is a page of 'm' before a hole. */
Test(event, lengths)
{
    enum { SOCK = sizeof(struct sockaddr_storage) };
    static const struct {
        const char *what;
        struct call_arg a; /* register 0; its length in register 1 */
        uint8_t len_type;  /* of the argument in register 1 */
        uint64_t length;
        int64_t result;
        size_t offset;  /* into the page */
        ssize_t expect; /* bytes, or -1: no data */
        int error;
    } cases[] = {
        {"a length", {BUF}, TYPE_SIZE, 10, 0, 0, 10, 0},
        {"nothing", {BUF}, TYPE_SIZE, 0, 0, 0, 0, 0},
        {"up to the hole", {BUF}, TYPE_SIZE, 9, 0, PAGE - 9, 9, 0},
        {"into the hole", {BUF}, TYPE_SIZE, 99, 0, PAGE - 9, 9, EFAULT},
        {"in the hole", {BUF}, TYPE_SIZE, 99, 0, PAGE, -1, EFAULT},
        {"a negative length", {BUF}, TYPE_SIZE, UINT64_MAX, 0, 0, -1, EINVAL},
        {"an int's high half", {BUF}, TYPE_INT, 0xdeadbeef0000000b, 0, 0, 11, 0},
        {"an int below 0", {ADDRESS}, TYPE_INT, 0xfffffff0, 0, 0, -1, EINVAL},
        {"an address", {ADDRESS}, TYPE_INT, 16, 0, 0, 16, 0},
        {"a long address", {ADDRESS}, TYPE_INT, 4000, 0, 0, -1, EINVAL},
        {"an address in the hole", {ADDRESS}, TYPE_INT, 16, 0, PAGE - 8, -1, EFAULT},
        {"a struct", {FIXED_STRUCT}, TYPE_SIZE, 7, 0, 0, 24, 0},
        {"a struct and its size", {SIZED_STRUCT}, TYPE_SIZE, 7, 0, 0, 7, 0},
        {"a struct, huge", {SIZED_STRUCT}, TYPE_SIZE, 1UL << 40, 0, 0, -1, E2BIG},
        {"what read got", {READ_BUF}, TYPE_SIZE, 100, 5, 0, 5, 0},
        {"read, end of file", {READ_BUF}, TYPE_SIZE, 100, 0, 0, 0, 0},
        {"read, failed", {READ_BUF}, TYPE_SIZE, 100, -EIO, 0, 0, 0},
        {"more than asked for", {READ_BUF}, TYPE_SIZE, 10, 99, 0, 10, 0},
    };
    char *a = pages(1);
    memset(a, 'm', PAGE);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct call_arg length = {.type = cases[i].len_type, .reg = 1, .name = CALL_NAME_count};
        struct call c = one_argument(cases[i].a, 1, &length);
        struct idw_event ev;
        begin(&ev, &c, address_of(a + cases[i].offset), cases[i].length, 0);
        if (cases[i].a.tags & TAG_OUT)
            event_result(&ev, cases[i].result);
        const struct event_copy *copy = event_memory(&ev, &c.args[0]);
        cr_expect_eq(copy->error, cases[i].error, "%s: %d", cases[i].what, copy->error);
        cr_expect_eq(copy->data != NULL, cases[i].expect >= 0, "%s", cases[i].what);
        cr_expect_eq(copy->len, cases[i].expect < 0 ? 0 : (size_t)cases[i].expect, "%s: %zu", cases[i].what,
                     copy->len);
        if (copy->data != NULL) {
            for (size_t n = 0; n < copy->len; n++)
                cr_assert_eq(((char *)copy->data)[n], 'm', "%s at %zu", cases[i].what, n);
            cr_expect_eq(((char *)copy->data)[copy->len], '\0', "%s: a NUL behind it", cases[i].what);
        }
        event_clear(&ev);
    }
}

Test(event, a_buffer_over_the_limit_shows_its_beginning)
{
    size_t size = EVENT_BYTES_MAX + 5;
    char *big = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(big, MAP_FAILED);
    big[0] = 'b';
    struct call_arg length = {.type = TYPE_SIZE, .reg = 1};
    struct call c =
        one_argument((struct call_arg){.type = TYPE_BUF, .tags = TAG_IN, .len_reg = 2}, 1, &length);
    struct idw_event ev;
    begin(&ev, &c, address_of(big), size, 0);
    const struct event_copy *copy = event_memory(&ev, &c.args[0]);
    cr_expect_eq(copy->len, EVENT_BYTES_MAX);
    cr_expect_eq(copy->error, E2BIG);
    cr_expect_eq(*(char *)copy->data, 'b');
    event_clear(&ev);
    begin(&ev, &c, address_of(big), EVENT_BYTES_MAX, 0);
    cr_expect_eq(event_memory(&ev, &c.args[0])->error, 0, "as long as may be");
    event_clear(&ev);
    begin(&ev, &c, address_of(big), 1UL << 40, 0);
    cr_expect_eq(event_memory(&ev, &c.args[0])->len, EVENT_BYTES_MAX);
    event_clear(&ev);
}

Test(event, out_arguments_are_known_after_the_call)
{
    char buf[] = "before";
    int32_t len = 4;
    struct call c =
        one_argument((struct call_arg){.type = TYPE_BUF, .tags = TAG_OUT, .len_reg = 2, .len_is_pointer = 1},
                     1, &(struct call_arg){.type = TYPE_ADDR, .reg = 1});
    struct idw_event ev;
    begin(&ev, &c, address_of(buf), address_of(&len), 0);
    const struct event_copy *copy = event_memory(&ev, &c.args[0]);
    cr_expect_null(copy->data);
    cr_expect_eq(copy->error, 0, "empty, but not bad");
    cr_expect_not(event_fetched(&ev, &c.args[0]));
    memcpy(buf, "after!", sizeof buf);
    len = 6;
    event_result(&ev, 0);
    copy = event_memory(&ev, &c.args[0]);
    cr_expect_eq(copy->len, 6);
    cr_expect_str_eq(copy->data, "after!");
    memcpy(buf, "later!", sizeof buf);
    cr_expect_str_eq(event_memory(&ev, &c.args[0])->data, "after!", "once in its phase");
    event_clear(&ev);

    begin(&ev, &c, address_of(buf), 0, 0);
    event_result(&ev, 0);
    cr_expect_eq(event_memory(&ev, &c.args[0])->error, EFAULT, "no length where it should be");
    event_clear(&ev);
    len = -1;
    begin(&ev, &c, address_of(buf), address_of(&len), 0);
    event_result(&ev, 0);
    cr_expect_eq(event_memory(&ev, &c.args[0])->error, EINVAL);
    event_clear(&ev);
}

Test(event, in_and_out_is_fetched_in_both_phases)
{
    char offset[8] = "pre";
    struct call c =
        one_argument((struct call_arg){.type = TYPE_STRUCT, .tags = TAG_IN | TAG_OUT, .size = 8}, 0, NULL);
    struct idw_event ev;
    begin(&ev, &c, address_of(offset), 0, 0);
    cr_expect_str_eq(event_memory(&ev, &c.args[0])->data, "pre");
    memcpy(offset, "post", 5);
    cr_expect_str_eq(event_memory(&ev, &c.args[0])->data, "pre");
    event_result(&ev, 0);
    cr_expect_str_eq(event_memory(&ev, &c.args[0])->data, "post");
    event_clear(&ev);
}

Test(event, vectors)
{
    const char *argv[] = {"sh", "-c", "id", NULL};
    struct call c = one_argument((struct call_arg){.type = TYPE_STRV, .tags = TAG_IN}, 0, NULL);
    struct idw_event ev;
    begin(&ev, &c, address_of(argv), 0, 0);
    const struct event_copy *copy = event_memory(&ev, &c.args[0]);
    argv[2] = "harmless";
    cr_assert_eq(copy->len, 3);
    const char *const *copied = copy->data;
    cr_expect_str_eq(copied[2], "id");
    cr_expect_null(copied[3]);
    event_clear(&ev);
    begin(&ev, &c, 0, 0, 0);
    cr_expect_eq(event_memory(&ev, &c.args[0])->error, 0, "execve(path, NULL, NULL)");
    cr_expect_eq(event_memory(&ev, &c.args[0])->len, 0);
    event_clear(&ev);
}

Test(event, scalars_have_their_width_and_sign)
{
    static const struct {
        struct call_arg a;
        uint64_t reg;
        int64_t expect;
    } cases[] = {
        {{.type = TYPE_INT}, 0xdeadbeefffffffff, -1},
        {{.type = TYPE_UINT}, 0xdeadbeefffffffff, 0xffffffff},
        {{.type = TYPE_DIRFD}, 0x00000000ffffff9c, AT_FDCWD},
        {{.type = TYPE_LONG}, UINT64_MAX, -1},
        {{.type = TYPE_MODE}, 0xabcd000001ed, 0755},
        {{.type = TYPE_FLAGS, .source = FROM_CONST, .value = O_CREAT | O_WRONLY}, 12345, O_CREAT | O_WRONLY},
        {{.type = TYPE_PATH}, 0x7f1234, 0x7f1234},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct call c = one_argument(cases[i].a, 0, NULL);
        struct idw_event ev;
        begin(&ev, &c, cases[i].reg, 0, 0);
        cr_expect_eq(event_scalar(&ev, &c.args[0]), cases[i].expect, "%zu: %ld", i,
                     event_scalar(&ev, &c.args[0]));
        if (cases[i].a.type != TYPE_PATH) {
            cr_expect(event_fetched(&ev, &c.args[0]));
            cr_expect_eq(event_memory(&ev, &c.args[0])->error, 0);
        }
        event_clear(&ev);
    }
}

/* openat2 as the table has it. */
Test(event, fields_come_from_one_copy)
{
    const struct call *c = call_by_name("openat2");
    cr_assert_not_null(c);
    const struct call_arg *flags = call_arg_named(c, CALL_NAME_flags);
    const struct call_arg *mode = call_arg_named(c, CALL_NAME_mode);
    const struct call_arg *resolve = call_arg_named(c, CALL_NAME_resolve);
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .mode = 0600, .resolve = RESOLVE_BENEATH};
    uint64_t regs[6] = {(uint64_t)AT_FDCWD, address_of("/x"), address_of(&how), sizeof how};
    struct idw_event ev;
    event_init(&ev, &someone, getpid(), c, regs);
    cr_expect_not(event_fetched(&ev, flags));
    cr_expect_eq(event_scalar(&ev, flags), O_RDONLY | O_CLOEXEC);
    cr_expect(event_fetched(&ev, mode));
    how = (struct open_how){.flags = O_RDWR, .mode = 0777, .resolve = 0};
    cr_expect_eq(event_scalar(&ev, mode), 0600);
    cr_expect_eq(event_scalar(&ev, resolve), RESOLVE_BENEATH);
    event_result(&ev, 3);
    cr_expect_eq(event_scalar(&ev, flags), O_RDONLY | O_CLOEXEC);
    event_clear(&ev);

    how.resolve = RESOLVE_BENEATH;
    regs[3] = 12; /* an older version of the struct: flags and half of the mode */
    event_init(&ev, &someone, getpid(), c, regs);
    cr_expect_eq(event_scalar(&ev, flags), O_RDWR);
    cr_expect_eq(event_scalar(&ev, mode), 0777);
    cr_expect_eq(event_scalar(&ev, resolve), 0, "beyond the size that the target gave");
    event_clear(&ev);

    regs[2] = 8;
    event_init(&ev, &someone, getpid(), c, regs);
    cr_expect_eq(event_scalar(&ev, flags), 0);
    cr_expect_eq(event_memory(&ev, flags)->error, EFAULT, "a field that can't be read is bad");
    event_clear(&ev);
}

/* A struct that is no argument itself: its fields still share a copy, and one of them can be a pointer. */
Test(event, fields_of_a_struct_without_a_name)
{
    struct {
        uint32_t kind;
        uint32_t mode;
        const char *path;
    } s = {7, 0644, "/there"};
    static const struct call_arg more[] = {
        {.type = TYPE_MODE, .source = FROM_FIELD, .offset = 4, .size = 4, .len_reg = 2},
        {.type = TYPE_PATH, .source = FROM_FIELD, .offset = 8, .size = 8, .tags = TAG_IN},
        {.type = TYPE_SIZE, .reg = 1},
    };
    struct call c = one_argument(
        (struct call_arg){.type = TYPE_INT, .source = FROM_FIELD, .size = 4, .len_reg = 2}, 3, more);
    struct idw_event ev;
    begin(&ev, &c, address_of(&s), sizeof s, 0);
    cr_expect_eq(event_scalar(&ev, &c.args[0]), 7);
    s.mode = 0777;
    cr_expect_eq(event_scalar(&ev, &c.args[1]), 0644);
    cr_expect_str_eq(event_memory(&ev, &c.args[2])->data, "/there");
    event_clear(&ev);
    begin(&ev, &c, address_of(&s), 4, 0);
    cr_expect_eq(event_scalar(&ev, &c.args[0]), 7);
    cr_expect_eq(event_scalar(&ev, &c.args[1]), 0, "cut by the size register");
    event_clear(&ev);
    begin(&ev, &c, 16, sizeof s, 0);
    cr_expect_eq(event_memory(&ev, &c.args[2])->error, EFAULT);
    cr_expect_null(event_memory(&ev, &c.args[2])->data);
    event_clear(&ev);
}

Test(event, result_and_errno)
{
    static const struct {
        int64_t result, ret, errnum;
    } cases[] = {
        {0, 0, 0},
        {3, 3, 0},
        {-EPERM, -1, EPERM},
        {-4095, -1, 4095},
        {-4096, -4096, 0},
        {-1, -1, EPERM},
        {0x7f0000001000, 0x7f0000001000, 0},
    };
    struct call c = {.name = "made_up"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct idw_event ev;
        begin(&ev, &c, 0, 0, 0);
        cr_expect_eq(ev.phase, IDW_PRE);
        event_result(&ev, cases[i].result);
        cr_expect_eq(ev.phase, IDW_POST);
        cr_expect_eq(event_attr(&ev, IDW_ATTR_ret), cases[i].ret, "%zu", i);
        cr_expect_eq(event_attr(&ev, IDW_ATTR_errno), cases[i].errnum, "%zu", i);
        event_clear(&ev);
    }
}

Test(event, the_stricter_verdict_holds)
{
    struct call c = {.name = "made_up"};
    struct idw_event ev;
    begin(&ev, &c, 0, 0, 0);
    static const struct {
        struct verdict given, expect;
    } steps[] = {
        {{VERDICT_RUN, 0}, {VERDICT_RUN, 0}},           {{VERDICT_FAKE, 5}, {VERDICT_FAKE, 5}},
        {{VERDICT_FAKE, 6}, {VERDICT_FAKE, 5}}, /* the first of its kind */
        {{VERDICT_DENY, EPERM}, {VERDICT_DENY, EPERM}}, {{VERDICT_FAKE, 7}, {VERDICT_DENY, EPERM}},
        {{VERDICT_KILL, 0}, {VERDICT_KILL, 0}},         {{VERDICT_DENY, EIO}, {VERDICT_KILL, 0}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        event_verdict(&ev, steps[i].given.kind, steps[i].given.value);
        cr_expect_eq(ev.verdict.kind, steps[i].expect.kind, "%zu", i);
        cr_expect_eq(ev.verdict.value, steps[i].expect.value, "%zu", i);
    }
}

Test(event, attributes)
{
    const struct call *c = call_by_name("openat");
    cr_assert_not_null(c);
    struct idw_event ev;
    begin(&ev, c, 0, 0, 0);
    cr_expect_eq(event_attr(&ev, IDW_ATTR_pid), 4711);
    cr_expect_eq(event_attr(&ev, IDW_ATTR_ppid), getppid(), "as it is now, not as it was at the fork");
    cr_expect_eq(event_attr(&ev, IDW_ATTR_tid), getpid());
    cr_expect_eq(event_attr(&ev, IDW_ATTR_invoker), 1234);
    cr_expect_eq(event_attr(&ev, IDW_ATTR_nr), 257);
    cr_expect_eq(event_attr(&ev, IDW_ATTR_ret), 0);
    cr_expect_str_eq(event_attr_text(&ev, IDW_ATTR_call), "openat");
    cr_expect_str_eq(event_attr_text(&ev, IDW_ATTR_exe), "/usr/lib/dovecot/imap");
    cr_expect_str_eq(event_attr_text(&ev, IDW_ATTR_program), "imap");
    cr_expect_null(event_attr_text(&ev, IDW_ATTR_pid));
    strcpy(record.exe, "noslash");
    cr_expect_str_eq(event_attr_text(&ev, IDW_ATTR_program), "noslash");
    event_clear(&ev);
}

/* A child that tells of each byte it is sent by changing its credentials first. */
static pid_t changing_child(int in, int out)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    char byte;
    while (read(in, &byte, 1) == 1)
        if (setresgid(12, 13, 12) < 0 || setresuid(10, 11, 10) < 0 || write(out, &byte, 1) != 1)
            break;
    _exit(0);
}

Test(event, credentials_are_the_threads_and_read_once)
{
    int to[2], from[2];
    cr_assert_eq(pipe2(to, O_CLOEXEC), 0);
    cr_assert_eq(pipe2(from, O_CLOEXEC), 0);
    pid_t pid = changing_child(to[0], from[1]);
    cr_assert_gt(pid, 0);
    static const struct call c = {.name = "made_up"};
    const uint64_t regs[6] = {0};
    struct idw_event ev, later;
    event_init(&ev, &someone, pid, &c, regs);
    event_init(&later, &someone, pid, &c, regs);
    cr_expect_eq(event_attr(&ev, IDW_ATTR_uid), getuid());
    if (geteuid() == 0) {
        char byte = 0;
        cr_assert_eq(write(to[1], &byte, 1), 1);
        cr_assert_eq(read(from[0], &byte, 1), 1);
        cr_expect_eq(event_attr(&later, IDW_ATTR_uid), 10);
        cr_expect_eq(event_attr(&later, IDW_ATTR_euid), 11);
        cr_expect_eq(event_attr(&later, IDW_ATTR_gid), 12);
        cr_expect_eq(event_attr(&later, IDW_ATTR_egid), 13);
    }
    cr_expect_eq(event_attr(&ev, IDW_ATTR_euid), geteuid());
    cr_expect_eq(event_attr(&ev, IDW_ATTR_gid), getgid());
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

/* Without a descriptor left, /proc can't be read: the call must not run as if it had been looked at. */
Test(event, our_own_failure_is_noticed)
{
    static const struct call c = {.name = "made_up"};
    struct idw_event ev;
    begin(&ev, &c, 0, 0, 0);
    while (dup(STDERR_FILENO) >= 0)
        ;
    (void)event_attr(&ev, IDW_ATTR_uid);
    closefrom(50);
    cr_expect(ev.internal_error);
}

static int dropped;

static void drop(struct idw_event *ev)
{
    ev->notes = NULL;
    dropped++;
}

Test(event, clear_drops_notes_and_may_come_twice)
{
    static const struct call c = {.name = "made_up"};
    struct idw_event ev;
    begin(&ev, &c, 0, 0, 0);
    ev.notes = (struct audit_note *)&dropped; /* nobody looks behind it */
    ev.notes_drop = drop;
    event_clear(&ev);
    event_clear(&ev);
    cr_expect_eq(dropped, 1);
}
