// Spread scoring: how far a node's value of an attribute is from its share. Rules: reference scheduler 6.3.
#pragma once

#include <memory>
#include <vector>

#include "scheduler/property_set.h"

namespace drover::scheduler {

class SpreadScorer {
 public:
  SpreadScorer() = default;
  // The job's spreads and the group's.
  SpreadScorer(Context& context, const Job& job, const TaskGroup& group,
               const std::vector<Ref<Allocation>>& existing);

  bool empty() const { return sets_.empty(); }
  // Computes the boost of every value under the plan as it is now.
  void refresh();
  // The sum over all spreads; 0 says nothing about the node.
  double score(uint32_t row) const {
    double total = 0;
    for (auto& s : sets_) total += s.boosts[s.counts.code(row)];
    return total;
  }

 private:
  struct Set {
    PropertySet counts;
    double weight = 0;
    bool even = false;            // no targets: every value gets the same
    std::vector<double> desired;  // by code; negative: no target
    bool has_rest = false;        // values without a target of their own share `rest`
    double rest = 0;
    std::vector<uint32_t> targets;  // codes with a target of their own
    std::vector<double> boosts;     // by code
  };
  void refresh_targets(Set& set);
  void refresh_even(Set& set);

  std::vector<Set> sets_;
  double sum_weights_ = 0;
  double lowest_boost_ = -1;
};

}  // namespace drover::scheduler
