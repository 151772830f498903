/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rewriteplay's pieces: each makes a call whose arguments or result wrappers of
 * tests/e2e/wrappers/rewrite_*.wr change, and tells what came of it. Pieces of different @id don't share
 * files, so that threads can play the same one.
 */
#ifndef PROGRAMS_REWRITEPLAY_H
#define PROGRAMS_REWRITEPLAY_H

#include <stddef.h>
#include <stdint.h>

#define SAID_MAX 256

/*
 * checked_call - the call, made with these registers, the rest poisoned. Sets errno as the C library does.
 * What it must not change but has (a register) is counted in `clobbered`.
 */
long checked_call(long nr, int n, ...);
#define ARG(x) ((uint64_t)(uintptr_t)(x))

extern int clobbered;

/* kept - has @what, which the caller owns, still the bytes @as? Counts in `clobbered` if not. */
void kept(const void *what, const void *as, size_t size);

struct piece {
    const char *name;
    void (*play)(int id, char *said); /* @said: SAID_MAX bytes for what came of it */
};

extern const struct piece file_pieces[], other_pieces[]; /* ended by a NULL name */

/* "5", or "ENOENT" for a negative result, behind what is in @said. */
void said_result(char *said, long result);
void said_text(char *said, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Write or read a whole small file, by names and calls that no wrapper changes. */
void put_file(const char *name, const char *text);
void said_file(char *said, const char *name);
void said_fd(char *said, int fd); /* closes it */

#endif
