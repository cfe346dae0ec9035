// Worker: takes evaluations from the leader one at a time and schedules them (reference server-core section 9).
//
// The loop side waits, submits and writes; the scheduling itself runs on the pool, on an immutable snapshot. Each worker
// keeps its own columnar view of the fleet, brought up to date by the difference between snapshots.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/async.h"
#include "model/eval.h"
#include "model/plan.h"
#include "scheduler/schedule.h"
#include "state/store.h"

namespace drover::scheduler {
class Fleet;
}

namespace drover::server {

class Server;

class Worker {
 public:
  // Starts taking work at once.
  Worker(Server& server, std::vector<std::string> types);
  ~Worker();

  std::string_view id() const { return id_; }
  const std::vector<std::string>& types() const { return types_; }
  Time started() const { return started_; }
  // As the agent API shows them: "Started"; "Running", "WaitingToDequeue", "Scheduling", "Submitting" ...
  std::string_view status() const { return "Started"; }
  std::string_view workload() const { return workload_; }

 private:
  Async<void> run();
  // True: the evaluation is done; false: somebody else should try again.
  Async<bool> process(Ref<Evaluation> eval, Uuid token, uint64_t index);
  Async<bool> schedule(Ref<Evaluation> eval, Uuid token, state::Snapshot snap);
  Async<Result<scheduler::Step>> step(std::shared_ptr<scheduler::EvalProcess> process, state::Snapshot snap,
                                      std::shared_ptr<const PlanResult> result);
  Async<Result<PlanResult>> submit(Plan plan, const Evaluation& eval, Uuid token);
  Async<bool> write_created(std::vector<Evaluation> created);

  Server& server_;
  std::string id_;
  std::vector<std::string> types_;
  Time started_;
  std::string_view workload_ = "WaitingToDequeue";
  std::shared_ptr<scheduler::Fleet> fleet_;  // shared with the pass under way, which may outlive the worker
  uint64_t snapshot_index_ = 0;  // of the pass under way
  Duration placement_time_ = Duration(1);  // what a placement of the pass before took; shown as AllocationTime
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  Running running_;
};

}  // namespace drover::server
