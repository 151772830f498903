/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stands in until src/engine/perform is there: no call can be performed. */
#include "engine/perform/perform.h"

struct performer *performer_new(void)
{
    return NULL;
}
void performer_free(struct performer *pf)
{
    (void)pf;
}
bool perform_knows(const struct call *c)
{
    (void)c;
    return false;
}
enum performing perform(struct performer *pf, struct idw_event *ev, struct performed *p)
{
    (void)pf, (void)ev, (void)p;
    return PERFORM_IN_TARGET;
}
int perform_give(struct idw_event *ev)
{
    (void)ev;
    return 0;
}
void performed_clear(struct performed *p)
{
    (void)p;
}
