#include "server/planner.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "base/metrics.h"
#include "model/status.h"
#include "server/eval_log.h"

namespace drover::server {
namespace {

constexpr Duration kSnapshotTimeout = 10s;
constexpr std::string_view kLog = "nomad.planner";

size_t allocs_of(const rpc::ApplyPlanResultsRequest& e) {
  return e.AllocsStopped.size() + e.AllocsUpdated.size() + e.AllocsPreempted.size();
}

}  // namespace

Planner::Planner(PlannerParts parts) : parts_(std::move(parts)), bad_nodes_(parts_.rejections) {
  judging_flow_ = Running(judge_plans());
  committing_flow_ = Running(commit_plans());
}

Planner::~Planner() {
  judging_flow_.reset();
  committing_flow_.reset();
  std::vector<PendingRef> left(queue_.begin(), queue_.end());
  left.insert(left.end(), batch_.begin(), batch_.end());
  left.insert(left.end(), committing_.begin(), committing_.end());
  if (judging_) left.push_back(judging_);
  for (auto& p : left) p->done.set(Error(ErrorCode::kNoLeader, "plan queue flushed"));
}

Async<Result<PlanResult>> Planner::submit(Ref<Plan> plan) {
  if (!plan) co_return invalid("cannot submit nil plan");
  auto pending = std::make_shared<Pending>();
  pending->plan = std::move(plan);
  pending->order = ++submitted_;
  queue_.insert(pending);
  wake(judge_wake_);
  co_return co_await pending->done;
}

// ---- judging ---------------------------------------------------------------------------------------------------------

bool Planner::room_in_batch() const {
  if (batch_.size() >= kPlansMax) return false;
  size_t allocs = 0;
  for (auto& p : batch_)
    if (p->judged->entry) allocs += allocs_of(*p->judged->entry);
  return allocs < kAllocsMax;
}

// Plans of one entry may be refused one by one: one that lives on the room of another must not share its entry.
bool Planner::waits_for_batch(const Pending& p) const {
  return std::any_of(batch_.begin(), batch_.end(), [&](auto& b) { return needs_room_of(*p.judged, *b->judged); });
}

Async<void> Planner::judge_plans() {
  for (;;) {
    while (queue_.empty() || !room_in_batch()) {
      auto woken = judge_wake_;
      co_await woken;
    }
    judging_ = *queue_.begin();
    queue_.erase(queue_.begin());
    uint64_t revision;
    Status done;
    do {
      revision = revision_;
      done = co_await judge(*judging_);
      while (done && revision == revision_ && waits_for_batch(*judging_)) {
        auto woken = judge_wake_;
        co_await woken;
      }
    } while (revision != revision_);
    auto p = std::exchange(judging_, nullptr);
    if (!done) {
      p->done.set(std::move(done).error());
      continue;
    }
    // What was rejected may have been so because of plans that are not in the state yet: the answer waits for them, so
    // that whoever tries again sees them.
    bool alone = batch_.empty() && committing_.empty();
    if (!p->judged->entry && (alone || p->judged->rejections.empty())) {
      p->done.set(std::move(p->judged->result));
      continue;
    }
    batch_.push_back(std::move(p));
    wake(commit_wake_);
  }
}

Async<Result<state::Snapshot>> Planner::base_for(const Plan& plan, std::vector<PlanEntry>& ahead) {
  if (base_ && base_index_ >= plan.SnapshotIndex) co_return *base_;
  auto wanted = std::max(last_index_, plan.SnapshotIndex);
  MetricTimer timer("nomad.plan.wait_for_index");
  auto fresh = co_await parts_.store.snapshot_at(wanted, parts_.world.loop, kSnapshotTimeout);
  if (!fresh)
    co_return Error(ErrorCode::kTimeout, fmt::format("timed out after 10s waiting for index={} (previous plan result index={}; plan snapshot index={})",
                                                     wanted, last_index_, plan.SnapshotIndex));
  for (auto* plans : {&committing_, &batch_})
    for (auto& p : *plans)
      if (p->judged->entry) ahead.push_back(p->judged->entry);
  base_index_ = fresh->index();
  co_return std::move(*fresh);
}

Async<Status> Planner::judge(Pending& p) {
  std::vector<PlanEntry> ahead;
  DROVER_CO_TRY(auto base, co_await base_for(*p.plan, ahead));
  base_.reset();
  auto index = base_index_;
  auto revision = revision_;
  auto now = parts_.world.clock.now();
  MetricTimer timer("nomad.plan.evaluate");
  auto judged = co_await on_pool(parts_.world, [base, ahead = std::move(ahead), plan = p.plan, now, sign = parts_.sign] {
    return judge_plan(base, ahead, *plan, now, sign);
  });
  if (!judged) co_return Error(std::move(judged).error());
  p.judged = std::move(*judged);
  finish_entry(p);
  // An entry that was committed meanwhile is in a newer state; what was laid over this one is not.
  if (revision == revision_ && last_index_ <= index) {
    base_ = p.judged->after;
    base_index_ = index;
  }
  co_return Status{};
}

void Planner::note_rejections(Pending& p) {
  auto& rejections = p.judged->rejections;
  if (rejections.empty()) return;
  // One line for a plan: schedulers that fill a large cluster at once meet on hundreds of nodes.
  auto& [first, reason] = rejections.front();
  log_warn(kLog, "plan for node rejected, refer to https://www.nomadproject.io/s/port-plan-failure for more information",
           {{"node_id", first}, {"reason", reason}, {"eval_id", p.plan->EvalID.str()}, {"nodes", std::to_string(rejections.size())}});
  for (auto& [node, why] : rejections) {
    if (!p.rejected_by.insert(node).second) continue;
    metric_count("nomad.plan.node_rejected", 1, {{"node_id", node}});
    if (bad_nodes_.add(node, parts_.world.clock.monotonic())) p.bad.push_back(node);
  }
}

// What needs the loop's world: evaluations for jobs that lose allocations, the log, the count of rejections.
void Planner::finish_entry(Pending& p) {
  note_rejections(p);
  if (!p.bad.empty()) mark_ineligible(*p.judged, *p.plan, p.bad, parts_.world.clock.now());
  if (!p.judged->entry) return;
  for (auto& job : p.judged->preempted)
    p.judged->entry->PreemptionEvals.push_back(new_eval(parts_.world, *job, eval_trigger::kPreemption));
  if (!p.judged->preempted.empty()) p.judged->entry->encoded.clear();
}

// ---- committing ------------------------------------------------------------------------------------------------------

// Between judging and writing a node may have gone or been drained: plans on such nodes go back to be judged again, and
// so does what is being judged on them. Others of the entry stand: they use no room that these would make.
//
// Where nodes keep changing, a plan over many of them would go back for ever. So the second time it is judged here and
// now, on the state that the entry is written to, and the plans behind it go back instead.
void Planner::take_back_changed() {
  auto snap = parts_.store.snapshot();
  std::vector<PendingRef> kept, changed;
  std::vector<PlanEntry> ahead;
  bool behind = false;  // of one that was judged here
  for (auto& p : committing_) {
    bool stands = !behind && still_holds(*p->judged, snap);
    if (!stands && !behind && std::exchange(p->taken_back, true)) {
      behind = true;
      if (!judge_now(*p, snap, ahead)) continue;
      stands = true;
    }
    (stands ? kept : changed).push_back(p);
    if (stands && p->judged->entry) ahead.push_back(p->judged->entry);
  }
  committing_ = std::move(kept);
  if (!changed.empty() || behind) put_back(changed);
}

// False when the plan cannot be applied at all; whoever submitted it is told.
bool Planner::judge_now(Pending& p, const state::Snapshot& snap, const std::vector<PlanEntry>& ahead) {
  auto judged = judge_plan(snap, ahead, *p.plan, parts_.world.clock.now(), parts_.sign);
  if (!judged) {
    p.done.set(std::move(judged).error());
    return false;
  }
  p.judged = std::move(*judged);
  finish_entry(p);
  return true;
}

void Planner::put_back(std::vector<PendingRef>& plans) {
  for (auto& p : plans) {
    p->judged.reset();
    queue_.insert(p);
  }
  plans.clear();
  ++revision_;
  base_.reset();
}

void Planner::answer(Pending& p, uint64_t index, const std::optional<Error>& refused) {
  if (refused) {
    p.done.set(*refused);
    return;
  }
  auto result = std::move(p.judged->result);
  if (p.judged->entry) result.AllocIndex = index;
  if (result.RefreshIndex) result.RefreshIndex = std::max(result.RefreshIndex, index);
  p.done.set(std::move(result));
}

Async<void> Planner::commit_plans() {
  for (;;) {
    while (batch_.empty()) {
      auto woken = commit_wake_;
      co_await woken;
    }
    committing_ = std::exchange(batch_, {});
    take_back_changed();
    std::vector<PlanEntry> entries;
    for (auto& p : committing_)
      if (p->judged->entry) entries.push_back(p->judged->entry);
    wake(judge_wake_);  // the batch has room again
    Result<PlanCommit> done = PlanCommit{last_index_, {}};
    if (!entries.empty()) {
      MetricTimer timer("nomad.plan.apply");
      done = co_await parts_.commit(std::move(entries));
    }
    auto committed = std::exchange(committing_, {});
    base_.reset();
    bool whole = done && std::none_of(done->parts.begin(), done->parts.end(), [](auto& e) { return e.has_value(); });
    if (done) last_index_ = std::max(last_index_, done->index);
    if (!whole) put_back(batch_);
    size_t part = 0;
    for (auto& p : committed) {
      if (!done) {
        p->done.set(done.error());
        continue;
      }
      bool one_of_several = p->judged->entry && !done->parts.empty();
      answer(*p, done->index, one_of_several ? done->parts[part] : std::nullopt);
      part += one_of_several;
    }
    wake(judge_wake_);
  }
}

}  // namespace drover::server
