// Allocations of a snapshot stream, decoded on threads beside the reader's: most of a large snapshot is allocations,
// and most of the time of reading one is decoding. They come out in the order in which they went in.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "model/alloc.h"
#include "state/snapshot_records.h"

namespace drover::state {

struct DecodedAlloc {
  std::shared_ptr<Allocation> alloc;
  std::array<uint64_t, kAllocParts> parts{};  // numbers of shared parts; 0: none
};

// The object of a kAllocOfParts record.
Result<DecodedAlloc> decode_alloc(std::string_view bytes);

// Used by one thread. Starts its threads when there is work for them: a small snapshot is decoded where it is read.
class AllocPipeline {
 public:
  AllocPipeline() = default;
  ~AllocPipeline();
  AllocPipeline(const AllocPipeline&) = delete;

  void add(std::string_view bytes);
  // Moves into `out` what is to be taken now: all that is left when `all`, else what keeps the queue bounded.
  Status take(std::vector<DecodedAlloc>& out, bool all);

 private:
  struct Batch {
    std::string bytes;
    std::vector<size_t> pieces;  // their sizes
    std::vector<DecodedAlloc> allocs;
    Status status;
    bool done = false;  // under mutex_
  };
  static void decode(Batch& batch);
  void submit();
  void work();

  std::shared_ptr<Batch> filling_;
  std::deque<std::shared_ptr<Batch>> submitted_;  // oldest first
  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::deque<std::shared_ptr<Batch>> queue_;  // under mutex_
  bool over_ = false;                         // under mutex_
  std::vector<std::thread> threads_;
};

}  // namespace drover::state
