/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "base/cleanup.h"
#include "syscalls/decode.h"

static const struct call_arg *arg(const char *call, const char *name)
{
    const struct call *c = call_by_name(call);
    cr_assert_not_null(c, "%s", call);
    const struct call_arg *a = call_arg_named(c, call_name_find(name));
    cr_assert_not_null(a, "%s has $%s", call, name);
    return a;
}

Test(decode, scalars_have_the_width_and_sign_of_their_type)
{
    static const struct {
        const char *call;
        const char *name;
        uint64_t value;
        int64_t scalar;
    } table[] = {
        {"close", "fd", 0xdeadbeef00000003, 3},
        {"close", "fd", 0x00000000ffffffff, -1},
        {"openat", "dirfd", 0x12345678ffffff9c, AT_FDCWD},
        {"chmod", "mode", 0xffffffff000001a4, 0644},
        {"setuid", "new_uid", 0xffffffffffffffff, 0xffffffff},
        {"read", "count", 0xffffffffffffffff, -1},
        {"lseek", "offset", 0xffffffffffffffff, -1},
        {"mmap", "flags", 0x100000022, 0x100000022},
        {"openat2", "flags", 0x100000000, 0x100000000},
    };
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        cr_assert_eq(call_scalar(arg(table[i].call, table[i].name), table[i].value), table[i].scalar, "%s",
                     table[i].call);
}

#define HIGH 0xabad1dea00000000 /* bits that a 32-bit argument does not have */

Test(decode, arguments)
{
    static const struct {
        const char *call;
        const char *name;
        uint64_t value;
        const char *text; /* "": no symbolic form */
    } table[] = {
        {"open", "flags", HIGH | O_RDONLY, "O_RDONLY"},
        {"open", "flags", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC"},
        {"open", "flags", O_RDWR | O_SYNC, "O_RDWR|O_SYNC"},
        {"open", "flags", O_RDWR | O_DSYNC, "O_RDWR|O_DSYNC"},
        {"open", "flags", O_RDWR | O_TMPFILE, "O_RDWR|O_TMPFILE"},
        {"open", "flags", O_RDONLY | O_DIRECTORY | 0100000, "O_RDONLY|O_LARGEFILE|O_DIRECTORY"},
        {"open", "flags", O_ACCMODE, "0x3"},
        {"open", "flags", O_RDONLY | 0x40000000, "O_RDONLY|0x40000000"},
        {"openat2", "flags", 1ULL << 32, "O_RDONLY|0x100000000"},
        {"openat2", "resolve", 0, "0"},
        {"openat2", "resolve", 8 | 4, "RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH"},
        {"openat", "dirfd", (uint32_t)AT_FDCWD, "AT_FDCWD"},
        {"openat", "dirfd", (uint64_t)AT_FDCWD, "AT_FDCWD"},
        {"openat", "dirfd", 3, ""},
        {"newfstatat", "flags", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW|AT_EMPTY_PATH"},
        {"linkat", "flags", AT_SYMLINK_FOLLOW, "AT_SYMLINK_FOLLOW"},
        {"unlinkat", "flags", AT_REMOVEDIR, "AT_REMOVEDIR"},
        {"faccessat2", "flags", AT_EACCESS, "AT_EACCESS"},
        {"access", "amode", F_OK, "F_OK"},
        {"access", "amode", R_OK | X_OK, "R_OK|X_OK"},
        {"chmod", "mode", HIGH | 0644, "0644"},
        {"chmod", "mode", 04755, "04755"},
        {"chmod", "mode", 0, "0"},
        {"chmod", "mode", 07, "0007"},
        {"mknod", "mode", S_IFREG | 0600, "0100600"},
        {"mmap", "prot", PROT_NONE, "PROT_NONE"},
        {"mmap", "prot", PROT_READ | PROT_EXEC, "PROT_READ|PROT_EXEC"},
        {"mmap", "flags", MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS"},
        {"mmap", "flags", MAP_SHARED_VALIDATE | MAP_SYNC, "MAP_SHARED_VALIDATE|MAP_SYNC"},
        {"mmap", "addr", 0, "NULL"},
        {"mmap", "addr", 0x7f0000001000, "0x7f0000001000"},
        {"fork", "flags", SIGCHLD, "SIGCHLD"},
        {"vfork", "flags", CLONE_VM | CLONE_VFORK | SIGCHLD, "CLONE_VM|CLONE_VFORK|SIGCHLD"},
        {"clone", "flags", CLONE_NEWUSER | SIGUSR1, "CLONE_NEWUSER|0xa"},
        {"clone3", "exit_signal", SIGCHLD, "SIGCHLD"},
        {"socket", "domain", AF_UNIX, "AF_UNIX"},
        {"socket", "domain", 4242, ""},
        {"socket", "domain", 0xffffffffffffffff, ""},
        {"socket", "socktype", SOCK_STREAM | SOCK_CLOEXEC, "SOCK_STREAM|SOCK_CLOEXEC"},
        {"accept4", "flags", SOCK_NONBLOCK, "SOCK_NONBLOCK"},
        {"kill", "sig", HIGH | SIGTERM, "SIGTERM"},
        {"kill", "sig", 0, ""},
        {"kill", "sig", 35, "SIG35"},
        {"kill", "sig", 999, "999"},
        {"kill", "target_pid", 1, ""},
        {"ioctl", "request", 0x5412, "TIOCSTI"},
        {"fcntl", "cmd", F_SETFL, "F_SETFL"},
        {"read", "count", 17, ""},
    };
    char text[256];
    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        size_t len = call_decode(arg(table[i].call, table[i].name), table[i].value, text, sizeof text);
        cr_assert_str_eq(text, table[i].text);
        cr_assert_eq(len, strlen(table[i].text));
    }
}

Test(decode, text_is_cut_to_its_buffer)
{
    static const char whole[] = "O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC";
    const uint64_t flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    for (size_t size = 1; size < sizeof whole + 3; size++) {
        _cleanup_free_ char *text = malloc(size);
        size_t len = call_decode(arg("open", "flags"), flags, text, size);
        cr_assert_eq(len, size < sizeof whole ? size - 1 : sizeof whole - 1);
        cr_assert_eq(strlen(text), len);
        cr_assert(strncmp(text, whole, len) == 0);
    }
    cr_assert_eq(call_decode(arg("open", "flags"), flags, NULL, 0), 0);
}

/* Every flag that a call has, of every value: no more than what 64 bits can say, and always a text that ends.
 */
Test(decode, any_bits)
{
    char text[2048];
    for (size_t id = 0; id < call_count(); id++) {
        const struct call *c = call_by_id(id);
        for (size_t i = 0; i < c->n_args; i++) {
            for (unsigned bit = 0; bit <= 64; bit++) {
                uint64_t value = bit == 64 ? UINT64_MAX : UINT64_C(1) << bit;
                size_t len = call_decode(&c->args[i], value, text, sizeof text);
                cr_assert_eq(len, strlen(text), "%s $%s", c->name, call_name_text(c->args[i].name));
                cr_assert_lt(len, sizeof text - 1, "%s $%s", c->name, call_name_text(c->args[i].name));
            }
        }
    }
}

Test(decode, errnos_and_signals)
{
    char text[16];
    cr_assert_str_eq(decode_errno(EPERM), "EPERM");
    cr_assert_str_eq(decode_errno(EADDRINUSE), "EADDRINUSE");
    cr_assert_null(decode_errno(0));
    cr_assert_null(decode_errno(-EPERM));
    cr_assert_null(decode_errno(4095));
    cr_assert_str_eq(decode_signal(SIGKILL, text, sizeof text), "SIGKILL");
    cr_assert_str_eq(decode_signal(64, text, sizeof text), "SIG64");
    cr_assert_str_eq(decode_signal(65, text, sizeof text), "65");
    cr_assert_str_eq(decode_signal(-9, text, sizeof text), "-9");
    cr_assert_str_eq(decode_signal(SIGTERM, text, 4), "SIG");
}

#define ADDRESS(...) (const char[]){__VA_ARGS__}, sizeof((const char[]){__VA_ARGS__})

static const struct {
    const char *bytes;
    size_t len;
    int result;
    const char *text;
} addresses[] = {
    {ADDRESS(AF_INET, 0, 0, 80, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0), 0, "192.0.2.1:80"},
    {ADDRESS(AF_INET, 0, 0, 80, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0), -EINVAL, NULL},
    {ADDRESS(AF_INET, 0), -EINVAL, NULL},
    {ADDRESS(AF_INET6, 0, 0, 80, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
             0),
     0, "[2001:db8::1]:80"},
    {ADDRESS(AF_INET6, 0, 0, 80, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0,
             0),
     0, "[fe80::1%2]:80"},
    {ADDRESS(AF_INET6, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), 0, "[::1]:80"},
    {ADDRESS(AF_INET6, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), -EINVAL, NULL},
    {ADDRESS(AF_UNIX, 0, '/', 'r', 'u', 'n', '/', 'x', 0), 0, "unix:/run/x"},
    {ADDRESS(AF_UNIX, 0, '/', 'x', 0, 'j', 'u', 'n', 'k'), 0, "unix:/x"},
    {ADDRESS(AF_UNIX, 0, '/', 'n', 'o', 'n', 'u', 'l'), 0, "unix:/nonul"},
    {ADDRESS(AF_UNIX, 0, 0, 'a', 'b'), 0, "unix:@ab"},
    {ADDRESS(AF_UNIX, 0, 0, 'a', 0, 'b'), 0, "unix:@a@b"},
    {ADDRESS(AF_UNIX, 0, '@', 'a'), 0, "unix:@a"},
    {ADDRESS(AF_UNIX, 0), 0, "unix:"},
    {ADDRESS(AF_NETLINK, 0, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0), 0, "netlink:42"},
    {ADDRESS(AF_NETLINK, 0, 0, 0, 42, 0, 0, 0), -EINVAL, NULL},
    {ADDRESS(AF_UNSPEC, 0, 0, 0), -EAFNOSUPPORT, NULL},
    {ADDRESS(0x7f, 0x7f, 0, 0), -EAFNOSUPPORT, NULL},
    {ADDRESS(AF_INET), -EINVAL, NULL},
    {"", 0, -EINVAL, NULL},
    {NULL, 16, -EINVAL, NULL},
};

/* Each address lies at an odd place at the very end of its memory, so that a sanitizer sees any look beyond.
 */
Test(decode, socket_addresses)
{
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        size_t len = addresses[i].len;
        char text[200] = "untouched";
        _cleanup_free_ char *memory = malloc(len + 1);
        if (addresses[i].bytes != NULL)
            memcpy(memory + 1, addresses[i].bytes, len);
        const void *addr = addresses[i].bytes != NULL ? memory + 1 : NULL;
        cr_assert_eq(decode_sockaddr(addr, len, text, sizeof text), addresses[i].result, "%zu", i);
        cr_assert_str_eq(text, addresses[i].text != NULL ? addresses[i].text : "untouched");
        for (size_t size = 1; addresses[i].text != NULL && size <= strlen(addresses[i].text) + 1; size++) {
            _cleanup_free_ char *small = malloc(size);
            cr_assert_eq(decode_sockaddr(addr, len, small, size), 0);
            cr_assert_eq(strlen(small), size - 1);
        }
    }
}

Test(decode, socket_addresses_of_hostile_length)
{
    char text[200];
    char huge[4096];
    memset(huge, 'x', sizeof huge);
    memcpy(huge, &(sa_family_t){AF_UNIX}, sizeof(sa_family_t));
    cr_assert_eq(decode_sockaddr(huge, sizeof huge, text, sizeof text), 0);
    cr_assert_eq(strlen(text), strlen("unix:") + sizeof(((struct sockaddr_un *)NULL)->sun_path));
    cr_assert_eq(decode_sockaddr(huge, 3, text, sizeof text), 0);
    cr_assert_str_eq(text, "unix:x");
    memcpy(huge, &(sa_family_t){AF_INET6}, sizeof(sa_family_t));
    cr_assert_eq(decode_sockaddr(huge, sizeof huge, text, sizeof text), 0);
    for (size_t len = 0; len < 24; len++)
        cr_assert_eq(decode_sockaddr(huge, len, text, sizeof text), -EINVAL, "%zu", len);
}
