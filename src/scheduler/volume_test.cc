// CSI volumes over whole evaluations: reference scheduler G27 to G30 and S26.
#include <gtest/gtest.h>

#include "scheduler/testing.h"

namespace drover::scheduler {
namespace {

using namespace testing;

CSIVolume make_volume(std::string id, std::string plugin, std::string_view mode = "single-node-writer") {
  CSIVolume v;
  v.ID = std::move(id);
  v.Namespace = "default";
  v.PluginID = std::move(plugin);
  v.AccessMode = mode;
  v.AttachmentMode = "file-system";
  v.Schedulable = true;
  return v;
}

void add_volume(Harness& h, CSIVolume v) {
  MemState::Key key(v.Namespace, v.ID);
  h->volumes[key] = std::make_shared<const CSIVolume>(std::move(v));
}

void add_plugin(Node& n, const std::string& id, int64_t max_volumes, const std::string& zone = "") {
  auto& plugin = n.CSINodePlugins[id];
  plugin.PluginID = id;
  plugin.Healthy = true;
  plugin.NodeInfo.ensure().MaxVolumes = max_volumes;
  if (!zone.empty()) plugin.NodeInfo->AccessibleTopology.ensure().Segments["zone"] = zone;
}

TEST(Volumes, G27ToG29PerAllocVolumesOneByOne) {
  Harness h;
  h.add_nodes(5, [](Node& n, size_t) { add_plugin(n, "p", 2); });
  for (int i = 0; i < 3; ++i) add_volume(h, make_volume(fmt::format("unique[{}]", i), "p"));
  add_volume(h, make_volume("shared", "p", "multi-node-reader-only"));
  auto j = make_job();
  auto& g = j.TaskGroups[0];
  g.Count = 3;
  g.Volumes["shared"] = {.Name = "shared", .Type = "csi", .Source = "shared", .ReadOnly = true};
  g.Volumes["unique"] = {.Name = "unique", .Type = "csi", .Source = "unique", .PerAlloc = true};
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.placed().size(), 3u);
  EXPECT_TRUE(h.created.empty());
  std::set<Uuid> nodes;
  for (auto& a : h.placed()) nodes.insert(a->NodeID);
  EXPECT_EQ(nodes.size(), 3u);

  // Two more, whose volumes are not there.
  j.TaskGroups[0].Count = 5;
  job = h.add_job(j);
  h.plans.clear();
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_TRUE(h.plans.empty());
  auto& blocked = h.updates.back();
  EXPECT_EQ(blocked.QueuedAllocations.at("web"), 2);
  EXPECT_TRUE(blocked.BlockedEval);
  EXPECT_EQ(blocked.FailedTGAllocs.at("web").ConstraintFiltered.at("missing CSI Volume unique[3]"), 5);
  EXPECT_EQ(blocked.FailedTGAllocs.at("web").CoalescedFailures, 1);

  h.created.clear();
  for (int i = 3; i < 5; ++i) add_volume(h, make_volume(fmt::format("unique[{}]", i), "p"));
  ASSERT_EQ(h.process(make_eval(*job)), "");
  EXPECT_EQ(h.fresh().size(), 2u);
  EXPECT_TRUE(h.created.empty());
  EXPECT_TRUE(h.updates.back().FailedTGAllocs.empty());
  EXPECT_FALSE(h.updates.back().BlockedEval);
}

TEST(Volumes, G30EachVolumeInItsZone) {
  Harness h;
  auto zone = [](size_t i) { return fmt::format("zone-{}", i % 4); };
  h.add_nodes(12, [&](Node& n, size_t i) {
    n.Datacenter = zone(i);
    add_plugin(n, "p-" + zone(i), 3, zone(i));
  });
  for (size_t i = 0; i < 2; ++i) {
    auto v = make_volume(fmt::format("vol[{}]", i), "p-" + zone(i));
    v.Topologies.push_back({});
    v.Topologies[0].Segments["zone"] = zone(i);
    add_volume(h, v);
  }
  auto j = make_job();
  j.Datacenters = {"zone-*"};
  j.TaskGroups[0].Count = 2;
  j.TaskGroups[0].Volumes["v"] = {.Name = "v", .Type = "csi", .Source = "vol", .PerAlloc = true};
  auto job = h.add_job(j);
  ASSERT_EQ(h.process(make_eval(*job)), "");
  ASSERT_EQ(h.placed().size(), 2u);
  EXPECT_TRUE(h.created.empty());
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(h->node(h.placed()[i]->NodeID)->Datacenter, zone(i));
}

// A volume of another namespace is none.
TEST(Volumes, S26SystemJobFollowsTheVolumeOfItsNamespace) {
  for (bool own : {true, false}) {
    Harness h;
    auto zone = [](size_t i) { return fmt::format("zone-{}", i % 4); };
    h.add_nodes(12, [&](Node& n, size_t i) {
      n.Datacenter = zone(i);
      add_plugin(n, "p-" + zone(i), 3, zone(i));
    });
    auto v = make_volume("vol", "p-zone-0", "multi-node-multi-writer");
    v.Namespace = own ? "apart" : "default";
    v.Topologies.push_back({});
    v.Topologies[0].Segments["zone"] = "zone-0";
    add_volume(h, v);
    auto j = make_system_job();
    j.Namespace = "apart";
    j.Datacenters = {"zone-*"};
    j.TaskGroups[0].Volumes["v"] = {.Name = "v", .Type = "csi", .Source = "vol"};
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    EXPECT_EQ(h.placed().size(), own ? 3u : 0u);
    for (auto& a : h.placed()) EXPECT_EQ(h->node(a->NodeID)->Datacenter, "zone-0");
    EXPECT_TRUE(h.created.empty());
    EXPECT_EQ(h.updates[0].Status, "complete");
    EXPECT_EQ(h.updates[0].QueuedAllocations.at("web"), 0);
    EXPECT_EQ(h.updates[0].FailedTGAllocs.contains("web"), !own);
  }
}

}  // namespace
}  // namespace drover::scheduler
