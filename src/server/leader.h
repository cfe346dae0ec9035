// Leader: everything that only the leading server does, made when leadership is gained and destroyed when it is lost.
// Its lifetime is the term: nothing in here can act after the term, because it is gone.
//
// Owns the eval broker, blocked evals, heartbeat timers, plan queue and the periodic duties (reference server-core 4.3).
// On the server's loop.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/async.h"
#include "base/flows.h"
#include "model/plan.h"
#include "server/blocked_evals.h"
#include "server/eval_broker.h"
#include "server/heartbeats.h"
#include "server/plan_log.h"
#include "server/planner.h"
#include "state/fsm.h"
#include "state/store.h"

namespace drover::server {

class Autopilot;
class DeploymentWatcher;
class Drainer;
class PeriodicDispatcher;
class RaftMembership;
class Server;

class Leader {
 public:
  Leader(Server& server, uint64_t term);
  ~Leader();
  Leader(const Leader&) = delete;

  // Writes what the first leader must (scheduler config, autopilot config, cluster id), restores the queues from the
  // state and starts the duties. Then `ready`.
  Async<Status> establish();
  Async<Status> write_barrier();
  bool ready() const { return ready_; }
  uint64_t term() const { return term_; }

  EvalBroker& broker() { return broker_; }
  BlockedEvals& blocked() { return blocked_; }
  Planner& planner() { return planner_; }
  Heartbeats& heartbeats() { return heartbeats_; }
  PeriodicDispatcher& periodic() { return *periodic_; }
  // Null until established.
  Autopilot* autopilot() { return autopilot_.get(); }
  RaftMembership* members() { return members_.get(); }

  // Waits up to `timeout` for an evaluation of one of the types. Nothing: the time passed or the broker is paused. When the
  // caller goes before it has its answer, the evaluation goes to somebody else.
  Async<std::optional<EvalBroker::Delivery>> dequeue(std::vector<std::string> types, Duration timeout);
  // Broker calls that may make something ready for a waiting worker.
  Status ack(const Uuid& eval_id, const Uuid& token);
  Status nack(const Uuid& eval_id, const Uuid& token);
  void resume_nack_timeout(const Uuid& eval_id, const Uuid& token);
  void reblock(Ref<Evaluation> eval, const Uuid& token);

  // The leader hears from a node: the TTL that the node is told.
  Duration node_heard(const Uuid& node);
  void node_gone(const Uuid& node);

  // What an applied entry means for the queues.
  void on_effects(const state::Effects& effects, uint64_t index);
  void on_commit(const state::CommitInfo& commit);

  // Writes garbage collection evaluations now ("force-gc" collects regardless of age).
  void enqueue_core(std::string_view job);

  Now now() const;

 private:
  struct Waiter {
    std::vector<std::string> types;
    std::optional<EvalBroker::Delivery> delivery;
    Promise<std::monostate> wake;
    Timer patience;  // gone once an evaluation is on its way: the two must not race
  };
  using WaiterRef = std::shared_ptr<Waiter>;

  void forget(const WaiterRef& waiter);
  void set_brokers_enabled(bool on);
  void restore_evals();
  void eval_changed(const Ref<Evaluation>& eval);
  void enqueue(std::vector<Unblocked> released);
  void serve_waiters();
  void arm_timer();
  void on_timer();
  Async<void> reap_failed();
  Async<void> reap_canceled();
  Async<void> expire_nodes(std::vector<Uuid> nodes);
  void beat();
  void awake();
  Async<void> periodic_duties();
  Async<void> cancel(std::vector<Ref<Evaluation>> evals, bool duplicates);

  Server& server_;
  uint64_t term_;
  bool ready_ = false;
  bool barrier_written_ = false;
  EvalBroker broker_;
  BlockedEvals blocked_;
  Heartbeats heartbeats_;
  Planner planner_;
  std::unique_ptr<DeploymentWatcher> deployments_;
  std::unique_ptr<Drainer> drainer_;
  std::unique_ptr<PeriodicDispatcher> periodic_;
  std::unique_ptr<RaftMembership> members_;
  std::unique_ptr<Autopilot> autopilot_;
  std::deque<WaiterRef> waiters_;
  Timer timer_, beat_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  Flows duties_;
};

}  // namespace drover::server
