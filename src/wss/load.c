/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "wss/layer.h"
#include "wss/match.h"

static int state_check(const struct idw_state_desc *s)
{
    for (uint32_t i = 0; i < s->n_tables; i++) {
        const struct idw_table_desc *t = &s->tables[i];
        if (t->name == NULL || t->handle + sizeof(idw_table) > s->size || t->key_size == 0 ||
            t->key_size > t->row_size)
            return -EINVAL;
    }
    return 0;
}

int layer_check(const struct idw_wrapper *d, const char *from, struct err *e)
{
    if (d->magic != IDW_MAGIC)
        return err_set(e, EINVAL, "%s: not a wrapper", from);
    if (d->abi != IDW_ABI)
        return err_set(
            e, EINVAL,
            "%s: a wrapper of ABI version %u, this idwrun has version %u: compile it again with wrapc", from,
            d->abi, IDW_ABI);
    if (d->table != call_fingerprint())
        return err_set(e, EINVAL,
                       "%s: compiled against another table of system calls: compile it again with wrapc",
                       from);
    if (d->name == NULL || state_check(&d->process) < 0 || state_check(&d->global) < 0)
        return err_set(e, EINVAL, "%s: damaged wrapper: bad state", from);
    for (uint32_t i = 0; i < d->n_clauses; i++) {
        const struct idw_clause *c = &d->clauses[i];
        if (c->body == NULL || c->phase > IDW_POST || !match_check(c))
            return err_set(e, EINVAL, "%s: damaged wrapper: bad clause %u", from, i);
    }
    return 0;
}

/*
 * The object is looked at before its symbols are bound: an object of another ABI version may well need
 * functions that are not here, and the message should say what is wrong, not which symbol is missing.
 */
static void *open_object(const char *path, const struct idw_wrapper **d, struct err *e)
{
    void *object = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (object == NULL) {
        err_set(e, EINVAL, "%s: %s", path, dlerror());
        return NULL;
    }
    *d = dlsym(object, "idw_wrapper");
    int rc = *d != NULL ? layer_check(*d, path, e)
                        : err_set(e, EINVAL, "%s: not a wrapper: it has no symbol idw_wrapper", path);
    /* glibc binds nothing of an object that is open already, so it is closed in between. */
    (void)dlclose(object);
    object = rc == 0 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (object == NULL && rc == 0)
        err_set(e, EINVAL, "%s", dlerror()); /* names the path itself */
    if (object != NULL)
        *d = dlsym(object, "idw_wrapper");
    return object;
}

int wss_load(struct wss *w, const char *spec, struct err *e)
{
    char path[PATH_MAX];
    int rc = locate_wrapper(spec, path, e);
    if (rc < 0)
        return rc;
    const struct idw_wrapper *d;
    void *object = object_check(path, e) == 0 ? open_object(path, &d, e) : NULL;
    if (object == NULL)
        return -EINVAL;
    int slot = wss_add(w, d, e);
    if (slot < 0)
        (void)dlclose(object);
    else
        w->layers[slot].object = object;
    return slot;
}
