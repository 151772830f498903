/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pinned arguments: the copies that clauses have judged or assigned, laid out in memory that the target can
 * read and nobody but us can write, for calls that must run in the target. A memfd that we map writable
 * first, then seal (F_SEAL_FUTURE_WRITE); the target maps it shared and read-only, and mseals the mapping
 * (Linux 6.10; before, see alone.h), so that it can't be put aside for another. One area an address space: a
 * vfork child uses its parent's.
 *
 *     struct pin_area *a = pin_area_new(&e);            // memfd, mapped here, sealed
 *     ... inject.h maps pin_area_fd(a) in the target ... pin_area_mapped(a, address);
 *     struct pin p;
 *     pin_arguments(&p, a, &ev, regs, &changed);        // at the entry of the call
 *     ... the call runs with regs; the caller's come back at its exit ...
 *     pin_release(&p);
 *
 * The area is below 4 GiB in the target, so that i386 calls can use it. All functions but pin_area_new are
 * for the tracer's thread alone.
 */
#ifndef IDW_ENGINE_PIN_H
#define IDW_ENGINE_PIN_H

#include "base/err.h"
#include "subject/event.h"

/* Sparse; what is used at one time by all threads of the address space, or less where RLIMIT_FSIZE says so.
 * Memory once used is given back with the area only: the seal forbids holes, too. */
#define PIN_AREA_SIZE (48UL << 20)

#define PIN_NR_MSEAL 462 /* Linux 6.10; the same everywhere */

struct pin_area;

struct pin {
    struct pin_area *area; /* referenced; NULL: nothing pinned */
    size_t offset, size;
};

struct pin_area *pin_area_new(struct err *e); /* NULL: why is in @e */
struct pin_area *pin_area_ref(struct pin_area *a);
void pin_area_unref(struct pin_area *a);                    /* NULL is fine */
int pin_area_fd(const struct pin_area *a);                  /* until it is mapped; the area's */
void pin_area_mapped(struct pin_area *a, uint64_t address); /* closes the descriptor */
uint64_t pin_area_address(const struct pin_area *a);        /* 0: not mapped yet */

/* pin_can_seal - has the kernel mseal(2)? Where it has not, alone.h says when an area is of use. */
bool pin_can_seal(void);

/*
 * pin_area_check - is the whole area mapped at @address of thread @tid, read-only and, if pin_can_seal,
 * sealed, for good? Looks at the mapping itself (/proc/TID/smaps): the target can have put another there
 * before the seal, and its own filter can let mseal(2) succeed without being run. Returns 0, -EPERM (no), or
 * -errno.
 */
int pin_area_check(const struct pin_area *a, pid_t tid, uint64_t address);

/* pin_same_memory - do threads @a and @b share an address space? false where the kernel doesn't tell
 * (kcmp(2)).
 */
bool pin_same_memory(pid_t a, pid_t b);

/* pin_wanted - does @ev hold a copy of an input that its call would have the kernel read again? (Or one that
 * pin_arguments can't do: ask it.) */
bool pin_wanted(const struct idw_event *ev);

/*
 * pin_arguments - lay out every input copy of @ev, what it points to included (vectors, fields of structs),
 * and let the registers in @regs point to them; bits of *@changed say which (OR-ed). A length register
 * follows an assigned length, and that of a buffer of which we have the beginning only (E2BIG): a short
 * write. Behind a buffer whose end is unreadable (EFAULT) the kernel faults, as it would have. An input that
 * clauses have not looked at stays where it is, and so does memory that the kernel writes, too. What the
 * kernel reads beyond what clauses are shown (perf_event_open(2)'s attributes from their 65th byte on) is
 * read here, once. Returns 0, or -errno; then nothing is pinned, and the call must fail with it instead of
 * running: -ENOMEM (no room), -EFAULT (as the kernel would say), -ENOBUFS (MSG_ZEROCOPY, whose buffer must
 * stay beyond the call: what send(2) says when it can't), or -EINVAL (a layout that this can't do).
 */
int pin_arguments(struct pin *p, struct pin_area *a, const struct idw_event *ev, uint64_t regs[6],
                  uint8_t *changed);
void pin_release(struct pin *p);

#endif
