/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside the room: the two ways from a plan to a program. filter_build takes libseccomp where the plan fits
 * its model, and our own assembler where it doesn't; tests ask for one of them and compare.
 */
#ifndef IDW_FILTER_BACKEND_H
#define IDW_FILTER_BACKEND_H

#include "filter/filter.h"
#include "filter/plan.h"

enum filter_backend { FILTER_BACKEND_ANY, FILTER_BACKEND_LIBSECCOMP, FILTER_BACKEND_BPF };

/*
 * filter_build_with - filter_build with the back end @want for x86-64's calls, and without place.h.
 * @widened: may be NULL; how many different decisions lost their tests of arguments to fit in BPF_MAXINSNS
 * Returns filter_build's errors, or -ENOTSUP: libseccomp was asked for and cannot express this (or failed).
 */
int filter_build_with(const struct filter *f, enum filter_backend want, struct sock_fprog *prog,
                      unsigned *widened, struct err *e);

/*
 * backend_libseccomp - the program for @p, built by libseccomp. @prog->filter is the caller's, free().
 * Returns 0, -ENOTSUP (does not fit its model or @room, not x86-64's, or libseccomp refused it), -ENOMEM.
 */
int backend_libseccomp(const struct plan *p, uint32_t room, struct sock_fprog *prog, struct err *e);

/* backend_bpf - the same by our own means, always possible. Widens @p where it must to fit in @room
 * instructions. Returns 0, -ENOMEM, -E2BIG. */
int backend_bpf(struct plan *p, uint32_t room, struct sock_fprog *prog, unsigned *widened, struct err *e);

#endif
