/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/own_act.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "engine/own_names.h"
#include "subject/memory.h"
#include "subject/proc.h"
#include "subject/reach.h"

static atomic_bool domains; /* some target may be in a Landlock domain that we are not in */

void own_note_domain(void)
{
    atomic_store(&domains, true);
}

struct owner {
    int id;               /* FIOSETOWN, SIOCSPGRP: negative is a group */
    struct f_owner_ex ex; /* the same for all */
};

/* Returns 0, or -errno. */
static int read_owner(pid_t tid, const struct own_owner_call *c, struct owner *o)
{
    bool ex = c->request == F_SETOWN_EX;
    ssize_t n = ex ? memory_read(tid, c->address, &o->ex, sizeof o->ex)
                   : memory_read(tid, c->address, &o->id, sizeof o->id);
    if (n < 0)
        return (int)n;
    if (!ex && o->id == INT32_MIN)
        return -EINVAL; /* f_setown() */
    if (!ex)
        o->ex = (struct f_owner_ex){.type = o->id < 0 ? F_OWNER_PGRP : F_OWNER_PID, .pid = abs(o->id)};
    return 0;
}

static bool is_ours(const struct engine *en, const struct owner *o)
{
    return o->ex.type == F_OWNER_PGRP ? own_is_group(en, o->ex.pid) : own_is_task(en, o->ex.pid);
}

bool own_owner_is(const struct engine *en, pid_t tid, const struct own_owner_call *c)
{
    struct owner o;
    return read_owner(tid, c, &o) == 0 && is_ours(en, &o);
}

/* The ioctls are those of sockets; elsewhere their numbers mean nothing. */
static int make_owner(int file, unsigned request, struct owner *o)
{
    struct stat st;
    if (request == F_SETOWN_EX)
        return fcntl(file, F_SETOWN_EX, &o->ex) < 0 ? -errno : 0;
    if (fstat(file, &st) < 0 || !S_ISSOCK(st.st_mode))
        return -ENOTTY;
    return ioctl(file, request, &o->id) < 0 ? -errno : 0;
}

/*
 * The owner's rights are those of whoever sets it. Where ours are others we leave it to the kernel: then what
 * the caller may do to us is what any user may do to another.
 */
bool own_owner_set(const struct engine *en, pid_t tid, const struct own_owner_call *c, int64_t *result)
{
    struct own_who who;
    struct owner owner = {0};
    if (atomic_load(&domains) || own_who(tid, &who) < 0 || who.uid != getuid() || who.euid != geteuid())
        return false;
    _cleanup_close_ int file = reach_fd(tid, c->fd);
    int rc = file < 0 ? file : read_owner(tid, c, &owner);
    if (rc == 0 && is_ours(en, &owner))
        rc = -ESRCH;
    *result = rc == 0 ? make_owner(file, c->request, &owner) : rc;
    return true;
}

struct broadcast {
    const struct engine *en;
    struct own_who caller;
    pid_t session;
    bool may_all; /* CAP_KILL, in our user namespace */
    siginfo_t info;
    unsigned found; /* processes that kill would have counted */
    unsigned new;   /* of these, signalled in this round */
    int error;      /* the last one but EPERM */
    pid_t *done;    /* those that have got it */
    size_t n_done;
};

/* Capabilities count in the caller's user namespace only; one that we can't see is not ours. */
static bool in_our_user_namespace(pid_t tid)
{
    struct stat theirs, ours;
    _cleanup_close_ int their_dir = proc_open(tid, "", O_PATH | O_DIRECTORY);
    _cleanup_close_ int our_dir = proc_open(getpid(), "", O_PATH | O_DIRECTORY);
    return their_dir >= 0 && our_dir >= 0 && fstatat(their_dir, "ns/user", &theirs, 0) == 0 &&
           fstatat(our_dir, "ns/user", &ours, 0) == 0 && theirs.st_ino == ours.st_ino &&
           theirs.st_dev == ours.st_dev;
}

/* kill_ok_by_cred() and check_kill_permission() of kernel/signal.c */
static bool may_signal(const struct broadcast *b, pid_t pid, const struct own_who *to)
{
    const struct own_who *by = &b->caller;
    return b->may_all || by->euid == to->suid || by->euid == to->uid || by->uid == to->suid ||
           by->uid == to->uid || (b->info.si_signo == SIGCONT && getsid(pid) == b->session);
}

static bool has_it(const struct broadcast *b, pid_t pid)
{
    for (size_t i = 0; i < b->n_done; i++)
        if (b->done[i] == pid)
            return true;
    return false;
}

static void note_done(struct broadcast *b, pid_t pid)
{
    pid_t *done = reallocarray(b->done, b->n_done + 1, sizeof *done);
    if (done == NULL) {
        b->error = ENOMEM;
        return;
    }
    b->done = done;
    b->done[b->n_done++] = pid;
    b->new ++;
}

static void signal_one(struct broadcast *b, pid_t pid)
{
    struct own_who to;
    if (pid == b->caller.tgid || own_is_task(b->en, pid) || has_it(b, pid))
        return;
    _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0 || own_who(pid, &to) < 0)
        return;
    b->found++;
    if (!may_signal(b, pid, &to))
        return;
    if (syscall(SYS_pidfd_send_signal, pidfd, b->info.si_signo, &b->info, 0) == 0)
        note_done(b, pid);
    else if (errno != EPERM && errno != ESRCH)
        b->error = errno;
}

/* Every process of /proc but the first. Returns 0, or -errno. */
static int signal_all(struct broadcast *b)
{
    _cleanup_close_ int fd = openat(proc_root(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *all = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    if (all == NULL)
        return -errno;
    (void)move_fd(&fd);
    while ((entry = readdir(all)) != NULL) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid > 1)
            signal_one(b, (pid_t)pid);
    }
    return 0;
}

bool own_broadcast(const struct engine *en, pid_t tid, int sig, int64_t *result)
{
    struct broadcast b = {.en = en, .session = getsid(tid)};
    int rc = own_who(tid, &b.caller);
    if (sig < 0 || sig > SIGRTMAX)
        return false;
    if (rc == 0 && atomic_load(&domains))
        rc = -EPERM;
    b.may_all = rc == 0 && (b.caller.caps >> CAP_KILL & 1) != 0 && in_our_user_namespace(tid);
    b.info.si_signo = sig;
    b.info.si_code = SI_QUEUE;
    b.info.si_pid = b.caller.tgid;
    b.info.si_uid = b.caller.uid;
    /* The kernel holds its lock on all processes; we come again for children that slipped in between. */
    for (unsigned round = 0; rc == 0 && round < 16 && (round == 0 || b.new > 0); round++) {
        b.new = 0;
        rc = signal_all(&b);
    }
    if (rc == 0)
        rc = b.found == 0 ? -ESRCH : -b.error;
    free(b.done);
    *result = rc;
    return true;
}
