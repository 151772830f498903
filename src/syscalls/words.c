/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for calls: families, calls, groups, names and tags of arguments; and the table's fingerprint. */
#include "syscalls/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "idw/wrapper.h"

static const char *const names[CALL_NAME_COUNT] = {
#define NAME(n) [CALL_NAME_##n] = #n,
#include "syscalls/names.def"
#undef NAME
};

static const struct {
    const char *name;
    const char *meaning;
} groups[GROUP_COUNT] = {
#define GROUP(n, text) [GROUP_BIT_##n] = {#n, text},
#include "syscalls/groups.def"
#undef GROUP
};

/* Tags that are words: what a call does to the object of a path. */
static const struct {
    const char *name;
    uint8_t tag;
} tag_words[] = {{"rpath", TAG_RPATH}, {"wpath", TAG_WPATH}};

const char *call_name_text(unsigned name)
{
    return name < CALL_NAME_COUNT ? names[name] : NULL;
}

unsigned call_name_find(const char *text)
{
    for (unsigned n = CALL_NAME_NONE + 1; n < CALL_NAME_COUNT; n++)
        if (strcmp(names[n], text) == 0)
            return n;
    return CALL_NAME_NONE;
}

const char *call_group_text(unsigned group, const char **meaning)
{
    if (group >= GROUP_COUNT)
        return NULL;
    if (meaning != NULL)
        *meaning = groups[group].meaning;
    return groups[group].name;
}

/* What a word may stand for; each kind is one question that is put to every call. */
struct question {
    const char *word;
    unsigned group; /* bit */
    unsigned name;
    uint8_t tag;
};

typedef bool (*answer_fn)(const struct call *c, const struct question *q);

static bool is_family(const struct call *c, const struct question *q)
{
    return strcmp(c->family, q->word) == 0;
}

static bool is_call(const struct call *c, const struct question *q)
{
    return strcmp(c->name, q->word) == 0;
}

static bool is_in_group(const struct call *c, const struct question *q)
{
    return (c->groups & q->group) != 0;
}

static bool has_role(const struct call *c, const struct question *q)
{
    for (size_t i = 0; i < c->n_args; i++)
        if ((c->args[i].tags & q->tag) != 0 || (q->name != CALL_NAME_NONE && c->args[i].name == q->name))
            return true;
    return false;
}

static size_t select_calls(answer_fn answer, const struct question *q, uint64_t *set)
{
    size_t n = 0;
    memset(set, 0, IDW_SET_WORDS * sizeof *set);
    for (size_t id = 0; id < call_count(); id++) {
        if (answer(call_by_id(id), q)) {
            set[id / 64] |= UINT64_C(1) << (id % 64);
            n++;
        }
    }
    return n;
}

enum call_word call_word(const char *word, uint64_t *set)
{
    static const struct {
        enum call_word kind;
        answer_fn answer;
    } kinds[] = {
        {WORD_FAMILY, is_family},
        {WORD_CALL, is_call},
        {WORD_GROUP, is_in_group},
        {WORD_ROLE, has_role},
    };
    uint64_t unwanted[IDW_SET_WORDS];
    struct question q = {.word = word, .name = call_name_find(word)};

    for (unsigned g = 0; g < GROUP_COUNT; g++)
        if (strcmp(groups[g].name, word) == 0)
            q.group = 1u << g;
    for (size_t i = 0; i < ARRAY_SIZE(tag_words); i++)
        if (strcmp(tag_words[i].name, word) == 0)
            q.tag = tag_words[i].tag;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (select_calls(kinds[i].answer, &q, set != NULL ? set : unwanted) > 0)
            return kinds[i].kind;
    return WORD_UNKNOWN;
}

#define WORD_MAX 32

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Insertions, deletions, substitutions and swaps of neighbours that turn @a into @b (optimal string
 * alignment). */
static size_t distance(const char *a, const char *b)
{
    size_t d[WORD_MAX + 1][WORD_MAX + 1];
    size_t na = strlen(a), nb = strlen(b);
    if (na > WORD_MAX || nb > WORD_MAX)
        return SIZE_MAX;
    for (size_t i = 0; i <= na; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= nb; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        for (size_t j = 1; j <= nb; j++) {
            size_t differs = a[i - 1] != b[j - 1];
            d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + differs);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < d[i][j])
                d[i][j] = d[i - 2][j - 2] + 1;
        }
    }
    return d[na][nb];
}

struct nearest {
    const char *word;
    const char *best;
    size_t distance;
};

static void consider(struct nearest *n, const char *candidate)
{
    size_t d = distance(n->word, candidate);
    if (d < n->distance) {
        n->best = candidate;
        n->distance = d;
    }
}

const char *call_nearest(const char *word)
{
    /* Close: at most one letter in three is wrong. */
    struct nearest n = {.word = word, .distance = strlen(word) / 3 + 1};
    if (strlen(word) < 2)
        return NULL;
    for (size_t id = 0; id < call_count(); id++) {
        consider(&n, call_by_id(id)->family);
        consider(&n, call_by_id(id)->name);
    }
    for (unsigned g = 0; g < GROUP_COUNT; g++)
        consider(&n, groups[g].name);
    for (size_t i = 0; i < ARRAY_SIZE(tag_words); i++)
        consider(&n, tag_words[i].name);
    for (unsigned name = CALL_NAME_NONE + 1; name < CALL_NAME_COUNT; name++)
        consider(&n, names[name]);
    return n.best;
}

static void mix(uint64_t *hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ bytes[i]) * UINT64_C(0x100000001b3);
}

static void mix_call(uint64_t *hash, const struct call *c)
{
    mix(hash, c->name, strlen(c->name) + 1);
    mix(hash, c->family, strlen(c->family) + 1);
    mix(hash, c->nr, sizeof c->nr);
    mix(hash, &c->groups, sizeof c->groups);
    for (size_t i = 0; i < c->n_args; i++) {
        const struct call_arg *a = &c->args[i];
        const uint64_t relied_on[] = {a->name,   a->type,    a->source,         a->reg,
                                      a->tags,   a->len_reg, a->len_is_pointer, a->len_from_ret,
                                      a->offset, a->size,    a->value};
        mix(hash, relied_on, sizeof relied_on);
    }
}

uint64_t call_fingerprint(void)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (unsigned n = CALL_NAME_NONE + 1; n < CALL_NAME_COUNT; n++)
        mix(&hash, names[n], strlen(names[n]) + 1);
    for (size_t id = 0; id < call_count(); id++)
        mix_call(&hash, call_by_id(id));
    return hash;
}
