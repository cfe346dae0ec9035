#include "server/eval_log.h"

#include <algorithm>
#include <set>

#include "model/raft_requests.h"
#include "model/status.h"
#include "server/server.h"
#include "state/fsm.h"

namespace drover::server {

Async<Result<uint64_t>> write_evals(Server& server, std::vector<Evaluation> evals) {
  if (evals.empty()) co_return uint64_t{0};
  rpc::EvalUpdateRequest req;
  auto now = server.world().clock.now();
  for (auto& e : evals) {
    touch(e, now);
    req.Evals.push_back(std::move(e));
  }
  DROVER_CO_TRY(auto applied, co_await server.apply(state::EntryType::kEvalUpdate, req));
  co_return applied.index;
}

void touch(Evaluation& e, Time now) {
  if (!e.CreateTime) e.CreateTime = now.unix_nanos;
  e.ModifyTime = std::max(now.unix_nanos, e.ModifyTime ? e.CreateTime + 1 : e.CreateTime);
}

Evaluation new_eval(World& world, std::string_view ns, std::string_view job_id, std::string_view type, int64_t priority,
                    std::string_view triggered_by) {
  Evaluation e;
  e.ID = Uuid::generate(world.random);
  e.Namespace = ns;
  e.JobID = job_id;
  e.Type = type;
  e.Priority = priority;
  e.TriggeredBy = triggered_by;
  e.Status = eval_status::kPending;
  e.CreateTime = e.ModifyTime = world.clock.now().unix_nanos;
  return e;
}

Evaluation new_eval(World& world, const Job& job, std::string_view triggered_by) {
  auto e = new_eval(world, job.Namespace, job.ID, job.Type, job.Priority, triggered_by);
  e.JobModifyIndex = job.JobModifyIndex;
  return e;
}

std::pair<Evaluation, Evaluation> failed_follow_up(const Evaluation& failed, World& world) {
  Evaluation old = failed;
  old.Status = eval_status::kFailed;
  old.StatusDescription = "evaluation reached delivery limit (3)";
  auto next = new_eval(world, old.Namespace, old.JobID, old.Type, old.Priority, eval_trigger::kFailedFollowUp);
  next.JobModifyIndex = old.JobModifyIndex;
  next.Wait = 1min + world.random.jitter(5min);
  next.PreviousEval = old.ID;
  old.NextEval = next.ID;
  return {std::move(old), std::move(next)};
}

bool datacenter_matches(const List<std::string>& patterns, std::string_view dc) {
  // Two indexes into pattern and text, with the last star to come back to.
  auto glob = [](std::string_view p, std::string_view t) {
    size_t i = 0, k = 0, star = std::string_view::npos, mark = 0;
    while (k < t.size()) {
      if (i < p.size() && p[i] == '*') star = i++, mark = k;
      else if (i < p.size() && (p[i] == '?' || p[i] == t[k])) ++i, ++k;
      else if (star != std::string_view::npos) i = star + 1, k = ++mark;
      else return false;
    }
    while (i < p.size() && p[i] == '*') ++i;
    return i == p.size();
  };
  return std::any_of(patterns.begin(), patterns.end(), [&](auto& p) { return glob(p, dc); });
}

std::vector<Evaluation> node_evals(World& world, const state::Snapshot& snap, const Node& node, uint64_t node_index) {
  std::vector<Evaluation> out;
  std::set<std::pair<std::string, std::string>> seen;
  auto add = [&](const Job& job) {
    if (!seen.emplace(job.Namespace, job.ID).second) return;
    auto e = new_eval(world, job, eval_trigger::kNodeUpdate);
    e.NodeID = node.ID;
    e.NodeModifyIndex = node_index;
    out.push_back(std::move(e));
  };
  for (auto& alloc : snap.allocs().by_node(node.ID)) {
    // The job as it is now decides priority and type; the allocation's copy when the job is gone.
    if (auto job = snap.jobs().get(alloc->Namespace, alloc->JobID)) add(*job);
    else if (alloc->Job) add(*alloc->Job);
  }
  for (auto& job : snap.jobs().by_type(job_type::kSystem))
    if (!is_stopped(job.get()) && datacenter_matches(job->Datacenters, node.Datacenter)) add(*job);
  return out;
}

bool tolerates_absence(const state::Snapshot& snap, const Node& node, Time now) {
  if (node.Status == node_status::kDown || node.Status == node_status::kInit) return false;
  for (auto& alloc : snap.allocs().by_node_terminal(node.ID, false)) {
    if (alloc->DesiredStatus != alloc_desired::kRun || !alloc->Job) continue;
    auto* group = find_group(*alloc->Job, alloc->TaskGroup.view());
    if (!group || !group->MaxClientDisconnect) continue;
    // One that has been unknown for longer than that waits no more.
    Time since;
    for (auto& s : alloc->AllocStates)
      if (s.Field == kAllocStateClientStatus && s.Value == alloc_client::kUnknown) since = s.Time;
    if (alloc->ClientStatus != alloc_client::kUnknown || since.unset() || now - since < *group->MaxClientDisconnect) return true;
  }
  return false;
}

}  // namespace drover::server
