/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The binary contract between a compiled wrapper (a shared object made by wrapc) and idwrun.
 *
 * Nobody writes against this header by hand: wrapc emits it. A wrapper written in WDL sees <idw/wdl.h>. A
 * shared object exports one symbol, `idw_wrapper`, of type `const struct idw_wrapper`; idwrun refuses it
 * unless `magic`, `abi` and `table` are its own. All other symbols that the object needs (idw_*, wr_*) idwrun
 * itself exports.
 *
 * Call and name numbers are those of the table of calls (src/syscalls); its fingerprint is part of the
 * contract, so a wrapper compiled against another table is refused with the advice to compile it again.
 *
 * Pointers handed to a body live until the body returns and must not be kept. State lives in shared memory
 * that another engine process may adopt at another address: no pointer may be stored in it (wrapc rejects
 * them).
 */
#ifndef IDW_WRAPPER_H
#define IDW_WRAPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#error "wrappers are C"
#endif

#define IDW_MAGIC 0x31776469u /* "idw1" */
#define IDW_ABI 2u

/* Words of a set of calls: bit N of word N / 64 is call number N of the table. */
#define IDW_SET_WORDS 8
#define IDW_SET_CALLS (IDW_SET_WORDS * 64)

struct idw_event; /* one call of one subject, in one phase; see the accessors below */

enum idw_phase {
    IDW_PRE,  /* before the kernel has seen the call */
    IDW_POST, /* with its result */
};

/*
 * Names below this are arguments (enum call_name of the table); those from it on come with every event.
 */
#define IDW_ATTR_FIRST 0x1000
enum idw_attr {
    /*
     * $ret, long: the result, -1 on error; post only. Assigned: a value of 0 or more is what the call
     * returns. Any from -4095 to -1 makes it fail (or leaves it failed): with the errno that it had or was
     * assigned, otherwise EPERM.
     */
    IDW_ATTR_ret = IDW_ATTR_FIRST,
    /*
     * $errno, int: 0 unless $ret is -1; post only. Assigned: 1 .. 4095 makes the call fail with it, whatever
     * $ret was; 0 makes a failed call return 0 and leaves another as it is.
     */
    IDW_ATTR_errno,
    IDW_ATTR_call,    /* const char *: name of the call */
    IDW_ATTR_nr,      /* int: number of the call */
    IDW_ATTR_pid,     /* pid_t: the subject, in idwrun's pid namespace */
    IDW_ATTR_tid,     /* pid_t: the calling thread */
    IDW_ATTR_ppid,    /* pid_t */
    IDW_ATTR_uid,     /* uid_t: real, of the calling thread */
    IDW_ATTR_gid,     /* gid_t */
    IDW_ATTR_euid,    /* uid_t */
    IDW_ATTR_egid,    /* gid_t */
    IDW_ATTR_invoker, /* uid_t: real uid that started the subject's execution */
    IDW_ATTR_program, /* const char *: last component of $exe */
    IDW_ATTR_exe,     /* const char *: path of the executable */
    IDW_ATTR_END
};

/*
 * Characterisations: which calls reach a clause, in postfix order. Evaluated twice: the part that registers
 * decide becomes BPF, the whole is tested on the event.
 */
enum idw_op {
    IDW_OP_CALLS, /* push: the event's call is in set `set` of the clause */
    IDW_OP_CMP,   /* push: ($name & mask) cmp value; false for a call that has no $name */
    IDW_OP_STR, /* push: $name (a string) cmp text: EQ and NE compare bytes, GLOB and NGLOB are fnmatch(3), no
                   flags */
    IDW_OP_AND, /* pop two, push one */
    IDW_OP_OR,
    IDW_OP_NOT, /* pop one, push one */
};

enum idw_cmp { IDW_EQ, IDW_NE, IDW_LT, IDW_LE, IDW_GT, IDW_GE, IDW_GLOB, IDW_NGLOB };

struct idw_term {
    uint8_t op;    /* enum idw_op */
    uint8_t cmp;   /* enum idw_cmp */
    uint16_t name; /* an argument's or attribute's name */
    uint32_t set;  /* IDW_OP_CALLS: index into the clause's sets */
    uint64_t mask; /* IDW_OP_CMP; all ones when the source has none */
    uint64_t
        value; /* IDW_OP_CMP; sign-extended; compared in the width and signedness of the argument's type */
    const char *text; /* IDW_OP_STR */
};

struct idw_call_set {
    uint64_t bits[IDW_SET_WORDS];
};

/* What a clause does, as far as the choice of its engine needs to know. wrapc sets them; they may err to
 * "does". */
enum idw_clause_flags {
    IDW_READS_MEMORY =
        1 << 0,           /* characterisation or body reads an argument that lies in the target's memory */
    IDW_ASSIGNS = 1 << 1, /* body assigns an argument, $ret or $errno */
    IDW_TOUCHES_PROCESS = 1 << 2, /* body uses process state */
    IDW_TOUCHES_GLOBAL =
        1 << 3,         /* body uses global state: bodies of this wrapper that do run one at a time */
    IDW_LOOKS = 1 << 4, /* body looks at files or sockets of the subject: wr_stat, wr_getpeername ... */
};

struct idw_clause {
    enum idw_phase phase;
    uint32_t flags; /* enum idw_clause_flags */
    const struct idw_term *terms;
    uint32_t n_terms;
    uint32_t n_sets;
    const struct idw_call_set *sets;
    /* @process and @global: the wrapper's state; NULL when it has none. */
    void (*body)(struct idw_event *ev, void *process, void *global);
    const char *file; /* the .wr file and line of the clause, for messages */
    uint32_t line;
};

/* Columns of tables and parameters of events. */
enum idw_kind {
    IDW_KIND_SIGNED,   /* an integer type */
    IDW_KIND_UNSIGNED, /* an integer type */
    IDW_KIND_STRING,   /* parameters: const char *; columns: char[size], NUL-padded */
};

struct idw_param {
    const char *name;
    const char *type; /* as written */
    uint8_t kind;     /* enum idw_kind; for typedefs found at compile time: (T)-1 < 0 */
};

struct idw_event_desc { /* event violation(const char *rule, const char *object); */
    const char *name;
    const struct idw_param *params;
    uint32_t n_params;
};

union idw_value {
    int64_t i;
    uint64_t u;
    const char *s; /* may be NULL */
};

struct idw_column {
    const char *name;
    uint16_t offset; /* in the packed row */
    uint16_t size;
    uint8_t kind; /* enum idw_kind */
    uint8_t key;  /* part of the key */
};

/*
 * A table's handle: a member of the state struct, an offset into the arena, 0 for an empty table. Rows are
 * packed structs without padding, so the key of a row compares as bytes.
 */
typedef uint64_t idw_table;

struct idw_table_desc {
    const char *name;
    uint32_t handle; /* offset of the idw_table in the state struct */
    uint16_t row_size;
    uint16_t n_columns;
    const struct idw_column *columns; /* key columns first, contiguous from offset 0 */
    uint16_t key_size;                /* bytes of the key: the row's first key_size bytes */
};

struct idw_state_desc {
    uint32_t size;    /* 0: the wrapper has no such state */
    const void *init; /* size bytes copied into each new instance; table handles are 0 */
    const struct idw_table_desc *tables;
    uint32_t n_tables;
};

struct idw_wrapper {
    uint32_t magic;
    uint32_t abi;
    uint64_t table; /* fingerprint of the table of calls */
    const char *name;
    const char *source;   /* the .wr file */
    const char *activate; /* text of `activate when`, checked and in one line; NULL: wraps every subject */
    uint32_t activate_line;
    uint32_t n_events;
    const struct idw_event_desc *events;
    uint32_t n_clauses;
    const struct idw_clause *clauses;
    struct idw_state_desc process; /* one instance a subject, copied at fork */
    struct idw_state_desc global;  /* one instance */
};

/*
 * Accessors: what $names become. None fails: an argument that the call does not have or memory that cannot be
 * read gives 0 or NULL, and idw_bad() tells. Each pointer argument is copied from the target once per event;
 * all readers see that copy, and it lives as long as the body runs.
 */
int64_t idw_int(struct idw_event *ev, uint16_t name); /* scalars, in the width and sign of the argument */
const char *idw_str(struct idw_event *ev,
                    uint16_t name); /* strings; NULL when unreadable or longer than 128 KiB */
const void *idw_buf(struct idw_event *ev, uint16_t name); /* buffers, structs, socket addresses */
size_t idw_len(struct idw_event *ev, uint16_t name); /* bytes that idw_buf or idw_str gave, NUL not counted */
const char *const *idw_strv(struct idw_event *ev, uint16_t name); /* argv, envp: NULL-terminated */
bool idw_has(struct idw_event *ev, uint16_t name);                /* does this event's call have $name? */
bool idw_bad(struct idw_event *ev, uint16_t name);                /* its memory could not be read */

/*
 * $name = value, for scalars in registers. Pre: the kernel gets @value, cut to the argument's width, in place
 * of the argument. Post: $ret and $errno only. What can't be assigned (memory and what lies in it, a constant
 * such as creat's flags, a $name that the call does not have) and would change must not be ignored: the call
 * is then denied. So is one that gets a length beyond the bytes that a clause assigned.
 */
void idw_set(struct idw_event *ev, uint16_t name, uint64_t value);

/*
 * $name = value and wr_assign, for memory: a string (@len without the NUL), a buffer, a struct, a socket
 * address. Copied. Pre: the kernel reads these bytes in place of the target's, and the argument that is their
 * length becomes @len. Post, for what the kernel writes: the target gets them, as many as it made room for;
 * where $ret is their length, so becomes it, unless the call failed. All readers see them from then on.
 *
 * What can't be assigned denies the call, in post makes it fail: vectors, fields of structs, what is not of
 * this phase, a NULL string or one with a NUL in it, a struct of another size than the argument's, a string
 * over 128 KiB, a buffer over 16 MiB.
 */
void idw_assign(struct idw_event *ev, uint16_t name, const void *data, size_t len);

/* Verdicts. wrapc emits `return` behind each. The strictest of all clauses' verdicts holds: kill > deny >
 * fake. */
void idw_deny(struct idw_event *ev, int errnum); /* the call does not run and fails with @errnum (1..4095) */
void idw_fake(struct idw_event *ev, int64_t value); /* the call does not run and returns @value */
void idw_kill(struct idw_event *ev);                /* SIGKILL to the whole subject; the call does not run */

/* raise: one audit record, and the event to every wrapper that listens. @values: n_params of @desc, body's
 * own. */
void idw_raise(struct idw_event *ev, const struct idw_event_desc *desc, const union idw_value *values);

/* Tables. @handle: the member of the state struct. @row: packed row. */
int idw_table_insert(struct idw_event *ev, idw_table *handle, const struct idw_table_desc *desc,
                     const void *row);
/* insert: 1 new row, 0 a row with this key was there and is replaced, -ENOMEM arena full (the call is then
 * denied). */
bool idw_table_exists(struct idw_event *ev, const idw_table *handle, const struct idw_table_desc *desc,
                      const void *key);
/* select: copies the row with @key's key into @row; false when there is none. */
bool idw_table_select(struct idw_event *ev, const idw_table *handle, const struct idw_table_desc *desc,
                      const void *key, void *row);
int idw_table_delete(struct idw_event *ev, idw_table *handle, const struct idw_table_desc *desc,
                     const void *key); /* 1 deleted, 0 was not there */

#endif
