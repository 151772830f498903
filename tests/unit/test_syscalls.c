/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "idw/wrapper.h"
#include "syscalls/table.h"

static const char *const name_lines[] = {
#define NAME(n) #n,
#include "syscalls/names.def"
#undef NAME
};

/* $names that come with every event: <idw/wrapper.h>. */
static const char *const attributes[] = {
#define ATTRIBUTE(n) [IDW_ATTR_##n - IDW_ATTR_FIRST] = #n
    ATTRIBUTE(ret),  ATTRIBUTE(errno),   ATTRIBUTE(call),    ATTRIBUTE(nr),  ATTRIBUTE(pid),
    ATTRIBUTE(tid),  ATTRIBUTE(ppid),    ATTRIBUTE(uid),     ATTRIBUTE(gid), ATTRIBUTE(euid),
    ATTRIBUTE(egid), ATTRIBUTE(invoker), ATTRIBUTE(program), ATTRIBUTE(exe),
};

static const struct call *next(const struct call *c)
{
    return call_by_id(call_id(c) + 1);
}

/*
 * Every reading there is, one after the other: x86-64's of all rows, i386's of those that it has, and those
 * behind ipc(2). NULL: no more.
 */
static const struct call *reading(size_t i)
{
    static const struct call *all[2 * IDW_SET_CALLS];
    static size_t n;
    const struct call_behind *b;
    if (n == 0) {
        for (; n < call_count(); n++)
            all[n] = call_by_id(n);
        for (long nr = 0; nr <= call_last_nr(ARCH_I386); nr++)
            if (call_by_nr(ARCH_I386, nr) != NULL)
                all[n++] = call_by_nr(ARCH_I386, nr);
        for (size_t k = 0; (b = call_behind(k)) != NULL; k++)
            if (b->words == 0)
                all[n++] = b->call;
    }
    return i < n ? all[i] : NULL;
}

static const struct call_arg *arg(const char *call, const char *name)
{
    const struct call *c = call_by_name(call);
    cr_assert_not_null(c, "%s", call);
    const struct call_arg *a = call_arg_named(c, call_name_find(name));
    cr_assert_not_null(a, "%s has $%s", call, name);
    return a;
}

static const struct call_arg *register_arg(const struct call *c, unsigned reg)
{
    for (size_t i = 0; i < c->n_args; i++)
        if (c->args[i].source == FROM_REG && c->args[i].reg == reg)
            return &c->args[i];
    return NULL;
}

Test(table, ids_follow_numbers_without_a_hole)
{
    int last = -1, last32 = -1, i386_only = 0;
    cr_assert_gt(call_count(), 380);
    for (size_t id = 0; id < call_count(); id++) {
        const struct call *c = call_by_id(id);
        cr_assert_not_null(c->name, "row %zu", id);
        cr_assert_eq(call_id(c), id);
        cr_assert_eq(c->arch, ARCH_X86_64);
        cr_assert_eq(call_by_name(c->name), c, "%s", c->name);
        if (c->nr[ARCH_X86_64] == CALL_NR_NONE) {
            /* Behind the others, by their numbers of i386. */
            i386_only++;
            cr_assert_gt(c->nr[ARCH_I386], last32, "%s", c->name);
            last32 = c->nr[ARCH_I386];
            continue;
        }
        cr_assert_eq(i386_only, 0, "%s", c->name);
        cr_assert_gt(c->nr[ARCH_X86_64], last, "%s", c->name);
        cr_assert_eq(call_by_nr(ARCH_X86_64, c->nr[ARCH_X86_64]), c, "%s", c->name);
        last = c->nr[ARCH_X86_64];
    }
    cr_assert_eq(call_last_nr(ARCH_X86_64), last);
    cr_assert_gt(i386_only, 80);
    cr_assert_null(call_by_id(call_count()));
}

Test(table, numbers_that_are_no_call)
{
    static const struct {
        enum call_arch arch;
        long nr;
    } none[] = {
        {ARCH_X86_64, -1},
        {ARCH_X86_64, -300},
        {ARCH_X86_64, 337},
        {ARCH_X86_64, 423},
        {ARCH_X86_64, 470},
        {ARCH_X86_64, 100000},
        {ARCH_X86_64, 1L << 40},
        {ARCH_X86_64, (1L << 32) + 1},
        {ARCH_X86_64, 0x40000000},
        {ARCH_I386, -1},
        {ARCH_I386, 222},
        {ARCH_I386, 100000},
        {ARCH_I386, (1L << 32) + 1},
        {ARCH_COUNT, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        cr_assert_null(call_by_nr(none[i].arch, none[i].nr), "%ld", none[i].nr);
    cr_assert_null(call_by_name("opn"));
    cr_assert_null(call_by_name(""));
}

/*
 * libseccomp's i386 numbers of what was behind socketcall(2) and ipc(2) are its own, negative ones; there the
 * other direction must hold.
 */
Test(table, numbers_are_libseccomps)
{
    size_t known = 0;
    for (const struct call *c = call_by_id(0); c != NULL; c = next(c)) {
        int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, c->name);
        if (nr == __NR_SCMP_ERROR)
            continue;
        known++;
        if (nr >= 0 || c->nr[ARCH_X86_64] != CALL_NR_NONE)
            cr_assert_eq(c->nr[ARCH_X86_64], nr, "%s", c->name);
        int nr32 = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, c->name);
        if (nr32 >= 0) {
            cr_assert_eq(c->nr[ARCH_I386], nr32, "%s", c->name);
        } else if (c->nr[ARCH_I386] != CALL_NR_NONE) {
            _cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86, c->nr[ARCH_I386]);
            cr_assert_str_eq(name, c->name);
        }
    }
    cr_assert_gt(known, 350);
}

Test(table, libseccomp_knows_no_other_call)
{
    static const uint32_t token[ARCH_COUNT] = {SCMP_ARCH_X86_64, SCMP_ARCH_X86};
    for (int arch = 0; arch < ARCH_COUNT; arch++) {
        for (int nr = 0; nr < 1024; nr++) {
            _cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(token[arch], nr);
            if (name == NULL)
                continue;
            const struct call *c = call_by_nr((enum call_arch)arch, nr);
            cr_assert_not_null(c, "%d %s", nr, name);
            /* Two of i386's names are those of groups. */
            bool renamed = arch == ARCH_I386 && (strcmp(name, "signal") == 0 || strcmp(name, "ipc") == 0);
            cr_assert(renamed || strcmp(c->name, name) == 0, "%s, %s", c->name, name);
        }
    }
}

/* Nothing that the kernel's headers number is missing: libseccomp knows a few less. */
Test(table, every_number_of_i386)
{
    static const int numbers[] = {
#define NR(n) n,
#include "i386_numbers.def"
#undef NR
    };
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        cr_assert_not_null(call_by_nr(ARCH_I386, numbers[i]), "%d", numbers[i]);
    for (long nr = 0; nr <= call_last_nr(ARCH_I386); nr++)
        n += call_by_nr(ARCH_I386, nr) != NULL;
    cr_assert_geq(n, ARRAY_SIZE(numbers));
}

/* A word and its types mean the same on both: i386 has no argument that the row doesn't have. */
Test(table, readings_share_id_and_names)
{
    const struct call *c;
    for (size_t n = 0; (c = reading(n)) != NULL; n++) {
        const struct call *row = call_by_id(call_id(c));
        cr_assert_str_eq(row->name, c->name);
        cr_assert_str_eq(row->family, c->family);
        cr_assert_eq(row->groups, c->groups, "%s", c->name);
        cr_assert_eq(row->returns_fd, c->returns_fd, "%s", c->name);
        for (size_t i = 0; i < c->n_args; i++) {
            const struct call_arg *a = call_arg_named(row, c->args[i].name);
            cr_assert_not_null(a, "%s $%s", c->name, call_name_text(c->args[i].name));
            cr_assert_eq(call_type_info(a->type)->memory, call_type_info(c->args[i].type)->memory, "%s",
                         c->name);
            cr_assert_eq(a->tags, c->args[i].tags, "%s", c->name);
        }
    }
}

static const struct call_arg *arg32(long nr, unsigned name)
{
    return call_arg_named(call_by_nr(ARCH_I386, nr), name);
}

Test(table, i386_has_its_own_layouts)
{
    cr_assert_eq(arg32(106, CALL_NAME_statbuf)->size, 64);
    cr_assert_eq(arg32(195, CALL_NAME_statbuf)->size, 96);
    cr_assert_eq(arg32(370, CALL_NAME_msg)->size, 28);
    cr_assert_eq(arg32(193, CALL_NAME_length)->source, FROM_PAIR);
    cr_assert_eq(arg32(193, CALL_NAME_length)->reg, 1);
    cr_assert_eq(arg32(193, CALL_NAME_length)->high_reg, 2);
    cr_assert_eq(arg32(140, CALL_NAME_offset)->reg, 2); /* _llseek: the high half first */
    cr_assert_eq(arg32(140, CALL_NAME_offset)->high_reg, 1);
    cr_assert_eq(arg32(250, CALL_NAME_length)->source, FROM_REG);
    cr_assert_eq(arg32(272, CALL_NAME_length)->source, FROM_PAIR);
    cr_assert_eq(arg32(120, CALL_NAME_tls)->reg, 3);
    cr_assert_eq(arg32(23, CALL_NAME_new_uid)->type, TYPE_UID16);
    cr_assert_eq(arg32(213, CALL_NAME_new_uid)->type, TYPE_UID);
    cr_assert_eq(arg32(192, CALL_NAME_offset)->source, FROM_PAGES);
    cr_assert_eq(arg32(437, CALL_NAME_mode)->source, FROM_FIELD);
}

Test(table, calls_behind_others)
{
    static const struct {
        long nr;
        uint64_t reg0;
        const char *name; /* NULL: none */
        unsigned words;
    } table[] = {
        {102, 3, "connect", 3},
        {102, 3 | 1ul << 32, "connect", 3}, /* the upper half doesn't count */
        {102, 3 | 1 << 16, NULL, 0},
        {102, 5, "accept4", 3},
        {102, 9, "sendto", 4},
        {102, 11, "sendto", 6},
        {102, 20, "sendmmsg", 4},
        {102, 0, NULL, 0},
        {102, 21, NULL, 0},
        {117, 2, "semget", 0},
        {117, 2 | 7 << 16, "semget", 0}, /* a version */
        {117, 5, NULL, 0},
        {90, 12345, "mmap2", 6},
        {82, 1, "_newselect", 5},
        {5, 3, NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const struct call_behind *b = call_behind_nr(table[i].nr, table[i].reg0);
        cr_assert_eq(b != NULL, table[i].name != NULL, "%ld, %#lx", table[i].nr, table[i].reg0);
        if (b == NULL)
            continue;
        cr_assert_str_eq(b->call->name, table[i].name);
        cr_assert_eq(b->words, table[i].words, "%s", table[i].name);
        cr_assert_eq(b->call->arch, ARCH_I386);
        cr_assert(b->words == 0 || b->call->nr[ARCH_I386] > 0, "%s can be made directly", b->call->name);
    }
    cr_assert_eq(call_behind_nr(117, 12)->call->args[3].source, FROM_FIELD); /* the old msgrcv */
    cr_assert_eq(call_behind_nr(117, 12 | 1 << 16)->call->args[3].source, FROM_REG);
}

Test(table, calls_newer_than_the_headers)
{
    static const struct {
        const char *name;
        int nr;
    } newer[] = {{"uretprobe", 335},  {"uprobe", 336},         {"statmount", 457},    {"mseal", 462},
                 {"setxattrat", 463}, {"open_tree_attr", 467}, {"file_getattr", 468}, {"file_setattr", 469}};
    for (size_t i = 0; i < ARRAY_SIZE(newer); i++)
        cr_assert_eq(call_by_name(newer[i].name), call_by_nr(ARCH_X86_64, newer[i].nr), "%s", newer[i].name);
}

static void check_memory_arg(const struct call *c, const struct call_arg *a)
{
    const char *name = call_name_text(a->name);
    cr_assert((a->tags & (TAG_IN | TAG_OUT)) != 0, "%s $%s: read or written?", c->name, name);
    if (a->type == TYPE_BUF || a->type == TYPE_SOCKADDR)
        cr_assert_neq(a->len_reg, 0, "%s $%s has a length", c->name, name);
    if (a->type == TYPE_STRUCT)
        cr_assert_neq(a->len_reg == 0, a->size == 0, "%s $%s has one size", c->name, name);
    if (a->len_from_ret)
        cr_assert(a->tags & TAG_OUT, "%s $%s", c->name, name);
    if (a->len_reg == 0)
        return;
    const struct call_arg *len = register_arg(c, a->len_reg - 1u);
    cr_assert_not_null(len, "%s $%s: its length is described", c->name, name);
    cr_assert_neq(len, a);
    cr_assert_eq(a->len_is_pointer, len->type == TYPE_ADDR, "%s $%s", c->name, name);
    cr_assert(!call_type_info(len->type)->memory, "%s $%s", c->name, name);
}

static void check_path(const struct call *c, const struct call_arg *a)
{
    cr_assert(a->tags & (TAG_RPATH | TAG_WPATH), "%s: what becomes of its path?", c->name);
    cr_assert(a->tags & TAG_IN, "%s", c->name);
    if (a->dirfd_reg != 0) {
        const struct call_arg *dir = register_arg(c, a->dirfd_reg - 1u);
        cr_assert(dir != NULL && dir->type == TYPE_DIRFD, "%s: directory of $%s", c->name,
                  call_name_text(a->name));
    }
    if (a->at_flags_reg != 0) {
        const struct call_arg *flags = register_arg(c, a->at_flags_reg - 1u);
        cr_assert(flags != NULL && flags->type == TYPE_FLAGS, "%s: flags of $%s", c->name,
                  call_name_text(a->name));
    }
    if (a->tags & TAG_COND)
        cr_assert_not_null(call_arg_named(c, CALL_NAME_flags), "%s", c->name);
}

static void check_arg(const struct call *c, const struct call_arg *a)
{
    const char *name = call_name_text(a->name);
    cr_assert(a->name > CALL_NAME_NONE && a->name < CALL_NAME_COUNT, "%s", c->name);
    cr_assert_lt(a->type, TYPE_COUNT);
    cr_assert_lt(a->reg, 6, "%s $%s", c->name, name);
    cr_assert_lt(a->flagset, FLAGS_COUNT);
    cr_assert_eq(call_arg_named(c, a->name), a, "%s has one $%s", c->name, name);
    if (a->source == FROM_REG)
        cr_assert_eq(register_arg(c, a->reg), a, "%s: one argument in register %u", c->name, a->reg);
    if (a->source == FROM_PAIR || a->source == FROM_PAGES)
        cr_assert(c->arch == ARCH_I386 && call_type_info(a->type)->bits == 64, "%s $%s", c->name, name);
    cr_assert_eq(a->narrow, c->arch == ARCH_I386, "%s $%s", c->name, name);
    if (a->source == FROM_FIELD)
        cr_assert(a->size == 4 || a->size == 8, "%s $%s", c->name, name);
    if (call_type_info(a->type)->memory)
        check_memory_arg(c, a);
    else
        cr_assert_eq(a->len_reg | a->len_from_ret | a->tags, 0, "%s $%s is a number", c->name, name);
    if (a->type == TYPE_PATH)
        check_path(c, a);
    else
        cr_assert_eq(a->dirfd_reg | a->at_flags_reg, 0, "%s $%s is no path", c->name, name);
}

Test(table, arguments_are_sane)
{
    const struct call *c;
    for (size_t n = 0; (c = reading(n)) != NULL; n++) {
        cr_assert_leq(c->n_args, CALL_ARGS_MAX, "%s", c->name);
        cr_assert_neq(c->groups, 0, "%s is in no group", c->name);
        for (size_t i = 0; i < c->n_args; i++)
            check_arg(c, &c->args[i]);
        for (size_t i = c->n_args; i < CALL_ARGS_MAX; i++)
            cr_assert_eq(c->args[i].name, CALL_NAME_NONE, "%s", c->name);
        const struct call *namesake = call_by_name(c->family);
        cr_assert(namesake != NULL && strcmp(namesake->family, c->family) == 0, "%s: family %s", c->name,
                  c->family);
    }
}

/* Each register up to the last is described; clone3's and exit's kin have them in structs or not at all. */
Test(table, registers_have_no_gap)
{
    const struct call *c;
    for (size_t n = 0; (c = reading(n)) != NULL; n++) {
        bool used[7] = {false};
        if (c->nr[c->arch] == CALL_NR_NONE || call_behind_nr(c->nr[ARCH_I386], 1) != NULL)
            continue; /* nobody makes it so */
        for (size_t i = 0; i < c->n_args; i++) {
            if (c->args[i].source != FROM_CONST)
                used[c->args[i].reg] = true;
            if (c->args[i].source == FROM_PAIR)
                used[c->args[i].high_reg] = true;
        }
        for (unsigned r = 0; r < 6; r++)
            cr_assert(used[r] || !used[r + 1], "%s: register %u", c->name, r);
    }
}

Test(names, sorted_and_used)
{
    for (size_t i = 0; i < ARRAY_SIZE(name_lines); i++) {
        unsigned name = call_name_find(name_lines[i]);
        bool used = false;
        if (i > 0)
            cr_assert_lt(strcmp(name_lines[i - 1], name_lines[i]), 0, "%s", name_lines[i]);
        cr_assert_str_eq(call_name_text(name), name_lines[i]);
        for (const struct call *c = call_by_id(0); c != NULL; c = next(c))
            used |= call_arg_named(c, name) != NULL;
        cr_assert(used, "no call has $%s", name_lines[i]);
    }
    cr_assert_eq(call_name_find("no_such_name"), CALL_NAME_NONE);
    cr_assert_null(call_name_text(CALL_NAME_COUNT));
    cr_assert_null(call_name_text(CALL_NAME_NONE));
}

Test(names, none_is_an_attribute)
{
    cr_assert_eq(ARRAY_SIZE(attributes), IDW_ATTR_END - IDW_ATTR_FIRST);
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        cr_assert_not_null(attributes[i]);
        cr_assert_eq(call_name_find(attributes[i]), CALL_NAME_NONE, "$%s", attributes[i]);
    }
}

/* Number, string, vector or bytes: one kind per name, so that a body can use it whichever call it was. */
Test(names, one_kind_each)
{
    for (const struct call *c = call_by_id(0); c != NULL; c = next(c)) {
        for (size_t i = 0; i < c->n_args; i++) {
            const struct call_arg *a = &c->args[i];
            const struct call_type_info *type = call_type_info(a->type);
            for (const struct call *other = call_by_id(0); other != NULL; other = next(other)) {
                const struct call_arg *b = call_arg_named(other, a->name);
                if (b == NULL)
                    continue;
                const struct call_type_info *other_type = call_type_info(b->type);
                cr_assert((!type->memory && !other_type->memory) ||
                              strcmp(type->ctype, other_type->ctype) == 0,
                          "$%s: %s, %s", call_name_text(a->name), c->name, other->name);
            }
        }
    }
}

Test(groups, names_are_no_other_word)
{
    for (unsigned g = 0; g < GROUP_COUNT; g++) {
        const char *meaning = NULL;
        const char *name = call_group_text(g, &meaning);
        cr_assert(meaning != NULL && *meaning != '\0', "%s", name);
        cr_assert_eq(call_word(name, NULL), WORD_GROUP, "%s", name);
        cr_assert_eq(call_name_find(name), CALL_NAME_NONE, "%s", name);
    }
    cr_assert_null(call_group_text(GROUP_COUNT, NULL));
}

/* The calls in @set, in the order of their numbers, each with a blank behind. */
static void set_text(const uint64_t *set, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t id = 0; id < IDW_SET_CALLS; id++) {
        if ((set[id / 64] >> (id % 64) & 1) == 0)
            continue;
        cr_assert_lt(id, call_count());
        size_t len = strlen(text);
        (void)snprintf(text + len, size - len, "%s ", call_by_id(id)->name);
    }
}

Test(words, stand_for_calls)
{
    static const struct {
        const char *word;
        enum call_word kind;
        const char *calls;
    } table[] = {
        {"open", WORD_FAMILY, "open creat openat openat2 "},
        {"stat", WORD_FAMILY, "stat newfstatat statx oldstat stat64 fstatat64 "},
        {"lstat", WORD_FAMILY, "lstat oldlstat lstat64 "},
        {"chmod", WORD_FAMILY, "chmod fchmodat fchmodat2 "},
        {"fchmod", WORD_FAMILY, "fchmod "},
        {"chown", WORD_FAMILY, "chown lchown fchownat lchown32 chown32 "},
        {"unlink", WORD_FAMILY, "unlink unlinkat "},
        {"rename", WORD_FAMILY, "rename renameat renameat2 "},
        {"fork", WORD_FAMILY, "clone fork vfork clone3 "},
        {"execve", WORD_FAMILY, "execve execveat "},
        {"kill", WORD_FAMILY, "kill rt_sigqueueinfo tkill tgkill rt_tgsigqueueinfo pidfd_send_signal "},
        {"openat", WORD_CALL, "openat "},
        {"lchown", WORD_CALL, "lchown "},
        {"exec", WORD_GROUP, "execve uselib execveat "},
        {"sockaddr", WORD_ROLE, "connect accept sendto recvfrom bind getsockname getpeername accept4 "},
        {"argv", WORD_ROLE, "execve execveat "},
        {"opne", WORD_UNKNOWN, ""},
        {"", WORD_UNKNOWN, ""},
        {"$path", WORD_UNKNOWN, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        uint64_t set[IDW_SET_WORDS];
        char text[4096];
        memset(set, 0xff, sizeof set);
        cr_assert_eq(call_word(table[i].word, set), table[i].kind, "%s", table[i].word);
        set_text(set, text, sizeof text);
        cr_assert_str_eq(text, table[i].calls);
    }
}

Test(words, tags_are_roles)
{
    static const struct {
        const char *word;
        uint8_t tag;
    } tags[] = {{"rpath", TAG_RPATH}, {"wpath", TAG_WPATH}};
    for (size_t t = 0; t < ARRAY_SIZE(tags); t++) {
        uint64_t set[IDW_SET_WORDS];
        cr_assert_eq(call_word(tags[t].word, set), WORD_ROLE);
        for (const struct call *c = call_by_id(0); c != NULL; c = next(c)) {
            bool has = false;
            for (size_t i = 0; i < c->n_args; i++)
                has |= (c->args[i].tags & tags[t].tag) != 0;
            cr_assert_eq(set[call_id(c) / 64] >> (call_id(c) % 64) & 1, has, "%s %s", tags[t].word, c->name);
        }
    }
}

Test(words, nearest)
{
    static const struct {
        const char *word;
        const char *nearest;
    } table[] = {
        {"opne", "open"}, {"opennat", "openat"}, {"chmdo", "chmod"},
        {"fiel", "file"}, {"wpaht", "wpath"},    {"sockadr", "sockaddr"},
        {"ptah", "path"}, {"excve", "execve"},   {"zzzzzzzz", NULL},
        {"", NULL},       {"x", NULL},           {"qq", NULL},
    };
    char longer[300];
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const char *nearest = call_nearest(table[i].word);
        if (table[i].nearest == NULL)
            cr_assert_null(nearest, "%s: %s", table[i].word, nearest);
        else
            cr_assert_str_eq(nearest, table[i].nearest);
    }
    memset(longer, 'o', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    cr_assert_null(call_nearest(longer));
}

Test(table, fingerprint_is_stable_in_a_run)
{
    cr_assert_eq(call_fingerprint(), call_fingerprint());
    cr_assert_neq(call_fingerprint(), 0);
}

Test(table, open_family)
{
    cr_assert_eq(arg("creat", "flags")->source, FROM_CONST);
    cr_assert_eq(arg("creat", "flags")->value, O_CREAT | O_WRONLY | O_TRUNC);
    cr_assert_eq(arg("openat2", "flags")->source, FROM_FIELD);
    cr_assert_eq(arg("openat2", "flags")->offset, 0);
    cr_assert_eq(arg("openat2", "mode")->offset, 8);
    cr_assert_eq(arg("openat2", "resolve")->offset, 16);
    cr_assert_eq(arg("openat", "path")->dirfd_reg, 1);
    cr_assert_eq(arg("open", "path")->dirfd_reg, 0);
    cr_assert(arg("open", "path")->tags & TAG_COND);
    cr_assert_not(arg("creat", "path")->tags & TAG_RPATH);
}

Test(table, final_symbolic_links)
{
    static const struct {
        const char *call;
        const char *path;
        bool nofollow;
        uint8_t at_flags_reg;
    } table[] = {
        {"stat", "path", false, 0},       {"lstat", "path", true, 0},
        {"newfstatat", "path", false, 4}, {"statx", "path", false, 3},
        {"fchmodat", "path", false, 0},   {"fchmodat2", "path", false, 4},
        {"faccessat", "path", false, 0},  {"faccessat2", "path", false, 4},
        {"fchownat", "path", false, 5},   {"lchown", "path", true, 0},
        {"unlinkat", "path", true, 0},    {"linkat", "oldpath", true, 5},
        {"linkat", "newpath", true, 0},   {"renameat2", "oldpath", true, 0},
        {"execveat", "path", false, 5},   {"readlinkat", "path", true, 0},
        {"utimensat", "path", false, 4},  {"name_to_handle_at", "path", true, 5},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const struct call_arg *a = arg(table[i].call, table[i].path);
        cr_assert_eq((a->tags & TAG_NOFOLLOW) != 0, table[i].nofollow, "%s", table[i].call);
        cr_assert_eq(a->at_flags_reg, table[i].at_flags_reg, "%s", table[i].call);
    }
}

Test(table, open_writes)
{
    static const struct {
        uint64_t flags;
        bool writes;
    } table[] = {
        {O_RDONLY, false},
        {O_RDONLY | O_CLOEXEC | O_NONBLOCK, false},
        {O_WRONLY, true},
        {O_RDWR, true},
        {O_RDONLY | O_CREAT, true},
        {O_RDONLY | O_TRUNC, true},
        {O_ACCMODE, true},
        {O_TMPFILE | O_RDWR, true},
        {O_PATH, false},
        {O_PATH | O_CREAT | O_WRONLY, false},
        {O_RDONLY | O_DIRECTORY, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        cr_assert_eq(call_open_writes(table[i].flags), table[i].writes, "%#lx", table[i].flags);
}
