// Planner: the queue of submitted plans and the one place that decides what of them is committed (reference server-core
// section 10). Lives with the leader, on the loop.
//
// Plans are taken by priority. Each is checked against the newest state with the plans that are on their way into the
// log laid over it, so that checking one overlaps with writing the others: the log groups them into one sync.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>

#include "base/async.h"
#include "model/plan.h"

namespace drover::server {

class Server;

class Planner {
 public:
  explicit Planner(Server& server);
  ~Planner();

  // Checks and commits the plan; the result says what was granted. Errors: "plan queue is disabled", and the log's.
  Async<Result<PlanResult>> submit(Ref<Plan> plan);
  size_t depth() const { return queue_.size(); }

 private:
  struct Pending {
    Ref<Plan> plan;
    uint64_t order = 0;
    Promise<Result<PlanResult>> done;
  };
  struct First {
    bool operator()(const std::shared_ptr<Pending>& a, const std::shared_ptr<Pending>& b) const {
      if (a->plan->Priority != b->plan->Priority) return a->plan->Priority > b->plan->Priority;
      return a->order < b->order;
    }
  };
  void pump();
  Async<void> apply_one(std::shared_ptr<Pending> pending);

  Server& server_;
  std::set<std::shared_ptr<Pending>, First> queue_;
  uint64_t submitted_ = 0;
  Running applying_;
};

}  // namespace drover::server
