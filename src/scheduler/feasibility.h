// Which nodes can ever run a group: constraints, drivers, volumes, devices, networks. Each rule is a bitmap over the
// fleet; the first one that a node fails is the one that users see. Rules: reference scheduler 5.
#pragma once

#include <string>
#include <vector>

#include "scheduler/context.h"

namespace drover::scheduler {

class Feasibility {
 public:
  enum class Stage : unsigned char { kNone, kJob, kGroup };

  struct Rule {
    std::string reason;
    Stage stage;
    Bitmap passing;
  };
  // The first failed rule of a row.
  struct Failure {
    Stage stage = Stage::kNone;  // kNone: the row passes
    int32_t reason = 0;          // number of the context
  };

  Feasibility(Context& context, const Job& job, const TaskGroup& group);

  const Failure& failure(uint32_t row) const { return failures_[row]; }
  const std::vector<Rule>& rules() const { return rules_; }

  // Rules that depend on the allocation's name or on claims, and are asked for every placement.
  bool has_transient() const { return per_alloc_host_volumes_ || has_csi_; }
  // "" when the row passes them.
  std::string transient_failure(uint32_t row, std::string_view alloc_name) const;

 private:
  void add_constraints(const List<Constraint>& constraints, Stage stage);
  void add_drivers(const TaskGroup& group);
  void add_host_volumes(const TaskGroup& group);
  void add_devices(const TaskGroup& group);
  void add_network(const TaskGroup& group);
  void judge();
  std::string csi_failure(const Node& node, std::string_view alloc_name) const;

  Context& context_;
  const Job& job_;
  const TaskGroup& group_;
  bool per_alloc_host_volumes_ = false, has_csi_ = false;
  std::vector<Rule> rules_;
  std::vector<Failure> failures_;
};

// Whether the node has every host volume that the group asks for, for an allocation of this name.
bool has_host_volumes(const Node& node, const TaskGroup& group, std::string_view alloc_name);
// "" or why the node's networks cannot serve the ask.
std::string network_failure(const Node& node, const NetworkResource& ask, ConstraintChecker& checker);

}  // namespace drover::scheduler
