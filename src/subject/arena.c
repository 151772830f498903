/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/arena.h"

#include <fcntl.h>
#include <inttypes.h>
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U /* linux/memfd.h of 6.3 */
#endif

#define ARENA_MAGIC 0x616e657261776469ULL /* "idwarena" */
#define ARENA_VERSION 1U
#define ARENA_MIN (1UL << 16)
#define UNIT 16UL             /* alignment of any type, and the header of a block */
#define CLASSES 160           /* four to each doubling: up to 2^42 units */
#define BIG_BLOCK (1UL << 16) /* from here on, freed memory goes back to the kernel */
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

enum block_tag { BLOCK_LIVE = 0x4556494c, BLOCK_FREE = 0x45455246 };

/* In front of each block; the blocks lie side by side from the header's end to `bump`. */
struct block {
    uint32_t tag;
    uint32_t class;
    arena_off next; /* BLOCK_FREE: of the same class */
};

struct header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_size; /* another C library's mutex is another layout */
    uint64_t size;
    uint64_t seed[2];
    pthread_mutex_t lock;
    arena_off bump; /* end of all blocks; never-used memory, still zero, behind it */
    uint64_t used;
    arena_off roots[ARENA_ROOTS];
    arena_off free[CLASSES];
};

struct arena {
    struct header *header;
    size_t size;
    int fd;
};

#define FIRST_BLOCK ((sizeof(struct header) + UNIT - 1) / UNIT * UNIT)

static_assert(sizeof(struct block) == UNIT, "a block's header keeps the block aligned");

void (*arena_test_step)(void);

/* The order of stores is what recover() relies on: nothing moves across, and tests die here. */
static void step(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    if (arena_test_step != NULL)
        arena_test_step();
}

/* Smallest class whose blocks hold @size bytes, their header included. */
static unsigned class_of(size_t size)
{
    size_t last = (size - 1) / UNIT;
    if (last < 4)
        return (unsigned)last;
    unsigned shift = 61 - (unsigned)__builtin_clzl(last);
    return 4 * shift + (unsigned)(last >> shift);
}

static size_t class_size(unsigned class)
{
    if (class < 4)
        return (class + 1) * UNIT;
    return ((size_t) class % 4 + 5) << (class / 4 - 1) << 4;
}

static struct block *block_at(const struct arena *a, arena_off start)
{
    return (struct block *)((char *)a->header + start);
}

/* Does a whole block start at @start? */
static bool is_block(const struct arena *a, arena_off start, arena_off end)
{
    if (start < FIRST_BLOCK || start % UNIT != 0 || start >= end || end - start < UNIT)
        return false;
    const struct block *b = block_at(a, start);
    return (b->tag == BLOCK_LIVE || b->tag == BLOCK_FREE) && b->class < CLASSES &&
           class_size(b->class) <= end - start;
}

/*
 * The owner of the lock died: make lists and sum anew from the blocks themselves, each of which is whole at
 * every moment. A block that isn't means memory overwritten by somebody; what lies behind it stays as it is,
 * lost.
 */
static void recover(struct arena *a)
{
    struct header *h = a->header;
    memset(h->free, 0, sizeof h->free);
    uint64_t used = 0;
    for (arena_off o = FIRST_BLOCK; is_block(a, o, h->bump); o += class_size(block_at(a, o)->class)) {
        struct block *b = block_at(a, o);
        if (b->tag == BLOCK_LIVE) {
            used += class_size(b->class);
        } else {
            b->next = h->free[b->class];
            h->free[b->class] = o;
        }
    }
    h->used = used;
}

static void lock(struct arena *a)
{
    int r = pthread_mutex_lock(&a->header->lock);
    if (r == EOWNERDEAD) {
        recover(a);
        (void)pthread_mutex_consistent(&a->header->lock);
    } else if (r != 0) {
        /* Never with a robust mutex that is made consistent each time: the memory is not ours any more. */
        log_error("arena: lock: %s", strerror(r));
        abort();
    }
}

static void unlock(struct arena *a)
{
    (void)pthread_mutex_unlock(&a->header->lock);
}

/* Takes @given over. */
static struct arena *map(int given, size_t size, struct err *e)
{
    _cleanup_close_ int fd = given;
    struct arena *a = calloc(1, sizeof *a);
    if (a == NULL) {
        err_set(e, ENOMEM, "arena: out of memory");
        return NULL;
    }
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (p == MAP_FAILED) {
        err_errno(e, "arena: cannot map %zu bytes of shared memory", size);
        free(a);
        return NULL;
    }
    /* A core file is no place for gigabytes of holes, nor for what wrappers know. */
    (void)madvise(p, size, MADV_DONTDUMP);
    *a = (struct arena){.header = p, .size = size, .fd = move_fd(&fd)};
    return a;
}

static int init_header(struct header *h, size_t size, struct err *e)
{
    pthread_mutexattr_t attr;
    if (getrandom(h->seed, sizeof h->seed, 0) != (ssize_t)sizeof h->seed)
        return err_errno(e, "arena: no random bytes");
    int r = pthread_mutexattr_init(&attr);
    if (r != 0)
        return err_set(e, r, "arena: mutex: %s", strerror(r));
    (void)pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    (void)pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    r = pthread_mutex_init(&h->lock, &attr);
    (void)pthread_mutexattr_destroy(&attr);
    if (r != 0)
        return err_set(e, r, "arena: mutex: %s", strerror(r));
    h->version = ARENA_VERSION;
    h->header_size = sizeof *h;
    h->size = size;
    h->bump = FIRST_BLOCK;
    h->magic = ARENA_MAGIC;
    return 0;
}

/* A sparse, sealed file of @size bytes. */
static int make_file(size_t size, struct err *e)
{
    _cleanup_close_ int fd = memfd_create("idwrun-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("idwrun-arena", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return err_errno(e, "arena: cannot make shared memory");
    if (ftruncate(fd, (off_t)size) < 0)
        return err_errno(e, "arena: cannot make %zu bytes of shared memory", size);
    if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        return err_errno(e, "arena: cannot seal shared memory");
    return move_fd(&fd);
}

struct arena *arena_create(size_t size, struct err *e)
{
    /* Beyond the limit ftruncate would not just fail but send SIGXFSZ. */
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < size)
        size = limit.rlim_cur;
    size &= ~(BIG_BLOCK - 1);
    if (size < ARENA_MIN) {
        err_set(e, EFBIG, "arena: the limit of file sizes (RLIMIT_FSIZE, ulimit -f) leaves no room");
        return NULL;
    }
    int fd = make_file(size, e);
    struct arena *a = fd < 0 ? NULL : map(fd, size, e);
    if (a == NULL)
        return NULL;
    if (init_header(a->header, size, e) < 0) {
        arena_unmap(a);
        return NULL;
    }
    return a;
}

/* Nothing of the file is mapped before this says that it can't shrink and is as long as it claims. */
static int check_file(int fd, struct header *h, struct err *e)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
        return err_set(e, EINVAL, "arena: descriptor %d is not sealed shared memory", fd);
    if (fstat(fd, &st) < 0)
        return err_errno(e, "arena: descriptor %d", fd);
    if (pread(fd, h, sizeof *h, 0) != (ssize_t)sizeof *h || h->magic != ARENA_MAGIC)
        return err_set(e, EINVAL, "arena: descriptor %d is not an arena", fd);
    if (h->version != ARENA_VERSION || h->header_size != sizeof *h)
        return err_set(e, EPROTO, "arena: made by another version of idwrun");
    if (h->size < ARENA_MIN || h->size > (uint64_t)st.st_size || h->bump < FIRST_BLOCK || h->bump > h->size)
        return err_set(e, EINVAL, "arena: damaged header");
    return 0;
}

struct arena *arena_map(int fd, struct err *e)
{
    struct header h = {0};
    if (check_file(fd, &h, e) < 0)
        return NULL;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) {
        err_errno(e, "arena: cannot duplicate descriptor %d", fd);
        return NULL;
    }
    return map(own, h.size, e);
}

void arena_unmap(struct arena *a)
{
    if (a == NULL)
        return;
    (void)munmap(a->header, a->size);
    (void)close(a->fd);
    free(a);
}

int arena_fd(const struct arena *a)
{
    return a->fd;
}

/* A block of @class, its header written: off the free list, or from never-used memory. 0: full. */
static arena_off take(struct arena *a, unsigned class)
{
    struct header *h = a->header;
    arena_off o = h->free[class];
    if (is_block(a, o, h->bump) && block_at(a, o)->tag == BLOCK_FREE && block_at(a, o)->class == class) {
        h->free[class] = block_at(a, o)->next;
        step();
        block_at(a, o)->tag = BLOCK_LIVE;
        return o;
    }
    h->free[class] = 0;
    o = h->bump;
    if (class_size(class) > h->size - o)
        return 0;
    *block_at(a, o) = (struct block){.tag = BLOCK_LIVE, .class = class};
    step();
    __atomic_store_n(&h->bump, o + class_size(class), __ATOMIC_RELEASE);
    return o;
}

arena_off arena_alloc(struct arena *a, size_t size)
{
    if (size >= a->size)
        return 0;
    /* At least one byte: the address of a block lies in that block. */
    unsigned class = class_of((size > 0 ? size : 1) + UNIT);
    if (class >= CLASSES)
        return 0;
    lock(a);
    arena_off o = take(a, class);
    step();
    if (o != 0)
        a->header->used += class_size(class);
    unlock(a);
    if (o == 0)
        return 0;
    /* Big blocks were emptied when they were freed. */
    if (class_size(class) < BIG_BLOCK)
        memset((char *)a->header + o + UNIT, 0, class_size(class) - UNIT);
    return o + UNIT;
}

/* Zero a block's memory by giving its pages back. */
static void empty(struct arena *a, arena_off start, size_t size)
{
    const size_t page = 4096;
    char *p = (char *)a->header + start;
    char *first = p + (page - (uintptr_t)p % page) % page;
    char *last = p + size - (uintptr_t)(p + size) % page;
    if (madvise(first, (size_t)(last - first), MADV_REMOVE) < 0) {
        memset(p, 0, size);
        return;
    }
    memset(p, 0, (size_t)(first - p));
    memset(last, 0, (size_t)(p + size - last));
}

void arena_free(struct arena *a, arena_off o)
{
    if (o == 0)
        return;
    arena_off start = o - UNIT;
    struct header *h = a->header;
    lock(a);
    if (!is_block(a, start, h->bump) || block_at(a, start)->tag != BLOCK_LIVE) {
        unlock(a);
        log_error("arena: %#" PRIx64 " freed, which is no live block", o);
        return;
    }
    struct block *b = block_at(a, start);
    unsigned class = b->class;
    if (class_size(class) >= BIG_BLOCK)
        empty(a, o, class_size(class) - UNIT);
    h->used -= class_size(class);
    step();
    b->next = h->free[class];
    b->tag = BLOCK_FREE;
    step();
    h->free[class] = start;
    unlock(a);
}

static arena_off blocks_end(const struct arena *a)
{
    arena_off end = __atomic_load_n(&a->header->bump, __ATOMIC_ACQUIRE);
    return end <= a->size ? end : a->size;
}

void *arena_ptr(const struct arena *a, arena_off o)
{
    if (o < FIRST_BLOCK + UNIT || o >= blocks_end(a))
        return NULL;
    return (char *)a->header + o;
}

arena_off arena_offset(const struct arena *a, const void *p)
{
    uintptr_t base = (uintptr_t)a->header;
    if ((uintptr_t)p < base + FIRST_BLOCK + UNIT || (uintptr_t)p >= base + blocks_end(a))
        return 0;
    return (uintptr_t)p - base;
}

void *arena_object(const struct arena *a, arena_off o, size_t size)
{
    if (o < FIRST_BLOCK + UNIT || !is_block(a, o - UNIT, blocks_end(a)))
        return NULL;
    const struct block *b = block_at(a, o - UNIT);
    if (b->tag != BLOCK_LIVE || size > class_size(b->class) - UNIT)
        return NULL;
    return (char *)a->header + o;
}

const uint64_t *arena_seed(const struct arena *a)
{
    return a->header->seed;
}

arena_off *arena_root(struct arena *a, unsigned slot)
{
    return slot < ARENA_ROOTS ? &a->header->roots[slot] : NULL;
}

size_t arena_used(struct arena *a)
{
    lock(a);
    size_t used = a->header->used;
    unlock(a);
    return used;
}
