/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values of arguments as text, for audit records and messages: "O_RDONLY|O_CLOEXEC", "0644", "AT_FDCWD",
 * "SIGTERM".
 */
#ifndef IDW_SYSCALLS_DECODE_H
#define IDW_SYSCALLS_DECODE_H

#include <stddef.h>
#include <stdint.h>
#include "syscalls/table.h"

/*
 * call_decode - scalar @value of argument @a as text into @text (at most @size bytes, always NUL-terminated).
 * @value: the register, or the field, as the target gave it; only the bits that the type has are looked at.
 * Returns the length, or 0 when the value has no symbolic form and is best shown as a number.
 */
size_t call_decode(const struct call_arg *a, uint64_t value, char *text, size_t size);

/* call_scalar - @value cut to @a's width and sign-extended if its type is signed: what the kernel looks at.
 */
int64_t call_scalar(const struct call_arg *a, uint64_t value);

/* decode_sockaddr - see wr_get_addr in <idw/wdl.h>, whose body this is. Returns 0, -EINVAL, -EAFNOSUPPORT. */
int decode_sockaddr(const void *addr, size_t addrlen, char *text, size_t size);

/* decode_errno - "EPERM", or NULL for a number that has no name. */
const char *decode_errno(int errnum);

/* decode_signal - "SIGTERM" into @text; "SIG35" style for real-time ones. Returns @text. */
const char *decode_signal(int signum, char *text, size_t size);

#endif
