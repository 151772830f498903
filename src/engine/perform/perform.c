/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which calls can be performed, and how one is. */
#include "engine/perform/perform.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "base/cleanup.h"
#include "engine/perform/job.h"

#define LINK_OR_EMPTY (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)
#define STAT_FLAGS (LINK_OR_EMPTY | AT_NO_AUTOMOUNT)

static const struct handler handlers[] = {
    {"open", do_open, .check = check_open},
    {"creat", do_open, .check = check_open},
    {"openat", do_open, .check = check_open},
    {"openat2", do_open, .check = check_open},

    {"stat", substitute},
    {"lstat", substitute, SYS_stat},
    {"fstat", substitute},
    {"newfstatat", substitute, .at_flags = STAT_FLAGS | AT_STATX_SYNC_TYPE},
    {"statx", substitute, .at_flags = STAT_FLAGS | AT_STATX_SYNC_TYPE, .odd = odd_statx},
    {"statfs", substitute},
    {"fstatfs", substitute},
    {"access", do_access, .odd = odd_access, .check = check_access},
    {"faccessat", do_access, .odd = odd_access, .check = check_access},
    {"faccessat2", do_access, .at_flags = LINK_OR_EMPTY | AT_EACCESS, .odd = odd_access,
     .check = check_access},
    {"readlink", do_readlink, .odd = odd_readlink},
    {"readlinkat", do_readlink, .odd = odd_readlink},

    {"chmod", substitute},
    {"fchmod", substitute},
    {"fchmodat", substitute},
    {"fchmodat2", substitute, .at_flags = LINK_OR_EMPTY},
    {"chown", substitute},
    {"lchown", substitute, SYS_chown},
    {"fchown", substitute},
    {"fchownat", substitute, .at_flags = LINK_OR_EMPTY},
    {"truncate", substitute, .odd = odd_truncate, .check = check_truncate},
    {"ftruncate", substitute, .odd = odd_truncate, .check = check_truncate},
    {"utime", substitute, .odd = odd_times},
    {"utimes", substitute, .odd = odd_times},
    {"futimesat", substitute, .odd = odd_times},
    {"utimensat", substitute, .at_flags = LINK_OR_EMPTY, .odd = odd_times},

    {"setxattr", substitute, .odd = odd_xattr},
    {"lsetxattr", substitute, SYS_setxattr, .odd = odd_xattr},
    {"fsetxattr", substitute, .odd = odd_xattr},
    {"getxattr", substitute, .odd = odd_xattr},
    {"lgetxattr", substitute, SYS_getxattr, .odd = odd_xattr},
    {"fgetxattr", substitute, .odd = odd_xattr},
    {"listxattr", substitute, .odd = odd_xattr},
    {"llistxattr", substitute, SYS_listxattr, .odd = odd_xattr},
    {"flistxattr", substitute, .odd = odd_xattr},
    {"listxattrat", substitute, .at_flags = LINK_OR_EMPTY, .odd = odd_xattr},
    {"removexattr", substitute, .odd = odd_xattr},
    {"lremovexattr", substitute, SYS_removexattr, .odd = odd_xattr},
    {"fremovexattr", substitute, .odd = odd_xattr},
    {"removexattrat", substitute, .at_flags = LINK_OR_EMPTY, .odd = odd_xattr},

    {"unlink", do_unlink, .check = check_mounts},
    {"unlinkat", do_unlink, .odd = odd_unlink, .check = check_mounts},
    {"rmdir", do_unlink, .check = check_mounts},
    {"mkdir", do_mkdir},
    {"mkdirat", do_mkdir},
    {"mknod", do_mknod, .odd = odd_mknod, .check = check_mknod},
    {"mknodat", do_mknod, .odd = odd_mknod, .check = check_mknod},
    {"symlink", do_symlink, .check = check_symlink},
    {"symlinkat", do_symlink, .check = check_symlink},
    {"link", do_link},
    {"linkat", do_link, .at_flags = AT_SYMLINK_FOLLOW | AT_EMPTY_PATH, .check = check_link},
    {"rename", do_rename, .check = check_mounts},
    {"renameat", do_rename, .check = check_mounts},
    {"renameat2", do_rename, .odd = odd_rename, .check = check_mounts},

    {"connect", substitute, .check = check_socket},
    {"bind", substitute, .check = check_socket},
    {"sendto", substitute, .odd = odd_sendto, .check = check_sendto},
};

static const struct handler *by_id[IDW_SET_CALLS];
static pthread_once_t by_id_once = PTHREAD_ONCE_INIT;

static void sort_by_id(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
        const struct call *c = call_by_name(handlers[i].name);
        if (c != NULL)
            by_id[call_id(c)] = &handlers[i];
    }
}

static const struct handler *handler_of(const struct call *c)
{
    (void)pthread_once(&by_id_once, sort_by_id);
    return c->arch == ARCH_X86_64 ? by_id[call_id(c)] : NULL;
}

bool perform_knows(const struct call *c)
{
    return handler_of(c) != NULL;
}

/* As the target. */
static int64_t act(struct job *j)
{
    if (performer_become(j->pf, &j->who, j->root) < 0)
        return FOR_TARGET;
    int64_t rc = j->odd ? job_refused(j) : NOTHING_WRONG;
    if (rc == NOTHING_WRONG)
        rc = j->otherwise != 0 ? j->otherwise : j->how->run(j);
    performer_return(j->pf);
    return rc;
}

static enum performing settle(const struct job *j, int64_t result, struct performed *p)
{
    switch (result) {
    case FOR_TARGET:
    case -EMFILE: /* what is short may be ours */
    case -ENFILE:
    case -ENOMEM:
    case -ENOSYS:
        return PERFORM_IN_TARGET;
    case INTERRUPTED:
    case -EINTR:
        return PERFORM_INTERRUPTED;
    default:
        p->result = result == IS_FULL ? -EMFILE : result;
        p->file = j->file;
        p->cloexec = (job_argument(j, CALL_NAME_flags) & O_CLOEXEC) != 0;
        return PERFORM_DONE;
    }
}

enum performing perform(struct performer *pf, struct idw_event *ev, struct performed *p)
{
    *p = (struct performed){.file = DEAD_FD};
    const struct handler *h = handler_of(ev->call);
    if (h == NULL || ev->arch != ARCH_X86_64)
        return PERFORM_IN_TARGET;
    struct job j = {.pf = pf,
                    .ev = ev,
                    .how = h,
                    .looked = event_looked(ev),
                    .root = DEAD_FD,
                    .cwd = DEAD_FD,
                    .file = DEAD_FD};
    int64_t result = job_prepare(&j);
    if (result == 0)
        result = act(&j);
    enum performing done = settle(&j, result, p);
    job_clear(&j);
    return done;
}

static bool put(pid_t tid, uint64_t address, void *bytes, size_t len)
{
    struct iovec here = {.iov_base = bytes, .iov_len = len};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it is an address of another process
    struct iovec there = {.iov_base = (void *)address, .iov_len = len};
    return len == 0 || process_vm_writev(tid, &here, 1, &there, 1, 0) == (ssize_t)len;
}

static bool given(const struct idw_event *ev, const struct call_arg *a)
{
    const struct event_copy *c = &ev->copies[a - ev->call->args];
    if ((a->tags & TAG_OUT) == 0 || !(c->put || c->assigned))
        return true;
    if (!put(ev->tid, ev->regs[a->reg], c->data, c->len))
        return false;
    uint32_t len = (uint32_t)c->len;
    return !(c->assigned && a->len_is_pointer) || put(ev->tid, ev->regs[a->len_reg - 1], &len, sizeof len);
}

int perform_give(struct idw_event *ev)
{
    for (unsigned i = 0; i < ev->call->n_args; i++)
        if (!given(ev, &ev->call->args[i]))
            return -EFAULT;
    return 0;
}

void performed_clear(struct performed *p)
{
    close_fd_p(&p->file);
    p->file = DEAD_FD;
}
