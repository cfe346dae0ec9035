// Several servers on virtual time over a network in memory: gossip, bootstrap, replication, forwarding, membership.
#include "server/cluster.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/sim_loop.h"
#include "gossip/serf.h"
#include "model/api_requests.h"
#include "model/client_rpc.h"
#include "model/feature_requests.h"
#include "model/rpc.h"
#include "net/memory_network.h"
#include "raft/mem_disk.h"
#include "raft/replica.h"
#include "server/keyring.h"
#include "server/leader.h"
#include "server/server.h"

namespace drover::server {
namespace {

struct ClusterTest : ::testing::Test {
  struct Node {
    std::string ip;
    Config config;
    raft::MemDisk disk;
    std::unique_ptr<Server> server;
  };

  Node& add(int n, int expect, const std::string& region = "global") {
    auto& node = nodes[n];
    node.ip = "10.0.0." + std::to_string(n);
    auto& c = node.config;
    c.region = region;
    c.node_name = "s" + std::to_string(n);
    c.node_id = Uuid::generate(sim.random).str();
    c.dev_mode = true;  // gossip keeps no file
    c.bootstrap_expect = expect;
    c.rpc_advertise = node.ip + ":4647";
    c.serf_address = node.ip;
    c.num_schedulers = 1;
    c.default_scheduler_config.SchedulerAlgorithm = "binpack";
    c.autopilot.CleanupDeadServers = true;
    c.autopilot.LastContactThreshold = 200ms;
    c.autopilot.MaxTrailingLogs = 250;
    c.autopilot.ServerStabilizationTime = 10s;
    boot(node);
    return node;
  }
  void boot(Node& node) {
    auto& host = lan.host(node.ip);
    Parts parts{.world = sim.world, .disk = &node.disk, .log_thread = &sim.pool, .network = &host,
                .rpc_listener = std::move(*host.listen(net::Address::tcp(node.ip, 4647))),
                .fatal = [](const Error& e) { ADD_FAILURE() << e.message; }};
    auto made = Server::create(node.config, std::move(parts));
    ASSERT_TRUE(made) << made.error().message;
    node.server = std::move(*made);
    node.server->start();
  }
  void kill(Node& node) {
    node.server.reset();
    lan.kill(node.ip);
    node.disk.crash(sim.random);
  }
  void join(Node& from, Node& to) {
    auto joined = run_async(sim.loop, from.server->serf()->join({to.ip}), 30s);
    ASSERT_TRUE(joined && joined->count == 1) << (joined->errors.empty() ? "" : joined->errors[0]);
  }
  Node* leader() {
    for (auto& [n, node] : nodes)
      if (node.server && node.server->leader() && node.server->leader()->ready()) return &node;
    return nullptr;
  }
  bool until(std::function<bool()> done, Duration limit = 60s) { return sim.loop.run_until(done, limit); }
  // Three servers that found each other.
  void three() {
    for (int n : {1, 2, 3}) add(n, 3);
    join(nodes[2], nodes[1]);
    join(nodes[3], nodes[1]);
    ASSERT_TRUE(until([&] { return leader() && voters(*leader()) == 3; }));
    ASSERT_TRUE(until([&] { return all_know(); }));
  }
  bool all_know() {
    for (auto& [n, node] : nodes)
      if (node.server && node.server->leader_address().empty()) return false;
    return true;
  }
  static int voters(Node& node) {
    int n = 0;
    for (auto& s : node.server->replica().configuration()) n += s.suffrage == raft::Suffrage::kVoter;
    return n;
  }
  Node& follower() {
    for (auto& [n, node] : nodes)
      if (node.server && &node != leader()) return node;
    DROVER_ASSERT(false, "a cluster of three has followers");
  }
  template <class Response, class Request>
  Result<Response> call(Node& at, std::string_view method, Request request, Duration limit = 60s) {
    request.Region = at.config.region;
    auto r = run_async(sim.loop, at.server->call<Response>(method, std::move(request)), limit);
    return r ? std::move(*r) : Error(ErrorCode::kTimeout, "the call did not end");
  }
  Result<GenericResponse> put_namespace(Node& at, const std::string& name) {
    rpc::NamespaceUpsertRequest req;
    req.Namespaces.emplace_back().Name = name;
    return call<GenericResponse>(at, "Namespace.UpsertNamespaces", req);
  }
  static bool has_namespace(Node& at, const std::string& name) { return at.server->snapshot().namespaces().get(name) != nullptr; }

  SimWorld sim{11};
  net::MemoryNetwork lan{sim.loop, 1ms};
  std::map<int, Node> nodes;
};

TEST_F(ClusterTest, ExpectedServersFindEachOtherAndElectOne) {
  three();
  std::set<std::string> addresses;
  for (auto& [n, node] : nodes) addresses.insert(node.server->leader_address());
  EXPECT_EQ(addresses.size(), 1u);
  auto peers = call<List<std::string>>(follower(), "Status.Peers", rpc::GenericRequest{});
  ASSERT_TRUE(peers) << peers.error().message;
  EXPECT_EQ(peers->size(), 3u);
}

TEST_F(ClusterTest, TooFewServersWait) {
  add(1, 3);
  add(2, 3);
  join(nodes[2], nodes[1]);
  sim.loop.advance(30s);
  EXPECT_EQ(leader(), nullptr);
  auto r = put_namespace(nodes[1], "a");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "No cluster leader");
}

TEST_F(ClusterTest, FollowersForwardWritesAndReads) {
  three();
  auto& f = follower();
  auto written = put_namespace(f, "team");
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_TRUE(has_namespace(*leader(), "team"));
  rpc::NamespaceSpecificRequest ask;
  ask.Name = "team";
  auto read = call<rpc::SingleNamespaceResponse>(f, "Namespace.GetNamespace", ask);
  ASSERT_TRUE(read && read->Namespace);
  EXPECT_TRUE(read->KnownLeader);
  EXPECT_EQ(read->LastContact, Duration::zero()) << "the leader answered";
  ASSERT_TRUE(until([&] { return has_namespace(f, "team"); }));
  ask.AllowStale = true;
  auto stale = call<rpc::SingleNamespaceResponse>(f, "Namespace.GetNamespace", ask);
  ASSERT_TRUE(stale && stale->Namespace);
  EXPECT_GT(stale->LastContact, Duration::zero()) << "the follower itself answered";
  rpc::NamespaceUpsertRequest bad;
  bad.Namespaces.emplace_back().Name = "no spaces";
  auto refused = call<GenericResponse>(f, "Namespace.UpsertNamespaces", bad);
  auto at_leader = call<GenericResponse>(*leader(), "Namespace.UpsertNamespaces", bad);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, at_leader.error().message);
  EXPECT_EQ(refused.error().code, at_leader.error().code);
}

TEST_F(ClusterTest, ABlockingQueryOfAFollowerWakes) {
  three();
  auto& f = follower();
  rpc::NamespaceListRequest ask;
  auto first = call<rpc::NamespaceListResponse>(f, "Namespace.ListNamespaces", ask);
  ASSERT_TRUE(first);
  ask.MinQueryIndex = first->Index;
  ask.Region = "global";
  std::optional<Result<rpc::NamespaceListResponse>> answer;
  Running waiting([](Server& s, rpc::NamespaceListRequest r, auto& out) -> Async<void> {
    out = co_await s.call<rpc::NamespaceListResponse>("Namespace.ListNamespaces", r);
  }(*f.server, ask, answer));
  sim.loop.advance(2s);
  EXPECT_FALSE(answer);
  ASSERT_TRUE(put_namespace(*leader(), "late"));
  ASSERT_TRUE(until([&] { return answer.has_value(); }, 2s));
  EXPECT_EQ((*answer)->Namespaces.size(), first->Namespaces.size() + 1);
}

TEST_F(ClusterTest, ANewLeaderFollowsADeadOneAndNothingAcknowledgedIsLost) {
  three();
  std::vector<std::string> acknowledged;
  int next = 0;
  auto& writer = follower();
  Running writing([](ClusterTest& t, Node& at, int& next, std::vector<std::string>& acknowledged) -> Async<void> {
    for (;;) {
      rpc::NamespaceUpsertRequest req;
      req.Region = "global";
      auto name = "n" + std::to_string(next++);
      req.Namespaces.emplace_back().Name = name;
      if (co_await at.server->call<GenericResponse>("Namespace.UpsertNamespaces", req)) acknowledged.push_back(name);
    }
  }(*this, writer, next, acknowledged));
  ASSERT_TRUE(until([&] { return acknowledged.size() > 50; }));
  auto* old = leader();
  kill(*old);
  auto died = sim.clock.monotonic();
  ASSERT_TRUE(until([&] { return leader() != nullptr; }));
  EXPECT_LT(sim.clock.monotonic() - died, 1s);
  auto before = acknowledged.size();
  ASSERT_TRUE(until([&] { return acknowledged.size() > before + 50; }));
  writing.reset();
  for (auto& name : acknowledged) EXPECT_TRUE(has_namespace(*leader(), name)) << name;
  // The dead one comes back with what its disk kept, and catches up.
  boot(*old);
  join(*old, *leader());
  ASSERT_TRUE(until([&] { return has_namespace(*old, acknowledged.back()); }));
  for (auto& name : acknowledged) EXPECT_TRUE(has_namespace(*old, name)) << name;
}

TEST_F(ClusterTest, AServerThatJoinsIsPromotedWhenItHasProvedItself) {
  three();
  auto& fourth = add(4, 0);
  join(fourth, nodes[1]);
  ASSERT_TRUE(until([&] { return leader()->server->replica().configuration().size() == 4; }, 10s));
  EXPECT_EQ(voters(*leader()), 3) << "without a vote at first";
  ASSERT_TRUE(until([&] { return voters(*leader()) == 4; }));
  auto health = call<api::OperatorHealthReply>(fourth, "Operator.ServerHealth", rpc::GenericRequest{});
  ASSERT_TRUE(health) << health.error().message;
  EXPECT_TRUE(health->Healthy);
  EXPECT_EQ(health->FailureTolerance, 1);
  EXPECT_EQ(health->Servers.size(), 4u);
}

TEST_F(ClusterTest, DeadServersAreTakenOut) {
  three();
  auto& fourth = add(4, 0);
  join(fourth, nodes[1]);
  ASSERT_TRUE(until([&] { return voters(*leader()) == 4; }));
  kill(fourth);
  ASSERT_TRUE(until([&] { return leader()->server->replica().configuration().size() == 3; }, 10min));
}

TEST_F(ClusterTest, ALeaderLeavesWithoutLosingTheCluster) {
  three();
  auto* old = leader();
  ASSERT_TRUE(put_namespace(*old, "kept"));
  ASSERT_TRUE(run_async(sim.loop, old->server->leave(), 60s));
  ASSERT_TRUE(until([&] { return leader() && leader() != old && leader()->server->replica().configuration().size() == 2; }));
  kill(*old);
  EXPECT_TRUE(has_namespace(*leader(), "kept"));
  auto written = put_namespace(*leader(), "after");
  EXPECT_TRUE(written) << written.error().message;
}

TEST_F(ClusterTest, APeerIsRemovedByHand) {
  three();
  auto& gone = follower();
  rpc::RaftRemovePeerRequest req;
  req.ID = gone.config.node_id;
  auto removed = call<GenericResponse>(*leader(), "Operator.RaftRemovePeer", req);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(leader()->server->replica().configuration().size(), 2u);
  req.ID = "nobody";
  EXPECT_EQ(call<GenericResponse>(*leader(), "Operator.RaftRemovePeer", req).error().message,
            "id \"nobody\" was not found in the Raft configuration");
}

TEST_F(ClusterTest, EveryServerGetsTheRootKeys) {
  three();
  auto has_all = [&] {
    for (auto& [n, node] : nodes) {
      auto keys = node.server->snapshot().root_keys().all();
      if (!keys.any()) return false;
      for (auto& key : node.server->snapshot().root_keys().all())
        if (!node.server->keyring().has(key->KeyID)) return false;
    }
    return true;
  };
  ASSERT_TRUE(until(has_all));
  rpc::KeyringRotateRootKeyRequest rotate;
  ASSERT_TRUE(call<KeyringRotateRootKeyResponse>(follower(), "Keyring.Rotate", rotate));
  EXPECT_TRUE(until(has_all, 5s));
}

TEST_F(ClusterTest, RegionsAreReachedThroughAnyOfTheirServers) {
  three();
  auto& far = add(7, 1, "far");
  join(far, nodes[1]);
  ASSERT_TRUE(until([&] { return far.server->leader() && far.server->leader()->ready(); }));
  ASSERT_TRUE(put_namespace(far, "there"));
  rpc::NamespaceSpecificRequest ask;
  ask.Name = "there";
  ask.Region = "far";
  auto& f = follower();
  auto r = run_async(sim.loop, f.server->call<rpc::SingleNamespaceResponse>("Namespace.GetNamespace", ask), 30s);
  ASSERT_TRUE(r && *r) << (*r).error().message;
  EXPECT_TRUE((*r)->Namespace);
  ask.Region = "nowhere";
  auto none = run_async(sim.loop, f.server->call<rpc::SingleNamespaceResponse>("Namespace.GetNamespace", ask), 30s);
  EXPECT_EQ((*none).error().message, "No path to region");
  auto regions = call<List<std::string>>(f, "Region.List", rpc::GenericRequest{});
  EXPECT_EQ(regions->vec(), (std::vector<std::string>{"far", "global"}));
}

TEST_F(ClusterTest, ACutOffLeaderServesNoStaleReads) {
  three();
  auto* old = leader();
  lan.cut(old->ip);
  rpc::NamespaceListRequest ask;
  auto r = call<rpc::NamespaceListResponse>(*old, "Namespace.ListNamespaces", ask);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorCode::kNoLeader);
  ASSERT_TRUE(until([&] { return leader() && leader() != old; }));
  ASSERT_TRUE(put_namespace(*leader(), "meanwhile"));
  lan.heal(old->ip);
  ASSERT_TRUE(until([&] { return has_namespace(*old, "meanwhile"); }));
}

}  // namespace
}  // namespace drover::server
