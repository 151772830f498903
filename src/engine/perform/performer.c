/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/perform/performer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/log.h"
#include "idlib/walk.h"
#include "subject/proc.h"
#include "subject/reach.h"

enum changed {
    CHANGED_CWD = 1 << 0,
    CHANGED_ROOT = 1 << 1,
    CHANGED_UMASK = 1 << 2,
    CHANGED_GROUPS = 1 << 3,
    CHANGED_GID = 1 << 4,
    CHANGED_UID = 1 << 5,
    CHANGED_CAPS = 1 << 6,
};

struct performer {
    struct identity own;
    unsigned changed;
};

/* Where all workers belong. */
static struct {
    int root, cwd;
    mode_t umask;
    bool known;
} home;
static pthread_once_t home_once = PTHREAD_ONCE_INIT;

/* In the first worker, when none is in a target's place yet. */
static void find_home(void)
{
    struct identity who = {0};
    pid_t tid = (pid_t)syscall(SYS_gettid);
    home.root = reach_link(tid, "root");
    home.cwd = reach_link(tid, "cwd");
    home.known = home.root >= 0 && home.cwd >= 0 && identity_read(tid, &who) == 0;
    home.umask = who.umask;
    identity_clear(&who);
}

static int set_root(int root)
{
    return fchdir(root) < 0 || chroot(".") < 0 ? -errno : 0;
}

/*
 * A thread starts in the place of the one that makes it, and shares it: that may be a worker who is in a
 * target's by now.
 */
static int move_home(void)
{
    (void)pthread_once(&home_once, find_home);
    if (!home.known || unshare(CLONE_FS) < 0)
        return -EPERM;
    (void)umask(home.umask);
    _cleanup_close_ int root = reach_link((pid_t)syscall(SYS_gettid), "root");
    int rc = root < 0 ? root : walk_same(root, home.root) ? 0 : set_root(home.root);
    if (rc == 0 && fchdir(home.cwd) < 0)
        rc = fchdir(proc_root());
    return rc;
}

struct performer *performer_new(void)
{
    struct performer *pf = calloc(1, sizeof *pf);
    if (pf == NULL)
        return NULL;
    if (move_home() < 0 || identity_read((pid_t)syscall(SYS_gettid), &pf->own) < 0) {
        performer_free(pf);
        return NULL;
    }
    return pf;
}

void performer_free(struct performer *pf)
{
    if (pf == NULL)
        return;
    identity_clear(&pf->own);
    free(pf);
}

const struct identity *performer_own(const struct performer *pf)
{
    return &pf->own;
}

/*
 * System calls, not the library's functions: those change all threads. Both ids stay as they are when
 * refused, and the kernel does not say so.
 */
static int set_fsuid(uid_t uid)
{
    (void)syscall(SYS_setfsuid, uid);
    return (uid_t)syscall(SYS_setfsuid, -1) == uid ? 0 : -EPERM;
}

static int set_fsgid(gid_t gid)
{
    (void)syscall(SYS_setfsgid, gid);
    return (gid_t)syscall(SYS_setfsgid, -1) == gid ? 0 : -EPERM;
}

static int set_groups(const struct identity *who)
{
    return syscall(SYS_setgroups, who->n_groups, who->groups) < 0 ? -errno : 0;
}

static int set_effective(const struct performer *pf, uint64_t effective)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
    for (unsigned i = 0; i < ARRAY_SIZE(caps); i++) {
        caps[i].effective = (uint32_t)(effective >> (32 * i));
        caps[i].permitted = (uint32_t)(pf->own.permitted >> (32 * i));
        caps[i].inheritable = (uint32_t)(pf->own.inheritable >> (32 * i));
    }
    return syscall(SYS_capset, &head, caps) < 0 ? -errno : 0;
}

static int change_place(struct performer *pf, const struct identity *who, int root)
{
    int rc = 0;
    pf->changed |= CHANGED_CWD;
    if (!walk_same(root, home.root)) { /* the rights to do so are still our own */
        pf->changed |= CHANGED_ROOT;
        rc = set_root(root);
    }
    if (rc == 0 && fchdir(proc_root()) < 0)
        rc = -errno;
    if (who->umask != pf->own.umask) {
        pf->changed |= CHANGED_UMASK;
        (void)umask(who->umask);
    }
    return rc;
}

static int change_ids(struct performer *pf, const struct identity *who)
{
    int rc = 0;
    if (!identity_same_groups(who, &pf->own)) {
        pf->changed |= CHANGED_GROUPS;
        rc = set_groups(who);
    }
    if (rc == 0 && who->fsgid != pf->own.fsgid) {
        pf->changed |= CHANGED_GID;
        rc = set_fsgid(who->fsgid);
    }
    if (rc == 0 && who->fsuid != pf->own.fsuid) {
        pf->changed |= CHANGED_UID;
        rc = set_fsuid(who->fsuid);
    }
    /* Behind the uid, whose change between 0 and others gives or takes capabilities (capabilities(7)). */
    if (rc == 0 && ((pf->changed & CHANGED_UID) != 0 || who->effective != pf->own.effective)) {
        pf->changed |= CHANGED_CAPS;
        rc = set_effective(pf, who->effective);
    }
    return rc;
}

int performer_become(struct performer *pf, const struct identity *who, int root)
{
    if (!identity_same_domain(who, &pf->own) || (who->effective & ~pf->own.permitted) != 0)
        return -EPERM;
    int rc = change_place(pf, who, root);
    if (rc == 0)
        rc = change_ids(pf, who);
    if (rc < 0)
        performer_return(pf);
    return rc;
}

static int return_ids(const struct performer *pf)
{
    int rc = 0;
    if ((pf->changed & (CHANGED_CAPS | CHANGED_UID)) != 0)
        rc = set_effective(pf, pf->own.effective);
    if (rc == 0 && (pf->changed & CHANGED_UID) != 0)
        rc = set_fsuid(pf->own.fsuid);
    if (rc == 0 && (pf->changed & CHANGED_GID) != 0)
        rc = set_fsgid(pf->own.fsgid);
    if (rc == 0 && (pf->changed & CHANGED_GROUPS) != 0)
        rc = set_groups(&pf->own);
    if (rc == 0 && (pf->changed & CHANGED_UID) != 0)
        rc = set_effective(pf, pf->own.effective);
    return rc;
}

void performer_return(struct performer *pf)
{
    int rc = return_ids(pf);
    if ((pf->changed & CHANGED_UMASK) != 0)
        (void)umask(pf->own.umask);
    if (rc == 0 && (pf->changed & CHANGED_ROOT) != 0)
        rc = set_root(home.root);
    if (rc < 0) {
        log_error("a worker could not give up a target's identity: %s", strerror(-rc));
        abort();
    }
    /* A directory that we may not enter any more: then the worker is in none that matters. */
    if ((pf->changed & CHANGED_CWD) != 0 && fchdir(home.cwd) < 0)
        (void)!fchdir(proc_root());
    pf->changed = 0;
}

void performer_pause(struct performer *pf)
{
    performer_return(pf);
}

void performer_resume(struct performer *pf, const struct identity *who, int root)
{
    int rc = performer_become(pf, who, root);
    if (rc < 0) {
        log_error("a worker could not take on a target's identity again: %s", strerror(-rc));
        abort();
    }
}
