/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers and characterisations on events that no kernel has made. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "wss/match.h"
#include "wss/wss.h"

static struct arena *arena;
static struct audit *audit;
static struct wss *wss;
static char log_text[256];

static void setup(void)
{
    struct err e = {0};
    arena = arena_create(1 << 24, &e);
    audit = audit_open("/dev/null", &e);
    wss = wss_new(arena, audit);
    cr_assert(arena != NULL && audit != NULL && wss != NULL, "%s", e.text);
    log_text[0] = '\0';
}

static void teardown(void)
{
    wss_free(wss);
    audit_close(audit);
    arena_unmap(arena);
}

TestSuite(wss, .init = setup, .fini = teardown);

static void say(struct idw_event *ev)
{
    (void)strncat(log_text, ev->wrapper, sizeof log_text - strlen(log_text) - 2);
    (void)strcat(log_text, ev->phase == IDW_PRE ? "< " : "> ");
}

static void body_look(struct idw_event *ev, void *process, void *global)
{
    (void)process, (void)global;
    say(ev);
}

static void body_deny(struct idw_event *ev, void *process, void *global)
{
    (void)process, (void)global;
    say(ev);
    idw_deny(ev, EACCES);
}

static void body_zero(struct idw_event *ev, void *process, void *global)
{
    (void)process, (void)global;
    say(ev);
    idw_set(ev, IDW_ATTR_ret, 0);
}

static struct idw_call_set set_of(const char *word)
{
    struct idw_call_set s;
    cr_assert_neq(call_word(word, s.bits), WORD_UNKNOWN);
    return s;
}

static struct idw_call_set open_set;
static const struct idw_term is_open = {.op = IDW_OP_CALLS, .set = 0};

static struct idw_clause clause(enum idw_phase phase, void (*body)(struct idw_event *, void *, void *))
{
    open_set = set_of("open");
    return (struct idw_clause){
        .phase = phase, .terms = &is_open, .n_terms = 1, .sets = &open_set, .n_sets = 1, .body = body};
}

static struct idw_wrapper wrapper(const char *name, const struct idw_clause *clauses, uint32_t n)
{
    return (struct idw_wrapper){.magic = IDW_MAGIC,
                                .abi = IDW_ABI,
                                .table = call_fingerprint(),
                                .name = name,
                                .clauses = clauses,
                                .n_clauses = n};
}

static void event_of(struct idw_event *ev, const char *call, uint64_t a0, uint64_t a1, uint64_t a2)
{
    const uint64_t regs[6] = {a0, a1, a2};
    event_init(ev, NULL, getpid(), call_by_name(call), regs);
}

Test(wss, layers_are_an_onion)
{
    struct idw_clause c[] = {clause(IDW_PRE, body_look), clause(IDW_POST, body_look)};
    struct idw_wrapper a = wrapper("a", c, 2), b = wrapper("b", c, 2), d = wrapper("c", c, 2);
    struct idw_event ev;
    cr_assert_eq(wss_add(wss, &a, NULL), 0);
    cr_assert_eq(wss_add(wss, &b, NULL), 1);
    cr_assert_eq(wss_add(wss, &d, NULL), 2);
    event_of(&ev, "close", 3, 0, 0);
    wss_pre(wss, &ev);
    cr_expect_str_eq(log_text, "", "a call that no clause names reaches nobody");
    event_clear(&ev);
    event_of(&ev, "open", (uintptr_t) "/", O_RDONLY, 0);
    wss_pre(wss, &ev);
    cr_expect_eq(ev.verdict.kind, VERDICT_RUN);
    cr_expect(wss_wants_post(wss, &ev));
    event_result(&ev, 5);
    wss_post(wss, &ev);
    cr_expect_str_eq(log_text, "a< b< c< c> b> a> ");
    event_clear(&ev);
}

Test(wss, a_denial_hides_the_call_from_inner_layers)
{
    struct idw_clause look[] = {clause(IDW_PRE, body_look), clause(IDW_POST, body_look)};
    struct idw_clause no[] = {clause(IDW_PRE, body_deny), clause(IDW_POST, body_look)};
    struct idw_wrapper a = wrapper("a", look, 2), b = wrapper("b", no, 2), c = wrapper("c", look, 2);
    struct idw_event ev;
    cr_assert_eq(wss_add(wss, &a, NULL), 0);
    cr_assert_eq(wss_add(wss, &b, NULL), 1);
    cr_assert_eq(wss_add(wss, &c, NULL), 2);
    event_of(&ev, "openat", (uint64_t)AT_FDCWD, (uintptr_t) "/", O_RDONLY);
    wss_pre(wss, &ev);
    cr_expect_eq(ev.verdict.kind, VERDICT_DENY);
    cr_expect_eq(ev.verdict.value, EACCES);
    cr_expect(wss_wants_post(wss, &ev), "the outer layer sees how it ended");
    event_result(&ev, -EACCES);
    wss_post(wss, &ev);
    cr_expect_str_eq(log_text, "a< b< a> ");
    event_clear(&ev);
}

Test(wss, outer_layers_see_the_result_that_inner_ones_made)
{
    struct idw_clause zero[] = {clause(IDW_POST, body_zero)};
    struct idw_wrapper w = wrapper("w", zero, 1);
    struct idw_event ev;
    cr_assert_eq(wss_add(wss, &w, NULL), 0);
    event_of(&ev, "open", (uintptr_t) "/", O_RDONLY, 0);
    wss_pre(wss, &ev);
    event_result(&ev, -ENOENT);
    wss_post(wss, &ev);
    cr_expect_eq(ev.result, 0);
    cr_expect(ev.result_assigned);
    event_clear(&ev);
}

Test(wss, a_wrapper_is_loaded_once)
{
    struct idw_clause c[] = {clause(IDW_PRE, body_look)};
    struct idw_wrapper a = wrapper("a", c, 1);
    struct err e = {0};
    cr_assert_eq(wss_add(wss, &a, &e), 0);
    cr_expect_eq(wss_add(wss, &a, &e), -EEXIST);
    cr_expect_str_eq(e.text, "wrapper a is loaded already");
    cr_expect_eq(wss_count(wss), 1u);
}

Test(wss, state_that_cannot_be_had_denies)
{
    struct idw_clause c[] = {clause(IDW_PRE, body_look)};
    struct idw_wrapper a = wrapper("a", c, 1);
    struct idw_event ev;
    static const int init = 0;
    a.process = (struct idw_state_desc){.size = sizeof init, .init = &init};
    cr_assert_eq(wss_add(wss, &a, NULL), 0);
    event_of(&ev, "open", (uintptr_t) "/", O_RDONLY, 0);
    wss_pre(wss, &ev); /* no subject, hence no state */
    cr_expect_eq(ev.verdict.kind, VERDICT_DENY);
    cr_expect_str_eq(log_text, "", "its body does not run");
    event_clear(&ev);
}

/* Characterisations: open && ($flags & O_ACCMODE) CMP VALUE on calls of the family and others. */
struct match_case {
    const char *call;
    uint64_t a0, a1, a2;
    bool matches;
};

Test(wss, comparisons_look_at_the_width_of_the_type)
{
    static const struct match_case cases[] = {
        {"open", 0, O_RDONLY, 0, true},
        {"open", 0, O_RDWR, 0, false},
        {"open", 0, 0xdeadbeef00000000u | O_RDONLY, 0, true}, /* the kernel ignores the high half */
        {"openat", 0, 0, O_RDONLY | O_CLOEXEC, true},
        {"openat", 0, 0, O_WRONLY, false},
        {"creat", 0, 0644, 0, false}, /* its flags are constant */
        {"close", 0, 0, 0, false},
    };
    struct idw_call_set sets[] = {set_of("open")};
    const struct idw_term terms[] = {
        {.op = IDW_OP_CALLS, .set = 0},
        {.op = IDW_OP_CMP,
         .cmp = IDW_EQ,
         .name = (uint16_t)call_name_find("flags"),
         .mask = O_ACCMODE,
         .value = O_RDONLY},
        {.op = IDW_OP_AND},
    };
    const struct idw_clause c = {.terms = terms, .n_terms = 3, .sets = sets, .n_sets = 1};
    cr_assert(match_check(&c));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct idw_event ev;
        event_of(&ev, cases[i].call, cases[i].a0, cases[i].a1, cases[i].a2);
        cr_expect_eq(match_event(&c, &ev, false), cases[i].matches, "case %zu (%s)", i, cases[i].call);
        event_clear(&ev);
    }
}

Test(wss, results_are_unknown_before_the_call)
{
    struct idw_call_set sets[] = {set_of("open")};
    const struct idw_term terms[] = {
        {.op = IDW_OP_CALLS, .set = 0},
        {.op = IDW_OP_CMP, .cmp = IDW_GE, .name = IDW_ATTR_ret, .mask = ~UINT64_C(0), .value = 0},
        {.op = IDW_OP_NOT},
        {.op = IDW_OP_AND},
    };
    const struct idw_clause c = {.terms = terms, .n_terms = 4, .sets = sets, .n_sets = 1};
    struct idw_event ev;
    event_of(&ev, "open", (uintptr_t) "/", O_RDONLY, 0);
    cr_expect(match_event(&c, &ev, true), "NOT of what isn't known isn't known either");
    cr_expect_not(match_event(&c, &ev, false));
    event_result(&ev, -ENOENT);
    cr_expect(match_event(&c, &ev, false));
    event_result(&ev, 3);
    cr_expect_not(match_event(&c, &ev, false));
    event_clear(&ev);
}

Test(wss, malformed_characterisations_are_refused)
{
    struct idw_call_set sets[] = {set_of("open")};
    static const struct idw_term bad[][2] = {
        {{.op = IDW_OP_CALLS, .set = 1}, {.op = IDW_OP_NOT}},
        {{.op = IDW_OP_CALLS, .set = 0}, {.op = IDW_OP_AND}},
        {{.op = IDW_OP_NOT}, {.op = IDW_OP_CALLS, .set = 0}},
        {{.op = IDW_OP_CALLS, .set = 0}, {.op = IDW_OP_CALLS, .set = 0}},
        {{.op = IDW_OP_CMP, .name = 0xfff}, {.op = IDW_OP_NOT}},
        {{.op = IDW_OP_STR, .name = IDW_ATTR_exe, .text = NULL}, {.op = IDW_OP_NOT}},
        {{.op = 77}, {.op = IDW_OP_NOT}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct idw_clause c = {.terms = bad[i], .n_terms = 2, .sets = sets, .n_sets = 1};
        cr_expect_not(match_check(&c), "case %zu", i);
    }
    const struct idw_clause none = {.n_terms = 0};
    cr_expect_not(match_check(&none));
}
