/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include "base/cleanup.h"
#include "engine/pin_layout.h"
#include "subject/proc.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MFD_NOEXEC_SEAL /* Linux 6.3 */
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_WRITE /* Linux 5.14 */
#define MADV_POPULATE_WRITE 23
#endif

/* The last page of the mapping lies behind the end of the file: whoever reads on from there gets EFAULT. */
#define PAGES_MAX (PIN_AREA_SIZE / PIN_PAGE - 1)
#define PAGES_MIN 16UL
#define WORD_BITS 64UL

struct pin_area {
    atomic_uint refs;
    int shared; /* the target's: another open file, read-only; DEAD_FD once it is mapped there */
    dev_t device;
    ino_t inode;
    char *map;
    size_t pages; /* of the file */
    uint64_t address;
    size_t backed; /* the file has memory up to here */
    uint64_t used[(PAGES_MAX + WORD_BITS - 1) / WORD_BITS];
};

static int make_file(void)
{
    int fd = memfd_create("idwrun", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("idwrun", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd;
}

/* Another open file for the target: its flags and offset are not ours, and it can't be written to. */
static int open_for_target(struct pin_area *a, int file)
{
    char name[32];
    struct stat own, other;
    (void)snprintf(name, sizeof name, "self/fd/%d", file);
    a->shared = openat(proc_root(), name, O_RDONLY | O_CLOEXEC);
    if (a->shared < 0 || fstat(file, &own) < 0 || fstat(a->shared, &other) < 0)
        return -1;
    a->device = own.st_dev;
    a->inode = own.st_ino;
    if (own.st_dev == other.st_dev && own.st_ino == other.st_ino)
        return 0;
    errno = EXDEV; /* somebody has mounted something there */
    return -1;
}

/* Beyond the limit ftruncate would not just fail but send SIGXFSZ. */
static size_t pages_allowed(void)
{
    struct rlimit limit;
    size_t pages = getrlimit(RLIMIT_FSIZE, &limit) == 0 ? limit.rlim_cur / PIN_PAGE : 0;
    return pages < PAGES_MAX ? pages : PAGES_MAX;
}

/* In this order: what is mapped writable before the seal stays so, and nothing after it is. */
static int area_open(struct pin_area *a)
{
    _cleanup_close_ int file = make_file();
    size_t size = pages_allowed() * PIN_PAGE;
    if (size < PAGES_MIN * PIN_PAGE) {
        errno = EFBIG;
        return -1;
    }
    if (file < 0 || ftruncate(file, (off_t)size) < 0)
        return -1;
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map == MAP_FAILED)
        return -1;
    a->map = map;
    a->pages = size / PIN_PAGE;
    if (madvise(map, size, MADV_DONTFORK) < 0 || madvise(map, size, MADV_DONTDUMP) < 0)
        return -1;
    if (fcntl(file, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return -1;
    return open_for_target(a, file);
}

struct pin_area *pin_area_new(struct err *e)
{
    struct pin_area *a = calloc(1, sizeof *a);
    if (a == NULL) {
        (void)err_set(e, ENOMEM, "no memory for a pin area");
        return NULL;
    }
    a->refs = 1;
    a->shared = DEAD_FD;
    if (area_open(a) < 0) {
        (void)err_errno(e, "can't make a pin area");
        pin_area_unref(a);
        return NULL;
    }
    return a;
}

struct pin_area *pin_area_ref(struct pin_area *a)
{
    atomic_fetch_add(&a->refs, 1);
    return a;
}

void pin_area_unref(struct pin_area *a)
{
    if (a == NULL || atomic_fetch_sub(&a->refs, 1) > 1)
        return;
    if (a->map != NULL)
        (void)munmap(a->map, a->pages * PIN_PAGE);
    close_fd_p(&a->shared);
    free(a);
}

int pin_area_fd(const struct pin_area *a)
{
    return a->shared;
}

void pin_area_mapped(struct pin_area *a, uint64_t address)
{
    a->address = address;
    close_fd_p(&a->shared);
    a->shared = DEAD_FD;
}

uint64_t pin_area_address(const struct pin_area *a)
{
    return a->address;
}

static bool can_seal;
static pthread_once_t can_seal_once = PTHREAD_ONCE_INIT;

/* With a flag that no kernel knows: one that has the call says so. */
static void try_seal(void)
{
    can_seal = syscall(PIN_NR_MSEAL, 0UL, 0UL, ~0UL) < 0 && errno == EINVAL;
}

bool pin_can_seal(void)
{
    (void)pthread_once(&can_seal_once, try_seal);
    return can_seal;
}

bool pin_same_memory(pid_t a, pid_t b)
{
    return syscall(SYS_kcmp, a, b, KCMP_VM, 0UL, 0UL) == 0;
}

/* The first line of a mapping in smaps, or its line in maps, of any length: a path in it may look like
 * anything but a new line. */
static bool is_mapping(const char *line, const struct pin_area *a, uint64_t address, bool *ours)
{
    uint64_t start, end, offset;
    unsigned long inode;
    unsigned device[2];
    char modes[8];
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %lu", &start, &end, modes, &offset,
               &device[0], &device[1], &inode) < 7)
        return false;
    *ours = start == address && end == address + PIN_AREA_SIZE && offset == 0 && strcmp(modes, "r--s") == 0 &&
            inode == a->inode && makedev(device[0], device[1]) == a->device;
    return true;
}

/* Sealed, and neither writable nor to be made so. */
static bool flags_are_good(const char *flags)
{
    return strstr(flags, " sl") != NULL && strstr(flags, " wr") == NULL && strstr(flags, " mw") == NULL;
}

int pin_area_check(const struct pin_area *a, pid_t tid, uint64_t address)
{
    bool sealed = pin_can_seal();
    _cleanup_close_ int fd = proc_open(tid, sealed ? "smaps" : "maps", O_RDONLY);
    if (fd < 0)
        return fd;
    _cleanup_fclose_ FILE *f = fdopen(fd, "re");
    if (f == NULL)
        return -errno;
    (void)move_fd(&fd);
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    bool ours = false, good = false;
    while (!good && getline(&line, &size, f) > 0)
        if (is_mapping(line, a, address, &ours))
            good = ours && !sealed;
        else
            good = ours && strncmp(line, "VmFlags:", 8) == 0 && flags_are_good(line);
    return good ? 0 : -EPERM;
}

static bool page_used(const struct pin_area *a, size_t page)
{
    return (a->used[page / WORD_BITS] >> page % WORD_BITS & 1) != 0;
}

static void pages_flip(struct pin_area *a, size_t first, size_t n)
{
    for (size_t page = first; page < first + n; page++)
        a->used[page / WORD_BITS] ^= UINT64_C(1) << page % WORD_BITS;
}

/* The first of @n free pages in a row, from @page on; ->pages: there are none. */
static size_t pages_find(const struct pin_area *a, size_t page, size_t n)
{
    for (size_t run = 0; page < a->pages; page++) {
        run = page_used(a, page) ? 0 : run + 1;
        if (run == n)
            return page + 1 - n;
    }
    return a->pages;
}

/* The file gets its memory before we write there: without memory a write would be a SIGBUS. */
static int back(struct pin_area *a, size_t offset, size_t size)
{
    if (offset + size <= a->backed)
        return 0;
    if (madvise(a->map + offset, size, MADV_POPULATE_WRITE) < 0)
        return -ENOMEM;
    if (offset <= a->backed)
        a->backed = offset + size;
    return 0;
}

static int block_take(struct pin *p, struct pin_area *a, size_t size, bool at_end)
{
    size_t n = (size + PIN_PAGE - 1) / PIN_PAGE;
    if (n > a->pages)
        return -ENOMEM;
    size_t first = pages_find(a, at_end ? a->pages - n : 0, n);
    if (first == a->pages)
        return -ENOMEM;
    int rc = back(a, first * PIN_PAGE, n * PIN_PAGE);
    if (rc < 0)
        return rc;
    pages_flip(a, first, n);
    *p = (struct pin){.area = pin_area_ref(a), .offset = first * PIN_PAGE, .size = n * PIN_PAGE};
    return 0;
}

void pin_release(struct pin *p)
{
    if (p->area == NULL)
        return;
    pages_flip(p->area, p->offset / PIN_PAGE, p->size / PIN_PAGE);
    pin_area_unref(p->area);
    *p = (struct pin){0};
}

bool pin_wanted(const struct idw_event *ev)
{
    struct pin_layout l;
    return pin_layout(&l, ev) < 0 || l.n > 0;
}

int pin_arguments(struct pin *p, struct pin_area *a, const struct idw_event *ev, uint64_t regs[6],
                  uint8_t *changed)
{
    struct pin_layout l;
    *p = (struct pin){0};
    int rc = pin_layout(&l, ev);
    if (rc < 0 || l.n == 0)
        return rc;
    rc = block_take(p, a, l.size > 0 ? l.size : 1, l.to_end);
    if (rc < 0)
        return rc;
    rc = pin_lay(&l, ev, a->map + p->offset, a->address + p->offset, regs, changed);
    if (rc < 0)
        pin_release(p);
    return rc;
}
