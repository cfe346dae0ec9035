#include "server/core_jobs.h"

#include <limits>
#include <utility>

#include "base/log.h"
#include "model/job_kind.h"
#include "model/raft_requests.h"
#include "model/requests.h"
#include "model/rpc_requests.h"
#include "model/status.h"
#include "server/eval_log.h"
#include "server/root_keys.h"
#include "server/server.h"

namespace drover::server {
namespace {

constexpr size_t kIdsPerEntry = 500;  // in one entry, which is applied in one go; the reference takes 7,281
constexpr size_t kJobsPerEntry = 100;  // each with its versions, summary and policies
constexpr int64_t kCorePriority = 32767;

bool eval_terminal(const Evaluation& e) {
  return e.Status == eval_status::kComplete || e.Status == eval_status::kFailed || e.Status == eval_status::kCanceled;
}

bool alloc_collectable(const Allocation& a, const Job* job, uint64_t threshold, Time now) {
  if (!is_terminal(a) || a.ModifyIndex > threshold || a.ClientStatus == alloc_client::kRunning) return false;
  if (!job || job->Stop || job->Status == "dead") return true;
  if (a.DesiredStatus == alloc_desired::kStop || a.ClientStatus != alloc_client::kFailed) return true;
  auto* group = find_group(*job, a.TaskGroup.view());
  auto* policy = group && group->ReschedulePolicy ? &*group->ReschedulePolicy : nullptr;
  if (!policy || (!policy->Unlimited && policy->Attempts == 0)) return true;
  if (!a.NextAllocation.nil()) return true;
  // A failed allocation that may still be rescheduled is the record of its attempts.
  if (policy->Unlimited || !a.RescheduleTracker || a.RescheduleTracker->Events.empty()) return false;
  auto last = Time::from_unix_nanos(a.RescheduleTracker->Events.back().RescheduleTime);
  return now - last > policy->Interval;
}

}  // namespace

Evaluation core_eval(std::string_view job, uint64_t modify_index, World& world) {
  auto e = new_eval(world, "-", job, job_type::kCore, kCorePriority, eval_trigger::kScheduled);
  e.ModifyIndex = modify_index;
  return e;
}

bool collect_eval(const state::Snapshot& snap, const Evaluation& eval, uint64_t threshold, bool job_gc, Time now,
                  Garbage& garbage) {
  if (!eval_terminal(eval) || eval.ModifyIndex > threshold) return false;
  auto job = snap.jobs().get(eval.Namespace, eval.JobID);
  bool dead = job && job->Status == "dead" && (job->Stop || job_gc);
  bool keep_batch = eval.Type == job_type::kBatch && job && !dead;
  bool all = true;
  for (auto& a : snap.allocs().by_eval(eval.ID)) {
    bool old = keep_batch ? a->CreateIndex < job->JobModifyIndex && a->ModifyIndex < threshold && is_terminal(*a)
                          : alloc_collectable(*a, job.get(), threshold, now);
    if (old) garbage.allocs.push_back(a->ID);
    else all = false;
  }
  // A batch job's evaluations are what its finished allocations hang on: they stay while the job does.
  if (keep_batch && !snap.allocs().by_eval(eval.ID).any() && eval.JobModifyIndex >= job->JobModifyIndex) return false;
  return all;
}

Garbage collectable_evals(const state::Snapshot& snap, EvalThresholds t, Time now) {
  Garbage g;
  for (auto& e : snap.evals().all())
    if (collect_eval(snap, *e, e->Type == job_type::kBatch ? t.batch : t.others, false, now, g)) g.evals.push_back(e->ID);
  return g;
}

JobGarbage collectable_jobs(const state::Snapshot& snap, uint64_t threshold, Time now) {
  JobGarbage out;
  for (auto& job : snap.jobs().by_gc(true)) {
    if (job->CreateIndex > threshold) continue;
    Garbage g;
    bool all = true;
    for (auto& e : snap.evals().by_job(job->Namespace, job->ID)) {
      if (collect_eval(snap, *e, threshold, true, now, g)) g.evals.push_back(e->ID);
      else all = false;
    }
    if (!all) continue;
    out.jobs.push_back(job);
    out.garbage.evals.insert(out.garbage.evals.end(), g.evals.begin(), g.evals.end());
    out.garbage.allocs.insert(out.garbage.allocs.end(), g.allocs.begin(), g.allocs.end());
  }
  return out;
}

std::vector<Uuid> collectable_nodes(const state::Snapshot& snap, uint64_t threshold) {
  std::vector<Uuid> out;
  for (auto& n : snap.nodes().all())
    if (is_down(*n) && n->ModifyIndex <= threshold && !snap.allocs().by_node_terminal(n->ID, false).any()) out.push_back(n->ID);
  return out;
}

std::vector<Uuid> collectable_deployments(const state::Snapshot& snap, uint64_t threshold) {
  std::vector<Uuid> out;
  for (auto& d : snap.deployments().all()) {
    if (is_active(*d) || d->ModifyIndex > threshold) continue;
    bool live = false;
    for (auto& a : snap.allocs().by_deployment(d->ID)) live = live || !is_terminal(*a);
    if (!live) out.push_back(d->ID);
  }
  return out;
}

namespace {

class CoreJob {
  // What is garbage takes a look at everything: on the pool.
  template <class F>
  auto look(F find) {
    return on_pool(server_.world(), [snap = server_.snapshot(), find = std::move(find)] { return find(snap); });
  }

 public:
  CoreJob(Server& server, bool force) : server_(server), force_(force) {}

  uint64_t threshold(Duration age) const {
    if (force_) return std::numeric_limits<uint64_t>::max();
    return server_.snapshot().times().nearest_index(server_.world().clock.now() - age);
  }
  Time now() const { return server_.world().clock.now(); }

  Async<Status> evals() {
    auto& gc = server_.config().gc;
    EvalThresholds thresholds{threshold(gc.eval), threshold(gc.batch_eval)};
    auto found = co_await look([=, now = now()](auto& snap) { return collectable_evals(snap, thresholds, now); });
    co_return co_await reap(std::move(found));
  }

  Async<Status> jobs() {
    auto limit = threshold(server_.config().gc.job);
    auto found = co_await look([limit, now = now()](auto& snap) { return collectable_jobs(snap, limit, now); });
    if (found.jobs.empty()) co_return Status{};
    DROVER_CO_CHECK(co_await reap(std::move(found.garbage)));
    rpc::JobBatchDeregisterRequest req;
    for (auto& job : found.jobs) {
      if (req.Jobs.size() == kJobsPerEntry) DROVER_CO_CHECK(co_await write("Job.BatchDeregister", std::exchange(req, {})));
      auto& e = req.Jobs.emplace_back();
      e.ID = job->ID;
      e.Namespace = job->Namespace;
      e.Purge = true;
      if (only_makes_children(*job)) continue;
      req.Evals.push_back(new_eval(server_.world(), *job, eval_trigger::kJobDeregister));
      req.Evals.back().JobModifyIndex = 0;  // the job is gone
    }
    co_return co_await write("Job.BatchDeregister", std::move(req));
  }

  Async<Status> nodes() {
    auto limit = threshold(server_.config().gc.node);
    auto ids = co_await look([limit](auto& snap) { return collectable_nodes(snap, limit); });
    if (ids.empty()) co_return Status{};
    rpc::NodeBatchDeregisterRequest req;
    for (auto& id : ids) req.NodeIDs.push_back(id.str());
    co_return co_await write("Node.BatchDeregister", std::move(req));
  }

  Async<Status> rekey() { co_return co_await write("Keyring.Rekey", rpc::GenericWriteRequest{}); }

  Async<Status> deployments() {
    auto limit = threshold(server_.config().gc.deployment);
    auto ids = co_await look([limit](auto& snap) { return collectable_deployments(snap, limit); });
    for (size_t at = 0; at < ids.size(); at += kIdsPerEntry) {
      rpc::DeploymentDeleteRequest req;
      for (size_t i = at; i < std::min(ids.size(), at + kIdsPerEntry); ++i) req.Deployments.push_back(ids[i]);
      DROVER_CO_CHECK(co_await write("Deployment.Reap", std::move(req)));
    }
    co_return Status{};
  }

 private:
  Async<Status> reap(Garbage g) {
    size_t e = 0, a = 0;
    while (e < g.evals.size() || a < g.allocs.size()) {
      rpc::EvalReapRequest req;
      size_t room = kIdsPerEntry;
      for (; room && e < g.evals.size(); --room) req.Evals.push_back(g.evals[e++]);
      for (; room && a < g.allocs.size(); --room) req.Allocs.push_back(g.allocs[a++]);
      DROVER_CO_CHECK(co_await write("Eval.Reap", std::move(req)));
    }
    co_return Status{};
  }

  // This server may not be the leader.
  template <class Request>
  Async<Status> write(std::string_view method, Request req) {
    req.Region = server_.config().region;
    auto done = co_await server_.call<GenericResponse>(method, std::move(req));
    if (!done) co_return Error(std::move(done).error());
    co_return Status{};
  }

  Server& server_;
  bool force_;
};

}  // namespace

Async<Status> run_core_job(Server& server, const Evaluation& eval) {
  bool force = eval.JobID == kForceGc;
  CoreJob job(server, force);
  if (eval.JobID == kRekeyJob) co_return co_await job.rekey();
  if (force || eval.JobID == kRootKeyJob)
    DROVER_CO_CHECK(co_await care_for_root_keys(server, job.threshold(server.config().gc.root_key)));
  if (force || eval.JobID == "job-gc") DROVER_CO_CHECK(co_await job.jobs());
  if (force || eval.JobID == "eval-gc") DROVER_CO_CHECK(co_await job.evals());
  if (force || eval.JobID == "deployment-gc") DROVER_CO_CHECK(co_await job.deployments());
  // Nodes last: an earlier pass may have freed them of allocations.
  if (force || eval.JobID == "node-gc") DROVER_CO_CHECK(co_await job.nodes());
  co_return Status{};
}

}  // namespace drover::server
