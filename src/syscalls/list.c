/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Prints docs/calls.md: the table as a person reads it. A test compares; `list-calls > docs/calls.md` renews
 * it. */
#include <stdio.h>
#include <string.h>
#include "syscalls/table.h"

static void print_intro(void)
{
    printf(
        "# Calls\n\n"
        "What `sys::op{...}` and `$names` can say. Printed from the table in `src/syscalls` by its program\n"
        "`list-calls`: change the table, not this file ([how](howto-add-a-call.md)).\n\n"
        "%zu calls. A word in `sys::op{...}` is a family, a call, a group, or the name or tag of an "
        "argument; the\n"
        "first of these that knows it counts. So `open` is every call that opens, `openat` one of them, "
        "`file` all\n"
        "that name a file, `wpath` all that change what a path names, `sockaddr` all that have a "
        "`$sockaddr`.\n\n",
        call_count());
}

static void print_groups(void)
{
    printf("## Groups\n\n| group | calls | what they have in common |\n|---|---|---|\n");
    for (unsigned g = 0; g < GROUP_COUNT; g++) {
        const char *meaning;
        const char *name = call_group_text(g, &meaning);
        size_t n = 0;
        for (size_t id = 0; id < call_count(); id++)
            n += (call_by_id(id)->groups >> g) & 1;
        printf("| `%s` | %zu | %s |\n", name, n, meaning);
    }
}

/* A family that has more than its namesake. */
static void print_family(const char *family)
{
    size_t n = 0;
    for (size_t id = 0; id < call_count(); id++)
        n += strcmp(call_by_id(id)->family, family) == 0;
    if (n < 2)
        return;
    printf("| `%s` |", family);
    for (size_t id = 0; id < call_count(); id++)
        if (strcmp(call_by_id(id)->family, family) == 0)
            printf(" %s", call_by_id(id)->name);
    printf(" |\n");
}

static void print_families(void)
{
    printf("\n## Families\n\nCalls that do one thing. A call that is not listed here is its own family.\n\n"
           "| family | calls |\n|---|---|\n");
    for (size_t id = 0; id < call_count(); id++)
        if (strcmp(call_by_id(id)->name, call_by_id(id)->family) == 0)
            print_family(call_by_id(id)->family);
}

static const struct {
    uint8_t tag;
    const char *text;
} tags[] = {
    {TAG_RPATH, "rpath"},       {TAG_WPATH, "wpath"}, {TAG_COND, "by its flags"},
    {TAG_NOFOLLOW, "nofollow"}, {TAG_IN, "in"},       {TAG_OUT, "out"},
};

/* What $name is in a body: all bytes that are no string are const void *, whatever C calls the struct. */
static const char *type_in_body(enum call_type type)
{
    const struct call_type_info *info = call_type_info(type);
    bool is_text = call_type_is_text(type) || type == TYPE_STRV;
    return info->memory && !is_text ? "const void *" : info->ctype;
}

static void print_arg(const struct call_arg *a)
{
    const char *comma = "";
    bool is_path = a->type == TYPE_PATH;
    printf("`$%s` %s", call_name_text(a->name), type_in_body(a->type));
    if (a->tags != 0)
        printf(" (");
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        /* That a path is read by the kernel goes without saying. */
        if ((a->tags & tags[i].tag) == 0 || (is_path && tags[i].tag == TAG_IN))
            continue;
        printf("%s%s", comma, tags[i].text);
        comma = ", ";
    }
    if (a->tags != 0)
        printf(")");
    if (a->source == FROM_CONST)
        printf(" fixed");
    if (a->source == FROM_FIELD)
        printf(" in memory");
}

static void print_calls(void)
{
    printf("\n## Calls\n\n"
           "Numbers are x86-64's and i386's. *in* and *out*: memory that the kernel reads or writes; "
           "*nofollow*: a\n"
           "final symbolic link is not followed; *by its flags*: reads or writes as the flags say; *fixed*: "
           "the same\n"
           "value for every such call; *in memory*: a member of a struct. → fd: the result is a new "
           "descriptor.\n\n"
           "| x86-64 | i386 | call | groups | arguments |\n|---|---|---|---|---|\n");
    for (size_t id = 0; id < call_count(); id++) {
        const struct call *c = call_by_id(id);
        printf("| ");
        if (c->nr[ARCH_X86_64] != CALL_NR_NONE)
            printf("%d", c->nr[ARCH_X86_64]);
        printf(" | ");
        if (c->nr[ARCH_I386] != CALL_NR_NONE)
            printf("%d", c->nr[ARCH_I386]);
        printf(" | `%s`%s |", c->name, c->returns_fd ? " → fd" : "");
        for (unsigned g = 0; g < GROUP_COUNT; g++)
            if ((c->groups >> g & 1) != 0)
                printf(" %s", call_group_text(g, NULL));
        printf(" | ");
        for (size_t i = 0; i < c->n_args; i++) {
            printf("%s", i > 0 ? "; " : "");
            print_arg(&c->args[i]);
        }
        printf(" |\n");
    }
}

int main(void)
{
    print_intro();
    print_groups();
    print_families();
    print_calls();
    return ferror(stdout) != 0 || fflush(stdout) != 0;
}
