// What a cluster must refuse without losing anything: strangers on its port, servers that do not belong to it, damaged logs,
// a data directory that is in use.
#include <filesystem>
#include <set>

#include "net/rpc_wire.h"
#include "server/cluster_testing.h"
#include "server/dir_lock.h"
#include "server/raft_identity.h"
#include "server/test_objects.h"

namespace drover::server {
namespace {

struct BadInputTest : ClusterTest {
  // A connection that says `bytes` and then waits for its end: what came back, or nothing when it was not ended in time.
  std::optional<std::string> say(const std::string& from, Node& at, std::string bytes, Duration limit = 20s) {
    auto flow = [](BadInputTest& t, std::string from, Node& at, std::string bytes) -> Async<std::string> {
      auto stream = co_await t.lan.host(from).dial(net::Address::tcp(at.ip, 4647), 5s);
      if (!stream) co_return "refused";
      (void)co_await net::write_all(**stream, bytes);
      std::string got;
      for (char c;;) {
        auto n = co_await net::read_some(**stream, &c, 1);
        if (!n || *n == 0) co_return got;
        got += c;
      }
    };
    return run_async(sim.loop, flow(*this, from, at, std::move(bytes)), limit);
  }
  Node* leader_of(std::initializer_list<int> numbers) {
    for (int n : numbers)
      if (auto& node = nodes[n]; node.server && node.server->leader() && node.server->leader()->ready()) return &node;
    return nullptr;
  }
  bool serves(Node& at) { return put_namespace(at, "still-" + std::to_string(++served)).has_value(); }
  int served = 0;
};

TEST_F(BadInputTest, StrangersOnThePortAreCutOff) {
  three();
  auto& at = follower();
  std::string hello = "\x02" "DRVRAFT1" + std::string(7, '\0') + "\x09";
  for (auto& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\x09"), std::string("\x04\x16\x03\x01 no such thing"),
                      std::string("\x02" "DRVRAFT9") + std::string(8, 'x'),                   // another version of replication
                      hello + std::string("\xff\xff\xff\xff"),                              // a frame of four gigabytes
                      std::string("\x06\x63\x00\x00\x00", 5) + std::string(8, '\xff'),      // no version of yamux
                      std::string("\x01\xc1\xc1\xc1")}) {                                   // no MessagePack
    auto got = say("10.0.9.9", at, bytes);
    ASSERT_TRUE(got) << "not cut off";
  }
  auto silent = say("10.0.9.9", at, "");
  EXPECT_TRUE(silent) << "silence is cut off too";
  EXPECT_TRUE(serves(at));
}

TEST_F(BadInputTest, OneAddressCannotTakeAllConnections) {
  three();
  auto& at = follower();
  std::vector<Running> open;
  int ended = 0;
  for (int i = 0; i < 150; ++i)
    open.emplace_back([](BadInputTest& t, Node& at, int& ended) -> Async<void> {
      auto stream = co_await t.lan.host("10.0.9.9").dial(net::Address::tcp(at.ip, 4647), 5s);
      if (stream) {
        (void)co_await net::write_all(**stream, "\x01");
        char c;
        (void)co_await net::read_some(**stream, &c, 1);
      }
      ++ended;
    }(*this, at, ended));
  sim.loop.advance(1s);
  EXPECT_EQ(ended, 50) << "a hundred stay";
  EXPECT_TRUE(serves(at)) << "others are served as before";
}

// Two clusters of one region: both keep what they have, and neither takes the other in.
struct TwoClustersTest : BadInputTest {
  void six() {
    three();
    for (int n : {7, 8, 9}) add(n, 3);
    join(nodes[8], nodes[7]);
    join(nodes[9], nodes[7]);
    ASSERT_TRUE(until([&] { return leader_of({7, 8, 9}) && voters(*leader_of({7, 8, 9})) == 3; }));
    ASSERT_TRUE(put_namespace(*leader_of({1, 2, 3}), "ours"));
    ASSERT_TRUE(put_namespace(*leader_of({7, 8, 9}), "theirs"));
    for (int n : {7, 8, 9}) ASSERT_TRUE(until([&] { return has_namespace(nodes[n], "theirs"); }));
  }
  void expect_apart() {
    for (auto cluster : {std::initializer_list<int>{1, 2, 3}, {7, 8, 9}}) {
      ASSERT_TRUE(until([&] { return leader_of(cluster) != nullptr; }));
      EXPECT_EQ(leader_of(cluster)->server->replica().configuration().size(), 3u);
      EXPECT_EQ(voters(*leader_of(cluster)), 3);
    }
    EXPECT_TRUE(has_namespace(*leader_of({1, 2, 3}), "ours"));
    EXPECT_FALSE(has_namespace(*leader_of({1, 2, 3}), "theirs"));
    EXPECT_TRUE(has_namespace(*leader_of({7, 8, 9}), "theirs"));
  }
};

TEST_F(TwoClustersTest, TheirServersCannotJoinOurPool) {
  six();
  sim.loop.advance(1min);  // the pools know who is of which cluster
  auto joined = run_async(sim.loop, nodes[7].server->serf()->join({nodes[1].ip}), 30s);
  ASSERT_TRUE(joined);
  EXPECT_EQ(joined->count, 0);
  ASSERT_EQ(joined->errors.size(), 1u);
  EXPECT_NE(joined->errors[0].find("belongs to another cluster of region global"), std::string::npos) << joined->errors[0];
  sim.loop.advance(2min);
  for (int n : {1, 2, 3, 7, 8, 9}) {
    size_t alive = 0;
    for (auto& m : nodes[n].server->serf()->members()) alive += m.status == gossip::MemberStatus::kAlive;
    EXPECT_EQ(alive, 3u) << n;
  }
  expect_apart();
}

// As after both were restored from one backup: gossip cannot tell them apart.
TEST_F(TwoClustersTest, TheirServersAreNotTakenInWhereGossipMixes) {
  six();
  auto id = nodes[1].server->snapshot().cluster_meta().get()->ClusterID;
  for (int n : {7, 8, 9}) {
    auto& store = nodes[n].server->store();
    auto txn = store.begin(store.snapshot().index(), sim.clock.now());
    auto meta = *store.snapshot().cluster_meta().get();
    meta.ClusterID = id;
    txn.cluster_meta().upsert(std::move(meta));
    store.publish(std::move(txn));
  }
  sim.loop.advance(1min);
  join(nodes[7], nodes[1]);
  sim.loop.advance(3min);
  expect_apart();
  // Nodes are not sent to those who know nothing of them.
  auto registered = call<NodeUpdateResponse>(*leader_of({1, 2, 3}), "Node.Register", test_node(sim.random, 1));
  ASSERT_TRUE(registered) << registered.error().message;
  std::set<std::string> told;
  for (auto& s : registered->Servers) told.insert(s.RPCAdvertiseAddr);
  EXPECT_EQ(told, (std::set<std::string>{"10.0.0.1:4647", "10.0.0.2:4647", "10.0.0.3:4647"}));
}

TEST_F(BadInputTest, ASecondServerOfTheSameNameDoesNoHarm) {
  three();
  auto& second = add(4, 0);
  second.server.reset();
  lan.reset(second.ip);
  second.config.node_name = "s1";
  boot(second);
  (void)run_async(sim.loop, second.server->serf()->join({nodes[2].ip}), 30s);
  sim.loop.advance(2min);
  ASSERT_TRUE(until([&] { return leader_of({1, 2, 3}) != nullptr; }));
  EXPECT_EQ(voters(*leader_of({1, 2, 3})), 3);
  EXPECT_TRUE(serves(*leader_of({1, 2, 3})));
  for (int n : {1, 2, 3})
    EXPECT_EQ(nodes[n].server->replica().configuration().size(), 3u) << "the one that came last is not taken in";
}

TEST(RaftIdentityRule, OnlyKinAreTakenIn) {
  auto answer = [](int64_t wire, List<std::string> members) { return rpc::RaftIdentity{wire, "x", std::move(members)}; };
  std::set<std::string> ours{"a", "b"};
  EXPECT_EQ(judge_identity(answer(1, {}), ours).verdict, RaftKin::kMay) << "fresh";
  EXPECT_EQ(judge_identity(answer(1, {"x", "b"}), ours).verdict, RaftKin::kMay) << "was one of ours";
  EXPECT_EQ(judge_identity(answer(1, {"x", "y"}), {}).verdict, RaftKin::kMay) << "there is no cluster yet";
  auto other = judge_identity(answer(1, {"x", "y"}), ours);
  EXPECT_EQ(other.verdict, RaftKin::kForeign);
  EXPECT_NE(other.why.find("belongs to another cluster"), std::string::npos);
  auto newer = judge_identity(answer(2, {}), ours);
  EXPECT_EQ(newer.verdict, RaftKin::kForeign);
  EXPECT_NE(newer.why.find("version 2 of the protocol"), std::string::npos);
  auto reference = judge_identity(internal("rpc: can't find method Status.RaftIdentity"), ours);
  EXPECT_EQ(reference.verdict, RaftKin::kForeign);
  EXPECT_NE(reference.why.find("need a region of their own"), std::string::npos);
  EXPECT_EQ(judge_identity(Error(ErrorCode::kUnavailable, "connection refused"), ours).verdict, RaftKin::kNoAnswer);
}

// ---- logs ------------------------------------------------------------------------------------------------------------

struct LogDamageTest : BadInputTest {
  std::string newest_log(Node& node) {
    std::string found;
    for (auto& name : *node.disk.list("/raft/log"))
      if (name.starts_with("log-")) found = std::max(found, "/raft/log/" + name);
    return found;
  }
  Result<std::unique_ptr<Server>> open(Node& node) {
    return Server::create(node.config, {.world = sim.world, .disk = &node.disk, .log_thread = &sim.pool, .fatal = [](const Error&) {}});
  }
  size_t end_of(const std::string& content) { return content.find_last_not_of('\0') + 1; }
};

TEST_F(LogDamageTest, ATornTailIsCutAndTheServerComesBack) {
  three();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(put_namespace(*leader(), "n" + std::to_string(i)));
  auto& victim = follower();
  ASSERT_TRUE(until([&] { return has_namespace(victim, "n19"); }));
  kill(victim);
  auto* content = victim.disk.content(newest_log(victim));
  ASSERT_TRUE(content);
  // The beginning of a frame that never became whole.
  auto end = end_of(*content) + 16;
  ASSERT_LT(end + 200, content->size());
  std::fill_n(content->begin() + static_cast<std::ptrdiff_t>(end), 150, '\x5a');
  boot(victim);
  ASSERT_TRUE(victim.server);
  join(victim, *leader());
  EXPECT_TRUE(until([&] { return has_namespace(victim, "n19"); }, 30s));
}

TEST_F(LogDamageTest, ADamagedMiddleStopsTheServerWithAdviceAndTheFileIsAsItWas) {
  three();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(put_namespace(*leader(), "n" + std::to_string(i)));
  auto& victim = follower();
  ASSERT_TRUE(until([&] { return has_namespace(victim, "n19"); }));
  kill(victim);
  auto path = newest_log(victim);
  auto* content = victim.disk.content(path);
  ASSERT_TRUE(content);
  (*content)[end_of(*content) / 2] ^= 0x10;
  auto damaged = *content;
  auto opened = open(victim);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
  for (auto part : {path.c_str(), "is damaged at offset", "restore"})
    EXPECT_NE(opened.error().message.find(part), std::string::npos) << opened.error().message;
  EXPECT_EQ(*victim.disk.content(path), damaged) << "nothing is thrown away";
  EXPECT_TRUE(serves(*leader())) << "the others go on";
}

TEST(DirLock, OneAgentAtATime) {
  auto dir = (std::filesystem::temp_directory_path() / "dir_lock_testXXXXXX").string();
  ASSERT_TRUE(::mkdtemp(dir.data()));
  {
    auto first = DirLock::take(dir + "/raft");
    ASSERT_TRUE(first) << first.error().message;
    auto second = DirLock::take(dir + "/raft");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_EQ(second.error().message, "the data directory " + dir + "/raft is in use by another agent (process " + std::to_string(::getpid()) +
                                          "): stop it first, or give this one a data_dir of its own");
  }
  EXPECT_TRUE(DirLock::take(dir + "/raft")) << "it goes with its holder";
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace drover::server
