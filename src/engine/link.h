/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The link between guardian and engine: a socket pair of whole messages, one of which carries the listener.
 */
#ifndef IDW_ENGINE_LINK_H
#define IDW_ENGINE_LINK_H

#include <sys/types.h>
#include "base/err.h"

enum link_kind {
    LINK_FAILED,    /* value: exit status; the target never ran; the engine has said why */
    LINK_LAUNCHED,  /* pid of the main program; with the listener, if there is one */
    LINK_STOPPED,   /* value: the signal that stopped the main program */
    LINK_CONTINUED, /* it runs again */
    LINK_ENDED,     /* value: wait status of the main program; pid: not 0 if it left processes behind */
};

struct link_message {
    enum link_kind kind;
    int value;
    pid_t pid;
};

struct link {
    int fd;         /* own end */
    pid_t guardian; /* for the engine: whom to wake with SIGCONT */
};

/* link_pair - two connected ends, CLOEXEC. Returns 0, or -errno. */
int link_pair(int ends[2], struct err *e);

/* link_send - @fd: a descriptor to send along, or negative. Returns 0, or -errno (the other side may be
 * gone). */
int link_send(struct link *l, struct link_message m, int fd);

/* link_receive - @fd: the descriptor that came along, the caller's, or DEAD_FD. Returns 1, 0 at the end, or
 * -errno. */
int link_receive(struct link *l, struct link_message *m, int *fd);

#endif
