/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/slurp.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

ssize_t slurp(int fd, char *text, size_t size)
{
    size_t used = 0;
    ssize_t rc;
    for (;;) {
        char more;
        bool full = used == size - 1;
        ssize_t n = full ? read(fd, &more, 1) : read(fd, text + used, size - 1 - used);
        if (n < 0 && errno == EINTR)
            continue;
        rc = n < 0 ? -errno : full && n > 0 ? -EFBIG : (ssize_t)used;
        if (n <= 0 || full)
            break;
        used += (size_t)n;
    }
    text[used] = '\0';
    return rc;
}
