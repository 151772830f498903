/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory for arguments, good and bad. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "differ.h"

#define PAGE 4096ul
#define ROOM (40 * PAGE) /* holds PATH_LONGEST */
#define PATTERN 0xa5

/* ROOM bytes that can be written, a page that can't be read, one that can be read only, one that isn't there.
 */
static uint8_t *slots[N_SLOTS];
static uint8_t *read_only[N_SLOTS];

void memory_setup(void)
{
    for (unsigned i = 0; i < N_SLOTS; i++) {
        uint8_t *m = mmap(NULL, ROOM + 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (m == MAP_FAILED)
            abort();
        slots[i] = m;
        read_only[i] = m + ROOM + PAGE;
        memset(m, PATTERN, ROOM + 2 * PAGE);
        /* Unreadable in two ways: a supervisor that reads through /proc/PID/mem gets past the first. */
        if (i % 2 == 0)
            (void)mprotect(m + ROOM, PAGE, PROT_NONE);
        else
            (void)munmap(m + ROOM, PAGE);
        (void)mprotect(read_only[i], PAGE, PROT_READ);
        (void)mprotect(m + ROOM + 2 * PAGE, 2 * PAGE, PROT_NONE);
    }
}

enum place { NORMAL, TIGHT, CUT, AT_GUARD, NULL_POINTER, LOW, KERNEL, NOT_CANONICAL, READ_ONLY };

static const char *const place_names[] = {"",     "<tight",  "<cut", "<guard", "NULL",
                                          "<low", "<kernel", "<odd", "<ro"};

static enum place choose(struct round *r)
{
    static const uint8_t bad[] = {CUT,          CUT, CUT,    AT_GUARD,      NULL_POINTER,
                                  NULL_POINTER, LOW, KERNEL, NOT_CANONICAL, READ_ONLY};
    if (rnd_one_in(r, 20))
        return (enum place)PICK(r, bad);
    return rnd_one_in(r, 3) ? TIGHT : NORMAL;
}

/* The address for @len bytes; where there is memory, v->mem and v->cap say so. */
static void put(struct round *r, unsigned slot, enum place place, size_t len, struct value *v)
{
    uint8_t *end = slots[slot] + ROOM;
    size_t cut = len > 1 ? 1 + rnd_below(r, len - 1) : 1;
    *v = (struct value){.writable = place <= CUT};
    switch (place) {
    case NORMAL:
        v->mem = slots[slot] + (ROOM - len) / 2 / 16 * 16;
        v->cap = len;
        break;
    case TIGHT:
        v->mem = end - len;
        v->cap = len;
        break;
    case CUT:
        v->mem = end - (len - cut);
        v->cap = len - cut;
        break;
    case READ_ONLY:
        v->mem = read_only[slot];
        v->cap = len < PAGE ? len : PAGE;
        break;
    case AT_GUARD:
        v->raw = (uint64_t)(uintptr_t)end;
        break;
    case NULL_POINTER:
        break;
    case LOW:
        v->raw = 0x1000;
        break;
    case KERNEL:
        v->raw = 0xffff888000000000ull;
        break;
    case NOT_CANONICAL:
        v->raw = 0x0000900000000000ull;
        break;
    }
    if (v->mem != NULL)
        v->raw = (uint64_t)(uintptr_t)v->mem;
    (void)snprintf(v->text, sizeof(v->text), "%s", place_names[place]);
}

void memory_in(struct round *r, unsigned slot, const void *bytes, size_t len, struct value *v)
{
    enum place place = choose(r);
    put(r, slot, place == READ_ONLY ? TIGHT : place, len, v);
    if (v->mem != NULL && v->cap > 0)
        memcpy(v->mem, bytes, v->cap);
    if (place == AT_GUARD || place >= NULL_POINTER)
        return;
    size_t used = strlen(v->text);
    escape(v->text + used, sizeof(v->text) - used, bytes, len);
}

void memory_out(struct round *r, unsigned slot, size_t len, struct value *v)
{
    put(r, slot, choose(r), len, v);
    if (v->writable)
        memset(slots[slot], PATTERN, ROOM);
}

size_t memory_touched(const struct value *v, size_t from)
{
    size_t n = 0;
    for (size_t i = from; v->mem != NULL && i < v->cap; i++)
        n += v->mem[i] != PATTERN;
    /* What lies in front of it in the slot, the kernel has no business with. */
    for (size_t i = 1; v->writable && v->cap > 0 && i <= 64; i++)
        n += v->mem[-(ptrdiff_t)i] != PATTERN;
    return n;
}
