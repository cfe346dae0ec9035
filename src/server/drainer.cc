#include "server/drainer.h"

#include <algorithm>
#include <map>

#include "base/log.h"
#include "model/raft_requests.h"
#include "model/status.h"
#include "server/eval_log.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {
namespace {

constexpr size_t kIdsPerEntry = 500;
// From a change to the look at it, so that allocations that change together are told together. It also gives those who
// watch a drain that they began the time to see its allocations as they were.
constexpr Duration kWindow = 1s;
// The wall clock may be set while a timer runs: far deadlines are looked at again after this.
constexpr Duration kLookAgain = 1min;
constexpr std::string_view kLog = "nomad.drain";

}  // namespace

Drainer::Drainer(Server& server) : server_(server) {}

void Drainer::restore() {
  nodes_.clear();
  for (auto& node : server_.snapshot().nodes().all())
    if (node->DrainStrategy) nodes_.insert(node->ID);
  look_after(Duration::zero());
}

bool Drainer::concerns(const state::Change& change) {
  if (change.table == state::TableId::nodes) {
    auto before = change.before_as<Node>(), after = change.after_as<Node>();
    if (after && after->DrainStrategy) nodes_.insert(after->ID);
    else nodes_.erase((after ? after : before)->ID);
    return (after && after->DrainStrategy) || (before && before->DrainStrategy);
  }
  if (nodes_.empty()) return false;
  if (change.table == state::TableId::allocs) {
    auto a = change.after ? change.after_as<Allocation>() : change.before_as<Allocation>();
    return nodes_.contains(a->NodeID) || jobs_.contains(job_key(*a));
  }
  if (change.table == state::TableId::jobs) {
    auto job = change.after ? change.after_as<Job>() : change.before_as<Job>();
    return jobs_.contains({job->Namespace, job->ID});
  }
  return false;
}

void Drainer::on_commit(const state::CommitInfo& commit) {
  bool any = false;
  for (auto& change : commit.changes) any = concerns(change) || any;
  if (any) look_after(kWindow);
}

void Drainer::look_after(Duration wait) {
  dirty_ = true;
  if (!work_.done() || begin_.armed()) return;
  begin_ = server_.world().loop.after(wait, [this] {
    begin_.cancel();
    if (work_.done()) work_ = Running(work());
  });
}

Async<void> Drainer::work() {
  while (std::exchange(dirty_, false)) {
    if (auto status = co_await pass(); !status) {
      log_error(kLog, "failed to drain nodes", {{"error", status.error().message}});
      dirty_ = true;
    }
    co_await sleep_for(server_.world().loop, kWindow);
  }
}

Async<Status> Drainer::pass() {
  deadline_.cancel();
  auto now = server_.world().clock.now();
  auto plan = plan_drain(server_.snapshot(), nodes_, now);
  jobs_ = std::move(plan.jobs);
  if (plan.wake_at) {
    auto wait = std::clamp<Duration>(*plan.wake_at - now, Duration::zero(), kLookAgain);
    deadline_ = server_.world().loop.after(wait, [this] { look_after(Duration::zero()); });
  }
  if (!plan.migrate.empty()) DROVER_CO_CHECK(co_await tell(std::move(plan.migrate)));
  if (!plan.done.empty()) DROVER_CO_CHECK(co_await complete(std::move(plan.done)));
  co_return Status{};
}

Async<Status> Drainer::tell(std::vector<Ref<Allocation>> allocs) {
  auto snap = server_.snapshot();
  std::map<JobKey, Ref<Job>> jobs;
  for (auto& a : allocs)
    if (auto& job = jobs[job_key(*a)]; !job) {
      job = snap.jobs().get(a->Namespace, a->JobID);
      if (!job) job = a->Job;
    }
  std::vector<Evaluation> evals;
  for (auto& [key, job] : jobs)
    if (job) evals.push_back(new_eval(server_.world(), *job, eval_trigger::kNodeDrain));
  // The evaluations come with the last allocations, so that no scheduler runs before all are told.
  for (size_t at = 0; at < allocs.size() + evals.size(); at += kIdsPerEntry) {
    rpc::AllocUpdateDesiredTransitionRequest entry;
    for (size_t i = at; i < std::min(at + kIdsPerEntry, allocs.size() + evals.size()); ++i) {
      if (i < allocs.size()) entry.Allocs[allocs[i]->ID.str()].Migrate = true;
      else entry.Evals.push_back(evals[i - allocs.size()]);
    }
    DROVER_CO_TRY(auto applied, co_await server_.apply(state::EntryType::kAllocUpdateDesiredTransition, entry));
  }
  co_return Status{};
}

Async<Status> Drainer::complete(std::vector<DrainPass::Done> done) {
  // An operator may have changed a drain while its allocations were told.
  auto snap = server_.snapshot();
  std::erase_if(done, [&](auto& d) {
    auto node = snap.nodes().get(d.node);
    return !node || !node->DrainStrategy || !(*node->DrainStrategy == d.strategy);
  });
  for (size_t at = 0; at < done.size(); at += kIdsPerEntry) {
    rpc::BatchNodeUpdateDrainRequest entry;
    entry.UpdatedAt = server_.world().clock.now().unix_seconds();
    for (size_t i = at; i < std::min(at + kIdsPerEntry, done.size()); ++i) {
      auto id = done[i].node.str();
      entry.Updates[id] = {};
      auto& event = entry.NodeEvents[id];
      event.Subsystem = "Drain";
      event.Message = "Node drain complete";
      event.Timestamp = server_.world().clock.now();
      if (done[i].deadline_reached) event.Details["deadline_reached"] = "true";
    }
    DROVER_CO_TRY(auto applied, co_await server_.apply(state::EntryType::kBatchNodeUpdateDrain, entry));
    for (size_t i = at; i < std::min(at + kIdsPerEntry, done.size()); ++i)
      log_info(kLog, "node drain complete", {{"node_id", done[i].node.str()}});
  }
  co_return Status{};
}

}  // namespace drover::server
