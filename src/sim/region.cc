#include "sim/region.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/alloc_dir.h"
#include "sim/node_box.h"
#include "sim/server_box.h"

namespace drover::sim {

ScratchDir::ScratchDir() {
  for (std::string place : {"/dev/shm", "/tmp"}) {
    std::string name = place + "/drover-sim-XXXXXX";
    if (::mkdtemp(name.data())) {
      path_ = name;
      return;
    }
  }
  DROVER_ASSERT(false, "no directory for the nodes' files");
}
ScratchDir::~ScratchDir() { (void)client::remove_tree(path_); }

Region::Region(const Options& o)
    : options(o),
      sim(o.seed),
      dice(o.seed),
      link_dice(o.seed ^ 0x6e6574776f726bull),
      scenario(Scenario::draw(dice, o.plant)),
      trace(sim.clock, o.log),
      network(sim.loop, link_dice.random()),
      oracle(trace, [this](std::string what) { violation(std::move(what)); }),
      tasks(oracle, trace, [this](std::string what) { violation(std::move(what)); }),
      node_checks(oracle, scenario, [this](std::string what) { violation(std::move(what)); }),
      placement_checks(oracle, [this](std::string what) { violation(std::move(what)); }),
      availability(scenario, sim.clock, [this](std::string what) { violation(std::move(what)); }) {
  network.quality = scenario.network;
  network.watch = [this](const std::string& from, const std::string& to, size_t bytes) {
    trace.mix_time();
    trace.mix(from);
    trace.mix(to);
    trace.mix(bytes);
  };
}

Region::~Region() {
  // Nobody is told of what the end of everything looks like.
  oracle.listeners.clear();
  nodes.clear();
  servers.clear();
}

void Region::violation(std::string what) {
  trace.event("VIOLATION {}", what);
  if (violations.size() < 20) violations.push_back(fmt::format("seed {} at {:.3f} s: {}", options.seed, trace.seconds(), what));
}

std::vector<std::string> Region::server_addresses() const {
  std::vector<std::string> out;
  for (auto& s : servers) out.push_back(s->ip() + ":4647");
  return out;
}

ServerBox* Region::some_server() {
  std::vector<ServerBox*> up;
  for (auto& s : servers)
    if (s->up()) up.push_back(s.get());
  return up.empty() ? nullptr : dice.pick(up);
}

ServerBox* Region::leader() {
  for (auto& s : servers)
    if (s->leads()) return s.get();
  return nullptr;
}

double Region::clock_rate() {
  auto d = scenario.clock_drift;
  return d == 0 ? 1 : 1 - d + 2 * d * (static_cast<double>(dice.between(0, 1000)) / 1000);
}

}  // namespace drover::sim
