// The node's task drivers: their fingerprints into the node, and their lookup (reference client, section 29.2).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/world.h"
#include "client/config.h"
#include "client/flows.h"
#include "drivers/driver.h"
#include "model/node.h"

namespace drover::client {

// What one fingerprint makes of the node: pure. False when nothing changed. `health_event` gets the event of a change of
// health, if there was one.
bool apply_driver_fingerprint(Node& node, const std::string& driver, const drivers::Fingerprint& fingerprint, Time now,
                              std::optional<NodeEvent>& health_event);

class DriverManager {
 public:
  using Changed = std::function<void(const std::string& driver, const drivers::Fingerprint&)>;

  // Drops drivers that the options do not admit.
  DriverManager(World& world, const Config& config, std::vector<std::unique_ptr<drivers::Driver>> all, Changed changed);

  void start();
  // Returns once every driver has been fingerprinted, or `limit` has passed.
  Async<void> wait_first(Duration limit);
  drivers::Driver* find(std::string_view name) const;

 private:
  Async<void> watch(drivers::Driver* driver);

  World& world_;
  Changed changed_;
  std::vector<std::unique_ptr<drivers::Driver>> drivers_;
  size_t waiting_ = 0;  // for a first fingerprint
  Latch first_;
  Flows flows_;
};

}  // namespace drover::client
