#include "scheduler/explain_group.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace drover::scheduler {
namespace {

constexpr size_t kMaxExclusions = 64;

// What a node lacks in one dimension; more than 0.
int64_t missing(const NodeCapacity& has, const NodeUse& use, const Usage& ask, std::string_view dimension) {
  if (dimension == "cpu") return use.usage.CpuShares + ask.CpuShares - has.CpuShares;
  if (dimension == "memory") return use.usage.MemoryMB + ask.MemoryMB - has.MemoryMB;
  return use.usage.DiskMB + ask.DiskMB - has.DiskMB;
}

class Explainer {
 public:
  Explainer(Context& context, GroupState& group, const std::vector<uint32_t>& nodes)
      : context_(context), group_(group), nodes_(nodes) {}

  Explanation run(int64_t failed) {
    out_.TaskGroup = group_.group().Name;
    out_.Failed = failed;
    out_.NodesInDatacenters = static_cast<int64_t>(nodes_.size());
    if (nodes_.empty()) out_.Remedies.push_back({.Kind = Remedy::kAddNodes});
    group_.refresh();
    for (auto row : nodes_) look(row);
    add_exclusions();
    add_rule_remedies();
    add_resource_remedies();
    return std::move(out_);
  }

 private:
  void exclude(const std::string& reason, uint32_t row, bool exhausted) {
    auto& fleet = context_.fleet;
    ++excluded_[{exhausted, reason, std::string(fleet.node_classes().value(fleet.node_classes().codes[row]))}];
  }

  void look(uint32_t row) {
    auto& failure = group_.feasibility().failure(row);
    if (failure.stage != Feasibility::Stage::kNone) {
      exclude(context_.reason_text(failure.reason), row, false);
      return;
    }
    if (group_.feasibility().has_transient()) {
      auto why = group_.feasibility().transient_failure(row, {});
      if (!why.empty()) return exclude(why, row, false);
    }
    auto& cell = group_.cell(row);
    if (cell.state == Cell::State::kFiltered) return exclude(context_.reason_text(cell.reason), row, false);
    for (auto& d : group_.distinct())
      if (auto reason = d.why_not(context_, row)) return exclude(context_.reason_text(reason), row, false);
    if (cell.state != Cell::State::kExhausted) return;
    auto& dimension = context_.reason_text(cell.reason);
    exclude(dimension, row, true);
    if (dimension != "cpu" && dimension != "memory" && dimension != "disk") return;
    auto lacks = missing(context_.fleet.capacity(row), context_.use(row), group_.ask().usage, dimension);
    auto& least = least_[dimension];
    if (least.Nodes == 0 || lacks < least.Amount) {
      least = {Remedy::kFreeResource, dimension, lacks, 0, context_.fleet.node(row)->Name};
    }
    if (lacks == least.Amount) ++least.Nodes;
  }

  void add_exclusions() {
    for (auto& [key, nodes] : excluded_) {
      auto& [exhausted, reason, cls] = key;
      out_.Exclusions.push_back({reason, cls, exhausted, nodes});
    }
    std::stable_sort(out_.Exclusions.begin(), out_.Exclusions.end(),
                     [](auto& a, auto& b) { return a.Nodes > b.Nodes; });
    if (out_.Exclusions.size() > kMaxExclusions) out_.Exclusions.resize(kMaxExclusions);
  }

  // A rule is worth dropping where it is the only one that a node fails.
  void add_rule_remedies() {
    auto& rules = group_.feasibility().rules();
    std::map<std::string, int64_t> gained;
    for (auto row : nodes_) {
      const Feasibility::Rule* only = nullptr;
      int failed = 0;
      for (auto& rule : rules)
        if (!rule.passing.test(row)) {
          ++failed;
          only = &rule;
        }
      if (failed == 1) ++gained[only->reason];
    }
    std::vector<Remedy> remedies;
    for (auto& [reason, nodes] : gained) remedies.push_back({Remedy::kDropConstraint, reason, 0, nodes, {}});
    std::stable_sort(remedies.begin(), remedies.end(), [](auto& a, auto& b) { return a.Nodes > b.Nodes; });
    for (auto& r : remedies) out_.Remedies.push_back(std::move(r));
  }

  void add_resource_remedies() {
    for (auto& [dimension, remedy] : least_) out_.Remedies.push_back(remedy);
  }

  Context& context_;
  GroupState& group_;
  const std::vector<uint32_t>& nodes_;
  std::map<std::tuple<bool, std::string, std::string>, int64_t> excluded_;
  std::map<std::string, Remedy> least_;
  Explanation out_;
};

}  // namespace

Explanation explain_group(Context& context, GroupState& group, const std::vector<uint32_t>& nodes, int64_t failed) {
  return Explainer(context, group, nodes).run(failed);
}

}  // namespace drover::scheduler
