/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/lifecycle.h"

#include <stddef.h>

/* LIFE_NONE: can't happen. An exec of a killed subject was under way already and changes nothing. */
static const enum life after[LIFE_COUNT][HAPPENS_COUNT] = {
    [LIFE_NONE] =
        {
            [HAPPENS_LAUNCH] = LIFE_LAUNCHING,
            [HAPPENS_FORK] = LIFE_RUNNING,
            [HAPPENS_EXEC] = LIFE_NONE,
            [HAPPENS_KILL] = LIFE_NONE,
            [HAPPENS_EXIT] = LIFE_NONE,
        },
    [LIFE_LAUNCHING] =
        {
            [HAPPENS_LAUNCH] = LIFE_NONE,
            [HAPPENS_FORK] = LIFE_NONE,
            [HAPPENS_EXEC] = LIFE_RUNNING,
            [HAPPENS_KILL] = LIFE_ENDING,
            [HAPPENS_EXIT] = LIFE_DEAD,
        },
    [LIFE_RUNNING] =
        {
            [HAPPENS_LAUNCH] = LIFE_NONE,
            [HAPPENS_FORK] = LIFE_NONE,
            [HAPPENS_EXEC] = LIFE_RUNNING,
            [HAPPENS_KILL] = LIFE_ENDING,
            [HAPPENS_EXIT] = LIFE_DEAD,
        },
    [LIFE_ENDING] =
        {
            [HAPPENS_LAUNCH] = LIFE_NONE,
            [HAPPENS_FORK] = LIFE_NONE,
            [HAPPENS_EXEC] = LIFE_ENDING,
            [HAPPENS_KILL] = LIFE_ENDING,
            [HAPPENS_EXIT] = LIFE_DEAD,
        },
    [LIFE_DEAD] =
        {
            [HAPPENS_LAUNCH] = LIFE_NONE,
            [HAPPENS_FORK] = LIFE_NONE,
            [HAPPENS_EXEC] = LIFE_NONE,
            [HAPPENS_KILL] = LIFE_DEAD,
            [HAPPENS_EXIT] = LIFE_DEAD,
        },
};

enum life life_after(enum life l, enum happening h)
{
    if ((unsigned)l >= LIFE_COUNT || (unsigned)h >= HAPPENS_COUNT)
        return LIFE_NONE;
    return after[l][h];
}

const char *life_text(enum life l)
{
    static const char *const text[LIFE_COUNT] = {
        [LIFE_NONE] = "none",     [LIFE_LAUNCHING] = "launching", [LIFE_RUNNING] = "running",
        [LIFE_ENDING] = "ending", [LIFE_DEAD] = "dead",
    };
    return (unsigned)l < LIFE_COUNT ? text[l] : NULL;
}
