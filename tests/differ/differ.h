/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * differ: makes generated calls and says what came of each, so that a bare run and a wrapped one can be
 * compared.
 *
 *     differ FOLDER SEED CALLS [ROUND]
 *
 * FOLDER: absolute, empty, of the same name in all runs that are compared. Each family of calls (families.c)
 * is made CALLS times, in rounds: a fresh tree of odd files (tree.c), a child in an odd situation
 * (situations.c), calls with odd arguments (args.c, paths.c) by their bare numbers, the descriptors that are
 * open, the tree that is left. With ROUND only that round is made, exactly as among all. One line a call on
 * standard output; process ids, inode numbers, ports and the time of day are masked (say.c), all else must be
 * equal between runs.
 *
 * What could harm the machine is not generated: a call that changes a path is only given one of the tree,
 * unless the caller is too weak to change anything (struct round's `harmless`).
 */
#ifndef DIFFER_H
#define DIFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An argument as the kernel gets it, and as the output names it. */
struct value {
    uint64_t raw;
    uint8_t *mem; /* where it points to, when that can be read; */
    size_t cap;   /* and how many bytes there are up to the next unmapped page */
    bool writable;
    char text[160];
};

/* The kinds of arguments; args.c has the maker of each. */
enum arg_kind {
    ARG_NONE,  /* the call has no more; the register gets a random value */
    ARG_PATH,  /* looked at */
    ARG_WPATH, /* changed, or given another name: only what is ours */
    ARG_OPATH, /* opened: what is not ours, for reading only */
    ARG_DIRFD,
    ARG_FD,
    ARG_OPEN_FLAGS,
    ARG_MODE,
    ARG_NODE_MODE,
    ARG_DEV,
    ARG_HOW,
    ARG_HOW_SIZE,
    ARG_STAT,
    ARG_STATX,
    ARG_STATFS,
    ARG_AT_FLAGS,
    ARG_STATX_MASK,
    ARG_ACCESS_MODE,
    ARG_BUF,      /* written by the kernel; */
    ARG_BUF_SIZE, /* its size, a size_t; */
    ARG_BUF_INT,  /* or an int */
    ARG_ID,
    ARG_LENGTH,
    ARG_UTIMBUF,
    ARG_TIMEVALS,
    ARG_TIMESPECS,
    ARG_XATTR_NAME,
    ARG_DATA, /* read by the kernel; */
    ARG_DATA_SIZE,
    ARG_XATTR_FLAGS,
    ARG_XATTR_ARGS,
    ARG_XATTR_ARGS_SIZE,
    ARG_RENAME_FLAGS,
    ARG_SOCKET,
    ARG_ADDR,
    ARG_ADDR_LEN,
    ARG_MSG_FLAGS,
    ARG_KINDS
};

/* What a call leaves that is worth looking at. */
enum outcome {
    OUT_NONE,
    OUT_FD,
    OUT_STAT,
    OUT_STATX,
    OUT_STATFS,
    OUT_BYTES,
    OUT_XATTR_ARGS,
    OUT_BIND,
    OUT_CONNECT,
    OUT_SEND
};

struct call {
    const char *name;
    long nr;
    uint8_t args[6]; /* enum arg_kind */
    uint8_t outcome; /* enum outcome */
};

struct family {
    const char *name;
    const struct call *calls;
    size_t n_calls;
};

extern const struct family families[];
extern const size_t n_families;

#define N_SLOTS 8     /* of memory.c: one an argument, two for what structs point to */
#define KEEP_FIRST 40 /* descriptors that open has returned and that stay, under these numbers */
#define N_KEPT 6
#define REPORT_FD 500 /* where the output goes; no generated argument names it */

struct round {
    uint64_t random;
    unsigned number;
    unsigned n_calls;
    char root[512];    /* the folder above the tree, absolute; "" in a chroot there */
    bool as_root;      /* the whole run is root's */
    bool harmless;     /* the caller can't change what is not in the tree, or can't get there */
    bool outside;      /* the call at hand has a path out of the tree */
    bool has_tree_dev; /* tree_dev is known */
    dev_t tree_dev;
    int domain;  /* of the call's socket */
    size_t size; /* links an argument with the one that counts its bytes */
    unsigned kept;
    struct value values[6];
    struct value extra; /* where a struct argument points to */
    const struct call *call;
};

/* Random numbers: the same sequence in every run of a seed. */
uint64_t rnd(struct round *r);
static inline size_t rnd_below(struct round *r, size_t n)
{
    return (size_t)(rnd(r) % n);
}
/* True once in @n. */
static inline bool rnd_one_in(struct round *r, size_t n)
{
    return rnd_below(r, n) == 0;
}
#define PICK(r, a) ((a)[rnd_below((r), COUNT(a))])

/* say.c - the output. say_text escapes; say_normal also masks what differs from run to run. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_text(const char *text, size_t len);
void say_normal(const char *text, size_t len);
void say_flush(void);
void say_begin(void);
/* The name of a time stamp: "now" or the number. */
void say_time(const char *what, int64_t sec, int64_t nsec);
/* Escaped and, when long, cut, into @to. */
void escape(char *to, size_t size, const void *bytes, size_t len);

/* memory.c - memory for arguments. Each slot has room for the largest one and ends at a page that can't be
 * read. */
void memory_setup(void);
/* @len bytes for the kernel to read, now and then at an address where it can't, or not all of it. */
void memory_in(struct round *r, unsigned slot, const void *bytes, size_t len, struct value *v);
/* Room for @len bytes that the kernel is to write, now and then not writable; filled with a pattern. */
void memory_out(struct round *r, unsigned slot, size_t len, struct value *v);
/* Which bytes of @v's room from @from on have lost the pattern? Their number. */
size_t memory_touched(const struct value *v, size_t from);

/* paths.c - a path, or a symbolic link's target, which counts as changed: later calls follow it. */
enum path_use { PATH_LOOKED_AT, PATH_CHANGED, PATH_OPENED };
/* @last: of the call's paths. */
size_t path_make(struct round *r, enum path_use use, bool last, char *to, size_t size);
#define PATH_LONGEST 140001

/* args.c */
void arg_make(struct round *r, enum arg_kind kind, unsigned slot, struct value *v);

/* fds.c - the descriptors that arguments name, 0 to FD_LAST; in the order of enum in fds.c. */
#define FD_LAST 22
#define FD_STREAM_LISTENER 201
#define FD_DGRAM_RECEIVER 202
#define FD_UDP_RECEIVER 203
#define FD_TCP_LISTENER 204
void fds_setup(struct round *r);
void fds_say(void);

/* net.c - sockets and addresses. */
int net_socket(struct round *r); /* and r->domain */
size_t net_address(struct round *r, struct sockaddr_storage *addr, char *text, size_t size);
void net_setup(struct round *r);
void net_say_bound(int fd);
void net_say_connected(int fd);
void net_say_received(void);

/* outcome.c - what there is to say of a call that has returned. */
void outcome_say(struct round *r, const struct call *c, long result);

/* tree.c - the tree of a round, in the working directory. */
void tree_make(struct round *r);
void tree_mend(struct round *r); /* what earlier calls of the round have taken away, some of it */
void tree_say(const char *folder);
void tree_remove(const char *folder);

/* situations.c - put the child into one; its name, or NULL when this caller can't. */
const char *situation_name(const struct round *r);
/* Runs @body in the situation of the round, in the calling process, which then must exit. */
void situation_run(struct round *r, void (*body)(struct round *r));

#endif
