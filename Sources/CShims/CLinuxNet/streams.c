#define _GNU_SOURCE
#include "CLinuxNet.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum {
    // What the kernel keeps unsent: enough for the time until the thread is woken, so that what waits for long waits where
    // it can be given up.
    UNSENT_BYTES = 16384,
    USER_TIMEOUT_MILLISECONDS = 15000,
    KEEPALIVE_SECONDS = 30,
};

int cln_tcp_listen(const cln_address *address, int backlog, bool is_shared, cln_address *bound) {
    int family = address->generic.sa_family;
    int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    int one = 1, unsent = UNSENT_BYTES, timeout = USER_TIMEOUT_MILLISECONDS, idle = KEEPALIVE_SECONDS;
    if (family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    // Connections of a server before this one may still be ending.
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (is_shared) setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
    socklen_t length = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (bind(descriptor, &address->generic, length) != 0 || listen(descriptor, backlog) != 0) goto fail;
    length = sizeof *bound;
    if (getsockname(descriptor, &bound->generic, &length) != 0) goto fail;
    return descriptor;
fail:;
    int error = errno;
    close(descriptor);
    return -error;
}

int cln_tcp_accept(int listener, cln_address *remote) {
    socklen_t length = sizeof *remote;
    int descriptor;
    do descriptor = accept4(listener, &remote->generic, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (descriptor < 0 && errno == EINTR);
    return descriptor < 0 ? -errno : descriptor;
}

void cln_tcp_reset(int descriptor) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(descriptor);
}
