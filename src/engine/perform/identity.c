/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/perform/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/slurp.h"
#include "subject/proc.h"

#define STATUS_MAX (64UL << 10) /* a thread in more groups than fit makes its calls itself */

/* Behind "\nKEY:" in @status; NULL: no such line. Names in it are escaped by the kernel: none can be forged.
 */
static const char *line(const char *status, const char *key)
{
    const char *at = strstr(status, key);
    return at != NULL ? at + strlen(key) : NULL;
}

static bool scan_ids(const char *text, uint32_t *real, uint32_t *fs)
{
    return text != NULL && sscanf(text, "%" SCNu32 " %*u %*u %" SCNu32, real, fs) == 2;
}

static bool scan_number(const char *text, int base, uint64_t *value)
{
    if (text == NULL)
        return false;
    *value = strtoull(text, NULL, base);
    return true;
}

static int scan_groups(const char *text, struct identity *who)
{
    if (text == NULL)
        return -ENODATA;
    size_t room = strcspn(text, "\n") / 2 + 1;
    who->groups = calloc(room, sizeof *who->groups);
    if (who->groups == NULL)
        return -ENOMEM;
    const char *end = text + strcspn(text, "\n");
    for (;;) {
        text += strspn(text, " \t");
        if (text >= end)
            return 0;
        char *next;
        who->groups[who->n_groups++] = (gid_t)strtoul(text, &next, 10);
        if (next == text)
            return -ENODATA;
        text = next;
    }
}

static int read_status(pid_t tid, struct identity *who)
{
    uint64_t umask;
    _cleanup_close_ int fd = proc_open(tid, "status", O_RDONLY);
    if (fd < 0)
        return fd;
    _cleanup_free_ char *text = malloc(STATUS_MAX);
    ssize_t n = text != NULL ? slurp(fd, text, STATUS_MAX) : -ENOMEM;
    if (n < 0)
        return (int)n;
    if (!scan_ids(line(text, "\nUid:"), &who->uid, &who->fsuid) ||
        !scan_ids(line(text, "\nGid:"), &who->gid, &who->fsgid) ||
        !scan_number(line(text, "\nUmask:"), 8, &umask) ||
        !scan_number(line(text, "\nCapInh:"), 16, &who->inheritable) ||
        !scan_number(line(text, "\nCapPrm:"), 16, &who->permitted) ||
        !scan_number(line(text, "\nCapEff:"), 16, &who->effective))
        return -ENODATA;
    who->umask = (mode_t)umask;
    return scan_groups(line(text, "\nGroups:"), who);
}

static int read_userns(pid_t tid, struct identity *who)
{
    struct stat st;
    _cleanup_close_ int dir = proc_open(tid, "ns", O_PATH | O_DIRECTORY);
    if (dir < 0)
        return dir;
    if (fstatat(dir, "user", &st, 0) < 0)
        return -errno;
    who->userns_dev = st.st_dev;
    who->userns = st.st_ino;
    return 0;
}

static int read_label(pid_t tid, struct identity *who)
{
    _cleanup_close_ int fd = proc_open(tid, "attr/current", O_RDONLY);
    if (fd < 0)
        return fd == -ESRCH ? 0 : fd; /* a kernel without security modules has no such file */
    ssize_t n = slurp(fd, who->label, sizeof who->label);
    if (n == -EINVAL) /* none that has labels */
        who->label[0] = '\0';
    return n < 0 && n != -EINVAL ? (int)n : 0;
}

int identity_read(pid_t tid, struct identity *who)
{
    static int (*const parts[])(pid_t, struct identity *) = {read_status, read_userns, read_label};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        int rc = parts[i](tid, who);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void identity_clear(struct identity *who)
{
    free(who->groups);
    *who = (struct identity){0};
}

bool identity_same_domain(const struct identity *a, const struct identity *b)
{
    return a->userns == b->userns && a->userns_dev == b->userns_dev && strcmp(a->label, b->label) == 0;
}

bool identity_same_groups(const struct identity *a, const struct identity *b)
{
    return a->n_groups == b->n_groups &&
           (a->n_groups == 0 || memcmp(a->groups, b->groups, a->n_groups * sizeof *a->groups) == 0);
}
