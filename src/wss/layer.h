/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside src/wss: a loaded wrapper. */
#ifndef IDW_WSS_LAYER_H
#define IDW_WSS_LAYER_H

#include <pthread.h>
#include "wss/wss.h"

struct layer {
    const struct idw_wrapper *d;
    void *object; /* dlopen's, or NULL */
    arena_off global;
    pthread_mutex_t global_lock;
};

/* Clauses of one phase that a call can reach, in the order in which they run. */
struct reach {
    struct {
        uint16_t layer;
        uint16_t clause;
    } * at;
    size_t n;
};

struct part;

struct wss {
    struct arena *arena;
    struct audit *audit;
    struct layer layers[SUBJECT_WRAPPERS_MAX];
    size_t n_layers;
    struct reach pre[IDW_SET_CALLS];
    struct reach post[IDW_SET_CALLS];
    struct part *parts; /* of clauses, made for the filter */
};

/* layer_check - is @d a wrapper of this contract, whole and well-formed? Returns 0, or -EINVAL with @from in
 * the text. */
int layer_check(const struct idw_wrapper *d, const char *from, struct err *e);

/*
 * object_check - is the file at @path whole, as far as its ELF headers say what it holds? The dynamic linker
 * maps what they promise and dies of SIGBUS where the file ends before. Returns 0, or -errno.
 */
int object_check(const char *path, struct err *e);

/* locate_wrapper - the shared object for @spec (see wss_load), compiled if need be. @path: PATH_MAX bytes. */
int locate_wrapper(const char *spec, char *path, struct err *e);

#endif
