/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses: 127.0.0.1 is fine, 127.0.0.2 forbidden, one server listens on both; so are the unix sockets
 * ./good and ./evil. The word is the address, or the end of the name, in a struct that starts four bytes
 * before it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include "race.h"

static void *address;
static socklen_t address_len;
static int domain, type;
static int servers[2]; /* unix: by "evil"; else the first */

static struct sockaddr_in loopback(bool evil, in_port_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (evil ? 1 : 0))};
}

static void two_addresses(in_port_t port)
{
    struct sockaddr_in good = loopback(false, port);
    domain = AF_INET;
    address_len = sizeof good;
    address = lead_with(&good, offsetof(struct sockaddr_in, sin_addr));
    for (int evil = 0; evil < 2; evil++)
        words[evil] = loopback(evil, 0).sin_addr.s_addr;
    swapped->word = words[false];
}

static int new_socket(void)
{
    return check(socket(domain, type | SOCK_CLOEXEC, 0), "socket");
}

static int new_server(const void *own, socklen_t len)
{
    int fd = new_socket();
    check(fcntl(fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
    check(bind(fd, (const struct sockaddr *)own, len), "bind");
    if (type == SOCK_STREAM)
        check(listen(fd, 8), "listen");
    return fd;
}

/* Bound to all addresses, since binding the forbidden one is forbidden, too. */
static void one_server(int of_type)
{
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t len = sizeof own;
    domain = AF_INET;
    type = of_type;
    servers[0] = new_server(&own, sizeof own);
    check(getsockname(servers[0], (struct sockaddr *)&own, &len), "getsockname");
    two_addresses(own.sin_port);
}

static void stream_server(void)
{
    one_server(SOCK_STREAM);
}

static void datagram_server(void)
{
    const int yes = 1;
    one_server(SOCK_DGRAM);
    check(setsockopt(servers[0], IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes), "IP_PKTINFO");
}

/* The rules would not let us bind the forbidden name, nor the harmless one be moved to it by rename. */
static void two_unix_servers(void)
{
    struct sockaddr_un own = {.sun_family = AF_UNIX, .sun_path = "./new"};
    domain = AF_UNIX;
    type = SOCK_STREAM;
    for (int evil = 0; evil < 2; evil++) {
        servers[evil] = new_server(&own, sizeof own);
        check(link("./new", evil ? "./evil" : "./good"), "link");
        check(unlink("./new"), "./new");
    }
    words_are("good", "evil");
    address = lead_with(&own, offsetof(struct sockaddr_un, sun_path) + 2);
    address_len = offsetof(struct sockaddr_un, sun_path) + sizeof "./good";
}

static void two_own_addresses(void)
{
    type = SOCK_STREAM;
    two_addresses(0);
}

/* Ends @fd at once: a connection in TIME_WAIT would keep its port. */
static void drop(int fd)
{
    struct linger none = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fd);
}

static enum outcome own_address(int fd)
{
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    if (getsockname(fd, (struct sockaddr *)&own, &len) < 0)
        return refused();
    return own.sin_addr.s_addr == words[true] ? WIN : GOOD;
}

/* What the servers saw. */
static enum outcome who_was_called(void)
{
    for (int i = 1; i >= 0; i--) {
        int fd = accept4(servers[i], NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        enum outcome o = domain == AF_INET ? own_address(fd) : i == 1 ? WIN : GOOD;
        drop(fd);
        return o;
    }
    return refused();
}

static enum outcome try_connect(void)
{
    int fd = new_socket();
    enum outcome o = syscall(SYS_connect, fd, address, address_len) == 0 ? who_was_called() : refused();
    drop(fd);
    return o;
}

static enum outcome try_bind(void)
{
    int fd = new_socket();
    enum outcome o = syscall(SYS_bind, fd, address, address_len) == 0 ? own_address(fd) : refused();
    close(fd);
    return o;
}

/* To which address the datagram came that the server has now. */
static enum outcome which_came(void)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control;
    char byte;
    struct iovec io = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct in_pktinfo info;
    if (recvmsg(servers[0], &m, 0) != 1 || CMSG_FIRSTHDR(&m) == NULL)
        return refused();
    memcpy(&info, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof info);
    return info.ipi_addr.s_addr == words[true] ? WIN : GOOD;
}

static enum outcome try_sendto(void)
{
    int fd = new_socket();
    enum outcome o = syscall(SYS_sendto, fd, "x", 1, 0, address, address_len) == 1 ? which_came() : refused();
    close(fd);
    return o;
}

const struct attack net_attacks[] = {
    {"connect", stream_server, turn_word, try_connect},
    {"connect-unix", two_unix_servers, turn_word, try_connect},
    {"bind", two_own_addresses, turn_word, try_bind},
    {"sendto", datagram_server, turn_word, try_sendto},
    {NULL},
};
