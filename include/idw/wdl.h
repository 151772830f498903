/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the body of a clause sees: `#include <idw/wdl.h>` at the top of a .wr file.
 *
 * The C library's headers that the names of call arguments come from, and the library of functions for
 * wrappers (Ko et al. 2000, table 1), each seen from the subject that made the call: its root, its working
 * directory, its descriptors. They are called within a clause only; wrapc passes the event along.
 *
 *     struct stat st;
 *     if (wr_stat($path, &st) == 0 && st.st_uid != $invoker)
 *         raise violation("chmod", $path);
 */
#ifndef IDW_WDL_H
#define IDW_WDL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <idw/wrapper.h>

/* Inside a body `ev` is the event; the macros below pass it along so that the calls read as in the paper. */

/*
 * wr_stat - attributes of the object that @path names for the subject.
 * With $path itself (or another path argument of the call), the object is the very one that the call names:
 * relative to the call's directory descriptor, the final symbolic link followed or not as the call does, an
 * empty path with AT_EMPTY_PATH meaning the descriptor. Any other string is resolved as stat(2) in the
 * subject would. In a pre clause, what $path names is found once, and a call that the supervisor makes itself
 * acts on that very object. Returns 0, or -errno. When it is the supervisor that can't look (no descriptor or
 * memory left, no permission to see into the subject), the call is denied besides, whatever the body says.
 */
int idw_wr_stat(struct idw_event *ev, const char *path, struct stat *st);
#define wr_stat(path, st) idw_wr_stat(ev, (path), (st))

/* wr_fstat - attributes of the file open on the subject's descriptor @fd. Returns 0, or -errno; see
 * wr_stat. */
int idw_wr_fstat(struct idw_event *ev, int fd, struct stat *st);
#define wr_fstat(fd, st) idw_wr_fstat(ev, (fd), (st))

/*
 * wr_assign($name, data, len); - the memory argument becomes @len bytes of @data, copied: what `$name = ...`
 * does where the length is known at compile time. wrapc makes it; no function of this name exists.
 */

/* wr_audit - write an audit record with @text. */
void idw_wr_audit(struct idw_event *ev, const char *text);
#define wr_audit(text) idw_wr_audit(ev, (text))

/* wr_audit_printf - the same, formatted. */
void idw_wr_audit_printf(struct idw_event *ev, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define wr_audit_printf(...) idw_wr_audit_printf(ev, __VA_ARGS__)

/*
 * wr_get_addr - a socket address as text: "192.0.2.1:80", "[2001:db8::1]:80", "unix:/run/x",
 * "unix:@abstract", "netlink:PID". @text gets at most @size bytes with the NUL. Returns 0, or -EINVAL (too
 * short for its family), -EAFNOSUPPORT.
 */
int wr_get_addr(const void *addr, size_t addrlen, char *text, size_t size);

/*
 * wr_getpeername, wr_getsockname - address of the peer, or own address, of the subject's socket @fd.
 * @len: bytes in @addr, then of the address, as in getpeername(2). Returns 0, or -errno; see wr_stat.
 */
int idw_wr_getpeername(struct idw_event *ev, int fd, struct sockaddr_storage *addr, socklen_t *len);
#define wr_getpeername(fd, addr, len) idw_wr_getpeername(ev, (fd), (addr), (len))
int idw_wr_getsockname(struct idw_event *ev, int fd, struct sockaddr_storage *addr, socklen_t *len);
#define wr_getsockname(fd, addr, len) idw_wr_getsockname(ev, (fd), (addr), (len))

#endif
