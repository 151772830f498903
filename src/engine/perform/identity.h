/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who a thread is to the file system: what its calls' permissions and effects depend on, as /proc tells it.
 *
 *     struct identity who = {0};
 *     int rc = identity_read(tid, &who);
 *     ...
 *     identity_clear(&who);
 */
#ifndef IDW_ENGINE_PERFORM_IDENTITY_H
#define IDW_ENGINE_PERFORM_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define IDENTITY_LABEL_MAX 512

struct identity {
    uid_t uid, fsuid; /* real, file system */
    gid_t gid, fsgid;
    gid_t *groups; /* as the kernel orders them */
    size_t n_groups;
    uint64_t inheritable, permitted, effective; /* capabilities */
    mode_t umask;
    dev_t userns_dev;
    ino_t userns;
    char label[IDENTITY_LABEL_MAX]; /* of a security module; "" without one */
};

/* identity_read - of thread @tid, now. Returns 0; -ESRCH; or -errno, when not all of it can be known. */
int identity_read(pid_t tid, struct identity *who);
void identity_clear(struct identity *who);

/* identity_same_domain - do ids, capabilities and labels mean the same for both? */
bool identity_same_domain(const struct identity *a, const struct identity *b);
bool identity_same_groups(const struct identity *a, const struct identity *b);

#endif
