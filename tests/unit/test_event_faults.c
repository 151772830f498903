/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: inputs that can't be had make the event's fault. The target is this process. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "subject/event.h"
#include "subject/memory.h"
#include "event_help.h"

/* Memory that the kernel reads for this process, and nobody else can; or NULL where there is none. */
static char *secret_page(void)
{
    _cleanup_close_ int fd = (int)syscall(SYS_memfd_secret, 0);
    if (fd < 0 || ftruncate(fd, (off_t)PAGE) < 0)
        return NULL;
    char *a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return a != MAP_FAILED ? a : NULL;
}

/* What can't be had of an input, though the kernel may have it, is a fault of the event. */
Test(event_faults, faults)
{
    static char too_long[MEMORY_STRING_MAX + 2];
    memset(too_long, 'a', sizeof too_long - 1);
    char *a = pages(1);
    const uint64_t hole = address_of(a + PAGE);
    char *to_nowhere[] = {a, a + PAGE, NULL};
    char *over_long[] = {too_long, NULL};
    const struct {
        const char *what;
        uint8_t type, tags;
        uint64_t address, len;
        int fault;
    } cases[] = {
        {"no path", TYPE_PATH, TAG_IN, 0, 0, 0},
        {"path", TYPE_PATH, TAG_IN, hole, 0, EFAULT},
        {"long path", TYPE_PATH, TAG_IN, address_of(too_long), 0, ENAMETOOLONG},
        {"string", TYPE_STR, TAG_IN, hole, 0, EFAULT},
        {"vector", TYPE_STRV, TAG_IN, hole, 0, EFAULT},
        {"element of a vector", TYPE_STRV, TAG_IN, address_of(to_nowhere), 0, EFAULT},
        {"long element", TYPE_STRV, TAG_IN, address_of(over_long), 0, E2BIG},
        {"address", TYPE_SOCKADDR, TAG_IN, hole - 8, 16, EFAULT},
        {"no address", TYPE_SOCKADDR, TAG_IN, hole, 0, 0},
        {"negative length", TYPE_SOCKADDR, TAG_IN, address_of(a), UINT64_MAX, 0},
        {"struct", TYPE_STRUCT, TAG_IN, hole - 8, 16, EFAULT},
        {"big struct", TYPE_STRUCT, TAG_IN, address_of(a), EVENT_BYTES_MAX + 1, E2BIG},
        {"struct in and out", TYPE_STRUCT, TAG_IN | TAG_OUT, hole, 16, EFAULT},
        {"struct out", TYPE_STRUCT, TAG_OUT, hole, 16, 0},
        {"buffer", TYPE_BUF, TAG_IN, hole, 16, EFAULT},
        {"beginning of a buffer", TYPE_BUF, TAG_IN, hole - 1, 16, 0},
        {"empty buffer", TYPE_BUF, TAG_IN, hole, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct call_arg arg = {.type = cases[i].type, .tags = cases[i].tags, .len_reg = 2};
        struct call c = one_argument(arg, 0, NULL);
        struct idw_event ev;
        begin(&ev, &c, cases[i].address, cases[i].len, 0);
        (void)event_memory(&ev, &c.args[0]);
        cr_expect_eq(ev.fault, cases[i].fault, "%s: %d", cases[i].what, ev.fault);
        cr_expect_not(ev.internal_error, "%s", cases[i].what);
        event_clear(&ev);
        begin(&ev, &c, cases[i].address, cases[i].len, 0);
        event_result(&ev, 0);
        (void)event_memory(&ev, &c.args[0]);
        cr_expect_eq(ev.fault, 0, "%s, after the call: %d", cases[i].what, ev.fault);
        event_clear(&ev);
    }
}

Test(event_faults, faults_of_fields)
{
    char *a = pages(1);
    const struct call_arg whole = {.type = TYPE_STRUCT, .tags = TAG_IN, .reg = 1, .size = 24};
    const struct call_arg fields[] = {
        {.type = TYPE_LONG, .tags = TAG_IN, .source = FROM_FIELD, .reg = 1, .offset = 0, .size = 8},
        {.type = TYPE_PATH, .tags = TAG_IN, .source = FROM_FIELD, .reg = 1, .offset = 8, .size = 8},
    };
    const uint64_t there = address_of(a), hole = address_of(a + PAGE);
    memcpy(a + 8, &hole, sizeof hole);
    const struct {
        const char *what;
        uint64_t address;
        bool with_whole;
        uint8_t look_at;
        int fault;
    } cases[] = {
        {"field of nothing", hole, false, 1, EFAULT},
        {"the same, with the struct", hole, true, 1, EFAULT},
        {"no struct", 0, false, 1, 0},
        {"field", there, false, 1, 0},
        {"path of nothing", hole, false, 2, EFAULT},
        {"path to nowhere", there, false, 2, EFAULT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct call_arg first = cases[i].with_whole ? whole : (struct call_arg){.type = TYPE_FD};
        struct call c = one_argument(first, ARRAY_SIZE(fields), fields);
        struct idw_event ev;
        begin(&ev, &c, 0, cases[i].address, 0);
        const struct call_arg *arg = &c.args[cases[i].look_at];
        if (cases[i].look_at == 1)
            (void)event_scalar(&ev, arg);
        else
            (void)event_memory(&ev, arg);
        cr_expect_eq(ev.fault, cases[i].fault, "%s: %d", cases[i].what, ev.fault);
        event_clear(&ev);
    }
}

/* As a path that the kernel would open while no clause has seen it. */
Test(event_faults, memory_that_only_the_kernel_reads)
{
    char *secret = secret_page();
    if (secret == NULL)
        cr_skip("no memfd_secret here");
    strcpy(secret, "/dev/null");
    _cleanup_close_ int fd = open(secret, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0, "the kernel reads it");
    struct call c = one_argument((struct call_arg){.type = TYPE_PATH, .tags = TAG_IN}, 0, NULL);
    struct idw_event ev;
    begin(&ev, &c, address_of(secret), 0, 0);
    cr_expect_null(event_memory(&ev, &c.args[0])->data);
    cr_expect_eq(ev.fault, EFAULT);
    event_clear(&ev);
}
