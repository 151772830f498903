/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the room: i386's readings, which the rest of the tree gets by call_by_nr(). */
#ifndef IDW_SYSCALLS_I386_H
#define IDW_SYSCALLS_I386_H

#include "syscalls/table.h"

const struct call *i386_by_nr(long nr); /* NULL: no such call */
long i386_last_nr(void);

#endif
