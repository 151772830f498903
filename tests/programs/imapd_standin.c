/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stand-in for the imapd of 1997, WITH ITS FLAW. Never let it face a network.
 *
 * imapd_standin MBOX speaks a little IMAP on standard input and output: CAPABILITY, NOOP, LOGIN,
 * AUTHENTICATE, SELECT, FETCH n BODY[], LOGOUT. The one user is demo, password demo; the one mailbox is the
 * mbox file MBOX. It opens no socket. It is built (meson.build) without stack protector, at a fixed address
 * and with an executable stack, as programs of that time were, so that scripts/replay/imapd can show on this
 * machine what a wrapper does about the attacks of CERT advisories CA-1997-09 (LOGIN) and CA-1998-09
 * (AUTHENTICATE): an argument longer than the buffer on the stack replaces the return address, and control
 * goes where the input says.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/types.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, LITERAL_MAX = 65536, ARGS_MAX = 4, NAME_MAX_BYTES = 256, MESSAGES_MAX = 64 };

struct arg {
    const char *data;
    size_t len;
};

struct command {
    char line[LINE_MAX_BYTES]; /* arguments point into it */
    char literal[LITERAL_MAX];
    char tail[LINE_MAX_BYTES]; /* what follows the literal */
    struct arg tag, name;
    struct arg args[ARGS_MAX];
    size_t n_args;
};

static struct {
    const char *mbox;
    bool logged_in;
    char *mail;
    struct arg messages[MESSAGES_MAX];
    size_t n_messages;
} session;

/* What `jmp *%rsp` looks like. A program of real size has these two bytes somewhere; this one is too small
 * for luck. */
__asm__(".text\n.globl gadget\n.type gadget, @function\ngadget: jmp *%rsp\n.size gadget, . - gadget\n");

/*
 * The flaw. It fills the buffer without asking for its size. Out of line, and with nothing but the buffer in
 * use afterwards, so that the overrun reaches the return address whatever the compiler does.
 */
static __attribute__((noinline)) bool is_word(const struct arg *argument, const char *word)
{
    _Alignas(16) char name[NAME_MAX_BYTES] = "";

    memcpy(name, argument->data, argument->len);
    return strcasecmp(name, word) == 0;
}

static void answer(const struct command *c, const char *text)
{
    printf("%.*s %s\r\n", (int)c->tag.len, c->tag.data, text);
}

static void do_capability(const struct command *c)
{
    printf("* CAPABILITY IMAP4rev1\r\n");
    answer(c, "OK CAPABILITY completed");
}

static void do_noop(const struct command *c)
{
    answer(c, "OK NOOP completed");
}

static void do_login(const struct command *c)
{
    session.logged_in = is_word(&c->args[0], "demo") && is_word(&c->args[1], "demo");
    answer(c, session.logged_in ? "OK LOGIN completed" : "NO wrong user or password");
}

static void do_authenticate(const struct command *c)
{
    answer(c, is_word(&c->args[0], "PLAIN") ? "NO use LOGIN" : "NO mechanism not known");
}

/* mbox: a message begins behind each line that begins with "From ". */
static void split_messages(char *mail)
{
    session.n_messages = 0;
    for (char *from = mail; from != NULL && *from != '\0' && session.n_messages < MESSAGES_MAX;) {
        char *start = strchr(from, '\n');
        if (start == NULL)
            break;
        char *next = strstr(++start, "\nFrom ");
        size_t len = next != NULL ? (size_t)(next - start) : strlen(start);
        session.messages[session.n_messages++] = (struct arg){start, len};
        from = next != NULL ? next + 1 : NULL;
    }
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (f == NULL)
        return NULL;
    if (getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = strdup("");
    }
    (void)fclose(f);
    return text;
}

static void do_select(const struct command *c)
{
    if (!session.logged_in) {
        answer(c, "NO log in first");
        return;
    }
    free(session.mail);
    session.n_messages = 0;
    session.mail = read_file(session.mbox);
    if (session.mail == NULL) {
        answer(c, "NO mailbox can't be opened");
        return;
    }
    split_messages(session.mail);
    printf("* %zu EXISTS\r\n* 0 RECENT\r\n* FLAGS ()\r\n", session.n_messages);
    answer(c, "OK [READ-ONLY] SELECT completed");
}

static void do_fetch(const struct command *c)
{
    unsigned long n = strtoul(c->args[0].data, NULL, 10);

    if (n < 1 || n > session.n_messages) {
        answer(c, "NO no such message");
        return;
    }
    const struct arg *m = &session.messages[n - 1];
    printf("* %lu FETCH (BODY[] {%zu}\r\n%.*s)\r\n", n, m->len, (int)m->len, m->data);
    answer(c, "OK FETCH completed");
}

static void do_logout(const struct command *c)
{
    printf("* BYE imapd stand-in\r\n");
    answer(c, "OK LOGOUT completed");
}

static const struct {
    const char *name;
    size_t n_args;
    void (*run)(const struct command *c);
} commands[] = {
    {"CAPABILITY", 0, do_capability}, {"NOOP", 0, do_noop},
    {"LOGIN", 2, do_login},           {"AUTHENTICATE", 1, do_authenticate},
    {"SELECT", 1, do_select},         {"FETCH", 2, do_fetch},
    {"LOGOUT", 0, do_logout},
};

/* A literal: "{N}" ends the line, N bytes of any value follow, then the rest of the command on a line of its
 * own. */
static bool read_literal(struct command *c, struct arg *argument)
{
    size_t n = strtoul(argument->data + 1, NULL, 10);

    if (n > sizeof(c->literal))
        return false;
    printf("+ go ahead\r\n");
    (void)fflush(stdout);
    *argument = (struct arg){c->literal, n};
    return fread(c->literal, 1, n, stdin) == n && fgets(c->tail, sizeof(c->tail), stdin) != NULL;
}

static bool next_word(char **rest, struct arg *word)
{
    char *s = *rest + strspn(*rest, " ");
    size_t len = strcspn(s, " \r\n");

    *rest = s + len;
    *word = (struct arg){s, len};
    return len > 0;
}

/* Words without blanks, one of which may be a literal. False at the end of the input. */
static bool read_command(struct command *c)
{
    char *rest = c->line;
    bool has_literal = false;

    if (fgets(c->line, sizeof(c->line), stdin) == NULL)
        return false;
    c->n_args = 0;
    if (!next_word(&rest, &c->tag) || !next_word(&rest, &c->name))
        return true;
    while (c->n_args < ARGS_MAX && next_word(&rest, &c->args[c->n_args])) {
        struct arg *word = &c->args[c->n_args++];
        if (word->data[0] != '{' || has_literal)
            continue;
        if (!read_literal(c, word))
            return false;
        has_literal = true;
        rest = c->tail;
    }
    return true;
}

static void run_command(const struct command *c)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (c->name.len != strlen(commands[i].name) ||
            strncasecmp(c->name.data, commands[i].name, c->name.len) != 0)
            continue;
        if (c->n_args < commands[i].n_args)
            answer(c, "BAD arguments are missing");
        else
            commands[i].run(c);
        return;
    }
    answer(c, "BAD command not known");
}

int main(int argc, char **argv)
{
    static struct command c;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: imapd_standin MBOX\n");
        return 2;
    }
    session.mbox = argv[1];
    printf("* OK [CAPABILITY IMAP4rev1] imapd stand-in, pid %d\r\n", (int)getpid());
    do {
        (void)fflush(stdout);
        if (!read_command(&c))
            break;
        run_command(&c);
    } while (c.name.len != strlen("LOGOUT") || strncasecmp(c.name.data, "LOGOUT", c.name.len) != 0);
    (void)fflush(stdout);
    free(session.mail);
    return 0;
}
