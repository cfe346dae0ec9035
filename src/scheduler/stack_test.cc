// Choosing a node: feasibility and ranking (reference scheduler 18.5, 18.6).
#include <gtest/gtest.h>

#include "scheduler/stack_bench.h"

namespace drover::scheduler {
namespace {

using namespace testing;

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
