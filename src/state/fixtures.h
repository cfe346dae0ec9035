// Things to fill a store with, for tests and benchmarks.
#pragma once

#include <string>

#include "state/store.h"

namespace drover::state::fixtures {

inline Uuid uid(uint64_t n) {
  Uuid id;
  for (size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<uint8_t>(n >> (8 * i));
  id.bytes[0] = static_cast<uint8_t>(n * 37);
  return id;
}

inline Time at(int64_t seconds) { return Time::from_unix_seconds(1'700'000'000 + seconds); }

inline Node node(uint64_t n, std::string status = "ready") {
  Node x;
  x.ID = uid(n);
  x.SecretID = uid(n + 1'000'000);
  x.Name = "node-" + std::to_string(n);
  x.Datacenter = "dc1";
  x.Status = std::move(status);
  x.ComputedClass = "v1:1";
  x.Attributes["kernel.name"] = "linux";
  return x;
}

inline Job job(std::string id, std::string type = "service", std::string ns = "default") {
  Job j;
  j.ID = j.Name = std::move(id);
  j.Namespace = std::move(ns);
  j.Type = std::move(type);
  j.Priority = 50;
  j.Datacenters = {"dc1"};
  TaskGroup g;
  g.Name = "web";
  g.Count = 2;
  Task t;
  t.Name = "server";
  t.Driver = "exec";
  t.Config["command"] = Value("/bin/sleep");
  t.Resources = Resources{.CPU = 500, .MemoryMB = 256};
  g.Tasks.push_back(std::move(t));
  j.TaskGroups.push_back(std::move(g));
  return j;
}

inline Evaluation eval(uint64_t n, std::string job_id, std::string status = "pending") {
  Evaluation e;
  e.ID = uid(n);
  e.Namespace = "default";
  e.JobID = std::move(job_id);
  e.Type = "service";
  e.Priority = 50;
  e.TriggeredBy = "job-register";
  e.Status = std::move(status);
  e.ModifyTime = 7;
  return e;
}

inline Allocation alloc(uint64_t n, Ref<Job> job, const Uuid& on, const Uuid& by_eval) {
  Allocation a;
  a.ID = uid(n);
  a.Namespace = job->Namespace;
  a.EvalID = by_eval;
  a.JobID = job->ID;
  a.Name = job->ID + ".web[" + std::to_string(n % 100) + "]";
  a.NodeID = on;
  a.NodeName = "node";
  a.TaskGroup = "web";
  a.DesiredStatus = "run";
  a.ClientStatus = "pending";
  a.Job = std::move(job);
  auto resources = std::make_shared<AllocatedResources>();
  resources->Tasks["server"].Cpu.CpuShares = 500;
  resources->Tasks["server"].Memory.MemoryMB = 256;
  resources->Shared.DiskMB = 150;
  a.AllocatedResources = resources;
  return a;
}

// What a client says of an allocation.
inline Allocation report(const Uuid& id, std::string_view status) {
  Allocation a;
  a.ID = id;
  a.ClientStatus = status;
  a.ClientDescription = "Tasks are " + std::string(status);
  auto& task = a.TaskStates["server"];
  task.State = status == "running" ? "running" : "dead";
  task.StartedAt = at(1);
  for (auto type : {"Received", "Task Setup", "Started"}) {
    TaskEvent e;
    e.Type = type;
    e.Time = at(2).unix_nanos;
    e.DisplayMessage = std::string("about ") + type;
    task.Events.push_back(std::move(e));
  }
  return a;
}

}  // namespace drover::state::fixtures
