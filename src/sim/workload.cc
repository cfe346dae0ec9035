#include "sim/workload.h"

#include <algorithm>

#include "model/feature_requests.h"
#include "model/rpc.h"
#include "model/status.h"
#include "raft/replica.h"
#include "sim/node_box.h"
#include "sim/server_box.h"

namespace drover::sim {

using namespace std::chrono_literals;

namespace {

constexpr int kVariables = 4;

struct JobKind {
  std::string_view id, type;
  bool fails = false;       // its tasks end with an error now and then
  bool serves = false;      // has a service
  bool waits = false;       // its allocations wait for a node that is away
  bool canary = false;
  std::string_view periodic = "";
  bool large = false;        // few fit on a node; its priority differs, so that it makes room for itself, or others do
  bool unstartable = false;  // its driver fails now and then
  bool dispatched = false;   // runs when it is dispatched
  // Whether it comes to rest while it is wanted.
  bool rests() const { return !fails && periodic.empty() && !large && !unstartable; }
};
constexpr JobKind kJobs[] = {
    {"web", "service", .serves = true},
    {"api", "service", .waits = true},
    {"shaky", "service", .fails = true},
    {"canary", "service", .canary = true},
    {"crunch", "batch"},
    {"retry", "batch", .fails = true},
    {"monitor", "system"},
    {"tick", "batch", .periodic = "*/20 * * * * * *"},
    {"large", "service", .large = true},
    {"broken", "service", .unstartable = true},
    {"broken-batch", "batch", .unstartable = true},
    {"sweep", "sysbatch"},
    {"called", "batch", .dispatched = true},
};
bool is_batch(std::string_view type) { return type == "batch" || type == "sysbatch"; }
bool on_every_node(std::string_view type) { return type == "system" || type == "sysbatch"; }

}  // namespace

const Workload::Actor Workload::kActors[] = {
    {"register", &Workload::register_job, 1s, 12s},
    {"stop", &Workload::stop_job, 15s, 60s},
    {"stop-alloc", &Workload::stop_alloc, 15s, 60s},
    {"drain", &Workload::drain_node, 20s, 80s},
    {"end-drains", &Workload::end_drains, 10s, 60s},
    {"gc", &Workload::collect_garbage, 30s, 120s},
    {"dispatch", &Workload::dispatch_job, 5s, 30s},
    {"scale", &Workload::scale_job, 10s, 40s},
    {"revert", &Workload::revert_job, 20s, 80s},
    {"evaluate", &Workload::evaluate_job, 10s, 60s},
    {"deployment", &Workload::steer_deployment, 5s, 30s},
    {"eligibility", &Workload::toggle_node, 20s, 80s},
    {"purge-node", &Workload::purge_node, 60s, 240s},
    {"scheduler", &Workload::set_scheduler, 20s, 100s},
    {"rotate-key", &Workload::rotate_key, 30s, 150s},
    {"write", &Workload::write_variable, 100ms, 2s},
    {"swap", &Workload::swap_variable, 200ms, 3s},
    {"delete", &Workload::delete_variable, 5s, 30s},
    {"read", &Workload::read_variable, 50ms, 1s},
    {"read-stale", &Workload::read_variable_stale, 100ms, 2s},
    {"read-jobs", &Workload::read_somewhere, 500ms, 4s},
};

Workload::Workload(Region& region) : region_(region), registers_(region.oracle, [&region](std::string what) { region.violation(std::move(what)); }) {}

void Workload::start() {
  for (auto& actor : kActors) arm(actor);
}

void Workload::arm(const Actor& actor) {
  later(region_.sim.loop, region_.dice.between(actor.pause_min, actor.pause_max), [this, &actor] {
    if (settling_) return;
    (this->*actor.act)();
    arm(actor);
  });
}

template <class Response, class Request>
void Workload::call(std::string_view method, Request request, std::function<void(Result<Response>)> done) {
  auto* server = region_.some_server();
  if (!server) return;
  counts_.calls++;
  server->ask<Response>(method, std::move(request), [this, done = std::move(done)](Result<Response> r) {
    if (!r) counts_.errors++;
    done(std::move(r));
  });
}

template <class Response, class Request>
void Workload::write(std::string_view method, Request request, std::function<void(const Response&)> done) {
  call<Response>(method, std::move(request), [this, method, done = std::move(done)](Result<Response> r) {
    if (!r) return;
    counts_.writes++;
    region_.availability.acknowledged();
    if constexpr (requires { r->Index; }) region_.oracle.acknowledged(r->Index, method);
    if (done) done(*r);
  });
  // A server that answers before the entry is safe: whatever it says, the write counts as done from here on.
  if (region_.options.plant == Plant::kAckEarly && region_.leader())
    region_.oracle.acknowledged(region_.oracle.newest().index() + 1, method);
}

// ---- jobs

Job Workload::make_job(const std::string& id) {
  auto& dice = region_.dice;
  auto* kind = std::find_if(std::begin(kJobs), std::end(kJobs), [&](auto& k) { return k.id == id; });
  Job j;
  j.ID = j.Name = id;
  j.Namespace = "default";
  j.Region = "global";
  j.Type = kind->type;
  j.Priority = 50;
  j.Datacenters = {"dc1"};
  auto& g = j.TaskGroups.emplace_back();
  g.Name = "group";
  g.Count = on_every_node(kind->type) ? 1 : static_cast<int64_t>(dice.between(uint64_t{1}, uint64_t{4}));
  g.EphemeralDisk.ensure().SizeMB = 10;
  auto& restart = g.RestartPolicy.ensure();
  restart.Mode = kind->type == "system" ? "delay" : "fail";
  restart.Interval = 60s;
  restart.Delay = 1s;
  restart.Attempts = 1;
  if (!on_every_node(kind->type)) {
    auto& again = g.ReschedulePolicy.ensure();
    again.Delay = 5s;
    again.DelayFunction = "constant";
    again.Unlimited = kind->type == "service";
    if (!again.Unlimited) {
      again.Attempts = 2;
      again.Interval = 10min;
    }
  }
  if (kind->type == "service") {
    auto& update = g.Update.ensure();
    update.MaxParallel = static_cast<int>(dice.between(uint64_t{1}, uint64_t{2}));
    update.HealthCheck = "task_states";
    update.MinHealthyTime = 2s;
    update.HealthyDeadline = 60s;
    update.ProgressDeadline = 120s;
    update.AutoRevert = dice.chance(0.3);
    if (kind->canary) {
      update.Canary = 1;
      update.AutoPromote = dice.chance(0.5);
    }
  }
  if (kind->serves) {
    auto& service = g.Services.emplace_back();
    service.Name = id;
    service.Provider = "nomad";
  }
  if (kind->waits && dice.chance(0.6)) g.MaxClientDisconnect = dice.between(Duration(20s), Duration(120s));
  if (!kind->periodic.empty()) {
    auto& periodic = j.Periodic.ensure();
    periodic.Enabled = true;
    periodic.Spec = kind->periodic;
    periodic.SpecType = "cron";
    periodic.TimeZone = "UTC";
    periodic.ProhibitOverlap = dice.chance(0.3);
  }
  auto& t = g.Tasks.emplace_back();
  t.Name = "main";
  t.Driver = "sim";
  t.KillTimeout = 5s;
  t.Resources.ensure().CPU = 100;
  t.Resources->MemoryMB = 64;
  t.LogConfig.ensure().MaxFiles = 1;
  t.LogConfig->MaxFileSizeMB = 1;
  t.Config.set("stop_takes", Value(std::string(dice.chance(0.3) ? "4s" : "100ms")));
  // Every other time the change is one that running tasks can take.
  auto& revision = revisions_[id];
  if (revision == 0 || dice.chance(0.6)) ++revision;
  t.Env.set("REVISION", std::to_string(revision));
  j.Meta.set("touched", std::to_string(++next_value_));
  bool ends = is_batch(kind->type) || kind->fails;
  if (ends) t.Config.set("run_for", Value(std::string(!kind->periodic.empty() ? "3s" : is_batch(kind->type) ? "8s" : "30s")));
  if (kind->unstartable && dice.chance(0.7)) t.Config.set("start_error", Value(std::string("no such image")));
  if (kind->large) {
    j.Priority = static_cast<int64_t>(dice.between(uint64_t{20}, uint64_t{80}));
    t.Resources->CPU = 1500;
  }
  if (kind->dispatched) j.ParameterizedJob.ensure();
  if (kind->fails && dice.chance(0.7)) t.Config.set("exit_code", Value(1));
  return j;
}

void Workload::register_job() {
  std::string id(kJobs[region_.dice.between(uint64_t{0}, std::size(kJobs) - 1)].id);
  rpc::JobRegisterRequest req;
  req.Namespace = "default";
  req.Job = make_job(id);
  region_.trace.event("user registers {} with count {}", id, req.Job->TaskGroups[0].Count);
  write<JobRegisterResponse>("Job.Register", std::move(req), [this](const JobRegisterResponse& r) {
    region_.oracle.acknowledged(r.JobModifyIndex, "Job.Register");
  });
}

void Workload::stop_job() {
  rpc::JobDeregisterRequest req;
  req.Namespace = "default";
  req.JobID = kJobs[region_.dice.between(uint64_t{0}, std::size(kJobs) - 1)].id;
  req.Purge = region_.dice.chance(0.3);
  region_.trace.event("user stops {}{}", req.JobID, req.Purge ? " and purges it" : "");
  write<JobDeregisterResponse>("Job.Deregister", std::move(req));
}

void Workload::stop_alloc() {
  auto allocs = region_.oracle.newest().allocs().all().all();
  // One of a system job is replaced only when its node changes or the job does, as the reference has it.
  std::erase_if(allocs, [](auto& a) { return is_terminal(*a) || (a->Job && a->Job->Type == "system"); });
  if (allocs.empty()) return;
  rpc::AllocStopRequest req;
  req.Namespace = "default";
  req.AllocID = region_.dice.pick(allocs)->ID.str();
  region_.trace.event("user stops allocation {}", req.AllocID);
  write<AllocStopResponse>("Alloc.Stop", std::move(req));
}

// ---- nodes

void Workload::drain_node() {
  auto nodes = region_.oracle.newest().nodes().all().all();
  if (nodes.size() < 2) return;
  rpc::NodeUpdateDrainRequest req;
  req.NodeID = region_.dice.pick(nodes)->ID.str();
  req.DrainStrategy.ensure().Deadline = region_.dice.between(Duration(5s), Duration(60s));
  region_.trace.event("user drains node {}", req.NodeID);
  write<NodeDrainUpdateResponse>("Node.UpdateDrain", std::move(req));
}

void Workload::end_drains() {
  for (auto& node : region_.oracle.newest().nodes().all()) {
    if (!node->DrainStrategy && node->SchedulingEligibility == "eligible") continue;
    rpc::NodeUpdateDrainRequest req;
    req.NodeID = node->ID.str();
    req.MarkEligible = true;
    region_.trace.event("user ends the drain of node {}", req.NodeID);
    write<NodeDrainUpdateResponse>("Node.UpdateDrain", std::move(req));
  }
}

void Workload::collect_garbage() {
  write<GenericResponse>("System.GarbageCollect", rpc::GenericWriteRequest{});
}

// A node that is gone, or thought to be; one that is well comes back by itself.
void Workload::purge_node() {
  auto nodes = region_.oracle.newest().nodes().all().all();
  if (nodes.size() < 2) return;
  rpc::NodeDeregisterRequest req;
  req.NodeID = region_.dice.pick(nodes)->ID.str();
  region_.trace.event("user purges node {}", req.NodeID);
  write<NodeUpdateResponse>("Node.Deregister", std::move(req));
}

void Workload::toggle_node() {
  auto nodes = region_.oracle.newest().nodes().all().all();
  if (nodes.empty()) return;
  auto& node = region_.dice.pick(nodes);
  NodeUpdateEligibilityRequest req;
  req.NodeID = node->ID.str();
  req.Eligibility = node->SchedulingEligibility == "eligible" ? "ineligible" : "eligible";
  region_.trace.event("user makes node {} {}", req.NodeID, req.Eligibility);
  write<NodeEligibilityUpdateResponse>("Node.UpdateEligibility", std::move(req));
}

void Workload::set_scheduler() {
  rpc::SchedulerSetConfigRequest req;
  auto& dice = region_.dice;
  auto& c = req.Config;
  c.SchedulerAlgorithm = dice.chance(0.5) ? "binpack" : "spread";
  c.PauseEvalBroker = !settling_ && dice.chance(0.1);
  auto& preempt = c.PreemptionConfig;
  preempt.SystemSchedulerEnabled = settling_ || dice.chance(0.8);
  preempt.ServiceSchedulerEnabled = !settling_ && dice.chance(0.5);
  preempt.BatchSchedulerEnabled = !settling_ && dice.chance(0.5);
  region_.trace.event("user sets the scheduler to {}{}", c.SchedulerAlgorithm, c.PauseEvalBroker ? ", paused" : "");
  write<SchedulerSetConfigurationResponse>("Operator.SchedulerSetConfiguration", std::move(req));
}

void Workload::rotate_key() {
  rpc::KeyringRotateRootKeyRequest req;
  write<KeyringRotateRootKeyResponse>("Keyring.Rotate", std::move(req));
}

// ---- jobs that are there

void Workload::dispatch_job() {
  JobDispatchRequest req;
  req.Namespace = "default";
  req.JobID = "called";
  write<JobDispatchResponse>("Job.Dispatch", std::move(req));
}

void Workload::scale_job() {
  rpc::JobScaleRequest req;
  req.Namespace = "default";
  req.JobID = kJobs[region_.dice.between(uint64_t{0}, std::size(kJobs) - 1)].id;
  req.Target.set("Group", "group");
  req.Count = static_cast<int64_t>(region_.dice.between(uint64_t{0}, uint64_t{4}));
  region_.trace.event("user scales {} to {}", req.JobID, *req.Count);
  write<JobRegisterResponse>("Job.Scale", std::move(req));
}

void Workload::revert_job() {
  auto jobs = region_.oracle.newest().jobs().all().all();
  std::erase_if(jobs, [](auto& job) { return !job->ParentID.empty() || job->Version == 0; });
  if (jobs.empty()) return;
  auto& job = region_.dice.pick(jobs);
  JobRevertRequest req;
  req.Namespace = job->Namespace;
  req.JobID = job->ID;
  req.JobVersion = job->Version - 1;
  region_.trace.event("user reverts {} to version {}", req.JobID, req.JobVersion);
  write<JobRegisterResponse>("Job.Revert", std::move(req));
}

void Workload::evaluate_job() {
  JobEvaluateRequest req;
  req.Namespace = "default";
  req.JobID = kJobs[region_.dice.between(uint64_t{0}, std::size(kJobs) - 1)].id;
  req.EvalOptions.ForceReschedule = region_.dice.chance(0.5);
  write<JobRegisterResponse>("Job.Evaluate", std::move(req));
}

void Workload::steer_deployment() {
  auto deployments = region_.oracle.newest().deployments().all().all();
  std::erase_if(deployments, [](auto& d) { return !is_active(*d); });
  if (deployments.empty()) return;
  auto& d = region_.dice.pick(deployments);
  if (region_.dice.chance(0.5)) {
    promote(*d);
  } else if (region_.dice.chance(0.7)) {
    pause(*d, d->Status != "paused");
  } else {
    rpc::DeploymentFailRequest req;
    req.Namespace = d->Namespace;
    req.DeploymentID = d->ID.str();
    region_.trace.event("user fails the deployment of {}", d->JobID);
    write<DeploymentUpdateResponse>("Deployment.Fail", std::move(req));
  }
}

void Workload::promote(const Deployment& d) {
  DeploymentPromoteRequest req;
  req.Namespace = d.Namespace;
  req.DeploymentID = d.ID.str();
  req.All = true;
  write<DeploymentUpdateResponse>("Deployment.Promote", std::move(req));
}

void Workload::pause(const Deployment& d, bool on) {
  DeploymentPauseRequest req;
  req.Namespace = d.Namespace;
  req.DeploymentID = d.ID.str();
  req.Pause = on;
  region_.trace.event("user {} the deployment of {}", on ? "pauses" : "resumes", d.JobID);
  write<DeploymentUpdateResponse>("Deployment.Pause", std::move(req));
}

// ---- variables

void Workload::write_variable() {
  auto path = fmt::format("v/{}", region_.dice.between(uint64_t{0}, uint64_t{kVariables - 1}));
  auto value = std::to_string(++next_value_);
  rpc::VariablesApplyRequest req;
  req.Namespace = "default";
  req.Op = "set";
  auto& var = req.Var.ensure();
  var.Path = path;
  var.Items.set("value", value);
  write<rpc::VariablesApplyResponse>("Variables.Apply", std::move(req), [this, path, value, floor = registers_.now()](const rpc::VariablesApplyResponse& r) {
    if (r.Output) registers_.wrote(path, value, r.Output->ModifyIndex, floor);
  });
}

void Workload::swap_variable() {
  auto path = fmt::format("v/{}", region_.dice.between(uint64_t{0}, uint64_t{kVariables - 1}));
  auto value = std::to_string(++next_value_);
  auto expected = seen_versions_[path];
  rpc::VariablesApplyRequest req;
  req.Namespace = "default";
  req.Op = "cas";
  auto& var = req.Var.ensure();
  var.Path = path;
  var.ModifyIndex = expected;
  var.Items.set("value", value);
  write<rpc::VariablesApplyResponse>("Variables.Apply", std::move(req), [this, path, value, expected, floor = registers_.now()](const rpc::VariablesApplyResponse& r) {
    if (r.Conflict || !r.Output) return;
    registers_.wrote(path, value, r.Output->ModifyIndex, floor);
    registers_.swapped(path, expected, r.Output->ModifyIndex);
  });
}

void Workload::delete_variable() {
  rpc::VariablesApplyRequest req;
  req.Namespace = "default";
  req.Op = "delete";
  req.Var.ensure().Path = fmt::format("v/{}", region_.dice.between(uint64_t{0}, uint64_t{kVariables - 1}));
  write<rpc::VariablesApplyResponse>("Variables.Apply", std::move(req));
}

void Workload::read_variable() {
  auto path = fmt::format("v/{}", region_.dice.between(uint64_t{0}, uint64_t{kVariables - 1}));
  rpc::VariablesReadRequest req;
  req.Namespace = "default";
  req.Path = path;
  req.AllowStale = region_.options.plant == Plant::kStaleRead;
  call<rpc::VariablesReadResponse>("Variables.Read", std::move(req), [this, path, floor = registers_.now()](Result<rpc::VariablesReadResponse> r) {
    if (!r) return;
    auto version = r->Data ? r->Data->ModifyIndex : 0;
    auto* value = r->Data ? r->Data->Items.find("value") : nullptr;
    registers_.read(path, version, value ? *value : "", floor);
    seen_versions_[path] = version;
  });
}

void Workload::read_variable_stale() {
  auto path = fmt::format("v/{}", region_.dice.between(uint64_t{0}, uint64_t{kVariables - 1}));
  rpc::VariablesReadRequest req;
  req.Namespace = "default";
  req.Path = path;
  req.AllowStale = true;
  call<rpc::VariablesReadResponse>("Variables.Read", std::move(req), [this, path](Result<rpc::VariablesReadResponse> r) {
    if (!r || !r->Data) return;
    auto* value = r->Data->Items.find("value");
    registers_.read_stale(path, r->Data->ModifyIndex, value ? *value : "");
  });
}

// A blocking query that is left alone, now and then.
void Workload::read_somewhere() {
  rpc::JobListRequest req;
  req.Namespace = "*";
  req.AllowStale = region_.dice.chance(0.5);
  if (region_.dice.chance(0.5)) req.MinQueryIndex = region_.oracle.newest().latest_index();
  req.MaxQueryTime = 10s;
  call<rpc::JobListResponse>("Job.List", std::move(req), [](Result<rpc::JobListResponse>) {});
}

// ---- the end

void Workload::settle() {
  settling_ = true;
  set_scheduler();
  end_drains();
  // What the shaky ones do never settles, nor does what begins again and again, or what may find no place.
  for (auto& kind : kJobs) {
    if (kind.rests()) continue;
    rpc::JobDeregisterRequest req;
    req.Namespace = "default";
    req.JobID = kind.id;
    write<JobDeregisterResponse>("Job.Deregister", std::move(req));
  }
}

// A deployment that waits for its user is helped on, and one that failed is done again.
void Workload::tend() {
  auto& snap = region_.oracle.newest();
  end_drains();
  if (auto config = snap.scheduler_config().get(); config && config->PauseEvalBroker) set_scheduler();
  for (auto& job : snap.jobs().all()) {
    auto d = job->Stop ? nullptr : snap.deployments().latest_by_job(job->Namespace, job->ID);
    if (!d || d->JobCreateIndex != job->CreateIndex) continue;
    if (d->Status == "paused") pause(*d, false);
    else if (is_active(*d) && requires_promotion(*d)) promote(*d);
    else if (d->Status == "failed" && d->JobVersion == job->Version) register_again(*job);
  }
}

void Workload::register_again(const Job& job) {
  rpc::JobRegisterRequest req;
  req.Namespace = job.Namespace;
  req.Job = job;
  req.Job->Meta.set("again", std::to_string(++next_value_));
  region_.trace.event("user registers {} again", job.ID);
  write<JobRegisterResponse>("Job.Register", std::move(req));
}

std::string Workload::unsettled() const {
  auto* leader = region_.leader();
  if (!leader) return "there is no leader";
  auto snap = leader->server()->snapshot();
  auto members = leader->server()->replica().configuration();
  for (auto& s : region_.servers)
    if (std::any_of(members.begin(), members.end(), [&](auto& m) { return m.id == s->id(); }) &&
        (!s->up() || s->server()->snapshot().index() != snap.index()))
      return fmt::format("server {} is behind", s->number());
  for (auto& node : snap.nodes().all()) {
    if (node->Status != node_status::kReady) return fmt::format("node {} is {}", node->Name, node->Status);
    if (node->DrainStrategy || node->SchedulingEligibility != "eligible") return fmt::format("node {} is not eligible", node->Name);
  }
  for (auto& eval : snap.evals().all())
    // One that waits may wait for long where a clock had jumped.
    if (eval->Status == eval_status::kPending && (eval->WaitUntil.unset() || eval->WaitUntil < leader->host().clock.now()))
      return fmt::format("evaluation {} of {} ({}) is pending", eval->ID.str(), std::string_view(eval->JobID), std::string_view(eval->TriggeredBy));
  for (auto& job : snap.jobs().all()) {
    int64_t running = 0, wanted = job->Stop ? 0 : job->TaskGroups[0].Count;
    if (!job->Stop && job->Type == "system") wanted = static_cast<int64_t>(region_.nodes.size());
    Ref<Allocation> some;
    for (auto& a : snap.allocs().by_job(job->Namespace, job->ID)) {
      running += !is_terminal(*a);
      some = a;
    }
    auto what = some ? describe_group(snap, *some) : "it never had one";
    if (job->Periodic || (job->ParameterizedJob && !job->Dispatched)) continue;
    if (!is_batch(job->Type) && running != wanted) return fmt::format("job {} has {} of {} allocations: {}", job->ID, running, wanted, what);
    if (is_batch(job->Type) && running != 0) return fmt::format("job {} is not done: {}", job->ID, what);
  }
  std::set<std::string> run;
  for (auto& a : snap.allocs().all()) {
    if (is_terminal(*a)) continue;
    if (a->ClientStatus != alloc_client::kRunning) return fmt::format("allocation {} of {} is {}", a->ID.str(), std::string(a->JobID), std::string(a->ClientStatus));
    run.insert(a->ID.str() + "/main");
  }
  // A node that the servers removed keeps what it ran when they know nothing of that any more: absence is no order.
  auto kept = [&](const std::string& key, const std::string& node) {
    return region_.tasks.forgotten(node) && !snap.allocs().get(*Uuid::parse(std::string_view(key).substr(0, 36)));
  };
  for (auto& [key, node] : region_.tasks.running())
    if (!run.contains(key) && !kept(key, node)) return fmt::format("{} still runs on {}", key, node);
  for (auto& key : run)
    if (!region_.tasks.running().contains(key)) return fmt::format("{} does not run", key);
  for (auto& service : snap.services().all())
    if (!run.contains(service->AllocID.str() + "/main")) return fmt::format("service {} of allocation {} is still registered", service->ServiceName, service->AllocID.str());
  for (auto& job : snap.jobs().all()) {
    if (job->Stop || job->TaskGroups[0].Services.empty()) continue;
    for (auto& a : snap.allocs().by_job(job->Namespace, job->ID))
      if (!is_terminal(*a) && !snap.services().by_alloc(a->ID).any()) return fmt::format("the service of allocation {} is not registered", a->ID.str());
  }
  return "";
}

}  // namespace drover::sim
