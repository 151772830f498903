/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The journal: which notifications have been received and not answered yet, in the arena, so that whoever
 * holds the listener after an engine's death can answer them by id (seccomp_unotify(2): SEND needs the id
 * alone).
 *
 *     struct journal_entry *j = journal_enter(journal, worker, req);
 *     ... handle and SEND ...
 *     journal_leave(j);
 */
#ifndef IDW_ENGINE_JOURNAL_H
#define IDW_ENGINE_JOURNAL_H

#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdint.h>
#include "subject/arena.h"

#define JOURNAL_SLOTS 64 /* one a worker, for the first of them */

struct journal_entry {
    atomic_uint open; /* 1 from RECV to SEND */
    uint32_t tid;
    uint64_t id;
    struct seccomp_data data;
};

struct journal {
    struct journal_entry slots[JOURNAL_SLOTS];
};

/* journal_open - the arena's journal, made if it has none. NULL: arena full. */
struct journal *journal_open(struct arena *a);

/* journal_enter - NULL: there are more workers than slots; journal_leave takes it. */
struct journal_entry *journal_enter(struct journal *j, unsigned slot, const struct seccomp_notif *req);
void journal_leave(struct journal_entry *entry);

#endif
