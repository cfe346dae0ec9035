// What needs new allocations and what does not: reference scheduler 18.9, X18 to X26.
#include <gtest/gtest.h>

#include "scheduler/tasks_updated.h"
#include "scheduler/testing.h"

namespace drover::scheduler {
namespace {

using namespace testing;

Job base() {
  auto j = make_job();
  j.ID = "j";
  auto& g = j.TaskGroups[0];
  g.Volumes["v"] = {.Name = "v", .Type = "host", .Source = "s"};
  Service s{.Name = "web", .PortLabel = "8080"};
  s.Connect.ensure().SidecarService.ensure().Port = "p";
  g.Services = {s};
  Template t{.DestPath = "x"};
  t.Wait = WaitConfig{.Min = 1s, .Max = 2s};
  g.Tasks[0].Templates = {t};
  g.Affinities = {{.LTarget = "a", .RTarget = "b", .Operand = "=", .Weight = 1}};
  return j;
}

using Change = std::function<void(Job&)>;

std::optional<std::string> after(const Change& change) {
  auto j = base();
  change(j);
  return tasks_updated(j, base(), "web");
}

TaskGroup& group(Job& j) { return j.TaskGroups[0]; }
Task& task(Job& j) { return j.TaskGroups[0].Tasks[0]; }

TEST(TasksUpdated, NoChange) { EXPECT_EQ(after([](Job&) {}), std::nullopt); }

TEST(TasksUpdated, Destructive) {
  const std::pair<const char*, Change> rows[] = {
      {"config", [](Job& j) { task(j).Config["command"] = "x"; }},
      {"task name", [](Job& j) { task(j).Name = "x"; }},
      {"driver", [](Job& j) { task(j).Driver = "docker"; }},
      {"number of tasks", [](Job& j) { group(j).Tasks.push_back(make_task("b")); }},
      {"dynamic ports", [](Job& j) { group(j).Networks[0].DynamicPorts.push_back({.Label = "x"}); }},
      {"port label", [](Job& j) { group(j).Networks[0].DynamicPorts[0].Label = "x"; }},
      {"reserved port", [](Job& j) { group(j).Networks[0].ReservedPorts = {{.Label = "x", .Value = 1}}; }},
      {"network mode", [](Job& j) { group(j).Networks[0].Mode = "bridge"; }},
      {"host network", [](Job& j) { group(j).Networks[0].DynamicPorts[0].HostNetwork = "x"; }},
      {"to", [](Job& j) { group(j).Networks[0].DynamicPorts[0].To = 1; }},
      {"hostname", [](Job& j) { group(j).Networks[0].Hostname = "x"; }},
      {"env", [](Job& j) { task(j).Env["X"] = "1"; }},
      {"user", [](Job& j) { task(j).User = "x"; }},
      {"artifact", [](Job& j) { task(j).Artifacts = {{.GetterSource = "x"}}; }},
      {"task meta", [](Job& j) { task(j).Meta["a"] = "b"; }},
      {"group meta", [](Job& j) { group(j).Meta["a"] = "b"; }},
      {"job meta", [](Job& j) { j.Meta["a"] = "b"; }},
      {"cpu", [](Job& j) { task(j).Resources->CPU = 1; }},
      {"cores", [](Job& j) { task(j).Resources->Cores = 1; }},
      {"memory max", [](Job& j) { task(j).Resources->MemoryMaxMB = 1000; }},
      {"devices", [](Job& j) { task(j).Resources->Devices = {{.Name = "gpu", .Count = 1}}; }},
      {"vault", [](Job& j) { task(j).Vault.ensure(); }},
      {"sticky", [](Job& j) { group(j).EphemeralDisk->Sticky = true; }},
      {"template wait", [](Job& j) { task(j).Templates[0].Wait->Max = 3s; }},
      {"template missing key", [](Job& j) { task(j).Templates[0].ErrMissingKey = true; }},
      {"volume", [](Job& j) { group(j).Volumes["v"].Source = "t"; }},
      {"new volume", [](Job& j) { group(j).Volumes["w"] = {.Type = "host"}; }},
      {"csi plugin", [](Job& j) { task(j).CSIPluginConfig = TaskCSIPluginConfig{.Type = "node"}; }},
      {"identity", [](Job& j) { task(j).Identity.ensure(); }},
      {"logs disabled", [](Job& j) { task(j).LogConfig = LogConfig{.Disabled = true}; }},
      {"affinity", [](Job& j) { task(j).Affinities = {{.LTarget = "x", .Operand = "="}}; }},
      {"spread", [](Job& j) { group(j).Spreads = {{.Attribute = "x", .Weight = 1}}; }},
      {"connect native", [](Job& j) { group(j).Services[0].Connect->Native = true; }},
      {"connect gateway", [](Job& j) { group(j).Services[0].Connect->Gateway.ensure(); }},
      {"connect sidecar task", [](Job& j) { group(j).Services[0].Connect->SidecarTask.ensure(); }},
      {"connect sidecar port", [](Job& j) { group(j).Services[0].Connect->SidecarService->Port = "q"; }},
      {"connect service port", [](Job& j) { group(j).Services[0].PortLabel = "1"; }},
      {"volume mount", [](Job& j) { task(j).VolumeMounts = {{.Volume = "v"}}; }},
  };
  for (auto& [name, change] : rows) EXPECT_TRUE(after(change)) << name;
}

TEST(TasksUpdated, InPlace) {
  const std::pair<const char*, Change> rows[] = {
      {"count", [](Job& j) { group(j).Count = 1; }},
      {"constraint", [](Job& j) { j.Constraints.push_back({.LTarget = "a"}); }},
      {"priority", [](Job& j) { j.Priority = 1; }},
      {"kill timeout", [](Job& j) { task(j).KillTimeout = 1min; }},
      {"log size", [](Job& j) { task(j).LogConfig = LogConfig{.MaxFiles = 1}; }},
      {"other service", [](Job& j) { group(j).Services.push_back({.Name = "x"}); }},
      {"sidecar tags", [](Job& j) { group(j).Services[0].Connect->SidecarService->Tags = {"x"}; }},
      {"affinity moved to the job", [](Job& j) { std::swap(j.Affinities, group(j).Affinities); }},
      {"empty config value", [](Job& j) { task(j).Config["args"] = Value(); task(j).Config["args"] = Value::Array::empty_list();
                                          task(j).Config.erase("args"); }},
      {"max client disconnect", [](Job& j) { group(j).MaxClientDisconnect = 1min; }},
      {"assigned value of a dynamic port", [](Job& j) { group(j).Networks[0].DynamicPorts[0].Value = 5; }},
  };
  for (auto& [name, change] : rows) EXPECT_EQ(after(change), std::nullopt) << name;
}

TEST(TasksUpdated, ConfigNumbersCompareByValue) {
  auto a = base(), b = base();
  a.TaskGroups[0].Tasks[0].Config["n"] = Value(int64_t{1});
  b.TaskGroups[0].Tasks[0].Config["n"] = Value(1.0);
  EXPECT_EQ(tasks_updated(a, b, "web"), std::nullopt);
}

}  // namespace
}  // namespace drover::scheduler
