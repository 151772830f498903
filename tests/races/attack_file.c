/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls on files, whose second path, buffer or descriptor is swapped; and one whose registers decide alone.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "race.h"

static const char *path;
static int file;

static void two_new_names(void)
{
    words_are("good", "evil");
    path = lead_with("./", 2);
}

static enum outcome try_rename(void)
{
    close(make_file("from", 0));
    if (syscall(SYS_rename, "from", path) == 0)
        return unlink("evil") == 0 ? WIN : unlink("good") == 0 ? GOOD : refused();
    unlink("from");
    return refused();
}

/* 64 KiB of zeros, and the word at their end. */
static void two_buffers(void)
{
    words_are("good", "EVIL");
    file = make_file("file", 0);
}

static enum outcome try_write(void)
{
    const size_t size = BEFORE + sizeof swapped->lead + sizeof swapped->word;
    uint32_t written = 0;
    lseek(file, 0, SEEK_SET);
    if (syscall(SYS_write, file, (char *)swapped - BEFORE, size) != (long)size)
        return refused();
    if (pread(file, &written, sizeof written, (off_t)(size - sizeof written)) != (ssize_t)sizeof written)
        return refused();
    return written == words[true] ? WIN : GOOD;
}

static void two_descriptors(void)
{
    behind[false] = make_file("good", 1);
    behind[true] = make_file("evil", 1);
    forbid_file("evil");
    swap_fd(false);
}

/* Undone by the path, since no rule is about that. */
static enum outcome try_fchmod(void)
{
    struct stat st;
    if (syscall(SYS_fchmod, SWAPPED_FD, 0700) < 0)
        return refused();
    fstat(behind[true], &st);
    check(fchmodat(AT_FDCWD, "evil", 0755, 0), "evil");
    return (st.st_mode & 07777) == 0700 ? WIN : GOOD;
}

static enum outcome try_ftruncate(void)
{
    struct stat st;
    if (syscall(SYS_ftruncate, SWAPPED_FD, 0) < 0)
        return refused();
    fstat(behind[true], &st);
    return st.st_size == 1 || truncate("evil", 1) < 0 ? GOOD : WIN;
}

/* An even offset is fine, an odd one forbidden; each is in a register from here on. */
static void two_offsets(void)
{
    two_descriptors();
    words[false] = 1000;
    words[true] = 1001;
    swapped->word = words[false];
}

static enum outcome try_lseek(void)
{
    uint32_t offset = swapped->word;
    long result = syscall(SYS_lseek, behind[false], (unsigned long)offset, SEEK_SET);
    if (result < 0)
        return offset == words[true] ? refused() : OTHER;
    if (offset == words[true])
        return WIN;
    return result == (long)offset ? GOOD : OTHER;
}

const struct attack file_attacks[] = {
    {"rename", two_new_names, turn_word, try_rename},
    {"write", two_buffers, turn_word, try_write},
    {"fchmod", two_descriptors, swap_fd, try_fchmod},
    {"ftruncate", two_descriptors, swap_fd, try_ftruncate},
    {"registers", two_offsets, turn_word, try_lseek, .threads = 8},
    {NULL},
};
