#define _GNU_SOURCE
#include "CLinuxNet.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// The same number on all architectures since Linux 5.11; older headers lack it.
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static atomic_bool lacks_nanoseconds;

// Only the kernel's own type is right for the call itself, on 32-bit systems too.
struct kernel_timespec {
    int64_t seconds;
    int64_t nanoseconds;
};

int cln_wait_milliseconds(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
    // Rounded up: a wait that ends before its time would be repeated until it is there.
    int64_t milliseconds = nanoseconds / 1000000 + (nanoseconds % 1000000 > 0);
    if (nanoseconds < 0) milliseconds = -1;
    if (milliseconds > INT_MAX) milliseconds = INT_MAX;
    return epoll_wait(epoll, events, capacity, (int)milliseconds);
}

int cln_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
    if (atomic_load_explicit(&lacks_nanoseconds, memory_order_relaxed))
        return cln_wait_milliseconds(epoll, events, capacity, nanoseconds);
    struct kernel_timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    int count = (int)syscall(SYS_epoll_pwait2, epoll, events, capacity, nanoseconds < 0 ? NULL : &limit, NULL, 0);
    // The call itself never fails with EPERM: so say sandboxes that do not know it.
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    atomic_store_explicit(&lacks_nanoseconds, true, memory_order_relaxed);
    return cln_wait_milliseconds(epoll, events, capacity, nanoseconds);
}

bool cln_waits_in_nanoseconds(int epoll) {
    struct epoll_event event;
    cln_wait(epoll, &event, 1, 0);
    return !atomic_load_explicit(&lacks_nanoseconds, memory_order_relaxed);
}
