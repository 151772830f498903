/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wrapc/names.h"

#include <string.h>
#include "base/cleanup.h"

/* What comes with every event, in the order of enum idw_attr. */
static const struct attr {
    const char *name;
    const char *ctype;
    enum access access;
    bool is_signed;
    bool post_only; /* and assignable */
} attrs[] = {
#define ATTR(n, ...) [IDW_ATTR_##n - IDW_ATTR_FIRST] = {#n, __VA_ARGS__}
    ATTR(ret, "long", ACCESS_INT, true, true),
    ATTR(errno, "int", ACCESS_INT, true, true),
    ATTR(call, "const char *", ACCESS_STR, false, false),
    ATTR(nr, "int", ACCESS_INT, true, false),
    ATTR(pid, "pid_t", ACCESS_INT, true, false),
    ATTR(tid, "pid_t", ACCESS_INT, true, false),
    ATTR(ppid, "pid_t", ACCESS_INT, true, false),
    ATTR(uid, "uid_t", ACCESS_INT, false, false),
    ATTR(gid, "gid_t", ACCESS_INT, false, false),
    ATTR(euid, "uid_t", ACCESS_INT, false, false),
    ATTR(egid, "gid_t", ACCESS_INT, false, false),
    ATTR(invoker, "uid_t", ACCESS_INT, false, false),
    ATTR(program, "const char *", ACCESS_STR, false, false),
    ATTR(exe, "const char *", ACCESS_STR, false, false),
#undef ATTR
};
_Static_assert(ARRAY_SIZE(attrs) == IDW_ATTR_END - IDW_ATTR_FIRST, "an attribute is missing");

static const char *nearest(struct source *s, const char *word, const char *sigil)
{
    const char *near = call_nearest(word);
    if (near != NULL && *sigil != '\0' && call_name_find(near) == CALL_NAME_NONE)
        near = NULL;
    return near == NULL ? "" : pool_printf(s, "; did you mean %s%s?", sigil, near);
}

void word_calls(struct source *s, const struct tok *tok, bool only, uint64_t *set)
{
    const char *word = tok_word(s, tok);
    enum call_word kind = call_word(word, set);
    const struct call *c = only ? call_by_name(word) : NULL;
    if (c != NULL) {
        size_t id = call_id(c);
        memset(set, 0, IDW_SET_WORDS * sizeof *set);
        set[id / 64] = UINT64_C(1) << id % 64;
    } else if (kind == WORD_UNKNOWN) {
        source_error(s, tok, "no call, group or argument %s%s", tok_text(s, tok), nearest(s, word, ""));
        memset(set, 0xff, IDW_SET_WORDS * sizeof *set);
    } else if (only) {
        source_error(s, tok, "only() takes the name of one call, and %s is none", word);
    }
}

bool set_split_opens(uint64_t *set, uint64_t *opens)
{
    bool any = false;
    memset(opens, 0, IDW_SET_WORDS * sizeof *opens);
    for (size_t id = 0; id < call_count(); id++) {
        const struct call *c = call_by_id(id);
        for (size_t i = 0; set_has(set, id) && i < c->n_args; i++)
            if ((c->args[i].tags & TAG_COND) != 0) {
                opens[id / 64] |= UINT64_C(1) << id % 64;
                set[id / 64] &= ~(UINT64_C(1) << id % 64);
                any = true;
            }
    }
    return any;
}

static const struct attr *attr_of(unsigned name)
{
    return name >= IDW_ATTR_FIRST && name < IDW_ATTR_END ? &attrs[name - IDW_ATTR_FIRST] : NULL;
}

bool name_is_attr(unsigned name)
{
    return attr_of(name) != NULL;
}

unsigned name_find(struct source *s, const struct tok *tok)
{
    const char *word = tok_word(s, tok);
    for (unsigned i = 0; i < ARRAY_SIZE(attrs); i++)
        if (strcmp(attrs[i].name, word) == 0)
            return IDW_ATTR_FIRST + i;
    unsigned name = call_name_find(word);
    if (name == CALL_NAME_NONE)
        source_error(s, tok, "no call has an argument %s%s", tok_text(s, tok), nearest(s, word, "$"));
    return name;
}

static enum access access_of(const struct call_arg *a)
{
    if (!call_type_info(a->type)->memory)
        return ACCESS_INT;
    if (a->type == TYPE_PATH || a->type == TYPE_STR)
        return ACCESS_STR;
    return a->type == TYPE_STRV ? ACCESS_STRV : ACCESS_BUF;
}

bool name_is_string(unsigned name)
{
    uint64_t all[IDW_SET_WORDS];
    memset(all, 0xff, sizeof all);
    struct name_use use;
    name_in(name, all, &use);
    return use.n_have > 0 && use.access == ACCESS_STR && use.differs == NULL;
}

const char *name_c(struct source *s, unsigned name)
{
    const struct attr *attr = attr_of(name);
    if (attr != NULL)
        return pool_printf(s, "IDW_ATTR_%s", attr->name);
    const char *text = call_name_text(name);
    return pool_printf(s, "%u /* %s */", name, text != NULL ? text : "?");
}

/* The widths and signs seen so far, and the C type that holds them all. */
struct widths {
    bool same; /* one C type so far: `ctype` */
    const char *ctype;
    bool s32, u32, s64, u64;
};

static void widen(struct widths *w, const struct call_type_info *info)
{
    w->same = w->ctype == NULL || (w->same && strcmp(w->ctype, info->ctype) == 0);
    w->ctype = info->ctype;
    w->s32 |= info->bits == 32 && info->is_signed;
    w->u32 |= info->bits == 32 && !info->is_signed;
    w->s64 |= info->bits == 64 && info->is_signed;
    w->u64 |= info->bits == 64 && !info->is_signed;
}

static void widest(const struct widths *w, struct name_use *use)
{
    use->is_signed = !w->u64 && (w->s64 || w->s32);
    if (w->same)
        use->ctype = w->ctype;
    else if (w->u64)
        use->ctype = "unsigned long";
    else if (w->s64 || (w->s32 && w->u32))
        use->ctype = "long";
    else
        use->ctype = w->s32 ? "int" : "unsigned int";
}

static bool points_to_length(const struct call *c, const struct call_arg *a)
{
    for (size_t i = 0; i < c->n_args; i++)
        if (c->args[i].len_is_pointer && c->args[i].len_reg == a->reg + 1)
            return a->source == FROM_REG;
    return false;
}

static void first_call(const struct call **first, const struct call *c, bool is)
{
    if (is && *first == NULL)
        *first = c;
}

static void name_in_call(struct name_use *use, const struct call *c, const struct call_arg *a,
                         struct widths *w)
{
    enum access access = access_of(a);
    bool memory = access != ACCESS_INT, writes = (a->tags & TAG_OUT) != 0;
    unsigned size = a->len_reg == 0 ? a->size : 0;
    if (use->has == NULL) {
        use->has = c;
        use->access = access;
        use->size = size;
    } else if (access != use->access) {
        use->differs = c;
    }
    if (use->size != size)
        use->size = 0;
    if (!memory)
        widen(w, call_type_info(a->type));
    first_call(&use->fixed, c, a->source != FROM_REG);
    first_call(&use->out, c, memory && writes && (a->tags & TAG_IN) == 0);
    first_call(&use->writes, c, memory && writes);
    first_call(&use->reads, c, memory && !writes);
    first_call(&use->length, c, !memory && points_to_length(c, a));
    use->memory |= memory || a->source == FROM_FIELD;
    use->n_have++;
}

void name_in(unsigned name, const uint64_t *set, struct name_use *use)
{
    memset(use, 0, sizeof *use);
    const struct attr *attr = attr_of(name);
    if (attr != NULL) {
        use->access = attr->access;
        use->ctype = attr->ctype;
        use->is_signed = attr->is_signed;
        use->post_only = attr->post_only;
        use->n_have = 1;
        return;
    }
    struct widths w = {0};
    for (size_t id = 0; id < call_count(); id++) {
        if (!set_has(set, id))
            continue;
        const struct call *c = call_by_id(id);
        const struct call_arg *a = call_arg_named(c, name);
        if (a != NULL) {
            name_in_call(use, c, a, &w);
        } else {
            use->lacks = use->lacks != NULL ? use->lacks : c;
            use->n_lack++;
        }
    }
    widest(&w, use);
}
