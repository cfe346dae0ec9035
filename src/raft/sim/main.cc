// raft_sim [--from N] [--seeds N] [--no-membership] [--lying-disk]: runs the cluster simulator; exit status 1 when a seed
// failed. A failing seed fails again: run it alone with --from SEED --seeds 1.
#include <fmt/core.h>

#include <cstdlib>
#include <string_view>

#include "base/log.h"
#include "raft/sim/cluster_sim.h"

int main(int argc, char** argv) {
  using namespace drover;
  uint64_t from = 1, seeds = 100;
  raft::ClusterSimOptions options;
  LogLevel level = LogLevel::kOff;
  for (int i = 1; i < argc; i++) {
    std::string_view arg = argv[i];
    if (arg == "--from" && i + 1 < argc) {
      from = std::strtoull(argv[++i], nullptr, 10);
    } else if (arg == "--seeds" && i + 1 < argc) {
      seeds = std::strtoull(argv[++i], nullptr, 10);
    } else if (arg == "--no-membership") {
      options.membership = false;
    } else if (arg == "--lying-disk") {
      options.lying_disk = true;
    } else if (arg == "--log") {
      level = LogLevel::kTrace;
    } else {
      fmt::print(stderr, "unknown argument {}\n", arg);
      return 2;
    }
  }
  static_cast<void>(configure_log({.level = level, .to_stderr = true}));
  raft::ClusterSimResult sum;
  uint64_t failed = 0;
  for (uint64_t seed = from; seed < from + seeds; seed++) {
    options.seed = seed;
    auto r = raft::run_cluster_sim(options);
    for (auto& v : r.violations) fmt::print("{}\n", v);
    failed += !r.violations.empty();
    sum.commits += r.commits;
    sum.elections += r.elections;
    sum.crashes += r.crashes;
    sum.installs += r.installs;
    sum.reads += r.reads;
    sum.changes += r.changes;
    sum.transfers += r.transfers;
    sum.messages += r.messages;
  }
  fmt::print("seeds {} failed {} | commits {} elections {} crashes {} snapshots restored {} reads {} membership {} transfers {} messages {}\n",
             seeds, failed, sum.commits, sum.elections, sum.crashes, sum.installs, sum.reads, sum.changes, sum.transfers, sum.messages);
  return failed ? 1 : 0;
}
