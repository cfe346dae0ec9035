#include "scheduler/group_state.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"

namespace drover::scheduler {

GroupState::DistinctHosts GroupState::distinct_hosts_of(const Job& job, const TaskGroup& group) {
  // The first such constraint decides; anything but a clear "false" switches it on.
  auto on = [](const List<Constraint>& constraints) {
    for (auto& c : constraints)
      if (c.Operand == operand::kDistinctHosts) return c.RTarget.empty() || parse_bool(c.RTarget).value_or(true);
    return false;
  };
  if (on(job.Constraints)) return DistinctHosts::kJob;
  return on(group.Constraints) ? DistinctHosts::kGroup : DistinctHosts::kOff;
}

GroupState::GroupState(Context& context, Ref<Job> job, const TaskGroup& group,
                       const std::vector<Ref<Allocation>>& existing, bool system)
    : context_(context),
      job_(std::move(job)),
      group_(group),
      system_(system),
      ask_(Ask::make(group, context.config.MemoryOversubscriptionEnabled)),
      feasibility_(context, *job_, group),
      distinct_hosts_(system ? DistinctHosts::kOff : distinct_hosts_of(*job_, group)),
      job_rows_(context.fleet.rows()),
      cells_(context.fleet.rows()) {
  auto add_distinct = [&](const List<Constraint>& constraints, const std::string& scope) {
    for (auto& c : constraints)
      if (c.Operand == operand::kDistinctProperty)
        distinct_.emplace_back(context, *job_, scope, c, existing);
  };
  add_distinct(job_->Constraints, "");
  add_distinct(group.Constraints, group.Name);
  for (auto& a : existing)
    if (auto row = context.fleet.row(a->NodeID); row != kNoRow) job_rows_.set(row);
  if (!system_) add_scores(existing);
}

void GroupState::add_scores(const std::vector<Ref<Allocation>>& existing) {
  spread_ = SpreadScorer(context_, *job_, group_, existing);
  std::vector<const Affinity*> affinities;
  for (auto* list : {&job_->Affinities, &group_.Affinities})
    for (auto& a : *list) affinities.push_back(&a);
  for (auto& task : group_.Tasks)
    for (auto& a : task.Affinities) affinities.push_back(&a);
  for (auto* a : affinities) affinity_weight_ += std::abs(a->Weight);
  if (affinity_weight_ == 0) return;
  affinity_.assign(context_.fleet.rows(), 0);
  for (auto* a : affinities)
    context_.fleet.matching(a->LTarget, a->Operand, a->RTarget).each([&](uint32_t row) { affinity_[row] += a->Weight; });
  for (auto& a : affinity_) a /= affinity_weight_;
}

void GroupState::refresh() {
  context_.each_touched(replayed_, [&](uint32_t row) {
    job_rows_.set(row);
    cells_[row].state = Cell::State::kUnknown;
    stale_.push_back(row);
  });
  if (!spread_.empty()) spread_.refresh();
  for (auto& d : distinct_) d.set.refresh();
}

const Cell& GroupState::cell(uint32_t row) {
  auto& cell = cells_[row];
  if (cell.state == Cell::State::kUnknown) cell = judge(row, context_.use(row), context_.ports(row));
  return cell;
}

Cell GroupState::judge(uint32_t row, const NodeUse& use, const NodePorts& ports) {
  Cell cell;
  if (feasibility_.failure(row).stage != Feasibility::Stage::kNone) {
    cell.state = Cell::State::kStatic;
    return cell;
  }
  if (job_rows_.test(row)) {
    bool same_job = false;
    for (auto& a : use.allocs) {
      if (a->JobID != job_->ID || a->Namespace != job_->Namespace) continue;
      same_job = true;
      if (a->TaskGroup == group_.Name) ++cell.collisions;
    }
    if ((distinct_hosts_ == DistinctHosts::kJob && same_job) ||
        (distinct_hosts_ == DistinctHosts::kGroup && cell.collisions > 0)) {
      cell.state = Cell::State::kFiltered;
      cell.reason = context_.reason(operand::kDistinctHosts);
      return cell;
    }
  }
  auto grant = try_row(context_, ask_, row, use, ports, false);
  if (!grant.failure.empty()) {
    cell.state = grant.silent ? Cell::State::kSilent : Cell::State::kExhausted;
    cell.reason = context_.reason(grant.failure);
    return cell;
  }
  cell.state = Cell::State::kFits;
  auto& has = context_.fleet.capacity(row);
  bool spread = context_.config.SchedulerAlgorithm == "spread";
  cell.fit = (spread ? score_fit_spread(has, grant.used) : score_fit_binpack(has, grant.used)) / kMaxFitScore;
  if (ask_.device_affinity_weight > 0) cell.device = grant.device_weight / ask_.device_affinity_weight;
  return cell;
}

double GroupState::score_sum(uint32_t row, const Cell& cell, int& parts) const {
  double sum = cell.fit;
  parts = 1;
  if (ask_.device_affinity_weight > 0) {
    sum += cell.device;
    ++parts;
  }
  if (cell.collisions > 0 && !system_) {
    sum -= static_cast<double>(cell.collisions + 1) / static_cast<double>(group_.Count);
    ++parts;
  }
  if (auto a = affinity(row); a != 0) {
    sum += a;
    ++parts;
  }
  return sum;
}

}  // namespace drover::scheduler
