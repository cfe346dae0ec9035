// Resource arithmetic, ports, devices, rescheduling: reference scheduler 18.10.
#include <gtest/gtest.h>

#include "base/uuid.h"
#include "model/devices.h"
#include "model/fit.h"
#include "model/reschedule.h"
#include "model/status.h"

namespace drover {
namespace {

// Predictable chance.
class CountingRandom final : public Random {
 public:
  uint64_t next() override { return state_ = state_ * 6364136223846793005ull + 1442695040888963407ull; }

 private:
  uint64_t state_ = 42;
};

constexpr Time kNow = Time::from_unix_seconds(1'700'000'000);

Node node_of(int64_t cpu, int64_t memory, int64_t reserved_cpu = 0, int64_t reserved_memory = 0) {
  Node n;
  auto& r = n.NodeResources.ensure();
  r.Cpu.CpuShares = cpu;
  r.Memory.MemoryMB = memory;
  r.Disk.DiskMB = 10000;
  auto& reserved = n.ReservedResources.ensure();
  reserved.Cpu.CpuShares = reserved_cpu;
  reserved.Memory.MemoryMB = reserved_memory;
  return n;
}

Ref<Allocation> alloc_of(int64_t cpu, int64_t memory, const std::function<void(Allocation&, AllocatedResources&)>& change = {}) {
  static CountingRandom random;
  Allocation a;
  a.ID = Uuid::generate(random);
  a.DesiredStatus = "run";
  a.ClientStatus = "running";
  AllocatedResources r;
  r.Tasks["web"].Cpu.CpuShares = cpu;
  r.Tasks["web"].Memory.MemoryMB = memory;
  r.Shared.DiskMB = 5000;
  if (change) change(a, r);
  a.AllocatedResources = std::make_shared<const AllocatedResources>(r);
  return std::make_shared<const Allocation>(a);
}

Fit fit(const Node& n, std::vector<Ref<Allocation>> allocs, bool devices = false) {
  return allocs_fit(n, allocs, nullptr, devices);
}

TEST(Fit, Y2OneFitsTwoDoNot) {
  auto n = node_of(2000, 2048, 1000, 1024);
  auto a = alloc_of(1000, 1024);
  auto one = fit(n, {a});
  EXPECT_TRUE(one.fits);
  EXPECT_EQ(one.used.usage.CpuShares, 1000);
  auto two = fit(n, {a, a});
  EXPECT_FALSE(two.fits);
  EXPECT_EQ(two.dimension, "cpu");
  EXPECT_EQ(two.used.usage.MemoryMB, 2048);
}

TEST(Fit, Y3SameCoreTwice) {
  auto n = node_of(2000, 2048);
  n.NodeResources->Cpu.ReservableCpuCores = {0, 1};
  auto core = [](Allocation&, AllocatedResources& r) { r.Tasks["web"].Cpu.ReservedCores = {0}; };
  EXPECT_TRUE(fit(n, {alloc_of(0, 0, core)}).fits);
  EXPECT_EQ(fit(n, {alloc_of(0, 0, core), alloc_of(0, 0, core)}).dimension, "cores");
}

TEST(Fit, Y4Y5OnlyTheClientsWordFreesResources) {
  auto n = node_of(2000, 2048, 1000, 1024);
  auto a = alloc_of(1000, 1024);
  auto with = [](const char* desired, const char* client) {
    return alloc_of(1000, 1024, [=](Allocation& a, AllocatedResources&) { a.DesiredStatus = desired, a.ClientStatus = client; });
  };
  EXPECT_TRUE(fit(n, {a, with("run", "failed")}).fits);
  EXPECT_TRUE(fit(n, {a, with("stop", "complete")}).fits);
  auto stopping = fit(n, {a, with("stop", "running")});
  EXPECT_FALSE(stopping.fits);
  EXPECT_EQ(stopping.used.usage.CpuShares, 2000);
}

TEST(Fit, Y6SameDeviceTwice) {
  auto n = node_of(2000, 2048);
  n.NodeResources->Devices = {{.Vendor = "nvidia", .Type = "gpu", .Name = "1080ti", .Instances = {{.ID = "a", .Healthy = true}}}};
  auto device = [](Allocation&, AllocatedResources& r) {
    r.Shared.DiskMB = 1;
    r.Tasks["web"].Devices = {{.Vendor = "nvidia", .Type = "gpu", .Name = "1080ti", .DeviceIDs = {"a"}}};
  };
  auto a = alloc_of(1, 1, device), b = alloc_of(1, 1, device);
  EXPECT_EQ(fit(n, {a, b}, true).dimension, "device oversubscribed");
  EXPECT_TRUE(fit(n, {a, b}, false).fits);
}

TEST(Fit, Y7TheMaximumOfMemoryDoesNotLimit) {
  auto n = node_of(2000, 2048);
  auto big = [](Allocation&, AllocatedResources& r) {
    r.Shared.DiskMB = 1;
    r.Tasks["web"].Memory.MemoryMaxMB = 4000;
  };
  auto a = alloc_of(1, 1000, big);
  EXPECT_TRUE(fit(n, {a, a}).fits);
  EXPECT_EQ(fit(n, {a, a}).used.usage.MemoryMaxMB, 8000);
  EXPECT_EQ(fit(n, {a, a, a}).dimension, "memory");
}

TEST(Fit, Y8Scores) {
  auto has = node_capacity(node_of(4096, 8192, 2048, 4096));
  EXPECT_DOUBLE_EQ(score_fit_binpack(has, {2048, 4096}), 18);
  EXPECT_DOUBLE_EQ(score_fit_binpack(has, {0, 0}), 0);
  EXPECT_NEAR(score_fit_binpack(has, {1024, 2048}), 13.675, 0.001);
  EXPECT_DOUBLE_EQ(score_fit_spread(has, {2048, 4096}), 0);
  EXPECT_DOUBLE_EQ(score_fit_spread(has, {0, 0}), 18);
  EXPECT_NEAR(score_fit_spread(has, {1024, 2048}), 4.325, 0.001);
}

TEST(Fit, TasksAddUpByLifecycle) {
  AllocatedResources r;
  auto add = [&](const char* name, int64_t cpu, Box<TaskLifecycleConfig> lifecycle) {
    r.Tasks[name].Cpu.CpuShares = cpu;
    r.TaskLifecycles[name] = lifecycle;
  };
  add("main", 300, nullptr);
  add("init", 500, TaskLifecycleConfig{.Hook = "prestart"});
  add("side", 70, TaskLifecycleConfig{.Hook = "prestart", .Sidecar = true});
  add("end", 200, TaskLifecycleConfig{.Hook = "poststop"});
  add("after", 1000, TaskLifecycleConfig{.Hook = "poststart"});
  EXPECT_EQ(comparable(r).usage.CpuShares, 570);
}

TEST(Fit, NodesOfBefore09) {
  Node n;
  n.Resources = Resources{.CPU = 2000, .MemoryMB = 1000, .DiskMB = 10000};
  n.Reserved = Resources{.CPU = 500, .MemoryMB = 100};
  EXPECT_EQ(node_capacity(n).CpuShares, 1500);
  EXPECT_TRUE(fit(n, {alloc_of(1500, 900)}).fits);
  EXPECT_FALSE(fit(n, {alloc_of(1501, 900)}).fits);
}

// --- ports ---

TEST(Ports, Y9Ranges) {
  EXPECT_EQ(parse_port_ranges("22, 80,1000-1002,1001").value(), (std::vector<uint16_t>{22, 80, 1000, 1001, 1002}));
  EXPECT_TRUE(parse_port_ranges("").value().empty());
  EXPECT_EQ(parse_port_ranges("-1").error().message, "strconv.ParseUint: parsing \"\": invalid syntax");
  EXPECT_EQ(parse_port_ranges("0").error().message, "port must be > 0");
  EXPECT_EQ(parse_port_ranges("1-65537").error().message, "port must be < 65536 but found 65537");
  EXPECT_EQ(parse_port_ranges("9223372036854775807").error().message, "port must be < 65536 but found 9223372036854775807");
  EXPECT_EQ(parse_port_ranges("1-2-3").error().message,
            "can only parse single port numbers or port ranges (ex. 80,100-120,150)");
}

TEST(Ports, SetAgreesWithABitmap) {
  CountingRandom random;
  PortSet set;
  std::vector<bool> twin(65536, false);
  for (int i = 0; i < 3000; ++i) {
    auto first = static_cast<uint16_t>(random.below(600)), length = static_cast<uint16_t>(random.below(3));
    if (length == 0) {
      EXPECT_EQ(set.insert(first), !twin[first]);
      twin[first] = true;
    } else {
      set.insert(first, static_cast<uint16_t>(first + length));
      for (int p = first; p <= first + length; ++p) twin[static_cast<size_t>(p)] = true;
    }
    if (i == 200)
      for (uint16_t p = 0; p < 700; ++p) ASSERT_EQ(set.contains(p), twin[p]) << p;
  }
  uint32_t n = 0, gaps = 0;
  for (uint16_t p = 100; p <= 650; ++p) n += twin[p];
  EXPECT_EQ(set.count(100, 650), n);
  set.each_gap(100, 650, [&](uint16_t first, uint16_t last) {
    for (uint16_t p = first; p <= last; ++p) EXPECT_FALSE(twin[p]);
    gaps += static_cast<uint32_t>(last - first + 1);
  });
  EXPECT_EQ(n + gaps, 551u);
}

Node networked() {
  auto n = node_of(4000, 8000);
  auto& r = *n.NodeResources;
  r.Networks = {{.Mode = "host", .Device = "eth0", .CIDR = "192.168.0.100/30", .IP = "192.168.0.100", .MBits = 1000}};
  r.NodeNetworks = {{.Mode = "host", .Device = "eth0", .Addresses = {{.Alias = "default", .Address = "192.168.0.100"}}},
                    {.Mode = "host", .Device = "eth1", .Addresses = {{.Alias = "public", .Address = "10.0.0.1", .ReservedPorts = "80"}}}};
  n.ReservedResources->Networks.ReservedHostPorts = "22";
  return n;
}

TEST(Ports, Y13ReservedPortsOfNodeAndAddress) {
  NetworkIndex index;
  ASSERT_TRUE(index.set_node(networked()));
  EXPECT_TRUE(index.port_used("192.168.0.100", 22));
  EXPECT_TRUE(index.port_used("10.0.0.1", 22));
  EXPECT_TRUE(index.port_used("10.0.0.1", 80));
  EXPECT_FALSE(index.port_used("192.168.0.100", 80));
}

TEST(Ports, ANodeWithoutPortsInUseIsCheckedAsIfItHadSome) {
  for (auto* host : {"", "22", "1-5,7", "0", "x", "5-3", "65536", "1--2", " "})
    for (auto* address : {"", "80", "80,90-100", "y", "90-80", "70000"}) {
      auto n = networked();
      n.ReservedResources->Networks.ReservedHostPorts = host;
      n.NodeResources->NodeNetworks[1].Addresses[0].ReservedPorts = address;
      NetworkIndex index;
      auto whole = index.set_node(n), only = NetworkIndex::check_node(n);
      ASSERT_EQ(whole.has_value(), only.has_value()) << host << " " << address;
      if (!whole) EXPECT_EQ(whole.error().message, only.error().message);
      // The same verdict with an allocation that holds ports and without.
      auto plain = alloc_of(1, 1, [](Allocation&, AllocatedResources&) {});
      auto with_port = alloc_of(1, 1, [](Allocation&, AllocatedResources& r) { r.Shared.Ports = {{.Label = "x", .Value = 8080, .HostIP = "10.0.0.9"}}; });
      EXPECT_FALSE(holds_ports(*plain));
      EXPECT_TRUE(holds_ports(*with_port));
      EXPECT_EQ(allocs_fit(n, std::vector{plain}, nullptr, false).dimension, allocs_fit(n, std::vector{with_port}, nullptr, false).dimension);
    }
}

TEST(Ports, Y12CollisionsNameThePort) {
  NetworkIndex index;
  ASSERT_TRUE(index.set_node(networked()));
  auto a = alloc_of(1, 1, [](Allocation& a, AllocatedResources& r) {
    r.Shared.Ports = {{.Label = "x", .Value = 8080, .HostIP = "192.168.0.100"}};
  });
  EXPECT_EQ(index.add_alloc(*a), "");
  EXPECT_EQ(index.add_alloc(*a), "collision when reserving port for alloc " + a->ID.str() + ": [port 8080 already in use]");
}

TEST(Ports, Y15LastFreeDynamicPorts) {
  auto n = networked();
  n.ReservedResources->Networks.ReservedHostPorts = "20000-31997,31999";
  NetworkIndex index;
  ASSERT_TRUE(index.set_node(n));
  NetworkResource ask;
  ask.ReservedPorts = {{.Label = "s", .Value = 443}};
  ask.DynamicPorts = {{.Label = "a", .To = -1}, {.Label = "b", .To = 80}};
  CountingRandom random;
  auto offer = index.assign_ports(ask, random);
  ASSERT_TRUE(offer) << offer.error().message;
  EXPECT_EQ((*offer)[0].Value, 443);
  EXPECT_NE((*offer)[1].Value, (*offer)[2].Value);
  for (size_t i = 1; i < 3; ++i) EXPECT_TRUE((*offer)[i].Value == 31998 || (*offer)[i].Value == 32000);
  EXPECT_EQ((*offer)[1].To, (*offer)[1].Value);
  EXPECT_EQ((*offer)[2].To, 80);
  ask.DynamicPorts.push_back({.Label = "c"});
  EXPECT_EQ(index.assign_ports(ask, random).error().message, "dynamic port selection failed");
}

TEST(Ports, StaticPortErrors) {
  NetworkIndex index;
  ASSERT_TRUE(index.set_node(networked()));
  CountingRandom random;
  auto why = [&](Port p) {
    NetworkResource ask;
    ask.ReservedPorts = {p};
    return index.assign_ports(ask, random).error().message;
  };
  EXPECT_EQ(why({.Label = "x", .Value = 22}), "reserved port collision x=22");
  EXPECT_EQ(why({.Label = "x", .Value = 70000}), "invalid port 70000 (out of range)");
  EXPECT_EQ(why({.Label = "x", .Value = 1, .HostNetwork = "nowhere"}), "no addresses available for nowhere network");
}

TEST(Ports, Y16TaskNetworkTakesTheNextAddress) {
  NetworkIndex index;
  ASSERT_TRUE(index.set_node(networked()));
  NetworkResource used;
  used.Device = "eth0";
  used.IP = "192.168.0.100";
  used.MBits = 20;
  used.ReservedPorts = {{.Label = "main", .Value = 8000}};
  EXPECT_EQ(index.add_network(used), "");
  NetworkResource ask;
  ask.MBits = 50;
  ask.ReservedPorts = {{.Label = "main", .Value = 8000}};
  ask.DynamicPorts = {{.Label = "d", .To = -1}};
  CountingRandom random;
  auto offer = index.assign_task_network(ask, random);
  ASSERT_TRUE(offer);
  EXPECT_EQ(offer->IP, "192.168.0.101");
  EXPECT_EQ(offer->DynamicPorts[0].To, offer->DynamicPorts[0].Value);
  ask.MBits = 1000;
  EXPECT_EQ(index.assign_task_network(ask, random).error().message, "bandwidth exceeded");
}

// --- devices ---

TEST(Devices, AttributesWithUnits) {
  auto cmp = [](const char* a, const char* b) { return compare(parse_attribute(a), parse_attribute(b)); };
  EXPECT_EQ(cmp("11 GiB", "11264 MiB"), 0);
  EXPECT_EQ(cmp("1.4 GHz", "1480 MHz"), -1);
  EXPECT_EQ(cmp(".98 GiB/s", "995 MiB/s"), 1);
  EXPECT_EQ(cmp("10", "9.5"), 1);
  EXPECT_EQ(cmp("true", "true"), 0);
  EXPECT_EQ(cmp("abc", "abd"), -1);
  EXPECT_EQ(cmp("1 GiB", "1 GHz"), std::nullopt);
  EXPECT_EQ(cmp("1 GiB", "1"), std::nullopt);
  EXPECT_EQ(cmp("abc", "1"), std::nullopt);
}

TEST(Devices, F43OperatorsOfAbsentAttributes) {
  ConstraintChecker checker;
  NodeDeviceResource d{.Vendor = "v", .Type = "t", .Name = "n"};
  d.Attributes["x"] = Attribute{.Int = 3};
  auto check = [&](const char* l, const char* op, const char* r) { return check_device(op, l, r, d, checker); };
  EXPECT_FALSE(check("${device.attr.no}", "=", "${device.attr.no}"));
  EXPECT_FALSE(check("${device.attr.no}", "!=", "${device.attr.no}"));
  EXPECT_TRUE(check("${device.attr.no}", "!=", "3"));
  EXPECT_TRUE(check("${device.attr.x}", "!=", "${device.attr.no}"));
  EXPECT_TRUE(check("${device.attr.x}", "is_set", ""));
  EXPECT_TRUE(check("${device.attr.no}", "is_not_set", ""));
  EXPECT_FALSE(check("${device.attr.no}", "version", "> 1"));
  EXPECT_TRUE(check("${device.attr.x}", "version", ">= 2.0"));
  EXPECT_TRUE(check("${device.model}", "regexp", "^n"));
}

TEST(Devices, Y19Accounter) {
  Node n;
  n.NodeResources.ensure().Devices = {{.Vendor = "v", .Type = "gpu", .Name = "m",
                                       .Instances = {{.ID = "a", .Healthy = true}, {.ID = "b", .Healthy = false}}}};
  DeviceAccounter accounter(n);
  auto with = [](std::vector<std::string> ids, const char* client = "running") {
    return alloc_of(1, 1, [=](Allocation& a, AllocatedResources& r) {
      a.ClientStatus = client;
      r.Tasks["web"].Devices = {{.Vendor = "v", .Type = "gpu", .Name = "m", .DeviceIDs = List<std::string>(ids)}};
    });
  };
  EXPECT_FALSE(accounter.add_alloc(*with({"b"})));
  EXPECT_FALSE(accounter.add_alloc(*with({"unknown"})));
  EXPECT_FALSE(accounter.add_alloc(*with({"a"}, "complete")));
  EXPECT_EQ(accounter.groups()[0].free(), 1u);
  EXPECT_FALSE(accounter.add_alloc(*with({"a"})));
  EXPECT_TRUE(accounter.add_alloc(*with({"a"})));
  ConstraintChecker checker;
  EXPECT_EQ(accounter.assign({.Name = "gpu", .Count = 1}, checker).error().message, "no devices match request");
}

// --- rescheduling ---

Allocation failed(ReschedulePolicy policy, std::vector<RescheduleEvent> events, Time at = kNow) {
  Job j;
  TaskGroup g;
  g.Name = "web";
  g.ReschedulePolicy = policy;
  j.TaskGroups.push_back(g);
  Allocation a;
  a.TaskGroup = "web";
  a.Job = std::make_shared<const Job>(j);
  a.DesiredStatus = "run";
  a.ClientStatus = "failed";
  a.TaskStates["web"] = TaskState{.State = "dead", .Failed = true, .FinishedAt = at};
  if (!events.empty()) a.RescheduleTracker.ensure().Events = List<RescheduleEvent>(events);
  return a;
}

RescheduleEvent event(Duration delay, Duration ago) {
  return {.RescheduleTime = (kNow - ago).unix_nanos, .Delay = delay};
}

TEST(Reschedule, Y22Eligibility) {
  ReschedulePolicy unlimited{.Delay = 5s, .Unlimited = true}, none{}, one{.Attempts = 1, .Interval = 5min, .Delay = 5s};
  auto should = [](const Allocation& a) { return should_reschedule(a, reschedule_policy(a), kNow); };
  auto stopped = failed(unlimited, {});
  stopped.DesiredStatus = "stop";
  EXPECT_FALSE(should(stopped));
  EXPECT_FALSE(should_reschedule(failed(unlimited, {}), nullptr, kNow));
  EXPECT_FALSE(should(failed(none, {})));
  EXPECT_TRUE(should(failed(unlimited, {})));
  EXPECT_TRUE(should(failed(one, {})));
  EXPECT_FALSE(should(failed(one, {event(5s, 1min)})));
  EXPECT_TRUE(should(failed(one, {event(5s, 10min)})));
}

TEST(Reschedule, Y23Y24Delays) {
  auto delay = [](const char* function, Duration max, std::vector<RescheduleEvent> events) {
    return next_reschedule_delay(failed({.Delay = 5s, .DelayFunction = function, .MaxDelay = max, .Unlimited = true}, events));
  };
  EXPECT_EQ(delay("constant", 0s, {event(5s, 1h), event(5s, 1min)}), 5s);
  EXPECT_EQ(delay("exponential", 0s, {event(5s, 3min), event(10s, 2min), event(20s, 1min)}), 40s);
  EXPECT_EQ(delay("exponential", 90s, {event(40s, 3min), event(80s, 1min)}), 90s);
  EXPECT_EQ(delay("exponential", 90s, {event(80s, 1h), event(90s, 10min)}), 5s);
  EXPECT_EQ(delay("fibonacci", 0s, {event(5s, 1h)}), 5s);
  EXPECT_EQ(delay("fibonacci", 0s, {event(5s, 1h), event(5s, 1min)}), 10s);
  EXPECT_EQ(delay("fibonacci", 0s, {event(15s, 1h), event(25s, 1min)}), 40s);
  EXPECT_EQ(delay("fibonacci", 50s, {event(25s, 1h), event(40s, 10s)}), 50s);
  EXPECT_EQ(delay("fibonacci", 50s, {event(40s, 1h), event(50s, 10min)}), 5s);
  EXPECT_EQ(delay("fibonacci", 50s, {event(50s, 1h), event(5s, 10s)}), 5s);
}

TEST(Reschedule, G72G73Trackers) {
  std::vector<RescheduleEvent> six;
  for (int i = 0; i < 6; ++i) six.push_back(event(5s * (1 << i), 1h - 5min * i));
  auto t = next_reschedule_tracker(failed({.Delay = 5s, .DelayFunction = "exponential", .Unlimited = true}, six), kNow);
  ASSERT_EQ(t.Events.size(), 6u);
  EXPECT_EQ(t.Events.back().Delay, 320s);
  EXPECT_EQ(t.Events.front().Delay, 10s);
  t = next_reschedule_tracker(
      failed({.Attempts = 5, .Interval = 1h, .Delay = 5s, .DelayFunction = "exponential"}, {event(5s, 2h), event(40s, 10min)}), kNow);
  ASSERT_EQ(t.Events.size(), 2u);
  EXPECT_EQ(t.Events.back().Delay, 80s);
}

TEST(Reschedule, Y25ToY28Disconnects) {
  auto a = failed({}, {});
  a.ClientStatus = "unknown";
  auto job = *a.Job;
  job.TaskGroups[0].StopAfterClientDisconnect = 2s;
  job.TaskGroups[0].MaxClientDisconnect = 5s;
  a.Job = std::make_shared<const Job>(job);
  a.AllocStates = {{kAllocStateClientStatus, "lost", kNow - 1min}};
  EXPECT_EQ(wait_client_stop(a, kNow), kNow - 1min + 7s);
  EXPECT_EQ(disconnect_timeout(a, kNow), kNow + 5s);
  a.AllocStates = {{kAllocStateClientStatus, "unknown", kNow - 5s}};
  EXPECT_TRUE(is_expired(a, kNow));
  EXPECT_FALSE(is_expired(a, kNow - 1s));
  EXPECT_TRUE(needs_to_reconnect(a));
  a.AllocStates.push_back({kAllocStateClientStatus, "running", kNow});
  EXPECT_FALSE(needs_to_reconnect(a));
  a.ClientStatus = "running";
  EXPECT_FALSE(is_expired(a, kNow + 1h));
  a.AllocStates.clear();
  EXPECT_FALSE(needs_to_reconnect(a));
}

TEST(Status, Y29Index) {
  EXPECT_EQ(alloc_index("example.cache[713127]", 7, 5), 713127u);
  EXPECT_EQ(alloc_suffix("example.cache[3]"), "[3]");
  EXPECT_EQ(alloc_suffix("plain"), "");
}

}  // namespace
}  // namespace drover
