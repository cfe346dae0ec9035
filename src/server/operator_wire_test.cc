// Operator.*, Status.*: the shapes that callers of the reference's wire expect.
#include "codec/json.h"
#include "codec/msgpack.h"
#include "gossip/endpoint.h"
#include "model/operator_rpc.h"
#include "net/rpc_pool.h"
#include "server/cluster_testing.h"

namespace drover::server {
namespace {

struct OperatorWireTest : ClusterTest {
  // The answer's bytes, as they are on the wire.
  Result<std::string> raw(Node& at, std::string method, std::string body) {
    net::RpcPool pool(sim.world, lan.host("10.0.1.1"), {});
    auto r = run_async(sim.loop, pool.call(net::Address::tcp(at.ip, 4647), "global", std::move(method), std::move(body)), 30s);
    return r ? std::move(*r) : Error(ErrorCode::kTimeout, "the call did not end");
  }
  template <class Request>
  Result<std::string> ask(Node& at, std::string method, Request request = {}) {
    request.Region = "global";
    return raw(at, std::move(method), to_msgpack(request));
  }
  static bool has_key(const std::string& body, std::string_view key) {
    // Short keys: a fixraw header and the text.
    return body.find(std::string(1, static_cast<char>(0xa0 + key.size())) + std::string(key)) != std::string::npos;
  }
};

TEST_F(OperatorWireTest, TheAutopilotsConfigurationIsTheBareObjectAndItsWriteABool) {
  three();
  auto got = ask<rpc::GenericRequest>(follower(), "Operator.AutopilotGetConfiguration");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(static_cast<unsigned char>((*got)[0]), 0x8a) << "a map of ten fields";
  EXPECT_FALSE(has_key(*got, "Config"));
  auto config = from_msgpack<AutopilotConfig>(*got);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->LastContactThreshold, 200ms) << "in nanoseconds";
  EXPECT_TRUE(config->CleanupDeadServers);

  rpc::AutopilotSetConfigRequest set;
  set.Config = *config;
  set.Config.MaxTrailingLogs = 99;
  set.CAS = true;
  EXPECT_EQ(*ask(follower(), "Operator.AutopilotSetConfiguration", set), "\xc3");
  EXPECT_EQ(*ask(follower(), "Operator.AutopilotSetConfiguration", set), "\xc2") << "the index has moved";
  auto now = from_msgpack<AutopilotConfig>(*ask<rpc::GenericRequest>(*leader(), "Operator.AutopilotGetConfiguration"));
  EXPECT_EQ(now->MaxTrailingLogs, 99u);
}

TEST_F(OperatorWireTest, HealthTellsTheStatusOfGossipAsANumber) {
  three();
  ASSERT_TRUE(until([&] { return leader()->server->leader()->autopilot() != nullptr; }));
  sim.loop.advance(5s);
  auto got = ask<rpc::GenericRequest>(follower(), "Operator.ServerHealth");
  ASSERT_TRUE(got) << got.error().message;
  auto health = from_msgpack<rpc::OperatorHealthReply>(*got);
  ASSERT_TRUE(health);
  ASSERT_EQ(health->Servers.size(), 3u);
  EXPECT_TRUE(health->Healthy);
  EXPECT_EQ(health->FailureTolerance, 1);
  for (auto& s : health->Servers) EXPECT_EQ(s.SerfStatus, 1);
  EXPECT_NE(got->find(std::string("SerfStatus") + '\x01'), std::string::npos);
}

TEST_F(OperatorWireTest, TheRaftConfigurationNamesItsServers) {
  three();
  auto& gone = follower();
  auto got = from_msgpack<RaftConfigurationResponse>(*ask<rpc::GenericRequest>(*leader(), "Operator.RaftGetConfiguration"));
  ASSERT_TRUE(got);
  ASSERT_EQ(got->Servers.size(), 3u);
  int leaders = 0;
  for (auto& s : got->Servers) {
    leaders += s.Leader;
    EXPECT_TRUE(s.Voter);
    EXPECT_EQ(s.RaftProtocol, "3");
    EXPECT_TRUE(s.Node.starts_with("s") && s.Node.ends_with(".global")) << s.Node;
  }
  EXPECT_EQ(leaders, 1);
  rpc::RaftPeerByAddressRequest remove;
  remove.Address = gone.ip + ":4647";
  ASSERT_TRUE(ask(*leader(), "Operator.RaftRemovePeerByAddress", remove));
  EXPECT_EQ(leader()->server->replica().configuration().size(), 2u);
}

TEST_F(OperatorWireTest, TheSchedulersConfigurationHasItsFacts) {
  three();
  auto got = ask<rpc::GenericRequest>(follower(), "Operator.SchedulerGetConfiguration");
  ASSERT_TRUE(got) << got.error().message;
  auto config = from_msgpack<SchedulerConfigurationResponse>(*got);
  ASSERT_TRUE(config && config->SchedulerConfig);
  EXPECT_GT(config->Index, 0u);
  EXPECT_TRUE(config->KnownLeader);
  rpc::SchedulerSetConfigRequest set;
  set.Config = *config->SchedulerConfig;
  set.Config.SchedulerAlgorithm = "worst";
  auto bad = ask(follower(), "Operator.SchedulerSetConfiguration", set);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "invalid scheduler algorithm: worst");
  set.Config.SchedulerAlgorithm = "spread";
  set.CAS = true;
  set.Config.ModifyIndex = 1;
  EXPECT_FALSE(from_msgpack<SchedulerSetConfigurationResponse>(*ask(follower(), "Operator.SchedulerSetConfiguration", set))->Updated);
  set.Config.ModifyIndex = config->Index;
  EXPECT_TRUE(from_msgpack<SchedulerSetConfigurationResponse>(*ask(follower(), "Operator.SchedulerSetConfiguration", set))->Updated);
}

TEST_F(OperatorWireTest, AddressesOfMembersAreBytes) {
  three();
  auto answer = from_msgpack<ServerMembersResponse>(*raw(follower(), "Status.Members", "\x80"));
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->Members.size(), 3u);
  for (auto& m : answer->Members) EXPECT_EQ(m.Addr, gossip::parse_ip(gossip::ip_text(m.Addr))) << m.Name;
  EXPECT_EQ(answer->Members.begin()->Addr.size(), 4u);
}

TEST_F(OperatorWireTest, WithoutAccessControlItsMethodsSaySo) {
  three();
  auto r = raw(follower(), "ACL.ListPolicies", "\x80");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "ACL support disabled");
  EXPECT_EQ(r.error().code, ErrorCode::kInvalid);
}

TEST_F(OperatorWireTest, StatusNeedsNoRegion) {
  three();
  for (auto method : {"Status.Ping", "Status.Leader", "Status.Peers", "Status.RaftStats", "Status.Members"}) {
    auto r = raw(follower(), method, "\x80");
    EXPECT_TRUE(r) << method << ": " << r.error().message;
  }
  auto leader_at = raw(follower(), "Status.Leader", "\x80");
  EXPECT_EQ(*from_msgpack<std::string>(*leader_at), leader()->ip + ":4647");
  auto none = raw(follower(), "Operator.RaftGetConfiguration", "\x80");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "missing region for target RPC");
  auto no_node = raw(follower(), "Status.HasNodeConn", "\x80");
  ASSERT_FALSE(no_node);
  EXPECT_EQ(no_node.error().message, "Must provide the NodeID");
}

}  // namespace
}  // namespace drover::server
