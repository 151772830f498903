/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kernels without mseal(2) (Linux 6.10): what is pinned is safe from nobody who can change the address space.
 * So it is pinned only where nobody can while the thread is in its call: no other thread of its process, and
 * no process that shares the memory, but for the one that waits in vfork(2) until this one has left it.
 *
 *     int rc = alone_is(subjects, s, tid, true);    // held at the entry of its call
 *     if (rc == 0 && pin_area_check(area, tid, address) == 0) ... pin, and let it run
 *
 * A thread that is alone stays alone during its call. Who shares memory is noted when a process is made, so
 * each must be seen: those that a tracer does not hear of (CLONE_UNTRACED) are refused, and so is clone3(2),
 * whose flags lie in memory; C libraries use clone(2) then.
 *
 * Where the kernel has mseal(2) nothing here does anything. All functions but the filter's are for the
 * tracer's thread alone.
 */
#ifndef IDW_ENGINE_ALONE_H
#define IDW_ENGINE_ALONE_H

#include "engine/tracer.h"
#include "filter/filter.h"

/* alone_filter - let the calls that are refused be notified. Returns 0, or what filter_add_clause says. */
int alone_filter(struct filter *f, struct err *e);

/* alone_refuses - this call must not run: *@result is what it returns. Any thread may ask. */
bool alone_refuses(const struct call *c, const uint64_t args[6], int64_t *result);

/* alone_born - @maker has made @child, which can't run yet. @waits: in vfork, for it to leave its memory. */
void alone_born(struct subjects *all, const struct tracee *maker, const struct tracee *child, bool waits);

/* alone_orphan - a process that @dead has made without living to tell. */
void alone_orphan(struct subjects *all, const struct subject *dead, struct subject *child);

/* alone_unseen - @s may have made processes that nobody has told us of. */
void alone_unseen(struct subjects *all, struct subject *s);

/* alone_exec - its memory is new. */
void alone_exec(struct subject *s);

/*
 * alone_is - can nobody else change the memory of thread @tid of @s, which is held? @patient: threads that
 * have ended, but are not gone yet, are waited for, a moment. Returns 0 (nobody can); -EPERM; -EAGAIN: such
 * threads are still there, and wait(2) will tell of them if they are traced.
 */
int alone_is(struct subjects *all, struct subject *s, pid_t tid, bool patient);

#endif
