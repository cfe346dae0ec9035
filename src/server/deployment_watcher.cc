#include "server/deployment_watcher.h"

#include "base/log.h"
#include "model/raft_requests.h"
#include "model/status.h"
#include "server/deployment_rules.h"
#include "server/deployment_writes.h"
#include "server/eval_log.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {
namespace {
// Between two updates of one deployment, so that allocations which become healthy together make one evaluation.
constexpr Duration kUpdateInterval = 250ms;
constexpr std::string_view kLog = "nomad.deployments_watcher";
}  // namespace

DeploymentWatcher::DeploymentWatcher(Server& server) : server_(server) {
  for (auto& d : server.snapshot().deployments().all())
    if (is_active(*d)) mark(d->ID);
}

DeploymentWatcher::~DeploymentWatcher() = default;

void DeploymentWatcher::on_commit(const state::CommitInfo& commit) {
  for (auto& change : commit.changes) {
    if (change.table == state::TableId::deployments) {
      auto after = change.after_as<Deployment>();
      if (after) mark(after->ID);
      else if (auto before = change.before_as<Deployment>()) mark(before->ID);
    } else if (change.table == state::TableId::allocs) {
      auto after = change.after_as<Allocation>();
      if (after && !after->DeploymentID.nil()) mark(after->DeploymentID);
    }
  }
}

void DeploymentWatcher::mark(const Uuid& id) {
  auto& w = watched_[id];
  w.dirty = true;
  start(id);
}

void DeploymentWatcher::start(const Uuid& id) {
  auto& w = watched_[id];
  if (!w.work.done() || w.pause.armed()) return;
  auto now = server_.world().clock.monotonic();
  auto wait = std::max(Duration::zero(), w.quiet_until - now);
  // Always from the loop: marks come from within a commit.
  w.pause = server_.world().loop.after(wait, [this, id] {
    auto it = watched_.find(id);
    if (it == watched_.end()) return;
    it->second.pause.cancel();
    if (it->second.work.done()) it->second.work = Running(look_at(id));
  });
}

void DeploymentWatcher::arm(const Uuid& id, const Deployment& d, const std::vector<Ref<Allocation>>& allocs) {
  auto& w = watched_[id];
  auto cutoff = progress_cutoff(d, allocs);
  if (!cutoff) {
    w.deadline.cancel();
    return;
  }
  auto wait = std::max(Duration::zero(), *cutoff - server_.world().clock.now());
  w.deadline = server_.world().loop.after(wait, [this, id] {
    auto it = watched_.find(id);
    if (it == watched_.end()) return;
    it->second.deadline_passed = true;
    mark(id);
  });
}

Async<void> DeploymentWatcher::look_at(Uuid id) {
  auto& w = watched_[id];
  while (std::exchange(w.dirty, false)) {
    auto snap = server_.snapshot();
    auto d = snap.deployments().get(id);
    if (!d || !is_active(*d)) {
      // Erased from outside: this coroutine lives in the entry.
      server_.world().loop.post([this, id, alive = std::weak_ptr<int>(alive_)] {
        if (!alive.lock()) return;
        auto it = watched_.find(id);
        if (it != watched_.end() && it->second.work.done() && !it->second.dirty) watched_.erase(it);
      });
      co_return;
    }
    auto allocs = snap.allocs().by_deployment(id).all();
    auto reaction = react(*d, allocs, newest_eval_index(snap, *d));
    bool timed_out = std::exchange(w.deadline_passed, false);
    auto verdict = timed_out ? deadline_verdict(*d) : reaction.verdict;
    Status wrote;
    if (verdict.fail) {
      wrote = co_await fail_deployment(server_, *d, timed_out ? "Failed due to progress deadline" : "Failed due to unhealthy allocations",
                                       verdict.rollback);
    } else if (wants_auto_promotion(*d, allocs)) {
      wrote = co_await promote_deployment(server_, *d, true, {});
    } else if (reaction.evaluate || !reaction.replace.empty()) {
      wrote = co_await continue_deployment(server_, *d, reaction.replace);
      w.quiet_until = server_.world().clock.monotonic() + kUpdateInterval;
    }
    if (!wrote) {
      log_error(kLog, "failed to update deployment", {{"deployment_id", id.str()}, {"error", wrote.error().message}});
      w.dirty = true;
      co_await sleep_for(server_.world().loop, 1s);
      continue;
    }
    arm(id, *d, allocs);
    if (w.dirty && w.quiet_until > server_.world().clock.monotonic())
      co_await sleep_for(server_.world().loop, w.quiet_until - server_.world().clock.monotonic());
  }
}

}  // namespace drover::server
