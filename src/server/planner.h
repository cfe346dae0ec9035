// Planner: the queue of submitted plans and the one place that decides what of them is committed (reference server-core
// section 10). Lives with the leader, on the loop.
//
// A pipeline of two stages. One judges plans by priority, each on the state as it will be once the plans granted before
// it are in; the other writes what was granted. While an entry is on its way to the disks the next plans are judged and
// gather: they go into one entry together. So the rate of plans is bounded by judging, not by the log.
//
// When an entry fails, or turns out to stand on a node that changed meanwhile, what was judged on it is judged again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "base/async.h"
#include "model/plan.h"
#include "server/bad_nodes.h"
#include "server/plan_judge.h"

namespace drover::server {

// What became of an entry.
struct PlanCommit {
  uint64_t index = 0;
  std::vector<std::optional<Error>> parts;  // each plan's own refusal, where there were several
};

struct PlannerParts {
  World& world;
  state::Store& store;
  std::function<Async<Result<PlanCommit>>(std::vector<PlanEntry>)> commit;
  SignPlaced sign;  // any thread; may be empty
  BadNodeOptions rejections{};
};

class Planner {
 public:
  static constexpr size_t kPlansMax = 64;      // of one entry
  static constexpr size_t kAllocsMax = 1000;   // of one entry, which is applied in one go; one plan may have more

  explicit Planner(PlannerParts parts);
  // Whoever waits is told that the queue was flushed.
  ~Planner();

  // Checks and commits the plan; the result says what was granted. Errors: "plan queue flushed", and the log's.
  Async<Result<PlanResult>> submit(Ref<Plan> plan);
  size_t depth() const { return queue_.size(); }
  BadNodes& bad_nodes() { return bad_nodes_; }

 private:
  struct Pending {
    Ref<Plan> plan;
    uint64_t order = 0;
    std::optional<JudgedPlan> judged;
    bool taken_back = false;              // judged again already because of a node that changed
    std::set<std::string> rejected_by;    // nodes, counted once however often the plan is judged
    std::vector<std::string> bad;         // of these, the ones that are to be marked ineligible
    Promise<Result<PlanResult>> done;
  };
  using PendingRef = std::shared_ptr<Pending>;
  struct First {
    bool operator()(const PendingRef& a, const PendingRef& b) const {
      if (a->plan->Priority != b->plan->Priority) return a->plan->Priority > b->plan->Priority;
      return a->order < b->order;
    }
  };
  using Wake = Promise<std::monostate>;

  Async<void> judge_plans();
  Async<void> commit_plans();
  Async<Status> judge(Pending& p);
  Async<Result<state::Snapshot>> base_for(const Plan& plan, std::vector<PlanEntry>& ahead);
  void finish_entry(Pending& p);
  void note_rejections(Pending& p);
  bool room_in_batch() const;
  bool waits_for_batch(const Pending& p) const;
  void take_back_changed();
  bool judge_now(Pending& p, const state::Snapshot& snap, const std::vector<PlanEntry>& ahead);
  void put_back(std::vector<PendingRef>& plans);
  void answer(Pending& p, uint64_t index, const std::optional<Error>& refused);
  static void wake(Wake& w) { std::exchange(w, Wake()).set({}); }

  PlannerParts parts_;
  BadNodes bad_nodes_;
  std::set<PendingRef, First> queue_;
  PendingRef judging_;                    // taken from the queue, not in the batch yet
  std::vector<PendingRef> batch_;         // granted, to be written next; those without an entry only wait for it
  std::vector<PendingRef> committing_;    // on their way into the log
  std::optional<state::Snapshot> base_;   // with everything granted laid over it; none: to be made anew
  uint64_t base_index_ = 0;               // of the state under it
  uint64_t revision_ = 0;                 // counts what made judgements under way worthless
  uint64_t last_index_ = 0;               // of the last entry
  uint64_t submitted_ = 0;
  Wake judge_wake_, commit_wake_;
  Running judging_flow_, committing_flow_;
};

}  // namespace drover::server
