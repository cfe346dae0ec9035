// For tests: a state that is a handful of maps, the fixtures of reference scheduler 20, and a planner that commits.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "model/reschedule.h"
#include "model/status.h"
#include "scheduler/fleet.h"
#include "scheduler/name_index.h"
#include "scheduler/plan_apply.h"
#include "scheduler/random.h"
#include "scheduler/schedule.h"

namespace drover::scheduler::testing {

class MemState final : public StateView {
 public:
  using Key = std::pair<std::string, std::string>;  // namespace, id
  uint64_t at = 1000;
  std::map<Uuid, Ref<Node>> nodes;
  std::map<Key, std::map<uint64_t, Ref<Job>>> jobs;  // versions
  std::map<Key, Ref<Job>> current;
  std::map<Uuid, Ref<Allocation>> allocs;
  std::map<Uuid, Ref<Deployment>> deployments;
  std::map<Key, Ref<CSIVolume>> volumes;
  Ref<SchedulerConfiguration> config;

  uint64_t index() const override { return at; }
  void each_node(const std::function<void(const Ref<Node>&)>& fn) const override {
    for (auto& [id, n] : nodes) fn(n);
  }
  Ref<Node> node(const Uuid& id) const override { return get(nodes, id); }
  Ref<Job> job(std::string_view ns, std::string_view id) const override {
    return get(current, Key(std::string(ns), std::string(id)));
  }
  Ref<Job> job_version(std::string_view ns, std::string_view id, uint64_t version) const override {
    auto it = jobs.find(Key(std::string(ns), std::string(id)));
    return it == jobs.end() ? nullptr : get(it->second, version);
  }
  std::vector<Ref<Allocation>> allocs_by_job(std::string_view ns, std::string_view id) const override {
    return select(allocs, [&](const Allocation& a) { return a.Namespace == ns && a.JobID == id; });
  }
  std::vector<Ref<Allocation>> allocs_by_node(const Uuid& node) const override {
    std::vector<Ref<Allocation>> out;
    auto it = by_node_.find(node);
    if (it != by_node_.end())
      for (auto& id : it->second) out.push_back(allocs.at(id));
    return out;
  }
  Ref<Allocation> alloc(const Uuid& id) const override { return get(allocs, id); }
  std::vector<Ref<Deployment>> deployments_by_job(std::string_view ns, std::string_view id) const override {
    return select(deployments, [&](const Deployment& d) { return d.Namespace == ns && d.JobID == id; });
  }
  Ref<Deployment> latest_deployment(std::string_view ns, std::string_view id) const override {
    Ref<Deployment> latest;
    for (auto& d : deployments_by_job(ns, id))
      if (!latest || latest->CreateIndex < d->CreateIndex) latest = d;
    return latest;
  }
  Ref<SchedulerConfiguration> scheduler_config() const override { return config; }
  Ref<CSIVolume> csi_volume(std::string_view ns, std::string_view id) const override {
    return get(volumes, Key(std::string(ns), std::string(id)));
  }
  std::vector<Ref<CSIVolume>> csi_volumes_by_node(const Uuid& node) const override {
    std::vector<Ref<CSIVolume>> out;
    for (auto& [key, v] : volumes)
      for (auto& [id, claim] : v->WriteClaims)
        if (claim.NodeID == node.str()) out.push_back(v);
    return out;
  }
  bool changes(const StateView& older, const std::function<void(const Uuid&)>& node, const AllocChange& alloc) const override {
    auto* before = dynamic_cast<const MemState*>(&older);
    if (!before) return false;
    diff(before->nodes, nodes, [&](const auto& b, const auto& a) { node(a ? a->ID : b->ID); });
    diff(before->allocs, allocs, alloc);
    return true;
  }

  // --- writes ---
  void put(Node n) {
    n.ModifyIndex = ++at;
    nodes[n.ID] = std::make_shared<const Node>(std::move(n));
  }
  void put(Job j) {
    auto key = std::pair(j.Namespace, j.ID);
    auto r = std::make_shared<const Job>(std::move(j));
    jobs[key][r->Version] = r;
    current[key] = r;
    ++at;
  }
  // The next version of a job that is there.
  void update(Job j) {
    auto old = job(j.Namespace, j.ID);
    j.Version = old->Version + 1;
    j.CreateIndex = old->CreateIndex;
    j.JobModifyIndex = j.ModifyIndex = ++at;
    put(std::move(j));
  }
  void put(Allocation a) {
    if (!a.CreateIndex) a.CreateIndex = ++at;
    a.ModifyIndex = a.AllocModifyIndex = ++at;
    by_node_[a.NodeID].insert(a.ID);
    allocs[a.ID] = std::make_shared<const Allocation>(std::move(a));
  }
  void put(Deployment d) {
    if (!d.CreateIndex) d.CreateIndex = ++at;
    deployments[d.ID] = std::make_shared<const Deployment>(std::move(d));
  }
  // Commits a result as the store does.
  void apply(const PlanResult& r, const Ref<Job>& plan_job) {
    for (auto* map : {&r.NodeUpdate, &r.NodePreemptions})
      for (auto& [node, list] : *map)
        for (auto& change : list) {
          auto stored = allocs.find(change->ID);
          if (stored == allocs.end()) continue;
          Allocation a = *stored->second;
          a.DesiredStatus = change->DesiredStatus;
          a.DesiredDescription = change->DesiredDescription;
          if (!change->ClientStatus.empty()) a.ClientStatus = change->ClientStatus;
          a.AllocStates = change->AllocStates;
          if (change->FollowupEvalID) a.FollowupEvalID = change->FollowupEvalID;
          a.PreemptedByAllocation = change->PreemptedByAllocation;
          put(std::move(a));
        }
    if (r.Deployment) put(*r.Deployment);
    for (auto& u : r.DeploymentUpdates)
      if (auto it = deployments.find(u.DeploymentID); it != deployments.end()) {
        Deployment d = *it->second;
        d.Status = u.Status;
        d.StatusDescription = u.StatusDescription;
        put(std::move(d));
      }
    for (auto& [node, list] : r.NodeAllocation)
      for (auto& placed : list) {
        Allocation a = *placed;
        if (!a.Job) a.Job = plan_job;
        if (auto it = allocs.find(a.PreviousAllocation); it != allocs.end() && !allocs.contains(a.ID)) {
          Allocation previous = *it->second;
          previous.NextAllocation = a.ID;
          put(std::move(previous));
        }
        if (is_canary(a))
          if (auto it = deployments.find(a.DeploymentID); it != deployments.end()) {
            Deployment d = *it->second;
            d.TaskGroups[a.TaskGroup].PlacedCanaries.push_back(a.ID);
            put(std::move(d));
          }
        put(std::move(a));
      }
  }

 private:
  template <class M, class K>
  static typename M::mapped_type get(const M& map, const K& key) {
    auto it = map.find(key);
    return it == map.end() ? nullptr : it->second;
  }
  template <class M, class F>
  static std::vector<typename M::mapped_type> select(const M& map, const F& f) {
    std::vector<typename M::mapped_type> out;
    for (auto& entry : map)
      if (f(*entry.second)) out.push_back(entry.second);
    return out;
  }
  template <class M, class F>
  static void diff(const M& before, const M& after, F&& fn) {
    using Row = typename M::mapped_type;
    for (auto& [id, v] : before) {
      auto it = after.find(id);
      if (it == after.end()) fn(v, Row());
      else if (it->second != v) fn(v, it->second);
    }
    for (auto& [id, v] : after)
      if (!before.contains(id)) fn(Row(), v);
  }
  std::map<Uuid, std::set<Uuid>> by_node_;
};

// Ids that are the same in every run.
inline Uuid make_id() {
  static SeededRandom random(7);
  return Uuid::generate(random);
}

inline constexpr Time kNow = Time::from_unix_seconds(1'700'000'000);

inline Node make_node(std::string dc = "dc1") {
  static int number = 0;
  Node n;
  n.ID = make_id();
  n.SecretID = make_id();
  n.Datacenter = std::move(dc);
  n.Name = fmt::format("node-{}", number++);
  n.NodeClass = "linux-medium-pci";
  n.Status = node_status::kReady;
  n.SchedulingEligibility = node_eligibility::kEligible;
  n.Attributes = {{"kernel.name", "linux"},       {"arch", "x86"},        {"nomad.version", "0.5.0"},
                  {"driver.exec", "1"},           {"driver.mock_driver", "1"}, {"consul.version", "1.11.4"}};
  n.Meta = {{"pci-dss", "true"}, {"database", "mysql"}, {"version", "5.6"}};
  n.Drivers["exec"] = {.Detected = true, .Healthy = true};
  n.Drivers["mock_driver"] = {.Detected = true, .Healthy = true};
  auto& r = n.NodeResources.ensure();
  r.Cpu.CpuShares = 4000;
  r.Memory.MemoryMB = 8192;
  r.Disk.DiskMB = 100 * 1024;
  NetworkResource eth0;
  eth0.Mode = "host";
  eth0.Device = "eth0";
  eth0.CIDR = "192.168.0.100/32";
  eth0.IP = "192.168.0.100";
  eth0.MBits = 1000;
  r.Networks.push_back(std::move(eth0));
  NodeNetworkResource net;
  net.Mode = "host";
  net.Device = "eth0";
  net.Speed = 1000;
  net.Addresses.push_back({.Family = "ipv4", .Alias = "default", .Address = "192.168.0.100"});
  r.NodeNetworks.push_back(std::move(net));
  auto& reserved = n.ReservedResources.ensure();
  reserved.Cpu.CpuShares = 100;
  reserved.Memory.MemoryMB = 256;
  reserved.Disk.DiskMB = 4 * 1024;
  reserved.Networks.ReservedHostPorts = "22";
  n.ComputedClass = compute_class(n);
  return n;
}

inline void drain(Node& n) {
  n.DrainStrategy = DrainStrategy{};
  n.SchedulingEligibility = node_eligibility::kIneligible;
}

inline Task make_task(std::string name = "web", std::string driver = "exec", int64_t cpu = 500, int64_t memory = 256) {
  Task t;
  t.Name = std::move(name);
  t.Driver = std::move(driver);
  t.Config["command"] = "/bin/date";
  t.Env["FOO"] = "bar";
  auto& r = t.Resources.ensure();
  r.CPU = cpu;
  r.MemoryMB = memory;
  t.KillTimeout = 5s;
  return t;
}

inline Job make_job(std::string type = "service") {
  Job j;
  j.ID = "mock-" + make_id().str();
  j.Name = "my-job";
  j.Namespace = "default";
  j.Region = "global";
  j.Type = type;
  j.Priority = 50;
  j.Datacenters = {"dc1"};
  j.Constraints = {{.LTarget = "${attr.kernel.name}", .RTarget = "linux", .Operand = "="}};
  j.Status = "pending";
  j.CreateIndex = 42;
  j.ModifyIndex = j.JobModifyIndex = 99;
  TaskGroup g;
  g.Name = "web";
  g.Count = 10;
  g.EphemeralDisk = EphemeralDisk{.SizeMB = 150};
  g.ReschedulePolicy = ReschedulePolicy{.Attempts = 2, .Interval = 10min, .Delay = 5s, .DelayFunction = "constant"};
  g.Migrate = MigrateStrategy{.MaxParallel = 1, .HealthCheck = "checks", .MinHealthyTime = 10s, .HealthyDeadline = 5min};
  NetworkResource net;
  net.Mode = "host";
  net.DynamicPorts = {{.Label = "http", .HostNetwork = "default"}, {.Label = "admin", .HostNetwork = "default"}};
  g.Networks = {net};
  g.Constraints = {{.LTarget = "${attr.consul.version}", .RTarget = ">= 1.7.0", .Operand = "semver"}};
  g.Tasks.push_back(make_task());
  j.TaskGroups.push_back(std::move(g));
  return j;
}

inline Job make_batch_job() {
  auto j = make_job("batch");
  j.Name = "batch-job";
  auto& g = j.TaskGroups[0];
  g.Networks.reset();
  g.Constraints.reset();
  g.Tasks[0] = make_task("web", "mock_driver", 100, 100);
  g.ReschedulePolicy = ReschedulePolicy{.Attempts = 2, .Interval = 10min, .Delay = 5s, .DelayFunction = "constant"};
  return j;
}

inline Job make_system_job(std::string type = "system") {
  auto j = make_job(type);
  j.Priority = 100;
  auto& g = j.TaskGroups[0];
  g.Count = 1;
  g.ReschedulePolicy = nullptr;
  g.Networks.reset();
  g.Constraints.reset();
  NetworkResource net;
  net.MBits = 50;
  net.DynamicPorts = {{.Label = "http"}};
  g.Tasks[0].Resources->Networks = {net};
  if (type == job_type::kSysbatch) {
    j.Name = "my-sysbatch";
    j.Priority = 10;
    g.Name = "pinger";
    g.Tasks[0].Name = "ping-example";
    g.Tasks[0].Resources->Networks.reset();
  }
  return j;
}

// One group "g", one task "t", no ports.
inline Job make_min_job(std::string type = "service") {
  auto j = make_job(type);
  j.Constraints.reset();
  auto& g = j.TaskGroups[0];
  g.Name = "g";
  g.Networks.reset();
  g.Constraints.reset();
  g.Tasks[0] = make_task("t", "mock_driver", 100, 100);
  return j;
}

inline Allocation make_alloc(const Ref<Job>& job, const Uuid& node, uint64_t index, std::string_view group = {}) {
  auto& g = group.empty() ? job->TaskGroups[0] : *find_group(*job, group);
  Allocation a;
  a.ID = make_id();
  a.EvalID = make_id();
  a.Namespace = job->Namespace;
  a.NodeID = node;
  a.JobID = job->ID;
  a.Job = job;
  a.TaskGroup = g.Name;
  bool system = job->Type == job_type::kSystem || job->Type == job_type::kSysbatch;
  a.Name = alloc_name(system ? job->Name : job->ID, g.Name, index);
  a.DesiredStatus = alloc_desired::kRun;
  a.ClientStatus = alloc_client::kRunning;
  AllocatedResources r;
  for (auto& t : g.Tasks) {
    r.Tasks[t.Name].Cpu.CpuShares = t.Resources ? t.Resources->CPU : 0;
    r.Tasks[t.Name].Memory.MemoryMB = t.Resources ? t.Resources->MemoryMB : 0;
    r.TaskLifecycles[t.Name] = t.Lifecycle;
  }
  r.Shared.DiskMB = g.EphemeralDisk ? g.EphemeralDisk->SizeMB : 0;
  a.AllocatedResources = std::make_shared<const AllocatedResources>(std::move(r));
  a.CreateTime = a.ModifyTime = kNow.unix_nanos;
  return a;
}

inline Deployment make_deployment(const Job& job, std::string_view status) {
  Deployment d;
  d.ID = make_id();
  d.Namespace = job.Namespace;
  d.JobID = job.ID;
  d.JobVersion = job.Version;
  d.JobModifyIndex = job.JobModifyIndex;
  d.JobCreateIndex = job.CreateIndex;
  d.Status = status;
  return d;
}

inline Evaluation make_eval(const Job& job, std::string_view trigger = eval_trigger::kJobRegister) {
  Evaluation e;
  e.ID = make_id();
  e.Namespace = job.Namespace;
  e.Priority = job.Priority;
  e.Type = job.Type;
  e.TriggeredBy = trigger;
  e.JobID = job.ID;
  e.JobModifyIndex = job.ModifyIndex;
  e.Status = eval_status::kPending;
  return e;
}

// Runs evaluations to their end over a state, committing what the plan applier lets through.
class Harness {
 public:
  std::shared_ptr<MemState> state = std::make_shared<MemState>();
  Options options;
  Time now = kNow;
  bool reject = false;
  std::vector<Plan> plans;
  std::vector<std::pair<std::string, std::string>> rejections;
  std::vector<Evaluation> updates, created, reblocked;
  std::vector<Explanation> explanation;

  MemState* operator->() { return state.get(); }

  // Returns "" or the error.
  std::string process(const Evaluation& eval, uint64_t seed = 0) {
    EvalProcess process(eval, options, seed ? seed : default_seed(eval.ID, state->at));
    auto step = process.start(frozen(), &fleet_, now);
    for (int i = 0; i < 50; ++i) {
      if (!step) return step.error().message;
      for (auto& e : step->create_evals) created.push_back(e);
      explanation = step->explanation;
      if (step->kind == Step::Kind::kDone) return updates.push_back(step->eval), "";
      if (step->kind == Step::Kind::kReblock) return reblocked.push_back(step->eval), "";
      plans.push_back(step->Plan);
      PlanResult result;
      if (reject) {
        result.RefreshIndex = state->at;
      } else {
        auto judged = evaluate_plan(*state, step->Plan);
        for (auto& r : judged.rejections) rejections.push_back(r);
        result = judged.result;
        state = std::make_shared<MemState>(*state);
        state->apply(result, step->Plan.Job);
      }
      step = process.result(result, frozen(), &fleet_, now);
    }
    return "never ends";
  }

  const Plan& plan() const { return plans.back(); }
  std::vector<Ref<Allocation>> placed() const { return plans.empty() ? std::vector<Ref<Allocation>>{} : all(plan().NodeAllocation); }
  std::vector<Ref<Allocation>> stopped() const { return plans.empty() ? std::vector<Ref<Allocation>>{} : all(plan().NodeUpdate); }
  std::vector<Ref<Allocation>> preempted() const { return plans.empty() ? std::vector<Ref<Allocation>>{} : all(plan().NodePreemptions); }
  // Fresh ones only.
  std::vector<Ref<Allocation>> fresh() const {
    auto list = placed();
    std::erase_if(list, [](auto& a) { return a->CreateIndex != 0; });
    return list;
  }
  static std::vector<Ref<Allocation>> all(const Map<List<Ref<Allocation>>>& map) {
    std::vector<Ref<Allocation>> out;
    for (auto& [node, list] : map) out.insert(out.end(), list.begin(), list.end());
    std::sort(out.begin(), out.end(), [](auto& a, auto& b) {
      return std::pair(a->TaskGroup.view(), alloc_index(*a)) < std::pair(b->TaskGroup.view(), alloc_index(*b));
    });
    return out;
  }

  std::vector<Uuid> add_nodes(size_t n, const std::function<void(Node&, size_t)>& change = {}) {
    std::vector<Uuid> ids;
    for (size_t i = 0; i < n; ++i) {
      auto node = make_node();
      if (change) {
        change(node, i);
        node.ComputedClass = compute_class(node);
      }
      ids.push_back(node.ID);
      state->put(std::move(node));
    }
    return ids;
  }
  Ref<Job> add_job(Job j) {
    auto key = std::pair(j.Namespace, j.ID);
    state->put(std::move(j));
    return state->current.at(key);
  }
  Ref<Job> update_job(Job j) {
    auto key = std::pair(j.Namespace, j.ID);
    state->update(std::move(j));
    return state->current.at(key);
  }
  // An allocation for each index, node by node.
  std::vector<Uuid> add_allocs(const Ref<Job>& job, const std::vector<Uuid>& nodes, size_t n,
                               const std::function<void(Allocation&, size_t)>& change = {}) {
    std::vector<Uuid> ids;
    for (size_t i = 0; i < n; ++i) {
      auto a = make_alloc(job, nodes[i % nodes.size()], i);
      if (change) change(a, i);
      ids.push_back(a.ID);
      state->put(std::move(a));
    }
    return ids;
  }
  void change_node(const Uuid& id, const std::function<void(Node&)>& change) {
    auto n = *state->nodes.at(id);
    change(n);
    state->put(std::move(n));
  }

 private:
  // The scheduler sees a copy: the harness goes on writing.
  std::shared_ptr<const StateView> frozen() const { return std::make_shared<MemState>(*state); }
  Fleet fleet_;
};

}  // namespace drover::scheduler::testing
