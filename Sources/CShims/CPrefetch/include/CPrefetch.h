// Swift has no prefetch. A header of its own, because the packet path uses it and no other part of the system.
#pragma once

/// Asks for the cache lines of `length` bytes at `address`, to be written soon or read.
static inline void cpf_prefetch(const void *address, unsigned length) {
    for (unsigned offset = 0; offset < length; offset += 64) __builtin_prefetch((const char *)address + offset, 1, 3);
}
