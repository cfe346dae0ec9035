// Several servers on virtual time over a network in memory: gossip, bootstrap, replication, forwarding, membership.
#include "server/cluster_testing.h"

#include <algorithm>
#include <array>
#include <set>

#include "model/client_rpc.h"
#include "model/feature_requests.h"
#include "model/operator_rpc.h"
#include "server/autopilot.h"
#include "server/bootstrap.h"
#include "server/keyring.h"
#include "server/membership.h"

namespace drover::server {
namespace {

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
  ASSERT_TRUE(until([&] { return leader() != nullptr; }));
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

TEST_F(ClusterTest, ADeadLeaderIsReplacedWithinASecond) {
  three();
  std::vector<Duration> took;
  for (int round = 0; round < 9; ++round) {
    auto& old = *leader();
    kill(old);
    auto died = sim.clock.monotonic();
    ASSERT_TRUE(until([&] { return leader() != nullptr; }));
    took.push_back(sim.clock.monotonic() - died);
    boot(old);
    join(old, *leader());
    ASSERT_TRUE(until([&] { return voters(*leader()) == 3 && all_know(); }));
    sim.loop.advance(2s);
  }
  std::sort(took.begin(), took.end());
  EXPECT_LT(took[took.size() / 2], 1s);
  EXPECT_LT(took.back(), 3s) << "votes may be split";
}

TEST_F(ClusterTest, AServerThatJoinsIsPromotedWhenItHasProvedItself) {
  three();
  auto& fourth = add(4, 0);
  join(fourth, nodes[1]);
  ASSERT_TRUE(until([&] { return leader()->server->replica().configuration().size() == 4; }, 10s));
  EXPECT_EQ(voters(*leader()), 3) << "without a vote at first";
  ASSERT_TRUE(until([&] { return voters(*leader()) == 4; }));
  auto health = call<rpc::OperatorHealthReply>(fourth, "Operator.ServerHealth", rpc::GenericRequest{});
  ASSERT_TRUE(health) << health.error().message;
  EXPECT_TRUE(health->Healthy);
  EXPECT_EQ(health->FailureTolerance, 1);
  EXPECT_EQ(health->Servers.size(), 4u);
}

// The whole network is renumbered, or the servers only change places: the addresses that the log has are all wrong.
TEST_F(ClusterTest, ServersThatAllMovedFindEachOther) {
  three();
  ASSERT_TRUE(put_namespace(*leader(), "kept"));
  for (auto places : {std::array{11, 12, 13}, std::array{12, 13, 11}}) {
    for (auto& [n, node] : nodes) kill(node);
    for (auto& [n, node] : nodes) {
      node.ip = "10.0.0." + std::to_string(places[static_cast<size_t>(n - 1)]);
      node.config.rpc_advertise = node.ip + ":4647";
      node.config.serf_address = node.ip;
      boot(node);
    }
    join(nodes[2], nodes[1]);
    join(nodes[3], nodes[1]);
    ASSERT_TRUE(until([&] { return leader() && all_know(); }));
    EXPECT_TRUE(has_namespace(*leader(), "kept"));
    auto known = [&] {
      for (auto& s : leader()->server->replica().configuration()) {
        bool there = s.suffrage == raft::Suffrage::kVoter;
        for (auto& [n, node] : nodes) there &= node.config.node_id != s.id || node.config.rpc_advertise == s.address;
        if (!there) return false;
      }
      return voters(*leader()) == 3;
    };
    EXPECT_TRUE(until([&] { return leader() && known(); })) << "the log has the new addresses";
    ASSERT_TRUE(put_namespace(*leader(), "after-" + std::to_string(places[0])));
  }
}

TEST_F(ClusterTest, AServerThatComesBackElsewhereKeepsItsVote) {
  three();
  auto& moved = follower();
  kill(moved);
  moved.ip = "10.0.0.77";
  moved.config.rpc_advertise = "10.0.0.77:4647";
  moved.config.serf_address = moved.ip;
  boot(moved);
  join(moved, *leader());
  ASSERT_TRUE(put_namespace(*leader(), "after"));
  EXPECT_TRUE(until([&] { return leader() && has_namespace(moved, "after"); }, 2min));
  EXPECT_TRUE(until([&] {
    auto servers = leader()->server->replica().configuration();
    return voters(*leader()) == 3 && std::any_of(servers.begin(), servers.end(), [](auto& s) { return s.address == "10.0.0.77:4647"; });
  }, 2min));
}

// A machine was copied with its data directory: its id is that of a server that lives.
TEST_F(ClusterTest, ACopyOfAServerIsRefusedAndHurtsNobody) {
  three();
  auto& original = follower();
  auto& copy = nodes[4];
  copy.config = original.config;
  copy.ip = "10.0.0.4";
  copy.config.node_name = "s4";
  copy.config.rpc_advertise = "10.0.0.4:4647";
  copy.config.serf_address = copy.ip;
  boot(copy);
  auto joined = run_async(sim.loop, copy.server->serf()->join({leader()->ip}), 30s);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->count, 0u);
  ASSERT_EQ(joined->errors.size(), 1u);
  EXPECT_NE(joined->errors[0].find("has the node id of"), std::string::npos) << joined->errors[0];
  for (int i = 0; i < 20; ++i) {
    sim.loop.advance(5s);
    ASSERT_TRUE(put_namespace(original, "by-original-" + std::to_string(i)));
  }
  for (auto& s : leader()->server->replica().configuration()) EXPECT_NE(s.address, "10.0.0.4:4647");
}

TEST_F(ClusterTest, ARenamedServerKeepsItsPlace) {
  three();
  auto& renamed = follower();
  kill(renamed);
  renamed.config.node_name = "s0";
  boot(renamed);
  auto joins = [&] {
    auto joined = run_async(sim.loop, renamed.server->serf()->join({leader()->ip}), 30s);
    return joined && joined->count == 1;
  };
  EXPECT_FALSE(joins()) << "its old self may be another server";
  for (int tries = 0; !joins() && tries < 60; ++tries) sim.loop.advance(5s);
  for (int i = 0; i < 60; ++i) {
    sim.loop.advance(5s);
    ASSERT_EQ(voters(*leader()), 3);
  }
  EXPECT_TRUE(put_namespace(renamed, "after"));
}

TEST_F(ClusterTest, DeadServersAreTakenOut) {
  three();
  auto& fourth = add(4, 0);
  join(fourth, nodes[1]);
  ASSERT_TRUE(until([&] { return voters(*leader()) == 4; }));
  kill(fourth);
  ASSERT_TRUE(until([&] { return leader()->server->replica().configuration().size() == 3; }, 10min));
}

// The last servers that the minimum allows stay, dead or not; a new one sets the dead one free.
TEST_F(ClusterTest, ADeadServerStaysWhileItsPlaceIsNeeded) {
  three();
  rpc::AutopilotSetConfigRequest set;
  set.Config.CleanupDeadServers = true;
  set.Config.LastContactThreshold = 200ms;
  set.Config.MaxTrailingLogs = 250;
  set.Config.ServerStabilizationTime = 10s;
  set.Config.MinQuorum = 3;
  ASSERT_TRUE(call<bool>(follower(), "Operator.AutopilotSetConfiguration", set));
  auto& dead = follower();
  kill(dead);
  EXPECT_FALSE(until([&] { return !leader() || leader()->server->replica().configuration().size() < 3; }, 5min));
  auto health = call<rpc::OperatorHealthReply>(*leader(), "Operator.ServerHealth", rpc::GenericRequest{});
  ASSERT_TRUE(health) << health.error().message;
  EXPECT_FALSE(health->Healthy);
  EXPECT_EQ(health->FailureTolerance, 0);
  auto joined = sim.clock.monotonic();
  auto& fourth = add(4, 0);
  join(fourth, *leader());
  ASSERT_TRUE(until([&] { return voters(*leader()) == 4 || !is_configured(*leader(), dead.config.node_id); }));
  EXPECT_TRUE(is_configured(*leader(), dead.config.node_id)) << "until the new one votes";
  EXPECT_GE(sim.clock.monotonic() - joined, 10s) << "when it has been well for so long";
  ASSERT_TRUE(until([&] { return !is_configured(*leader(), dead.config.node_id); }));
  EXPECT_EQ(voters(*leader()), 3);
  EXPECT_TRUE(until([&] {
    auto now = call<rpc::OperatorHealthReply>(*leader(), "Operator.ServerHealth", rpc::GenericRequest{});
    return now && now->Healthy && now->FailureTolerance == 1;
  }, 30s));
}

// Whichever of them comes first in the log's configuration.
TEST_F(ClusterTest, ADeadServerHidesNothingOfTheOthers) {
  three();
  rpc::AutopilotSetConfigRequest set;
  set.Config = leader()->config.autopilot;
  set.Config.MinQuorum = 3;  // or it would be cleaned up
  ASSERT_TRUE(call<bool>(*leader(), "Operator.AutopilotSetConfiguration", set));
  std::vector<Node*> followers;
  for (auto& [n, node] : nodes)
    if (&node != leader()) followers.push_back(&node);
  ASSERT_EQ(followers.size(), 2u);
  for (auto* dead : followers) {
    kill(*dead);
    sim.loop.advance(60s);  // gossip knows: nobody waits for its answer any more
    EXPECT_TRUE(until([&] {
      auto* now = leader();
      auto health = now ? call<rpc::OperatorHealthReply>(*now, "Operator.ServerHealth", rpc::GenericRequest{}) : Error(ErrorCode::kNoLeader, "");
      if (!health) return false;
      auto well = std::count_if(health->Servers.begin(), health->Servers.end(), [](auto& s) { return s.Healthy; });
      auto known = std::count_if(health->Servers.begin(), health->Servers.end(), [](auto& s) { return s.LastIndex > 0; });
      return well == 2 && known == 2;
    }, 10s)) << dead->config.node_name;
    boot(*dead);
    join(*dead, *leader());
    ASSERT_TRUE(until([&] {
      auto* now = leader();
      auto health = now ? call<rpc::OperatorHealthReply>(*now, "Operator.ServerHealth", rpc::GenericRequest{}) : Error(ErrorCode::kNoLeader, "");
      return health && health->Healthy;
    }, 2min));
  }
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

TEST_F(ClusterTest, TheOthersBeginWhenTheOneThatShouldIsGone) {
  auto& lowest = add(1, 3);
  lowest.server.reset();
  lan.reset(lowest.ip);
  lowest.config.node_id = "00000000-0000-4000-8000-000000000001";
  boot(lowest);
  add(2, 3);
  join(nodes[2], lowest);
  kill(lowest);
  for (int n : {3, 4}) {
    add(n, 3);
    join(nodes[n], nodes[2]);
  }
  ASSERT_TRUE(until([&] { return leader() && voters(*leader()) == 3 && nodes[2].server && !nodes[2].server->leader_address().empty(); }, 5min));
}

// The servers see each other in gossip long before one of them can be asked.
TEST_F(ClusterTest, BeginningIsTriedAgain) {
  for (int n : {1, 2, 3}) add(n, 3);
  std::string lowest, address;
  for (auto& [n, node] : nodes)
    if (lowest.empty() || node.config.node_id < lowest) lowest = node.config.node_id, address = node.ip;
  for (auto& [n, node] : nodes)
    if (node.ip != address) node.server->cluster()->stop_listening();
  for (int n : {2, 3}) join(nodes[n], nodes[1]);
  sim.loop.advance(3min);
  EXPECT_FALSE(leader());
  for (auto& [n, node] : nodes) {
    if (node.ip == address) continue;
    auto listener = lan.host(node.ip).listen(net::Address::tcp(node.ip, 4647));
    ASSERT_TRUE(listener) << listener.error().message;
    node.server->cluster()->listen(std::move(*listener), {});
  }
  EXPECT_TRUE(until([&] { return leader() && voters(*leader()) == 3; }, 2min));
}

TEST_F(ClusterTest, APeerIsRemovedByHand) {
  three();
  auto& gone = follower();
  rpc::RaftPeerByIDRequest req;
  req.ID = gone.config.node_id;
  auto removed = call<GenericResponse>(*leader(), "Operator.RaftRemovePeerByID", req);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(leader()->server->replica().configuration().size(), 2u);
  req.ID = "nobody";
  EXPECT_EQ(call<GenericResponse>(*leader(), "Operator.RaftRemovePeerByID", req).error().message,
            "id \"nobody\" was not found in the Raft configuration");
  rpc::RaftPeerByAddressRequest at;
  at.Address = "10.9.9.9:4647";
  EXPECT_EQ(call<GenericResponse>(follower(), "Operator.RaftRemovePeerByAddress", at).error().message,
            "address \"10.9.9.9:4647\" was not found in the Raft configuration");
}

// It is well, and gossip says so: it is taken in again soon, without its vote at first.
TEST_F(ClusterTest, ALivePeerThatIsRemovedByHandComesBack) {
  three();
  auto& gone = follower();
  auto inside = [&] { return leader() && is_configured(*leader(), gone.config.node_id); };
  // At any time since the leader last looked at all that gossip knows.
  for (auto wait : {1s, 20s, 20s, 20s}) {
    sim.loop.advance(wait);
    rpc::RaftPeerByIDRequest req;
    req.ID = gone.config.node_id;
    ASSERT_TRUE(call<GenericResponse>(*leader(), "Operator.RaftRemovePeerByID", req));
    EXPECT_FALSE(inside());
    ASSERT_TRUE(until(inside, 8s));
    EXPECT_EQ(voters(*leader()), 2);
    ASSERT_TRUE(until([&] { return voters(*leader()) == 3; }));
  }
  ASSERT_TRUE(put_namespace(gone, "back"));
}

// The name that it left under stays known for a day.
TEST_F(ClusterTest, AServerThatComesBackUnderAnotherNameStays) {
  three();
  auto& renamed = follower();
  ASSERT_TRUE(run_async(sim.loop, renamed.server->leave(), 60s));
  ASSERT_TRUE(until([&] { return leader() && !is_configured(*leader(), renamed.config.node_id); }));
  kill(renamed);
  renamed.config.node_name = "other";
  boot(renamed);
  join(renamed, *leader());
  ASSERT_TRUE(until([&] { return leader() && voters(*leader()) == 3; }));
  int shown = 0;
  for (auto& m : leader()->server->serf()->members()) shown += server_parts(m)->id == renamed.config.node_id;
  ASSERT_EQ(shown, 2) << "under both names";
  EXPECT_FALSE(until([&] { return !leader() || voters(*leader()) < 3; }, 3min));
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
  ASSERT_TRUE(until([&] { return !f.server->membership()->peers().in_region("far").empty(); }));
  auto r = run_async(sim.loop, f.server->call<rpc::SingleNamespaceResponse>("Namespace.GetNamespace", ask), 30s);
  ASSERT_TRUE(r && *r) << (*r).error().message;
  EXPECT_TRUE((*r)->Namespace);
  ask.Region = "nowhere";
  auto none = run_async(sim.loop, f.server->call<rpc::SingleNamespaceResponse>("Namespace.GetNamespace", ask), 30s);
  EXPECT_EQ((*none).error().message, "No path to region");
  auto regions = call<List<std::string>>(f, "Region.List", rpc::GenericRequest{});
  EXPECT_EQ(*regions, (List<std::string>{"far", "global"}));
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

// A host that died without a word: its connections stay up, and calls to it wait.
TEST_F(ClusterTest, CallsToASilentLeaderEndWhenAnotherLeads) {
  three();
  auto& old = *leader();
  auto& asked = follower();
  lan.cut(old.ip);
  auto cut = sim.clock.monotonic();
  rpc::NamespaceListRequest ask;
  auto read = call<rpc::NamespaceListResponse>(asked, "Namespace.ListNamespaces", ask);
  EXPECT_TRUE(read) << read.error().message;
  EXPECT_LT(sim.clock.monotonic() - cut, 4s) << "the read waited for the old leader";
  lan.heal(old.ip);
  // The old one leads in its own eyes until it hears of the other.
  ASSERT_TRUE(until([&] { return leader() && leader() != &old && old.server->leader_address() == leader()->server->leader_address(); }));

  auto& second = *leader();
  auto& other = follower();
  lan.cut(second.ip);
  cut = sim.clock.monotonic();
  auto write = put_namespace(other, "unsure");
  ASSERT_FALSE(write);
  EXPECT_EQ(write.error().message, "leadership lost while committing log") << "whether it was done is not known";
  EXPECT_LT(sim.clock.monotonic() - cut, 4s);
  ASSERT_TRUE(put_namespace(other, "sure"));
}

// ---- rules -----------------------------------------------------------------------------------------------------------

ServerParts part(std::string id, int expect) {
  ServerParts p;
  p.name = p.id = std::move(id);
  p.expect = expect;
  p.raft_version = 3;
  return p;
}

TEST(BootstrapRule, TheLowestOfEnoughServersBegins) {
  EXPECT_EQ(look_at_pool({part("a", 3), part("b", 3)}, "a", 3).verdict, BootstrapLook::kWait);
  EXPECT_EQ(look_at_pool({part("c", 3), part("a", 3), part("b", 3)}, "a", 3).verdict, BootstrapLook::kAsk);
  EXPECT_EQ(look_at_pool({part("c", 3), part("a", 3), part("b", 3)}, "b", 3).verdict, BootstrapLook::kWait);
  EXPECT_EQ(look_at_pool({part("a", 3), part("b", 3), part("c", 0)}, "a", 3).verdict, BootstrapLook::kAsk) << "one that joins";
  EXPECT_EQ(look_at_pool({part("a", 3), part("b", 5), part("c", 3)}, "a", 3).verdict, BootstrapLook::kRefuse);
  auto alone = part("b", 3);
  alone.bootstrap = true;
  EXPECT_EQ(look_at_pool({part("a", 3), alone, part("c", 3)}, "a", 3).verdict, BootstrapLook::kRefuse);
  auto silent = part("0", 3);
  silent.non_voter = true;
  EXPECT_EQ(look_at_pool({part("a", 3), part("b", 3), silent}, "a", 3).verdict, BootstrapLook::kWait) << "has no vote";
}

ServerFacts facts(std::string id, gossip::MemberStatus serf, bool voter = true) {
  ServerFacts f;
  f.id = f.name = std::move(id);
  f.serf = serf;
  f.voter = voter;
  f.configured = true;
  f.stats = rpc::RaftStats{"10ms", 3, 100};
  return f;
}

TEST(AutopilotRule, HealthIsContactTermAndLog) {
  AutopilotConfig config;
  config.LastContactThreshold = 200ms;
  config.MaxTrailingLogs = 50;
  auto leader = facts("l", gossip::MemberStatus::kAlive);
  leader.leader = true;
  auto with = [&](auto change) {
    auto f = facts("f", gossip::MemberStatus::kAlive);
    change(f);
    return is_healthy(f, leader, config);
  };
  EXPECT_TRUE(is_healthy(leader, leader, config));
  EXPECT_TRUE(with([](auto&) {}));
  EXPECT_TRUE(with([](auto& f) { f.stats->LastIndex = 50; }));
  EXPECT_FALSE(with([](auto& f) { f.stats->LastIndex = 49; }));
  EXPECT_FALSE(with([](auto& f) { f.stats->LastTerm = 2; }));
  EXPECT_FALSE(with([](auto& f) { f.stats->LastContact = "never"; }));
  EXPECT_FALSE(with([](auto& f) { f.stats->LastContact = "201ms"; }));
  EXPECT_TRUE(with([](auto& f) { f.serf = gossip::MemberStatus::kLeaving; }));
  EXPECT_FALSE(with([](auto& f) { f.serf = gossip::MemberStatus::kFailed; }));
  EXPECT_FALSE(with([](auto& f) { f.stats.reset(); }));
}

TEST(AutopilotRule, DeadServersGoOnlyWhileAMajorityIsSure) {
  using enum gossip::MemberStatus;
  AutopilotConfig config;
  config.CleanupDeadServers = true;
  auto leader = facts("l", kAlive);
  leader.leader = true;
  auto one = dead_servers({leader, facts("a", kAlive), facts("b", kFailed)}, config);
  EXPECT_EQ(one.force_leave, std::vector<std::string>{"b"});
  auto two = dead_servers({leader, facts("a", kFailed), facts("b", kFailed)}, config);
  EXPECT_EQ(two.force_leave.size(), 1u) << "one of three at a time";
  EXPECT_TRUE(dead_servers({leader, facts("b", kFailed)}, config).force_leave.empty());
  auto forgotten = dead_servers({leader, facts("a", kAlive), facts("b", kNone), facts("c", kFailed), facts("d", kAlive)}, config);
  EXPECT_EQ(forgotten.remove, std::vector<std::string>{"b"});
  EXPECT_EQ(forgotten.force_leave, std::vector<std::string>{"c"});
  auto learner = dead_servers({leader, facts("a", kFailed, false)}, config);
  EXPECT_EQ(learner.force_leave, std::vector<std::string>{"a"}) << "without a vote it holds up nothing";
  config.MinQuorum = 3;
  EXPECT_TRUE(dead_servers({leader, facts("a", kAlive), facts("b", kFailed)}, config).force_leave.empty());
  config.CleanupDeadServers = false;
  EXPECT_TRUE(dead_servers({leader, facts("a", kFailed, false)}, config).force_leave.empty());
}

}  // namespace
}  // namespace drover::server
