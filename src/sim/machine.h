// Machine: what runs on one node apart from the agent. Tasks are entries in a table that end by time or by order; they
// outlive the agent's process and die with the machine.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/async.h"
#include "drivers/driver.h"
#include "sim/dice.h"

namespace drover::sim {

enum class ExitCause : unsigned char { kByItself, kStopped, kPowerLoss };

struct RunningTask {
  std::string id, alloc_id, name, node;
  Monotonic began;
  Duration stop_takes{};  // after a stop was asked for
  bool running = true;
  bool stop_asked = false;
  drivers::ExitResult exit;
  Time started_at, completed_at;
};

// Who checks what tasks do. Called at the moment it happens.
class TaskWatcher {
 public:
  virtual ~TaskWatcher() = default;
  // The agent has decided to start it; it runs a moment later.
  virtual void task_starting(const std::string& node, const std::string& alloc, const std::string& task) = 0;
  virtual void task_started(const RunningTask& task) = 0;
  virtual void task_stop_asked(const RunningTask& task) = 0;
  virtual void task_ended(const RunningTask& task, ExitCause cause) = 0;
};

class Machine {
 public:
  Machine(SimWorld& sim, std::string node, TaskWatcher& watcher) : sim_(sim), node_(std::move(node)), watcher_(watcher) {}

  void starting(const std::string& alloc, const std::string& task) { watcher_.task_starting(node_, alloc, task); }
  // `run_for` zero: until it is stopped.
  std::shared_ptr<RunningTask> start(const std::string& id, const std::string& alloc, const std::string& name, Duration run_for,
                                     int exit_code, Duration stop_takes);
  std::shared_ptr<RunningTask> find(const std::string& id) const;
  void stop(const std::string& id, Duration timeout);
  void forget(const std::string& id) { tasks_.erase(id); }
  void lose_power();
  // Resumes on `loop` when the task has ended.
  Async<drivers::ExitResult> wait(std::shared_ptr<RunningTask> task, Loop& loop);
  const std::map<std::string, std::shared_ptr<RunningTask>>& tasks() const { return tasks_; }

 private:
  void end(RunningTask& task, drivers::ExitResult exit, ExitCause cause);

  SimWorld& sim_;
  std::string node_;
  TaskWatcher& watcher_;
  std::map<std::string, std::shared_ptr<RunningTask>> tasks_;
  std::multimap<std::string, std::pair<Loop*, Promise<bool>>> waiting_;  // by task id
};

// A driver named "sim" whose tasks are entries of the machine. Task config: run_for, exit_code, stop_takes, start_error.
std::unique_ptr<drivers::Driver> make_sim_driver(Machine& machine, drivers::DriverContext context);

}  // namespace drover::sim
