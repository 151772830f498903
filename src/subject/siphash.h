/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SipHash-1-3 (Aumasson and Bernstein 2012), the keyed hash for tables whose keys a target chooses: without
 * the key nobody can make them collide. glibc has none, and a library for one function of this size isn't
 * worth a dependency.
 */
#ifndef IDW_SUBJECT_SIPHASH_H
#define IDW_SUBJECT_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash(const uint64_t key[2], const void *data, size_t size);

#endif
