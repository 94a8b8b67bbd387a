#define _GNU_SOURCE
#include "CLinuxNet.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/timex.h>
#include <time.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void cln_limit_heaps(int count) {
#ifdef M_ARENA_MAX
    if (getenv("MALLOC_ARENA_MAX") == NULL) mallopt(M_ARENA_MAX, count);
#else
    (void)count;
#endif
}

void cln_wake(int descriptor) {
    uint64_t one = 1;
    // A full counter is readable already.
    ssize_t ignored = write(descriptor, &one, sizeof one);
    (void)ignored;
}

int cln_pin_thread(int core) {
    cpu_set_t allowed, wanted;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return -errno;
    int count = CPU_COUNT(&allowed);
    if (count == 0) return -EINVAL;
    int skip = core % count;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || skip-- > 0) continue;
        CPU_ZERO(&wanted);
        CPU_SET(cpu, &wanted);
        return sched_setaffinity(0, sizeof wanted, &wanted) == 0 ? 0 : -errno;
    }
    return -EINVAL;
}

void cln_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t cln_thread_cpu_nanoseconds(void) { return nanoseconds(CLOCK_THREAD_CPUTIME_ID); }
uint64_t cln_monotonic_nanoseconds(void) { return nanoseconds(CLOCK_MONOTONIC); }
uint64_t cln_realtime_nanoseconds(void) { return nanoseconds(CLOCK_REALTIME); }

int cln_processor_count(void) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
    int count = CPU_COUNT(&allowed);
    return count > 0 ? count : 1;
}

int cln_clock_is_synchronized(void) {
    struct timex state = {0};
    int code = adjtimex(&state);
    return code < 0 ? -errno : code != TIME_ERROR;
}
