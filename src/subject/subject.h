/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Subjects: wrapped processes (thread groups), what is known of them, and their life cycle.
 *
 *     struct subjects *all = subjects_new(arena, &e);
 *     struct subject *s = subjects_add(all, pid, NULL, HAPPENS_LAUNCH, &e);      // the first one
 *     struct subject *c = subjects_add(all, child, s, HAPPENS_FORK, &e);         // state copied
 *     struct subject *s = subjects_get(all, tid, &e);                            // whose thread is tid?
 *     subject_lock(s); ... subject_unlock(s);
 *     subject_unref(s);
 *
 * The records live in the arena; struct subject is this engine's handle on one. Each function is safe for
 * many threads. Each returned subject is referenced: the caller gives it back with subject_unref.
 */
#ifndef IDW_SUBJECT_SUBJECT_H
#define IDW_SUBJECT_SUBJECT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include <uthash.h>
#include "base/err.h"
#include "idw/wrapper.h"
#include "subject/arena.h"
#include "subject/lifecycle.h"

#define SUBJECT_WRAPPERS_MAX 64 /* wrappers loaded at one time */
#define SUBJECT_EXE_MAX 1024

/* In the arena; fixed layout, no pointers. */
struct subject_record {
    arena_off next, previous; /* list of all records */
    pid_t pid;
    pid_t ppid;
    uint64_t start_time; /* field 22 of /proc/PID/stat: with the pid, a name that is never used twice */
    uint32_t life;       /* enum life; written by subject_happens() alone */
    uid_t invoker;       /* real uid at the start of the execution */
    uint32_t execs;
    char exe[SUBJECT_EXE_MAX];             /* the executable as the kernel names it, cut when longer */
    arena_off state[SUBJECT_WRAPPERS_MAX]; /* process {} of each wrapper, by its slot */
};

struct subject {
    struct subject_record *record;
    /* Of the thread group leader; readable when the subject is dead. DEAD_FD: descriptors are scarce, and
     * its death is told by the engine, if that traces it, or found by subjects_sweep. */
    int pidfd;
    pthread_mutex_t lock;
    atomic_int references;
    /* Of its address space, for the engine that set it: given back by memory_drop with the subject's end. */
    void *memory;
    void (*memory_drop)(void *memory);
    atomic_bool sandboxed; /* in a Landlock domain, which is none of ours: it and its children make their
                              calls themselves */
    atomic_uint waiting;   /* calls of it that workers are at, which may wait for it */
    atomic_bool warned;    /* the user has been told, once, that calls of it are refused */
    /* The tracer's, see engine/alone.h: others may change its address space; the process that waits in vfork
     * for it to leave theirs, or 0; and the one that it has waited for. */
    bool shares;
    pid_t lender, borrower;
    atomic_bool unseen; /* made behind the tracer's back (CLONE_UNTRACED): its execs are noticed late */
    UT_hash_handle hh;  /* by record->pid, while it is in the table */
};

struct subjects;

/* subjects_new - an empty process table over @a, which must outlive it. */
struct subjects *subjects_new(struct arena *a, struct err *e);
void subjects_free(struct subjects *all);

/*
 * subjects_states - from now on, subjects carry process state for the wrapper in @slot. Before the first
 * subject.
 * @d must outlive @all.
 */
void subjects_states(struct subjects *all, unsigned slot, const struct idw_state_desc *d);

/*
 * subjects_add - a process that has just come to be, while it can't run.
 * @parent: whose wrapper state it gets a copy of; NULL: fresh state
 * @how: HAPPENS_LAUNCH or HAPPENS_FORK
 * Returns it, or NULL: process gone (ESRCH), arena full (ENOMEM).
 */
struct subject *subjects_add(struct subjects *all, pid_t pid, struct subject *parent, enum happening how,
                             struct err *e);

/*
 * subjects_get - the subject whose thread @tid is. A process that is not known yet (a child that was made
 * unseen) is added, as a child of its nearest known ancestor. A thread id or pid that the kernel has given to
 * somebody else since is noticed. NULL: no such thread any more (ESRCH); or no ancestor is known whose state
 * it could have (EPERM).
 */
struct subject *subjects_get(struct subjects *all, pid_t tid, struct err *e);

/*
 * subjects_thread - thread @tid belongs to @s from now on; subjects_thread_gone - and no longer. For engines
 * that see threads come and go; the others' threads are found by asking the kernel.
 */
int subjects_thread(struct subjects *all, pid_t tid, struct subject *s);
void subjects_thread_gone(struct subjects *all, pid_t tid);

/* subjects_find - the subject with this pid if it is known already; NULL otherwise. */
struct subject *subjects_find(struct subjects *all, pid_t pid);

/* subject_tgid - thread group of thread @tid, from the kernel. Returns it, -ESRCH, or -errno. */
pid_t subject_tgid(pid_t tid);

/*
 * subject_happens - the one place that moves a subject through its life. EXEC reads exe and invoker afresh;
 * EXIT takes it out of the table (the record is freed with the last reference). Returns 0, or -EINVAL if it
 * can't happen now.
 */
int subject_happens(struct subjects *all, struct subject *s, enum happening h);
enum life subject_life(const struct subject *s);

/* Events of one subject are handled one at a time. */
void subject_lock(struct subject *s);
void subject_unlock(struct subject *s);
void subject_unref(struct subjects *all, struct subject *s);
struct subject *subject_ref(struct subject *s);

/* subject_forget_memory - an exec has replaced its address space. */
void subject_forget_memory(struct subject *s);

/* subject_kill - SIGKILL, to this very process, never to another that has its pid now. Returns 0, or -errno.
 */
int subject_kill(struct subject *s);

size_t subjects_count(struct subjects *all);

/*
 * subjects_exits_fd - readable while subjects_reap has work: a subject whose exit no engine has told of.
 * Owned by @all. Returns how many subjects it found dead.
 */
int subjects_exits_fd(const struct subjects *all);
int subjects_reap(struct subjects *all);

/* subjects_sweep - now and then: what dies without a word, threads that are not traced and processes without
 * a pidfd. */
void subjects_sweep(struct subjects *all);

#endif
