#include "sim/task_checks.h"

#include <algorithm>

#include "model/status.h"
#include "scheduler/texts.h"
#include "state/fsm.h"

namespace drover::sim {
namespace {

namespace text = scheduler::text;

std::string key_of(const RunningTask& task) { return task.alloc_id + "/" + task.name; }

bool node_gone(const state::Snapshot& snap, const Uuid& id) {
  auto node = snap.nodes().get(id);
  return !node || node->Status == node_status::kDown || node->Status == node_status::kDisconnected;
}

// How many of the job's group are not over, for "too many of them". Of a batch job those count that are done; as in the
// reference, one that was killed when its lost node came back is done as well, and its replacement one too many.
size_t live_in_group(const state::Snapshot& snap, const Allocation& a) {
  bool batch = a.Job && a.Job->Type == job_type::kBatch;
  size_t n = 0;
  for (auto& other : snap.allocs().by_job(a.Namespace, a.JobID))
    n += other->TaskGroup == a.TaskGroup && (!is_terminal(*other) || (batch && ran_successfully(*other)));
  return n;
}

size_t wanted_in_group(const Job& job, std::string_view group) {
  for (auto& g : job.TaskGroups)
    if (g.Name == group) return static_cast<size_t>(g.Count);
  return 0;
}

bool is_system(const Allocation& a) { return a.Job && (a.Job->Type == job_type::kSystem || a.Job->Type == job_type::kSysbatch); }

bool deployment_over(const state::Snapshot& snap, const Allocation& a) {
  auto d = a.DeploymentID.nil() ? nullptr : snap.deployments().get(a.DeploymentID);
  return !d || d->Status == "failed" || d->Status == "cancelled" || d->Status == "successful";
}

// The job does not ask for this allocation.
bool not_asked_for(const state::Snapshot& snap, const Allocation& a) {
  auto job = snap.jobs().get(a.Namespace, a.JobID);
  if (!job || job->Stop || !a.Job || job->Version != a.Job->Version || job->CreateIndex != a.Job->CreateIndex) return true;
  if (live_in_group(snap, a) > wanted_in_group(*job, a.TaskGroup)) return true;
  return a.DeploymentStatus && a.DeploymentStatus->Canary && deployment_over(snap, a);
}

bool being_updated(const state::Snapshot& snap, const Allocation& a) {
  auto job = snap.jobs().get(a.Namespace, a.JobID);
  return !job || !a.Job || job->Version != a.Job->Version || job->CreateIndex != a.Job->CreateIndex;
}

bool lost(const state::Snapshot& snap, const Allocation& a) { return node_gone(snap, a.NodeID); }

bool migrating(const state::Snapshot& snap, const Allocation& a) {
  auto node = snap.nodes().get(a.NodeID);
  return wants_migrate(a) || !node || node->DrainStrategy;
}

bool tainted(const state::Snapshot& snap, const Allocation& a) {
  auto node = snap.nodes().get(a.NodeID);
  return !node || lost(snap, a) || node->DrainStrategy || node->SchedulingEligibility != "eligible" || wants_migrate(a);
}

bool failed(const state::Snapshot&, const Allocation& a) { return a.ClientStatus == alloc_client::kFailed; }

bool reconnected(const state::Snapshot& snap, const Allocation& a) { return not_asked_for(snap, a) || failed(snap, a); }

// What the log says of a stop, and what then must be so.
struct Reason {
  std::string_view description;
  bool (*holds)(const state::Snapshot& snap, const Allocation& before);
};
constexpr Reason kReasons[] = {
    {text::kNotNeeded, not_asked_for},   {text::kUpdating, being_updated}, {text::kLost, lost},
    {text::kMigrating, migrating},       {text::kNodeTainted, tainted},    {text::kRescheduled, failed},
    {text::kReconnected, reconnected},
};
// A plan may rest on a state of a little earlier.
constexpr Duration kPlanAge = std::chrono::seconds(120);

}  // namespace

std::string describe_group(const state::Snapshot& snap, const Allocation& a) {
  auto job = snap.jobs().get(a.Namespace, a.JobID);
  auto out = job ? fmt::format("job {} version {}{} wants {}", job->ID, job->Version, job->Stop ? " (stopped)" : "", wanted_in_group(*job, a.TaskGroup))
                 : fmt::format("job {} is gone", std::string_view(a.JobID));
  for (auto& other : snap.allocs().by_job(a.Namespace, a.JobID)) {
    if (is_terminal(*other)) continue;
    out += fmt::format("; {} {} on {} version {} {} {}", other->ID.str().substr(0, 8), std::string_view(other->Name), std::string_view(other->NodeName),
                       other->Job ? other->Job->Version : 0, std::string_view(other->DesiredStatus), std::string_view(other->ClientStatus));
  }
  return out;
}

TaskChecks::TaskChecks(Oracle& oracle, Trace& trace, Report report)
    : oracle_(oracle), trace_(trace), report_(std::move(report)) {
  oracle_.listeners.push_back([this](const state::CommitInfo& commit) { committed(commit); });
}

void TaskChecks::task_starting(const std::string& node, const std::string& id, const std::string& task) {
  if (told_stopped_.contains(node + id)) report_(fmt::format("{} starts {}/{}, which it was told to stop", node, id, task));
  auto& snap = oracle_.newest();
  auto alloc = snap.allocs().get(*Uuid::parse(id));
  if (!alloc) return;  // collected meanwhile
  if (alloc->NodeName != node) report_(fmt::format("{} starts {}/{}, which was placed on {}", node, id, task, std::string_view(alloc->NodeName)));
  // One that had begun while its predecessor's node was lost goes on when that node is back.
  if (alloc->PreviousAllocation.nil() || begun_.contains(id + "/" + task)) return;
  auto before = running_.find(alloc->PreviousAllocation.str() + "/" + task);
  if (before == running_.end()) return;
  auto previous = snap.allocs().get(alloc->PreviousAllocation);
  if (!previous || is_client_terminal(*previous) || previous->ClientStatus == alloc_client::kUnknown || node_gone(snap, previous->NodeID)) return;
  report_(fmt::format("{} starts {}/{} while its predecessor runs on {}", node, id, task, before->second));
}

void TaskChecks::task_started(const RunningTask& task) {
  trace_.event("node {} starts {} of {}", task.node, task.name, task.alloc_id);
  started_++;
  begun_.insert(key_of(task));
  auto [it, fresh] = running_.try_emplace(key_of(task), task.node);
  if (!fresh) report_(fmt::format("task {} starts on {} while it runs on {}", key_of(task), task.node, it->second));
}

void TaskChecks::task_stop_asked(const RunningTask& task) {
  trace_.event("node {} stops {} of {}", task.node, task.name, task.alloc_id);
  stopped_++;
  auto alloc = oracle_.newest().allocs().get(*Uuid::parse(task.alloc_id));
  if (!alloc || alloc->DesiredStatus != alloc_desired::kRun) return;
  report_(fmt::format("{} stops {}, which is to run (status {})", task.node, key_of(task), std::string(alloc->ClientStatus)));
}

void TaskChecks::task_ended(const RunningTask& task, ExitCause cause) {
  trace_.event("node {} ended {} of {}, cause {}", task.node, task.name, task.alloc_id, static_cast<int>(cause));
  running_.erase(key_of(task));
}

void TaskChecks::node_told(const std::string& node, const Allocation& alloc) {
  if (alloc.DesiredStatus != alloc_desired::kRun) told_stopped_[node + alloc.ID.str()] = is_system(alloc);
}

void TaskChecks::node_forgets(const std::string& node) {
  std::erase_if(told_stopped_, [&](auto& told) { return told.second && told.first.starts_with(node); });
}

void TaskChecks::committed(const state::CommitInfo& commit) {
  for (auto& change : commit.changes) {
    if (change.table == state::TableId::jobs && change.after && commit.entry_type == static_cast<uint8_t>(state::EntryType::kJobRegister))
      launched(*change.after_as<Job>());
    // A job of the same name that comes later has launches of its own.
    if (change.table == state::TableId::jobs && !change.after)
      std::erase_if(launched_, [&](auto& child) { return child.starts_with(change.before_as<Job>()->ID + "/"); });
    if (change.table == state::TableId::nodes && !change.after) forgotten_.insert(change.before_as<Node>()->Name);
    if (change.table != state::TableId::allocs || !change.before || !change.after) continue;
    auto before = change.before_as<Allocation>(), after = change.after_as<Allocation>();
    if (before->DesiredStatus == alloc_desired::kRun && after->DesiredStatus != alloc_desired::kRun && !is_client_terminal(*before))
      desired_stop(commit, *before, *after);
  }
}

void TaskChecks::launched(const Job& child) {
  if (child.ParentID.empty() || child.JobModifyIndex != oracle_.newest().index()) return;
  if (!launched_.insert(child.ID).second) report_(fmt::format("{} is launched twice", child.ID));
}

void TaskChecks::desired_stop(const state::CommitInfo& commit, const Allocation& before, const Allocation& after) {
  if (after.DesiredStatus == alloc_desired::kEvict) {
    if (after.PreemptedByAllocation.nil()) report_(fmt::format("allocation {} is evicted for nobody", after.ID.str()));
    return;
  }
  std::string_view description = after.DesiredDescription;
  auto* reason = std::find_if(std::begin(kReasons), std::end(kReasons), [&](auto& r) { return r.description == description; });
  if (reason == std::end(kReasons)) return report_(fmt::format("allocation {} is stopped because of \"{}\"", after.ID.str(), description));
  if (reason->holds(commit.before, before)) return;
  auto& history = oracle_.history();
  for (auto it = history.rbegin(); it != history.rend() && commit.stamp - it->stamp() < kPlanAge; ++it) {
    auto then = it->allocs().get(before.ID);
    if (!then) break;
    if (reason->holds(*it, *then)) return;
  }
  report_(fmt::format("allocation {} is stopped because \"{}\", which is not so (index {}): {}", after.ID.str(), description, commit.index,
                      describe_group(commit.before, before)));
}

}  // namespace drover::sim
