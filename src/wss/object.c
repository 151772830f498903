/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "wss/layer.h"

static bool is_object(const Elf64_Ehdr *h)
{
    return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
           h->e_type == ET_DYN && h->e_machine == EM_X86_64 && h->e_phentsize == sizeof(Elf64_Phdr);
}

/* Does the file, @size bytes, hold the segment that it promises? */
static bool segment_fits(const Elf64_Phdr *p, uint64_t size)
{
    return p->p_type != PT_LOAD || (p->p_offset <= size && p->p_filesz <= size - p->p_offset);
}

int object_check(const char *path, struct err *e)
{
    struct stat st;
    Elf64_Ehdr h;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(e, "%s", path);
    if (pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h || !is_object(&h))
        return err_set(e, EINVAL, "%s: not a wrapper: not a shared object for x86-64", path);
    for (unsigned i = 0; i < h.e_phnum; i++) {
        Elf64_Phdr p;
        off_t at = (off_t)(h.e_phoff + i * sizeof p);
        if (pread(fd, &p, sizeof p, at) != (ssize_t)sizeof p || !segment_fits(&p, (uint64_t)st.st_size))
            return err_set(e, EINVAL, "%s: damaged wrapper: the file is cut short", path);
    }
    return 0;
}
