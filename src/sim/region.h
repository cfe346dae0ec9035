// Region: everything of one run that its parts share. Members are built in this order and go in the reverse one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/sim_loop.h"
#include "sim/availability.h"
#include "net/memory_network.h"
#include "sim/node_checks.h"
#include "sim/oracle.h"
#include "sim/placement_checks.h"
#include "sim/scenario.h"
#include "sim/task_checks.h"
#include "sim/trace.h"

namespace drover::sim {

class ServerBox;
class NodeBox;

// A directory that is removed with all that is in it; in memory where the machine has such a place.
class ScratchDir {
 public:
  ScratchDir();
  ~ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Region {
  explicit Region(const Options& options);
  ~Region();
  Region(const Region&) = delete;

  void violation(std::string what);
  bool failed() const { return !violations.empty(); }
  std::vector<std::string> server_addresses() const;  // RPC
  // A server that is up, and one that leads and is ready; null when there is none.
  ServerBox* some_server();
  ServerBox* leader();
  double clock_rate();  // of one more machine

  Options options;
  SimWorld sim;
  Dice dice;        // of the simulation itself
  Dice link_dice;   // of the network
  Scenario scenario;
  Trace trace;
  std::vector<std::string> violations;
  ScratchDir scratch;
  net::MemoryNetwork network;
  Oracle oracle;
  TaskChecks tasks;
  NodeChecks node_checks;
  PlacementChecks placement_checks;
  Availability availability;
  std::vector<std::unique_ptr<ServerBox>> servers;
  std::vector<std::unique_ptr<NodeBox>> nodes;
  bool calm = false;  // the faults are over
};

}  // namespace drover::sim
