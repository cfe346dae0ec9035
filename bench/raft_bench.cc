// raft_bench [--dir D] [--size BYTES] [--in-flight N] [--seconds S] [--memory]
//
// One server, entries proposed by N flows at once: committed entries per second, latency from propose to applied, syncs,
// resident memory. --dir should be on the disk that counts; the default is the working directory.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

#include "base/async.h"
#include "base/log.h"
#include "raft/replica.h"
#include "raft/work_thread.h"

namespace drover {
namespace {

struct SystemClock final : Clock {
  Time now() override {
    return Time::from_unix_nanos(std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count());
  }
  Monotonic monotonic() override { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }
};

struct FixedRandom final : Random {
  uint64_t state = 1;
  uint64_t next() override {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
};

// The smallest loop that sleeps when there is nothing to do.
class BenchLoop final : public Loop {
 public:
  void post(std::move_only_function<void()> fn) override {
    {
      std::lock_guard lock(mutex_);
      posted_.push_back(std::move(fn));
    }
    wake_.notify_one();
  }
  Timer after(Duration d, std::move_only_function<void()> fn) override {
    struct State final : Timer::State {
      BenchLoop& loop;
      Key key;
      State(BenchLoop& l, Key k) : loop(l), key(k) {}
      void cancel() override { loop.timers_.erase(key); }
    };
    Key key{clock_.monotonic() + d, next_++};
    timers_[key] = std::move(fn);
    return Timer(std::make_shared<State>(*this, key));
  }
  bool in_loop() const override { return true; }
  Clock& clock() override { return clock_; }
  void run_until(const std::function<bool()>& done) {
    while (!done()) {
      std::vector<std::move_only_function<void()>> batch;
      {
        std::unique_lock lock(mutex_);
        auto due = timers_.empty() ? clock_.monotonic() + 1s : timers_.begin()->first.first;
        wake_.wait_until(lock, due, [&] { return !posted_.empty(); });
        batch.swap(posted_);
      }
      for (auto& fn : batch) fn();
      while (!timers_.empty() && timers_.begin()->first.first <= clock_.monotonic()) timers_.extract(timers_.begin()).mapped()();
    }
  }

 private:
  using Key = std::pair<Monotonic, uint64_t>;
  SystemClock clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::move_only_function<void()>> posted_;
  std::map<Key, std::move_only_function<void()>> timers_;
  uint64_t next_ = 0;
};

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
  Status restore(raft::SnapshotReader& in) override {
    char buffer[64];
    for (;;) {
      DROVER_TRY(size_t got, in.read(buffer, sizeof buffer));
      if (got == 0) return {};
    }
  }
};

struct Arguments {
  std::string dir = "raft-bench";
  size_t size = 256, in_flight = 64;
  int seconds = 5;
  bool memory = false;
};

int run(const Arguments& args) {
  BenchLoop loop;
  FixedRandom random;
  raft::WorkThread pool("pool");
  World world{loop.clock(), random, loop, pool};
  Counter counter;
  raft::Options options;
  options.self = {"bench", "127.0.0.1:4647"};
  options.dir = args.dir;
  options.memory = args.memory;
  auto start = loop.clock().monotonic();
  auto replica = raft::Replica::open(options, {world, counter});
  if (!replica) {
    fmt::print(stderr, "{}\n", replica.error().message);
    return 1;
  }
  raft::Replica& r = **replica;
  if (auto s = r.bootstrap({options.self}); !s) {
    fmt::print(stderr, "{}\n", s.error().message);
    return 1;
  }
  r.start({});
  loop.run_until([&] { return r.is_leader(); });
  auto ready = loop.clock().monotonic();

  std::vector<int64_t> latencies;
  size_t flows = 0;
  bool stop = false;
  auto flow = [&]() -> Async<void> {
    std::string entry(args.size, 'x');
    while (!stop) {
      auto begin = loop.clock().monotonic();
      auto applied = co_await r.propose(entry);
      if (!applied) break;
      latencies.push_back((loop.clock().monotonic() - begin).count());
    }
    flows--;
  };
  auto end = ready + std::chrono::seconds(args.seconds);
  for (size_t i = 0; i < args.in_flight; i++) {
    flows++;
    spawn(flow());
  }
  loop.run_until([&] { return loop.clock().monotonic() >= end; });
  stop = true;
  loop.run_until([&] { return flows == 0; });
  std::sort(latencies.begin(), latencies.end());
  auto at = [&](double q) { return latencies.empty() ? 0.0 : static_cast<double>(latencies[static_cast<size_t>(q * static_cast<double>(latencies.size() - 1))]) / 1e6; };
  raft::Stats st = r.stats();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("start {:.1f} ms | {} B, {} in flight: {:.0f} entries/s, p50 {:.2f} ms, p99 {:.2f} ms, max {:.1f} ms | {} syncs, {:.2f} ms each | rss {} MiB, log {} MiB\n",
             static_cast<double>((ready - start).count()) / 1e6, args.size, args.in_flight, static_cast<double>(latencies.size()) / args.seconds, at(0.5),
             at(0.99), at(1), st.syncs, st.syncs ? static_cast<double>(st.sync_time.count()) / 1e6 / static_cast<double>(st.syncs) : 0.0, usage.ru_maxrss / 1024, st.log_bytes >> 20);
  replica->reset();
  return 0;
}

}  // namespace
}  // namespace drover

int main(int argc, char** argv) {
  drover::Arguments args;
  for (int i = 1; i < argc; i++) {
    std::string_view a = argv[i];
    auto value = [&] { return i + 1 < argc ? argv[++i] : "0"; };
    if (a == "--dir") args.dir = value();
    else if (a == "--size") args.size = std::strtoull(value(), nullptr, 10);
    else if (a == "--in-flight") args.in_flight = std::strtoull(value(), nullptr, 10);
    else if (a == "--seconds") args.seconds = std::atoi(value());
    else if (a == "--memory") args.memory = true;
    else {
      fmt::print(stderr, "unknown argument {}\n", a);
      return 2;
    }
  }
  static_cast<void>(drover::configure_log({.level = drover::LogLevel::kWarn, .to_stderr = true}));
  std::filesystem::remove_all(args.dir);
  int rc = drover::run(args);
  std::filesystem::remove_all(args.dir);
  return rc;
}
