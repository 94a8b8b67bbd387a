#define _GNU_SOURCE
#include "CLinuxNet.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

struct cln_receive_batch {
    struct mmsghdr headers[CLN_RECEIVE_BATCH];
    struct iovec pieces[CLN_RECEIVE_BATCH];
    cln_address sources[CLN_RECEIVE_BATCH];
    uint8_t bytes[CLN_RECEIVE_BATCH][CLN_RECEIVE_SIZE];
};

struct cln_receive_batch *cln_receive_batch_create(void) {
    struct cln_receive_batch *batch = NULL;
    if (posix_memalign((void **)&batch, 64, sizeof *batch) != 0) return NULL;
    memset(batch, 0, sizeof *batch);
    for (int i = 0; i < CLN_RECEIVE_BATCH; i++) {
        batch->pieces[i].iov_base = batch->bytes[i];
        batch->pieces[i].iov_len = CLN_RECEIVE_SIZE;
        batch->headers[i].msg_hdr.msg_iov = &batch->pieces[i];
        batch->headers[i].msg_hdr.msg_iovlen = 1;
        batch->headers[i].msg_hdr.msg_name = &batch->sources[i];
    }
    return batch;
}

void cln_receive_batch_destroy(struct cln_receive_batch *batch) { free(batch); }

int cln_receive(struct cln_receive_batch *batch, int descriptor) {
    for (int i = 0; i < CLN_RECEIVE_BATCH; i++) {
        batch->headers[i].msg_hdr.msg_namelen = sizeof(cln_address);
        batch->headers[i].msg_hdr.msg_flags = 0;
    }
    int count;
    do count = recvmmsg(descriptor, batch->headers, CLN_RECEIVE_BATCH, MSG_DONTWAIT, NULL);
    while (count < 0 && errno == EINTR);
    if (count >= 0) return count;
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
}

uint8_t *cln_received_bytes(struct cln_receive_batch *batch, int index) { return batch->bytes[index]; }

int cln_received_length(struct cln_receive_batch *batch, int index) {
    if (batch->headers[index].msg_hdr.msg_flags & MSG_TRUNC) return -1;
    return (int)batch->headers[index].msg_len;
}

const cln_address *cln_received_source(struct cln_receive_batch *batch, int index) { return &batch->sources[index]; }

int cln_send(int descriptor, const cln_message *messages, unsigned count) {
    struct mmsghdr headers[CLN_SEND_BATCH];
    union {
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr alignment;
    } controls[CLN_SEND_BATCH];
    if (count > CLN_SEND_BATCH) count = CLN_SEND_BATCH;
    for (unsigned i = 0; i < count; i++) {
        struct msghdr *header = &headers[i].msg_hdr;
        const cln_message *message = &messages[i];
        header->msg_name = (void *)message->destination;
        header->msg_namelen = message->destination->generic.sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                                  : sizeof(struct sockaddr_in);
        header->msg_iov = message->pieces;
        header->msg_iovlen = message->segments;
        header->msg_flags = 0;
        if (message->segments > 1) {
            header->msg_control = controls[i].bytes;
            header->msg_controllen = sizeof controls[i].bytes;
            struct cmsghdr *control = CMSG_FIRSTHDR(header);
            control->cmsg_level = SOL_UDP;
            control->cmsg_type = UDP_SEGMENT;
            control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
            memcpy(CMSG_DATA(control), &message->segment_size, sizeof(uint16_t));
        } else {
            header->msg_control = NULL;
            header->msg_controllen = 0;
        }
    }
    int sent;
    do sent = sendmmsg(descriptor, headers, count, MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

int cln_udp_open(const cln_address *address, int buffer_bytes, bool is_shared, cln_address *bound) {
    int family = address->generic.sa_family;
    int descriptor = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -errno;
    int one = 1;
    if (family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (is_shared) setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    socklen_t length = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (bind(descriptor, &address->generic, length) != 0) goto fail;
    length = sizeof *bound;
    if (getsockname(descriptor, &bound->generic, &length) != 0) goto fail;
    return descriptor;
fail:;
    int error = errno;
    close(descriptor);
    return -error;
}

bool cln_udp_can_segment(int descriptor) {
    int size = 0;
    socklen_t length = sizeof size;
    return getsockopt(descriptor, SOL_UDP, UDP_SEGMENT, &size, &length) == 0;
}

int cln_udp_receive_buffer(int descriptor) {
    int size = 0;
    socklen_t length = sizeof size;
    if (getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, &length) != 0) return 0;
    // The kernel says twice what it was asked for (socket(7)).
    return size / 2;
}
