// How many allocations of a job (or of one of its groups) each value of a node property carries under the plan.
// Stands behind distinct_property and spread. Rules: reference scheduler 5.5, 6.3.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "scheduler/context.h"

namespace drover::scheduler {

class PropertySet {
 public:
  // `group` empty: the whole job. `existing`: the job's allocations in the state.
  PropertySet(Context& context, const Job& job, std::string group, const std::string& target,
              const std::vector<Ref<Allocation>>& existing);

  // Takes in what the plan did since.
  void refresh();

  const std::string& target() const { return target_; }
  uint32_t code(uint32_t row) const { return column_->codes[row]; }
  std::string_view value(uint32_t code) const { return column_->value(code); }
  uint32_t code_of(const std::string& value) const;  // Column::kAbsent when no node has it
  size_t codes() const { return column_->values.size() + 1; }

  // Allocations on nodes with this value: existing and placed less those that the plan stops.
  int64_t used(uint32_t code) const;
  // Some allocation, present or placed, was ever counted for it.
  bool seen(uint32_t code) const;

 private:
  bool concerns(const Allocation& a) const;

  Context* context_;
  std::string ns_, job_id_, group_, target_;
  const Column* column_;
  std::vector<int64_t> existing_, proposed_, cleared_;  // by code
  std::unordered_map<Uuid, uint32_t> existing_code_;
  size_t replayed_ = 0;
};

// A distinct_property constraint.
class DistinctProperty {
 public:
  DistinctProperty(Context& context, const Job& job, std::string group, const Constraint& c,
                   const std::vector<Ref<Allocation>>& existing);
  PropertySet set;
  uint64_t allowed = 1;
  std::string error;  // of the constraint's value: then no node passes

  // 0 when the row may take one more, else the context's number of the reason.
  int32_t why_not(Context& context, uint32_t row);

 private:
  std::string reason(uint32_t code, int64_t used) const;
  // The last reason given per value, and for which use: making the text anew for each node would dominate.
  struct Given {
    int64_t used = -1;
    int32_t reason = 0;
  };
  std::vector<Given> given_;
};

}  // namespace drover::scheduler
