// Choosing a node: feasibility, ranking, spread, preemption (reference scheduler 18.5 to 18.8).
#include <gtest/gtest.h>

#include "scheduler/feasibility.h"
#include "scheduler/pass.h"
#include "scheduler/stack.h"
#include "scheduler/testing.h"

namespace drover::scheduler {
namespace {

using namespace testing;

// A stack over a small fleet, one pass.
struct Bench {
  std::shared_ptr<MemState> state = std::make_shared<MemState>();
  Fleet fleet;
  Options options;
  Evaluation eval;
  Ref<Job> job;
  std::unique_ptr<Context> context;
  std::unique_ptr<Stack> stack;
  std::vector<Uuid> nodes;

  Uuid add(Node n) {
    n.ComputedClass = compute_class(n);
    nodes.push_back(n.ID);
    state->put(n);
    return nodes.back();
  }
  void add_existing(const Uuid& node, const Usage& usage, const std::function<void(Allocation&)>& change = {}) {
    auto other = std::make_shared<const Job>(make_min_job());
    auto a = make_alloc(other, node, 0);
    AllocatedResources r;
    r.Tasks["t"].Cpu.CpuShares = usage.CpuShares;
    r.Tasks["t"].Memory.MemoryMB = usage.MemoryMB;
    r.Shared.DiskMB = usage.DiskMB;
    a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
    if (change) change(a);
    state->put(a);
  }
  void start(Job j, Stack::Kind kind = Stack::Kind::kService) {
    state->put(j);
    job = state->current.at({j.Namespace, j.ID});
    eval = make_eval(*job);
    fleet.sync(std::make_shared<MemState>(*state));
    context = std::make_unique<Context>(*state, fleet, eval, job, options, kNow, 1);
    stack = std::make_unique<Stack>(*context, kind);
    stack->set_existing(state->allocs_by_job(job->Namespace, job->ID));
    stack->set_nodes(ready_nodes(fleet, *job).rows);
    stack->set_job(job);
  }
  std::optional<Selection> select(SelectOptions o = {}, size_t group = 0) {
    return stack->select(job->TaskGroups[group], o);
  }
  Uuid node_of(const Selection& s) { return fleet.node(s.row)->ID; }
  std::map<Uuid, NodeScoreMeta> scores() {
    std::map<Uuid, NodeScoreMeta> out;
    for (auto& m : stack->metric().ScoreMetaData) out[*Uuid::parse(m.NodeID)] = m;
    return out;
  }
};

Node sized(int64_t cpu, int64_t memory, int64_t reserved_cpu = 0, int64_t reserved_memory = 0) {
  auto n = make_node();
  n.NodeResources->Cpu.CpuShares = cpu;
  n.NodeResources->Memory.MemoryMB = memory;
  n.ReservedResources->Cpu.CpuShares = reserved_cpu;
  n.ReservedResources->Memory.MemoryMB = reserved_memory;
  return n;
}

Job asking(int64_t cpu, int64_t memory, int64_t count = 10) {
  auto j = make_min_job();
  j.TaskGroups[0].Count = count;
  j.TaskGroups[0].Tasks[0].Resources->CPU = cpu;
  j.TaskGroups[0].Tasks[0].Resources->MemoryMB = memory;
  return j;
}

TEST(Rank, K1BinpackScores) {
  Bench b;
  auto full = b.add(sized(2048, 2048, 1024, 1024));
  b.add(sized(1024, 1024, 512, 512));
  auto large = b.add(sized(4096, 4096, 1024, 1024));
  b.start(asking(1024, 1024));
  auto s = b.select();
  ASSERT_TRUE(s);
  EXPECT_EQ(b.node_of(*s), full);
  auto scores = b.scores();
  EXPECT_DOUBLE_EQ(scores[full].Scores.at("binpack"), 1.0);
  EXPECT_GT(scores[large].NormScore, 0.50);
  EXPECT_LT(scores[large].NormScore, 0.60);
  EXPECT_EQ(scores.size(), 2u);
  EXPECT_EQ(b.stack->metric().NodesExhausted, 1);
  EXPECT_EQ(b.stack->metric().NodesEvaluated, 3);
}

TEST(Rank, SpreadAlgorithmPrefersTheEmptyNode) {
  Bench b;
  b.add(sized(2048, 2048, 1024, 1024));
  auto large = b.add(sized(4096, 4096, 1024, 1024));
  SchedulerConfiguration c;
  c.SchedulerAlgorithm = "spread";
  b.state->config = std::make_shared<SchedulerConfiguration>(c);
  b.start(asking(512, 512));
  EXPECT_EQ(b.node_of(*b.select()), large);
}

TEST(Rank, K3GroupAndTaskNetwork) {
  Bench b;
  for (int i = 0; i < 2; ++i) {
    auto n = make_node();
    n.ReservedResources->Networks.ReservedHostPorts = "1000-2000";
    b.add(n);
  }
  auto j = make_min_job();
  NetworkResource group, task;
  group.MBits = 500;
  task.MBits = 300;
  task.DynamicPorts = {{.Label = "x"}};
  j.TaskGroups[0].Networks = {group};
  j.TaskGroups[0].Tasks[0].Resources->Networks = {task};
  b.start(j);
  auto s = b.select();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->resources->Shared.Networks[0].MBits, 500);
  EXPECT_EQ(s->resources->Tasks.at("t").Networks[0].MBits, 300);
  EXPECT_EQ(s->resources->Tasks.at("t").Networks[0].IP, "192.168.0.100");
}

TEST(Rank, K5K6BrokenPorts) {
  {
    Bench b;
    auto n = make_node();
    n.ReservedResources->Networks.ReservedHostPorts = "not-valid-ports";
    b.add(n);
    b.start(make_job());
    EXPECT_FALSE(b.select());
    EXPECT_EQ(b.stack->metric().DimensionExhausted.at("network: invalid node"), 1);
  }
  Bench b;
  auto n = b.add(make_node());
  for (int i = 0; i < 2; ++i)
    b.add_existing(n, {}, [](Allocation& a) {
      AllocatedResources r;
      r.Shared.Ports = {{.Label = "x", .Value = 8080, .HostIP = "192.168.0.100"}};
      a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
    });
  b.start(make_job());
  EXPECT_FALSE(b.select());
  EXPECT_EQ(b.stack->metric().DimensionExhausted.at("network: port collision"), 1);
}

TEST(Rank, StaticPortIsReportedWhenTaken) {
  Bench b;
  auto n = b.add(make_node());
  b.add_existing(n, {}, [](Allocation& a) {
    AllocatedResources r;
    r.Shared.Ports = {{.Label = "x", .Value = 8080, .HostIP = "192.168.0.100"}};
    a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
  });
  auto j = make_job();
  j.TaskGroups[0].Networks[0].ReservedPorts = {{.Label = "main", .Value = 8080, .HostNetwork = "default"}};
  b.start(j);
  EXPECT_FALSE(b.select());
  EXPECT_EQ(b.stack->metric().DimensionExhausted.at("network: reserved port collision main=8080"), 1);
}

TEST(Rank, K7K8HostNetworkTemplates) {
  Bench b;
  auto n = make_node();
  n.Meta["net"] = "default";
  auto good = b.add(n);
  b.add(make_node());
  auto j = make_job();
  for (auto& p : j.TaskGroups[0].Networks[0].DynamicPorts) p.HostNetwork = "${meta.net}";
  b.start(j);
  auto s = b.select();
  ASSERT_TRUE(s);
  EXPECT_EQ(b.node_of(*s), good);
  EXPECT_EQ(s->resources->Shared.Networks[0].DynamicPorts[0].HostNetwork, "default");
  EXPECT_EQ(b.stack->metric().ConstraintFiltered.at("invalid host network \"${meta.net}\" template for port \"http\""), 1);
}

TEST(Rank, K10Cores) {
  Bench b;
  auto make = [](std::vector<uint16_t>) {
    auto n = make_node();
    n.NodeResources->Cpu.TotalCpuCores = 2;
    n.NodeResources->Cpu.ReservableCpuCores = {0, 1};
    return n;
  };
  auto first = b.add(make({})), second = b.add(make({}));
  auto take = [](std::vector<uint16_t> cores) {
    return [cores](Allocation& a) {
      AllocatedResources r;
      r.Tasks["t"].Cpu.ReservedCores = List<uint16_t>(cores);
      a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
    };
  };
  b.add_existing(first, {}, take({0, 1}));
  b.add_existing(second, {}, take({0}));
  auto j = make_min_job();
  j.TaskGroups[0].Tasks[0].Resources->Cores = 1;
  b.start(j);
  auto s = b.select();
  ASSERT_TRUE(s);
  EXPECT_EQ(b.node_of(*s), second);
  EXPECT_EQ(s->resources->Tasks.at("t").Cpu.ReservedCores, (List<uint16_t>{1}));
  EXPECT_EQ(s->resources->Tasks.at("t").Cpu.CpuShares, 2000);
  EXPECT_EQ(b.stack->metric().DimensionExhausted.at("cores"), 1);
}

Node gpu_node() {
  auto n = make_node();
  auto device = [](const char* name, int64_t cores, int64_t clock, std::vector<std::string> ids) {
    NodeDeviceResource d{.Vendor = "nvidia", .Type = "gpu", .Name = name};
    for (auto& id : ids) d.Instances.push_back({.ID = id, .Healthy = true});
    d.Attributes["cuda_cores"] = Attribute{.Int = cores};
    d.Attributes["graphics_clock"] = Attribute{.Int = clock, .Unit = "MHz"};
    d.Attributes["memory"] = Attribute{.Int = 11, .Unit = "GiB"};
    d.Attributes["memory_bandwidth"] = Attribute{.Int = 11, .Unit = "GB/s"};
    return d;
  };
  n.NodeResources->Devices = {device("1080ti", 3584, 1480, {"a", "b"}), device("2080ti", 4352, 1350, {"c"})};
  return n;
}

TEST(Rank, K13ToK16Devices) {
  struct Case {
    RequestedDevice request;
    std::string name;  // "" when it does not fit
  };
  auto affinity = [](const char* target, const char* op, const char* value, int8_t weight) {
    return Affinity{.LTarget = target, .RTarget = value, .Operand = op, .Weight = weight};
  };
  auto constraint = [](const char* target, const char* op, const char* value) {
    return Constraint{.LTarget = target, .RTarget = value, .Operand = op};
  };
  const Case cases[] = {
      {{.Name = "gpu", .Count = 2}, "1080ti"},
      {{.Name = "nvidia/gpu/2080ti", .Count = 1}, "2080ti"},
      {{.Name = "gpu", .Count = 3}, ""},
      {{.Name = "fpga", .Count = 1}, ""},
      {{.Name = "gpu", .Count = 1, .Constraints = {constraint("${device.attr.cuda_cores}", ">", "4000")}}, "2080ti"},
      {{.Name = "gpu", .Count = 1, .Constraints = {constraint("${device.attr.cuda_cores}", "<", "4000")}}, "1080ti"},
      {{.Name = "gpu", .Count = 1, .Constraints = {constraint("${device.attr.graphics_clock}", ">", "1.4 GHz"),
                                                   constraint("${device.attr.memory}", "=", "11264 MiB"),
                                                   constraint("${device.attr.memory_bandwidth}", ">", "10 GB/s")}},
       "1080ti"},
      {{.Name = "gpu", .Count = 1, .Constraints = {constraint("${device.attr.graphics_clock}", ">", "2.4 GHz")}}, ""},
      {{.Name = "gpu", .Count = 1, .Constraints = {constraint("${device.ids}", "set_contains", "b")}}, "1080ti"},
      {{.Name = "gpu", .Count = 1, .Affinities = {affinity("${device.attr.cuda_cores}", ">", "4000", 60)}}, "2080ti"},
      {{.Name = "gpu", .Count = 1, .Affinities = {affinity("${device.attr.graphics_clock}", ">", "1.4 GHz", 90)}}, "1080ti"},
  };
  for (auto& c : cases) {
    Bench b;
    b.add(gpu_node());
    auto j = make_min_job();
    j.TaskGroups[0].Tasks[0].Resources->Devices = {c.request};
    b.start(j);
    auto s = b.select();
    ASSERT_EQ(s.has_value(), !c.name.empty()) << c.request.Name;
    if (!s) continue;
    auto& d = s->resources->Tasks.at("t").Devices[0];
    EXPECT_EQ(d.Name, c.name);
    EXPECT_EQ(d.DeviceIDs.size(), c.request.Count);
    if (!c.request.Affinities.empty()) {
      auto& scores = b.stack->metric().ScoreMetaData[0].Scores;
      EXPECT_DOUBLE_EQ(scores.at("devices"), 1.0);
    }
  }
}

TEST(Rank, InstanceInUseIsNotGivenTwice) {
  Bench b;
  auto n = b.add(gpu_node());
  b.add_existing(n, {}, [](Allocation& a) {
    AllocatedResources r;
    r.Tasks["t"].Devices = {{.Vendor = "nvidia", .Type = "gpu", .Name = "1080ti", .DeviceIDs = {"a"}}};
    a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
  });
  auto j = make_min_job();
  j.TaskGroups[0].Tasks[0].Resources->Devices = {{.Name = "nvidia/gpu/1080ti", .Count = 1}};
  b.start(j);
  auto s = b.select();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->resources->Tasks.at("t").Devices[0].DeviceIDs[0], "b");
}

TEST(Rank, K17K18AntiAffinityAndPenalty) {
  Bench b;
  auto busy = b.add(make_node()), free = b.add(make_node());
  auto j = asking(100, 100, 4);
  b.state->put(j);
  auto job = b.state->current.at({j.Namespace, j.ID});
  for (uint64_t i = 0; i < 2; ++i) b.state->put(make_alloc(job, busy, i));
  b.start(j);
  SelectOptions o;
  o.penalty_nodes = {busy};
  auto s = b.select(o);
  EXPECT_EQ(b.node_of(*s), free);
  auto scores = b.scores();
  EXPECT_DOUBLE_EQ(scores[busy].Scores.at("job-anti-affinity"), -0.75);
  EXPECT_DOUBLE_EQ(scores[free].Scores.at("job-anti-affinity"), 0);
  EXPECT_DOUBLE_EQ(scores[busy].Scores.at("node-reschedule-penalty"), -1);
  EXPECT_DOUBLE_EQ(scores[busy].NormScore, (scores[busy].Scores.at("binpack") - 0.75 - 1) / 3);
}

TEST(Rank, K20NodeAffinity) {
  Bench b;
  auto node = [&](const char* dc, const char* kernel, const char* cls) {
    auto n = make_node(dc);
    n.Attributes["kernel.version"] = kernel;
    n.NodeClass = cls;
    return b.add(n);
  };
  auto a = node("dc1", "4.9", ""), c = node("dc2", "3.0", ""), d = node("dc2", "3.0", "large"), e = node("dc1", "3.0", "");
  auto j = make_min_job();
  j.Datacenters = {"dc*"};
  j.Affinities = {{.LTarget = "${node.datacenter}", .RTarget = "dc1", .Operand = "=", .Weight = 100},
                  {.LTarget = "${node.datacenter}", .RTarget = "dc2", .Operand = "=", .Weight = -100},
                  {.LTarget = "${attr.kernel.version}", .RTarget = ">4.0", .Operand = "version", .Weight = 50},
                  {.LTarget = "${node.class}", .RTarget = "large", .Operand = "=", .Weight = 50}};
  b.start(j);
  EXPECT_EQ(b.node_of(*b.select()), a);
  auto scores = b.scores();
  EXPECT_DOUBLE_EQ(scores[a].Scores.at("node-affinity"), 0.5);
  EXPECT_DOUBLE_EQ(scores[c].Scores.at("node-affinity"), -1.0 / 3);
  EXPECT_DOUBLE_EQ(scores[d].Scores.at("node-affinity"), -1.0 / 6);
  EXPECT_DOUBLE_EQ(scores[e].Scores.at("node-affinity"), 1.0 / 3);
}

TEST(Stack, K30K33SampledCandidates) {
  Bench b;
  b.options.candidates = Options::Candidates::kSampled;
  for (int i = 0; i < 8; ++i) b.add(make_node());
  b.start(make_min_job());
  std::set<std::string> seen;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(b.select());
    EXPECT_EQ(b.stack->metric().NodesEvaluated, 3);
    for (auto& m : b.stack->metric().ScoreMetaData) seen.insert(m.NodeID);
  }
  // The second goes on where the first stopped.
  EXPECT_EQ(seen.size(), 6u);
  b.start(make_min_job("batch"), Stack::Kind::kBatch);
  ASSERT_TRUE(b.select());
  EXPECT_EQ(b.stack->metric().NodesEvaluated, 2);
}

TEST(Stack, K32PreferredNode) {
  Bench b;
  for (int i = 0; i < 3; ++i) b.add(make_node());
  b.start(make_min_job());
  SelectOptions o;
  o.preferred = b.fleet.row(b.nodes[1]);
  EXPECT_EQ(b.node_of(*b.select(o)), b.nodes[1]);
  EXPECT_EQ(b.stack->metric().NodesEvaluated, 1);
}

TEST(Stack, K36K37Metrics) {
  Bench b;
  b.add(make_node());
  auto n = make_node();
  n.Attributes["kernel.name"] = "freebsd";
  auto good = b.add(n);
  auto j = make_min_job();
  j.Constraints = {{.LTarget = "${attr.kernel.name}", .RTarget = "freebsd", .Operand = "="}};
  b.start(j);
  EXPECT_EQ(b.node_of(*b.select()), good);
  auto& m = b.stack->metric();
  EXPECT_EQ(m.NodesFiltered, 1);
  EXPECT_EQ(m.ClassFiltered.at("linux-medium-pci"), 1);
  EXPECT_EQ(m.ConstraintFiltered.at("${attr.kernel.name} = freebsd"), 1);
}

TEST(Stack, FleetAndSampleAgreeOnWhatFits) {
  for (auto candidates : {Options::Candidates::kFleet, Options::Candidates::kSampled}) {
    Bench b;
    b.options.candidates = candidates;
    for (int i = 0; i < 20; ++i) b.add(sized(i == 7 ? 2000 : 500, 8000));
    b.start(asking(1000, 100));
    auto s = b.select();
    ASSERT_TRUE(s);
    EXPECT_EQ(b.node_of(*s), b.nodes[7]);
  }
}

// --- feasibility ---

TEST(Feasible, F3F4HostVolumes) {
  auto with = [](std::vector<std::string> names, bool read_only = false) {
    auto n = make_node();
    for (auto& v : names) n.HostVolumes[v] = {.Name = v, .ReadOnly = read_only};
    return n;
  };
  TaskGroup g;
  g.Volumes["foo"] = {.Type = "host", .Source = "foo"};
  g.Volumes["unique"] = {.Type = "host", .Source = "unique-volume", .PerAlloc = true};
  g.Volumes["other"] = {.Type = "csi", .Source = "bar"};
  EXPECT_TRUE(has_host_volumes(with({"foo", "unique-volume[0]"}), g, "job.web[0]"));
  EXPECT_FALSE(has_host_volumes(with({"foo", "unique-volume[0]"}), g, "job.web[1]"));
  EXPECT_FALSE(has_host_volumes(with({"foo"}), g, "job.web[0]"));
  EXPECT_FALSE(has_host_volumes(with({}), g, "job.web[0]"));
  for (bool request_ro : {false, true})
    for (bool volume_ro : {false, true}) {
      TaskGroup one;
      one.Volumes["v"] = {.Type = "host", .Source = "v", .ReadOnly = request_ro};
      EXPECT_EQ(has_host_volumes(with({"v"}, volume_ro), one, ""), request_ro || !volume_ro);
    }
}

TEST(Feasible, F9F12NetworkModes) {
  ConstraintChecker checker;
  auto node = [](std::vector<std::string> modes, const char* version = "0.12.0") {
    auto n = make_node();
    n.Attributes["nomad.version"] = version;
    for (auto& m : modes) n.NodeResources->Networks.push_back({.Mode = m});
    return n;
  };
  auto why = [&](const Node& n, const char* mode) { return network_failure(n, {.Mode = mode}, checker); };
  EXPECT_EQ(why(node({}), "host"), "");
  EXPECT_EQ(why(node({}), ""), "");
  EXPECT_EQ(why(node({}), "none"), "");
  EXPECT_EQ(why(node({"bridge"}), "bridge"), "");
  EXPECT_EQ(why(node({}), "bridge"), "missing network");
  EXPECT_EQ(why(node({}, "0.11.0"), "bridge"), "");
  EXPECT_EQ(why(node({"cni/mynet"}), "cni/mynet"), "");
  EXPECT_EQ(why(node({}), "cni/mynet"), "missing network");
}

TEST(Feasible, F13F14Drivers) {
  struct Case {
    std::function<void(Node&)> set;
    bool ok;
  };
  const Case cases[] = {
      {[](Node& n) { n.Drivers["foo"] = {.Detected = true, .Healthy = true}; }, true},
      {[](Node& n) { n.Drivers["foo"] = {.Detected = true, .Healthy = false}; }, false},
      {[](Node& n) { n.Drivers["foo"] = {.Detected = false, .Healthy = true}; }, false},
      {[](Node& n) { n.Attributes["driver.foo"] = "true"; }, true},
      {[](Node& n) { n.Attributes["driver.foo"] = "0"; }, false},
      {[](Node&) {}, false},
  };
  for (auto& c : cases) {
    Bench b;
    auto n = make_node();
    c.set(n);
    b.add(n);
    auto j = make_min_job();
    j.TaskGroups[0].Tasks[0].Driver = "foo";
    b.start(j);
    EXPECT_EQ(b.select().has_value(), c.ok);
    if (!c.ok) EXPECT_EQ(b.stack->metric().ConstraintFiltered.at("missing drivers"), 1);
  }
}

TEST(Feasible, F26F29DistinctHostsByJobAndGroup) {
  for (bool job_level : {true, false}) {
    Bench b;
    for (int i = 0; i < 3; ++i) b.add(make_node());
    auto j = make_min_job();
    auto other = j.TaskGroups[0];
    other.Name = "other";
    Constraint c{.Operand = "distinct_hosts"};
    (job_level ? j.Constraints : j.TaskGroups[0].Constraints).push_back(c);
    j.TaskGroups.push_back(other);
    b.state->put(j);
    auto job = b.state->current.at({j.Namespace, j.ID});
    b.state->put(make_alloc(job, b.nodes[0], 0));
    b.state->put(make_alloc(job, b.nodes[1], 0, "other"));
    b.start(j);
    ASSERT_TRUE(b.select());
    EXPECT_EQ(b.stack->metric().NodesFiltered, job_level ? 2 : 1);
    ASSERT_TRUE(b.select({}, 1));
    EXPECT_EQ(b.stack->metric().NodesFiltered, job_level ? 2 : 0);
  }
}

TEST(Feasible, G27CSIVolumesLimitAndTopology) {
  Bench b;
  for (int i = 0; i < 2; ++i) {
    auto n = make_node();
    n.CSINodePlugins["p"] = {.PluginID = "p", .Healthy = i == 0};
    n.CSINodePlugins["p"].NodeInfo.ensure().MaxVolumes = 2;
    n.CSINodePlugins["p"].NodeInfo->AccessibleTopology.ensure().Segments["rack"] = "R1";
    b.add(n);
  }
  CSIVolume v;
  v.ID = "vol[0]";
  v.Namespace = "default";
  v.PluginID = "p";
  v.AccessMode = "multi-node-single-writer";
  v.Schedulable = true;
  v.Topologies.push_back({});
  v.Topologies[0].Segments["rack"] = "R1";
  b.state->volumes[{"default", "vol[0]"}] = std::make_shared<const CSIVolume>(v);
  auto j = make_min_job();
  j.TaskGroups[0].Volumes["v"] = {.Type = "csi", .Source = "vol", .PerAlloc = true};
  b.start(j);
  SelectOptions o;
  o.alloc_name = "x.g[0]";
  auto s = b.select(o);
  ASSERT_TRUE(s);
  EXPECT_EQ(b.node_of(*s), b.nodes[0]);
  EXPECT_EQ(b.stack->metric().ConstraintFiltered.at("CSI plugin p is unhealthy on client " + b.nodes[1].str()), 1);
  o.alloc_name = "x.g[3]";
  EXPECT_FALSE(b.select(o));
  EXPECT_EQ(b.stack->metric().ConstraintFiltered.at("missing CSI Volume vol[3]"), 2);
}

// --- spread ---

struct SpreadBench : Bench {
  std::map<std::string, double> by(const std::string& target) {
    std::map<std::string, double> out;
    auto& group = stack->state_of(job->TaskGroups[0]);
    group.refresh();
    for (auto row : stack->nodes()) out[*resolve_target(target, *fleet.node(row))] = group.spread().score(row);
    return out;
  }
  void exists(const Job& j, const Uuid& node, uint64_t index) {
    if (!state->current.contains({j.Namespace, j.ID})) state->put(j);
    state->put(make_alloc(state->current.at({j.Namespace, j.ID}), node, index));
  }
};

TEST(Spread, D1TargetWithRemainder) {
  SpreadBench b;
  auto n1 = b.add(make_node("dc1"));
  b.add(make_node("dc2"));
  auto j = make_min_job();
  j.Datacenters = {"dc*"};
  j.TaskGroups[0].Spreads = {{.Attribute = "${node.datacenter}", .Weight = 100, .SpreadTarget = {{.Value = "dc1", .Percent = 80}}}};
  for (uint64_t i = 0; i < 2; ++i) b.exists(j, n1, i);
  b.start(j);
  auto s = b.by("${node.datacenter}");
  EXPECT_DOUBLE_EQ(s["dc1"], 0.625);
  EXPECT_DOUBLE_EQ(s["dc2"], 0.5);
}

TEST(Spread, D4Even) {
  struct Case {
    int dc1, dc2;
    double s1, s2, s3;
  };
  for (auto& c : {Case{0, 0, 0, 0, 0}, Case{2, 0, -1, 1, 1}, Case{2, 3, 0.5, -0.5, 1}, Case{3, 3, -1, -1, 1}}) {
    SpreadBench b;
    auto n1 = b.add(make_node("dc1")), n2 = b.add(make_node("dc2"));
    b.add(make_node("dc3"));
    auto j = make_min_job();
    j.Datacenters = {"dc*"};
    j.TaskGroups[0].Spreads = {{.Attribute = "${node.datacenter}", .Weight = 100}};
    for (int i = 0; i < c.dc1; ++i) b.exists(j, n1, static_cast<uint64_t>(i));
    for (int i = 0; i < c.dc2; ++i) b.exists(j, n2, static_cast<uint64_t>(10 + i));
    b.start(j);
    auto s = b.by("${node.datacenter}");
    EXPECT_DOUBLE_EQ(s["dc1"], c.s1);
    EXPECT_DOUBLE_EQ(s["dc2"], c.s2);
    EXPECT_DOUBLE_EQ(s["dc3"], c.s3);
  }
}

TEST(Spread, D5D6D7EdgesOfTargets) {
  auto run = [](std::vector<SpreadTarget> targets, int64_t count) {
    auto b = std::make_unique<SpreadBench>();
    for (auto* dc : {"dc1", "dc2", "dc3"}) b->add(make_node(dc));
    auto j = make_min_job();
    j.Datacenters = {"dc*"};
    j.TaskGroups[0].Count = count;
    j.TaskGroups[0].Spreads = {{.Attribute = "${node.datacenter}", .Weight = 100, .SpreadTarget = targets}};
    b->start(j);
    return b->by("${node.datacenter}");
  };
  EXPECT_DOUBLE_EQ(run({{"dc1", 50}, {"dc2", 50}}, 10)["dc3"], -1);
  auto s = run({{"dc1", 50}, {"dc2", 50}, {"*", 0}}, 8);
  EXPECT_DOUBLE_EQ(s["dc1"], 0.75);
  EXPECT_DOUBLE_EQ(s["dc3"], -1);
  s = run({{"dc1", 99}, {"dc2", 1}, {"*", 0}}, 8);
  EXPECT_NEAR(s["dc1"], (7.92 - 1) / 7.92, 1e-9);
  EXPECT_NEAR(s["dc2"], -11.5, 1e-9);
  EXPECT_GE(s["dc3"], s["dc2"]);
}

// --- preemption ---

TEST(Preempt, P1Distance) {
  Usage ask{2048, 512, 0, 4096};
  EXPECT_NEAR(resource_distance(ask, {2048, 512, 0, 4096}), 0.0, 1e-3);
  EXPECT_NEAR(resource_distance(ask, {1024, 400, 0, 1024}), 0.928, 1e-3);
  EXPECT_NEAR(resource_distance(ask, {8192, 200, 0, 1024}), 3.152, 1e-3);
}

struct PreemptBench : Bench {
  Uuid node;
  std::map<Uuid, std::string> labels;
  PreemptBench() {
    auto n = make_node();
    n.ReservedResources->Networks.ReservedHostPorts = "";
    node = add(n);
  }
  void holds(const std::string& label, int64_t priority, const AllocatedResources& r) {
    auto j = make_min_job();
    j.Priority = priority;
    auto job = std::make_shared<const Job>(j);
    auto a = make_alloc(job, node, 0);
    a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
    labels[a.ID] = label;
    state->put(a);
  }
  std::set<std::string> victims(Job j) {
    j.Priority = j.Priority == 50 ? 100 : j.Priority;
    start(j);
    SelectOptions o;
    o.preempt = true;
    std::set<std::string> out;
    auto s = select(o);
    if (s)
      for (auto& v : s->preempted) out.insert(labels[v->ID]);
    if (s && out.empty()) out.insert("none needed");
    return out;
  }
};

AllocatedResources using_(int64_t cpu, int64_t memory = 0, int64_t disk = 0, int64_t mbits = 0, int64_t port = 0) {
  AllocatedResources r;
  auto& t = r.Tasks["t"];
  t.Cpu.CpuShares = cpu;
  t.Memory.MemoryMB = memory;
  r.Shared.DiskMB = disk;
  if (mbits || port) {
    NetworkResource n;
    n.Device = "eth0";
    n.IP = "192.168.0.100";
    n.MBits = mbits;
    if (port) n.ReservedPorts = {{.Label = "db", .Value = port}};
    t.Networks = {n};
  }
  return r;
}

Job needing(int64_t cpu, int64_t memory = 100, int64_t disk = 10, int64_t mbits = 0, int64_t port = 0) {
  auto j = asking(cpu, memory, 1);
  j.TaskGroups[0].EphemeralDisk->SizeMB = disk;
  if (mbits || port) {
    NetworkResource n;
    n.MBits = mbits;
    if (port) n.ReservedPorts = {{.Label = "db", .Value = port}};
    j.TaskGroups[0].Tasks[0].Resources->Networks = {n};
  }
  return j;
}

using Labels = std::set<std::string>;

TEST(Preempt, P2HighPriorityStays) {
  PreemptBench b;
  b.holds("high", 100, using_(3800));
  EXPECT_EQ(b.victims(needing(2000)), Labels{});
}

TEST(Preempt, P3NotEnoughEvenWithAll) {
  PreemptBench b;
  b.holds("high", 100, using_(3000));
  b.holds("low", 30, using_(500));
  EXPECT_EQ(b.victims(needing(2000)), Labels{});
}

TEST(Preempt, P7OnlyTheNetworkHolder) {
  PreemptBench b;
  b.holds("big", 30, using_(2800, 2256, 4096));
  b.holds("net", 30, using_(200, 256, 4096, 800));
  EXPECT_EQ(b.victims(needing(1100, 1000, 5 * 1024, 840)), Labels{"net"});
}

TEST(Preempt, P8PriorityMustDifferClearly) {
  PreemptBench b;
  b.holds("big", 30, using_(2800, 2256, 4096));
  b.holds("net", 30, using_(200, 256, 4096, 800));
  auto j = needing(1100, 1000, 5 * 1024, 840);
  j.Priority = 35;
  EXPECT_EQ(b.victims(j), Labels{});
}

TEST(Preempt, P10TheCloserMatch) {
  PreemptBench b;
  b.holds("a", 30, using_(200, 256, 4096, 500));
  b.holds("b", 30, using_(200, 256, 4096, 320));
  EXPECT_EQ(b.victims(needing(300, 500, 5 * 1024, 320)), Labels{"b"});
}

TEST(Preempt, P12ThePortHolderIsEnough) {
  PreemptBench b;
  b.holds("holder", 30, using_(200, 256, 4096, 600, 88));
  b.holds("other", 30, using_(200, 256, 4096, 100));
  EXPECT_EQ(b.victims(needing(300, 500, 5 * 1024, 700, 88)), Labels{"holder"});
}

TEST(Preempt, P19OneLargeInsteadOfTwo) {
  PreemptBench b;
  b.holds("high", 100, using_(1800, 2256, 4096, 150));
  b.holds("A", 30, using_(1500, 256, 5120, 100));
  b.holds("B", 30, using_(600, 256, 5120, 300));
  EXPECT_EQ(b.victims(needing(1000, 256, 5 * 1024, 50)), Labels{"A"});
}

TEST(Preempt, P16DeviceGroupsAreNeverMixed) {
  PreemptBench b;
  auto n = *b.state->nodes.at(b.node);
  auto group = [](const char* name, int count) {
    NodeDeviceResource d{.Vendor = "nvidia", .Type = "gpu", .Name = name};
    for (int i = 0; i < count; ++i) d.Instances.push_back({.ID = fmt::format("{}-{}", name, i), .Healthy = true});
    return d;
  };
  n.NodeResources->Devices = {group("1080ti", 4), group("2080ti", 4)};
  n.ComputedClass = compute_class(n);
  b.state->put(n);
  auto gpu = [](const char* name, std::vector<int> ids) {
    AllocatedResources r;
    AllocatedDeviceResource d{.Vendor = "nvidia", .Type = "gpu", .Name = name};
    for (int i : ids) d.DeviceIDs.push_back(fmt::format("{}-{}", name, i));
    r.Tasks["t"].Devices = {d};
    return r;
  };
  b.holds("a", 30, gpu("1080ti", {0, 1}));
  b.holds("high", 100, gpu("1080ti", {2}));
  b.holds("c", 30, gpu("2080ti", {0, 1}));
  b.holds("d", 30, gpu("2080ti", {2, 3}));
  auto j = asking(100, 100, 1);
  j.TaskGroups[0].Tasks[0].Resources->Devices = {{.Name = "gpu", .Count = 4}};
  EXPECT_EQ(b.victims(j), (Labels{"c", "d"}));
}

// --- utilities ---

TEST(Nodes, DatacenterPatterns) {
  EXPECT_TRUE(matches_datacenter("dc*", "dc1"));
  EXPECT_TRUE(matches_datacenter("*", ""));
  EXPECT_TRUE(matches_datacenter("*west*2", "us-west-12"));
  EXPECT_FALSE(matches_datacenter("dc1", "dc12"));
  EXPECT_FALSE(matches_datacenter("DC*", "dc1"));
  EXPECT_TRUE(matches_datacenter("a*b*c", "abbbc"));
}

TEST(Nodes, X5X6ClassMerge) {
  Fleet fleet;
  auto state = std::make_shared<MemState>();
  for (auto* cls : {"v1:1", "v1:2", "v1:3", "v1:4", "v1:5"}) {
    auto n = make_node();
    n.ComputedClass = cls;
    state->put(n);
  }
  fleet.sync(state);
  auto code = [&](const char* cls) { return fleet.classes().index.at(cls); };
  Eligibility e;
  e.set_job(code("v1:1"), true);
  e.set_job(code("v1:2"), false);
  e.set_group("foo", code("v1:3"), true);
  e.set_group("bar", code("v1:4"), false);
  e.set_group("bar", code("v1:5"), true);
  e.set_group("fizz", code("v1:1"), false);
  e.set_group("fizz", code("v1:3"), false);
  EXPECT_EQ(e.classes(fleet.classes()),
            (Map<bool>{{"v1:1", false}, {"v1:2", false}, {"v1:3", true}, {"v1:4", false}, {"v1:5", true}}));
}

}  // namespace
}  // namespace drover::scheduler
