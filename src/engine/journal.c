/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/journal.h"

struct journal *journal_open(struct arena *a)
{
    arena_off *root = arena_root(a, ARENA_ROOT_JOURNAL);
    if (*root == 0)
        *root = arena_alloc(a, sizeof(struct journal));
    return arena_ptr(a, *root);
}

struct journal_entry *journal_enter(struct journal *j, unsigned slot, const struct seccomp_notif *req)
{
    if (slot >= JOURNAL_SLOTS)
        return NULL;
    struct journal_entry *entry = &j->slots[slot];
    entry->tid = req->pid;
    entry->id = req->id;
    entry->data = req->data;
    atomic_store_explicit(&entry->open, 1, memory_order_release);
    return entry;
}

void journal_leave(struct journal_entry *entry)
{
    if (entry != NULL)
        atomic_store_explicit(&entry->open, 0, memory_order_release);
}
