// LZW as the membership protocol uses it (Go's compress/lzw, least significant bits first, 8 bit literals): codes of 9
// to 12 bits, 256 clears the table, 257 ends the data.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace drover::gossip {

std::string lzw_compress(std::string_view bytes);
// Nothing when the input is malformed, has no end code, or unfolds to more than `limit` bytes.
std::optional<std::string> lzw_expand(std::string_view bytes, size_t limit);

}  // namespace drover::gossip
