// CRC-32C (Castagnoli), by the processor's instruction where it has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace drover::raft {

// The checksum of `bytes` appended to what `crc` covers; start with 0 (or with a salt).
uint32_t crc32c(uint32_t crc, const void* bytes, size_t size);
inline uint32_t crc32c(uint32_t crc, std::string_view bytes) { return crc32c(crc, bytes.data(), bytes.size()); }

namespace detail {
uint32_t crc32c_table(uint32_t crc, const void* bytes, size_t size);  // the portable one; tests compare
}

}  // namespace drover::raft
