#include "client/alloc_hooks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "client/alloc_health.h"
#include "client/alloc_runner.h"
#include "client/services.h"
#include "model/client_status.h"

namespace drover::client {

const std::vector<AllocHookRow>& alloc_hook_rows() {
  static const std::vector<AllocHookRow> rows = {
      {"alloc_dir", make_alloc_dir_hook},
      {"await_previous_allocations", make_previous_allocs_hook},
      {"migrate_disk", make_migrate_disk_hook},
      {"alloc_health_watcher", make_health_hook},
      {"network", make_network_hook},
      {"group_services", make_group_services_hook},
      {"checks_hook", make_checks_hook},
  };
  return rows;
}

namespace {

// ---- alloc_dir

class AllocDirHook final : public AllocHook {
 public:
  Async<Status> prerun(AllocHookContext& ctx) override {
    return on_pool(ctx.world, [paths = ctx.paths] { return build_alloc_dir(paths); });
  }
  Async<Status> destroy(AllocHookContext& ctx) override {
    return on_pool(ctx.world, [paths = ctx.paths, tasks = ctx.runner.task_names()] {
      return destroy_alloc_dir(paths, tasks);
    });
  }
};

// ---- await_previous_allocations

// Counts one more while it lives.
class Counted {
 public:
  explicit Counted(size_t& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  size_t& count_;
};

class PreviousAllocsHook final : public AllocHook {
 public:
  Async<Status> prerun(AllocHookContext& ctx) override {
    Counted waiting(ctx.previous.waiting);
    if (!ctx.alloc->PreviousAllocation.nil()) co_await ctx.previous.wait(ctx.alloc->PreviousAllocation);
    auto preempted = ctx.alloc->PreemptedAllocations;
    for (auto& id : preempted) co_await ctx.previous.wait(id);
    co_return Status();
  }
};

// ---- migrate_disk

class MigrateDiskHook final : public AllocHook {
 public:
  Async<Status> prerun(AllocHookContext& ctx) override {
    auto id = ctx.alloc->PreviousAllocation;
    auto& disk = ctx.group->EphemeralDisk;
    if (id.nil() || !disk || !(disk->Sticky || disk->Migrate)) co_return Status();
    auto from = ctx.previous.local_paths(id);
    if (!from) co_return Status();
    Counted migrating(ctx.previous.migrating);
    auto status = co_await on_pool(ctx.world, [from = *from, to = ctx.paths, tasks = ctx.runner.task_names()] {
      return move_alloc_data(from, to, tasks);
    });
    if (!status) {
      // The allocation goes on, with an empty disk.
      log_error("client.alloc_runner", "failed to migrate data from previous alloc",
                {{"alloc_id", ctx.alloc->ID.str()}, {"error", status.error().message}});
      status = co_await on_pool(ctx.world, [to = ctx.paths, tasks = ctx.runner.task_names()]() -> Status {
        DROVER_CHECK(destroy_alloc_dir(to, tasks));
        return build_alloc_dir(to);
      });
    }
    ctx.previous.destroy(id);
    co_return status;
  }
};

// ---- alloc_health_watcher

class HealthHook final : public AllocHook {
 public:
  Async<Status> prerun(AllocHookContext& ctx) override {
    start(ctx);
    co_return Status();
  }
  Async<Status> update(AllocHookContext& ctx) override {
    if (auto serial = ctx.alloc->AllocModifyIndex; serial != serial_) start(ctx);
    co_return Status();
  }
  Async<Status> postrun(AllocHookContext&) override {
    stop();
    co_return Status();
  }
  void shutdown() override { stop(); }
  void states_changed(AllocHookContext& ctx) override { look(ctx); }

 private:
  void start(AllocHookContext& ctx) {
    stop();
    serial_ = ctx.alloc->AllocModifyIndex;
    Allocation judged = *ctx.alloc;
    judged.DeploymentStatus = ctx.runner.deployment_status();
    checks_.clear();
    // Checks of Consul are reported by nobody here; where they are mixed, the reference leaves those of this kind aside.
    if (ctx.services && !has_consul_checks(*ctx.group))
      for (auto& plan : all_checks(ctx)) checks_.push_back(plan.id);
    auto params = health_params(judged, !checks_.empty());
    if (!params) return;
    use_checks_ = params->use_checks;
    watch_.emplace(*params, alloc_tasks(*ctx.group), ctx.world.clock.now());
    look(ctx);
  }
  void stop() {
    watch_.reset();
    timer_.cancel();
  }
  void look(AllocHookContext& ctx) {
    if (!watch_) return;
    if (is_server_terminal(*ctx.alloc)) return stop();
    auto now = ctx.world.clock.now();
    auto states = ctx.runner.task_states();
    bool failed = derive_client_status(states).status == alloc_client::kFailed;
    if (use_checks_) watch_->checks(checks_pass(checks_, ctx.services->checks.of(ctx.alloc->ID)), now);
    if (auto verdict = watch_->observe(states, failed, now)) {
      stop();
      ctx.runner.set_health(verdict->healthy, verdict->reasons);
      return;
    }
    if (auto at = watch_->wake_at()) {
      auto wait = std::max(*at - now, Duration(1));
      if (use_checks_) wait = std::min(wait, kCheckPoll);
      timer_ = ctx.world.loop.after(wait, [this, &ctx] { look(ctx); });
    }
  }
  static bool has_consul_checks(const TaskGroup& group) {
    auto consul = [](auto& s) { return s.Provider != "nomad" && !s.Checks.empty(); };
    return std::any_of(group.Services.begin(), group.Services.end(), consul) ||
           std::any_of(group.Tasks.begin(), group.Tasks.end(),
                       [&](auto& t) { return std::any_of(t.Services.begin(), t.Services.end(), consul); });
  }

  static constexpr Duration kCheckPoll = std::chrono::milliseconds(500);
  std::vector<std::string> checks_;  // ids
  bool use_checks_ = false;
  std::optional<HealthWatch> watch_;
  uint64_t serial_ = 0;
  Timer timer_;
};

// ---- network

// Host networking needs nothing. Where a driver makes the group's namespace itself, it is asked to.
class NetworkHook final : public AllocHook {
 public:
  Async<Status> prerun(AllocHookContext& ctx) override {
    if (ctx.group->Networks.empty()) co_return Status();
    auto& network = ctx.group->Networks[0];
    auto mode = net_isolation(network.Mode);
    if (mode == drivers::NetIsolation::kHost) {
      if (!network.Hostname.empty())
        co_return invalid(fmt::format("hostname cannot be set on task group using {} networking mode", go_quote("host")));
      co_return Status();
    }
    DROVER_CO_TRY(auto* creator, pick_creator(ctx, network.Mode, mode));
    if (!creator)
      co_return Error(ErrorCode::kNotImplemented,
                      "failed to create network for alloc: this client has no manager for networking mode " +
                          go_quote(network.Mode));
    auto created = co_await creator->create_network(ctx.alloc->ID.str(), network.Hostname);
    if (!created) co_return std::move(created).error().with_context("failed to create network for alloc");
    creator_ = creator;
    spec_ = created->spec;
    ctx.runner.set_network(spec_);
    AllocNetworkStatus status;
    status.Address = spec_->address;
    ctx.runner.set_network_status(Box<AllocNetworkStatus>(std::move(status)));
    co_return Status();
  }
  Async<Status> postrun(AllocHookContext& ctx) override {
    if (!creator_) co_return Status();
    auto status = co_await creator_->destroy_network(ctx.alloc->ID.str(), *spec_);
    creator_ = nullptr;
    co_return status;
  }

 private:
  // Every driver of the group has to know the mode; at most one creates the namespace.
  static Result<drivers::Driver*> pick_creator(const AllocHookContext& ctx, const std::string& mode,
                                               drivers::NetIsolation isolation) {
    drivers::Driver* creator = nullptr;
    std::string first;
    for (auto& task : ctx.group->Tasks) {
      auto* driver = ctx.driver(task.Driver);
      if (!driver) return not_found("driver not found");
      auto& caps = driver->capabilities();
      auto& modes = caps.network_isolation_modes;
      if (std::find(modes.begin(), modes.end(), isolation) == modes.end())
        return invalid(fmt::format("task {} does not support {} networking mode", task.Name, go_quote(mode)));
      if (!caps.must_create_network) continue;
      if (creator)
        return invalid(fmt::format("tasks {} and {} want to initiate networking but only one driver can do so", first,
                                   task.Name));
      creator = driver;
      first = task.Name;
    }
    return creator;
  }

  drivers::Driver* creator_ = nullptr;
  std::optional<drivers::NetworkIsolation> spec_;
};

}  // namespace

drivers::NetIsolation net_isolation(std::string_view mode) {
  if (mode == "bridge" || mode == "none" || mode.starts_with("cni/")) return drivers::NetIsolation::kGroup;
  if (mode == "driver") return drivers::NetIsolation::kTask;
  return drivers::NetIsolation::kHost;
}

std::unique_ptr<AllocHook> make_alloc_dir_hook() { return std::make_unique<AllocDirHook>(); }
std::unique_ptr<AllocHook> make_previous_allocs_hook() { return std::make_unique<PreviousAllocsHook>(); }
std::unique_ptr<AllocHook> make_migrate_disk_hook() { return std::make_unique<MigrateDiskHook>(); }
std::unique_ptr<AllocHook> make_health_hook() { return std::make_unique<HealthHook>(); }
std::unique_ptr<AllocHook> make_network_hook() { return std::make_unique<NetworkHook>(); }

}  // namespace drover::client
