// sim_run [-seed N] [-seeds N] [-first N] [-repeat N] [-trace] [-log LEVEL]: runs the simulator; exit status 1 when a seed failed.
// A failing seed fails again: -seed N -trace shows what happened. -repeat sees that a seed is always the same run.
#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <string_view>

#include "base/log.h"
#include "sim/simulation.h"

namespace {

struct Arguments {
  uint64_t first = 1, seeds = 100, repeat = 1;
  bool trace = false;
  drover::LogLevel level = drover::LogLevel::kOff;
};

bool parse(int argc, char** argv, Arguments& out) {
  for (int i = 1; i < argc; i++) {
    std::string_view arg = argv[i];
    auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (arg == "-seed") {
      out.first = std::strtoull(value(), nullptr, 10);
      out.seeds = 1;
    } else if (arg == "-first") {
      out.first = std::strtoull(value(), nullptr, 10);
    } else if (arg == "-seeds") {
      out.seeds = std::strtoull(value(), nullptr, 10);
    } else if (arg == "-repeat") {
      out.repeat = std::strtoull(value(), nullptr, 10);
    } else if (arg == "-trace") {
      out.trace = true;
    } else if (arg == "-log" && drover::parse_log_level(value(), out.level)) {
    } else {
      fmt::print(stderr, "usage: sim_run [-seed N] [-seeds N] [-first N] [-repeat N] [-trace] [-log LEVEL]\n");
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return 2;
  static_cast<void>(drover::configure_log({.level = arguments.level}));
  drover::sim::Outcome sum;
  uint64_t failed = 0;
  auto began = std::chrono::steady_clock::now();
  for (uint64_t seed = arguments.first; seed < arguments.first + arguments.seeds; seed++) {
    drover::sim::Options options;
    options.seed = seed;
    options.log = arguments.trace;
    auto r = drover::sim::run(options);
    for (auto& v : r.violations) fmt::print("{}\n", v);
    if (arguments.seeds == 1) fmt::print("seed {}: trace {:016x}, {:.0f} s\n", seed, r.trace_hash, r.seconds);
    if (!r.violations.empty()) fmt::print("again: ./dev sim -seed {} -trace\n", seed);
    failed += !r.violations.empty();
    for (uint64_t i = 1; i < arguments.repeat; i++) {
      auto again = drover::sim::run(options);
      if (again.trace_hash != r.trace_hash) fmt::print("seed {} is another run when it is repeated: trace {:016x}\n", seed, again.trace_hash);
    }
    sum.add(r);
    std::fflush(stdout);
  }
  auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  fmt::print("seeds {} failed {} in {:.0f} s ({:.0f} a minute) | virtual {:.0f} s, commits {}, terms {}, restores {}, writes {}, errors {}, reads {}, "
             "tasks started {} stopped {}, faults {}, pieces sent {}, longest without a write {}\n",
             arguments.seeds, failed, took, static_cast<double>(arguments.seeds) / took * 60, sum.seconds, sum.commits, sum.terms, sum.restores,
             sum.writes, sum.errors, sum.reads, sum.tasks_started, sum.tasks_stopped, sum.faults, sum.pieces, drover::format_duration(sum.longest_silence));
  return failed ? 1 : 0;
}
