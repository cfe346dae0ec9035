// Where a MessagePack object ends, without decoding it.
#pragma once

#include <cstddef>
#include <string_view>

namespace drover::state {

// Bytes that the object at the front takes; 0 when they are not all there.
size_t msgpack_extent(std::string_view bytes);
// The head of a map: the number of its entries; `size`: the bytes of the head, 0 when it is no map.
size_t msgpack_map_head(std::string_view bytes, size_t& size);

}  // namespace drover::state
