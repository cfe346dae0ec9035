// For tests: jobs and nodes as small as the scheduler takes them.
#pragma once

#include <string>

#include "base/world.h"
#include "model/job.h"
#include "model/rpc.h"
#include "model/status.h"

namespace drover::server {

inline Job test_job(std::string id, int64_t count, std::string type = "service") {
  Job j;
  j.ID = j.Name = id;
  j.Namespace = "default";
  j.Region = "global";
  j.Type = std::move(type);
  j.Priority = 50;
  j.Datacenters = {"dc1"};
  auto& g = j.TaskGroups.emplace_back();
  g.Name = "web";
  g.Count = count;
  g.EphemeralDisk.ensure().SizeMB = 10;
  g.RestartPolicy.ensure().Mode = "fail";
  g.RestartPolicy->Interval = 30min;
  g.RestartPolicy->Delay = 15s;
  g.RestartPolicy->Attempts = 2;
  auto& t = g.Tasks.emplace_back();
  t.Name = "t";
  t.Driver = "mock_driver";
  t.Resources.ensure().CPU = 100;
  t.Resources->MemoryMB = 64;
  t.LogConfig.ensure().MaxFiles = 1;
  t.LogConfig->MaxFileSizeMB = 1;
  return j;
}

// The registration of a node that has yet to report ready.
inline rpc::NodeRegisterRequest test_node(Random& random, int n) {
  rpc::NodeRegisterRequest req;
  auto& node = req.Node.ensure();
  node.ID = Uuid::generate(random);
  node.SecretID = Uuid::generate(random);
  node.Name = "node-" + std::to_string(n);
  node.Datacenter = "dc1";
  node.Status = node_status::kInit;
  node.Attributes = {{"driver.mock_driver", "1"}, {"kernel.name", "linux"}, {"nomad.version", "1.5.7"}};
  node.Drivers["mock_driver"].Detected = true;
  node.Drivers["mock_driver"].Healthy = true;
  auto& res = node.NodeResources.ensure();
  res.Cpu.CpuShares = 4000;
  res.Memory.MemoryMB = 8192;
  res.Disk.DiskMB = 100000;
  return req;
}

}  // namespace drover::server
