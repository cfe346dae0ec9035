// Hooks of an allocation: an ordered table, and what a hook may do. Reference client, section 13.1.
//
// A new hook is a row in alloc_hooks.cc and a class in a file of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/result.h"
#include "client/alloc_dir.h"
#include "client/config.h"
#include "drivers/driver.h"
#include "model/alloc.h"
#include "model/node.h"

namespace drover::client {

class AllocRunner;
struct ServiceParts;

// Answers of the client about other allocations.
struct PreviousAllocs {
  // Returns when the allocation has ended here, or, if it lived elsewhere, when the servers say that it has.
  std::function<Async<void>(Uuid id)> wait;
  // Its directory, when it lived here and is still there.
  std::function<std::optional<AllocPaths>(const Uuid& id)> local_paths;
  // Destroys it for good, once its data has been taken.
  std::function<void(const Uuid& id)> destroy;
  // How many allocations wait for such a one, and how many take over its data.
  mutable size_t waiting = 0, migrating = 0;
};

struct AllocHookContext {
  World& world;
  const Config& config;
  AllocRunner& runner;
  const PreviousAllocs& previous;
  AllocPaths paths;
  Ref<Allocation> alloc;        // replaced on updates
  const TaskGroup* group = nullptr;
  std::function<drivers::Driver*(std::string_view)> driver;
  std::function<Ref<Node>()> node;
  ServiceParts* services = nullptr;  // null: nothing is registered or checked
};

class AllocHook {
 public:
  virtual ~AllocHook() = default;
  // Must be repeatable: a successor of the agent runs it again for an allocation that goes on.
  virtual Async<Status> prerun(AllocHookContext& ctx) { co_return Status(); }
  // A new copy from the servers.
  virtual Async<Status> update(AllocHookContext& ctx) { co_return Status(); }
  virtual Async<void> prekill(AllocHookContext& ctx) { co_return; }
  virtual Async<void> pre_task_restart(AllocHookContext& ctx) { co_return; }
  virtual Async<Status> postrun(AllocHookContext& ctx) { co_return Status(); }
  virtual Async<Status> destroy(AllocHookContext& ctx) { co_return Status(); }
  // The agent goes, the tasks stay.
  virtual void shutdown() {}
  // After every change of the tasks' states.
  virtual void states_changed(AllocHookContext& ctx) {}
};

struct AllocHookRow {
  std::string_view name;
  std::unique_ptr<AllocHook> (*make)();
};
// In the order in which they run.
const std::vector<AllocHookRow>& alloc_hook_rows();

struct NamedAllocHook {
  std::string_view name;
  std::unique_ptr<AllocHook> hook;
};

std::unique_ptr<AllocHook> make_alloc_dir_hook();
std::unique_ptr<AllocHook> make_previous_allocs_hook();
std::unique_ptr<AllocHook> make_migrate_disk_hook();
std::unique_ptr<AllocHook> make_health_hook();
std::unique_ptr<AllocHook> make_network_hook();
std::unique_ptr<AllocHook> make_group_services_hook();
std::unique_ptr<AllocHook> make_checks_hook();

// Isolation that a network mode asks for: "host" and "" give kHost.
drivers::NetIsolation net_isolation(std::string_view mode);

}  // namespace drover::client
