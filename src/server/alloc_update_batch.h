// AllocUpdateBatch: many nodes' reports about their allocations in one log entry.
//
// Leading edge: after a quiet interval the first report leaves at once; those that come within the interval after it
// wait for its end and go together. The interval bounds the rate of entries, it does not delay a lone report: it grows
// with what the last entry carried. More reports than an entry carries go in several at once: an entry is applied in one
// turn of the loop, and a thousand reports would hold up all else for ten milliseconds.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/async.h"
#include "base/flows.h"
#include "model/rpc.h"

namespace drover::server {

class Server;

class AllocUpdateBatch {
 public:
  static constexpr Duration kInterval = 50ms;           // after an entry of 50 reports or more
  static constexpr Duration kIntervalPerReport = 1ms;
  static constexpr size_t kReportsPerEntry = 250;

  explicit AllocUpdateBatch(Server& server) : server_(server) {}
  ~AllocUpdateBatch();
  // Leadership has changed: what waits was for the leader that was, and its nodes must tell the next.
  void drop();

  // Adds to the batch and waits until it is in the log. The value is the index.
  Async<Result<uint64_t>> add(List<Allocation> updates, std::vector<Evaluation> evals);

 private:
  // What several entries have in common: whoever waits is told when all are written, or that one was not.
  struct Flush {
    size_t entries = 0;
    uint64_t index = 0;
    std::optional<Error> error;
    std::vector<Promise<Result<uint64_t>>> waiting;
  };
  void flush();
  Async<void> write(rpc::AllocUpdateRequest request, std::shared_ptr<Flush> flush);

  Server& server_;
  rpc::AllocUpdateRequest pending_;
  std::vector<Promise<Result<uint64_t>>> waiting_;
  Monotonic next_flush_{};
  Timer timer_;
  Flows writes_;
};

}  // namespace drover::server
