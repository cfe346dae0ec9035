// Runs the checks of an allocation's services, and restarts the work whose checks fail (reference client, sections 26.4
// and 26.7).
#include <algorithm>
#include <map>
#include <memory>

#include "base/strings.h"
#include "client/alloc_hooks.h"
#include "client/alloc_runner.h"
#include "client/check_probe.h"
#include "client/services.h"
#include "model/task_events.h"

namespace drover::client {

namespace {

constexpr Duration kRestartPoll = std::chrono::seconds(1);

class ChecksHook final : public AllocHook {
 public:
  Async<Status> prerun(AllocHookContext& ctx) override {
    if (!ctx.services) co_return Status();
    ctx.services->checks.restore(ctx.alloc->ID);
    observe(ctx);
    co_return Status();
  }
  Async<Status> update(AllocHookContext& ctx) override {
    if (ctx.services && !over_) observe(ctx);
    co_return Status();
  }
  Async<void> prekill(AllocHookContext& ctx) override {
    end(ctx);
    co_return;
  }
  Async<Status> postrun(AllocHookContext& ctx) override {
    end(ctx);
    co_return Status();
  }
  void shutdown() override {
    over_ = true;
    observers_.clear();
    poll_.cancel();
  }

 private:
  struct Observer {
    CheckPlan plan;
    Running flow;
  };
  struct Watched {
    CheckRestartWatch watch;
    Time started;  // of the task it is for
  };

  void observe(AllocHookContext& ctx) {
    auto plans = all_checks(ctx);
    auto& store = ctx.services->checks;
    for (auto it = observers_.begin(); it != observers_.end();) {
      bool kept = std::any_of(plans.begin(), plans.end(), [&](auto& p) { return p.same_as(it->second->plan); });
      if (kept) {
        ++it;
        continue;
      }
      watched_.erase(it->first);
      if (std::none_of(plans.begin(), plans.end(), [&](auto& p) { return p.id == it->first; })) store.remove(ctx.alloc->ID, it->first);
      it = observers_.erase(it);
    }
    for (auto& plan : plans) {
      if (observers_.contains(plan.id)) continue;
      if (!store.of(ctx.alloc->ID).contains(plan.id)) store.put(ctx.alloc->ID, pending_result(plan, *ctx.alloc, ctx.world.clock.now()));
      auto& observer = observers_[plan.id] = std::make_unique<Observer>(Observer{plan, {}});
      if (ctx.services->network) observer->flow = Running(run(ctx, plan));
    }
    bool any = std::any_of(plans.begin(), plans.end(), [](auto& p) { return restarts(p); });
    if (any && !poll_.armed()) arm(ctx);
  }

  static Async<void> run(AllocHookContext& ctx, CheckPlan plan) {
    auto interval = std::max<Duration>(plan.check.Interval, std::chrono::seconds(1));
    co_await sleep_for(ctx.world.loop, interval / 2);
    for (;;) {
      auto probe = co_await run_probe(ctx.world, *ctx.services->network, plan);
      auto result = pending_result(plan, *ctx.alloc, ctx.world.clock.now());
      result.Status = probe.success ? "success" : "failure";
      result.StatusCode = probe.status_code;
      result.Output = std::move(probe.output);
      ctx.services->checks.put(ctx.alloc->ID, result);
      co_await sleep_for(ctx.world.loop, interval);
    }
  }

  void end(AllocHookContext& ctx) {
    shutdown();
    if (ctx.services) ctx.services->checks.purge(ctx.alloc->ID);
  }

  // ---- restarts

  static bool restarts(const CheckPlan& p) { return p.check.CheckRestart && p.check.CheckRestart->Limit > 0; }

  void arm(AllocHookContext& ctx) {
    poll_ = ctx.world.loop.after(kRestartPoll, [this, &ctx] {
      arm(ctx);
      look(ctx);
    });
  }

  void look(AllocHookContext& ctx) {
    auto now = ctx.world.clock.now();
    auto& results = ctx.services->checks.of(ctx.alloc->ID);
    for (auto& [id, observer] : observers_) {
      auto& plan = observer->plan;
      if (!restarts(plan)) continue;
      auto* task = plan.owner.empty() ? nullptr : ctx.runner.task(plan.owner);
      if (!plan.owner.empty() && (!task || !task->running())) continue;
      auto started = task ? task->state().StartedAt : Time();
      auto it = watched_.find(id);
      // A task that runs anew has its grace again.
      if (it == watched_.end() || it->second.started != started)
        it = watched_.insert_or_assign(id, Watched{CheckRestartWatch(plan.check, now), started}).first;
      auto* result = results.find(id);
      if (!result || restarted(plan.owner, started) || !it->second.watch.observe(result->Status, now)) continue;
      restart(ctx, plan, task);
      return;
    }
  }

  bool restarted(const std::string& owner, Time started) const {
    auto it = restarted_.find(owner);
    return it != restarted_.end() && !owner.empty() && it->second == started;
  }

  void restart(AllocHookContext& ctx, const CheckPlan& plan, TaskRunner* task) {
    auto event = with_restart_reason(make_task_event(kTaskRestartSignaled, ctx.world.clock.now()),
                                     "healthcheck: check " + go_quote(plan.check.Name) + " unhealthy");
    std::erase_if(watched_, [&](auto& w) { return observers_.at(w.first)->plan.owner == plan.owner; });
    if (task) {
      restarted_[plan.owner] = task->state().StartedAt;
      task->restart(std::move(event), true, false);
    } else {
      restart_ = Running(restart_group(ctx.runner, std::move(event)));
    }
  }

  static Async<void> restart_group(AllocRunner& runner, TaskEvent event) { (void)co_await runner.restart_unhealthy(std::move(event)); }

  std::map<std::string, std::unique_ptr<Observer>> observers_;  // by check id
  std::map<std::string, Watched> watched_;
  std::map<std::string, Time> restarted_;  // the run of the task that was told to end
  Timer poll_;
  Running restart_;
  bool over_ = false;
};

}  // namespace

std::unique_ptr<AllocHook> make_checks_hook() { return std::make_unique<ChecksHook>(); }

}  // namespace drover::client
