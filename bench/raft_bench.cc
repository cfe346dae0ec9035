// raft_bench [--dir D] [--size BYTES] [--in-flight N] [--seconds S] [--memory] [--no-inline]
//
// One server, entries proposed by N flows at once: committed entries per second, latency from propose to applied, syncs,
// resident memory. --dir should be on the disk that counts; the default is the working directory.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/log.h"
#include "net/real_world.h"
#include "raft/replica.h"
#include "raft/work_thread.h"

namespace drover {
namespace {

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
  bool memory = false, no_inline = false;
};

struct Measured {
  std::vector<int64_t> latencies;  // nanoseconds
  size_t flows = 0;
  bool stop = false;
  Promise<bool> all_ended;
};

Async<void> flow(raft::Replica& replica, Clock& clock, const Arguments& args, Measured& m) {
  std::string entry(args.size, 'x');
  while (!m.stop) {
    auto begin = clock.monotonic();
    auto applied = co_await replica.propose(entry);
    if (!applied) break;
    m.latencies.push_back((clock.monotonic() - begin).count());
  }
  if (--m.flows == 0) m.all_ended.set(true);
}

void report(const Arguments& args, Measured& m, Duration start, const raft::Stats& st) {
  auto& all = m.latencies;
  std::sort(all.begin(), all.end());
  auto ms = [&](double q) { return all.empty() ? 0.0 : static_cast<double>(all[static_cast<size_t>(q * static_cast<double>(all.size() - 1))]) / 1e6; };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("start {:.1f} ms | {} B, {} in flight: {:.0f} entries/s, p50 {:.2f} ms, p99 {:.2f} ms, max {:.1f} ms", static_cast<double>(start.count()) / 1e6,
             args.size, args.in_flight, static_cast<double>(all.size()) / args.seconds, ms(0.5), ms(0.99), ms(1));
  fmt::print(" | {} syncs, {:.2f} ms each | rss {} MiB, log {} MiB\n", st.syncs,
             st.syncs ? static_cast<double>(st.sync_time.count()) / 1e6 / static_cast<double>(st.syncs) : 0.0, usage.ru_maxrss / 1024, st.log_bytes >> 20);
}

Async<Status> run(World& world, Arguments args) {
  Counter counter;
  raft::Options options;
  options.self = {"bench", "127.0.0.1:4647"};
  options.dir = args.dir;
  options.memory = args.memory;
  options.inline_sync = !args.no_inline;
  auto start = world.clock.monotonic();
  DROVER_CO_TRY(auto replica, raft::Replica::open(options, {world, counter}));
  DROVER_CO_CHECK(replica->bootstrap({options.self}));
  Promise<bool> leads;
  raft::Events events;
  events.leadership = [&](bool is_leader, uint64_t) { leads.set(is_leader); };
  replica->start(std::move(events));
  co_await leads;
  auto ready = world.clock.monotonic();

  Measured m;
  m.flows = args.in_flight;
  for (size_t i = 0; i < args.in_flight; i++) spawn(flow(*replica, world.clock, args, m));
  co_await sleep_for(world.loop, std::chrono::seconds(args.seconds));
  m.stop = true;
  co_await m.all_ended;
  report(args, m, ready - start, replica->stats());
  co_return Status();
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
    else if (a == "--no-inline") args.no_inline = true;
    else {
      fmt::print(stderr, "unknown argument {}\n", a);
      return 2;
    }
  }
  static_cast<void>(drover::configure_log({.level = drover::LogLevel::kWarn, .to_stderr = true}));
  std::filesystem::remove_all(args.dir);
  drover::net::AsioLoop loop;
  drover::net::RealRandom random;
  drover::raft::WorkThread pool("pool");
  drover::World world{loop.clock(), random, loop, pool};
  auto status = drover::net::block_on(loop, drover::run(world, args));
  std::filesystem::remove_all(args.dir);
  if (status) return 0;
  fmt::print(stderr, "{}\n", status.error().message);
  return 1;
}
