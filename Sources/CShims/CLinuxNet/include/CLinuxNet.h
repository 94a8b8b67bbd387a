// Batched datagram input and output, and the Linux interfaces that Glibc's module map leaves out.
// Swift cannot build control messages or the mmsghdr arrays without a copy per packet; these few functions do.
// No _GNU_SOURCE here: glibc's types must look the same in every module. The .c files define it.
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

/// Most datagrams one receive call returns.
#define CLN_RECEIVE_BATCH 64
/// Bytes kept for one received datagram: more than any path MTU a client uses, so a longer one is cut and refused.
#define CLN_RECEIVE_SIZE 2048
/// Most messages one send call takes, and most segments a message may have (the kernel's UDP_MAX_SEGMENTS is 64 or 128).
#define CLN_SEND_BATCH 64
#define CLN_SEND_SEGMENTS 64

/// An address as the kernel takes it: only the two families that sockets here use.
typedef union cln_address {
    struct sockaddr generic;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} cln_address;

struct cln_receive_batch;

/// Makes the arrays and buffers of one receive batch. NULL when memory is short.
struct cln_receive_batch *cln_receive_batch_create(void);
void cln_receive_batch_destroy(struct cln_receive_batch *batch);
/// Receives up to CLN_RECEIVE_BATCH datagrams without waiting. Returns their count, 0 when none waits, or -errno.
int cln_receive(struct cln_receive_batch *batch, int descriptor);
uint8_t *cln_received_bytes(struct cln_receive_batch *batch, int index);
/// The datagram's length; -1 when it was longer than CLN_RECEIVE_SIZE.
int cln_received_length(struct cln_receive_batch *batch, int index);
const cln_address *cln_received_source(struct cln_receive_batch *batch, int index);

/// One message: `segments` pieces for one destination, all but the last of `segment_size` bytes (UDP_SEGMENT when more than one).
typedef struct cln_message {
    const cln_address *destination;
    struct iovec *pieces;
    uint32_t segments;
    uint16_t segment_size;
} cln_message;

/// Sends up to CLN_SEND_BATCH messages. Returns how many the kernel took (at least 1), or -errno for the first.
int cln_send(int descriptor, const cln_message *messages, unsigned count);

/// Opens a non-blocking UDP socket bound to `address`, with the buffer sizes asked for (the kernel may cap them).
/// With `is_shared` others of this process may be bound there, too (SO_REUSEPORT): the kernel spreads clients over them.
/// Returns the descriptor or -errno; `bound` receives the address with the port the kernel chose.
int cln_udp_open(const cln_address *address, int buffer_bytes, bool is_shared, cln_address *bound);
/// Whether the kernel takes UDP_SEGMENT on this socket.
bool cln_udp_can_segment(int descriptor);
/// The bytes that the socket keeps of what is not yet received; 0 when it does not say.
int cln_udp_receive_buffer(int descriptor);

/// Opens a non-blocking TCP socket that listens at `address`. Connections get these options from it: what is sent leaves at
/// once (TCP_NODELAY), the kernel takes little more than it can send (TCP_NOTSENT_LOWAT), and a path that is gone is noticed
/// (SO_KEEPALIVE, TCP_USER_TIMEOUT). `is_shared` as of `cln_udp_open`. Returns the descriptor or -errno; `bound` receives the
/// address with its port.
int cln_tcp_listen(const cln_address *address, int backlog, bool is_shared, cln_address *bound);
/// Accepts a connection without waiting. Returns its non-blocking descriptor or -errno.
int cln_tcp_accept(int listener, cln_address *remote);
/// Closes a connection so that nothing of it is left: its client gets a reset.
void cln_tcp_reset(int descriptor);

/// Waits for events, at most `nanoseconds`; forever if that is negative. Returns their count, or -1 with `errno`.
/// By the system call itself, since the C library has a name for it only from glibc 2.35 on; where the kernel (before
/// 5.11) or a sandbox lacks it, by `cln_wait_milliseconds`.
int cln_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds);
/// Whether `cln_wait` can wait for less than a millisecond here.
bool cln_waits_in_nanoseconds(int epoll);
/// The same in whole milliseconds, rounded up.
int cln_wait_milliseconds(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds);

/// Makes an eventfd readable.
void cln_wake(int descriptor);
/// Pins the calling thread to one core; returns 0 or -errno.
int cln_pin_thread(int core);
void cln_name_thread(const char *name);
/// CPU time of the calling thread in nanoseconds.
uint64_t cln_thread_cpu_nanoseconds(void);
/// CLOCK_MONOTONIC in nanoseconds.
uint64_t cln_monotonic_nanoseconds(void);
/// CLOCK_REALTIME in nanoseconds since 1970.
uint64_t cln_realtime_nanoseconds(void);
/// 1 when something keeps the clock right (NTP, PTP), 0 when nothing does, -errno when that cannot be asked.
int cln_clock_is_synchronized(void);
/// Has glibc keep at most `count` heaps (M_ARENA_MAX), unless MALLOC_ARENA_MAX says otherwise; nothing with other libraries.
void cln_limit_heaps(int count);
/// The number of processors the process may run on.
int cln_processor_count(void);
