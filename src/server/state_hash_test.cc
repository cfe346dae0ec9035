// Replicas agree: digests of all servers' states, after chaos, after replay of the log, after a snapshot was installed.
#include <set>

#include "model/operator_rpc.h"
#include "server/cluster_testing.h"
#include "server/test_objects.h"
#include "state/state_hash.h"

namespace drover::server {
namespace {

struct StateHashTest : ClusterTest {
  rpc::StateHashesResponse hashes(Node& at) {
    auto r = call<rpc::StateHashesResponse>(at, "Operator.StateHashes", rpc::GenericRequest{});
    EXPECT_TRUE(r) << r.error().message;
    return r ? *r : rpc::StateHashesResponse{};
  }
  void expect_equal(size_t servers) {
    auto h = hashes(*leader());
    EXPECT_EQ(h.Servers.size(), servers);
    EXPECT_TRUE(h.Comparable);
    EXPECT_TRUE(h.Equal);
    for (auto& s : h.Servers) EXPECT_EQ(s.Error, "") << s.Name;
    if (h.Comparable && !h.Equal)
      for (auto& s : h.Servers)
        for (size_t i = 0; i < s.Tables.size(); ++i) EXPECT_EQ(s.Tables[i].Hash, h.Servers[0].Tables[i].Hash) << s.Tables[i].Name;
  }
  void work(int round) {
    (void)call<NodeUpdateResponse>(*leader(), "Node.Register", test_node(sim.random, round));
    rpc::JobRegisterRequest req;
    req.Namespace = "default";
    req.Job = test_job("job-" + std::to_string(round % 3), 1 + round % 4);
    (void)call<JobRegisterResponse>(*leader(), "Job.Register", std::move(req));
    (void)put_namespace(*leader(), "ns-" + std::to_string(round));
  }
};

TEST_F(StateHashTest, ServersAgreeAfterChaosAndAfterTheyCameBack) {
  three();
  for (int round = 0; round < 12; ++round) {
    work(round);
    auto& victim = round % 2 ? *leader() : follower();
    if (round % 3) {
      lan.cut(victim.ip);
      sim.loop.advance(3s);
      lan.heal(victim.ip);
    } else {
      kill(victim);
      sim.loop.advance(2s);
      boot(victim);
    }
    ASSERT_TRUE(until([&] { return leader() != nullptr; }));
    if (!(round % 3)) join(victim, &victim == leader() ? follower() : *leader());
    work(100 + round);
  }
  ASSERT_TRUE(until([&] { return leader() && voters(*leader()) == 3 && all_know(); }));
  expect_equal(3);

  // All of them read their logs again.
  for (auto& [n, node] : nodes) kill(node);
  for (auto& [n, node] : nodes) boot(node);
  join(nodes[2], nodes[1]);
  join(nodes[3], nodes[1]);
  ASSERT_TRUE(until([&] { return leader() && all_know(); }));
  expect_equal(3);
}

TEST_F(StateHashTest, AServerThatStartsFromASnapshotAgrees) {
  three();
  for (int round = 0; round < 20; ++round) work(round);
  // Nothing of the log is kept behind the snapshot: a server that joins must take it.
  for (auto& [n, node] : nodes) {
    node.server->replica().set_snapshot_policy(1, 1s, 0);
    auto taken = run_async(sim.loop, node.server->replica().take_snapshot(), 60s);
    ASSERT_TRUE(taken && *taken) << (*taken).error().message;
  }
  auto& fourth = add(4, 0);
  join(fourth, nodes[1]);
  ASSERT_TRUE(until([&] { return voters(*leader()) == 4; }));
  EXPECT_GT(fourth.server->replica().stats().last_snapshot_index, 1u);
  work(50);
  expect_equal(4);
  kill(fourth);
  boot(fourth);
  join(fourth, nodes[1]);
  ASSERT_TRUE(until([&] { return !fourth.server->leader_address().empty(); }));
  work(51);
  expect_equal(4);
}

TEST_F(StateHashTest, HashesAreOfOneIndexWhileMuchIsWritten) {
  three();
  Running writing([](ClusterTest::Node& at) -> Async<void> {
    for (int i = 0;; ++i) {
      rpc::NamespaceUpsertRequest req;
      req.Region = "global";
      req.Namespaces.emplace_back().Name = "n" + std::to_string(i % 50);
      req.Namespaces[0].Description = std::to_string(i);
      (void)co_await at.server->call<GenericResponse>("Namespace.UpsertNamespaces", req);
    }
  }(*leader()));
  sim.loop.advance(1s);
  for (int i = 0; i < 3; ++i) expect_equal(3);
}

TEST_F(StateHashTest, ADriftIsFoundAndItsTableNamed) {
  three();
  expect_equal(3);
  auto& bad = follower();
  auto snap = bad.server->snapshot();
  auto txn = bad.server->store().begin(snap.index(), sim.clock.now());
  txn.namespaces().upsert(Namespace{.Name = "drift"});
  bad.server->store().publish(std::move(txn));
  auto h = hashes(*leader());
  EXPECT_TRUE(h.Comparable);
  EXPECT_FALSE(h.Equal);
  std::set<std::string> differ;
  for (auto& s : h.Servers)
    for (size_t i = 0; i < s.Tables.size(); ++i)
      if (s.Tables[i].Hash != h.Servers[0].Tables[i].Hash) differ.insert(s.Tables[i].Name);
  EXPECT_EQ(differ, std::set<std::string>{"namespaces"});
}

TEST_F(StateHashTest, AServerThatIsNotThereLeavesNothingToCompare) {
  three();
  auto& gone = follower();
  kill(gone);
  auto h = hashes(*leader());
  EXPECT_FALSE(h.Comparable);
  EXPECT_FALSE(h.Equal);
  size_t errors = 0;
  for (auto& s : h.Servers) errors += !s.Error.empty();
  EXPECT_EQ(errors, 1u);
}

}  // namespace
}  // namespace drover::server
