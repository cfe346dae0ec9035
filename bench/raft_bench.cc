// raft_bench [--dir D] [--size BYTES] [--in-flight N] [--seconds S] [--memory] [--no-inline]
//
// One server, entries proposed by N flows at once: committed entries per second, latency from propose to applied, syncs,
// resident memory. --dir should be on the disk that counts; the default is the working directory.
#include <fmt/core.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/log.h"
#include "net/real_world.h"
#include "raft/work_thread.h"
#include "raft_load.h"

namespace drover {
namespace {

struct Arguments {
  std::string dir = "raft-bench";
  size_t size = 256, in_flight = 64;
  int seconds = 5;
  bool memory = false, no_inline = false;
};

void report(const Arguments& args, const Load& load, Duration start, const raft::Stats& st) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print("start {:.1f} ms | ", static_cast<double>(start.count()) / 1e6);
  print_load(args.size, args.in_flight, args.seconds, load);
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

  Load load;
  co_await run_load(*replica, world, args.size, args.in_flight, std::chrono::seconds(args.seconds), load);
  report(args, load, ready - start, replica->stats());
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
