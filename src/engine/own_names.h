/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the protection of the supervisor: which numbers and descriptors mean one of its processes. */
#ifndef IDW_ENGINE_OWN_NAMES_H
#define IDW_ENGINE_OWN_NAMES_H

#include "engine/engine.h"

/* What a process's status file says of its identity; see proc(5). */
struct own_who {
    pid_t tgid;
    unsigned depth; /* of its pid namespace, counted from the one that our /proc shows */
    uid_t uid, euid, suid;
    uint64_t caps; /* effective */
};

/* own_who - of thread @tid. Returns 0, or -errno. */
int own_who(pid_t tid, struct own_who *who);

/* own_same_numbers - do numbers of processes mean to @tid what they mean to us? In doubt they do. */
bool own_same_numbers(pid_t tid);

/* own_is_task - is @id, as we number them, a process or thread of ours? own_is_group - is @pgid a process
 * group in which only ours are? */
bool own_is_task(const struct engine *en, pid_t id);
bool own_is_group(const struct engine *en, pid_t pgid);

/*
 * own_is_pidfd - does descriptor @fd of @tid, a pidfd or a folder of /proc, mean one of ours?
 * Returns 1, 0, or -errno: it can't be looked at. What is no descriptor at all is 0.
 */
int own_is_pidfd(const struct engine *en, pid_t tid, int fd);

#endif
