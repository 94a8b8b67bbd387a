#include "CUSRSCTP.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <usrsctp.h>

#define PORT 5000

struct item {
    struct item *next;
    struct usrsctp_peer_event event;
    uint8_t bytes[];
};

struct queue {
    struct item *first, **last;
};

struct usrsctp_peer {
    /* All that ever were: a timer may name one that is closed. */
    struct usrsctp_peer *former;
    struct socket *socket, *listener;
    bool is_closed;
    struct queue packets, events;
    struct item *shown;
    /* A message that comes in parts. */
    uint8_t *partial;
    size_t partial_count;
};

static struct usrsctp_peer *newest;

static void append(struct queue *queue, const void *bytes, size_t count, struct usrsctp_peer_event event) {
    struct item *item = malloc(sizeof *item + count);
    if (!item) abort();
    item->next = NULL;
    item->event = event;
    item->event.count = count;
    item->event.bytes = item->bytes;
    if (count) memcpy(item->bytes, bytes, count);
    *queue->last = item;
    queue->last = &item->next;
}

static struct item *take(struct queue *queue) {
    struct item *item = queue->first;
    if (!item) return NULL;
    queue->first = item->next;
    if (!queue->first) queue->last = &queue->first;
    return item;
}

static int output(void *address, void *buffer, size_t length, uint8_t tos, uint8_t set_df) {
    struct usrsctp_peer *peer = address;
    (void)tos;
    (void)set_df;
    if (!peer->is_closed) append(&peer->packets, buffer, length, (struct usrsctp_peer_event){0});
    return 0;
}

static void say(struct usrsctp_peer *peer, enum usrsctp_peer_kind kind, uint16_t stream) {
    append(&peer->events, NULL, 0, (struct usrsctp_peer_event){.kind = kind, .stream = stream});
}

static void notified(struct usrsctp_peer *peer, const union sctp_notification *note) {
    if (note->sn_header.sn_type == SCTP_ASSOC_CHANGE) {
        switch (note->sn_assoc_change.sac_state) {
            case SCTP_COMM_UP: say(peer, USRSCTP_PEER_UP, 0); break;
            case SCTP_COMM_LOST:
            case SCTP_SHUTDOWN_COMP:
            case SCTP_CANT_STR_ASSOC: say(peer, USRSCTP_PEER_DOWN, 0); break;
            default: break;
        }
    } else if (note->sn_header.sn_type == SCTP_STREAM_RESET_EVENT) {
        const struct sctp_stream_reset_event *reset = &note->sn_strreset_event;
        if (reset->strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) return;
        size_t count = (reset->strreset_length - sizeof *reset) / sizeof(uint16_t);
        for (size_t index = 0; index < count; index++) {
            if (reset->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN)
                say(peer, USRSCTP_PEER_INCOMING_RESET, reset->strreset_stream_list[index]);
            if (reset->strreset_flags & SCTP_STREAM_RESET_OUTGOING_SSN)
                say(peer, USRSCTP_PEER_OUTGOING_RESET, reset->strreset_stream_list[index]);
        }
    }
}

static int received(
    struct socket *socket, union sctp_sockstore address, void *data, size_t length, struct sctp_rcvinfo info, int flags,
    void *context) {
    struct usrsctp_peer *peer = context;
    (void)socket;
    (void)address;
    if (!data) {
        say(peer, USRSCTP_PEER_DOWN, 0);
        return 1;
    }
    if (flags & MSG_NOTIFICATION) {
        notified(peer, data);
    } else {
        uint8_t *whole = realloc(peer->partial, peer->partial_count + length);
        if (!whole) abort();
        memcpy(whole + peer->partial_count, data, length);
        peer->partial = whole;
        peer->partial_count += length;
        if (flags & MSG_EOR) {
            append(
                &peer->events, whole, peer->partial_count,
                (struct usrsctp_peer_event){
                    .kind = USRSCTP_PEER_MESSAGE, .stream = info.rcv_sid, .ppid = ntohl(info.rcv_ppid),
                    .is_unordered = info.rcv_flags & SCTP_UNORDERED});
            peer->partial_count = 0;
        }
    }
    free(data);
    return 1;
}

static struct sockaddr_conn address_of(struct usrsctp_peer *peer) {
    return (struct sockaddr_conn){.sconn_family = AF_CONN, .sconn_port = htons(PORT), .sconn_addr = peer};
}

static void set(struct socket *socket, int level, int name, const void *value, socklen_t count) {
    if (usrsctp_setsockopt(socket, level, name, value, count)) abort();
}

struct usrsctp_peer *usrsctp_peer_make(int buffer) {
    static bool is_started;
    if (!is_started) {
        is_started = true;
        usrsctp_init_nothreads(0, output, NULL);
        usrsctp_sysctl_set_sctp_ecn_enable(0);
        usrsctp_sysctl_set_sctp_asconf_enable(0);
        usrsctp_sysctl_set_sctp_auth_enable(0);
    }
    struct usrsctp_peer *peer = calloc(1, sizeof *peer);
    if (!peer) abort();
    peer->packets.last = &peer->packets.first;
    peer->events.last = &peer->events.first;
    peer->former = newest;
    newest = peer;
    usrsctp_register_address(peer);
    peer->socket = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, received, NULL, 0, peer);
    if (!peer->socket || usrsctp_set_non_blocking(peer->socket, 1)) abort();
    set(peer->socket, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    set(peer->socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    set(peer->socket, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    uint32_t on = 1;
    set(peer->socket, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
    struct sctp_assoc_value resets = {.assoc_id = SCTP_ALL_ASSOC, .assoc_value = SCTP_ENABLE_VALUE_MASK};
    set(peer->socket, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET, &resets, sizeof resets);
    for (int index = 0; index < 2; index++) {
        struct sctp_event event = {
            .se_assoc_id = SCTP_ALL_ASSOC, .se_on = 1,
            .se_type = index ? SCTP_STREAM_RESET_EVENT : SCTP_ASSOC_CHANGE};
        set(peer->socket, IPPROTO_SCTP, SCTP_EVENT, &event, sizeof event);
    }
    struct sctp_initmsg streams = {.sinit_num_ostreams = 1024, .sinit_max_instreams = 2048};
    set(peer->socket, IPPROTO_SCTP, SCTP_INITMSG, &streams, sizeof streams);
    struct sockaddr_conn own = address_of(peer);
    if (usrsctp_bind(peer->socket, (struct sockaddr *)&own, sizeof own)) abort();
    return peer;
}

void usrsctp_peer_close(struct usrsctp_peer *peer) {
    if (peer->socket) usrsctp_close(peer->socket);
    if (peer->listener) usrsctp_close(peer->listener);
    peer->is_closed = true;
    usrsctp_deregister_address(peer);
    struct item *item;
    while ((item = take(&peer->packets))) free(item);
    while ((item = take(&peer->events))) free(item);
    free(peer->shown);
    free(peer->partial);
    peer->shown = NULL;
    peer->partial = NULL;
}

bool usrsctp_peer_connect(struct usrsctp_peer *peer) {
    struct sockaddr_conn remote = address_of(peer);
    return !usrsctp_connect(peer->socket, (struct sockaddr *)&remote, sizeof remote) || errno == EINPROGRESS;
}

bool usrsctp_peer_listen(struct usrsctp_peer *peer) {
    peer->listener = peer->socket;
    peer->socket = NULL;
    return !usrsctp_listen(peer->listener, 1);
}

static struct socket *socket_of(struct usrsctp_peer *peer) {
    if (!peer->socket && peer->listener) {
        peer->socket = usrsctp_accept(peer->listener, NULL, NULL);
        if (peer->socket) usrsctp_set_non_blocking(peer->socket, 1);
    }
    return peer->socket;
}

void usrsctp_peer_shut_down(struct usrsctp_peer *peer) {
    struct socket *socket = socket_of(peer);
    if (socket) usrsctp_shutdown(socket, SHUT_WR);
}

bool usrsctp_peer_send(
    struct usrsctp_peer *peer, const uint8_t *bytes, size_t count, uint16_t stream, uint32_t ppid, bool is_unordered,
    int retransmissions, int lifetime) {
    struct socket *socket = socket_of(peer);
    if (!socket) return false;
    struct sctp_sendv_spa options = {
        .sendv_flags = SCTP_SEND_SNDINFO_VALID,
        .sendv_sndinfo = {
            .snd_sid = stream, .snd_ppid = htonl(ppid), .snd_flags = SCTP_EOR | (is_unordered ? SCTP_UNORDERED : 0)}};
    if (retransmissions >= 0 || lifetime >= 0) {
        options.sendv_flags |= SCTP_SEND_PRINFO_VALID;
        options.sendv_prinfo.pr_policy = retransmissions >= 0 ? SCTP_PR_SCTP_RTX : SCTP_PR_SCTP_TTL;
        options.sendv_prinfo.pr_value = (uint32_t)(retransmissions >= 0 ? retransmissions : lifetime);
    }
    ssize_t sent = usrsctp_sendv(socket, bytes, count, NULL, 0, &options, sizeof options, SCTP_SENDV_SPA, 0);
    return sent == (ssize_t)count;
}

bool usrsctp_peer_reset(struct usrsctp_peer *peer, uint16_t stream) {
    struct socket *socket = socket_of(peer);
    if (!socket) return false;
    size_t count = sizeof(struct sctp_reset_streams) + sizeof stream;
    struct sctp_reset_streams *request = calloc(1, count);
    if (!request) abort();
    request->srs_assoc_id = SCTP_ALL_ASSOC;
    request->srs_flags = SCTP_STREAM_RESET_OUTGOING;
    request->srs_number_streams = 1;
    request->srs_stream_list[0] = stream;
    int result = usrsctp_setsockopt(socket, IPPROTO_SCTP, SCTP_RESET_STREAMS, request, (socklen_t)count);
    free(request);
    return !result;
}

void usrsctp_peer_receive(struct usrsctp_peer *peer, const uint8_t *packet, size_t count) {
    usrsctp_conninput(peer, packet, count, 0);
}

size_t usrsctp_peer_packet(struct usrsctp_peer *peer, uint8_t *buffer, size_t capacity) {
    struct item *item = take(&peer->packets);
    if (!item) return 0;
    size_t count = item->event.count <= capacity ? item->event.count : 0;
    memcpy(buffer, item->bytes, count);
    free(item);
    return count;
}

bool usrsctp_peer_next(struct usrsctp_peer *peer, struct usrsctp_peer_event *event) {
    free(peer->shown);
    peer->shown = take(&peer->events);
    if (!peer->shown) return false;
    *event = peer->shown->event;
    return true;
}

void usrsctp_peer_elapse(uint32_t milliseconds) { usrsctp_handle_timers(milliseconds); }
