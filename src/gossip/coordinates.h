// Network coordinates (Vivaldi, with height, adjustment and gravity, as "Network Coordinates in the Wild" has it): each
// node keeps a point such that distances predict round trips. Acks of probes carry them.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "base/world.h"
#include "gossip/messages.h"

namespace drover::gossip {

class Coordinates {
 public:
  explicit Coordinates(Random& random);
  const Coordinate& own() const { return own_; }
  uint64_t resets() const { return resets_; }
  // Takes in one measured round trip to a node with the given coordinate.
  Status update(const std::string& node, const Coordinate& other, Duration rtt);
  void forget(const std::string& node) { samples_.erase(node); }
  // Estimated seconds between two coordinates.
  static double distance(const Coordinate& a, const Coordinate& b);

 private:
  void push(Coordinate& c, double force, const Coordinate& from);
  Random& random_;
  Coordinate own_, origin_;
  std::vector<double> adjustments_;
  size_t adjustment_at_ = 0;
  std::unordered_map<std::string, std::deque<double>> samples_;   // last round trips, seconds
  uint64_t resets_ = 0;
};

}  // namespace drover::gossip
