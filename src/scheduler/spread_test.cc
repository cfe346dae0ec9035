// Spread: reference scheduler 6.3, scenarios D1 to D11.
#include <gtest/gtest.h>

#include "scheduler/stack_bench.h"

namespace drover::scheduler {
namespace {

using namespace testing;

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

// A job that spreads over all datacenters, by these shares.
Job over_datacenters(List<SpreadTarget> targets = {}) {
  auto j = make_min_job();
  j.Datacenters = {"dc*"};
  j.TaskGroups[0].Spreads = {{.Attribute = "${node.datacenter}", .Weight = 100, .SpreadTarget = std::move(targets)}};
  return j;
}

TEST(Spread, D1TargetWithRemainder) {
  SpreadBench b;
  auto n1 = b.add(make_node("dc1"));
  b.add(make_node("dc2"));
  auto j = over_datacenters({{.Value = "dc1", .Percent = 80}});
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
    auto j = over_datacenters();
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
    auto j = over_datacenters(targets);
    j.TaskGroups[0].Count = count;
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
// What the plan places counts; what it places for others does not.
TEST(Spread, D2PlannedCounts) {
  SpreadBench b;
  auto n1 = b.add(make_node("dc1"));
  b.add(make_node("dc2"));
  auto j = over_datacenters({{.Value = "dc1", .Percent = 80}});
  for (uint64_t i = 0; i < 2; ++i) b.exists(j, n1, i);
  b.start(j);
  for (uint64_t i = 2; i < 7; ++i)
    b.context->plan.place(std::make_shared<const Allocation>(make_alloc(b.job, n1, i)));
  auto other = std::make_shared<const Job>(make_min_job());
  b.context->plan.place(std::make_shared<const Allocation>(make_alloc(other, n1, 0)));
  auto s = b.by("${node.datacenter}");
  EXPECT_DOUBLE_EQ(s["dc1"], 0);
  EXPECT_DOUBLE_EQ(s["dc2"], 0.5);
}

TEST(Spread, D3TwoAttributes) {
  SpreadBench b;
  auto add = [&](const char* dc, const char* rack) {
    auto n = make_node(dc);
    n.Meta["rack"] = rack;
    return b.add(n);
  };
  auto n0 = add("dc1", "r1"), n1 = add("dc2", "r1"), n2 = add("dc1", "r2"), n3 = add("dc1", "r2");
  auto j = make_min_job();
  j.Datacenters = {"dc*"};
  j.TaskGroups[0].Spreads = {
      {.Attribute = "${node.datacenter}", .Weight = 100,
       .SpreadTarget = {{.Value = "dc1", .Percent = 60}, {.Value = "dc2", .Percent = 40}}},
      {.Attribute = "${meta.rack}", .Weight = 50,
       .SpreadTarget = {{.Value = "r1", .Percent = 40}, {.Value = "r2", .Percent = 60}}}};
  b.exists(j, n0, 0);
  b.exists(j, n2, 1);
  b.start(j);
  auto& group = b.stack->state_of(b.job->TaskGroups[0]);
  group.refresh();
  auto score = [&](const Uuid& id) { return group.spread().score(b.fleet.row(id)); };
  EXPECT_NEAR(score(n0), 0.500, 1e-3);
  EXPECT_NEAR(score(n1), 0.667, 1e-3);
  EXPECT_NEAR(score(n2), 0.556, 1e-3);
  EXPECT_NEAR(score(n3), 0.556, 1e-3);
}

// A value whose only use is being stopped is empty, not unknown: the boost stays finite.
TEST(Spread, D8EvenWithClearedValues) {
  SpreadBench b;
  std::vector<Uuid> nodes;
  for (auto* dc : {"dc1", "dc2", "dc3"}) nodes.push_back(b.add(make_node(dc)));
  auto j = over_datacenters();
  b.start(j);
  std::vector<Ref<Allocation>> placed;
  for (uint64_t i = 0; i < 3; ++i) {
    placed.push_back(std::make_shared<const Allocation>(make_alloc(b.job, nodes[i], i)));
    b.state->put(*placed[i]);
  }
  b.start(j);
  for (size_t i = 1; i < 3; ++i) b.context->plan.stop(placed[i], "", "", kNow);
  auto s = b.by("${node.datacenter}");
  EXPECT_DOUBLE_EQ(s["dc2"], 1.0);
  EXPECT_DOUBLE_EQ(s["dc3"], 1.0);
  EXPECT_DOUBLE_EQ(s["dc1"], -1.0);
}

TEST(Spread, D9LargeClusterStaysEven) {
  struct Case {
    size_t racks;
    bool uneven;
    int64_t count;
  };
  for (auto& c : {Case{100, false, 500}, Case{10, false, 50}, Case{50, true, 500}, Case{500, true, 50}}) {
    SCOPED_TRACE(fmt::format("{} racks, {}", c.racks, c.count));
    SeededRandom random(c.racks);
    Harness h;
    h.add_nodes(10'000, [&](Node& n, size_t i) {
      n.Datacenter = i % 2 ? "dc-1" : "dc-2";
      n.Meta = {{"rack", fmt::format("r{}", c.uneven ? random.below(c.racks) : i % c.racks)}};
      n.NodeResources->Cpu.CpuShares = 14'000;
      n.NodeResources->Memory.MemoryMB = 32'000;
    });
    auto j = make_min_job();
    j.Datacenters = {"dc-1", "dc-2"};
    j.Spreads = {{.Attribute = "${meta.rack}"}};
    j.TaskGroups[0].Count = c.count;
    j.TaskGroups[0].Tasks[0].Resources->CPU = 6000;
    j.TaskGroups[0].Tasks[0].Resources->MemoryMB = 6000;
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    ASSERT_EQ(h.placed().size(), static_cast<size_t>(c.count));
    std::map<std::string, int> racks;
    for (auto& [id, n] : h->nodes) racks[n->Meta.at("rack")];
    for (auto& a : h.placed()) ++racks[h->node(a->NodeID)->Meta.at("rack")];
    std::set<int> counts;
    for (auto& [rack, n] : racks) counts.insert(n);
    EXPECT_LE(counts.size(), 3u);
    EXPECT_EQ(*counts.rbegin() - *counts.begin() + 1, static_cast<int>(counts.size()));
  }
}

// The next version has no spread, and the replacement of a failed allocation is made from the version that has.
TEST(Spread, D10VersionsWithAndWithout) {
  Harness h;
  auto nodes = h.add_nodes(5);
  auto j = make_job();
  j.Version = 1;
  j.TaskGroups[0].Count = 5;
  j.Spreads = {{.Attribute = "${node.unique.name}", .Weight = 50}};
  j.Update = UpdateStrategy{.Stagger = 30s};
  j.TaskGroups[0].Update = UpdateStrategy{.MaxParallel = 1, .AutoRevert = true, .Canary = 1};
  auto v1 = h.add_job(j);
  h.add_allocs(v1, nodes, 4, [](Allocation& a, size_t i) {
    a.DeploymentStatus = AllocDeploymentStatus{.Healthy = true, .Canary = i == 0};
    if (i == 1) a.ClientStatus = alloc_client::kFailed;
  });
  j.Spreads.reset();
  auto v2 = h.update_job(j);
  ASSERT_EQ(h.process(make_eval(*v2)), "");
  EXPECT_EQ(h.plans.size(), 1u);
  EXPECT_TRUE(h.rejections.empty());
}

TEST(Spread, D11ImplicitTargets) {
  struct Case {
    std::vector<SpreadTarget> targets;
    std::map<std::string, int> expected;
  };
  const Case cases[] = {{{{"dc1", 50}}, {{"dc1", 6}}},
                        {{{"dc1", 50}, {"*", 50}}, {{"dc1", 6}}},
                        {{{"dc1", 50}, {"dc2", 25}, {"dc3", 25}}, {{"dc1", 6}, {"dc2", 3}, {"dc3", 3}}}};
  for (auto& c : cases) {
    Harness h;
    h.add_nodes(12, [](Node& n, size_t i) { n.Datacenter = fmt::format("dc{}", 1 + i % 3); });
    auto j = make_min_job();
    j.Datacenters = {"dc1", "dc2", "dc3"};
    j.TaskGroups[0].Count = 12;
    j.TaskGroups[0].Spreads = {{.Attribute = "${node.datacenter}", .Weight = 100, .SpreadTarget = c.targets}};
    auto job = h.add_job(j);
    ASSERT_EQ(h.process(make_eval(*job)), "");
    std::map<std::string, int> got;
    for (auto& a : h.placed()) ++got[h->node(a->NodeID)->Datacenter];
    for (auto& [dc, n] : c.expected) EXPECT_EQ(got[dc], n) << dc;
  }
}

}  // namespace
}  // namespace drover::scheduler
