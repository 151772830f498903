/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sockets, addresses, and what the other side sees of a connection: who made it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "differ.h"

#define SOCKET_FIRST 60
#define N_SOCKETS 4

static in_port_t udp_port, tcp_port;

static int at_number(int fd, int number)
{
    if (fd < 0 || dup2(fd, number) < 0)
        return -1;
    (void)close(fd);
    return number;
}

static in_port_t port_of(int fd)
{
    struct sockaddr_in a = {0};
    socklen_t n = sizeof(a);
    return getsockname(fd, (struct sockaddr *)&a, &n) == 0 ? a.sin_port : 0;
}

static void bind_unix(int type, const char *path, int number)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    int fd = at_number(socket(AF_UNIX, type | SOCK_NONBLOCK, 0), number), one = 1;
    (void)bind(fd, (struct sockaddr *)&a, sizeof(a));
    (void)listen(fd, 64);
    (void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
}

static void bind_loopback(int type, int number)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = at_number(socket(AF_INET, type | SOCK_NONBLOCK, 0), number);
    (void)bind(fd, (struct sockaddr *)&a, sizeof(a));
    (void)listen(fd, 64);
}

void net_setup(struct round *r)
{
    (void)r;
    bind_unix(SOCK_STREAM, "sock", FD_STREAM_LISTENER);
    bind_unix(SOCK_DGRAM, "dgram", FD_DGRAM_RECEIVER);
    bind_loopback(SOCK_DGRAM, FD_UDP_RECEIVER);
    bind_loopback(SOCK_STREAM, FD_TCP_LISTENER);
    udp_port = port_of(FD_UDP_RECEIVER);
    tcp_port = port_of(FD_TCP_LISTENER);
}

int net_socket(struct round *r)
{
    static const struct {
        int family, type;
    } kinds[] = {{AF_UNIX, SOCK_STREAM}, {AF_UNIX, SOCK_STREAM},    {AF_UNIX, SOCK_DGRAM},
                 {AF_UNIX, SOCK_DGRAM},  {AF_UNIX, SOCK_SEQPACKET}, {AF_INET, SOCK_DGRAM},
                 {AF_INET, SOCK_DGRAM},  {AF_INET, SOCK_STREAM},    {AF_INET6, SOCK_DGRAM}};
    size_t which = rnd_below(r, COUNT(kinds));
    int number = SOCKET_FIRST + (int)rnd_below(r, N_SOCKETS);
    r->domain = kinds[which].family;
    /* One that has been used, if only for another kind. */
    if (rnd_one_in(r, r->call->outcome == OUT_BIND ? 8 : 3))
        return number;
    (void)close(number);
    int extra = kinds[which].type == SOCK_STREAM && kinds[which].family == AF_INET ? 0 : SOCK_NONBLOCK;
    int fd = socket(kinds[which].family, kinds[which].type | extra, 0);
    say("  socket %d,%d%s\n", kinds[which].family, kinds[which].type, fd < 0 ? " failed" : "");
    return fd < 0 ? number : at_number(fd, number);
}

static size_t unix_address(struct round *r, struct sockaddr_un *a, char *text, size_t size)
{
    static const char *const paths[] = {"sock",
                                        "sock",
                                        "dgram",
                                        "dgram",
                                        "new1",
                                        "new2",
                                        "d/new",
                                        "f",
                                        "nothing/x",
                                        "d000/new",
                                        "l",
                                        "dangling",
                                        "magicdir/sock",
                                        "/proc/self/cwd/sock",
                                        "/proc/self/cwd/new3",
                                        "d311/new",
                                        "mount/new",
                                        "",
                                        ".",
                                        "loop",
                                        "sticky/new",
                                        "d/../sock",
                                        "sock/"};
    const char *path = PICK(r, paths);
    size_t n = strlen(path);
    a->sun_family = AF_UNIX;
    memcpy(a->sun_path, path, n);
    n = rnd_one_in(r, 3) ? n : n + 1; /* without its NUL */
    switch (rnd_below(r, 12)) {
    case 0: /* abstract */
        n = (size_t)snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "differ-%.80s-%d", r->root,
                             (int)rnd_below(r, 3)) +
            1;
        n = n > sizeof(a->sun_path) ? sizeof(a->sun_path) : n;
        break;
    case 1: /* no NUL in all its room */
        memset(a->sun_path, 'n', sizeof(a->sun_path));
        memcpy(a->sun_path, "d/", 2);
        n = sizeof(a->sun_path);
        break;
    default:
        break;
    }
    (void)snprintf(text, size, "unix:");
    escape(text + 5, size - 5, a->sun_path, n);
    return offsetof(struct sockaddr_un, sun_path) + n;
}

static size_t inet_address(struct round *r, struct sockaddr_in *a, char *text, size_t size)
{
    const struct {
        const char *name;
        in_port_t port;
    } ports[] = {{"udp", udp_port}, {"tcp", tcp_port}, {"any", 0}, {"low", htons(7)}};
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.1", "127.0.0.1",
                                        "127.0.0.2", "0.0.0.0",   "192.0.2.1"};
    size_t which = rnd_below(r, COUNT(ports));
    const char *host = PICK(r, hosts);
    bool to = r->call->outcome != OUT_BIND;
    /* Nothing leaves the machine; 0.0.0.0 is the loopback to connect. */
    if (to && strcmp(host, "192.0.2.1") == 0)
        host = "127.0.0.1";
    a->sin_family = AF_INET;
    a->sin_port = ports[which].port;
    (void)inet_pton(AF_INET, host, &a->sin_addr);
    (void)snprintf(text, size, "inet:%s:%s", host, ports[which].name);
    return sizeof(*a);
}

size_t net_address(struct round *r, struct sockaddr_storage *addr, char *text, size_t size)
{
    memset(addr, 0, sizeof(*addr));
    size_t which = rnd_below(r, 20);
    if (!rnd_one_in(r, 4))
        which = r->domain == AF_UNIX ? 0 : r->domain == AF_INET ? 11 : 17;
    if (which < 11)
        return unix_address(r, (struct sockaddr_un *)addr, text, size);
    if (which < 17)
        return inet_address(r, (struct sockaddr_in *)addr, text, size);
    if (which == 17) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)addr;
        a->sin6_family = AF_INET6;
        a->sin6_addr = in6addr_loopback;
        (void)snprintf(text, size, "inet6");
        return sizeof(*a);
    }
    addr->ss_family = which == 18 ? AF_UNSPEC : 77;
    (void)snprintf(text, size, "family %d", addr->ss_family);
    return 16;
}

static void say_address(const struct sockaddr_storage *addr, socklen_t len)
{
    const struct sockaddr_un *u = (const struct sockaddr_un *)addr;
    const struct sockaddr_in *i = (const struct sockaddr_in *)addr;
    size_t path =
        len > offsetof(struct sockaddr_un, sun_path) ? len - offsetof(struct sockaddr_un, sun_path) : 0;
    if (addr->ss_family == AF_INET)
        say(" inet %s:%s", inet_ntoa(i->sin_addr),
            i->sin_port == 0          ? "0"
            : i->sin_port == htons(7) ? "low"
                                      : "some");
    else if (addr->ss_family != AF_UNIX)
        say(" family %d", addr->ss_family);
    else if (path == 6 && u->sun_path[0] == '\0') /* the kernel's own choice */
        say(" unix auto");
    else {
        say(" unix ");
        say_text(u->sun_path, path);
    }
}

void net_say_bound(int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof(a);
    if (getsockname(fd, (struct sockaddr *)&a, &n) == 0)
        say_address(&a, n);
}

static void say_creds(const struct ucred *c)
{
    say(" from %s %u %u", c->pid == getpid() ? "self" : c->pid == 0 ? "nobody" : "another", c->uid, c->gid);
}

void net_say_connected(int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof(a);
    struct ucred c;
    if (getpeername(fd, (struct sockaddr *)&a, &n) == 0)
        say_address(&a, n);
    int other = accept4(FD_STREAM_LISTENER, NULL, NULL, SOCK_CLOEXEC);
    n = sizeof(c);
    if (other >= 0 && getsockopt(other, SOL_SOCKET, SO_PEERCRED, &c, &n) == 0)
        say_creds(&c);
    if (other >= 0)
        (void)close(other);
    other = accept4(FD_TCP_LISTENER, NULL, NULL, SOCK_CLOEXEC);
    if (other >= 0)
        (void)close(other);
}

static bool receive(int fd)
{
    static char buf[1 << 17];
    char control[256];
    struct sockaddr_storage from = {0};
    struct iovec io = {buf, sizeof(buf)};
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof(from),
                       .msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
    if (n < 0)
        return false;
    say(" got ");
    say_text(buf, (size_t)n);
    say_address(&from, m.msg_namelen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred cred;
            memcpy(&cred, CMSG_DATA(c), sizeof(cred));
            say_creds(&cred);
        }
    return true;
}

void net_say_received(void)
{
    while (receive(FD_DGRAM_RECEIVER))
        continue;
    while (receive(FD_UDP_RECEIVER))
        continue;
}
