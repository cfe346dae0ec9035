#include "scheduler/stack.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "model/status.h"
#include "scheduler/sample.h"

namespace drover::scheduler {
namespace {

constexpr size_t kMinSample = 2, kWideSample = 100;
constexpr double kNever = -std::numeric_limits<double>::infinity();

}  // namespace

// --- Counts, TopScores ---

void Counts::bump(Numbers& numbers, size_t at, int64_t n) {
  if (at >= numbers.size()) numbers.resize(at + 1);
  numbers[at] += n;
}

void Counts::filter(int32_t reason, uint32_t node_class, int64_t n) {
  bump(filtered_, static_cast<size_t>(reason), n);
  bump(class_filtered_, node_class, n);
  filtered_total_ += n;
}

void Counts::exhaust(int32_t reason, uint32_t node_class, int64_t n) {
  bump(exhausted_, static_cast<size_t>(reason), n);
  bump(class_exhausted_, node_class, n);
  exhausted_total_ += n;
}

void Counts::add(const Counts& o) {
  auto sum = [](Numbers& to, const Numbers& from) {
    if (to.size() < from.size()) to.resize(from.size());
    for (size_t i = 0; i < from.size(); ++i) to[i] += from[i];
  };
  sum(filtered_, o.filtered_);
  sum(exhausted_, o.exhausted_);
  sum(class_filtered_, o.class_filtered_);
  sum(class_exhausted_, o.class_exhausted_);
  filtered_total_ += o.filtered_total_;
  exhausted_total_ += o.exhausted_total_;
}

void Counts::write(AllocMetric& metric, const Context& context) const {
  metric.NodesFiltered = filtered_total_;
  metric.NodesExhausted = exhausted_total_;
  auto reasons = [&](Map<int64_t>& map, const Numbers& numbers) {
    for (size_t i = 1; i < numbers.size(); ++i)
      if (numbers[i]) map[context.reason_text(static_cast<int32_t>(i))] = numbers[i];
  };
  auto classes = [&](Map<int64_t>& map, const Numbers& numbers) {
    for (uint32_t c = 1; c < numbers.size(); ++c)
      if (numbers[c]) map[context.fleet.node_classes().value(c)] = numbers[c];
  };
  reasons(metric.ConstraintFiltered, filtered_);
  reasons(metric.DimensionExhausted, exhausted_);
  classes(metric.ClassFiltered, class_filtered_);
  classes(metric.ClassExhausted, class_exhausted_);
}

void TopScores::offer(uint32_t row, double score) {
  if (rows_.size() == kKept && score <= least_) return;
  auto at = std::lower_bound(rows_.begin(), rows_.end(), score, [](const Scored& s, double v) { return s.score < v; });
  rows_.insert(at, {row, score});
  if (rows_.size() > kKept) rows_.erase(rows_.begin());
  if (rows_.size() == kKept) least_ = rows_.front().score;
}

// --- Stack ---

struct Stack::Scan {
  struct Mark {
    Cell::State state = Cell::State::kUnknown;
    int32_t reason = 0;
  };
  std::vector<uint32_t> position;   // by row; kNoRow: not a candidate
  // By position, side by side: a placement reads all of it.
  std::vector<double> score;        // kNever when the row does not fit
  std::vector<double> sum;          // of the parts that do not change within a placement
  std::vector<uint8_t> parts;
  std::vector<Mark> marks;
  Counts statics, rest;
  uint64_t statics_generation = 0;  // of the eligibility that `statics` was reported under
};

Stack::Stack(Context& context, Kind kind)
    : context_(context), kind_(kind), class_ineligible_(context.reason("computed class ineligible")) {}
Stack::~Stack() = default;

void Stack::set_nodes(std::vector<uint32_t> rows) {
  nodes_ = std::move(rows);
  offset_ = 0;
  scans_.clear();
  if (kind_ == Kind::kSystem) return;
  for (size_t i = nodes_.size(); i > 1; --i) std::swap(nodes_[i - 1], nodes_[context_.random.below(i)]);
}

void Stack::set_job(const Ref<Job>& job) {
  job_ = job;
  context_.eligibility.set_job(*job);
}

GroupState& Stack::state_of(const TaskGroup& group) {
  auto& state = groups_[{job_.get(), group.Name}];
  if (!state) state = std::make_unique<GroupState>(context_, job_, group, existing_, kind_ == Kind::kSystem);
  return *state;
}

size_t Stack::sample_limit(const GroupState& group) const {
  if (group.wants_many()) return std::max(kWideSample, static_cast<size_t>(std::max<int64_t>(0, group.group().Count)));
  auto n = nodes_.size();
  if (kind_ == Kind::kBatch || n == 0) return kMinSample;
  return std::max(kMinSample, static_cast<size_t>(std::bit_width(n - 1)));  // ceil(log2 n)
}

std::optional<Selection> Stack::select(const TaskGroup& group, const SelectOptions& options) {
  auto& state = state_of(group);
  if (options.preferred != kNoRow)
    if (auto found = select_row(group, options.preferred, options)) return found;
  metric_ = {};
  state.refresh();
  if (options.preempt || context_.options.candidates == Options::Candidates::kSampled) {
    bool sampled = context_.options.candidates == Options::Candidates::kSampled;
    size_t all = 0;
    return scan_list(state, nodes_, sampled ? offset_ : all, sampled ? sample_limit(state) : nodes_.size(), options);
  }
  return scan_fleet(state, options);
}

std::optional<Selection> Stack::select_row(const TaskGroup& group, uint32_t row, const SelectOptions& options) {
  auto& state = state_of(group);
  metric_ = {};
  state.refresh();
  size_t from = 0;
  return scan_list(state, {row}, from, 1, options);
}

int32_t Stack::visit_static(GroupState& group, uint32_t row) {
  using Stage = Feasibility::Stage;
  using Status = Eligibility::Status;
  auto& learnt = context_.eligibility;
  auto& name = group.group().Name;
  auto cls = context_.fleet.classes().codes[row];
  auto& failure = group.feasibility().failure(row);
  if (failure.stage == Stage::kJob) {
    if (learnt.job(cls) == Status::kIneligible) return class_ineligible_;
    if (!learnt.job_escaped()) learnt.set_job(cls, false);
    return failure.reason;
  }
  if (!learnt.job_escaped()) learnt.set_job(cls, true);
  if (failure.stage == Stage::kGroup) {
    if (learnt.group(name, cls) == Status::kIneligible) return class_ineligible_;
    if (!learnt.group_escaped(name)) learnt.set_group(name, cls, false);
    return failure.reason;
  }
  if (!learnt.group_escaped(name)) learnt.set_group(name, cls, true);
  return 0;
}

int32_t Stack::visit_dynamic(GroupState& group, uint32_t row, const SelectOptions& options, bool before_hosts) {
  if (before_hosts) {
    if (!group.feasibility().has_transient()) return 0;
    auto why = group.feasibility().transient_failure(row, options.alloc_name);
    return why.empty() ? 0 : context_.reason(why);
  }
  for (auto& d : group.distinct())
    if (auto reason = d.why_not(context_, row)) return reason;
  return 0;
}

bool Stack::penalised(uint32_t row, const SelectOptions& options) const {
  auto& id = context_.fleet.node(row)->ID;
  return kind_ != Kind::kSystem && std::find(options.penalty_nodes.begin(), options.penalty_nodes.end(), id) !=
                                       options.penalty_nodes.end();
}

// The mean of all parts; `extra` is the score of a preemption, 0 when there is none.
double Stack::final_score(GroupState& group, uint32_t row, double sum, int parts, bool penalty, double extra) const {
  if (penalty) {
    sum -= 1;
    ++parts;
  }
  if (!group.spread().empty()) {
    if (auto spread = group.spread().score(row); spread != 0) {
      sum += spread;
      ++parts;
    }
  }
  if (extra != 0) {
    sum += extra;
    ++parts;
  }
  return sum / parts;
}

// --- a scan over a list, node by node ---

std::optional<Selection> Stack::scan_list(GroupState& group, const std::vector<uint32_t>& rows, size_t& from,
                                          size_t limit, const SelectOptions& options) {
  Counts counts;
  TopScores top;
  Sample sample(limit);
  std::map<uint32_t, Freed> evicting;
  auto& classes = context_.fleet.node_classes();
  size_t seen = 0;

  auto score_row = [&](uint32_t row) -> std::optional<double> {
    auto cls = classes.codes[row];
    auto reason = visit_static(group, row);
    if (!reason) reason = visit_dynamic(group, row, options, true);
    if (reason) return counts.filter(reason, cls), std::nullopt;
    auto cell = group.cell(row);
    if (cell.state == Cell::State::kFiltered) return counts.filter(cell.reason, cls), std::nullopt;
    if ((reason = visit_dynamic(group, row, options, false))) return counts.filter(reason, cls), std::nullopt;
    double extra = 0;
    if (options.preempt && cell.state == Cell::State::kExhausted) {
      auto freed = preempt_for(context_, group, row, cell);
      cell = freed.cell;
      if (!freed.victims.empty()) {
        extra = preemption_score(freed.victims);
        evicting[row] = std::move(freed);
      }
    }
    if (cell.state == Cell::State::kExhausted) return counts.exhaust(cell.reason, cls), std::nullopt;
    if (cell.state != Cell::State::kFits) return std::nullopt;
    int parts = 0;
    double sum = group.score_sum(row, cell, parts);
    return final_score(group, row, sum, parts, penalised(row, options), extra);
  };

  while (!sample.full() && seen < rows.size()) {
    auto row = rows[from++ % rows.size()];
    ++seen;
    auto score = score_row(row);
    if (!score) continue;
    top.offer(row, *score);
    sample.offer(row, *score);
  }
  auto best = best_of(sample.finish());

  metric_.NodesEvaluated = static_cast<int64_t>(seen);
  counts.write(metric_, context_);
  write_scores(group, top, options, &evicting);
  if (!best) return std::nullopt;
  auto it = evicting.find(best->row);
  return take(group, best->row, it == evicting.end() ? std::vector<Ref<Allocation>>{} : it->second.victims);
}

// --- a scan over the whole fleet ---

void Stack::update_scan(GroupState& group, Scan& scan) {
  auto& classes = context_.fleet.node_classes();
  auto count = [&](const Scan::Mark& mark, uint32_t row, int64_t n) {
    if (mark.state == Cell::State::kFiltered) scan.rest.filter(mark.reason, classes.codes[row], n);
    if (mark.state == Cell::State::kExhausted) scan.rest.exhaust(mark.reason, classes.codes[row], n);
  };
  auto look = [&](uint32_t row) {
    auto at = scan.position[row];
    if (at == kNoRow) return;
    count(scan.marks[at], row, -1);
    auto& cell = group.cell(row);
    scan.marks[at] = {cell.state, cell.reason};
    count(scan.marks[at], row, 1);
    scan.score[at] = scan.sum[at] = kNever;
    if (cell.state != Cell::State::kFits) return;
    int parts = 0;
    scan.sum[at] = group.score_sum(row, cell, parts);
    scan.parts[at] = static_cast<uint8_t>(parts);
    scan.score[at] = scan.sum[at] / parts;
  };
  auto stale = group.take_stale();
  if (scan.position.empty()) {
    auto n = nodes_.size();
    scan.position.assign(context_.fleet.rows() + 1, kNoRow);
    scan.score.assign(n, kNever);
    scan.sum.assign(n, kNever);
    scan.parts.assign(n, 0);
    scan.marks.assign(n, {});
    for (uint32_t at = 0; at < n; ++at) scan.position[nodes_[at]] = at;
    for (auto row : nodes_) look(row);
  } else {
    for (auto row : stale) look(row);
  }
}

void Stack::count_static(GroupState& group, Scan& scan) {
  if (scan.statics_generation == context_.eligibility.generation()) return;
  // What is learnt on the way changes what later nodes report; the numbers settle with the next placement.
  scan.statics_generation = context_.eligibility.generation();
  scan.statics = {};
  auto& classes = context_.fleet.node_classes();
  for (auto row : nodes_)
    if (auto reason = visit_static(group, row)) scan.statics.filter(reason, classes.codes[row]);
}

std::optional<Selection> Stack::scan_fleet(GroupState& group, const SelectOptions& options) {
  auto& scan_ptr = scans_[&group];
  if (!scan_ptr) scan_ptr = std::make_unique<Scan>();
  auto& scan = *scan_ptr;
  update_scan(group, scan);
  count_static(group, scan);

  auto& classes = context_.fleet.node_classes();
  bool filters = !group.distinct().empty() || group.feasibility().has_transient();
  bool scores = !group.spread().empty() || !options.penalty_nodes.empty();
  Counts counts = scan.statics;
  if (!filters) counts.add(scan.rest);

  for (;;) {
    TopScores top;
    Counts dynamic;
    double best = kNever;
    uint32_t best_at = kNoRow;
    auto offer = [&](uint32_t at, double score) {
      if (score > best) best = score, best_at = at;
      if (score > top.least()) top.offer(nodes_[at], score);
    };
    auto n = static_cast<uint32_t>(nodes_.size());
    if (!filters && !scores) {
      for (uint32_t at = 0; at < n; ++at)
        if (scan.score[at] > top.least() || scan.score[at] > best) offer(at, scan.score[at]);
    } else {
      for (uint32_t at = 0; at < n; ++at) {
        auto row = nodes_[at];
        auto& mark = scan.marks[at];
        if (mark.state == Cell::State::kStatic || (!filters && mark.state != Cell::State::kFits)) continue;
        if (filters) {
          auto reason = visit_dynamic(group, row, options, true);
          if (!reason && mark.state == Cell::State::kFiltered) reason = mark.reason;
          if (!reason) reason = visit_dynamic(group, row, options, false);
          if (reason) {
            dynamic.filter(reason, classes.codes[row]);
            continue;
          }
          if (mark.state == Cell::State::kExhausted) dynamic.exhaust(mark.reason, classes.codes[row]);
          if (mark.state != Cell::State::kFits) continue;
        }
        if (scan.sum[at] == kNever) continue;
        offer(at, final_score(group, row, scan.sum[at], scan.parts[at],
                              !options.penalty_nodes.empty() && penalised(row, options), 0));
      }
    }
    std::optional<Selection> taken;
    if (best_at != kNoRow) {
      taken = take(group, nodes_[best_at], {});
      if (!taken) {
        // The check promised what the assignment could not keep (ports over several addresses): look further.
        scan.score[best_at] = scan.sum[best_at] = kNever;
        continue;
      }
    }
    metric_.NodesEvaluated = n;
    counts.add(dynamic);
    counts.write(metric_, context_);
    write_scores(group, top, options, nullptr);
    return taken;
  }
}

// --- the chosen one ---

std::optional<Selection> Stack::take(GroupState& group, uint32_t row, std::vector<Ref<Allocation>> victims) {
  Selection s{row, group.ask().uniform, std::move(victims)};
  if (s.resources) return s;
  if (!s.preempted.empty()) {
    auto resources = resources_without(context_, group, row, s.preempted);
    if (!resources) return std::nullopt;
    s.resources = std::make_shared<const AllocatedResources>(std::move(*resources));
    return s;
  }
  auto grant = try_row(context_, group.ask(), row, context_.use(row), context_.ports(row), true);
  if (!grant.failure.empty()) return std::nullopt;
  s.resources = std::make_shared<const AllocatedResources>(std::move(grant.resources));
  return s;
}

void Stack::write_scores(GroupState& group, const TopScores& top, const SelectOptions& options,
                         const std::map<uint32_t, Freed>* evicting) {
  for (size_t i = top.rows().size(); i-- > 0;) {
    auto& [row, score] = top.rows()[i];
    auto* freed = evicting && evicting->contains(row) ? &evicting->at(row) : nullptr;
    auto& cell = freed ? freed->cell : group.cell(row);
    NodeScoreMeta meta;
    meta.NodeID = context_.fleet.node(row)->ID.str();
    meta.NormScore = score;
    auto& scores = meta.Scores.vec();
    scores.reserve(6);
    // In order of name, as the map keeps them.
    if (auto spread = group.spread().empty() ? 0.0 : group.spread().score(row); spread != 0)
      scores.emplace_back("allocation-spread", spread);
    scores.emplace_back("binpack", cell.fit);
    if (group.ask().device_affinity_weight > 0) scores.emplace_back("devices", cell.device);
    if (!group.system()) {
      scores.emplace_back("job-anti-affinity", cell.collisions > 0 ? -static_cast<double>(cell.collisions + 1) /
                                                                         static_cast<double>(group.group().Count)
                                                                   : 0.0);
      if (auto a = group.affinity(row); a != 0 || !group.has_affinities()) scores.emplace_back("node-affinity", a);
      scores.emplace_back("node-reschedule-penalty", penalised(row, options) ? -1.0 : 0.0);
    }
    if (freed) scores.emplace_back("preemption", preemption_score(freed->victims));
    metric_.ScoreMetaData.push_back(std::move(meta));
  }
}

}  // namespace drover::scheduler
