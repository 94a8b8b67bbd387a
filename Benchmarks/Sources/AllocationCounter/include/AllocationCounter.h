/* LD_PRELOAD library: counts the allocations of threads whose name starts with "shard-".
 * The counts are in the file that ALLOCATION_COUNTS names: struct allocation_counts, kept current, mapped shared. */
#pragma once
#include <stdint.h>

struct allocation_counts {
    uint64_t allocations; /* calls of malloc, calloc, realloc, posix_memalign, aligned_alloc, memalign */
    uint64_t bytes;       /* asked for by them */
    uint64_t frees;
};
