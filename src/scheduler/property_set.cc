#include "scheduler/property_set.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "model/status.h"

namespace drover::scheduler {

PropertySet::PropertySet(Context& context, const Job& job, std::string group, const std::string& target,
                         const std::vector<Ref<Allocation>>& existing)
    : context_(&context),
      ns_(job.Namespace),
      job_id_(job.ID),
      group_(std::move(group)),
      target_(target),
      column_(&context.fleet.column(target)),
      existing_(codes()),
      proposed_(codes()),
      cleared_(codes()) {
  for (auto& a : existing) {
    if (is_terminal(*a) || !concerns(*a)) continue;
    if (a->Job && a->Job->CreateIndex != job.CreateIndex) continue;
    auto row = context.fleet.row(a->NodeID);
    if (row == kNoRow) continue;
    ++existing_[code(row)];
    existing_code_.emplace(a->ID, code(row));
  }
}

bool PropertySet::concerns(const Allocation& a) const {
  return a.JobID == job_id_ && a.Namespace == ns_ && (group_.empty() || a.TaskGroup == group_);
}

void PropertySet::refresh() {
  auto& log = context_->plan.log();
  for (; replayed_ < log.size(); ++replayed_) {
    auto& change = log[replayed_];
    if (change.kind == Change::Kind::kPreempt || !concerns(*change.alloc)) continue;
    auto row = context_->fleet.row(change.alloc->NodeID);
    if (row == kNoRow) continue;
    if (change.kind == Change::Kind::kStop) {
      if (!is_terminal(*change.alloc)) cleared_[code(row)] += change.sign;
      continue;
    }
    ++proposed_[code(row)];
    // An update in place is in the state and in the plan: once is enough.
    if (auto it = existing_code_.find(change.alloc->ID); it != existing_code_.end()) {
      --existing_[it->second];
      existing_code_.erase(it);
    }
  }
}

uint32_t PropertySet::code_of(const std::string& value) const {
  auto it = column_->index.find(value);
  return it == column_->index.end() ? Column::kAbsent : it->second;
}

int64_t PropertySet::used(uint32_t c) const {
  auto cleared = cleared_[c];
  if (cleared > 1 && proposed_[c] > 0) --cleared;
  return std::max<int64_t>(0, existing_[c] + proposed_[c] - cleared);
}

bool PropertySet::seen(uint32_t c) const { return existing_[c] != 0 || proposed_[c] != 0; }

DistinctProperty::DistinctProperty(Context& context, const Job& job, std::string group, const Constraint& c,
                                   const std::vector<Ref<Allocation>>& existing)
    : set(context, job, std::move(group), c.LTarget, existing), given_(set.codes()) {
  if (c.RTarget.empty()) return;
  if (auto n = parse_uint(c.RTarget)) {
    allowed = *n;
  } else {
    error = fmt::format("failed to convert RTarget {} to uint64: strconv.ParseUint: parsing {}: invalid syntax",
                        go_quote(c.RTarget), go_quote(c.RTarget));
  }
}

std::string DistinctProperty::reason(uint32_t code, int64_t used) const {
  if (!error.empty()) return error;
  if (code == Column::kAbsent) return fmt::format("missing property {}", go_quote(set.target()));
  return fmt::format("distinct_property: {}={} used by {} allocs", set.target(), set.value(code), used);
}

int32_t DistinctProperty::why_not(Context& context, uint32_t row) {
  auto code = set.code(row);
  auto used = code == Column::kAbsent ? 0 : set.used(code);
  if (error.empty() && code != Column::kAbsent && static_cast<uint64_t>(used) < allowed) return 0;
  auto& given = given_[code];
  if (given.used != used) given = {used, context.reason(reason(code, used))};
  return given.reason;
}

}  // namespace drover::scheduler
