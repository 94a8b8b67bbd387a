#define _DEFAULT_SOURCE
#include "CIPSecMB.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// The prototypes of the library's ABI 1 (libIPSec_MB.so.1), the context being `struct gcm_context_data`, 112 bytes there.
typedef void (*expand_function)(const void *key, void *expanded);
typedef void (*crypt_function)(
    const void *expanded, void *context, uint8_t *out, const uint8_t *in, uint64_t count, const uint8_t *vector,
    const uint8_t *header, uint64_t header_length, uint8_t *tag, uint64_t tag_length);
typedef unsigned (*version_function)(void);

struct operations {
    expand_function expand;
    crypt_function seal;
    crypt_function open;
};

static struct operations with_128, with_256;
static bool is_available;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#if defined(__x86_64__)
static bool find(void *library, const char *form, const char *variant, int bits, void **function) {
    char name[64];
    snprintf(name, sizeof name, form, bits, variant);
    *function = dlsym(library, name);
    return *function != NULL;
}

static bool load(void *library, const char *variant, int bits, struct operations *operations) {
    return find(library, "aes_gcm_pre_%d_%s", variant, bits, (void **)&operations->expand)
        && find(library, "aes_gcm_enc_%d_%s", variant, bits, (void **)&operations->seal)
        && find(library, "aes_gcm_dec_%d_%s", variant, bits, (void **)&operations->open);
}

static void look(void) {
    const char *variant = NULL;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("vaes") && __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f")
        && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        variant = "vaes_avx512";
    else if (__builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("avx2"))
        variant = "avx_gen4";
    if (variant == NULL) return;
    // Left open for the life of the process.
    void *library = dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return;
    version_function version = (version_function)dlsym(library, "imb_get_version");
    // 1.0 to 1.x keep the structures' sizes; anything else is not what the prototypes above were written for.
    if (version == NULL || version() >> 16 != 1) return;
    is_available = load(library, variant, 128, &with_128) && load(library, variant, 256, &with_256);
}
#else
static void look(void) {}
#endif

bool cim_is_available(void) {
    pthread_once(&once, look);
    return is_available;
}

static const struct operations *operations(size_t key_length) { return key_length == 32 ? &with_256 : &with_128; }

void cim_expand_key(void *expanded, const uint8_t *key, size_t key_length) {
    operations(key_length)->expand(key, expanded);
}

void cim_seal(
    const void *expanded, size_t key_length, const uint8_t vector[12], const void *header, size_t header_length,
    const void *source, size_t count, void *destination, uint8_t *tag) {
    uint8_t context[256] __attribute__((aligned(64)));
    operations(key_length)->seal(
        expanded, context, destination, source, count, vector, header, header_length, tag, 16);
}

bool cim_open(
    const void *expanded, size_t key_length, const uint8_t vector[12], const void *header, size_t header_length,
    void *bytes, size_t count, const uint8_t *tag) {
    uint8_t context[256] __attribute__((aligned(64)));
    uint8_t computed[16];
    operations(key_length)->open(
        expanded, context, bytes, bytes, count, vector, header, header_length, computed, sizeof computed);
    // Without a branch on the first wrong byte.
    uint8_t difference = 0;
    for (int i = 0; i < 16; i++) difference |= computed[i] ^ tag[i];
    return difference == 0;
}

void cim_seal_once(
    const uint8_t *key, size_t key_length, const uint8_t vector[12], const void *header, size_t header_length,
    void *bytes, size_t count, uint8_t *tag) {
    uint8_t expanded[CIM_KEY_SIZE] __attribute__((aligned(CIM_KEY_ALIGNMENT)));
    cim_expand_key(expanded, key, key_length);
    cim_seal(expanded, key_length, vector, header, header_length, bytes, count, bytes, tag);
    explicit_bzero(expanded, sizeof expanded);
}

bool cim_open_once(
    const uint8_t *key, size_t key_length, const uint8_t vector[12], const void *header, size_t header_length,
    void *bytes, size_t count, const uint8_t *tag) {
    uint8_t expanded[CIM_KEY_SIZE] __attribute__((aligned(CIM_KEY_ALIGNMENT)));
    cim_expand_key(expanded, key, key_length);
    bool fits = cim_open(expanded, key_length, vector, header, header_length, bytes, count, tag);
    explicit_bzero(expanded, sizeof expanded);
    return fits;
}
