/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Words and $names: what they mean in the table of calls, and what a $name is for a set of calls.
 */
#ifndef IDW_WRAPC_NAMES_H
#define IDW_WRAPC_NAMES_H

#include "syscalls/table.h"
#include "wrapc/ast.h"

/* How a body reads a $name: idw_int, idw_str, idw_buf, idw_strv. */
enum access { ACCESS_INT, ACCESS_STR, ACCESS_BUF, ACCESS_STRV };

/* What a $name is for the calls of a set. */
struct name_use {
    unsigned n_have, n_lack;
    const struct call *has, *lacks; /* the first of each; NULL: none */
    const struct call *differs; /* a call in which it is memory of another kind, or a number; NULL: none */
    const struct call *fixed;   /* a call in which it is no register; NULL: none */
    const struct call *out; /* a call in which the kernel writes it: known after the call only; NULL: none */
    const struct call *writes, *reads; /* memory that the kernel writes, and only reads; NULL: in none */
    const struct call *length;         /* a call in which it points to a length; NULL: none */
    unsigned size;                     /* ACCESS_BUF: bytes it has in all calls that have it; 0: it depends */
    enum access access;                /* in `has` */
    const char *ctype;                 /* ACCESS_INT: the C type that holds all of their values */
    bool is_signed;                    /* ACCESS_INT */
    bool memory;                       /* reading it reads the target's memory in some call */
    bool post_only;                    /* $ret, $errno */
};

/*
 * word_calls - the calls that the word at @tok means, into @set; @only: it has to be a single call's name.
 * An unknown word is noted as an error, with the nearest one, and means every call, so that nothing follows
 * from it.
 */
void word_calls(struct source *s, const struct tok *tok, bool only, uint64_t *set);

/*
 * set_split_opens - move those calls of @set whose path is read or written as their flags say into @opens.
 * Returns whether there were any.
 */
bool set_split_opens(uint64_t *set, uint64_t *opens);

/*
 * name_find - number of the argument or attribute @tok ($name, or a bare name in $len(name)). 0: there is
 * none, which is noted as an error.
 */
unsigned name_find(struct source *s, const struct tok *tok);

/* name_is_string - is it text, in every call that has it? */
bool name_is_string(unsigned name);

/* name_is_attr - does it come with every event ($uid), rather than with some calls ($path)? */
bool name_is_attr(unsigned name);

/* name_c - the number as C: "IDW_ATTR_uid", or the number with the name in a comment. */
const char *name_c(struct source *s, unsigned name);

/* name_in - what @name is for the calls of @set. */
void name_in(unsigned name, const uint64_t *set, struct name_use *use);

static inline bool set_has(const uint64_t *set, size_t id)
{
    return (set[id / 64] >> id % 64 & 1) != 0;
}

#endif
