// AllocUpdateBatch: many nodes' reports about their allocations in one log entry.
//
// Leading edge: after a quiet interval the first report leaves at once; those that come within the interval after it
// wait for its end and go together. The interval bounds the rate of entries, it does not delay a lone report: it grows
// with what the last entry carried.
#pragma once

#include <memory>
#include <vector>

#include "base/async.h"
#include "model/rpc.h"

namespace drover::server {

class Server;

class AllocUpdateBatch {
 public:
  static constexpr Duration kInterval = 50ms;           // after an entry of 50 reports or more
  static constexpr Duration kIntervalPerReport = 1ms;

  explicit AllocUpdateBatch(Server& server) : server_(server) {}
  ~AllocUpdateBatch();
  // Leadership has changed: what waits was for the leader that was, and its nodes must tell the next.
  void drop();

  // Adds to the batch and waits until it is in the log. The value is the index.
  Async<Result<uint64_t>> add(List<Allocation> updates, std::vector<Evaluation> evals);

 private:
  void flush();
  Async<void> write(rpc::AllocUpdateRequest request, std::vector<Promise<Result<uint64_t>>> waiting);

  Server& server_;
  rpc::AllocUpdateRequest pending_;
  std::vector<Promise<Result<uint64_t>>> waiting_;
  Monotonic next_flush_{};
  Timer timer_;
  std::vector<Running> writes_;
};

}  // namespace drover::server
