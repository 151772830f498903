/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * THE table of calls: each system call once, with its number on every architecture, its groups, and name,
 * type and place of each argument. Filter, decoder, WDL's $names and docs/calls.md derive from it.
 *
 * A call that has a number on i386 too has a second row for it, i386's reading, with the same id and names:
 * where its arguments are and how long its structs. Which one a `const struct call *` is says ->arch.
 * call_by_id and call_by_name give x86-64's, from which words and types of $names come.
 *
 *     const struct call *c = call_by_nr(ARCH_X86_64, nr);
 *     const struct call_arg *a = c ? call_arg_named(c, CALL_NAME_path) : NULL;
 *     if (a != NULL && call_type_info(a->type)->memory) ...   // lies in the target's memory
 *
 * All data is const; nothing fails but a lookup, with NULL.
 */
#ifndef IDW_SYSCALLS_TABLE_H
#define IDW_SYSCALLS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call_arch {
    ARCH_X86_64,
    ARCH_I386,
    ARCH_COUNT,
};

#define CALL_ARGS_MAX 10 /* registers, and fields of structs such as openat2's how */
#define CALL_NR_NONE (-1)

/*
 * Every $name that some argument has, from names.def: CALL_NAME_NONE, CALL_NAME_addr, ... A name is the same
 * kind of thing in every call that has it (number, string, vector, bytes), and none is the name of an
 * attribute ($pid, $uid ...).
 */
enum call_name {
    CALL_NAME_NONE,
#define NAME(n) CALL_NAME_##n,
#include "syscalls/names.def"
#undef NAME
    CALL_NAME_COUNT,
};

enum call_type {
    TYPE_INT,      /* int: 32 bits, signed; the kernel ignores the register's high half */
    TYPE_UINT,     /* unsigned int: 32 bits */
    TYPE_LONG,     /* long */
    TYPE_ULONG,    /* unsigned long */
    TYPE_SIZE,     /* size_t */
    TYPE_OFF,      /* off_t, loff_t */
    TYPE_FD,       /* int: a descriptor */
    TYPE_DIRFD,    /* int: a directory descriptor or AT_FDCWD */
    TYPE_FLAGS,    /* int: bits; `flagset` says which */
    TYPE_LFLAGS,   /* unsigned long: bits (mmap, mount, clone) */
    TYPE_MODE,     /* mode_t: 32 bits, unsigned; compare it & 07777, chmod ignores the rest */
    TYPE_DEV,      /* unsigned int: mknod's device */
    TYPE_PID,      /* pid_t */
    TYPE_UID,      /* uid_t */
    TYPE_GID,      /* gid_t */
    TYPE_UID16,    /* i386's old uid_t: the low 16 bits, all ones for -1 */
    TYPE_GID16,    /* the same for gid_t */
    TYPE_SIGNAL,   /* int */
    TYPE_ADDR,     /* unsigned long: an address that no wrapper looks behind */
    TYPE_PATH,     /* const char *: a path, NUL-terminated; from here on: memory */
    TYPE_STR,      /* const char *: another string */
    TYPE_STRV,     /* char *const *: argv, envp */
    TYPE_BUF,      /* const void *: bytes; how many says `len_reg` */
    TYPE_SOCKADDR, /* const struct sockaddr *: how many bytes says `len_reg` */
    TYPE_STRUCT,   /* const void *: `size` bytes, or as many as `len_reg` says */
    TYPE_COUNT,
};

struct call_type_info {
    const char *ctype; /* what $name is in a body: "int", "const char *" ... */
    uint8_t bits;      /* 32 or 64; 0 for memory */
    bool is_signed;
    bool memory; /* the value lies behind a pointer */
};

/* Which symbolic names a TYPE_FLAGS, TYPE_LFLAGS or TYPE_INT value decodes to. */
enum call_flagset {
    FLAGS_NONE,
#define FLAGSET(n) FLAGS_##n,
#include "syscalls/flagsets.def"
#undef FLAGSET
    FLAGS_COUNT,
};

enum call_source {
    FROM_REG,   /* register number `reg` */
    FROM_CONST, /* the same for every call: `value` (creat's flags) */
    FROM_FIELD, /* in the struct that register `reg` points to, at `offset`, `size` bytes (openat2's flags) */
    FROM_PAIR,  /* i386: low half in register `reg`, high half in `high_reg` (truncate64's length) */
    FROM_PAGES, /* i386: register `reg`, in units of 4096 (mmap2's offset) */
};

/* Tags: an argument can have several. `sys::op{ wpath }` is every call with an argument tagged TAG_WPATH. */
enum call_tag {
    TAG_RPATH = 1 << 0,    /* a path whose object is read, listed, executed or looked at */
    TAG_WPATH = 1 << 1,    /* a path whose object or entry is created, changed or removed */
    TAG_OUT = 1 << 2,      /* memory that the kernel writes: known after the call */
    TAG_IN = 1 << 3,       /* memory that the kernel reads */
    TAG_NOFOLLOW = 1 << 4, /* path: a final symbolic link is not followed (lstat, unlink, rename) */
    TAG_COND = 1 << 5,     /* the rpath/wpath tag depends on open flags: see call_open_writes() */
};

struct call_arg {
    uint16_t name; /* enum call_name, unique within the call */
    uint8_t type;  /* enum call_type */
    uint8_t flagset;
    uint8_t source;   /* enum call_source */
    uint8_t reg;      /* 0..5 */
    uint8_t high_reg; /* FROM_PAIR */
    uint8_t narrow;   /* i386, FROM_REG: the register has 32 bits, extended as the type's sign says */
    uint8_t tags;
    /* Memory: 1 + register that holds the length in bytes (0: none), and how to read it. */
    uint8_t len_reg;
    uint8_t len_is_pointer; /* the length register points to a socklen_t (accept, getsockname) */
    uint8_t len_from_ret;   /* TAG_OUT: only the first $ret bytes count (read, recv, readlink) */
    uint16_t offset;        /* FROM_FIELD */
    uint16_t size;          /* FROM_FIELD, TYPE_STRUCT with fixed size */
    /*
     * TYPE_PATH: 1 + register of its directory descriptor (0: the working directory) and of its AT_* flags
     * (0: none). With AT_* flags: AT_EMPTY_PATH makes "" mean the descriptor; AT_SYMLINK_NOFOLLOW adds what
     * TAG_NOFOLLOW says, AT_SYMLINK_FOLLOW lifts it (linkat, name_to_handle_at). A call whose flags can't do
     * that (unlinkat, renameat2, open, umount2, move_mount, fspick) has at_flags_reg 0; open's O_NOFOLLOW is
     * in $flags.
     */
    uint8_t dirfd_reg;
    uint8_t at_flags_reg;
    uint64_t value; /* FROM_CONST */
};

/* Groups: sys::op{ file }, sys::op{ net } ... A call can be in several. A group's name is no other word's. */
enum call_group {
#define GROUP(n, text) GROUP_BIT_##n,
#include "syscalls/groups.def"
#undef GROUP
    GROUP_COUNT,
};

struct call {
    const char *name;
    const char *family; /* sys::op{ open } is every call of family "open"; a call on its own has its name */
    uint16_t id;        /* of all readings */
    uint8_t arch;       /* enum call_arch: whose registers and layouts `args` describe */
    int16_t nr[ARCH_COUNT]; /* CALL_NR_NONE: the architecture has it not */
    uint32_t groups;        /* bits 1 << enum call_group */
    uint8_t n_args;
    bool returns_fd;
    struct call_arg args[CALL_ARGS_MAX];
};

/* The table: ids are 0 .. call_count() - 1, the order of x86-64 numbers; then what only i386 has, in order.
 */
size_t call_count(void);
const struct call *call_by_id(size_t id);
size_t call_id(const struct call *c);
const struct call *call_by_nr(enum call_arch arch, long nr); /* NULL: no such call */
long call_last_nr(enum call_arch arch);
const struct call *call_by_name(const char *name); /* NULL: no such call */

const struct call_arg *call_arg_named(const struct call *c, unsigned name); /* NULL: the call has it not */
const struct call_type_info *call_type_info(unsigned type);

/* call_type_is_text - is it a string, with a NUL at its end? */
static inline bool call_type_is_text(unsigned type)
{
    return type == TYPE_PATH || type == TYPE_STR;
}

/*
 * i386 has calls that stand behind another one's number. Those of socketcall, old mmap and old select have
 * their arguments in an array in memory, and are the same as direct calls that take them in registers:
 * `words` of them, the others are 0. Those of ipc have theirs in registers, but others than the direct calls
 * have.
 */
struct call_behind {
    int16_t nr;              /* the number that they share */
    uint32_t mask, selector; /* register 0 & mask == selector: it is this one */
    const struct call *call; /* its reading: with `words`, of the direct call */
    uint8_t words;           /* 0: in registers; else 32-bit words of the array */
    uint8_t array;           /* the register that points to the array */
};

/* call_behind - the @i-th of all; NULL: there is no such. Those of one number stand together; of several that
 * a register selects the first is meant. */
const struct call_behind *call_behind(size_t i);

/* call_behind_nr - the one that i386's number @nr with @reg0 in its first register is; NULL: none. */
const struct call_behind *call_behind_nr(long nr, uint64_t reg0);

/* What a word in a characterisation stands for. */
enum call_word { WORD_UNKNOWN, WORD_FAMILY, WORD_CALL, WORD_GROUP, WORD_ROLE };

/*
 * call_word - calls that @word means: a family ("open" is open, openat, openat2 and creat), a call, a group
 * ("file"), or the name or tag of an argument ("wpath", "sockaddr", "dirfd": every call that has one), looked
 * up in this order.
 * @set: call_count() bits, IDW_SET_WORDS words, all written; may be NULL.
 */
enum call_word call_word(const char *word, uint64_t *set);

/* call_nearest - the known word that is most like @word ("did you mean"), or NULL when none is close. */
const char *call_nearest(const char *word);

const char *call_name_text(unsigned name); /* "path"; NULL out of range */
unsigned call_name_find(const char *text); /* CALL_NAME_NONE: no call has an argument of this name */
const char *call_group_text(unsigned group, const char **meaning);

/* call_open_writes - do open's flags ask for writing, creating or truncating? */
bool call_open_writes(uint64_t flags);

/* call_fingerprint - changes when the numbers, names or types that a compiled wrapper relies on change. */
uint64_t call_fingerprint(void);

#endif
