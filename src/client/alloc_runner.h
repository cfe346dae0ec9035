// Runs one allocation: its hooks, its tasks and what the servers are told of them. On the loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/alloc_core.h"
#include "client/alloc_fs.h"
#include "client/alloc_hooks.h"
#include "client/flows.h"
#include "client/state_db.h"
#include "client/task_runner.h"

namespace drover::client {

class AllocRunner {
 public:
  struct Callbacks {
    std::function<void(AllocRunner&)> changed;  // states differ; view() is new. Must not destroy the runner.
    std::function<void(AllocRunner&)> ended;    // every task has finished and postrun is over; from a callback of its own
  };

  // `stored` is what a predecessor persisted, or null.
  AllocRunner(const RunnerDeps& deps, const PreviousAllocs& previous, Ref<Allocation> alloc, const StoredAlloc* stored,
              Callbacks callbacks);
  ~AllocRunner();
  AllocRunner(const AllocRunner&) = delete;

  // Whether it can be run at all (its group exists, its drivers are there); else the reason.
  Status check() const;
  // Begins or goes on. Once.
  void run();
  // A newer copy from the servers; the newest wins.
  void update(Ref<Allocation> alloc);
  // The servers answered: tasks that could not be taken back may start again.
  void servers_contacted();
  // After "unknown": the servers hear of everything again.
  void reconnect(Ref<Allocation> alloc);

  // Kills the tasks, waits for their end, removes directories and records. The runner is useless afterwards.
  Async<void> destroy();
  // Leaves tasks running and says nothing any more.
  void shutdown();

  const Uuid& id() const { return alloc_->ID; }
  // The servers' copy, as last received.
  const Ref<Allocation>& alloc() const { return alloc_; }
  // The same with the states as they are here.
  Allocation view() const;
  Map<TaskState> task_states() const;
  // Nothing of it runs or will run.
  bool ended() const { return ended_.is_set(); }
  bool destroyed() const { return destroyed_; }
  // The work is done or was given up: terminal for the servers and here.
  bool terminal() const;
  Async<void> wait_ended() { return ended_.wait(); }
  const AllocPaths& paths() const { return hook_ctx_.paths; }

  TaskRunner* task(std::string_view name);
  const TaskRunner* task(std::string_view name) const;
  const AllocNetworkStatus* network_status() const { return network_status_.get(); }
  AllocFiles files() const;
  const std::vector<std::unique_ptr<TaskRunner>>& tasks() const { return tasks_; }
  std::vector<std::string> task_names() const;

  Async<Status> restart_task(std::string name);
  // Running tasks, or with `all` the dead ones as well.
  Async<Status> restart_tasks(bool all);
  // Its checks fail: the running tasks restart, and the restart policy counts it.
  Async<Status> restart_unhealthy(TaskEvent event);
  Async<Status> signal(std::string task, std::string signal);

  // What the servers took last; null: nothing yet.
  const Allocation* acknowledged() const { return acknowledged_.get(); }
  void acknowledge(Allocation update);

  // ---- For hooks.

  void set_network_status(Box<AllocNetworkStatus> status);
  void set_network(std::optional<drivers::NetworkIsolation> network);
  // The verdict of the health watcher, with the events that explain it.
  void set_health(bool healthy, const std::vector<std::pair<std::string, std::string>>& reasons);
  void clear_health();
  const Box<AllocDeploymentStatus>& deployment_status() const { return deployment_status_; }

 private:
  bool client_terminal() const;
  bool should_run() const;
  bool stopping() const { return destroying_ || is_server_terminal(*alloc_); }
  Async<void> run_flow();
  Async<Status> prerun();
  Async<void> prekill_flow();
  Async<void> update_flow();
  void fail_setup(const Error& error);
  void changed_soon();
  void states_changed();
  void kill_tasks(const std::optional<KillCause>& cause);
  void open_gates();
  void save_alloc();
  void adopt_deployment_status();
  void check_finished();

  RunnerDeps deps_;
  Ref<Allocation> alloc_;
  Callbacks callbacks_;
  std::vector<AllocTask> roles_;
  std::vector<std::unique_ptr<TaskRunner>> tasks_;
  AllocHookContext hook_ctx_;
  std::vector<NamedAllocHook> hooks_;

  // Not kInit, which waits for all tasks to be pending: some of a restored allocation run already.
  LifecycleStage stage_ = LifecycleStage::kPrestart;
  std::vector<char> gates_;  // by task, as last told
  Box<AllocDeploymentStatus> deployment_status_;
  Box<AllocNetworkStatus> network_status_;
  Box<Allocation> acknowledged_;

  bool started_ = false;       // tasks have begun
  bool shut_down_ = false;
  bool destroying_ = false;
  bool destroyed_ = false;
  bool prekilled_ = false;     // prekill hooks have run, or run now
  bool prekill_done_ = false;
  bool change_posted_ = false;
  std::set<std::string> killed_;  // tasks that were told
  bool cause_told_ = false;

  Poster poster_;
  Latch tasks_finished_, ended_;
  Running run_, prekill_, update_;
};

}  // namespace drover::client
