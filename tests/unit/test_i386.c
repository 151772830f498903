/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* i386's calls: which one it is, and what clauses see of its arguments. */
#include <errno.h>
#include <fcntl.h>
#include <linux/net.h>
#include <string.h>
#include "base/cleanup.h"
#include "event_help.h"
#include "subject/called.h"

#define POISON (UINT64_C(0xdeadbeef) << 32)

/* A page that 32-bit pointers reach, and a hole behind it. */
static char *low_page(void)
{
    char *a = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    cr_assert_neq(a, MAP_FAILED);
    cr_assert_eq(munmap(a + PAGE, PAGE), 0);
    return a;
}

static int enter(struct called *cl, long nr, uint64_t r0, uint64_t r1)
{
    const uint64_t args[6] = {POISON | r0, POISON | r1, POISON, POISON, POISON, POISON};
    int rc = called_read(cl, ARCH_I386, nr, args);
    return rc == 0 && cl->packed ? called_unpack(cl, getpid()) : rc;
}

Test(called, calls_by_architecture)
{
    static const struct {
        enum call_arch arch;
        long nr;
        int rc;
        const char *name;
    } table[] = {
        {ARCH_X86_64, 5, 0, "fstat"},
        {ARCH_I386, 5, 0, "open"},
        {ARCH_I386, (1L << 32) + 5, 0, "open"},
        {ARCH_I386, 195, 0, "stat64"},
        {ARCH_X86_64, 469, 0, "file_setattr"},
        {ARCH_X86_64, 470, -ENOSYS, NULL},
        {ARCH_X86_64, 0x40000000, -ENOSYS, NULL},
        {ARCH_I386, 222, -ENOSYS, NULL},
        {ARCH_I386, -1, -ENOSYS, NULL},
        {ARCH_COUNT, 5, -ENOSYS, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct called cl;
        const uint64_t args[6] = {1, 2, 3, 4, 5, 6};
        cr_assert_eq(called_read(&cl, table[i].arch, table[i].nr, args), table[i].rc, "%zu", i);
        if (table[i].rc < 0)
            continue;
        cr_assert_str_eq(cl.call->name, table[i].name);
        cr_assert_not(cl.packed || cl.memory);
        cr_assert_eq(cl.regs[5], 6);
    }
}

Test(called, calls_behind_socketcall)
{
    uint32_t *words = (uint32_t *)(void *)low_page();
    struct called cl;
    for (unsigned i = 0; i < 6; i++)
        words[i] = 0x80000000u + i;

    cr_assert_eq(enter(&cl, 102, SYS_CONNECT, address_of(words)), 0);
    cr_assert_str_eq(cl.call->name, "connect");
    cr_assert(cl.packed && cl.memory);
    cr_assert_eq(cl.nr, 362);
    cr_assert_eq(cl.regs[0], 0x80000000);
    cr_assert_eq(cl.regs[2], 0x80000002);
    cr_assert_eq(cl.regs[3], 0, "connect has three");

    cr_assert_eq(enter(&cl, 102, SYS_ACCEPT, address_of(words)), 0);
    cr_assert_eq(cl.nr, 364);
    cr_assert_eq(cl.regs[3], 0, "accept4 without flags");

    cr_assert_eq(enter(&cl, 102, SYS_SEND, address_of(words)), 0);
    cr_assert_eq(cl.nr, 369);
    cr_assert_eq(cl.regs[3], 0x80000003);
    cr_assert_eq(cl.regs[4] | cl.regs[5], 0, "sendto without an address");

    cr_assert_eq(enter(&cl, 102, SYS_CONNECT, 16), -EFAULT);
    cr_assert_eq(enter(&cl, 102, 77, 16), 0, "the kernel says EINVAL");
    cr_assert_str_eq(cl.call->name, "socketcall");
    cr_assert_not(cl.packed || cl.memory);
}

Test(called, old_mmap_and_select)
{
    uint32_t *words = (uint32_t *)(void *)low_page();
    struct called cl;
    const uint32_t map[6] = {0x10000, 8192, 1, 2, 7, 5 * PAGE};

    memcpy(words, map, sizeof map);
    cr_assert_eq(enter(&cl, 90, address_of(words), 0), 0);
    cr_assert_eq(cl.nr, 192);
    cr_assert_eq(cl.regs[4], 7);
    cr_assert_eq(cl.regs[5], 5);
    words[5]++;
    cr_assert_eq(enter(&cl, 90, address_of(words), 0), -EINVAL);
    cr_assert_eq(enter(&cl, 82, address_of(words), 0), 0);
    cr_assert_eq(cl.nr, 142);
    cr_assert_eq(cl.regs[1], 8192);
}

Test(called, ipc_has_its_registers)
{
    struct called cl;
    struct idw_event ev;
    const uint64_t args[6] = {2 | 1 << 16, 0x1234, 5, 0600, 0, 0};
    cr_assert_eq(called_read(&cl, ARCH_I386, 117, args), 0);
    cr_assert_str_eq(cl.call->name, "semget");
    cr_assert_not(cl.packed || cl.memory);
    event_init(&ev, &someone, getpid(), cl.call, cl.regs);
    cr_assert_eq(event_scalar(&ev, call_arg_named(cl.call, CALL_NAME_key)), 0x1234);
    cr_assert_eq(event_scalar(&ev, call_arg_named(cl.call, CALL_NAME_nsems)), 5);
    cr_assert_eq(event_attr(&ev, IDW_ATTR_nr), 117);
    event_clear(&ev);
    const uint64_t control[6] = {3 | 1 << 16, 0x1234, 0, 16, 0, 0};
    cr_assert_eq(called_read(&cl, ARCH_I386, 117, control), 0);
    cr_assert(!cl.packed && cl.memory, "semctl's $arg is behind a pointer");
}

static const struct call_arg *begin32(struct idw_event *ev, long nr, unsigned name, const uint64_t regs[6])
{
    const struct call *c = call_by_nr(ARCH_I386, nr);
    cr_assert_not_null(c, "%ld", nr);
    event_init(ev, &someone, getpid(), c, regs);
    cr_assert_eq(ev->arch, ARCH_I386);
    const struct call_arg *a = call_arg_named(c, name);
    cr_assert_not_null(a, "%s", c->name);
    return a;
}

Test(event32, numbers)
{
    static const struct {
        long nr;
        uint16_t name;
        uint64_t regs[6];
        int64_t value;
    } table[] = {
        {19, CALL_NAME_offset, {3, POISON | 0xffffffff, 1}, -1},           /* lseek: a long */
        {4, CALL_NAME_count, {3, 0, POISON | 0xfffffff0}, 0xfffffff0},     /* write: a size */
        {140, CALL_NAME_offset, {3, POISON | 1, POISON | 2}, 0x100000002}, /* _llseek */
        {193, CALL_NAME_length, {0, POISON | 2, POISON | 1}, 0x100000002},
        {193, CALL_NAME_length, {0, 0xffffffff, 0xffffffff}, -1},
        {192, CALL_NAME_offset, {0, 0, 0, 0, 0, POISON | 0x100000}, 0x100000000}, /* mmap2: pages */
        {182, CALL_NAME_owner, {0, 0x10000, 0}, 0},                               /* chown: 16 bits */
        {182, CALL_NAME_owner, {0, 0xffff, 0}, (uint32_t)-1},
        {182, CALL_NAME_group, {0, 0, 0xfffe}, 0xfffe},
        {212, CALL_NAME_owner, {0, 0x10000, 0}, 0x10000}, /* chown32 */
        {15, CALL_NAME_mode, {0, POISON | 0644}, 0644},
        {5, CALL_NAME_path, {POISON | 16}, 16}, /* of memory: its address */
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        struct idw_event ev;
        const struct call_arg *a = begin32(&ev, table[i].nr, table[i].name, table[i].regs);
        cr_expect_eq(event_scalar(&ev, a), table[i].value, "%s: %lx", ev.call->name,
                     (unsigned long)event_scalar(&ev, a));
        event_clear(&ev);
    }
}

Test(event32, numbers_are_assigned_where_they_are)
{
    struct idw_event ev;
    const uint64_t regs[6] = {0, 2, 1};
    const struct call_arg *a = begin32(&ev, 193, CALL_NAME_length, regs);
    cr_assert_eq(event_set(&ev, a->reg, 7), 0);
    cr_assert_eq(event_set(&ev, a->high_reg, 3), 0);
    cr_assert_eq(event_scalar(&ev, a), 0x300000007);
    cr_assert_eq(ev.assigned, 1 << 1 | 1 << 2);
    event_clear(&ev);
}

Test(event32, vectors_of_short_pointers)
{
    char *page = low_page();
    uint32_t *vector = (uint32_t *)(void *)(page + 100);
    struct idw_event ev;
    (void)strcpy(page, "one");
    (void)strcpy(page + 10, "two");
    vector[0] = (uint32_t)address_of(page);
    vector[1] = (uint32_t)address_of(page + 10);
    vector[2] = 0;
    vector[3] = 1; /* what pointers of 64 bits would take in */
    const uint64_t regs[6] = {0, POISON | address_of(vector), 0};
    const struct call_arg *a = begin32(&ev, 11, CALL_NAME_argv, regs);
    const struct event_copy *c = event_memory(&ev, a);
    cr_assert_eq(c->error, 0);
    cr_assert_eq(c->len, 2);
    cr_assert_str_eq(((char **)c->data)[0], "one");
    cr_assert_str_eq(((char **)c->data)[1], "two");
    event_clear(&ev);
}

Test(event32, structs_are_short)
{
    char *page = low_page();
    struct idw_event ev;
    const uint64_t at_end[6] = {0, address_of(page + PAGE - 28)};
    const struct call_arg *a = begin32(&ev, 370, CALL_NAME_msg, at_end); /* sendmsg */
    cr_assert_eq(event_memory(&ev, a)->len, 28);
    event_clear(&ev);

    const uint64_t how[6] = {0, 0, address_of(page), 24};
    const uint64_t fields[3] = {O_WRONLY, 0600, 0};
    memcpy(page, fields, sizeof fields); /* the same on both */
    a = begin32(&ev, 437, CALL_NAME_mode, how);
    cr_assert_eq(event_scalar(&ev, a), 0600);
    event_clear(&ev);
}
