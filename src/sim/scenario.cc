#include "sim/scenario.h"

namespace drover::sim {

using namespace std::chrono_literals;

Scenario Scenario::draw(Dice& dice, Plant plant) {
  Scenario s;
  s.servers = dice.chance(0.7) ? 3 : 5;
  s.nodes = static_cast<int>(dice.between(2, 5));
  s.network.delay_max = dice.between(Duration(500us), Duration(20ms));
  s.network.stall = dice.chance(0.5) ? 0 : 0.002;
  s.network.loss = dice.chance(0.4) ? 0 : 0.05;
  s.network.duplicate = dice.chance(0.4) ? 0 : 0.05;
  s.network.reset = dice.chance(0.6) ? 0 : 0.0002;
  s.disk_delay_max = dice.chance(0.7) ? dice.between(Duration(200us), Duration(5ms)) : dice.between(Duration(5ms), Duration(60ms));
  s.clock_drift = dice.chance(0.5) ? 0 : 0.01;
  s.fault_pause_min = 200ms;
  s.fault_pause_max = dice.between(Duration(3s), Duration(25s));
  s.snapshot_threshold = dice.chance(0.5) ? dice.between(uint64_t{20}, uint64_t{150}) : 8192;
  s.trailing_logs = dice.between(uint64_t{0}, uint64_t{60});
  s.segment = dice.chance(0.7) ? 256u << 10 : 2u << 20;
  s.snapshot_chunk = dice.chance(0.5) ? 256u << 10 : 2u << 10;
  s.membership = dice.chance(0.4);
  s.gentle = dice.chance(0.25) || plant == Plant::kDeafNode || plant == Plant::kNoMajority;
  if (plant == Plant::kNoMajority) s.servers = 3;
  if (s.gentle) s.membership = false;
  return s;
}

}  // namespace drover::sim
