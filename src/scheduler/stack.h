// Choosing a node for one placement: filter, rank, take the best. Rules: reference scheduler 5.1, 6, 11.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "scheduler/group_state.h"
#include "scheduler/preempt.h"

namespace drover::scheduler {

struct SelectOptions {
  std::string_view alloc_name;
  std::vector<Uuid> penalty_nodes;  // where an earlier try of this allocation failed
  uint32_t preferred = kNoRow;      // where its sticky disk is
  bool preempt = false;             // may evict allocations of lower priority
};

struct Selection {
  uint32_t row = kNoRow;
  Ref<AllocatedResources> resources;
  std::vector<Ref<Allocation>> preempted;
};

// Nodes by reason and by class, of one selection.
class Counts {
 public:
  void filter(int32_t reason, uint32_t node_class, int64_t n = 1);
  void exhaust(int32_t reason, uint32_t node_class, int64_t n = 1);
  void add(const Counts& o);
  void write(AllocMetric& metric, const Context& context) const;

 private:
  using Numbers = std::vector<int64_t>;
  static void bump(Numbers& numbers, size_t at, int64_t n);
  Numbers filtered_, exhausted_;              // by reason
  Numbers class_filtered_, class_exhausted_;  // by node class
  int64_t filtered_total_ = 0, exhausted_total_ = 0;
};

// The five best of the nodes seen, best last.
class TopScores {
 public:
  struct Scored {
    uint32_t row;
    double score;
  };
  double least() const { return least_; }
  void offer(uint32_t row, double score);
  const std::vector<Scored>& rows() const { return rows_; }

 private:
  static constexpr size_t kKept = 5;
  std::vector<Scored> rows_;
  double least_ = -std::numeric_limits<double>::infinity();
};

class Stack {
 public:
  enum class Kind { kService, kBatch, kSystem };
  Stack(Context& context, Kind kind);
  ~Stack();

  // The allocations of the job in the state; they count for spreads and distinct properties.
  void set_existing(std::vector<Ref<Allocation>> allocs) { existing_ = std::move(allocs); }
  // Candidates, in order of node id; service and batch stacks shuffle them.
  void set_nodes(std::vector<uint32_t> rows);
  void set_job(const Ref<Job>& job);

  // The best node, or nothing. metric() then tells how it came about.
  std::optional<Selection> select(const TaskGroup& group, const SelectOptions& options);
  // The same among one node only.
  std::optional<Selection> select_row(const TaskGroup& group, uint32_t row, const SelectOptions& options);

  AllocMetric& metric() { return metric_; }
  GroupState& state_of(const TaskGroup& group);
  const std::vector<uint32_t>& nodes() const { return nodes_; }

 private:
  struct Scan;  // per group: what a scan over the whole fleet keeps between placements

  std::optional<Selection> scan_fleet(GroupState& group, const SelectOptions& options);
  std::optional<Selection> scan_list(GroupState& group, const std::vector<uint32_t>& rows, size_t& from, size_t limit,
                                     const SelectOptions& options);
  void update_scan(GroupState& group, Scan& scan);
  void count_static(GroupState& group, Scan& scan);
  // 0 when the row passes the static rules, else the reason to report. Teaches the class eligibility.
  int32_t visit_static(GroupState& group, uint32_t row);
  // 0, or why rules that depend on the plan or on the allocation's name exclude the row.
  int32_t visit_dynamic(GroupState& group, uint32_t row, const SelectOptions& options, bool before_hosts);
  bool penalised(uint32_t row, const SelectOptions& options) const;
  double final_score(GroupState& group, uint32_t row, double sum, int parts, bool penalty, double extra) const;
  std::optional<Selection> take(GroupState& group, uint32_t row, std::vector<Ref<Allocation>> victims);
  void write_scores(GroupState& group, const TopScores& top, const SelectOptions& options,
                    const std::map<uint32_t, Freed>* evicting);
  size_t sample_limit(const GroupState& group) const;

  Context& context_;
  const Kind kind_;
  Ref<Job> job_;
  std::vector<Ref<Allocation>> existing_;
  std::vector<uint32_t> nodes_;
  size_t offset_ = 0;  // where the next sampled scan starts
  int32_t class_ineligible_;
  std::map<std::pair<const Job*, std::string>, std::unique_ptr<GroupState>> groups_;
  std::map<const GroupState*, std::unique_ptr<Scan>> scans_;
  AllocMetric metric_;
};

}  // namespace drover::scheduler
