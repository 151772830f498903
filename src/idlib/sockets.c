/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wr_getpeername, wr_getsockname, wr_get_addr. */
#include "idw/wdl.h"

#include "base/cleanup.h"
#include "idlib/ours.h"
#include "idlib/theirs.h"
#include "subject/event.h"
#include "subject/reach.h"
#include "syscalls/decode.h"

typedef int name_call(int fd, struct sockaddr *addr, socklen_t *len);

static int name_of(struct idw_event *ev, int fd, struct sockaddr_storage *addr, socklen_t *len,
                   name_call *call)
{
    const struct call_arg *a = theirs_argument(ev, fd);
    _cleanup_close_ int own = a == NULL ? ours_look(ev, reach_fd(ev->tid, fd)) : DEAD_FD;
    int copy = a == NULL ? own : ours_look(ev, event_fd(ev, a));
    if (copy < 0)
        return copy;
    return call(copy, (struct sockaddr *)addr, len) < 0 ? -errno : 0;
}

int idw_wr_getpeername(struct idw_event *ev, int fd, struct sockaddr_storage *addr, socklen_t *len)
{
    return name_of(ev, fd, addr, len, getpeername);
}

int idw_wr_getsockname(struct idw_event *ev, int fd, struct sockaddr_storage *addr, socklen_t *len)
{
    return name_of(ev, fd, addr, len, getsockname);
}

int wr_get_addr(const void *addr, size_t addrlen, char *text, size_t size)
{
    return decode_sockaddr(addr, addrlen, text, size);
}
