/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that the supervisor makes in the target's place, on its own copy of the arguments, so that what was
 * judged is what the kernel gets. The caller is a worker with the subject's lock released: a call may block.
 *
 *     if (perform_knows(ev.call)) {
 *         struct performed p;
 *         switch (perform(&pf, &ev, &p)) {
 *         case PERFORM_DONE:        p.result (or -errno); p.file, when the call returns a descriptor
 *             event_result(&ev, ...); post clauses; perform_give(&ev) writes what the kernel would have
 * written case PERFORM_IN_TARGET:   can't be done exactly from here, nothing has happened: the target must
 * make it case PERFORM_INTERRUPTED: a signal for the target came first, nothing has happened
 *         }
 *         performed_clear(&p);
 *     }
 *
 * "Exactly" is: with the thread's root, working directory, descriptors, umask, file system ids, groups,
 * effective capabilities and limits, to the same errno and the same effect. What depends on who calls in
 * another way (procfs' self, a controlling terminal, a device, a unix socket's credentials, another user
 * namespace, a Landlock domain) is for the target.
 */
#ifndef IDW_ENGINE_PERFORM_H
#define IDW_ENGINE_PERFORM_H

#include "subject/event.h"

/* One a worker thread: what the thread is at the moment, so that it changes only what differs. */
struct performer;

/* performer_new - for the calling thread, which gets file system attributes of its own (unshare(2),
 * CLONE_FS). NULL: no memory, or not allowed. performer_free - in the same thread. */
struct performer *performer_new(void);
void performer_free(struct performer *pf);

enum performing { PERFORM_DONE, PERFORM_IN_TARGET, PERFORM_INTERRUPTED };

struct performed {
    int64_t result; /* as the kernel returns it: value or -errno. With ->file: 0 */
    int file;       /* the new descriptor, ours; DEAD_FD when the call failed or returns none */
    bool cloexec;   /* the target wants it closed on exec */
};

/* perform_knows - is there a way to perform @c at all? Decides which engine takes it; a constant of the
 * table. */
bool perform_knows(const struct call *c);

/*
 * perform - make @ev's call. Uses ev->regs and the event's copies, assigned ones included, and the objects
 * and descriptors that clauses have looked at (event_object, event_fd), so that what they saw is what is
 * used: a path is looked up again with the target's rights, and the call fails with ESTALE where it leads to
 * another object than clauses saw. Entries (unlink, rename) are compared just ahead of the call. Output
 * arguments land in the event's copies (event_memory in post gives them) until perform_give.
 */
enum performing perform(struct performer *pf, struct idw_event *ev, struct performed *p);

/*
 * perform_give - write the output copies, as the kernel or a post clause left them, to the target's memory.
 * Returns 0, or -EFAULT: not all of it is writable; then the call fails with EFAULT as it would have bare.
 */
int perform_give(struct idw_event *ev);

/*
 * performed_clear - close the descriptor. Put it into the target first, but clear this and the event (which
 * holds copies of the target's descriptors) before the target runs again: a file that we still hold would be
 * busy (ETXTBSY, EBUSY), a pipe not at its end.
 */
void performed_clear(struct performed *p);

#endif
