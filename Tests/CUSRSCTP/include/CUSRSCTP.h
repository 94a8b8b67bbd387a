/* usrsctp, the stack of older browsers, libdatachannel and GStreamer, as a peer without threads, sockets or a clock of its own:
 * packets and events are taken from it, and it is given packets and time. Tests only. Everything is for one thread at a time,
 * since usrsctp's state is the process'. */
#ifndef CUSRSCTP_H
#define CUSRSCTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usrsctp_peer;

enum usrsctp_peer_kind {
    USRSCTP_PEER_MESSAGE,
    USRSCTP_PEER_UP,
    USRSCTP_PEER_DOWN,
    USRSCTP_PEER_INCOMING_RESET,
    USRSCTP_PEER_OUTGOING_RESET,
};

struct usrsctp_peer_event {
    enum usrsctp_peer_kind kind;
    uint16_t stream;
    uint32_t ppid;
    bool is_unordered;
    /* Of the message's bytes, which are the peer's until the next event is taken. */
    const uint8_t *_Nullable bytes;
    size_t count;
};

/* A peer with streams enough, and buffers of so many bytes. */
struct usrsctp_peer *_Nonnull usrsctp_peer_make(int buffer);
/* Ends its association with ABORT. */
void usrsctp_peer_close(struct usrsctp_peer *_Nonnull peer);

/* Begins the handshake, or waits for ours; whether it could. */
bool usrsctp_peer_connect(struct usrsctp_peer *_Nonnull peer);
bool usrsctp_peer_listen(struct usrsctp_peer *_Nonnull peer);
/* Ends it with SHUTDOWN. */
void usrsctp_peer_shut_down(struct usrsctp_peer *_Nonnull peer);

/* Whether it took the message. Retransmissions and milliseconds of lifetime below 0 mean no bound. */
bool usrsctp_peer_send(
    struct usrsctp_peer *_Nonnull peer, const uint8_t *_Nonnull bytes, size_t count, uint16_t stream, uint32_t ppid,
    bool is_unordered, int retransmissions, int lifetime);
bool usrsctp_peer_reset(struct usrsctp_peer *_Nonnull peer, uint16_t stream);

void usrsctp_peer_receive(struct usrsctp_peer *_Nonnull peer, const uint8_t *_Nonnull packet, size_t count);
/* The next packet's length; 0 if there is none. */
size_t usrsctp_peer_packet(struct usrsctp_peer *_Nonnull peer, uint8_t *_Nonnull buffer, size_t capacity);
/* Whether something has happened. */
bool usrsctp_peer_next(struct usrsctp_peer *_Nonnull peer, struct usrsctp_peer_event *_Nonnull event);
/* Time passes, for all peers. */
void usrsctp_peer_elapse(uint32_t milliseconds);

#endif
