/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/own_names.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/slurp.h"
#include "subject/proc.h"
#include "subject/reach.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

/* What stands behind @key ("\nUid:") up to its end of line; NULL: no such line. */
static const char *value_of(const char *text, const char *key)
{
    const char *line = strstr(text, key);
    return line != NULL ? line + strlen(key) : NULL;
}

static unsigned count_words(const char *line)
{
    unsigned n = 0;
    for (line += strspn(line, " \t"); *line != '\n' && *line != '\0'; line += strspn(line, " \t")) {
        line += strcspn(line, " \t\n");
        n++;
    }
    return n;
}

int own_who(pid_t tid, struct own_who *who)
{
    char text[4096];
    _cleanup_close_ int fd = proc_open(tid, "status", O_RDONLY);
    ssize_t rc = fd < 0 ? fd : slurp(fd, text, sizeof text);
    if (rc < 0 && rc != -EFBIG) /* its groups come late */
        return (int)rc;
    const char *tgid = value_of(text, "\nTgid:"), *uid = value_of(text, "\nUid:");
    const char *caps = value_of(text, "\nCapEff:"), *ids = value_of(text, "\nNSpid:");
    if (tgid == NULL || uid == NULL || caps == NULL || sscanf(tgid, "%d", &who->tgid) != 1 ||
        sscanf(uid, "%u %u %u", &who->uid, &who->euid, &who->suid) != 3 ||
        sscanf(caps, "%" SCNx64, &who->caps) != 1)
        return -ESRCH;
    who->depth = ids != NULL ? count_words(ids) : 1; /* a kernel without pid namespaces */
    return 0;
}

/* Its namespace is ours or one below, and of those the depth tells. */
bool own_same_numbers(pid_t tid)
{
    struct own_who theirs, ours;
    return own_who(tid, &theirs) < 0 || own_who(getpid(), &ours) < 0 || theirs.depth == ours.depth;
}

/* Returns 0, or -errno. */
static int comm_of(pid_t pid, char *text, size_t size)
{
    _cleanup_close_ int fd = proc_open(pid, "comm", O_RDONLY);
    ssize_t rc = fd < 0 ? fd : slurp(fd, text, size);
    return rc < 0 ? (int)rc : 0;
}

/*
 * The guardian's canary comes anew with each signal. It is a child of the guardian with the guardian's name;
 * others may be children of what has become the guardian by an exec.
 */
static bool is_canary(pid_t guardian, pid_t id)
{
    struct proc_stat stat;
    char name[64], guardians[64];
    return proc_stat(id, &stat) == 0 && stat.ppid == guardian && comm_of(id, name, sizeof name) == 0 &&
           comm_of(guardian, guardians, sizeof guardians) == 0 && strcmp(name, guardians) == 0;
}

bool own_is_task(const struct engine *en, pid_t id)
{
    pid_t guardian = en->guardian->guardian;
    if (id <= 0)
        return false;
    return id == guardian || id == getpid() || syscall(SYS_tgkill, getpid(), id, 0) == 0 ||
           (guardian > 0 && is_canary(guardian, id));
}

bool own_is_group(const struct engine *en, pid_t pgid)
{
    return pgid > 0 && pgid == getpgrp() && pgid != getpgid(en->guardian->guardian);
}

/* The number behind @key in a file; 0: there is none. */
static pid_t number_in(int dir, const char *name, const char *key)
{
    char text[4096];
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    int pid = 0;
    ssize_t rc = fd < 0 ? fd : slurp(fd, text, sizeof text);
    if (rc < 0 && rc != -EFBIG)
        return 0;
    const char *value = value_of(text, key);
    return value != NULL && sscanf(value, "%d", &pid) == 1 ? pid : 0;
}

/* Asked without waking the server of a FUSE folder, which may be the target. */
static bool is_in_proc(int file)
{
    struct statx its, proc;
    return statx(file, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &its) == 0 &&
           statx(proc_root(), "", AT_EMPTY_PATH, STATX_TYPE, &proc) == 0 && S_ISDIR(its.stx_mode) &&
           its.stx_dev_major == proc.stx_dev_major && its.stx_dev_minor == proc.stx_dev_minor;
}

int own_is_pidfd(const struct engine *en, pid_t tid, int fd)
{
    char name[32];
    _cleanup_close_ int file = reach_fd(tid, fd);
    if (file < 0)
        return file == -EBADF || file == -ESRCH ? 0 : file;
    (void)snprintf(name, sizeof name, "fdinfo/%d", file);
    _cleanup_close_ int self = proc_open(getpid(), "", O_PATH | O_DIRECTORY);
    if (self < 0)
        return self;
    pid_t pid = number_in(self, name, "\nPid:");
    /* pidfd_send_signal(2) takes a folder of /proc as well. */
    if (pid == 0 && is_in_proc(file))
        pid = number_in(file, "status", "\nPid:");
    return own_is_task(en, pid);
}
