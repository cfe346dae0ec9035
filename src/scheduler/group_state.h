// One group of one job version during one pass: what is known of every node for it, kept up to date as the plan grows.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scheduler/ask.h"
#include "scheduler/feasibility.h"
#include "scheduler/property_set.h"
#include "scheduler/spread.h"

namespace drover::scheduler {

// A row for this group, under the plan as of the last refresh.
struct Cell {
  enum class State : unsigned char {
    kUnknown,
    kStatic,     // a rule of Feasibility fails
    kFiltered,   // distinct_hosts
    kExhausted,  // it would do, but has no room
    kSilent,     // passed over without a word
    kFits,
  };
  State state = State::kUnknown;
  int32_t reason = 0;        // kFiltered, kExhausted
  int32_t collisions = 0;    // allocations of the same group on it
  double fit = 0;            // 0..1
  double device = 0;         // only with device affinities
};

class GroupState {
 public:
  // `system`: one node is as good as another; neither spreads nor affinities nor distinct hosts count.
  GroupState(Context& context, Ref<Job> job, const TaskGroup& group, const std::vector<Ref<Allocation>>& existing,
             bool system);

  const Job& job() const { return *job_; }
  const TaskGroup& group() const { return group_; }
  const Ask& ask() const { return ask_; }
  const Feasibility& feasibility() const { return feasibility_; }
  std::vector<DistinctProperty>& distinct() { return distinct_; }
  SpreadScorer& spread() { return spread_; }
  bool system() const { return system_; }
  bool has_affinities() const { return affinity_weight_ > 0; }
  // Some affinity or spread: the reference then looks at more nodes.
  bool wants_many() const { return has_affinities() || !spread_.empty(); }
  double affinity(uint32_t row) const { return affinity_.empty() ? 0 : affinity_[row]; }

  // Takes in what the plan did since the last call.
  void refresh();
  // Rows that have to be looked at again, since this was last asked. May name a row twice.
  std::vector<uint32_t> take_stale() { return std::exchange(stale_, {}); }
  const Cell& cell(uint32_t row);
  // Judges a row as if these were its allocations; nothing is remembered.
  Cell judge(uint32_t row, const NodeUse& use, const NodePorts& ports);

  // Parts of the score that do not change within a placement, and how many there are.
  double score_sum(uint32_t row, const Cell& cell, int& parts) const;

 private:
  enum class DistinctHosts : unsigned char { kOff, kJob, kGroup };
  static DistinctHosts distinct_hosts_of(const Job& job, const TaskGroup& group);

  void add_scores(const std::vector<Ref<Allocation>>& existing);

  Context& context_;
  const Ref<Job> job_;
  const TaskGroup& group_;
  const bool system_;
  Ask ask_;
  Feasibility feasibility_;
  std::vector<DistinctProperty> distinct_;
  SpreadScorer spread_;
  DistinctHosts distinct_hosts_;
  double affinity_weight_ = 0;    // sum of |weight|
  std::vector<double> affinity_;  // by row, normalised; empty without affinities
  Bitmap job_rows_;               // rows with allocations of the job in the state
  std::vector<Cell> cells_;       // by row
  std::vector<uint32_t> stale_;
  size_t replayed_ = 0;
};

}  // namespace drover::scheduler
