// Servers over the wire: which one is asked, what is tried again, and what servers ask of the node in return.
#include "client/alloc_fs.h"
#include "client/client_rpc.h"
#include "client/client_testing.h"
#include "client/remote_servers.h"
#include "codec/msgpack.h"
#include "model/client_rpc.h"
#include "net/memory_network.h"
#include "net/rpc_listener.h"
#include "net/rpc_wire.h"

namespace drover::client {
namespace {

TEST(ServerListTest, TheHeadIsAskedUntilItFails) {
  SimRandom random(1);
  ServerList list(random);
  EXPECT_FALSE(list.find());
  auto a = *parse_server_address("10.0.0.1"), b = *parse_server_address("10.0.0.2:5000"), c = *parse_server_address("[::1]");
  EXPECT_EQ(a.port, 4647);
  EXPECT_EQ(b.port, 5000);
  EXPECT_EQ(c.str(), "[::1]:4647");
  EXPECT_TRUE(list.set({a, b, c, a}));
  EXPECT_EQ(list.all().size(), 3u);
  auto order = list.all();
  EXPECT_FALSE(list.set({c, b, a})) << "the same servers keep their order";
  EXPECT_EQ(list.all(), order);
  list.failed(order[1]);
  EXPECT_EQ(*list.find(), order[0]) << "only the head moves";
  list.failed(order[0]);
  EXPECT_EQ(*list.find(), order[1]);
  EXPECT_EQ(list.all().back(), order[0]);
  list.prefer(order[0]);
  EXPECT_EQ(*list.find(), order[0]);
  EXPECT_TRUE(list.set({b}));
  list.failed(b);
  EXPECT_EQ(*list.find(), b) << "the last one is asked again";
  EXPECT_GE(list.rebalance_interval(10), 5min);
  EXPECT_GE(list.rebalance_interval(64'000), 1000s) << "one server bears 64 connections a second";
}

// A server that answers every call with its name as the region of a node, or with an error.
struct FalseServer {
  FalseServer(SimWorld& sim, net::MemoryNetwork& lan, const std::string& ip) : sim(sim), lan(lan), ip(ip) { start(); }
  void start() {
    net::RpcHandlers h;
    h.rpc = [this](std::unique_ptr<net::Stream> s, std::shared_ptr<net::RpcConnection> c) { return serve(std::move(s), std::move(c)); };
    listener = std::make_unique<net::RpcListener>(sim.world, net::RpcListenerOptions{}, std::move(h));
    listener->add_listener(std::move(*lan.host(ip).listen(net::Address::tcp(ip, 4647))));
  }
  Async<void> serve(std::unique_ptr<net::Stream> stream, std::shared_ptr<net::RpcConnection> c) {
    connection = c;
    net::RpcWire wire(*stream);
    for (;;) {
      auto r = co_await wire.read_request();
      if (!r) co_return;
      ++calls;
      if (hang) {
        co_await wire.ended();
        co_return;
      }
      rpc::SingleAllocResponse answer;
      answer.Index = 7;
      net::RpcResponseMessage m{r->method, r->seq, error, to_msgpack(answer)};
      if (!co_await wire.write(net::encode_rpc(m))) co_return;
    }
  }
  SimWorld& sim;
  net::MemoryNetwork& lan;
  std::string ip, error;
  bool hang = false;
  int calls = 0;
  std::weak_ptr<net::RpcConnection> connection;
  std::unique_ptr<net::RpcListener> listener;
};

struct RemoteTest : testing::Test {
  SimWorld sim{5};
  net::MemoryNetwork lan{sim.loop, 1ms};
  FalseServer one{sim, lan, "10.0.0.1"}, two{sim, lan, "10.0.0.2"};
  RemoteServers servers{sim.world, lan.host("10.0.0.9"), {}};

  FalseServer& head() { return servers.addresses()[0] == "10.0.0.1:4647" ? one : two; }
  FalseServer& other() { return &head() == &one ? two : one; }
  template <class Request, class Response>
  Result<Response> call(RpcMethod<Request, Response> method, Request request = {}) {
    auto r = run_async(sim.loop, servers.call(method, std::move(request)), 20min);
    return r ? std::move(*r) : Error(ErrorCode::kTimeout, "hangs");
  }
};

TEST_F(RemoteTest, AnotherServerIsAskedWhenOneIsDown) {
  EXPECT_EQ(call(rpc::kAllocGetAlloc).error().message, "no servers");
  ASSERT_TRUE(servers.set_addresses({"10.0.0.1", "10.0.0.2"}));
  auto& dead = head();
  auto& well = other();
  dead.listener.reset();
  auto r = call(rpc::kNodeUpdateStatus);
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_EQ(well.calls, 1);
  EXPECT_EQ(&head(), &well) << "and is asked first from now on";
}

TEST_F(RemoteTest, OnlyReadsAreRepeatedWhenTheConnectionBreaks) {
  ASSERT_TRUE(servers.set_addresses({"10.0.0.1", "10.0.0.2"}));
  auto& first = head();
  auto& second = other();
  first.hang = true;
  auto cut = sim.loop.after(1s, [&] { first.listener.reset(); });
  auto read = call(rpc::kAllocGetAlloc);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(second.calls, 1);
  second.hang = true;
  auto cut_too = sim.loop.after(1s, [&] { second.listener.reset(); });
  EXPECT_EQ(call(rpc::kNodeUpdateAlloc).error().code, ErrorCode::kIo) << "it may have been carried out";
}

TEST_F(RemoteTest, AServerThatHangsIsLeftBeforeTheNodeIsGivenUp) {
  ASSERT_TRUE(servers.set_addresses({"10.0.0.1", "10.0.0.2"}));
  auto& first = head();
  auto& second = other();
  first.hang = true;
  auto began = sim.clock.monotonic();
  auto beat = call(rpc::kNodeUpdateStatus);
  ASSERT_TRUE(beat) << beat.error().message;
  EXPECT_LT(sim.clock.monotonic() - began, 6s) << "the grace of a heartbeat is 10 s";
  EXPECT_EQ(&head(), &second);
  EXPECT_EQ(second.calls, 1);
  second.hang = true;
  auto update = call(rpc::kNodeUpdateAlloc);
  ASSERT_FALSE(update) << "it may have been carried out";
  EXPECT_EQ(second.calls, 2);
  EXPECT_EQ(&head(), &first) << "the next call goes to another one";
}

TEST_F(RemoteTest, WithoutALeaderCallsAreRepeatedForAWhile) {
  ASSERT_TRUE(servers.set_addresses({"10.0.0.1", "10.0.0.2"}));
  one.error = two.error = "No cluster leader";
  auto began = sim.clock.monotonic();
  auto r = call(rpc::kNodeUpdateStatus);
  EXPECT_EQ(r.error().code, ErrorCode::kNoLeader);
  EXPECT_GE(sim.clock.monotonic() - began, 5s);
  EXPECT_LT(sim.clock.monotonic() - began, 7s);
  EXPECT_GT(one.calls, 3);
  EXPECT_GT(two.calls, 3);
  one.error = two.error = "node not found";
  int before = one.calls + two.calls;
  EXPECT_EQ(call(rpc::kNodeUpdateStatus).error().message, "node not found");
  EXPECT_EQ(one.calls + two.calls, before + 1) << "what a server refuses is not asked of another";
}

TEST_F(RemoteTest, HeartbeatsReplaceTheServers) {
  ASSERT_TRUE(servers.set_addresses({"10.0.0.1"}));
  List<NodeServerInfo> told;
  told.emplace_back().RPCAdvertiseAddr = "10.0.0.2:4647";
  servers.set_servers(told, 1);
  EXPECT_EQ(servers.addresses(), std::vector<std::string>{"10.0.0.2:4647"});
  servers.set_servers({}, 1);
  EXPECT_EQ(servers.addresses().size(), 1u) << "no news is no change";
}

// ---- the other direction

Job one_task_job() {
  auto job = test_job("service");
  job.TaskGroups[0].Tasks.push_back(mock_task("main", {{"run_for", "100h"}}));
  return job;
}

struct CallbackTest : testing::Test {
  TestNode node;
  net::MemoryNetwork lan{node.sim.loop, 1ms};
  FalseServer server{node.sim, lan, "10.0.0.1"};
  std::unique_ptr<ClientRpc> rpc;
  std::unique_ptr<RemoteServers> servers;

  void SetUp() override {
    node.boot();
    rpc = std::make_unique<ClientRpc>(node.sim.world, *node.client);
    RemoteServers::Options o;
    o.pool.inbound = [this](std::unique_ptr<net::Stream> s) { return rpc->serve(std::move(s)); };
    servers = std::make_unique<RemoteServers>(node.sim.world, lan.host("10.0.0.9"), std::move(o));
    ASSERT_TRUE(servers->set_addresses({"10.0.0.1"}));
    ASSERT_TRUE(*run_async(node.sim.loop, servers->call(rpc::kNodeUpdateStatus, {}), 10s));
  }
  void TearDown() override {
    servers->stop_inbound();
    servers.reset();
  }
  std::unique_ptr<net::Stream> open(net::RpcByte type) {
    auto s = run_async(node.sim.loop, net::open_rpc_stream(*server.connection.lock()->session, type), 5s);
    return std::move(**s);
  }
  template <class Response, class Request>
  Result<Response> call(std::string method, const Request& request) {
    auto stream = open(net::RpcByte::kNomad);
    net::RpcWire wire(*stream);
    auto body = run_async(node.sim.loop, wire.call(std::move(method), to_msgpack(request)), 60s);
    if (!body || !*body) return body ? std::move(*body).error() : internal("hangs");
    return from_msgpack<Response>(**body);
  }
  template <class Request>
  std::vector<rpc::StreamErrWrapper> stream(std::string method, const Request& request) {
    auto stream = open(net::RpcByte::kStreaming);
    EXPECT_TRUE(*run_async(node.sim.loop, net::begin_streaming(*stream, std::move(method)), 5s));
    net::RpcWire wire(*stream);
    EXPECT_TRUE(*run_async(node.sim.loop, wire.write(to_msgpack(request))));
    std::vector<rpc::StreamErrWrapper> out;
    for (;;) {
      auto value = run_async(node.sim.loop, wire.read_value(), 10s);
      if (!value || !*value) return out;
      out.push_back(*from_msgpack<rpc::StreamErrWrapper>(**value));
    }
  }
};

TEST_F(CallbackTest, ServersAskTheNodeOnItsOwnConnection) {
  auto id = node.place(one_task_job());
  ASSERT_TRUE(node.reaches(id, "running"));
  rpc::AllocStatsRequest ask;
  ask.AllocID = id.str();
  auto stats = call<rpc::AllocStatsResponse>("Allocations.Stats", ask);
  ASSERT_TRUE(stats && stats->Stats) << stats.error().message;
  auto host = call<rpc::ClientStatsResponse>("ClientStats.Stats", rpc::NodeSpecificRequest{});
  ASSERT_TRUE(host && host->HostStats);
  rpc::FsRequest files;
  files.AllocID = id.str();
  files.Path = "/";
  auto listed = call<rpc::FsListResponse>("FileSystem.List", files);
  ASSERT_TRUE(listed) << listed.error().message;
  EXPECT_EQ(listed->Files.size(), 2u);
  NodeMetaApplyRequest meta;
  meta.Meta["k"] = "v";
  auto applied = call<NodeMetaResponse>("NodeMeta.Apply", meta);
  ASSERT_TRUE(applied);
  EXPECT_EQ(applied->Meta.get_or("k"), "v");
  rpc::AllocRestartRequest restart;
  restart.AllocID = Uuid::generate(node.sim.random).str();
  auto unknown = call<GenericResponse>("Allocations.Restart", restart);
  EXPECT_EQ(unknown.error().message, "Unknown allocation \"" + restart.AllocID + "\"");
  EXPECT_FALSE(call<GenericResponse>("Allocations.Nothing", restart));
}

TEST_F(CallbackTest, LogsAreStreamedAsFrames) {
  auto id = node.place(one_task_job());
  ASSERT_TRUE(node.reaches(id, "running"));
  spill_file(node.client->alloc_files(id)->paths.root + "/alloc/logs/main.stdout.0", "hello\n");
  rpc::FsLogsRequest ask;
  ask.AllocID = id.str();
  ask.Task = "main";
  ask.LogType = "stdout";
  auto frames = stream("FileSystem.Logs", ask);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].Payload.data, R"({"Offset":6,"Data":"aGVsbG8K","File":"alloc/logs/main.stdout.0"})");
  ask.PlainText = true;
  frames = stream("FileSystem.Logs", ask);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].Payload.data, "hello\n");
  ask.Task = "nope";
  frames = stream("FileSystem.Logs", ask);
  ASSERT_TRUE(frames.size() == 1 && frames[0].Error);
  EXPECT_EQ(frames[0].Error->Message, "unknown task name \"nope\"");
  EXPECT_EQ(frames[0].Error->Code, 400);
}

TEST_F(CallbackTest, AFollowedStreamEndsWithItsReader) {
  auto id = node.place(one_task_job());
  ASSERT_TRUE(node.reaches(id, "running"));
  spill_file(node.client->alloc_files(id)->paths.root + "/alloc/logs/main.stdout.0", "");
  rpc::FsLogsRequest ask;
  ask.AllocID = id.str();
  ask.Task = "main";
  ask.LogType = "stdout";
  ask.Follow = true;
  auto s = open(net::RpcByte::kStreaming);
  ASSERT_TRUE(*run_async(node.sim.loop, net::begin_streaming(*s, "FileSystem.Logs"), 5s));
  net::RpcWire wire(*s);
  ASSERT_TRUE(*run_async(node.sim.loop, wire.write(to_msgpack(ask))));
  auto beat = run_async(node.sim.loop, wire.read_value(), 5s);
  ASSERT_TRUE(beat && *beat);
  EXPECT_EQ(from_msgpack<rpc::StreamErrWrapper>(**beat)->Payload.data, "{}");
  auto& session = *server.connection.lock()->session;
  auto streams = session.streams();
  s.reset();
  EXPECT_TRUE(node.until([&] { return session.streams() < streams; }, 10s)) << "the node has let go as well";
}

}  // namespace
}  // namespace drover::client
