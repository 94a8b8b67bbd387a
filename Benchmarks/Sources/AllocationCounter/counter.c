#define _GNU_SOURCE
#include "AllocationCounter.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* glibc's own entry points: looking the next ones up with dlsym would allocate. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static struct allocation_counts nowhere, *counts = &nowhere;

__attribute__((constructor)) static void map_counts(void) {
    const char *path = getenv("ALLOCATION_COUNTS");
    if (!path) return;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return;
    void *map = MAP_FAILED;
    if (!ftruncate(file, sizeof *counts)) map = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (map != MAP_FAILED) counts = map;
}

/* A thread gets its name after it has started, so a thread that is not counted is asked again at every call. */
static bool is_counted(void) {
    static __thread bool known __attribute__((tls_model("initial-exec")));
    char name[16];
    if (!known && !prctl(PR_GET_NAME, name)) known = !strncmp(name, "shard-", 6);
    return known;
}
static void *allocated(void *block, size_t bytes) {
    if (is_counted()) {
        __atomic_fetch_add(&counts->allocations, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&counts->bytes, bytes, __ATOMIC_RELAXED);
    }
    return block;
}

void *malloc(size_t n) { return allocated(__libc_malloc(n), n); }
void *calloc(size_t count, size_t n) { return allocated(__libc_calloc(count, n), count * n); }
void *realloc(void *block, size_t n) { return allocated(__libc_realloc(block, n), n); }
void *memalign(size_t alignment, size_t n) { return allocated(__libc_memalign(alignment, n), n); }
void *aligned_alloc(size_t alignment, size_t n) { return memalign(alignment, n); }
int posix_memalign(void **block, size_t alignment, size_t n) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1))) return EINVAL;
    void *got = memalign(alignment, n);
    if (!got) return ENOMEM;
    *block = got;
    return 0;
}
void free(void *block) {
    if (block && is_counted()) __atomic_fetch_add(&counts->frees, 1, __ATOMIC_RELAXED);
    __libc_free(block);
}
