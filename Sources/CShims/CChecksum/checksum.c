#include "CChecksum.h"

#include <pthread.h>
#include <string.h>

// table[k][b] is the value of byte b followed by k zero bytes, so that eight bytes are looked up at once.
static uint32_t table[8][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0x82F63B78u : value >> 1;
        table[0][byte] = value;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int row = 1; row < 8; row++)
            table[row][byte] = table[row - 1][byte] >> 8 ^ table[0][table[row - 1][byte] & 0xFF];
}

uint32_t cck_crc32c_portable(uint32_t value, const void *bytes, size_t count) {
    pthread_once(&once, fill);
    const uint8_t *next = bytes;
    for (; count >= 8; count -= 8, next += 8) {
        uint32_t low = value ^ ((uint32_t)next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16 | (uint32_t)next[3] << 24);
        value = table[7][low & 0xFF] ^ table[6][low >> 8 & 0xFF] ^ table[5][low >> 16 & 0xFF] ^ table[4][low >> 24]
            ^ table[3][next[4]] ^ table[2][next[5]] ^ table[1][next[6]] ^ table[0][next[7]];
    }
    for (; count > 0; count--, next++) value = value >> 8 ^ table[0][(value ^ *next) & 0xFF];
    return value;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t with_instruction(uint32_t value, const uint8_t *next, size_t count) {
    uint64_t wide = value;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    value = (uint32_t)wide;
    for (; count > 0; count--, next++) value = _mm_crc32_u8(value, *next);
    return value;
}

uint32_t cck_crc32c(uint32_t value, const void *bytes, size_t count) {
    return __builtin_cpu_supports("sse4.2") ? with_instruction(value, bytes, count)
                                            : cck_crc32c_portable(value, bytes, count);
}
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

uint32_t cck_crc32c(uint32_t value, const void *bytes, size_t count) {
    const uint8_t *next = bytes;
    for (; count >= 8; count -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        value = __crc32cd(value, word);
    }
    for (; count > 0; count--, next++) value = __crc32cb(value, *next);
    return value;
}
#else
uint32_t cck_crc32c(uint32_t value, const void *bytes, size_t count) { return cck_crc32c_portable(value, bytes, count); }
#endif
