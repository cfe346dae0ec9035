// TaskChecks: what must never happen to work that runs.
//
//  - a task runs once at a time, on the node that its allocation was placed on;
//  - a replacement does not start while its predecessor runs elsewhere, unless the log says that the predecessor is over
//    or its node is lost;
//  - no allocation that its node was told to stop starts again;
//  - a running task is stopped only when the log says so;
//  - the log says so only for a reason that the state of the cluster shows;
//  - a launch of a periodic job is launched once.
#pragma once

#include <map>
#include <set>
#include <string>

#include "model/alloc.h"
#include "sim/machine.h"
#include "sim/oracle.h"

namespace drover::sim {

// The job and the allocations of its group that are not over, for a report.
std::string describe_group(const state::Snapshot& snap, const Allocation& a);

class TaskChecks final : public TaskWatcher {
 public:
  TaskChecks(Oracle& oracle, Trace& trace, Report report);

  void task_starting(const std::string& node, const std::string& alloc, const std::string& task) override;
  void task_started(const RunningTask& task) override;
  void task_stop_asked(const RunningTask& task) override;
  void task_ended(const RunningTask& task, ExitCause cause) override;
  // The servers' answer to a node had this allocation.
  void node_told(const std::string& node, const Allocation& alloc);
  // The node's machine lost power, and with it some of what it was told. System tasks do not wait for the servers then.
  void node_forgets(const std::string& node);

  // The servers once removed the node; what runs there goes on, though they know nothing of it.
  bool forgotten(const std::string& node) const { return forgotten_.contains(node); }

  // Tasks that run now: allocation id and task -> machine.
  const std::map<std::string, std::string>& running() const { return running_; }
  uint64_t started() const { return started_; }
  uint64_t stopped() const { return stopped_; }

 private:
  void committed(const state::CommitInfo& commit);
  void launched(const Job& child);
  void desired_stop(const state::CommitInfo& commit, const Allocation& before, const Allocation& after);

  Oracle& oracle_;
  Trace& trace_;
  Report report_;
  std::map<std::string, std::string> running_;
  std::map<std::string, bool> told_stopped_;  // node and allocation -> whether of a system job
  std::set<std::string> begun_;  // allocation id and task
  std::set<std::string> forgotten_;
  std::set<std::string> launched_;  // children of periodic jobs
  uint64_t started_ = 0, stopped_ = 0;
};

}  // namespace drover::sim
