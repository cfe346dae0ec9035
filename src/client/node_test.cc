// What the client makes of its machine: fingerprints, identity, metadata, statistics, drivers.
#include <gtest/gtest.h>

#include "client/client_testing.h"
#include "client/driver_manager.h"
#include "client/fingerprint.h"
#include "client/node_identity.h"
#include "client/stats.h"

namespace drover::client {
namespace {

class FingerprintTest : public testing::Test {
 protected:
  Node node() {
    FingerprintInput in{host_, config_};
    auto made = configured_node(in);
    EXPECT_TRUE(made) << made.error().message;
    auto status = fingerprint_node(in, *made);
    EXPECT_TRUE(status) << status.error().message;
    return *made;
  }
  std::string error() {
    FingerprintInput in{host_, config_};
    auto made = configured_node(in);
    if (!made) return made.error().message;
    auto status = fingerprint_node(in, *made);
    return status ? "" : status.error().message;
  }
  FakeHost host_;
  Config config_;
};

TEST_F(FingerprintTest, Attributes) {
  auto n = node();
  const std::pair<const char*, const char*> want[] = {
      {"cpu.arch", "amd64"},
      {"cpu.modelname", "Test CPU"},
      {"cpu.frequency", "2000"},
      {"cpu.numcores", "2"},
      {"cpu.totalcompute", "4000"},
      {"cpu.reservablecores", "2"},
      {"memory.totalbytes", "4294967296"},
      {"os.name", "debian"},
      {"os.version", "12.5"},
      {"kernel.name", "linux"},
      {"kernel.version", "6.1.0-test"},
      {"kernel.landlock", "v2"},
      {"unique.hostname", "node-1"},
      {"unique.network.ip-address", "10.0.0.7"},
      {"unique.storage.volume", "/dev/sda1"},
      {"unique.storage.bytestotal", "107374182400"},
      {"unique.cgroup.version", "v2"},
      {"unique.cgroup.mountpoint", "/sys/fs/cgroup"},
      {"nomad.version", "1.5.7-dev"},
      {"nomad.service_discovery", "true"},
  };
  for (auto& [key, value] : want) EXPECT_EQ(n.Attributes.get_or(key), value) << key;
  EXPECT_EQ(n.Name, "node-1");
  EXPECT_EQ(n.CgroupParent, "nomad.slice");
  EXPECT_EQ(n.NodeResources->Cpu.CpuShares, 4000);
  EXPECT_EQ(n.NodeResources->Memory.MemoryMB, 4096);
  EXPECT_EQ(n.NodeResources->Disk.DiskMB, 80 << 10);
  EXPECT_EQ(n.NodeResources->MinDynamicPort, 20000);
  EXPECT_EQ(n.Meta.get_or("connect.log_level"), "info");
}

TEST_F(FingerprintTest, NetworksOfTheNodeAndOfNamedHostNetworks) {
  config_.host_networks = {{"private", "10.0.0.0/8", "", "22"}, {"other", "192.168.0.0/16", "", ""}};
  config_.reserved.ports = "80";
  auto n = node();
  ASSERT_EQ(n.NodeResources->Networks.size(), 1u);
  EXPECT_EQ(n.NodeResources->Networks[0].IP, "10.0.0.7");
  EXPECT_EQ(n.NodeResources->Networks[0].CIDR, "10.0.0.7/32");
  EXPECT_EQ(n.NodeResources->Networks[0].MBits, 1000);
  ASSERT_EQ(n.NodeResources->NodeNetworks.size(), 1u);
  auto& addresses = n.NodeResources->NodeNetworks[0].Addresses;
  ASSERT_EQ(addresses.size(), 1u);
  EXPECT_EQ(addresses[0].Alias, "private");
  EXPECT_EQ(addresses[0].ReservedPorts, "22");
}

TEST_F(FingerprintTest, DefaultAliasIsOnTheDefaultInterface) {
  auto n = node();
  ASSERT_EQ(n.NodeResources->NodeNetworks.size(), 1u);
  EXPECT_EQ(n.NodeResources->NodeNetworks[0].Device, "eth0");
  EXPECT_EQ(n.NodeResources->NodeNetworks[0].MacAddress, "aa:bb:cc:dd:ee:ff");
  EXPECT_EQ(n.NodeResources->NodeNetworks[0].Addresses[0].Alias, "default");
}

TEST_F(FingerprintTest, BridgeAndCniModesFollowTheHostsNetworks) {
  host_.files["/proc/modules"] = "bridge 123 0 - Live\n";
  host_.files["/opt/cni/config/10-my.conflist"] = "{\"name\": \"mynet\", \"plugins\": []}";
  auto n = node();
  std::vector<std::string> modes;
  for (auto& network : n.NodeResources->Networks) modes.push_back(network.Mode);
  EXPECT_EQ(modes, (std::vector<std::string>{"host", "bridge", "cni/mynet"}));
  EXPECT_EQ(n.Attributes.get_or("nomad.bridge.hairpin_mode"), "false");
}

TEST_F(FingerprintTest, OverridesAndReservations) {
  config_.cpu_total_compute = 1234;
  config_.memory_total_mb = 100;
  config_.disk_free_mb = 5;
  config_.disk_total_mb = 10;
  config_.reserved.cores = "1";
  config_.reserved.cpu_mhz = 100;
  auto n = node();
  EXPECT_EQ(n.NodeResources->Cpu.CpuShares, 1234);
  EXPECT_EQ(n.NodeResources->Memory.MemoryMB, 100);
  EXPECT_EQ(n.NodeResources->Disk.DiskMB, 5);
  EXPECT_EQ(n.NodeResources->Cpu.ReservableCpuCores, (List<uint16_t>{0}));
  EXPECT_EQ(n.ReservedResources->Cpu.CpuShares, 100);
  EXPECT_EQ(n.ReservedResources->Cpu.ReservedCpuCores, (List<uint16_t>{1}));
}

TEST_F(FingerprintTest, Errors) {
  config_.network_interface = "nope0";
  EXPECT_EQ(error(), "fingerprinting network: Error while detecting network interface nope0 during fingerprinting: route "
                     "ip+net: no such network interface");
  config_.network_interface = "";
  host_.files.erase("/proc/net/route");
  EXPECT_NE(error().find("no network_interface given and failed to determine interface attached to default route"),
            std::string::npos);
  config_.network_interface = "lo";
  config_.disk_free_mb = 200 << 10;
  EXPECT_NE(error().find("use disk_total_mb and disk_free_mb to correct"), std::string::npos);
  config_.disk_free_mb = 0;
  config_.host_volumes = {{"data", "/nonexistent/x", false}};
  EXPECT_EQ(error(), "failed to validate volume data, err: stat /nonexistent/x: no such file or directory");
}

TEST_F(FingerprintTest, AllowAndDenyLists) {
  config_.options.set("fingerprint.denylist", "memory, storage");
  auto n = node();
  EXPECT_FALSE(n.Attributes.contains("memory.totalbytes"));
  EXPECT_TRUE(n.Attributes.contains("cpu.arch"));
  config_.options.set("fingerprint.allowlist", "memory,cpu");
  n = node();
  EXPECT_FALSE(n.Attributes.contains("memory.totalbytes"));
  EXPECT_TRUE(n.Attributes.contains("cpu.numcores"));
  EXPECT_FALSE(n.Attributes.contains("cpu.arch"));
}

TEST(IdentityTest, IsKeptExceptInDevMode) {
  TempDir dir;
  FakeHost host;
  SimRandom random(1);
  Config config;
  config.state_dir = dir.path();
  auto first = load_identity(config, host, random);
  ASSERT_TRUE(first);
  auto again = load_identity(config, host, random);
  EXPECT_EQ(first->id, again->id);
  EXPECT_EQ(first->secret, again->secret);
  EXPECT_EQ(slurp_file(dir / "client-id"), first->id.str());
  config.dev_mode = true;
  EXPECT_NE(load_identity(config, host, random)->id, first->id);
  spill_file(dir / "client-id", "not a uuid");
  config.dev_mode = false;
  EXPECT_FALSE(load_identity(config, host, random));
}

TEST(IdentityTest, HostUuidGivesTheSameIdEverywhere) {
  FakeHost host;
  host.files["/sys/class/dmi/id/product_uuid"] = "4C4C4544-0051-3510-8057-B4C04F4A4B31\n";
  SimRandom random(1);
  Config config;
  config.no_host_uuid = false;
  TempDir a, b;
  config.state_dir = a.path();
  auto one = load_identity(config, host, random);
  config.state_dir = b.path();
  EXPECT_EQ(one->id, load_identity(config, host, random)->id);
}

TEST(DriverFingerprintTest, AttributesHealthAndEvents) {
  Node node;
  std::optional<NodeEvent> event;
  Time now = Time::from_unix_seconds(5);
  drivers::Fingerprint f{{{"driver.x.version", "2"}}, drivers::Health::kHealthy, "Healthy"};
  EXPECT_TRUE(apply_driver_fingerprint(node, "x", f, now, event));
  EXPECT_FALSE(event);
  EXPECT_EQ(node.Attributes.get_or("driver.x"), "1");
  EXPECT_EQ(node.Attributes.get_or("driver.x.version"), "2");
  EXPECT_FALSE(apply_driver_fingerprint(node, "x", f, now, event));
  f.health = drivers::Health::kUndetected;
  f.description = "gone";
  EXPECT_TRUE(apply_driver_fingerprint(node, "x", f, now, event));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->Message, "gone");
  EXPECT_EQ(event->Details.get_or("driver"), "x");
  EXPECT_FALSE(node.Attributes.contains("driver.x"));
  EXPECT_FALSE(node.Attributes.contains("driver.x.version"));
}

TEST(HostStatsTest, PercentagesAreSinceTheLastSample) {
  FakeHost host;
  Monotonic t{std::chrono::seconds(100)};
  HostStatsSampler sampler(host, "/", 4000, t);
  host.files["/proc/stat"] = "cpu  0\ncpu0 60 0 10 130 0 0 0 0\ncpu1 10 0 10 180 0 0 0 0\n";
  auto stats = sampler.sample(Time::from_unix_seconds(9), t + std::chrono::seconds(2));
  ASSERT_TRUE(stats);
  ASSERT_EQ(stats->CPU.size(), 2u);
  EXPECT_DOUBLE_EQ(stats->CPU[0].User, 50);
  EXPECT_DOUBLE_EQ(stats->CPU[0].Total, 50);
  EXPECT_DOUBLE_EQ(stats->CPU[1].Idle, 100);
  EXPECT_DOUBLE_EQ(stats->CPUTicksConsumed, 1000);
  EXPECT_EQ(stats->Memory->Total, 4ull << 30);
  EXPECT_EQ(stats->Uptime, 1234u);
  ASSERT_EQ(stats->DiskStats.size(), 2u);
  EXPECT_EQ(stats->DiskStats[1].Mountpoint, "/data dir");
  EXPECT_EQ(stats->AllocDirStats->Device, "/dev/sda1");
}

TEST(CpusetTest, ParsesAndRefuses) {
  EXPECT_EQ(*parse_cpuset("0-2,5\n"), (std::vector<uint16_t>{0, 1, 2, 5}));
  EXPECT_TRUE(parse_cpuset("")->empty());
  EXPECT_FALSE(parse_cpuset("2-1"));
  EXPECT_FALSE(parse_cpuset("x"));
}

TEST(LinuxHostTest, SeesThisMachine) {
  auto host = make_linux_host();
  EXPECT_EQ(host->kernel().system, "linux");
  EXPECT_FALSE(mounts(*host).empty());
  EXPECT_TRUE(mount_of(*host, "/proc/self"));
  EXPECT_GT(host->usage("/")->total, 0u);
  auto links = host->interfaces();
  EXPECT_TRUE(std::any_of(links.begin(), links.end(), [](auto& i) { return i.loopback; }));
}

}  // namespace
}  // namespace drover::client
