#include "scheduler/spread.h"

#include <algorithm>

namespace drover::scheduler {
namespace {

constexpr std::string_view kRest = "*";
constexpr double kNoTarget = -1;

}  // namespace

SpreadScorer::SpreadScorer(Context& context, const Job& job, const TaskGroup& group,
                           const std::vector<Ref<Allocation>>& existing) {
  for (auto* spreads : {&job.Spreads, &group.Spreads})
    for (auto& spread : *spreads) {
      Set set{.counts = PropertySet(context, job, group.Name, spread.Attribute, existing)};
      set.weight = spread.Weight;
      set.even = spread.SpreadTarget.empty();
      set.desired.assign(set.counts.codes(), kNoTarget);
      double sum = 0, count = static_cast<double>(group.Count);
      for (auto& target : spread.SpreadTarget) {
        double desired = target.Percent / 100.0 * count;
        sum += desired;
        if (target.Value == kRest) {
          set.has_rest = true;
          set.rest = desired;
        } else if (auto code = set.counts.code_of(target.Value); code != Column::kAbsent) {
          set.desired[code] = desired;
          set.targets.push_back(code);
        }
      }
      if (!set.has_rest && sum > 0 && sum < count) {
        set.has_rest = true;
        set.rest = count - sum;
      }
      sum_weights_ += set.weight;
      sets_.push_back(std::move(set));
    }
}

void SpreadScorer::refresh() {
  for (auto& set : sets_) {
    set.counts.refresh();
    set.boosts.assign(set.counts.codes(), -1.0);
    if (set.even) {
      refresh_even(set);
    } else {
      refresh_targets(set);
    }
  }
}

void SpreadScorer::refresh_targets(Set& set) {
  auto codes = static_cast<uint32_t>(set.counts.codes());
  // Values without a target of their own are counted together.
  int64_t rest_used = 0;
  for (uint32_t c = 1; c < codes; ++c)
    if (set.desired[c] == kNoTarget) rest_used += set.counts.used(c);
  // First every value that has a share: the lowest boost among them is what a value without one gets.
  auto zero = [&](uint32_t c) { return (set.desired[c] == kNoTarget ? set.rest : set.desired[c]) == 0; };
  for (uint32_t c = 1; c < codes; ++c) {
    bool own = set.desired[c] != kNoTarget;
    if ((!own && !set.has_rest) || zero(c)) continue;
    double desired = own ? set.desired[c] : set.rest;
    auto used = static_cast<double>((own ? set.counts.used(c) : rest_used) + 1);
    set.boosts[c] = (desired - used) / desired * set.weight / sum_weights_;
    lowest_boost_ = std::min(lowest_boost_, set.boosts[c]);
  }
  for (uint32_t c = 1; c < codes; ++c)
    if ((set.desired[c] != kNoTarget || set.has_rest) && zero(c)) set.boosts[c] = lowest_boost_;
}

void SpreadScorer::refresh_even(Set& set) {
  auto codes = static_cast<uint32_t>(set.counts.codes());
  bool any = false;
  int64_t min = 0, max = 0;
  for (uint32_t c = 1; c < codes; ++c) {
    if (!set.counts.seen(c)) continue;
    auto used = set.counts.used(c);
    min = any ? std::min(min, used) : used;
    max = any ? std::max(max, used) : used;
    any = true;
  }
  if (!any) {
    set.boosts.assign(codes, 0.0);
    set.boosts[Column::kAbsent] = -1.0;
    return;
  }
  for (uint32_t c = 1; c < codes; ++c) {
    auto current = set.counts.seen(c) ? set.counts.used(c) : 0;
    auto dmin = static_cast<double>(min);
    if (current != min) {
      set.boosts[c] = min == 0 ? -1.0 : (dmin - static_cast<double>(current)) / dmin;
    } else if (min == max) {
      set.boosts[c] = -1.0;
    } else {
      set.boosts[c] = min == 0 ? 1.0 : static_cast<double>(max - min) / dmin;
    }
  }
}

}  // namespace drover::scheduler
