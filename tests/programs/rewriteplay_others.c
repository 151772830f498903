/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pieces about buffers, socket addresses and options. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include "rewriteplay.h"

static void write_text(int id, char *said, const char *text)
{
    char path[32], buf[128], was[128];
    (void)snprintf(path, sizeof(path), "written-%d", id);
    put_file(path, "");
    (void)snprintf(buf, sizeof(buf), "%s", text);
    memcpy(was, buf, sizeof(was));
    int fd = open(path, O_WRONLY);
    said_result(said, checked_call(SYS_write, 3, ARG(fd), ARG(buf), ARG(strlen(buf))));
    (void)close(fd);
    said_file(said, path);
    kept(buf, was, sizeof(was));
}

static void write_shorter(int id, char *said)
{
    write_text(id, said, "from a long text");
}

static void write_longer(int id, char *said)
{
    write_text(id, said, "from this");
}

static void write_empty(int id, char *said)
{
    write_text(id, said, "from nothing");
}

/* Two MiB and more: the wrapper turns each byte round. */
static void write_big(int id, char *said)
{
    size_t size = (2UL << 20) + 77, wrong = 0;
    char path[32], *buf = malloc(size), *back = calloc(1, size);
    (void)snprintf(path, sizeof(path), "big-%d", id);
    for (size_t i = 0; i < size; i++)
        buf[i] = (char)('A' + i % 26);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    said_result(said, checked_call(SYS_write, 3, ARG(fd), ARG(buf), ARG(size)));
    said_result(said, pread(fd, back, size, 0));
    for (size_t i = 0; i < size; i++)
        wrong += back[i] != (buf[i] ^ 0x20);
    said_text(said, "%s", wrong == 0 ? "turned" : memcmp(buf, back, size) == 0 ? "bare" : "neither");
    (void)close(fd);
    free(buf);
    free(back);
}

/* The wrapper's text for what was read: shorter, and longer than there is room. */
static void read_result(int id, char *said)
{
    char path[32], buf[64];
    (void)snprintf(path, sizeof(path), "read-%d", id);
    put_file(path, "result: 0123456789");
    for (size_t size = 10; size <= 30; size += 20) {
        int fd = open(path, O_RDONLY);
        memset(buf, '.', sizeof(buf));
        long r = checked_call(SYS_read, 3, ARG(fd), ARG(buf), ARG(size));
        said_result(said, r);
        said_text(said, "%.*s", r > 0 ? (int)r : 0, buf);
        said_text(said, "%s", buf[size] == '.' ? "" : "beyond the end");
        (void)close(fd);
    }
}

static struct sockaddr_in inet(const char *host, in_port_t port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = port};
    (void)inet_pton(AF_INET, host, &sin.sin_addr);
    return sin;
}

static int bound(int type, const char *host, struct sockaddr_in *at)
{
    int fd = socket(AF_INET, type, 0);
    socklen_t len = sizeof(*at);
    *at = inet(host, 0);
    if (bind(fd, (void *)at, len) < 0 || (type == SOCK_STREAM && listen(fd, 16) < 0))
        perror("rewriteplay: bind");
    (void)getsockname(fd, (void *)at, &len);
    return fd;
}

/* Nobody listens at 127.0.0.9; the wrapper says 127.0.0.1. */
static void connect_inet(int id, char *said)
{
    struct sockaddr_in at, to, was, peer = {0};
    socklen_t len = sizeof(peer);
    (void)id;
    int listener = bound(SOCK_STREAM, "127.0.0.1", &at), fd = socket(AF_INET, SOCK_STREAM, 0);
    to = was = inet("127.0.0.9", at.sin_port);
    said_result(said, checked_call(SYS_connect, 3, ARG(fd), ARG(&to), ARG(sizeof(to))));
    if (getpeername(fd, (void *)&peer, &len) == 0)
        said_text(said, "%s", inet_ntoa(peer.sin_addr));
    kept(&to, &was, sizeof(was));
    (void)close(fd);
    (void)close(listener);
}

static void bind_inet(int id, char *said)
{
    struct sockaddr_in at = inet("127.0.0.9", 0), was = at, own = {0};
    socklen_t len = sizeof(own);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)id;
    said_result(said, checked_call(SYS_bind, 3, ARG(fd), ARG(&at), ARG(sizeof(at))));
    (void)getsockname(fd, (void *)&own, &len);
    said_text(said, "%s", ntohl(own.sin_addr.s_addr) == 0x7f000001 ? "rewritten" : "bare");
    kept(&at, &was, sizeof(was));
    (void)close(fd);
}

static void sendto_inet(int id, char *said)
{
    struct sockaddr_in at, to, was;
    char text[] = "from a datagram", got[64] = "";
    (void)id;
    int receiver = bound(SOCK_DGRAM, "127.0.0.1", &at), fd = socket(AF_INET, SOCK_DGRAM, 0);
    to = was = inet("127.0.0.9", at.sin_port);
    said_result(said, checked_call(SYS_sendto, 6, ARG(fd), ARG(text), ARG(sizeof(text) - 1), ARG(0), ARG(&to),
                                   ARG(sizeof(to))));
    said_text(said, "%s", recv(receiver, got, sizeof(got), MSG_DONTWAIT) > 0 ? got : "nothing");
    kept(&to, &was, sizeof(was));
    kept(text, "from a datagram", sizeof(text));
    (void)close(fd);
    (void)close(receiver);
}

static struct sockaddr_un local(const char *prefix, int id)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s%d", prefix, id);
    return un;
}

static void connect_unix(int id, char *said)
{
    struct sockaddr_un at = local("a-socket-with-a-rather-long-name-", id), to = local("sock-", id), was = to;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)unlink(at.sun_path);
    (void)unlink(to.sun_path);
    if (bind(listener, (void *)&at, sizeof(at)) < 0 || listen(listener, 4) < 0)
        said_result(said, -1);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(to.sun_path) + 1);
    said_result(said, checked_call(SYS_connect, 3, ARG(fd), ARG(&to), ARG(len)));
    kept(&to, &was, sizeof(was));
    (void)close(fd);
    (void)close(listener);
}

static void bind_unix(int id, char *said)
{
    struct sockaddr_un at = local("sock-", id), was = at,
                       into = local("a-socket-with-a-rather-long-name-", id);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(at.sun_path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)unlink(into.sun_path);
    (void)unlink(at.sun_path);
    said_result(said, checked_call(SYS_bind, 3, ARG(fd), ARG(&at), ARG(len)));
    said_text(said, "%s", faccessat(AT_FDCWD, into.sun_path, F_OK, 0) == 0 ? "rewritten" : "bare");
    kept(&at, &was, sizeof(was));
    (void)close(fd);
}

static void socket_option(int id, char *said)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), value = 3, got = -1;
    socklen_t len = sizeof(got);
    (void)id;
    said_result(said, checked_call(SYS_setsockopt, 5, ARG(fd), ARG(SOL_SOCKET), ARG(SO_PRIORITY), ARG(&value),
                                   ARG(sizeof(value))));
    (void)getsockopt(fd, SOL_SOCKET, SO_PRIORITY, &got, &len);
    said_text(said, "%d", got);
    kept(&value, &(int){3}, sizeof(value));
    (void)close(fd);
}

const struct piece other_pieces[] = {
    {"write-shorter", write_shorter}, {"write-longer", write_longer}, {"write-empty", write_empty},
    {"write-big", write_big},         {"read-result", read_result},   {"connect-inet", connect_inet},
    {"bind-inet", bind_inet},         {"sendto-inet", sendto_inet},   {"connect-unix", connect_unix},
    {"bind-unix", bind_unix},         {"setsockopt", socket_option},  {NULL, NULL},
};
