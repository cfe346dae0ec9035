// Preemption: reference scheduler 10, scenarios P1 to P20. The node is that of the reference's table.
#include <gtest/gtest.h>

#include "scheduler/stack_bench.h"

namespace drover::scheduler {
namespace {

using namespace testing;

constexpr int64_t kGiB = 1024;  // MiB
constexpr int64_t kLow = 30, kLow2 = 40, kHigh = 100;

struct Net {
  int64_t mbits = 0, port = 0;
  const char* device = "eth0";
  int64_t group_mbits = 0;  // of a group network beside the task's
};

struct Gpu {
  const char* name = nullptr;  // of the device group
  std::vector<int> ids;
};

struct Held {
  const char* label;
  int64_t priority, cpu = 0, memory = 0, disk = 0;
  Net net = {};
  Gpu gpu = {};
};

struct Ask {
  int64_t cpu, memory, disk;
  Net net = {};
  const char* device = nullptr;
  uint64_t count = 0;
};

using Labels = std::set<std::string>;

struct Case {
  const char* name;
  std::vector<Held> held;
  Ask ask;
  Labels victims;
  int64_t priority = kHigh;
  bool two_nics = false;
  // The plan preempts one more like this already.
  std::optional<Held> planned = {};
};

NodeDeviceResource device_group(const char* vendor, const char* type, const char* name, int healthy, int sick = 0) {
  NodeDeviceResource d{.Vendor = vendor, .Type = type, .Name = name};
  for (int i = 0; i < healthy + sick; ++i) d.Instances.push_back({.ID = fmt::format("{}-{}", name, i), .Healthy = i < healthy});
  return d;
}

struct PreemptBench : Bench {
  Uuid node;
  std::map<Uuid, std::string> labels;
  std::map<int64_t, Ref<Job>> jobs;  // by priority: allocations of one priority are of one job

  explicit PreemptBench(bool two_nics) {
    auto n = make_node();
    n.ReservedResources->Networks.ReservedHostPorts = "";
    n.NodeResources->Devices = {device_group("nvidia", "gpu", "1080ti", 4), device_group("nvidia", "gpu", "2080ti", 5),
                                device_group("intel", "fpga", "F100", 1, 1)};
    if (two_nics) {
      NetworkResource eth1{.Mode = "host", .Device = "eth1", .CIDR = "192.168.1.100/32", .IP = "192.168.1.100", .MBits = 1000};
      n.NodeResources->Networks.push_back(eth1);
    }
    node = add(n);
  }

  Allocation make(const Held& held) {
    auto& job = jobs[held.priority];
    if (!job) {
      auto j = make_min_job();
      j.Priority = held.priority;
      job = std::make_shared<const Job>(j);
    }
    auto a = make_alloc(job, node, 0);
    AllocatedResources r;
    auto& t = r.Tasks["t"];
    t.Cpu.CpuShares = held.cpu;
    t.Memory.MemoryMB = held.memory;
    r.Shared.DiskMB = held.disk;
    bool second = std::string_view(held.net.device) == "eth1";
    NetworkResource net{.Device = held.net.device, .IP = second ? "192.168.1.100" : "192.168.0.100", .MBits = held.net.mbits};
    if (held.net.port) net.ReservedPorts = {{.Label = "db", .Value = held.net.port}};
    if (held.net.mbits || held.net.port) t.Networks = {net};
    net.ReservedPorts.reset();
    net.MBits = held.net.group_mbits;
    if (held.net.group_mbits) r.Shared.Networks = {net};
    if (held.gpu.name) {
      bool fpga = std::string_view(held.gpu.name) == "F100";
      AllocatedDeviceResource d{.Vendor = fpga ? "intel" : "nvidia", .Type = fpga ? "fpga" : "gpu", .Name = held.gpu.name};
      for (int i : held.gpu.ids) d.DeviceIDs.push_back(fmt::format("{}-{}", held.gpu.name, i));
      t.Devices = {d};
    }
    a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
    labels[a.ID] = held.label;
    return a;
  }

  Labels victims(const Case& c) {
    for (auto& held : c.held) state->put(make(held));
    auto j = asking(c.ask.cpu, c.ask.memory, 1);
    j.Priority = c.priority;
    j.TaskGroups[0].EphemeralDisk->SizeMB = c.ask.disk;
    auto& r = *j.TaskGroups[0].Tasks[0].Resources;
    NetworkResource net{.MBits = c.ask.net.mbits};
    if (c.ask.net.port) net.ReservedPorts = {{.Label = "db", .Value = c.ask.net.port}};
    if (c.ask.net.mbits || c.ask.net.port) r.Networks = {net};
    if (c.ask.device) r.Devices = {{.Name = c.ask.device, .Count = c.ask.count}};
    start(j);
    if (c.planned) context->plan.preempt(std::make_shared<const Allocation>(make(*c.planned)), make_id());
    SelectOptions o;
    o.preempt = true;
    Labels out;
    auto s = select(o);
    if (s)
      for (auto& v : s->preempted) out.insert(labels[v->ID]);
    if (s && out.empty()) out.insert("none needed");
    return out;
  }
};

TEST(Preempt, P1Distance) {
  Usage ask{2048, 512, 0, 4096};
  EXPECT_NEAR(resource_distance(ask, {2048, 512, 0, 4096}), 0.0, 1e-3);
  EXPECT_NEAR(resource_distance(ask, {1024, 400, 0, 1024}), 0.928, 1e-3);
  EXPECT_NEAR(resource_distance(ask, {8192, 200, 0, 1024}), 3.152, 1e-3);
  EXPECT_NEAR(resource_distance(ask, {2048, 500, 0, 4096}), 0.023, 1e-3);
}

TEST(Preempt, P2ToP19) {
  const Held high{"high", kHigh, 1200, 2256, 4 * kGiB, {.mbits = 150}};
  const Held busy{"high", kHigh, 2800, 2256, 4 * kGiB, {.mbits = 150}};
  const Case cases[] = {
      {"P2 none is low", {{"high", kHigh, 3200, 7256, 4 * kGiB, {.mbits = 50}}},
       {2000, 256, 4 * kGiB, {.mbits = 1, .port = 22}}, {}},
      {"P3 all of them are not enough", {{"low", kLow, 3200, 7256, 4 * kGiB, {.mbits = 50}}},
       {4000, 8192, 4 * kGiB, {.mbits = 1, .port = 22}}, {}},
      {"P4 the port is held by a high one",
       {high, {"port", kHigh, 200, 256, 4 * kGiB, {.mbits = 600, .port = 88}}},
       {600, 1000, 25 * kGiB, {.mbits = 700, .port = 88}}, {}},
      {"P5 the other card's port is held",
       {high, {"port", kHigh, 200, 256, 4 * kGiB, {.mbits = 600, .port = 88, .device = "eth1"}},
        {"low", kLow, 200, 256, 4 * kGiB, {.mbits = 600}}},
       {600, 1000, 25 * kGiB, {.mbits = 700, .port = 88}}, {"low"}, kHigh, true},
      {"P6 task and group networks add up",
       {busy, {"a", kLow, 200, 256, 4 * kGiB, {.mbits = 200, .group_mbits = 300}},
        {"b", kLow, 200, 256, 4 * kGiB, {.mbits = 300}}, {"c", kLow, 700, 256, 4 * kGiB}},
       {1100, 1000, 25 * kGiB, {.mbits = 840}}, {"a", "b", "c"}},
      {"P7 only the holder of bandwidth",
       {{"big", kLow, 2800, 2256, 4 * kGiB}, {"net", kLow, 200, 256, 4 * kGiB, {.mbits = 800}}},
       {1100, 1000, 25 * kGiB, {.mbits = 840}}, {"net"}},
      {"P8 priorities must differ clearly",
       {{"big", kLow, 2800, 2256, 4 * kGiB}, {"net", kLow, 200, 256, 4 * kGiB, {.mbits = 800}}},
       {1100, 1000, 25 * kGiB, {.mbits = 840}}, {}, kLow + 5},
      {"P9 everything but the network is short",
       {{"high", kHigh, 2800, 2256, 40 * kGiB, {.mbits = 150}}, {"a", kLow, 200, 256, 4 * kGiB, {.mbits = 50}},
        {"b", kLow, 200, 512, 25 * kGiB}, {"c", kLow, 700, 276, 20 * kGiB}},
       {1000, 3000, 50 * kGiB, {.mbits = 50}}, {"a", "b", "c"}},
      {"P10 the closer match",
       {high, {"a", kLow, 200, 256, 4 * kGiB, {.mbits = 500}}, {"b", kLow, 200, 256, 4 * kGiB, {.mbits = 320}}},
       {300, 500, 5 * kGiB, {.mbits = 320}}, {"b"}},
      {"P11 the port holder and one more for the bandwidth",
       {high, {"port", kLow, 200, 256, 4 * kGiB, {.mbits = 500, .port = 88}},
        {"more", kLow, 200, 256, 4 * kGiB, {.mbits = 200}}},
       {2700, 1000, 25 * kGiB, {.mbits = 800, .port = 88}}, {"port", "more"}},
      {"P12 the port holder is enough",
       {high, {"port", kLow, 200, 256, 4 * kGiB, {.mbits = 600, .port = 88}},
        {"other", kLow, 200, 256, 4 * kGiB, {.mbits = 100}}},
       {600, 1000, 25 * kGiB, {.mbits = 700, .port = 88}}, {"port"}},
      {"P13 the job that loses one already is spared",
       {high, {"A", kLow, 200, 256, 4 * kGiB, {.mbits = 500}}, {"B", kLow2, 200, 256, 4 * kGiB, {.mbits = 300}}},
       {300, 500, 5 * kGiB, {.mbits = 320}}, {"A"}, kHigh, false,
       Held{"planned", kLow2, 200, 256, 4 * kGiB, {.mbits = 300}}},
      {"P14 one instance each",
       {{"a", kLow, 500, 512, 4 * kGiB, {}, {"1080ti", {0}}}, {"b", kLow, 200, 512, 4 * kGiB, {}, {"1080ti", {1}}}},
       {1000, 512, 4 * kGiB, {}, "nvidia/gpu/1080ti", 4}, {"a", "b"}},
      {"P15 another kind of device stays",
       {{"gpu", kLow, 500, 512, 4 * kGiB, {}, {"1080ti", {0, 1, 2, 3}}},
        {"fpga", kLow, 200, 512, 4 * kGiB, {}, {"F100", {0}}}},
       {1000, 512, 4 * kGiB, {}, "nvidia/gpu/1080ti", 4}, {"gpu"}},
      {"P16 groups are never mixed",
       {{"a", kLow, 500, 512, 4 * kGiB, {}, {"1080ti", {0, 1}}}, {"high", kHigh, 200, 100, 4 * kGiB, {}, {"1080ti", {2}}},
        {"c", kLow, 200, 256, 4 * kGiB, {}, {"2080ti", {0, 1}}}, {"d", kLow, 100, 256, 4 * kGiB, {}, {"2080ti", {2, 3}}},
        {"fpga", kLow, 200, 512, 4 * kGiB, {}, {"F100", {0}}}},
       {1000, 512, 4 * kGiB, {}, "gpu", 4}, {"c", "d"}},
      {"P17 the group of lower priorities",
       {{"a", kLow, 500, 512, 4 * kGiB, {}, {"1080ti", {0, 1}}}, {"b", kLow2, 200, 100, 4 * kGiB, {}, {"1080ti", {2, 3}}},
        {"c", kLow, 200, 256, 4 * kGiB, {}, {"2080ti", {0, 1}}}, {"d", kLow, 100, 256, 4 * kGiB, {}, {"2080ti", {2, 3}}},
        {"e", kLow, 100, 256, 4 * kGiB, {}, {"2080ti", {4}}}, {"fpga", kLow, 200, 512, 4 * kGiB, {}, {"F100", {0}}}},
       {1000, 512, 4 * kGiB, {}, "gpu", 4}, {"c", "d"}},
      {"P18 no group has so many",
       {{"a", kLow, 500, 512, 4 * kGiB, {}, {"1080ti", {0, 1, 2, 3}}}, {"fpga", kLow, 200, 512, 4 * kGiB, {}, {"F100", {0}}}},
       {1000, 512, 4 * kGiB, {}, "gpu", 6}, {}},
      {"P19 one large instead of two",
       {{"high", kHigh, 1800, 2256, 4 * kGiB, {.mbits = 150}}, {"A", kLow, 1500, 256, 5 * kGiB, {.mbits = 100}},
        {"B", kLow, 600, 256, 5 * kGiB, {.mbits = 300}}},
       {1000, 256, 5 * kGiB, {.mbits = 50}}, {"A"}},
  };
  for (auto& c : cases) {
    PreemptBench b(c.two_nics);
    EXPECT_EQ(b.victims(c), c.victims) << c.name;
  }
}

TEST(Preempt, P20AllFourForTwo) {
  Harness h;
  auto nodes = h.add_nodes(1, [](Node& n, size_t) { n.NodeResources->Devices = {device_group("nvidia", "gpu", "1080ti", 4)}; });
  auto low = make_min_job();
  low.Priority = 5;
  low.TaskGroups[0].Count = 4;
  low.TaskGroups[0].Tasks[0].Resources->Devices = {{.Name = "gpu", .Count = 1}};
  auto ids = h.add_allocs(h.add_job(low), nodes, 4, [](Allocation& a, size_t i) {
    auto r = *a.AllocatedResources;
    AllocatedDeviceResource d{.Vendor = "nvidia", .Type = "gpu", .Name = "1080ti"};
    d.DeviceIDs.push_back(fmt::format("1080ti-{}", i));
    r.Tasks["t"].Devices = {d};
    a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
  });
  auto high = make_min_job();
  high.Priority = 100;
  high.TaskGroups[0].Count = 2;
  high.TaskGroups[0].Tasks[0].Resources->Devices = {{.Name = "gpu", .Count = 2}};
  auto job = h.add_job(high);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.plans.size(), 1u);
  std::set<Uuid> gone;
  for (auto& a : h.preempted()) gone.insert(a->ID);
  EXPECT_EQ(gone, std::set<Uuid>(ids.begin(), ids.end()));
  EXPECT_EQ(h.placed().size(), 2u);
  EXPECT_TRUE(h.rejections.empty());
}

}  // namespace
}  // namespace drover::scheduler
