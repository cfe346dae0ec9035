// Servers as others meet them on port 4647: nodes that call and are called back, unknown methods, certificates.
#include "codec/msgpack.h"
#include "model/client_rpc.h"
#include "net/rpc_pool.h"
#include "net/rpc_wire.h"
#include "net/test_pki.h"
#include "server/cluster_testing.h"
#include "server/node_rpc.h"
#include "server/streaming.h"

namespace drover::server {
namespace {

// A node on the network: calls a server and answers what servers ask of it with "called <method>" or an echo.
struct FalseNode {
  FalseNode(ClusterTest& t, const std::string& ip, net::TlsContextRef tls = nullptr) : test(t) {
    net::RpcPoolOptions o;
    o.inbound = [this](std::unique_ptr<net::Stream> s) { return serve(std::move(s)); };
    o.tls = std::move(tls);
    pool = std::make_unique<net::RpcPool>(t.sim.world, t.lan.host(ip), std::move(o));
    id = Uuid::generate(t.sim.random);
    secret = Uuid::generate(t.sim.random);
  }
  Async<void> serve(std::unique_ptr<net::Stream> stream) {
    auto type = co_await net::read_exactly(*stream, 1);
    if (!type) co_return;
    if ((*type)[0] == 5) {
      std::string unread;
      auto method = co_await net::read_streaming_method(*stream, unread);
      if (!method || !co_await net::answer_streaming(*stream, Status{})) co_return;
      net::RpcWire wire(*stream, std::move(unread));
      auto request = co_await wire.read_value();
      rpc::StreamErrWrapper answer;
      answer.Payload.data = "streamed " + *method;
      (void)co_await wire.write(to_msgpack(answer));
      auto more = co_await wire.read_value();
      if (more) (void)co_await wire.write(*more);
      co_return;
    }
    net::RpcWire wire(*stream);
    for (;;) {
      auto request = co_await wire.read_request();
      if (!request) co_return;
      called.push_back(request->method);
      NodeMetaResponse meta;
      meta.Meta["from"] = "node";
      net::RpcResponseMessage response{request->method, request->seq, fails, to_msgpack(meta)};
      if (!co_await wire.write(net::encode_rpc(response))) co_return;
    }
  }
  Result<std::string> raw(ClusterTest::Node& server, std::string method, std::string body) {
    auto r = run_async(test.sim.loop, pool->call(net::Address::tcp(server.ip, 4647), "global", std::move(method), std::move(body)), 60s);
    return r ? std::move(*r) : Error(ErrorCode::kTimeout, "the call did not end");
  }
  template <class Response, class Request>
  Result<Response> call(ClusterTest::Node& server, std::string method, Request request) {
    request.Region = "global";
    DROVER_TRY(auto body, raw(server, std::move(method), to_msgpack(request)));
    return from_msgpack<Response>(body);
  }
  Result<NodeUpdateResponse> enroll(ClusterTest::Node& server) {
    rpc::NodeRegisterRequest req;
    auto& node = req.Node.ensure();
    node.ID = id;
    node.SecretID = secret;
    node.Name = "n";
    node.Datacenter = "dc1";
    node.Attributes = {{"nomad.version", "1.5.7"}, {"kernel.name", "linux"}};
    auto registered = call<NodeUpdateResponse>(server, "Node.Register", req);
    if (!registered) return registered;
    rpc::NodeUpdateStatusRequest ready;
    ready.NodeID = id.str();
    ready.Status = "ready";
    return call<NodeUpdateResponse>(server, "Node.UpdateStatus", ready);
  }

  ClusterTest& test;
  Uuid id, secret;
  std::vector<std::string> called;
  std::string fails;  // the error that calls end with
  std::unique_ptr<net::RpcPool> pool;
};

TEST_F(ClusterTest, ANodeOfAFollowerIsReachedFromEveryServer) {
  three();
  auto& f = follower();
  FalseNode node(*this, "10.0.1.1");
  auto beat = node.enroll(f);
  ASSERT_TRUE(beat) << beat.error().message;
  EXPECT_EQ(beat->Servers.size(), 3u);
  EXPECT_GT(beat->HeartbeatTTL, Duration::zero());
  rpc::NodeSpecificRequest ask;
  ask.NodeID = node.id.str();
  for (auto& [n, server] : nodes) {
    ASSERT_TRUE(until([&] { return server.server->snapshot().nodes().get(node.id) != nullptr; }));
    auto meta = call<NodeMetaResponse>(server, "NodeMeta.Read", ask);
    ASSERT_TRUE(meta) << server.ip << ": " << meta.error().message;
    EXPECT_EQ(meta->Meta.get_or("from"), "node");
  }
  EXPECT_EQ(node.called, (std::vector<std::string>{"NodeMeta.Read", "NodeMeta.Read", "NodeMeta.Read"}));
  // What the node refuses has its code at every server, coded or known by its text.
  for (auto& [said, message] : std::map<std::string, std::string>{{"RPC Error:: 404,gone", "gone"},
                                                                  {"open /x: no such file or directory", "open /x: no such file or directory"}}) {
    node.fails = said;
    for (auto& [n, server] : nodes) {
      ask.Region = "global";
      auto answer = run_async(sim.loop, server.server->call<NodeMetaResponse>("NodeMeta.Read", ask), 10s);
      ASSERT_TRUE(answer && !*answer);
      EXPECT_EQ(answer->error().message, message);
      EXPECT_EQ(answer->error().code, ErrorCode::kNotFound) << message << " by " << server.ip;
    }
  }
  node.fails.clear();
  ask.NodeID = Uuid::generate(sim.random).str();
  EXPECT_EQ(call<NodeMetaResponse>(f, "NodeMeta.Read", ask).error().message, "Unknown node " + ask.NodeID);
  // Its connection gone, there is no way to it.
  node.pool.reset();
  sim.loop.advance(1s);
  ask.NodeID = node.id.str();
  auto gone = call<NodeMetaResponse>(*leader(), "NodeMeta.Read", ask);
  EXPECT_EQ(gone.error().message, "No path to node");
  EXPECT_EQ(gone.error().code, ErrorCode::kNotFound);
}

TEST_F(ClusterTest, StreamsGoToTheNodeOfTheAllocation) {
  three();
  FalseNode node(*this, "10.0.1.1");
  auto& f = follower();
  ASSERT_TRUE(node.enroll(f));
  ASSERT_TRUE(until([&] { return f.server->snapshot().nodes().get(node.id) != nullptr; }));
  auto there = run_async(sim.loop, open_to_node(*f.server, node.id.str(), "FileSystem.Logs"), 10s);
  ASSERT_TRUE(there && *there) << (*there).error().message;
  net::RpcWire wire_there(***there);
  ASSERT_TRUE(*run_async(sim.loop, wire_there.write("\x80")));
  auto first = run_async(sim.loop, wire_there.read_value(), 10s);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ(from_msgpack<rpc::StreamErrWrapper>(**first)->Payload.data, "streamed FileSystem.Logs");
  ASSERT_TRUE(*run_async(sim.loop, wire_there.write("\xa2yo")));
  EXPECT_EQ(**run_async(sim.loop, wire_there.read_value(), 10s), "\xa2yo") << "both ways";
  // By allocation: the errors come as messages of the stream.
  auto mine = open_stream(*leader()->server, "FileSystem.Logs");
  ASSERT_TRUE(mine);
  net::RpcWire wire(**mine);
  rpc::FsLogsRequest ask;
  ask.AllocID = Uuid::generate(sim.random).str();
  ASSERT_TRUE(*run_async(sim.loop, wire.write(to_msgpack(ask))));
  auto answer = from_msgpack<rpc::StreamErrWrapper>(**run_async(sim.loop, wire.read_value(), 10s));
  ASSERT_TRUE(answer && answer->Error);
  EXPECT_EQ(answer->Error->Message, "Unknown allocation \"" + ask.AllocID + "\"");
  EXPECT_EQ(answer->Error->Code, 404);
  EXPECT_EQ(open_stream(*leader()->server, "No.Such").error().message, "Unknown rpc method: \"No.Such\"");
}

TEST_F(ClusterTest, NodesKeepTheirTimeWhenTheLeaderChanges) {
  three();
  FalseNode node(*this, "10.0.1.1");
  auto& f = follower();
  ASSERT_TRUE(node.enroll(f));
  kill(*leader());
  ASSERT_TRUE(until([&] { return leader() != nullptr; }));
  sim.loop.advance(60s);
  EXPECT_EQ(leader()->server->snapshot().nodes().get(node.id)->Status, "ready") << "the new leader gives it time to come";
  ASSERT_TRUE(until([&] { return leader()->server->snapshot().nodes().get(node.id)->Status == "down"; }, 400s));
}

TEST_F(ClusterTest, UnknownMethodsAndBadBodiesAreErrors) {
  add(1, 1);
  ASSERT_TRUE(until([&] { return leader() != nullptr; }));
  FalseNode node(*this, "10.0.1.1");
  EXPECT_EQ(node.raw(nodes[1], "Nothing.Here", "\x80").error().message, "rpc: can't find service Nothing.Here");
  EXPECT_EQ(node.raw(nodes[1], "Status.Nothing", "\x80").error().message, "rpc: can't find method Status.Nothing");
  EXPECT_EQ(node.raw(nodes[1], "Nothing", "\x80").error().message, "rpc: service/method request ill-formed: Nothing");
  EXPECT_EQ(node.raw(nodes[1], "Node.GetNode", "\x80").error().message, "missing region for target RPC");
  EXPECT_FALSE(node.raw(nodes[1], "Node.GetNode", "\x01"));
  EXPECT_TRUE(node.raw(nodes[1], "Status.Ping", "\x80")) << "the stream goes on after errors";
}

// ---- certificates ----------------------------------------------------------------------------------------------------

struct TlsClusterTest : ClusterTest {
  net::TestPki pki;
  void SetUp() override {
    for (auto name : {"server.global.nomad", "client.global.nomad", "client.other.nomad"}) pki.issue(name, std::string("DNS:") + name);
    tls = make("server.global.nomad");
  }
  net::TlsContextRef outgoing(const std::string& name) {
    net::TlsClientOptions c;
    c.ca_file = pki.cert("ca");
    c.cert_file = pki.cert(name);
    c.key_file = pki.key(name);
    c.verify_name = false;
    return *net::make_tls_client(c);
  }
  RpcTls make(const std::string& name) {
    net::TlsServerOptions s;
    s.ca_file = pki.cert("ca");
    s.cert_file = pki.cert(name);
    s.key_file = pki.key(name);
    s.verify_client = true;
    RpcTls out;
    out.incoming = *net::make_tls_server(s);
    net::TlsClientOptions c;
    c.ca_file = s.ca_file;
    c.cert_file = s.cert_file;
    c.key_file = s.key_file;
    out.outgoing = *net::make_tls_client(c);
    out.verify_server_hostname = true;
    return out;
  }
  Result<std::string> ping(net::TlsContextRef with) {
    FalseNode node(*this, "10.0.1.9", std::move(with));
    return node.raw(nodes[1], "Status.Ping", "\x80");
  }
};

TEST_F(TlsClusterTest, ServersReplicateAndForwardOverMutualTls) {
  three();
  ASSERT_TRUE(put_namespace(follower(), "safe"));
  EXPECT_TRUE(ping(outgoing("client.global.nomad")));
  EXPECT_FALSE(ping(nullptr)) << "plain";
  EXPECT_FALSE(ping(outgoing("client.other.nomad"))) << "a role of another region";
  FalseNode node(*this, "10.0.1.1", outgoing("client.global.nomad"));
  ASSERT_TRUE(node.enroll(nodes[1]));
  rpc::KeyringGetRootKeyRequest ask;
  ask.KeyID = Uuid::generate(sim.random).str();
  EXPECT_EQ(node.call<rpc::KeyringGetRootKeyResponse>(nodes[1], "Keyring.Get", ask).error().message,
            "invalid server connection in region global: invalid certificate, server.global.nomad not in "
            "[client.global.nomad client.global.nomad]");
  FalseNode server(*this, "10.0.1.2", outgoing("server.global.nomad"));
  EXPECT_TRUE(server.call<rpc::KeyringGetRootKeyResponse>(nodes[1], "Keyring.Get", ask));
}

TEST_F(TlsClusterTest, OtherAuthoritiesAndOldCertificatesAreRefused) {
  three();
  net::TestPki other;
  other.issue("server.global.nomad", "DNS:server.global.nomad");
  net::TlsClientOptions c;
  c.ca_file = pki.cert("ca");
  c.cert_file = other.cert("server.global.nomad");
  c.key_file = other.key("server.global.nomad");
  c.verify_name = false;
  EXPECT_FALSE(ping(*net::make_tls_client(c))) << "signed by somebody else";
  c.ca_file = other.cert("ca");
  c.cert_file = pki.cert("server.global.nomad");
  c.key_file = pki.key("server.global.nomad");
  auto stranger = ping(*net::make_tls_client(c));
  ASSERT_FALSE(stranger);
  EXPECT_NE(stranger.error().message.find("certificate"), std::string::npos) << stranger.error().message;
  pki.issue("old", "DNS:server.global.nomad", -60);
  EXPECT_FALSE(ping(outgoing("old"))) << "expired";
  // A server with such a certificate comes to nothing, and takes nobody's place.
  auto good = tls;
  tls.outgoing = outgoing("old");
  auto& fourth = add(4, 0);
  tls = good;
  join(fourth, nodes[1]);
  sim.loop.advance(1min);
  EXPECT_EQ(voters(*leader()), 3);
  EXPECT_TRUE(put_namespace(*leader(), "safe"));
}

TEST_F(TlsClusterTest, ARunningClusterMovesToTlsAndBack) {
  auto secure = tls;
  tls = {};
  three();
  auto upgrading = secure;
  upgrading.upgrade_mode = true;
  for (auto& [n, node] : nodes) node.server->set_tls(upgrading);
  EXPECT_TRUE(ping(nullptr)) << "plain connections are still taken";
  EXPECT_TRUE(ping(outgoing("client.global.nomad")));
  for (auto& [n, node] : nodes) node.server->set_tls(secure);
  EXPECT_FALSE(ping(nullptr));
  ASSERT_TRUE(until([&] { return leader() && all_know(); }));
  ASSERT_TRUE(put_namespace(follower(), "safe"));
  for (auto& [n, node] : nodes) node.server->set_tls({});
  EXPECT_TRUE(ping(nullptr));
  ASSERT_TRUE(until([&] { return leader() && all_know(); }));
  auto r = put_namespace(follower(), "plain");
  EXPECT_TRUE(r) << r.error().message;
}

}  // namespace
}  // namespace drover::server
