// Swift has no instruction for CRC32c. A header of its own, because wire formats use it and nothing else of the system.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Continues a CRC32c (reflected polynomial 0x82F63B78) over `count` bytes. A checksum begins with all ones and is
/// inverted at its end, by the caller.
uint32_t cck_crc32c(uint32_t value, const void *bytes, size_t count);

/// The same without the processor's instruction, for machines that have none.
uint32_t cck_crc32c_portable(uint32_t value, const void *bytes, size_t count);
