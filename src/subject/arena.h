/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The arena: shared memory in which all lives that must survive the engine: subjects, wrapper state, tables,
 * the journal of received calls. The guardian makes it, each engine maps it, at whatever address; hence
 * offsets, never pointers, inside.
 *
 *     struct arena *a = arena_create(1UL << 36, &e);      // guardian: address space, not memory
 *     arena_off o = arena_alloc(a, sizeof(struct thing)); // 0: full
 *     struct thing *t = arena_ptr(a, o);                  // valid until arena_unmap
 *     arena_free(a, o);
 *
 * Safe for use by many threads, and by many processes: the lock is robust, so an engine that dies while it
 * holds the lock leaves it to the next (a block under way may leak, the structure stays whole).
 */
#ifndef IDW_SUBJECT_ARENA_H
#define IDW_SUBJECT_ARENA_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

typedef uint64_t arena_off; /* 0 is no object */

struct arena;

/*
 * arena_create - a new arena of at most @size bytes, zeroed; less where RLIMIT_FSIZE says so, which holds for
 * shared memory too. NULL on error (ENOMEM: address space, EFBIG: no room for anything); the caller's,
 * arena_unmap.
 */
struct arena *arena_create(size_t size, struct err *e);

/*
 * arena_map - the arena behind @fd (which stays the caller's). NULL: not an arena (EINVAL; also one that
 * could shrink under us), other version (EPROTO), no memory.
 */
struct arena *arena_map(int fd, struct err *e);

void arena_unmap(struct arena *a);
int arena_fd(const struct arena *a); /* owned by @a, CLOEXEC */

/* arena_alloc - @size zeroed bytes, aligned for any type. 0: full. */
arena_off arena_alloc(struct arena *a, size_t size);

/* arena_free - 0 is allowed; what is no live block is left alone and said on standard error. */
void arena_free(struct arena *a, arena_off o);

/*
 * arena_ptr, arena_offset - NULL and 0 are each other's; what lies outside of the blocks ever handed out is
 * NULL, 0.
 */
void *arena_ptr(const struct arena *a, arena_off o);
arena_off arena_offset(const struct arena *a, const void *p);

/* arena_object - arena_ptr for the start of a live block of at least @size bytes; NULL for anything else. */
void *arena_object(const struct arena *a, arena_off o, size_t size);

/* arena_seed - 16 random bytes, the arena's own for life: a key for hashes of what targets choose. */
const uint64_t *arena_seed(const struct arena *a);

/* arena_root - a slot for the offset of a top-level object, 0 in a new arena. @slot: below ARENA_ROOTS. */
#define ARENA_ROOTS 8
enum arena_root { ARENA_ROOT_SUBJECTS, ARENA_ROOT_JOURNAL, ARENA_ROOT_GLOBALS };
arena_off *arena_root(struct arena *a, unsigned slot);

/* arena_used - bytes in live blocks, for tests of leaks and for statistics. */
size_t arena_used(struct arena *a);

/*
 * For tests: called between any two stores that change the structure, with the lock held; NULL by default. A
 * process that dies in it dies at the worst moment.
 */
extern void (*arena_test_step)(void);

#endif
