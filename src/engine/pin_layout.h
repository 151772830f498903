/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside pin.h: which copies of an event are pinned, where in their block each lies, and what is written
 * there. */
#ifndef IDW_ENGINE_PIN_LAYOUT_H
#define IDW_ENGINE_PIN_LAYOUT_H

#include "subject/event.h"

#define PIN_PAGE 4096UL

struct pin_piece {
    const struct call_arg *arg;
    const struct event_copy *copy;
    uint64_t address; /* in the target, of what the copy was made of */
    size_t size, at;  /* in the block */
    bool to_end; /* the kernel shall fault behind the last byte, as it would have in the target's memory */
};

struct pin_layout {
    struct pin_piece pieces[CALL_ARGS_MAX];
    unsigned n;
    size_t size;
    bool to_end; /* the block lies at the end of the area */
};

/* pin_layout - Returns 0, or pin_arguments' errors. */
int pin_layout(struct pin_layout *l, const struct idw_event *ev);

/*
 * pin_lay - write the pieces to @block, which the target has at @address, and let @regs say where they are.
 * Returns 0, or pin_arguments' errors.
 */
int pin_lay(const struct pin_layout *l, const struct idw_event *ev, char *block, uint64_t address,
            uint64_t regs[6], uint8_t *changed);

#endif
