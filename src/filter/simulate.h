/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the room: the two halves of filter_simulate, for tests that compare them with the kernel. */
#ifndef IDW_FILTER_SIMULATE_H
#define IDW_FILTER_SIMULATE_H

#include "filter/filter.h"

/* simulate_valid - would seccomp(2) take @prog? */
bool simulate_valid(const struct sock_fprog *prog);

/* simulate_run - SECCOMP_RET_* with data, as @prog returns it for @data. @prog is valid. */
uint32_t simulate_run(const struct sock_fprog *prog, const struct seccomp_data *data);

#endif
