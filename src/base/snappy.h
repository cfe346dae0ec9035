// The block format of snappy, in which payloads of dispatched jobs are kept and travel.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace drover {

std::string snappy_encode(std::string_view bytes);
// kInvalid on damage, and when the result would be longer than `limit` bytes.
Result<std::string> snappy_decode(std::string_view bytes, size_t limit = 64 << 20);

}  // namespace drover
