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
static enum cim_state state = CIM_ABSENT;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const struct operations *operations(size_t key_length) { return key_length == 32 ? &with_256 : &with_128; }

#if defined(__x86_64__)
// AES-GCM by OpenSSL 3: the key 00 01 02 …, the vector 50 51 52 …, the header of 20 bytes 80 81 82 …, the plaintext 00 07 0e ….
// A tag depends on all of the ciphertext. The lengths take different paths through the library.
static const struct {
    size_t key_length, count;
    uint8_t tag[16];
} answers[] = {
    {16, 0,
     {0x24, 0xc6, 0x49, 0xbd, 0xbc, 0x07, 0x53, 0xe6,
      0x59, 0xf5, 0x64, 0xc8, 0x04, 0x80, 0xd5, 0x51}},
    {16, 37,
     {0x3b, 0xe7, 0x8c, 0xa2, 0x54, 0x40, 0xc6, 0x8f,
      0x95, 0xd5, 0x07, 0xcf, 0xe7, 0x83, 0x08, 0x22}},
    {16, 1200,
     {0x1c, 0x0a, 0xbb, 0x9d, 0x6a, 0xc7, 0x32, 0xc8,
      0x38, 0xdb, 0x7e, 0x32, 0x77, 0x36, 0xf3, 0x02}},
    {32, 0,
     {0xd7, 0xe8, 0xc2, 0xf6, 0x2f, 0x44, 0x37, 0x95,
      0x07, 0xa0, 0x3f, 0xd8, 0xb6, 0xaf, 0x0c, 0xfe}},
    {32, 37,
     {0xb1, 0x20, 0xb4, 0x52, 0xdb, 0xd8, 0xd0, 0xda,
      0x24, 0xc7, 0x2f, 0xef, 0x27, 0xa9, 0x3f, 0xdc}},
    {32, 1200,
     {0x4b, 0x1e, 0x1b, 0xd5, 0x8e, 0xaa, 0x61, 0xc1,
      0x0a, 0x4a, 0x05, 0x34, 0xc4, 0x78, 0xf3, 0x22}},
};

// Whether the library gives the answers that are known: what it is, is known by a file's name and a number only.
static bool answers_rightly(void) {
    static uint8_t key[32], vector[12], header[20], text[1200], sealed[1200], opened[1200];
    static uint8_t expanded[CIM_KEY_SIZE] __attribute__((aligned(CIM_KEY_ALIGNMENT)));
    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof vector; i++) vector[i] = (uint8_t)(0x50 + i);
    for (size_t i = 0; i < sizeof header; i++) header[i] = (uint8_t)(0x80 + i);
    for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        size_t length = answers[i].key_length, count = answers[i].count;
        uint8_t tag[16] = {0};
        cim_expand_key(expanded, key, length);
        cim_seal(expanded, length, vector, header, sizeof header, text, count, sealed, tag);
        if (memcmp(tag, answers[i].tag, sizeof tag) != 0) return false;
        if (count > 0 && memcmp(sealed, text, count) == 0) return false;
        memcpy(opened, sealed, count);
        if (!cim_open(expanded, length, vector, header, sizeof header, opened, count, tag)) return false;
        if (memcmp(opened, text, count) != 0) return false;
        tag[15] ^= 1;
        memcpy(opened, sealed, count);
        if (cim_open(expanded, length, vector, header, sizeof header, opened, count, tag)) return false;
    }
    return true;
}

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
    if (!load(library, variant, 128, &with_128) || !load(library, variant, 256, &with_256)) return;
    state = answers_rightly() ? CIM_USABLE : CIM_FAULTY;
}
#else
static void look(void) {}
#endif

enum cim_state cim_look(void) {
    pthread_once(&once, look);
    return state;
}

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
