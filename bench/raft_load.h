// What the programs that measure the log share: a state machine that counts, and flows that each propose one entry after
// the other.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "raft/replica.h"

namespace drover {

struct Counter final : raft::StateMachine {
  uint64_t entries = 0;
  std::any apply(uint64_t, std::string_view) override {
    entries++;
    return {};
  }
  std::unique_ptr<raft::SnapshotSource> snapshot() override {
    struct Source final : raft::SnapshotSource {
      Status write(raft::SnapshotSink& out) override { return out.write("counter"); }
    };
    return std::make_unique<Source>();
  }
  Result<Swap> load(raft::SnapshotReader& in) override {
    char buffer[64];
    for (;;) {
      DROVER_TRY(size_t got, in.read(buffer, sizeof buffer));
      if (got == 0) return Swap([] { return nullptr; });
    }
  }
};

struct Load {
  std::vector<int64_t> latencies;  // nanoseconds, of each entry from propose to applied
  size_t flows = 0;
  bool stop = false;
  Promise<bool> all_ended;

  double ms(double quantile) const { return static_cast<double>(latencies[static_cast<size_t>(quantile * static_cast<double>(latencies.size() - 1))]) / 1e6; }
};

// Proposes until it is told to stop or one is refused.
inline Async<void> flow(raft::Replica& replica, Clock& clock, size_t size, Load& load) {
  std::string entry(size, 'x');
  while (!load.stop) {
    auto begin = clock.monotonic();
    auto applied = co_await replica.propose(entry);
    if (!applied) {
      fmt::print(stderr, "{}\n", applied.error().message);
      break;
    }
    load.latencies.push_back((clock.monotonic() - begin).count());
  }
  if (--load.flows == 0) load.all_ended.set(true);
}

// `in_flight` flows for so long.
inline Async<void> run_load(raft::Replica& replica, World& world, size_t size, size_t in_flight, Duration time, Load& load) {
  load.flows = in_flight;
  for (size_t i = 0; i < in_flight; i++) spawn(flow(replica, world.clock, size, load));
  co_await sleep_for(world.loop, time);
  load.stop = true;
  co_await load.all_ended;
  std::sort(load.latencies.begin(), load.latencies.end());
}

// Without the line's end.
inline void print_load(size_t size, size_t in_flight, double seconds, const Load& load) {
  if (load.latencies.empty()) return fmt::print("nothing was committed");
  fmt::print("{} B, {} in flight: {:.0f} entries/s, p50 {:.2f} ms, p99 {:.2f} ms, max {:.1f} ms", size, in_flight,
             static_cast<double>(load.latencies.size()) / seconds, load.ms(0.5), load.ms(0.99), load.ms(1));
}

}  // namespace drover
