/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The three standard descriptors and the inherited others, which belong to the target: a supervisor that
 * keeps a copy of a pipe's end open can be told by whoever waits for the end of file.
 */
#ifndef IDW_BASE_DESCRIPTORS_H
#define IDW_BASE_DESCRIPTORS_H

#include <stdbool.h>

/*
 * stdio_reserve - occupy those of 0, 1 and 2 that are closed with a CLOEXEC /dev/null, so that no descriptor
 * of ours lands there; the target still finds them closed. First thing in main. Returns 0, or -errno.
 */
int stdio_reserve(void);

/* stdio_was_closed - was @fd (0, 1, 2) closed before stdio_reserve? What is written there goes nowhere. */
bool stdio_was_closed(int fd);

/* stdio_release - give up our copy of @fd, which becomes /dev/null. */
void stdio_release(int fd);

/*
 * inherited_note - remember which descriptors from 3 on are open now and go to the target.
 * inherited_release - close our copies of them.
 */
void inherited_note(void);
void inherited_release(void);

#endif
