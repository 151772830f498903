/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who makes the calls of a round, and from where: each round's child gets into one of these, in turn. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "differ.h"

#define MINE 1000
#define CAP(name) (1ull << CAP_##name)

/* A step on the way; what it says is compared too. */
static bool step(const char *what, int result)
{
    if (result < 0)
        say("situation: %s: %s\n", what, strerrorname_np(errno));
    return result >= 0;
}

static void set_caps(uint64_t caps)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)caps, .permitted = (uint32_t)caps},
        {.effective = (uint32_t)(caps >> 32), .permitted = (uint32_t)(caps >> 32)}};
    (void)step("capset", (int)syscall(SYS_capset, &header, data));
}

static void plain(struct round *r)
{
    (void)r;
}

static void umask_none(struct round *r)
{
    (void)r;
    (void)umask(0);
}

static void umask_all(struct round *r)
{
    (void)r;
    (void)umask(0777);
}

static void umask_odd(struct round *r)
{
    (void)r;
    (void)umask(0135);
}

static void elsewhere(struct round *r)
{
    (void)r;
    (void)step("chdir", chdir("d/d2"));
}

static void removed_cwd(struct round *r)
{
    (void)r;
    (void)step("mkdir", mkdir("gone", 0777));
    (void)step("chdir", chdir("gone"));
    (void)step("rmdir", rmdir("../gone"));
}

static void few_descriptors(struct round *r)
{
    (void)r;
    struct rlimit limit = {30, 30};
    (void)step("RLIMIT_NOFILE", setrlimit(RLIMIT_NOFILE, &limit));
    while (dup(3) >= 0)
        continue;
    (void)close(25);
}

static void small_files(struct round *r)
{
    (void)r;
    struct rlimit limit = {5000, 5000};
    (void)step("RLIMIT_FSIZE", setrlimit(RLIMIT_FSIZE, &limit));
}

static void own_session(struct round *r)
{
    (void)r;
    (void)step("setsid", setsid());
}

static void on_terminal(struct round *r)
{
    own_session(r);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    (void)step("posix_openpt", master);
    if (grantpt(master) < 0 || unlockpt(master) < 0)
        return;
    int slave = open(ptsname(master), O_RDWR | O_CLOEXEC);
    (void)step("terminal", slave);
    (void)dup2(master, 210);
    (void)close(master);
    (void)close(slave);
}

static void landlock(struct round *r)
{
    struct landlock_ruleset_attr rules = {.handled_access_fs =
                                              LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                                              LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                              LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR};
    struct landlock_path_beneath_attr beneath = {.allowed_access = rules.handled_access_fs,
                                                 .parent_fd = open("d", O_PATH | O_CLOEXEC)};
    (void)r;
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
    (void)step("landlock", fd);
    (void)step("rule", (int)syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0));
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)step("restrict", (int)syscall(SYS_landlock_restrict_self, fd, 0));
    (void)close(fd);
    (void)close(beneath.parent_fd);
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (!step(path, fd) || !step(path, (int)write(fd, text, strlen(text))))
        return;
    (void)close(fd);
}

static void ordinary(struct round *r)
{
    if (!r->as_root)
        return;
    gid_t groups[] = {1234, 4321};
    (void)step("setgroups", setgroups(2, groups));
    (void)step("setresgid", setresgid(MINE, MINE, MINE));
    (void)step("setresuid", setresuid(MINE, MINE, MINE));
    r->harmless = true;
}

static void user_namespace(struct round *r)
{
    char map[64];
    ordinary(r);
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    uid_t uid = getuid();
    gid_t gid = getgid();
    if (!step("user namespace", unshare(CLONE_NEWUSER)))
        return;
    write_text("/proc/self/setgroups", "deny");
    (void)snprintf(map, sizeof(map), "0 %u 1", uid);
    write_text("/proc/self/uid_map", map);
    (void)snprintf(map, sizeof(map), "5 %u 1", gid);
    write_text("/proc/self/gid_map", map);
}

static void enter_chroot(struct round *r)
{
    char top[sizeof(r->root)];
    memcpy(top, r->root, sizeof(top));
    if (step("chroot", chroot(top)))
        r->root[0] = '\0';
}

static void in_chroot(struct round *r)
{
    enter_chroot(r);
    r->harmless = true;
}

static void user_chroot(struct round *r)
{
    user_namespace(r);
    enter_chroot(r);
}

static void mounts(struct round *r)
{
    (void)r;
    if (!step("mount namespace", unshare(CLONE_NEWNS)))
        return;
    (void)step("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    (void)step("bind", mount("mount", "mount", NULL, MS_BIND, NULL));
    (void)step("read only", mount(NULL, "mount", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
    (void)step("tmpfs", mount("tmp", "tmp", "tmpfs", MS_NODEV | MS_NOSYMFOLLOW, "size=64k"));
}

static void user_mounts(struct round *r)
{
    user_namespace(r);
    mounts(r);
}

/* With a /proc of its own, through which there is a way out: so nothing absolute is changed here. */
static void chroot_with_proc(struct round *r)
{
    char proc[sizeof(r->root) + 8];
    if (!step("mount namespace", unshare(CLONE_NEWNS)))
        return;
    (void)step("private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    (void)snprintf(proc, sizeof(proc), "%s/proc", r->root);
    (void)step("mkdir", mkdir(proc, 0755));
    (void)step("proc", mount("proc", proc, "proc", 0, NULL));
    enter_chroot(r);
}

static void file_system_user(struct round *r)
{
    (void)r;
    (void)setfsgid(1234);
    (void)setfsuid(MINE);
}

static void effective_user(struct round *r)
{
    (void)r;
    (void)step("setresgid", setresgid(-1, 1234, -1));
    (void)step("setresuid", setresuid(-1, MINE, -1));
}

static void no_caps(struct round *r)
{
    (void)r;
    set_caps(0);
}

static void few_caps(struct round *r)
{
    static const uint64_t some[] = {
        CAP(DAC_OVERRIDE), CAP(DAC_READ_SEARCH),      CAP(FOWNER),    CAP(CHOWN) | CAP(FSETID),
        CAP(MKNOD),        CAP(FOWNER) | CAP(FSETID), CAP(SYS_ADMIN), CAP(NET_BIND_SERVICE),
        CAP(SYS_CHROOT)};
    set_caps(some[r->number / 2 % COUNT(some)]);
}

static void user_with_caps(struct round *r)
{
    (void)prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    (void)step("setresgid", setresgid(MINE, MINE, MINE));
    (void)step("setresuid", setresuid(MINE, MINE, MINE));
    set_caps(r->number % 2 ? CAP(DAC_READ_SEARCH) : CAP(CHOWN) | CAP(FOWNER));
}

static void fixed_files(struct round *r)
{
    static const struct {
        const char *path;
        int flags;
    } fixed[] = {{"fixed", FS_IMMUTABLE_FL}, {"append", FS_APPEND_FL}, {"sgid", FS_IMMUTABLE_FL}};
    (void)r;
    for (size_t i = 0; i < COUNT(fixed); i++) {
        int flags = 0, fd = open(fixed[i].path, O_RDONLY | O_CLOEXEC);
        (void)ioctl(fd, FS_IOC_GETFLAGS, &flags);
        flags |= fixed[i].flags;
        (void)step("flags", ioctl(fd, FS_IOC_SETFLAGS, &flags));
        (void)close(fd);
    }
}

/* The body in a thread that has something of its own; the process as such is elsewhere. */
struct threaded {
    struct round *round;
    void (*body)(struct round *r);
    int unshared;
};

static void *run_thread(void *argument)
{
    struct threaded *t = argument;
    sigset_t none;
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL);
    if (t->unshared != 0)
        (void)step("unshare", unshare(t->unshared));
    if (t->unshared & CLONE_FS) {
        (void)umask(0027);
        (void)step("chdir", chdir("d"));
    }
    if (t->unshared & CLONE_FILES)
        (void)close_range(14, 20, 0);
    t->body(t->round);
    return NULL;
}

static void in_thread(struct round *r, void (*body)(struct round *), int unshared)
{
    struct threaded t = {r, body, unshared};
    pthread_t thread;
    sigset_t all;
    /* Timers are for the one who waits in a call. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
    if (pthread_create(&thread, NULL, run_thread, &t) == 0)
        (void)pthread_join(thread, NULL);
}

static void thread_shared(struct round *r, void (*body)(struct round *))
{
    in_thread(r, body, 0);
}

static void thread_own_fs(struct round *r, void (*body)(struct round *))
{
    in_thread(r, body, CLONE_FS);
}

static void thread_own_files(struct round *r, void (*body)(struct round *))
{
    in_thread(r, body, CLONE_FILES);
}

static void after_fork(struct round *r, void (*body)(struct round *))
{
    say_flush();
    pid_t child = fork();
    if (child == 0) {
        (void)umask(0077);
        (void)step("chdir", chdir("sgid"));
        body(r);
        say_flush();
        _exit(0);
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    if (status != 0)
        say("child: %#x\n", (unsigned)status);
}

static const struct situation {
    const char *name;
    bool root_only;
    void (*enter)(struct round *r);
    void (*run)(struct round *r, void (*body)(struct round *r));
} situations[] = {
    {"plain", false, plain, NULL},
    {"umask 0", false, umask_none, NULL},
    {"chroot", true, in_chroot, NULL},
    {"umask 777", false, umask_all, NULL},
    {"ordinary", true, ordinary, NULL},
    {"elsewhere", false, elsewhere, NULL},
    {"mounts", true, mounts, NULL},
    {"thread", false, plain, thread_shared},
    {"fsuid", true, file_system_user, NULL},
    {"thread's cwd", false, umask_odd, thread_own_fs},
    {"no caps", true, no_caps, NULL},
    {"thread's files", false, umask_odd, thread_own_files},
    {"few caps", true, few_caps, NULL},
    {"removed cwd", false, removed_cwd, NULL},
    {"chroot, proc", true, chroot_with_proc, NULL},
    {"descriptors", false, few_descriptors, NULL},
    {"user, caps", true, user_with_caps, NULL},
    {"file size", false, small_files, NULL},
    {"euid", true, effective_user, NULL},
    {"session", false, own_session, NULL},
    {"fixed", true, fixed_files, NULL},
    {"terminal", false, on_terminal, NULL},
    {"fork", false, plain, after_fork},
    {"landlock", false, landlock, NULL},
    {"user namespace", false, user_namespace, NULL},
    {"its chroot", false, user_chroot, NULL},
    {"its mounts", false, user_mounts, NULL},
};

static const struct situation *of_round(const struct round *r)
{
    size_t n = 0, usable = 0;
    for (size_t i = 0; i < COUNT(situations); i++)
        usable += r->as_root || !situations[i].root_only;
    for (size_t i = 0; i < COUNT(situations); i++)
        if ((r->as_root || !situations[i].root_only) && n++ == r->number % usable)
            return &situations[i];
    abort();
}

const char *situation_name(const struct round *r)
{
    return of_round(r)->name;
}

void situation_run(struct round *r, void (*body)(struct round *r))
{
    const struct situation *s = of_round(r);
    s->enter(r);
    if (s->run != NULL)
        s->run(r, body);
    else
        body(r);
}
