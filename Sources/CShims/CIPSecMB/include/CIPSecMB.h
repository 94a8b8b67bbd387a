// AES-GCM from intel-ipsec-mb (Debian: libipsec-mb1), if the machine has it: looked for at run time, never needed.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Bytes of an expanded key, and their alignment: `struct gcm_key_data` of the library's ABI 1.
#define CIM_KEY_SIZE 1024
#define CIM_KEY_ALIGNMENT 64

enum cim_state {
    /// The library is not there, is another version, or the processor lacks what it needs.
    CIM_ABSENT,
    /// It is there, and gives other answers than AES-GCM has.
    CIM_FAULTY,
    CIM_USABLE,
};

/// Looks for the library and tries it, once; safe from any thread.
enum cim_state cim_look(void);
/// Expands a key of 16 or 32 bytes. Call only when usable.
void cim_expand_key(void *expanded, const uint8_t *key, size_t key_length);
/// Encrypts `count` bytes from `source` to `destination` (equal or apart) and writes the 16-byte tag.
void cim_seal(
    const void *expanded, size_t key_length, const uint8_t vector[12], const void *header, size_t header_length,
    const void *source, size_t count, void *destination, uint8_t *tag);
/// Decrypts `count` bytes in place; `false`, and the bytes void, when the tag behind them does not fit.
bool cim_open(
    const void *expanded, size_t key_length, const uint8_t vector[12], const void *header, size_t header_length,
    void *bytes, size_t count, const uint8_t *tag);
/// `cim_seal` in place, with the key expanded for this call on the stack, and wiped from there.
void cim_seal_once(
    const uint8_t *key, size_t key_length, const uint8_t vector[12], const void *header, size_t header_length,
    void *bytes, size_t count, uint8_t *tag);
/// `cim_open`, likewise.
bool cim_open_once(
    const uint8_t *key, size_t key_length, const uint8_t vector[12], const void *header, size_t header_length,
    void *bytes, size_t count, const uint8_t *tag);

static inline void cim_prefetch(const void *expanded) {
    for (unsigned offset = 0; offset < CIM_KEY_SIZE; offset += 64) __builtin_prefetch((const char *)expanded + offset, 0, 3);
}
