// A drain on a whole server.
#include "server/drainer.h"

#include "server/server_testing.h"

namespace drover::server {
namespace {

class Drain : public ServerTest {
 protected:
  void drain(const Uuid& node, Duration deadline) {
    rpc::NodeUpdateDrainRequest req;
    req.NodeID = node.str();
    req.DrainStrategy = DrainStrategy{.Deadline = deadline};
    auto r = call<NodeDrainUpdateResponse>("Node.UpdateDrain", std::move(req));
    ASSERT_TRUE(r) << r.error().message;
  }
  std::vector<Ref<Allocation>> on(const Uuid& node, std::string_view desired) {
    std::vector<Ref<Allocation>> out;
    for (auto& a : server->snapshot().allocs().by_node(node))
      if (a->DesiredStatus == desired) out.push_back(a);
    return out;
  }
  bool draining(const Uuid& node) { return static_cast<bool>(server->snapshot().nodes().get(node)->DrainStrategy); }
  const NodeEvent& last_event(const Uuid& node) {
    held_ = server->snapshot().nodes().get(node);
    return held_->Events.back();
  }
  Job service(int64_t count) {
    auto j = job("web", count);
    auto& migrate = j.TaskGroups[0].Migrate.ensure();
    migrate.MaxParallel = 1;
    migrate.HealthCheck = "task_states";
    migrate.MinHealthyTime = 10s;
    migrate.HealthyDeadline = 5min;
    return j;
  }
  Ref<Node> held_;
};

TEST_F(Drain, MovesAServiceOneByOneAndEnds) {
  auto first = add_node(1);
  ASSERT_TRUE(settled(run(service(2)).EvalID));
  for (auto& a : on(first, "run")) report(a->ID, "running", true);
  auto second = add_node(2);
  drain(first, 1h);
  ASSERT_TRUE(sim.loop.run_until([&] { return on(first, "stop").size() == 1; }, 30s));
  live(20s);
  EXPECT_EQ(on(first, "stop").size(), 1u);  // its successor is not healthy yet
  ASSERT_EQ(on(second, "run").size(), 1u);
  report(on(second, "run")[0]->ID, "running", true);
  ASSERT_TRUE(sim.loop.run_until([&] { return on(first, "stop").size() == 2; }, 30s));
  for (auto& a : on(first, "stop")) report(a->ID, "complete");
  ASSERT_TRUE(sim.loop.run_until([&] { return !draining(first); }, 30s));
  EXPECT_EQ(last_event(first).Message, "Node drain complete");
  EXPECT_TRUE(last_event(first).Details.empty());
  EXPECT_EQ(server->snapshot().nodes().get(first)->SchedulingEligibility, "ineligible");
  EXPECT_EQ(server->snapshot().nodes().get(first)->LastDrain->Status, "complete");
}

TEST_F(Drain, TheDeadlineEndsIt) {
  auto node = add_node(1);
  auto batch = job("count", 1, "batch");
  ASSERT_TRUE(settled(run(batch).EvalID));
  report(on(node, "run")[0]->ID, "running");
  drain(node, 30s);
  live(25s);
  EXPECT_TRUE(draining(node));
  EXPECT_EQ(on(node, "run").size(), 1u);
  ASSERT_TRUE(sim.loop.run_until([&] { return !draining(node); }, 30s));
  ASSERT_TRUE(sim.loop.run_until([&] { return on(node, "run").empty(); }, 30s));
  EXPECT_EQ(last_event(node).Details.get_or("deadline_reached"), "true");
}

TEST_F(Drain, ANodeWithoutWorkIsDoneAtOnce) {
  auto node = add_node(1);
  drain(node, 0s);
  ASSERT_TRUE(sim.loop.run_until([&] { return !draining(node); }, 30s));
  EXPECT_EQ(last_event(node).Message, "Node drain complete");
  auto events = server->snapshot().nodes().get(node)->Events;
  for (auto& e : events) EXPECT_FALSE(e.Timestamp.unset()) << e.Message;
  // Nothing is disabled where nothing is under way.
  rpc::NodeUpdateDrainRequest off;
  off.NodeID = node.str();
  off.MarkEligible = true;
  ASSERT_TRUE(call<NodeDrainUpdateResponse>("Node.UpdateDrain", std::move(off)));
  auto after = server->snapshot().nodes().get(node);
  EXPECT_EQ(after->Events.size(), events.size());
  EXPECT_EQ(after->SchedulingEligibility, "eligible");
}

TEST_F(Drain, OneThatAnEarlierLeaderBeganIsTakenUp) {
  auto node = add_node(1);
  ASSERT_TRUE(settled(run(service(1)).EvalID));
  drain(node, 1h);
  live(5s);
  ASSERT_TRUE(draining(node));  // the allocation is not healthy, and nothing tells of it from here on
  Drainer successor(*server);
  report(on(node, "run")[0]->ID, "running", true);
  successor.restore();
  ASSERT_TRUE(sim.loop.run_until([&] { return on(node, "run").empty(); }, 30s));
}

}  // namespace
}  // namespace drover::server
