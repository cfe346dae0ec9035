#include "sim/simulation.h"

#include "raft/replica.h"
#include "sim/faults.h"
#include "sim/node_box.h"
#include "sim/plants.h"
#include "sim/region.h"
#include "sim/server_box.h"
#include "sim/workload.h"

namespace drover::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kCompareEvery = 2s, kLookEvery = 1s;
constexpr uint64_t kTendEvery = 15;  // looks

class Simulation {
 public:
  explicit Simulation(const Options& options) : region_(options), workload_(region_), faults_(region_) {}
  Outcome run();

 private:
  // Runs for d, with the checks of every step; false: a violation.
  bool live(Duration d);
  void compare();
  bool settle();
  Outcome result();

  Region region_;
  Workload workload_;
  Faults faults_;
  Monotonic next_compare_{};
};

bool Simulation::live(Duration d) {
  auto end = region_.sim.clock.monotonic() + d;
  while (region_.sim.loop.step(end)) {
    for (auto& s : region_.servers) s->look();
    if (region_.sim.clock.monotonic() >= next_compare_) compare();
    if (region_.failed()) return false;
  }
  region_.sim.clock.advance_to(end);
  return !region_.failed();
}

void Simulation::compare() {
  next_compare_ = region_.sim.clock.monotonic() + kCompareEvery;
  std::vector<std::pair<int, state::Snapshot>> states;
  for (auto& s : region_.servers)
    if (s->up()) states.emplace_back(s->number(), s->server()->snapshot());
  region_.oracle.compare(states);
  region_.availability.look();
}

bool Simulation::settle() {
  faults_.end();
  if (!live(45s)) return false;
  region_.availability.end();
  workload_.settle();
  auto deadline = region_.sim.clock.monotonic() + region_.options.patience;
  std::string missing;
  for (uint64_t looks = 0; region_.sim.clock.monotonic() < deadline; looks++) {
    if (looks % kTendEvery == 0) workload_.tend();
    if (!live(kLookEvery)) return false;
    missing = workload_.unsettled();
    if (missing.empty()) break;
  }
  if (!missing.empty()) region_.violation("does not come to rest: " + missing);
  compare();
  return !region_.failed();
}

Outcome Simulation::run() {
  auto& scenario = region_.scenario;
  for (int n = 1; n <= scenario.servers + (scenario.membership ? scenario.spare_servers : 0); n++)
    region_.servers.push_back(std::make_unique<ServerBox>(region_, n));
  for (int n = 1; n <= scenario.nodes; n++) region_.nodes.push_back(std::make_unique<NodeBox>(region_, n));
  region_.trace.event("{} servers, {} nodes", scenario.servers, scenario.nodes);
  for (auto& s : region_.servers)
    if (s->number() <= scenario.servers) s->boot();
  for (auto& n : region_.nodes) n->boot();
  live(8s);
  workload_.start();
  if (!region_.failed()) live(8s);
  region_.availability.begin();
  faults_.start();
  plant_fault(region_);
  if (!region_.failed() && live(region_.options.chaos)) {
    region_.calm = true;
    settle();
  }
  return result();
}

Outcome Simulation::result() {
  Outcome r;
  r.violations = region_.violations;
  r.trace_hash = region_.trace.hash();
  r.commits = region_.oracle.commits();
  r.terms = region_.oracle.terms();
  r.restores = region_.oracle.restores();
  r.writes = workload_.counts().writes;
  r.errors = workload_.counts().errors;
  r.reads = workload_.registers().reads();
  r.tasks_started = region_.tasks.started();
  r.tasks_stopped = region_.tasks.stopped();
  for (auto& [name, count] : faults_.counts()) r.faults += count;
  r.longest_silence = region_.availability.gentle() ? region_.availability.longest() : Duration::zero();
  r.pieces = region_.network.pieces;
  r.seconds = region_.trace.seconds();
  return r;
}

}  // namespace

void Outcome::add(const Outcome& o) {
  commits += o.commits;
  terms += o.terms;
  restores += o.restores;
  writes += o.writes;
  errors += o.errors;
  reads += o.reads;
  tasks_started += o.tasks_started;
  tasks_stopped += o.tasks_stopped;
  faults += o.faults;
  pieces += o.pieces;
  longest_silence = std::max(longest_silence, o.longest_silence);
  seconds += o.seconds;
}

Outcome run(const Options& options) { return Simulation(options).run(); }

}  // namespace drover::sim
