/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a target's thread holds, in our hands: its root, its working directory, its open files. */
#ifndef IDW_SUBJECT_REACH_H
#define IDW_SUBJECT_REACH_H

#include <sys/types.h>

/*
 * reach_link - an O_PATH descriptor of what a magic link of the thread leads to, "root", "cwd" or "fd/N". The
 * caller's. Returns -errno: -EBADF for a descriptor that is not open, -ESRCH for a thread that is gone; any
 * other is a failure of ours.
 */
int reach_link(pid_t tid, const char *link);

/*
 * reach_fd - the thread's descriptor @fd, the open file itself: pidfd_getfd(2), needs ptrace access. The
 * caller's. Returns -errno as reach_link.
 */
int reach_fd(pid_t tid, int fd);

#endif
