/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An event: one call of one subject in one phase, its arguments copied once, and the verdict that grows on
 * it. Engines make it, layers look at it, the engine carries out what it says in the end.
 *
 *     struct idw_event ev;
 *     event_init(&ev, subject, tid, call, regs);   // pre
 *     wss_pre(wss, &ev);
 *     ... carry out ev.verdict; if the call ran:
 *     event_result(&ev, ret);                      // post, same event: same copies of the arguments
 *     wss_post(wss, &ev);
 *     event_clear(&ev);                            // frees the copies and notes
 *
 * Memory arguments are fetched on first use and never again in the same phase. TAG_OUT arguments are fetched
 * in post, those that are TAG_IN too in both phases. All others keep their copy: pre and post see the same
 * bytes.
 *
 * What can't be had because of the target (unmapped, too long, gone) is an error of the copy. What can't be
 * had because of us (no memory, no descriptors, no permission to look) sets ->internal_error besides: the
 * call must not run unseen. An input of the pre phase that is the target's error sets ->fault: the kernel
 * reads memory that we can't (memfd_secret(2), device mappings), so what fails for us may well succeed for
 * it.
 */
#ifndef IDW_SUBJECT_EVENT_H
#define IDW_SUBJECT_EVENT_H

#include "idw/wrapper.h"
#include "subject/subject.h"
#include "syscalls/table.h"

/* In the order of strictness: of two verdicts the greater holds. */
enum verdict_kind {
    VERDICT_RUN,
    VERDICT_FAKE, /* value: what the call returns */
    VERDICT_DENY, /* value: the positive errno */
    VERDICT_KILL,
};

struct verdict {
    enum verdict_kind kind;
    int64_t value;
};

#define EVENT_BYTES_MAX (16UL << 20) /* of one buffer */
#define EVENT_ERRNO_MAX 4095         /* MAX_ERRNO of the kernel's include/linux/err.h */

/*
 * A memory argument in our own memory, a NUL behind it. Strings, vectors, structs and addresses are had whole
 * or not at all, as the kernel has them. A buffer (TYPE_BUF) that is longer than EVENT_BYTES_MAX, or readable
 * in its beginning only, has its first bytes in @data, and @error says E2BIG or EFAULT: write(2) would have
 * used them.
 */
struct event_copy {
    void *data; /* NULL: not fetched, or unreadable */
    size_t len; /* bytes, NUL not counted; strings in a vector */
    bool fetched;
    bool assigned; /* a clause's bytes, not the target's: what the kernel, or in post the target, shall get */
    bool put;      /* by event_put: what the kernel would have written */
    int error;     /* 0 or positive errno */
};

struct event_stale;
struct audit_note; /* src/audit: what wrappers said about this event so far */

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): grouped for readers; one lives at a time
struct idw_event {
    struct subject *subject; /* NULL only in tests of what needs none */
    pid_t tid;
    const struct call *call;
    enum call_arch arch; /* whose numbers and layouts the call has */
    enum idw_phase phase;
    uint64_t regs[6];      /* as the target gave them, or as clauses assigned them */
    uint8_t assigned;      /* bit n: regs[n] was assigned */
    int64_t result;        /* post: what the target gets, -errno on error */
    int64_t kernel_result; /* post: what the kernel returned */
    bool result_assigned;
    struct verdict verdict;
    struct event_copy copies[CALL_ARGS_MAX]; /* by index of the argument in call->args */
    struct event_copy structs[6];            /* by register: what FROM_FIELD arguments are fields of */
    struct event_stale *stale;               /* bytes of copies that were replaced; a body may hold them */

    /* Lengths behind pointers, by the register of the pointer: what the target made room for before the
     * call. See event_prefetch. */
    uint32_t rooms[6];
    uint8_t rooms_known; /* bit n: rooms[n] */

    /*
     * The engine makes this call itself (src/engine/perform): what clauses look at by descriptor or path is
     * kept for it. Each once, 0: not taken; else our descriptor + 1, or -errno. See event_fd, event_object.
     */
    bool performing;
    int fds[6];                 /* by register */
    int objects[CALL_ARGS_MAX]; /* by index of the path argument */
    int result_file; /* post, of a performed call that returns a descriptor: what $ret will be; or DEAD_FD.
                      * Borrowed: event_clear doesn't close it */

    /* Of the calling thread; read on first use. */
    bool creds_known;
    uid_t uid, euid;
    gid_t gid, egid;
    pid_t ppid; /* as it is now: a process whose parent dies gets another */

    /* While a body runs: who runs. Opaque here; set by src/wss. */
    const char *wrapper; /* its name, for audit records */
    void *layer;
    unsigned passed;     /* layers that let it pass, counted from the outermost */
    struct arena *arena; /* where its state lives */
    bool internal_error; /* something of ours failed while handling it: never let it run */

    /*
     * 0, or the positive errno of the first input that was fetched in the pre phase, lies behind a pointer
     * that isn't NULL, and couldn't be had: EFAULT, ENAMETOOLONG, E2BIG. No clause has seen what the kernel
     * would take, so the call must fail with it instead of running. A buffer (TYPE_BUF) whose beginning was
     * had, or that is longer than EVENT_BYTES_MAX, is none; NULL is none, since many calls take it for "no
     * such argument".
     */
    int fault;
    struct audit_note *notes;
    void (*notes_drop)(struct idw_event *ev); /* set by whoever keeps notes */
};

/* event_init - @subject and @call must outlive the event. @regs: six argument registers. */
void event_init(struct idw_event *ev, struct subject *subject, pid_t tid, const struct call *call,
                const uint64_t regs[6]);

/* event_result - the call ran and returned @result: the event goes on in its post phase. */
void event_result(struct idw_event *ev, int64_t result);

void event_clear(struct idw_event *ev);

/* event_failed - does a call that returned @result report an error, as the kernel's IS_ERR_VALUE says? */
static inline bool event_failed(int64_t result)
{
    return result < 0 && result >= -EVENT_ERRNO_MAX;
}

/* event_out_only - does only the kernel write argument @a, so that there is nothing of interest before? */
static inline bool event_out_only(const struct call_arg *a)
{
    return (a->tags & (TAG_IN | TAG_OUT)) == TAG_OUT;
}

/* event_verdict - let @kind count if it is stricter than what stands. */
void event_verdict(struct idw_event *ev, enum verdict_kind kind, int64_t value);

/*
 * event_scalar - value of scalar argument @a, fields of structs included (fetched; all fields of a struct
 * come from one copy; a field beyond the size that the target gave is 0); 0 when unreadable. Of a memory
 * argument: its address.
 */
int64_t event_scalar(struct idw_event *ev, const struct call_arg *a);

/*
 * event_memory - the copy of memory argument @a: a string (PATH, STR), a char ** (STRV), or bytes. Never
 * NULL; look at ->data. In the pre phase a TAG_OUT argument is EFAULT-free but empty. Of a scalar that is a
 * field: the struct that it is in; of another scalar: an empty copy; so ->error is 0 where nothing had to be
 * read.
 */
const struct event_copy *event_memory(struct idw_event *ev, const struct call_arg *a);

/*
 * event_assign - a clause gives memory argument @a other contents; copied. Strings: @len without the NUL.
 *
 * In the pre phase, for arguments that only the kernel reads (TAG_OUT ones are not assignable then): the
 * kernel gets them in place of the target's, and the register with their length, if @a has one, becomes @len
 * (its bit in ->assigned is set). An unreadable argument is a fault no more.
 *
 * In post, for TAG_OUT arguments: the target gets them, cut to the room that it made. Where the result is the
 * length (read, readlink) and the call did not fail, so becomes it; where a word in the target's memory is
 * (accept), whoever writes the copy to the target writes its ->len there too.
 *
 * What was had before stays valid for who holds it until the event's next phase. Returns 0; -EINVAL: no
 * memory argument, a vector, a field of a struct, not of this phase, a string with a NUL in it, a struct of
 * another size than the argument has, or a length that is another argument's too and would change;
 * -ENAMETOOLONG, -E2BIG: longer than an argument of this type can be; -ENOMEM.
 */
int event_assign(struct idw_event *ev, const struct call_arg *a, const void *data, size_t len);

/*
 * event_put - the call was made for the target and @data is what it would have in argument @a, a TAG_OUT one:
 * event_memory gives it in post. Copied; goes before event_result. Returns 0, or -ENOMEM.
 */
int event_put(struct idw_event *ev, const struct call_arg *a, const void *data, size_t len);

/*
 * event_set - a clause gives register @reg another value, in the pre phase. Copies whose length it is follow:
 * a smaller length cuts them, a greater one fetches what is missing (never what is had). What was kept of a
 * descriptor or path that it says anew is dropped. Returns 0; -EINVAL: longer than the bytes that a clause
 * assigned; -ENOMEM.
 */
int event_set(struct idw_event *ev, unsigned reg, uint64_t value);

/*
 * event_prefetch - fetch each input that lies in memory, ahead of the clauses: reading may wait for the
 * target. Not vectors: an environment is nothing that a record should show because of that. Lengths that the
 * kernel overwrites are among them (accept's addrlen): without it, the room for such an argument is in post
 * taken to be what the kernel says was there to write.
 */
void event_prefetch(struct idw_event *ev);

/*
 * event_fd - our own copy of the descriptor in argument @a (FD, DIRFD), taken once with pidfd_getfd(2):
 * clauses and the performed call see the same file, whatever the target's other threads do to its table.
 * A DIRFD of AT_FDCWD: its working directory (O_PATH). The event's. -EBADF: not open. Any other -errno: we
 * can't have it (->internal_error is for the caller to set).
 */
int event_fd(struct idw_event *ev, const struct call_arg *a);

/*
 * event_object - did a clause look at what path argument @a names? Then *@object is our O_PATH descriptor of
 * it (the event's), or -errno, why it has none, and the performed call must act on that.
 * event_keep_object - @object, a descriptor that is the event's from now on or -errno, is what it names.
 */
bool event_object(const struct idw_event *ev, const struct call_arg *a, int *object);
void event_keep_object(struct idw_event *ev, const struct call_arg *a, int object);

/* event_drop_files - close what was kept of descriptors and paths; event_clear does it. */
void event_drop_files(struct idw_event *ev);

/* event_arg_in - the argument of @c that register @reg itself is, or NULL. */
const struct call_arg *event_arg_in(const struct call *c, unsigned reg);

/* event_looked - does the event keep a descriptor or object that a clause has looked at? */
bool event_looked(const struct idw_event *ev);

/* event_fetched - is @a's value at hand, without a look at the target's memory? */
bool event_fetched(const struct idw_event *ev, const struct call_arg *a);

/*
 * event_attr - $pid, $uid ...: integers ($uid and the like: -1 when the thread is gone); and event_attr_text
 * for $call, $program, $exe (the event's own, or its subject's).
 */
int64_t event_attr(struct idw_event *ev, uint16_t attr);
const char *event_attr_text(struct idw_event *ev, uint16_t attr);

/* event_path_owner - the path argument whose fetched copy @text is (pointer identity), or NULL. */
const struct call_arg *event_path_owner(const struct idw_event *ev, const char *text);

#endif
