/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a subject: a total table of state x happening. */
#ifndef IDW_SUBJECT_LIFECYCLE_H
#define IDW_SUBJECT_LIFECYCLE_H

enum life {
    LIFE_NONE,      /* a record before its first happening */
    LIFE_LAUNCHING, /* our own code between fork and the first successful execve: no clause sees it */
    LIFE_RUNNING,
    LIFE_ENDING, /* killed by a verdict, or in exit_group: no call of it may succeed any more */
    LIFE_DEAD,   /* reaped; the record goes when nobody holds it */
    LIFE_COUNT,
};

enum happening {
    HAPPENS_LAUNCH, /* forked by us */
    HAPPENS_FORK,   /* forked by a subject, or first seen */
    HAPPENS_EXEC,
    HAPPENS_KILL, /* a verdict */
    HAPPENS_EXIT,
    HAPPENS_COUNT,
};

/* life_after - the state that follows, or LIFE_NONE where @h can't happen in @l (the caller's mistake). */
enum life life_after(enum life l, enum happening h);

const char *life_text(enum life l);

#endif
