// Several servers on a quiet network: membership, transfer, snapshots to newcomers, restore, lost disks.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "base/log.h"
#include "base/sim_loop.h"
#include "raft/bytes.h"
#include "raft/mem_disk.h"
#include "raft/message.h"
#include "raft/replica.h"
#include "raft/test_machine.h"

namespace drover::raft {
namespace {

// A log thread that can stand still: a disk that hangs.
struct StuckPool final : Pool {
  explicit StuckPool(Pool& inner) : inner(inner) {}
  void run(std::move_only_function<void()> fn) override {
    if (stuck) held.push_back(std::move(fn));
    else inner.run(std::move(fn));
  }
  void go_on() {
    stuck = false;
    for (auto& job : std::exchange(held, {})) inner.run(std::move(job));
  }
  Pool& inner;
  bool stuck = false;
  std::vector<std::move_only_function<void()>> held;
};

class ReplicaCluster : public ::testing::Test {
 protected:
  struct Member final : Transport {
    ReplicaCluster* cluster = nullptr;
    Server server;
    MemDisk disk;
    TestMachine machine;
    std::unique_ptr<StuckPool> thread;
    std::unique_ptr<Replica> replica;
    std::string fatal;
    std::vector<LeaderInfo> leaders;
    bool cut_off = false;
    uint64_t received = 0;
    std::string dialled;  // the address that the last message came to
    void send(uint64_t peer, const std::string& address, std::string message) override {
      cluster->transmit(*this, peer, address, std::move(message));
    }
  };

  ReplicaCluster() { static_cast<void>(configure_log({.level = LogLevel::kOff})); }
  ~ReplicaCluster() override {
    for (auto& [id, m] : members) m->replica.reset();
  }

  Member& member(const std::string& id) {
    auto& m = members[id];
    if (!m) {
      m = std::make_unique<Member>();
      m->cluster = this;
      m->thread = std::make_unique<StuckPool>(sim.pool);
      m->server = {id, id + ":4647"};
    }
    return *m;
  }
  Member& open(const std::string& id) {
    Member& m = member(id);
    m.replica.reset();
    m.machine = TestMachine();
    Options o = options;
    o.self = m.server;
    o.dir = "/raft";
    o.inline_sync = false;
    Parts parts{sim.world, m.machine};
    parts.transport = &m;
    parts.disk = &m.disk;
    parts.log_thread = m.thread.get();
    auto r = Replica::open(o, parts);
    EXPECT_TRUE(r) << r.error().message;
    m.replica = std::move(*r);
    return m;
  }
  void start(Member& m) {
    Events e;
    e.fatal = [&m](const Error& error) { m.fatal = error.message; };
    e.leader = [&m](const LeaderInfo& l) { m.leaders.push_back(l); };
    m.replica->start(std::move(e));
  }
  // Opens, bootstraps and starts them all.
  void form(std::vector<std::string> ids) {
    std::vector<Server> first;
    for (auto& id : ids) first.push_back(member(id).server);
    for (auto& id : ids) {
      ASSERT_TRUE(open(id).replica->bootstrap(first));
      start(member(id));
    }
    ASSERT_TRUE(sim.loop.run_until([&] { return leader() != nullptr; }, 20s));
  }
  Member& join(const std::string& id) {
    Member& m = open(id);
    start(m);
    return m;
  }
  Member* leader() {
    for (auto& [id, m] : members) {
      if (m->replica && !m->cut_off && m->replica->is_leader()) return m.get();
    }
    return nullptr;
  }
  template <class T>
  T wait(Async<T> task) {
    auto r = run_async(sim.loop, std::move(task), 200s);
    EXPECT_TRUE(r) << "no answer";
    return r ? std::move(*r) : T(internal("no answer"));
  }
  // In the order in which a leader chooses among those that have the same log.
  static std::vector<std::string> by_rank(std::vector<std::string> ids) {
    std::sort(ids.begin(), ids.end(), [](auto& a, auto& b) { return peer_id(a) < peer_id(b); });
    return ids;
  }
  // It leads, and all have all of the log.
  bool lead(const std::vector<std::string>& ids, Member& m) {
    if (!converge(ids)) return false;
    if (leader() != &m && !wait(leader()->replica->transfer_leadership(m.server.id))) return false;
    return sim.loop.run_until([&] { return leader() == &m; }, 10s) && converge(ids);
  }
  void fill(int n, size_t size = 20) {
    for (int i = 0; i < n; i++) ASSERT_TRUE(wait(leader()->replica->propose(std::to_string(i) + std::string(size, 'x'))));
  }
  bool converge(std::vector<std::string> ids) {
    return sim.loop.run_until(
        [&] {
          Member* l = leader();
          if (!l) return false;
          for (auto& id : ids) {
            if (member(id).replica->stats().applied_index != l->replica->stats().last_log_index) return false;
            if (member(id).machine.text() != l->machine.text()) return false;
          }
          return true;
        },
        60s);
  }
  void transmit(Member& from, uint64_t peer, const std::string& address, std::string message) {
    messages++;
    if (on_message && !on_message(message)) return;
    uint64_t n = next_++;
    flying_[n] = sim.loop.after(1ms, [this, n, &from, peer, address, message = std::move(message)] {
      auto mine = flying_.extract(n);
      for (auto& [id, m] : members) {
        if (peer_id(id) != peer || !m->replica || m->cut_off || from.cut_off) continue;
        m->dialled = address;
        m->received++;
        m->replica->receive(message);
      }
    });
  }

  SimWorld sim{11};
  Options options;
  std::map<std::string, std::unique_ptr<Member>> members;
  uint64_t messages = 0;
  std::function<bool(std::string&)> on_message;  // false: lost; may change the bytes

  // The bytes of a snapshot's chunk and their offset; nothing of another message.
  static std::optional<std::pair<uint64_t, size_t>> chunk(std::string_view message) {
    ByteReader in(message);
    Envelope e;
    if (!decode_envelope(in, e) || e.kind != MessageKind::kSnapshotChunk) return std::nullopt;
    in.get<uint64_t>();
    auto offset = in.get<uint64_t>();
    in.get<uint32_t>();
    return std::pair(offset, in.left());
  }
  // One server with a state of some megabytes and a snapshot of it, and another one that has nothing.
  void large_state_and_a_newcomer() {
    options.trailing_logs = 1;
    form({"a"});
    fill(60, 100'000);
    ASSERT_TRUE(wait(member("a").replica->take_snapshot()));
    join("b");
  }

 private:
  uint64_t next_ = 0;
  std::map<uint64_t, Timer> flying_;
};

TEST_F(ReplicaCluster, ThreeFirstServersElectALeaderAndReplicate) {
  form({"a", "b", "c"});
  fill(20);
  EXPECT_TRUE(converge({"a", "b", "c"}));
  EXPECT_EQ(member("a").replica->configuration().size(), 3u);
  LeaderInfo l = leader()->replica->leader();
  for (auto& [id, m] : members) EXPECT_EQ(m->replica->leader(), l);
  auto refused = wait(member(l.id == "a" ? "b" : "a").replica->propose("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNotLeader);
}

TEST_F(ReplicaCluster, ALoneServerGrowsAndAnotherLeadsWhenItDies) {
  form({"a"});
  fill(10);
  join("b");
  join("c");
  ASSERT_TRUE(wait(member("a").replica->add_voter(member("b").server)));
  ASSERT_TRUE(wait(member("a").replica->add_voter(member("c").server)));
  EXPECT_TRUE(converge({"b", "c"}));
  auto list = member("b").replica->configuration();
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[2], (Server{"c", "c:4647", Suffrage::kVoter}));
  EXPECT_EQ(member("b").replica->stats().num_peers, 2u);
  member("a").replica.reset();
  ASSERT_TRUE(sim.loop.run_until([&] { return leader() != nullptr; }, 20s));
  fill(1);
  EXPECT_EQ(leader()->machine.entries.size(), 11u);
}

TEST_F(ReplicaCluster, ANewcomerGetsABigStateInChunksThoughTheLinkFails) {
  form({"a"});
  fill(300, 40'000);  // 12 MB
  Member& b = join("b");
  bool done = false;
  auto add = [&]() -> Async<void> {
    auto s = co_await member("a").replica->add_voter(b.server);
    EXPECT_TRUE(s) << s.error().message;
    done = true;
  };
  spawn(add());
  ASSERT_TRUE(sim.loop.run_until([&] { return b.received > 20; }, 20s));
  b.cut_off = true;
  sim.loop.advance(5s);
  EXPECT_TRUE(b.machine.entries.empty());
  b.cut_off = false;
  ASSERT_TRUE(sim.loop.run_until([&] { return done; }, 60s));
  EXPECT_TRUE(converge({"b"}));
  EXPECT_EQ(b.machine.restores, 1);
}

TEST_F(ReplicaCluster, AFollowerThatWasAwayLongGetsASnapshot) {
  options.trailing_logs = 10;
  form({"a", "b", "c"});
  fill(5);
  std::string away = leader()->server.id == "a" ? "b" : "a";
  member(away).cut_off = true;
  fill(100);
  ASSERT_TRUE(wait(leader()->replica->take_snapshot()));
  fill(20);
  member(away).cut_off = false;
  EXPECT_TRUE(converge({away}));
  EXPECT_EQ(member(away).machine.restores, 1);
}

TEST_F(ReplicaCluster, ASnapshotGoesOnWhereItsConnectionBroke) {
  large_state_and_a_newcomer();
  uint64_t sent = 0, largest = 0, acknowledged = 0, in_flight = 0;
  bool broken = false;
  std::map<uint64_t, int> offsets;
  on_message = [&](std::string& m) {
    if (auto c = chunk(m)) {
      if (broken) return false;
      offsets[c->first]++;
      sent += c->second;
      largest = std::max(largest, c->first + c->second);
      in_flight = std::max(in_flight, c->first + c->second - acknowledged);
      if (largest > 3'000'000 && offsets.size() < 14) broken = true;
    }
    ByteReader in(m);
    Envelope e;
    if (decode_envelope(in, e) && e.kind == MessageKind::kSnapshotAck) {
      in.get<uint64_t>();
      acknowledged = std::max(acknowledged, in.get<uint64_t>());
    }
    return true;
  };
  bool added = false;
  Running flow([](Replica& r, Server s, bool& added) -> Async<void> {
    added = (co_await r.add_learner(std::move(s))).operator bool();
  }(*member("a").replica, member("b").server, added));
  ASSERT_TRUE(sim.loop.run_until([&] { return broken; }, 30s));
  member("b").cut_off = true;
  sim.loop.advance(5s);
  member("b").cut_off = false;
  uint64_t before = acknowledged;
  EXPECT_GT(before, 1'000'000u);
  offsets.clear();
  on_message = [&](std::string& m) {
    if (auto c = chunk(m)) offsets[c->first]++;
    return true;
  };
  ASSERT_TRUE(converge({"b"}));
  ASSERT_FALSE(offsets.empty());
  EXPECT_GE(offsets.begin()->first, before);  // what was there is not sent again
  EXPECT_LE(in_flight, 2'200'000u);
  EXPECT_TRUE(added);
  EXPECT_EQ(member("b").machine.restores, 1);
}

TEST_F(ReplicaCluster, TheLogKeepsWhatComesAfterASnapshotThatIsOnItsWay) {
  large_state_and_a_newcomer();
  bool held = false, hold = true;
  on_message = [&](std::string& m) {
    auto c = chunk(m);
    if (!c || !hold || c->first < 2'000'000) return true;
    held = true;
    return false;
  };
  bool added = false;
  Running flow([](Replica& r, Server s, bool& added) -> Async<void> {
    added = (co_await r.add_learner(std::move(s))).operator bool();
  }(*member("a").replica, member("b").server, added));
  ASSERT_TRUE(sim.loop.run_until([&] { return held; }, 30s));
  fill(20);
  ASSERT_TRUE(wait(member("a").replica->take_snapshot()));  // with only one entry to be kept behind it
  hold = false;
  ASSERT_TRUE(converge({"b"}));
  EXPECT_EQ(member("b").machine.restores, 1);
}

TEST_F(ReplicaCluster, ADamagedChunkOfASnapshotIsRefusedAndSentAgain) {
  large_state_and_a_newcomer();
  int damaged = 0, chunks = 0;
  on_message = [&](std::string& m) {
    if (chunk(m) && ++chunks % 5 == 3 && damaged < 4) {
      m[m.size() - 100] = static_cast<char>(m[m.size() - 100] ^ 4);
      damaged++;
    }
    return true;
  };
  ASSERT_TRUE(wait(member("a").replica->add_learner(member("b").server)));
  ASSERT_TRUE(converge({"b"}));
  EXPECT_EQ(damaged, 4);
  EXPECT_EQ(member("b").machine.restores, 1);
}

TEST_F(ReplicaCluster, LeadershipMovesOnRequest) {
  form({"a", "b", "c"});
  fill(3);
  std::string first = leader()->server.id;
  ASSERT_TRUE(wait(leader()->replica->transfer_leadership()));
  ASSERT_TRUE(sim.loop.run_until([&] { return leader() && leader()->server.id != first; }, 5s));
  ASSERT_TRUE(wait(leader()->replica->transfer_leadership(first)));
  ASSERT_TRUE(sim.loop.run_until([&] { return leader() && leader()->server.id == first; }, 5s));
  fill(1);
}

TEST_F(ReplicaCluster, ATransferToAServerThatIsAwayTimesOut) {
  form({"a", "b", "c"});
  std::string away = leader()->server.id == "a" ? "b" : "a";
  member(away).cut_off = true;
  auto s = wait(leader()->replica->transfer_leadership(away));
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().message, "leadership transfer timeout");
  fill(1);
}

TEST_F(ReplicaCluster, RemovingTheLeaderMovesLeadershipFirst) {
  form({"a", "b", "c"});
  std::string first = leader()->server.id;
  auto s = wait(leader()->replica->remove(first));
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, ErrorCode::kNotLeader);
  ASSERT_TRUE(sim.loop.run_until([&] { return leader() && leader()->server.id != first; }, 5s));
  ASSERT_TRUE(wait(leader()->replica->remove(first)));
  EXPECT_EQ(leader()->replica->configuration().size(), 2u);
  fill(3);
  // The removed one heard of it, and does not disturb the others.
  uint64_t term = leader()->replica->stats().term;
  sim.loop.advance(30s);
  ASSERT_TRUE(leader());
  EXPECT_EQ(leader()->replica->stats().term, term);
}

TEST_F(ReplicaCluster, DemotionPromotionAndANewAddress) {
  form({"a", "b", "c"});
  std::string other = leader()->server.id == "a" ? "b" : "a";
  ASSERT_TRUE(wait(leader()->replica->demote(other)));
  EXPECT_EQ(leader()->replica->stats().num_peers, 1u);
  ASSERT_TRUE(wait(leader()->replica->promote(other)));
  EXPECT_EQ(leader()->replica->stats().num_peers, 2u);
  member(other).server.address = "elsewhere:4647";
  ASSERT_TRUE(wait(leader()->replica->add_voter(member(other).server)));
  fill(3);
  EXPECT_TRUE(converge({other}));
  for (auto& s : leader()->replica->configuration()) {
    if (s.id == other) {
      EXPECT_EQ(s.address, "elsewhere:4647");
    }
  }
  EXPECT_EQ(member(other).dialled, "elsewhere:4647");
}

TEST_F(ReplicaCluster, ConcurrentChangesQueue) {
  form({"a"});
  int ok = 0;
  auto add = [&](std::string id) -> Async<void> { ok += (co_await member("a").replica->add_voter(member(id).server)).has_value(); };
  for (std::string id : {"b", "c", "d", "e"}) {
    join(id);
    spawn(add(id));
  }
  ASSERT_TRUE(sim.loop.run_until([&] { return ok == 4; }, 60s));
  EXPECT_EQ(leader()->replica->configuration().size(), 5u);
}

TEST_F(ReplicaCluster, WithoutAMajorityNothingIsAnswered) {
  form({"a", "b", "c"});
  Member* l = leader();
  for (auto& [id, m] : members) m->cut_off = true;
  std::string write, read;
  auto propose = [&]() -> Async<void> {
    auto r = co_await l->replica->propose("x");
    write = r ? "ok" : r.error().message;
  };
  auto ask = [&]() -> Async<void> {
    auto r = co_await l->replica->read_index();
    read = r ? "ok" : r.error().message;
  };
  spawn(propose());
  spawn(ask());
  sim.loop.advance(30s);
  EXPECT_EQ(write, "leadership lost while committing log");
  EXPECT_EQ(read, "node is not the leader");
  EXPECT_EQ(l->replica->role(), Role::kCandidate);  // check quorum: it stepped down, and asks for votes
  for (auto& [id, m] : members) m->cut_off = false;
  ASSERT_TRUE(sim.loop.run_until([&] { return leader() != nullptr; }, 20s));
}

TEST_F(ReplicaCluster, AServerWithoutAVoteForgetsALeaderThatIsSilent) {
  form({"a", "b", "c"});
  Member& d = join("d");
  ASSERT_TRUE(wait(leader()->replica->add_learner(d.server)));
  ASSERT_TRUE(converge({"d"}));
  EXPECT_EQ(d.replica->leader().id, leader()->server.id);
  sim.loop.advance(30s);
  EXPECT_NE(d.replica->leader().id, "") << "heartbeats are enough";
  for (auto* id : {"a", "b", "c"}) member(id).cut_off = true;
  sim.loop.advance(5s);
  EXPECT_EQ(d.replica->leader().id, "");
  ASSERT_FALSE(d.leaders.empty());
  EXPECT_EQ(d.leaders.back().id, "") << "it is told";
  for (auto* id : {"a", "b", "c"}) member(id).cut_off = false;
  ASSERT_TRUE(sim.loop.run_until([&] { return leader() && d.replica->leader().id == leader()->server.id; }, 20s));
  EXPECT_EQ(d.leaders.back().id, leader()->server.id);
}

TEST_F(ReplicaCluster, AServerThatLostItsDiskSaysSoInsteadOfAborting) {
  form({"a", "b", "c"});
  fill(10);
  std::string lost = leader()->server.id == "a" ? "b" : "a";
  Member& m = member(lost);
  m.replica.reset();
  ASSERT_TRUE(m.disk.remove_all("/raft"));
  join(lost);
  ASSERT_TRUE(sim.loop.run_until([&] { return !m.fatal.empty(); }, 20s));
  EXPECT_NE(m.fatal.find("Give it a new node id"), std::string::npos) << m.fatal;
  fill(3);
}

TEST_F(ReplicaCluster, RestoreStateReachesEveryServer) {
  form({"a", "b", "c"});
  fill(5);
  std::string state = "700 " + std::string(3'000'000, 's') + "\n";
  auto r = wait(leader()->replica->restore_state(std::make_unique<StringReader>(state), 700));
  ASSERT_TRUE(r);
  EXPECT_TRUE(std::any_cast<Status>(r->outcome));
  EXPECT_EQ(r->index, 701u);
  EXPECT_TRUE(converge({"a", "b", "c"}));
  fill(1);
  EXPECT_EQ(leader()->machine.entries.back().first, 702u);
  EXPECT_TRUE(converge({"a", "b", "c"}));
  // A newcomer has the same indexes.
  join("d");
  ASSERT_TRUE(wait(leader()->replica->add_voter(member("d").server)));
  EXPECT_TRUE(converge({"d"}));
  EXPECT_EQ(member("d").replica->stats().applied_index, leader()->replica->stats().applied_index);
}

TEST_F(ReplicaCluster, ARestoreThatItsLeaderDoesNotFinishChangesNothing) {
  form({"a", "b", "c"});
  fill(5);
  std::string before = leader()->machine.text();
  struct Endless final : SnapshotReader {
    Result<size_t> read(char* out, size_t size) override {
      std::fill_n(out, size, 'e');
      return size;
    }
  };
  Member* first = leader();
  auto restore = [&]() -> Async<void> {
    auto r = co_await first->replica->restore_state(std::make_unique<Endless>(), 1);
    EXPECT_FALSE(r);
  };
  spawn(restore());
  sim.loop.advance(100ms);
  ASSERT_TRUE(wait(first->replica->transfer_leadership()));
  ASSERT_TRUE(sim.loop.run_until([&] { return leader() && leader() != first; }, 20s));
  EXPECT_EQ(leader()->machine.text(), before);
  ASSERT_TRUE(wait(leader()->replica->take_snapshot()));  // not held up by the half of a restore
  fill(2);
  EXPECT_TRUE(converge({"a", "b", "c"}));
}

// Two of five are full, the leader among them, and each is the one that the other would choose: as good as the rest, and first
// among equals. Leadership soon is with one that has room.
TEST_F(ReplicaCluster, AFullLeaderFindsOneThatHasRoom) {
  options.segment = 4u << 20;
  auto ids = by_rank({"a", "b", "c", "d", "e"});
  form(ids);
  auto *first = &member(ids[0]), *second = &member(ids[1]);
  fill(3);
  ASSERT_TRUE(lead(ids, *first));
  for (auto* m : {first, second}) m->disk.fill("/raft/log");
  std::optional<Monotonic> refused;
  for (int i = 0; i < 1000 && !refused; i++)
    if (!wait(leader()->replica->propose(std::string(4000, 'x')))) refused = sim.clock.monotonic();
  ASSERT_TRUE(refused);
  // What is refused is not written: a server that waits for room would lag, and not be chosen.
  auto with_room = [&] { return leader() && leader() != first && leader() != second; };
  while (!with_room() && sim.clock.monotonic() - *refused < 60s) {
    if (leader() == second) static_cast<void>(wait(second->replica->propose(std::string(4000, 'x'))));
    sim.loop.advance(10ms);
  }
  ASSERT_TRUE(with_room());
  EXPECT_LT(sim.clock.monotonic() - *refused, 15s);
  fill(3);
  for (auto* m : {first, second}) m->disk.fill("");
  ASSERT_TRUE(converge(ids));
  for (auto& [id, m] : members) EXPECT_EQ(m->fatal, "") << id;
}

// The leader's disk hangs, and the follower that it would choose has all of the log, but its disk hangs as well by now, or it
// has just gone.
TEST_F(ReplicaCluster, ALeaderWithAHungDiskFindsOneWhoseDiskWorks) {
  auto ids = by_rank({"a", "b", "c", "d", "e"});
  form(ids);
  auto *first = &member(ids[0]), *second = &member(ids[1]);
  fill(3);
  for (bool gone : {false, true}) {
    ASSERT_TRUE(lead(ids, *first));
    first->thread->stuck = true;
    std::optional<bool> answer;
    Running held([](Replica& replica, std::optional<bool>& answer) -> Async<void> {
      answer = static_cast<bool>(co_await replica.propose("held"));
    }(*first->replica, answer));
    sim.loop.advance(gone ? 3900ms : 1s);
    (gone ? second->cut_off : second->thread->stuck) = true;
    auto began = sim.clock.monotonic();
    ASSERT_TRUE(sim.loop.run_until([&] { return leader() && leader() != first && leader() != second; }, 60s));
    EXPECT_LT(sim.clock.monotonic() - began, 8s);
    EXPECT_EQ(answer, false) << "its outcome is not known";
    EXPECT_TRUE(wait(leader()->replica->propose("goes on")));
    second->cut_off = false;
    for (auto* m : {first, second}) m->thread->go_on();
    ASSERT_TRUE(converge(ids));
  }
}

TEST_F(ReplicaCluster, AnOperatorRecoversAClusterThatLostItsMajority) {
  form({"a", "b", "c"});
  fill(10);
  std::string state = "700 restored\n";
  ASSERT_TRUE(wait(leader()->replica->restore_state(std::make_unique<StringReader>(state), 700)));
  fill(3);
  ASSERT_TRUE(converge({"a", "b", "c"}));
  std::string before = member("a").machine.text();
  for (auto& [id, m] : members) m->replica.reset();
  members.erase("b");
  members.erase("c");
  options.recover = std::vector<Server>{member("a").server};
  open("a");
  EXPECT_EQ(member("a").machine.text(), before);
  options.recover.reset();
  start(open("a"));  // it is written down: the list is not needed again
  ASSERT_TRUE(sim.loop.run_until([&] { return leader() != nullptr; }, 5s));
  EXPECT_EQ(leader()->replica->configuration(), (std::vector<Server>{member("a").server}));
  EXPECT_EQ(leader()->machine.text(), before);
  fill(1);
  EXPECT_GT(leader()->machine.entries.back().first, 704u);
}

TEST_F(ReplicaCluster, RecoveryWithoutStateIsRefused) {
  Member& m = member("a");
  Options o;
  o.self = m.server;
  o.dir = "/raft";
  o.recover = std::vector<Server>{m.server};
  Parts parts{sim.world, m.machine};
  parts.disk = &m.disk;
  parts.log_thread = &sim.pool;
  auto r = Replica::open(o, parts);
  ASSERT_FALSE(r);
  EXPECT_NE(r.error().message.find("no initial state"), std::string::npos);
}

// The owner may drop the replica from any of its events.
TEST_F(ReplicaCluster, ItsOwnerMayLetGoOfItInsideAnEvent) {
  for (int which = 0; which < 3; which++) {
    Member& m = open("x" + std::to_string(which));
    ASSERT_TRUE(m.replica->bootstrap({m.server}));
    Events e;
    int calls = 0;
    auto drop = [&] {
      calls++;
      m.replica.reset();
    };
    if (which == 0) e.leadership = [&](bool, uint64_t) { drop(); };
    if (which == 1) e.leader = [&](const LeaderInfo&) { drop(); };
    if (which == 2) e.fatal = [&](const Error&) { drop(); };
    if (which == 2) m.disk.fail_on("/raft/log");
    m.replica->start(std::move(e));
    sim.loop.advance(2s);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(m.replica, nullptr);
  }
}

TEST_F(ReplicaCluster, GarbageFromTheNetworkIsIgnored) {
  form({"a", "b", "c"});
  std::string bytes(200, '\0');
  for (int i = 0; i < 5000; i++) {
    size_t n = sim.random.below(bytes.size());
    sim.random.fill(bytes.data(), n);
    if (i % 2) {
      // A good envelope around the garbage.
      uint64_t from = peer_id("b"), to = peer_id("a");
      bytes[0] = 1;
      bytes[1] = static_cast<char>(1 + i % 4);
      std::copy_n(reinterpret_cast<char*>(&from), 8, bytes.data() + 2);
      std::copy_n(reinterpret_cast<char*>(&to), 8, bytes.data() + 10);
      std::fill_n(bytes.data() + 18, 4, '\0');
    }
    // Kinds that a peer may send can carry lies that only an authenticated peer could tell: not those.
    bytes[22] = 77;
    member("a").replica->receive(std::string_view(bytes).substr(0, n));
  }
  sim.loop.advance(1s);
  EXPECT_EQ(member("a").fatal, "");
  fill(3);
}

TEST_F(ReplicaCluster, AnIdleLoneServerSendsAndSyncsNothing) {
  form({"a"});
  sim.loop.advance(2s);
  uint64_t syncs = leader()->replica->stats().syncs;
  sim.loop.advance(60s);
  EXPECT_EQ(messages, 0u);
  EXPECT_EQ(leader()->replica->stats().syncs, syncs);
}

TEST_F(ReplicaCluster, ALeaderWhoseDiskHangsGivesLeadershipAway) {
  form({"a", "b", "c"});
  fill(3);
  Member* old = leader();
  old->thread->stuck = true;
  auto body = [](std::string text) { return std::make_shared<const std::string>(std::move(text)); };
  auto lost = wait(old->replica->propose("held", body("held")));
  EXPECT_FALSE(lost) << "its outcome is not known";
  ASSERT_TRUE(sim.loop.run_until([&] { return leader() && leader() != old; }, 10s));
  EXPECT_TRUE(wait(leader()->replica->propose("goes on", body("goes on"))));
  EXPECT_EQ(leader()->machine.own, 1);
  old->thread->go_on();
  EXPECT_TRUE(converge({"a", "b", "c"}));
  // A body goes with the entry that it was proposed with, never with another's at the same place, nor to other servers.
  for (auto& id : {"a", "b", "c"}) {
    EXPECT_EQ(member(id).machine.foreign, 0) << id;
    EXPECT_EQ(member(id).machine.own, &member(id) == leader() ? 1 : 0) << id;
  }
}

}  // namespace
}  // namespace drover::raft
