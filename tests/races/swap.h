/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who swaps, and when. All but "none" and "bad" turn to and fro without end, with pauses of random length.
 *
 *     none      nobody: every attempt is harmless
 *     bad       nobody: every attempt is forbidden
 *     thread    another thread
 *     sandbox   the same, all under a Landlock domain, so that nobody else can make the call as it would be
 * here vm        a process in the same address space process   a process that has the page mapped, too
 *     signals   another thread, whose signals make the attempting thread attempt in the handler as well
 *     uffd      whoever reads the page: it is on a userfaultfd(2), dropped a moment after each fault and
 * filled differently at the next. Faults of other processes and of the kernel need CAP_SYS_PTRACE or
 *               vm.unprivileged_userfaultfd
 */
#ifndef SWAP_H
#define SWAP_H

#include "race.h"

struct swapper {
    const char *name;
    void (*start)(const struct attack *a); /* NULL: nothing to do */
    void (*stop)(void);
};

/* swapper_named - or NULL. */
const struct swapper *swapper_named(const char *name);

/* What an attempt in a signal handler came to is the handler's to count. */
extern void (*on_signal)(int signum);

#endif
