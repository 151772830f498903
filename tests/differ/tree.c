/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of a round. Every file has a size of its own, by which it is known again under another name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "differ.h"

#define N_CHAIN 41

/* Of what can fail, since it is there or is not ours: the listing tells. */
static void ignore(int result)
{
    (void)result;
}

/* In the order in which they are made. @owner: of root's runs. */
static const struct {
    char type; /* d, f, l, p, h (hard link), c (device) */
    const char *path;
    unsigned mode;
    unsigned owner, group;
    const char *target;
} things[] = {
    {'d', "d", 0755, 0, 0, NULL},
    {'d', "d/d2", 0755, 0, 0, NULL},
    {'d', "d/d2/d3", 0700, 1000, 1000, NULL},
    {'f', "f", 0644, 0, 0, NULL},
    {'f', "d/f", 0666, 1000, 1000, NULL},
    {'f', "d/d2/d3/f", 0600, 65534, 65534, NULL},
    {'d', "a", 0777, 0, 0, NULL},
    {'f', "f000", 0, 65534, 65534, NULL},
    {'f', "f600", 0600, 0, 0, NULL},
    {'f', "other", 0640, 1000, 1234, NULL},
    {'f', "ro", 0444, 65534, 65534, NULL},
    {'f', "suid", 06755, 1000, 1234, NULL},
    {'f', "run", 0755, 65534, 65534, NULL},
    {'f', "rm", 0644, 0, 0, NULL},
    {'f', "rm2", 0644, 65534, 65534, NULL},
    {'f', "bytes\xff\x80 \n\t", 0644, 0, 0, NULL},
    {'h', "hard", 0, 0, 0, "f"},
    {'d', "d000", 0700, 65534, 65534, NULL},
    {'f', "d000/f", 0644, 65534, 65534, NULL},
    {'d', "d311", 0755, 1000, 1000, NULL},
    {'f', "d311/f", 0644, 1000, 1000, NULL},
    {'d', "d644", 0755, 65534, 65534, NULL},
    {'f', "d644/f", 0644, 0, 0, NULL},
    {'d', "sticky", 01777, 0, 0, NULL},
    {'f', "sticky/mine", 0644, 65534, 65534, NULL},
    {'f', "sticky/other", 0666, 1000, 1000, NULL},
    {'d', "sgid", 02777, 0, 1234, NULL},
    {'f', "sgid/f", 0664, 65534, 1234, NULL},
    {'d', "empty", 0777, 65534, 65534, NULL},
    {'d', "rmdir", 0777, 0, 0, NULL},
    {'d', "mount", 0777, 0, 0, NULL},
    {'f', "mount/f", 0666, 0, 0, NULL},
    {'d', "tmp", 0777, 0, 0, NULL},
    {'f', "tmp/f", 0666, 0, 0, NULL},
    {'f', "fixed", 0666, 0, 0, NULL},
    {'f', "append", 0666, 0, 0, NULL},
    {'p', "fifo", 0666, 0, 0, NULL},
    {'p', "d/fifo", 0600, 1000, 1000, NULL},
    {'c', "null", 0666, 0, 0x103, NULL},
    {'c', "tty", 0666, 0, 0x500, NULL},
    {'l', "l", 0, 0, 0, "f"},
    {'l', "d/l", 0, 0, 0, "../f"},
    {'l', "abs", 0, 0, 0, "@/f"},
    {'l', "ldir", 0, 0, 0, "d"},
    {'l', "slashed", 0, 0, 0, "d/"},
    {'l', "dangling", 0, 0, 0, "nothing2"},
    {'l', "loop", 0, 0, 0, "loop"},
    {'l', "magic", 0, 0, 0, "/proc/self/fd/5"},
    {'l', "magicdir", 0, 0, 0, "/proc/self/fd/3"},
    {'l', "viacwd", 0, 0, 0, "/proc/self/cwd/d/f"},
};

/* After what is in them has been made. */
static const struct {
    const char *path;
    unsigned mode;
} closed[] = {{"d000", 0}, {"d311", 0311}, {"d644", 0644}};

static void make_file(const char *path, unsigned mode, size_t size)
{
    static char bytes[1024];
    memset(bytes, 'a' + (int)(size % 26), sizeof(bytes));
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777);
    if (fd >= 0 && write(fd, bytes, size) < 0)
        say("no file %s\n", path);
    (void)close(fd);
}

static void make_link(struct round *r, const char *path, const char *target)
{
    char absolute[1200];
    (void)snprintf(absolute, sizeof(absolute), "%s/a/b/tree%s", r->root, target + 1);
    ignore(symlink(target[0] == '@' ? absolute : target, path));
}

static void make_thing(struct round *r, size_t i)
{
    const char *path = things[i].path;
    unsigned mode = things[i].mode;
    switch (things[i].type) {
    case 'd':
        (void)mkdir(path, 0700);
        break;
    case 'f':
        make_file(path, mode, 10 * i + 1);
        break;
    case 'l':
        make_link(r, path, things[i].target);
        return;
    case 'h':
        ignore(link(things[i].target, path));
        return;
    case 'p':
        (void)mkfifo(path, mode);
        break;
    case 'c':
        if (r->as_root)
            (void)mknod(path, S_IFCHR | mode, makedev(things[i].group >> 8, things[i].group & 0xff));
        else
            make_file(path, mode, 10 * i + 1);
        return;
    default:
        abort();
    }
    if (r->as_root)
        ignore(lchown(path, things[i].owner, things[i].group));
    (void)chmod(path, mode);
}

static void make_chain(void)
{
    char name[16], target[16] = "f";
    for (int i = 1; i <= N_CHAIN; i++) {
        (void)snprintf(name, sizeof(name), "chain%d", i);
        ignore(symlink(target, name));
        memcpy(target, name, sizeof(target));
    }
}

void tree_make(struct round *r)
{
    struct stat st;
    (void)umask(0);
    for (size_t i = 0; i < COUNT(things); i++)
        make_thing(r, i);
    if (r->number % 3 == 0)
        make_chain();
    (void)setxattr("f", "user.a", "one", 3, 0);
    (void)setxattr("d", "user.b", "two2", 4, 0);
    (void)setxattr("f600", "trusted.a", "three", 5, 0);
    for (size_t i = 0; i < COUNT(closed); i++)
        (void)chmod(closed[i].path, closed[i].mode);
    r->has_tree_dev = stat(".", &st) == 0;
    r->tree_dev = st.st_dev;
}

/* The first of the things, and the way to them. */
void tree_mend(struct round *r)
{
    static const char *const ways[] = {".", "d", "d/d2", "sgid", "sticky"};
    for (size_t i = 0; i < COUNT(ways); i++)
        (void)chmod(ways[i], i < 3 ? 0755 : 01777);
    for (size_t i = 0; i < 24; i++)
        make_thing(r, i);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted; NULL when it can't be read. */
static char **names_of(const char *folder, size_t *count)
{
    DIR *dir = opendir(folder);
    char **names = NULL;
    *count = 0;
    if (dir == NULL)
        return NULL;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        names = realloc(names, (*count + 1) * sizeof(*names));
        if (names == NULL || (names[*count] = strdup(e->d_name)) == NULL)
            abort();
        ++*count;
    }
    (void)closedir(dir);
    if (*count > 0)
        qsort(names, *count, sizeof(*names), by_name);
    return names;
}

static void say_content(const char *name)
{
    static char content[1 << 16];
    int fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, content, sizeof(content));
    if (n >= 0)
        say_text(content, (size_t)n);
    else
        say("%s", strerrorname_np(errno));
    (void)close(fd);
}

static void say_entry(const char *name)
{
    char list[4096], target[PATH_LONGEST];
    struct stat st;
    if (lstat(name, &st) < 0) {
        say(" %s\n", strerrorname_np(errno));
        return;
    }
    say(" %o %u:%u nlink %lu ", st.st_mode, st.st_uid, st.st_gid, (unsigned long)st.st_nlink);
    ssize_t n = S_ISLNK(st.st_mode) ? readlink(name, target, sizeof(target)) : -1;
    if (n >= 0)
        say_text(target, (size_t)n);
    if (S_ISREG(st.st_mode))
        say("size %lld ", (long long)st.st_size);
    if (S_ISREG(st.st_mode) && st.st_size < 70000)
        say_content(name);
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
        say("rdev %#lx", (unsigned long)st.st_rdev);
    say_time("mtime", st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    n = S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? llistxattr(name, list, sizeof(list)) : 0;
    if (n > 0)
        say_text(list, (size_t)n);
    say("\n");
}

/* What the situation "fixed" has made immutable can't be removed, nor what is in it. */
static void loosen(const char *name)
{
    int fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), flags;
    if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL))) {
        flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
        (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
    (void)close(fd);
}

static int remove_one(const char *name, bool folder)
{
    int flags = folder ? AT_REMOVEDIR : 0;
    if (unlinkat(AT_FDCWD, name, flags) == 0)
        return 0;
    loosen(name);
    return unlinkat(AT_FDCWD, name, flags);
}

/* Each folder is entered, so that no path gets too long; where that is impossible, what is in it stays
 * unsaid. */
static void walk(unsigned depth, bool remove)
{
    size_t count;
    char **names = names_of(".", &count);
    for (size_t i = 0; i < count; i++) {
        struct stat st;
        if (!remove) {
            say("tree %*s", (int)depth, "");
            say_text(names[i], strlen(names[i]));
            say_entry(names[i]);
        }
        bool folder = lstat(names[i], &st) == 0 && S_ISDIR(st.st_mode);
        if (folder && remove) {
            loosen(names[i]);
            (void)chmod(names[i], 0700);
        }
        if (folder && chdir(names[i]) == 0) {
            walk(depth + 1, remove);
            if (chdir("..") < 0)
                abort();
        }
        if (remove && remove_one(names[i], folder) < 0)
            say("left %s: %s\n", names[i], strerrorname_np(errno));
        free(names[i]);
    }
    free(names);
}

void tree_say(const char *folder)
{
    if (chdir(folder) == 0)
        walk(0, false);
}

void tree_remove(const char *folder)
{
    if (chdir(folder) == 0)
        walk(0, true);
}
