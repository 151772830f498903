/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Socket addresses as text. The bytes are a target's: nothing in them is believed but what @addrlen covers.
 */
#include "syscalls/decode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "base/cleanup.h"

static int inet_text(const void *addr, size_t addrlen, char *text, size_t size)
{
    struct sockaddr_in in;
    char host[INET_ADDRSTRLEN];
    if (addrlen < sizeof in)
        return -EINVAL;
    memcpy(&in, addr, sizeof in);
    if (inet_ntop(AF_INET, &in.sin_addr, host, sizeof host) == NULL)
        return -EINVAL;
    (void)snprintf(text, size, "%s:%u", host, ntohs(in.sin_port));
    return 0;
}

/* The kernel takes an address without the scope, as RFC 2133 had it. */
#define SIN6_LEN_RFC2133 24

static int inet6_text(const void *addr, size_t addrlen, char *text, size_t size)
{
    struct sockaddr_in6 in6 = {0};
    char host[INET6_ADDRSTRLEN];
    if (addrlen < SIN6_LEN_RFC2133)
        return -EINVAL;
    memcpy(&in6, addr, addrlen < sizeof in6 ? addrlen : sizeof in6);
    if (inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof host) == NULL)
        return -EINVAL;
    if (in6.sin6_scope_id != 0)
        (void)snprintf(text, size, "[%s%%%u]:%u", host, in6.sin6_scope_id, ntohs(in6.sin6_port));
    else
        (void)snprintf(text, size, "[%s]:%u", host, ntohs(in6.sin6_port));
    return 0;
}

/* A pathname ends at its NUL or with the address; an abstract name is all the rest, its NULs shown as '@'. */
static int unix_text(const void *addr, size_t addrlen, char *text, size_t size)
{
    struct sockaddr_un un;
    char name[sizeof un.sun_path + 1];
    size_t len = addrlen - offsetof(struct sockaddr_un, sun_path);
    if (len > sizeof un.sun_path)
        len = sizeof un.sun_path;
    memcpy(name, (const char *)addr + offsetof(struct sockaddr_un, sun_path), len);
    name[len] = '\0';
    bool abstract = len > 0 && name[0] == '\0';
    for (size_t i = 0; abstract && i < len; i++)
        if (name[i] == '\0')
            name[i] = '@';
    (void)snprintf(text, size, "unix:%s", name);
    return 0;
}

static int netlink_text(const void *addr, size_t addrlen, char *text, size_t size)
{
    struct sockaddr_nl nl;
    if (addrlen < sizeof nl)
        return -EINVAL;
    memcpy(&nl, addr, sizeof nl);
    (void)snprintf(text, size, "netlink:%u", nl.nl_pid);
    return 0;
}

static const struct {
    sa_family_t family;
    int (*text)(const void *addr, size_t addrlen, char *text, size_t size);
} families[] = {
    {AF_INET, inet_text},
    {AF_INET6, inet6_text},
    {AF_UNIX, unix_text},
    {AF_NETLINK, netlink_text},
};

int decode_sockaddr(const void *addr, size_t addrlen, char *text, size_t size)
{
    sa_family_t family;
    if (addr == NULL || addrlen < sizeof family)
        return -EINVAL;
    memcpy(&family, addr, sizeof family);
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (families[i].family == family)
            return families[i].text(addr, addrlen, text, size);
    return -EAFNOSUPPORT;
}
