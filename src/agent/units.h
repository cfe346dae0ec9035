// Byte sizes as configuration files write them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace drover::agent {

// "1M", "100GB", "2.5 MiB", "4096": K, M, G, T, P, E with or without B are powers of 1000, Ki, Mi ... of 1024; any case.
// `strconv.ParseFloat: parsing "x": invalid syntax`, `unhandled size name: x`.
Result<uint64_t> parse_byte_size(std::string_view text);

}  // namespace drover::agent
