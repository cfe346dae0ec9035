// Hooks that register a group's and a task's services and remove them before the work behind them stops (reference
// client, section 26.5).
#include <algorithm>

#include "base/strings.h"
#include "client/alloc_hooks.h"
#include "client/alloc_runner.h"
#include "client/services.h"
#include "client/task_env.h"
#include "client/task_hooks_builtin.h"
#include "model/client_status.h"

namespace drover::client {

namespace {

Status provider_enabled(const Config& config) {
  if (config.nomad_service_discovery) return {};
  return internal("service registration provider \"nomad\" not enabled");
}

RunEnv group_env(const AllocHookContext& ctx, const Node& node) {
  static const Task kNoTask;
  TaskEnvInput in{node, *ctx.alloc, kNoTask, ctx.config.region};
  return build_task_env(in);
}

// Owner of what a Workload refers to.
struct Seen {
  Ref<Allocation> alloc;
  std::string task;
  RunEnv env;
  Ref<Node> node;
  std::optional<drivers::DriverNetwork> network;
  const AllocNetworkStatus* network_status = nullptr;

  Workload workload() const { return {*alloc, task, env, node->ID, node->Datacenter, network ? &*network : nullptr, network_status}; }
};

// ---- group_services

class GroupServicesHook final : public AllocHook {
 public:
  Async<Status> prerun(AllocHookContext& ctx) override {
    begun_ = true;
    co_return put(ctx);
  }
  Async<Status> update(AllocHookContext& ctx) override {
    if (removed_) co_return Status();
    co_return put(ctx);
  }
  Async<void> prekill(AllocHookContext& ctx) override {
    co_await remove(ctx);
    co_await delay(ctx);
  }
  Async<void> pre_task_restart(AllocHookContext& ctx) override {
    co_await remove(ctx);
    co_await delay(ctx);
    removed_ = false;
    (void)put(ctx);  // it was good before
  }
  Async<Status> postrun(AllocHookContext& ctx) override {
    if (!removed_) co_await remove(ctx);
    co_return Status();
  }
  void states_changed(AllocHookContext& ctx) override {
    if (delaying_ && skips_delay(ctx)) delaying_->set_from_any_thread(ctx.world.loop, true);
  }

 private:
  static WorkloadKey key(const AllocHookContext& ctx) { return {ctx.alloc->ID, ""}; }
  static bool skips_delay(const AllocHookContext& ctx) {
    return ctx.alloc->DesiredTransition.NoShutdownDelay.value_or(false);
  }
  static Seen see(AllocHookContext& ctx) {
    auto node = ctx.node();
    return {ctx.alloc, "", group_env(ctx, *node), node, std::nullopt, ctx.runner.network_status()};
  }

  Status put(AllocHookContext& ctx) {
    if (!ctx.services || !ctx.group) return {};
    if (has_nomad_services(*ctx.alloc, "")) DROVER_CHECK(provider_enabled(ctx.config));
    DROVER_TRY(auto services, registrations_of(see(ctx).workload()));
    ctx.services->sync.put(key(ctx), std::move(services));
    return {};
  }

  // Of an allocation that ended before this life of the agent.
  std::vector<std::string> left_behind(AllocHookContext& ctx) const {
    if (begun_ || !ctx.group) return {};
    return registration_ids(see(ctx).workload());
  }

  Async<void> remove(AllocHookContext& ctx) {
    if (!ctx.services) co_return;
    removed_ = true;
    ctx.services->sync.remove(key(ctx), ctx.alloc->Namespace.view(), left_behind(ctx));
    co_await ctx.services->sync.settled(key(ctx), kDeregisterLimit);
  }

  // The group's shutdown_delay, which a stop that asks for none ends early.
  Async<void> delay(AllocHookContext& ctx) {
    auto wait = ctx.group && ctx.group->ShutdownDelay ? *ctx.group->ShutdownDelay : Duration::zero();
    if (wait <= Duration::zero() || skips_delay(ctx)) co_return;
    delaying_.emplace();
    auto over = *delaying_;
    auto timer = ctx.world.loop.after(wait, [over]() mutable { over.set(true); });
    co_await over;
    delaying_.reset();
  }

  bool begun_ = false, removed_ = false;
  std::optional<Promise<bool>> delaying_;
};

// ---- task_services

class TaskServicesHook final : public TaskHook {
 public:
  Async<Status> poststart(TaskHookContext& ctx) override {
    registered_ = begun_ = true;
    co_return put(ctx);
  }
  Async<Status> update(TaskHookContext& ctx) override {
    if (!registered_) co_return Status();
    co_return put(ctx);
  }
  Async<Status> prekill(TaskHookContext& ctx) override { return remove(ctx); }
  Async<Status> exited(TaskHookContext& ctx) override { return remove(ctx); }
  Async<Status> stop(TaskHookContext& ctx) override {
    // One that ended before this life of the agent may have left its registrations.
    if (!begun_) ctx.services->sync.remove(key(ctx), ctx.alloc->Namespace.view(), registration_ids(see(ctx).workload()));
    co_return Status();
  }

 private:
  static WorkloadKey key(const TaskHookContext& ctx) { return {ctx.alloc->ID, ctx.task->Name}; }
  static Seen see(TaskHookContext& ctx) {
    Seen out{ctx.alloc, ctx.task->Name, ctx.env(), ctx.node, std::nullopt, ctx.alloc->NetworkStatus.get()};
    if (ctx.driver_network) out.network = ctx.driver_network();
    return out;
  }
  Status put(TaskHookContext& ctx) {
    DROVER_CHECK(provider_enabled(ctx.config));
    DROVER_TRY(auto services, registrations_of(see(ctx).workload()));
    ctx.services->sync.put(key(ctx), std::move(services));
    return {};
  }
  Async<Status> remove(TaskHookContext& ctx) {
    if (!std::exchange(registered_, false)) co_return Status();
    ctx.services->sync.remove(key(ctx));
    co_await ctx.services->sync.settled(key(ctx), kDeregisterLimit);
    co_return Status();
  }

  bool registered_ = false, begun_ = false;
};

}  // namespace

std::vector<CheckPlan> all_checks(const AllocHookContext& ctx) {
  std::vector<CheckPlan> out;
  if (!ctx.group) return out;
  auto node = ctx.node();
  auto add = [&](std::string_view task, const RunEnv& env) {
    if (!has_nomad_services(*ctx.alloc, task)) return;
    for (auto& plan : checks_of({*ctx.alloc, task, env, node->ID, node->Datacenter, nullptr, ctx.runner.network_status()}))
      out.push_back(std::move(plan));
  };
  add("", group_env(ctx, *node));
  for (auto& task : ctx.runner.tasks()) add(task->name(), task->env());
  return out;
}

std::unique_ptr<AllocHook> make_group_services_hook() { return std::make_unique<GroupServicesHook>(); }
std::unique_ptr<TaskHook> make_task_services_hook(const TaskHookContext&) { return std::make_unique<TaskServicesHook>(); }

}  // namespace drover::client
