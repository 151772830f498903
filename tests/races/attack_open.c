/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening: what is opened, and how, is swapped. The files hold nothing; which one came is told by its links.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "race.h"

static const char *path;
static int dirfd = AT_FDCWD;

static enum outcome opened(long fd)
{
    if (fd < 0)
        return refused();
    enum outcome o = is_forbidden((int)fd) ? WIN : GOOD;
    close((int)fd);
    return o;
}

static enum outcome try_open(void)
{
    return opened(syscall(SYS_openat, dirfd, path, O_RDONLY));
}

static void two_files(void)
{
    behind[false] = make_file("good", 0);
    behind[true] = make_file("evil", 0);
    forbid_file("evil");
}

static void two_paths(void)
{
    two_files();
    words_are("good", "evil");
    path = lead_with("./", 2);
}

static void two_symlinks(void)
{
    two_files();
    two_links("good", "evil");
    path = "link";
}

/* What is harmless is the caller's own, so that nobody else can open it for him. */
static void link_to_own(void)
{
    two_files();
    two_links("/proc/self/status", "evil");
    path = "link";
}

/* Folders with a file of the same name in each. */
static void two_folders(void)
{
    two_files();
    check(mkdir("folder", 0755), "folder");
    check(mkdir("folder/good", 0755), "good");
    check(mkdir("folder/evil", 0755), "evil");
    check(rename("good", "folder/good/file"), "good");
    check(rename("evil", "folder/evil/file"), "evil");
    path = "file";
}

static void two_components(void)
{
    two_folders();
    two_links("folder/good", "folder/evil");
    path = "link/file";
}

static void two_dirfds(void)
{
    two_folders();
    behind[false] = check(open("folder/good", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "good");
    behind[true] = check(open("folder/evil", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "evil");
    swap_fd(false);
    dirfd = SWAPPED_FD;
}

static void two_working_folders(void)
{
    two_dirfds();
    dirfd = AT_FDCWD;
    check(chdir("folder/good"), "good");
}

static void swap_working_folder(bool evil)
{
    if (fchdir(behind[evil]) < 0)
        fail("fchdir");
}

/* A path that means the caller's own descriptor, so that nobody else can open it as well. */
static void two_descriptors(void)
{
    static char name[40];
    two_files();
    swap_fd(false);
    snprintf(name, sizeof name, "/proc/self/fd/%d", SWAPPED_FD);
    path = name;
}

static void two_hows(void)
{
    two_files();
    words[false] = O_RDONLY;
    words[true] = O_RDWR;
    swapped->word = words[false];
}

/* The word is the low half of struct open_how's flags, which come first. */
static enum outcome try_openat2(void)
{
    long fd = syscall(SYS_openat2, AT_FDCWD, "good", &swapped->word, sizeof(struct open_how));
    if (fd < 0)
        return refused();
    enum outcome o = (fcntl((int)fd, F_GETFL) & O_ACCMODE) == O_RDWR ? WIN : GOOD;
    close((int)fd);
    return o;
}

const struct attack open_attacks[] = {
    {"path", two_paths, turn_word, try_open},
    {"symlink", two_symlinks, exchange_links, try_open},
    {"symlink-own", link_to_own, exchange_links, try_open},
    {"component", two_components, exchange_links, try_open},
    {"dirfd", two_dirfds, swap_fd, try_open},
    {"cwd", two_working_folders, swap_working_folder, try_open},
    {"procfd", two_descriptors, swap_fd, try_open},
    {"how", two_hows, turn_word, try_openat2},
    {NULL},
};
