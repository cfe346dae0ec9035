// BadNodes: nodes whose part of plans is rejected again and again, which the planner takes out of scheduling (reference
// server-core 10.4). Pure; lives with the planner.
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace drover::server {

struct BadNodeOptions {
  bool enabled = false;
  int threshold = 100;       // rejections within the window
  Duration window = 5min;
};

class BadNodes {
 public:
  static constexpr size_t kNodesMax = 50;            // those that were rejected last
  static constexpr double kMarksPerSecond = 5.0 / 1800;
  static constexpr double kMarksBurst = 10;

  explicit BadNodes(BadNodeOptions options) : options_(options) {}

  // A rejection. True: the node is to be marked ineligible. Few nodes at a time are: it may be the servers that are bad.
  bool add(const std::string& node, Monotonic now);
  // How often each known node was rejected within the window.
  std::vector<std::pair<std::string, size_t>> scores(Monotonic now);

 private:
  struct Node {
    std::string id;
    std::deque<Monotonic> rejected;  // no more than the threshold
  };
  bool take_mark(Monotonic now);
  void forget_old(Node& node, Monotonic now) const;

  BadNodeOptions options_;
  std::list<Node> nodes_;  // the last rejected first
  double marks_ = kMarksBurst;
  std::optional<Monotonic> marks_at_;
};

}  // namespace drover::server
