#include "server/bad_nodes.h"

#include <algorithm>

namespace drover::server {

void BadNodes::forget_old(Node& node, Monotonic now) const {
  while (!node.rejected.empty() && node.rejected.front() < now - options_.window) node.rejected.pop_front();
}

bool BadNodes::take_mark(Monotonic now) {
  if (marks_at_) {
    auto seconds = std::chrono::duration<double>(now - *marks_at_).count();
    marks_ = std::min(kMarksBurst, marks_ + seconds * kMarksPerSecond);
  }
  marks_at_ = now;
  if (marks_ < 1) return false;
  marks_ -= 1;
  return true;
}

bool BadNodes::add(const std::string& node, Monotonic now) {
  if (!options_.enabled) return false;
  auto it = std::find_if(nodes_.begin(), nodes_.end(), [&](auto& n) { return n.id == node; });
  if (it == nodes_.end()) nodes_.push_front({node, {}});
  else nodes_.splice(nodes_.begin(), nodes_, it);
  if (nodes_.size() > kNodesMax) nodes_.pop_back();
  auto& known = nodes_.front();
  forget_old(known, now);
  known.rejected.push_back(now);
  auto limit = static_cast<size_t>(std::max(options_.threshold, 1));
  if (known.rejected.size() > limit) known.rejected.pop_front();
  return known.rejected.size() >= limit && take_mark(now);
}

std::vector<std::pair<std::string, size_t>> BadNodes::scores(Monotonic now) {
  std::vector<std::pair<std::string, size_t>> out;
  for (auto& n : nodes_) {
    forget_old(n, now);
    out.emplace_back(n.id, n.rejected.size());
  }
  return out;
}

}  // namespace drover::server
