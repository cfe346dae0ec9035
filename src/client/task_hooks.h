// Hooks of a task: an ordered table, and what a hook may do. Reference client, section 14.1.
//
// A new hook is a row in task_hooks.cc and a class in a file of its own. What a prestart returned with `done` is
// persisted and not run again, neither on restarts of the task nor by a successor of the agent.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/async.h"
#include "client/alloc_dir.h"
#include "client/config.h"
#include "client/local_state.h"
#include "client/task_env.h"
#include "drivers/driver.h"
#include "model/alloc.h"

namespace drover::client {

struct ServiceParts;
class StateDb;

// What a hook sees. Lives as long as its runner; the allocation and the environment are replaced on updates.
struct TaskHookContext {
  World& world;
  const Config& config;
  StateDb& state;
  AllocPaths paths;
  Ref<Allocation> alloc;
  const Task* task = nullptr;  // within alloc
  drivers::Driver* driver = nullptr;
  drivers::FsIsolation isolation = drivers::FsIsolation::kNone;
  Ref<Node> node;
  std::function<void(TaskEvent)> emit;                 // records an event of the task
  std::function<RunEnv()> env;                        // as the task would get it now
  std::function<void(TaskEvent, bool failure)> restart;  // asks for a restart
  std::function<void(std::vector<TaskEvent>)> kill;
  std::function<Async<Status>(std::string signal)> signal;
  std::function<Async<Result<drivers::ExecResult>>(std::vector<std::string>, Duration)> exec;
  // Persists what a hook has to remember before its prestart ends.
  std::function<void(std::string_view hook, Map<std::string> data)> remember;
  ServiceParts* services = nullptr;
  std::function<std::optional<drivers::DriverNetwork>()> driver_network;
};

struct PrestartResult {
  Status status;                       // kUnavailable: worth another try under the restart policy
  std::optional<TaskEvent> failure_event;  // instead of "Task hook failed"
  bool done = false;                   // not to be run again; not for a hook that gives mounts or devices
  Map<std::string> data;
  Map<std::string> env;
  std::vector<drivers::Mount> mounts;
  std::vector<drivers::DeviceNode> devices;
  std::map<std::string, std::string> device_env;
};

class TaskHook {
 public:
  virtual ~TaskHook() = default;
  // `before` is what an earlier run or the predecessor left.
  virtual Async<PrestartResult> prestart(TaskHookContext& ctx, const HookState& before) { co_return PrestartResult{}; }
  virtual Async<Status> poststart(TaskHookContext& ctx) { co_return Status(); }
  virtual Async<Status> prekill(TaskHookContext& ctx) { co_return Status(); }
  virtual Async<Status> exited(TaskHookContext& ctx) { co_return Status(); }
  virtual Async<Status> stop(TaskHookContext& ctx) { co_return Status(); }
  virtual Async<Status> update(TaskHookContext& ctx) { co_return Status(); }
};

struct TaskHookRow {
  std::string_view name;
  bool (*wanted)(const TaskHookContext& ctx);
  std::unique_ptr<TaskHook> (*make)(const TaskHookContext& ctx);
};
// In the order in which they run.
const std::vector<TaskHookRow>& task_hook_rows();

struct NamedTaskHook {
  std::string_view name;
  std::unique_ptr<TaskHook> hook;
};
std::vector<NamedTaskHook> make_task_hooks(const TaskHookContext& ctx);

}  // namespace drover::client
