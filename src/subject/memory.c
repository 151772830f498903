/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subject/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include "base/cleanup.h"
#include "subject/proc.h"

/* Reads never cross a boundary of this: what is mapped before an unmapped page is still had. */
#define PAGE 4096UL

/* From here on the address space is the kernel's, and what it maps there is nobody's argument. */
#define USER_END (UINT64_C(1) << 63)

/*
 * One look at a target: where its memory comes from, and the piece that was fetched last. Whatever lies in
 * that piece is taken from it and not from the target again.
 */
struct reader {
    pid_t tid;
    int mem; /* /proc/TID/mem, opened when process_vm_readv was refused */
    uint64_t start;
    size_t have;
    char piece[PAGE];
};

static void reader_close(struct reader *r)
{
    close_fd_p(&r->mem);
}

#define _cleanup_reader_ __attribute__((cleanup(reader_close)))

/*
 * process_vm_readv comes first: it needs no descriptor and refuses pages that the target itself can't read,
 * as the kernel does when it takes the argument. /proc/TID/mem reads those too (FOLL_FORCE), but it is there
 * where process_vm_readv is compiled out (ENOSYS) or filtered by a container's seccomp profile (EPERM).
 */
static ssize_t read_mem_file(struct reader *r, uint64_t address, void *buffer, size_t size)
{
    if (r->mem < 0) {
        r->mem = proc_open(r->tid, "mem", O_RDONLY);
        if (r->mem < 0)
            return r->mem == -EACCES ? -EPERM : r->mem;
    }
    ssize_t n = pread(r->mem, buffer, size, (off_t)address);
    if (n > 0)
        return n;
    if (n == 0)
        return -ESRCH; /* the address space that this descriptor stands for is gone */
    return errno == EIO ? -EFAULT : -errno;
}

/* At least one byte and at most @size from @address on, or -errno. */
static ssize_t read_some(struct reader *r, uint64_t address, void *buffer, size_t size)
{
    if (address >= USER_END)
        return -EFAULT;
    if (size > USER_END - address)
        size = USER_END - address;
    ssize_t n = -1;
    if (r->mem < 0) {
        struct iovec here = {.iov_base = buffer, .iov_len = size};
        uintptr_t remote = address;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): it is an address of another process
        struct iovec there = {.iov_base = (void *)remote, .iov_len = size};
        n = process_vm_readv(r->tid, &here, 1, &there, 1, 0);
        if (n > 0)
            return n;
        if (n == 0)
            return -EFAULT;
        if (errno != ENOSYS && errno != EPERM)
            return -errno;
    }
    return read_mem_file(r, address, buffer, size);
}

/* The bytes at @address, as far as their page goes: *@bytes is valid until the next call. Returns how many,
 * or -errno. */
static ssize_t reader_at(struct reader *r, uint64_t address, const char **bytes)
{
    if (address < r->start || address - r->start >= r->have) {
        r->have = 0;
        ssize_t n = read_some(r, address, r->piece, PAGE - address % PAGE);
        if (n < 0)
            return n;
        r->start = address;
        r->have = (size_t)n;
    }
    *bytes = r->piece + (address - r->start);
    return (ssize_t)(r->have - (address - r->start));
}

/* A growing block. */
struct block {
    char *data;
    size_t len, size;
};

static void block_free(struct block *b)
{
    free(b->data);
}

#define _cleanup_block_ __attribute__((cleanup(block_free)))

static int block_append(struct block *b, const void *bytes, size_t len)
{
    if (b->data == NULL || len > b->size - b->len) {
        size_t size = b->size * 2 > b->len + len ? b->size * 2 : b->len + len;
        char *data = realloc(b->data, size);
        if (data == NULL)
            return -ENOMEM;
        b->data = data;
        b->size = size;
    }
    memcpy(b->data + b->len, bytes, len);
    b->len += len;
    return 0;
}

/* Append the string at @address with its NUL. Returns its length, -ENAMETOOLONG when it is over @max, or
 * -errno. */
static ssize_t append_string(struct reader *r, uint64_t address, size_t max, struct block *b)
{
    size_t len = 0;
    for (;;) {
        const char *bytes;
        ssize_t n = reader_at(r, address + len, &bytes);
        if (n < 0)
            return n;
        const char *nul = memchr(bytes, '\0', (size_t)n);
        size_t part = nul != NULL ? (size_t)(nul - bytes) : (size_t)n;
        if (part > max - len)
            return -ENAMETOOLONG;
        len += part;
        int rc = block_append(b, bytes, nul != NULL ? part + 1 : part);
        if (rc < 0)
            return rc;
        if (nul != NULL)
            return (ssize_t)len;
    }
}

/* @width bytes. Nothing says that a vector is aligned: a pointer in it may cross pages. */
static int read_pointer(struct reader *r, uint64_t address, size_t width, uint64_t *pointer)
{
    char *to = (char *)pointer;
    size_t done = 0;
    *pointer = 0;
    while (done < width) {
        const char *bytes;
        ssize_t n = reader_at(r, address + done, &bytes);
        if (n < 0)
            return (int)n;
        size_t part = width - done;
        if ((size_t)n < part)
            part = (size_t)n;
        memcpy(to + done, bytes, part);
        done += part;
    }
    return 0;
}

ssize_t memory_read_some(pid_t tid, uint64_t address, void *buffer, size_t size)
{
    _cleanup_reader_ struct reader r = {.tid = tid, .mem = DEAD_FD};
    size_t done = 0;
    while (done < size) {
        size_t rest = PAGE - (address + done) % PAGE;
        ssize_t n = read_some(&r, address + done, (char *)buffer + done, size - done);
        if (n == -EFAULT && rest < size - done) /* all or nothing is what process_vm_readv(2) promises */
            n = read_some(&r, address + done, (char *)buffer + done, rest);
        if (n < 0)
            return done > 0 ? (ssize_t)done : n;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

ssize_t memory_read(pid_t tid, uint64_t address, void *buffer, size_t size)
{
    ssize_t n = memory_read_some(tid, address, buffer, size);
    return n >= 0 && (size_t)n < size ? -EFAULT : n;
}

ssize_t memory_read_string(pid_t tid, uint64_t address, char **text)
{
    _cleanup_reader_ struct reader r = {.tid = tid, .mem = DEAD_FD};
    _cleanup_block_ struct block b = {0};
    ssize_t len = append_string(&r, address, MEMORY_STRING_MAX, &b);
    if (len >= 0)
        *text = steal_pointer(&b.data);
    return len;
}

/* One block of what was gathered: @count pointers, a NULL, and the strings that they point to. */
static ssize_t make_vector(const struct block *strings, size_t count, char ***vector)
{
    char **v = malloc((count + 1) * sizeof *v + strings->len);
    if (v == NULL)
        return -ENOMEM;
    char *text = (char *)(v + count + 1);
    if (strings->len > 0)
        memcpy(text, strings->data, strings->len);
    for (size_t i = 0; i < count; i++) {
        v[i] = text;
        text += strlen(text) + 1;
    }
    v[count] = NULL;
    *vector = v;
    return (ssize_t)count;
}

/*
 * The strings that the vector of pointers of @width bytes at @address points to, one behind the other.
 * Returns how many, or -errno.
 */
static ssize_t gather_strings(pid_t tid, uint64_t address, size_t width, struct block *strings)
{
    _cleanup_reader_ struct reader pointers = {.tid = tid, .mem = DEAD_FD};
    _cleanup_reader_ struct reader texts = {.tid = tid, .mem = DEAD_FD};
    for (size_t count = 0;; count++) {
        uint64_t pointer;
        int rc = read_pointer(&pointers, address + count * width, width, &pointer);
        if (rc < 0)
            return rc;
        if (pointer == 0)
            return (ssize_t)count;
        /* What makes an endless vector end: each string costs at least its pointer and its NUL. */
        size_t used = (count + 2) * width + strings->len + 1;
        if (used > MEMORY_STRV_MAX)
            return -E2BIG;
        size_t max = MEMORY_STRV_MAX - used;
        ssize_t len =
            append_string(&texts, pointer, max < MEMORY_STRING_MAX ? max : MEMORY_STRING_MAX, strings);
        if (len < 0)
            return len == -ENAMETOOLONG ? -E2BIG : len;
    }
}

static ssize_t read_vector(pid_t tid, uint64_t address, size_t width, char ***vector)
{
    struct block strings = {0};
    /* execve takes no vector for an empty one */
    ssize_t n = address != 0 ? gather_strings(tid, address, width, &strings) : 0;
    if (n >= 0)
        n = make_vector(&strings, (size_t)n, vector);
    block_free(&strings);
    return n;
}

ssize_t memory_read_strv(pid_t tid, uint64_t address, char ***vector)
{
    return read_vector(tid, address, sizeof(uint64_t), vector);
}

ssize_t memory_read_strv32(pid_t tid, uint64_t address, char ***vector)
{
    return read_vector(tid, address, sizeof(uint32_t), vector);
}
