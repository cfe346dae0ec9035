// Two streams joined in memory: protocols are tested over these, on any Loop.
#pragma once

#include <memory>
#include <utility>

#include "net/stream.h"

namespace drover::net {

// What one end writes the other reads, in order. At most `capacity` bytes are in flight each way; a full pipe makes the
// writer wait. Destroying an end is an orderly end for the other, whose writes then fail.
std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_pipe(Loop& loop, size_t capacity = 64 * 1024);

}  // namespace drover::net
