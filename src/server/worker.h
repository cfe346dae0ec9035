// Worker: takes evaluations from the leader one at a time and schedules them (reference server-core section 9).
//
// Works on every server alike: all that it asks and writes are remote procedures, which its own server answers where it
// leads. The loop side waits, submits and writes; the scheduling itself runs on the pool, on an immutable snapshot. Each
// worker keeps its own columnar view of the fleet, brought up to date by the difference between snapshots.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/result.h"
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
  // Starts taking work at once. `number`: of the server's workers, from 0.
  Worker(Server& server, std::vector<std::string> types, int number);
  ~Worker();

  std::string_view id() const { return id_; }
  const std::vector<std::string>& types() const { return types_; }
  Time started() const { return started_; }
  // As the agent API shows them: "Started", "Paused"; "WaitingToDequeue", "WaitingForRaft", "Scheduling", "Submitting",
  // "Backoff", "Paused".
  std::string_view status() const { return paused_ ? "Paused" : "Started"; }
  std::string_view workload() const { return workload_; }

  // Takes no more work. The evaluation in hand, which somebody else must take over, with its token.
  struct Held {
    Uuid eval;
    std::string token;
  };
  std::optional<Held> stop();

 private:
  Async<void> run();
  Async<void> wait_while_paused();
  // One evaluation from the leader; nothing when none came, or after a pause for an error.
  Async<std::optional<Held>> take(Ref<Evaluation>& eval, uint64_t& wait_index);
  Async<void> send(bool done, Held held);
  // True: the evaluation is done; false: somebody else should try again.
  Async<bool> process(Ref<Evaluation> eval, std::string token, uint64_t index);
  Async<bool> schedule(Ref<Evaluation> eval, std::string token, state::Snapshot snap);
  Async<Result<scheduler::Step>> step(std::shared_ptr<scheduler::EvalProcess> process, state::Snapshot snap,
                                      std::shared_ptr<const PlanResult> result);
  Async<Result<PlanResult>> submit(Plan plan, std::string token);
  // Eval.Create, Eval.Update, Eval.Reblock.
  Async<bool> write_eval(std::string_view method, Evaluation eval, std::string token);
  // Asks the leader, again and again while there is none.
  template <class Response, class Request>
  Async<Result<Response>> ask(std::string_view method, Request request);

  Server& server_;
  std::string id_;
  std::vector<std::string> types_;
  int number_;
  Time started_;
  bool paused_ = false;
  std::string_view workload_ = "WaitingToDequeue";
  int failures_ = 0;             // of dequeues in a row
  std::optional<Held> held_;
  std::shared_ptr<scheduler::Fleet> fleet_;  // shared with the pass under way, which may outlive the worker
  uint64_t snapshot_index_ = 0;  // of the pass under way
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  Running running_;
};

}  // namespace drover::server
