// One server: the driver over a real log on a disk in memory, and once on the real one.
#include "raft/replica.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>

#include "base/log.h"
#include "base/sim_loop.h"
#include "raft/mem_disk.h"
#include "raft/test_machine.h"

namespace drover::raft {
namespace {

const Server kSelf{"5f3b4d1e-0000-0000-0000-000000000001", "127.0.0.1:4647"};

struct Single {
  explicit Single(SimWorld& s, MemDisk& d) : sim(s), disk(d) {
    options.self = kSelf;
    options.dir = "/raft";
    options.inline_sync = false;
    options.segment = 64u << 10;
  }
  Status open() {
    replica.reset();
    machine = std::make_unique<TestMachine>();
    Parts parts{sim.world, *machine};
    parts.disk = &disk;
    parts.log_thread = &sim.pool;
    parts.apply_executor = executor;
    auto r = Replica::open(options, parts);
    if (!r) return std::move(r).error();
    replica = std::move(*r);
    return {};
  }
  void start() {
    Events events;
    events.leadership = [this](bool leads, uint64_t term) { leadership.emplace_back(leads, term); };
    events.fatal = [this](const Error& e) { fatal = e.message; };
    replica->start(std::move(events));
  }
  void lead() {
    Status opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
    if (!replica->has_state()) {
      ASSERT_TRUE(replica->bootstrap({kSelf}));
    }
    start();
    ASSERT_TRUE(sim.loop.run_until([&] { return replica->is_leader(); }, 5s));
  }
  Result<Applied> propose(std::string entry) {
    auto r = run_async(sim.loop, replica->propose(std::move(entry)), 20s);
    if (!r) return internal("no answer");
    return std::move(*r);
  }
  SimWorld& sim;
  MemDisk& disk;
  Options options;
  Pool* executor = nullptr;
  std::unique_ptr<TestMachine> machine;
  std::unique_ptr<Replica> replica;
  std::vector<std::pair<bool, uint64_t>> leadership;
  std::string fatal;
};

class SingleServer : public ::testing::Test {
 protected:
  SingleServer() { static_cast<void>(configure_log({.level = LogLevel::kOff})); }
  SimWorld sim{1};
  MemDisk disk;
  Single s{sim, disk};
};

TEST_F(SingleServer, LeadsAtOnceAndAnswersWithIndexAndOutcome) {
  auto start = sim.clock.monotonic();
  s.lead();
  EXPECT_EQ(sim.clock.monotonic() - start, 0s);
  EXPECT_EQ(s.leadership, (std::vector<std::pair<bool, uint64_t>>{{true, 2}}));
  auto a = s.propose("a"), b = s.propose("b");
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->index, 3u);  // 1 is the configuration, 2 the leader's no-op
  EXPECT_EQ(b->index, 4u);
  EXPECT_EQ(std::any_cast<int>(b->outcome), 2);
  EXPECT_EQ(s.replica->leader(), (LeaderInfo{kSelf.id, kSelf.address}));
}

TEST_F(SingleServer, AnEntryIsAppliedWithTheBodyThatItWasProposedWith) {
  s.lead();
  for (int i = 0; i < 200; ++i) {
    auto text = "entry " + std::to_string(i);
    auto body = i % 3 ? std::make_shared<const std::string>(text) : nullptr;
    ASSERT_TRUE(run_async(sim.loop, s.replica->propose(text, body), 20s));
  }
  EXPECT_EQ(s.machine->own, 133);
  EXPECT_EQ(s.machine->foreign, 0);
  EXPECT_EQ(s.machine->entries.size(), 200u);
}

TEST_F(SingleServer, ReplaysItsLogAfterARestart) {
  s.lead();
  for (int i = 0; i < 50; i++) ASSERT_TRUE(s.propose("entry " + std::to_string(i)));
  std::string before = s.machine->text();
  s.lead();
  ASSERT_TRUE(run_async(sim.loop, s.replica->barrier()).value());
  EXPECT_EQ(s.machine->text(), before);
  EXPECT_EQ(s.machine->restores, 0);
  EXPECT_EQ(s.leadership.back().second, 3u);
}

TEST_F(SingleServer, RestoresASnapshotAndReplaysWhatFollows) {
  s.options.trailing_logs = 5;
  s.lead();
  for (int i = 0; i < 30; i++) ASSERT_TRUE(s.propose("entry " + std::to_string(i)));
  ASSERT_TRUE(run_async(sim.loop, s.replica->take_snapshot()).value());
  EXPECT_EQ(s.replica->stats().last_snapshot_index, 32u);
  for (int i = 30; i < 40; i++) ASSERT_TRUE(s.propose("entry " + std::to_string(i)));
  std::string before = s.machine->text();
  s.lead();
  ASSERT_TRUE(run_async(sim.loop, s.replica->barrier()).value());
  EXPECT_EQ(s.machine->text(), before);
  EXPECT_EQ(s.machine->restores, 1);
}

// The last snapshot's damage costs nothing: the one before and the log make up for it. Without either the server does not start.
TEST_F(SingleServer, ADamagedSnapshotIsPassedOverAndWithoutAnyItStops) {
  s.options.trailing_logs = 5;
  s.lead();
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 30; i++) ASSERT_TRUE(s.propose("entry " + std::to_string(i)));
    ASSERT_TRUE(run_async(sim.loop, s.replica->take_snapshot()).value());
  }
  ASSERT_TRUE(s.propose("last"));
  std::string before = s.machine->text();
  s.replica.reset();
  auto names = *disk.list("/raft/snapshots");
  ASSERT_EQ(names.size(), 2u);
  std::sort(names.begin(), names.end(), [](auto& a, auto& b) { return std::pair(a.size(), a) > std::pair(b.size(), b); });
  auto state = [&](size_t n) { return disk.content("/raft/snapshots/" + names[n] + "/state"); };
  auto meta = [&](size_t n) { return disk.content("/raft/snapshots/" + names[n] + "/meta"); };
  struct Damage {
    const char* what;
    std::function<void(size_t)> harm;
  };
  std::string states[2] = {*state(0), *state(1)}, metas[2] = {*meta(0), *meta(1)};
  for (auto& [what, harm] : {Damage{"a bit of the state", [&](size_t n) { (*state(n))[state(n)->size() / 2] ^= 4; }},
                             Damage{"a state cut short", [&](size_t n) { state(n)->resize(state(n)->size() - 1); }},
                             Damage{"a bit of the descriptor", [&](size_t n) { meta(n)->back() ^= 1; }},
                             Damage{"an empty descriptor", [&](size_t n) { meta(n)->clear(); }}}) {
    harm(0);
    s.lead();
    EXPECT_EQ(s.machine->text(), before) << what;
    s.replica.reset();
    harm(1);
    auto opened = s.open();
    ASSERT_FALSE(opened) << what;
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt) << what;
    EXPECT_NE(opened.error().message.find("newest readable snapshot in /raft/snapshots ends at 0"), std::string::npos) << opened.error().message;
    EXPECT_NE(opened.error().message.find("move /raft and the server's node-id file away"), std::string::npos) << opened.error().message;
    EXPECT_EQ(disk.list("/raft/snapshots")->size(), 2u) << what << ": nothing is thrown away";
    for (size_t n : {0u, 1u}) *state(n) = states[n], *meta(n) = metas[n];
  }
  s.lead();
  EXPECT_EQ(s.machine->text(), before);
}

TEST_F(SingleServer, SnapshotsByThresholdKeepTwoAndFreeSegments) {
  s.options.snapshot_threshold = 100;
  s.options.snapshot_interval = 1s;
  s.options.trailing_logs = 20;
  s.lead();
  for (int i = 0; i < 1000; i++) {
    ASSERT_TRUE(s.propose(std::string(500, 'x')));
    if (i % 100 == 99) sim.loop.advance(3s);
  }
  EXPECT_EQ(disk.list("/raft/snapshots")->size(), 2u);
  size_t segments = 0;
  for (auto& name : *disk.list("/raft/log")) segments += name.starts_with("log-");
  EXPECT_LE(segments, 4u);
  std::string before = s.machine->text();
  s.lead();
  EXPECT_EQ(s.machine->text(), before);
}

TEST_F(SingleServer, AFewLargeEntriesAreReasonForASnapshotToo) {
  s.options.snapshot_bytes_min = 100'000;
  s.options.trailing_bytes = 40'000;
  s.lead();
  auto size = [&] { return s.machine->text().size(); };
  while (s.replica->stats().last_snapshot_index < 2) {
    ASSERT_TRUE(s.propose(std::string(5000, 'x')));
    ASSERT_LT(size(), 160'000u) << "no snapshot, though there are more bytes than half as many again";
  }
  EXPECT_GT(size(), 100'000u);
  uint64_t first = s.replica->stats().last_snapshot_index;
  size_t at_first = size();
  while (s.replica->stats().last_snapshot_index == first) ASSERT_TRUE(s.propose(std::string(5000, 'x')));
  EXPECT_GT(size() - at_first, 100'000u) << "as much as the state has";

  for (int i = 0; i < 100; i++) ASSERT_TRUE(s.propose(std::string(5000, 'x')));
  ASSERT_TRUE(run_async(sim.loop, s.replica->take_snapshot()).value());
  sim.loop.run_ready();
  size_t segments = 0;
  for (auto& name : *disk.list("/raft/log")) segments += name.starts_with("log-");
  EXPECT_LE(segments, 2u) << "the log keeps 40,000 bytes behind a snapshot, however few entries that is";
  std::string before = s.machine->text();
  s.lead();
  ASSERT_TRUE(run_async(sim.loop, s.replica->barrier()).value());
  EXPECT_EQ(s.machine->text(), before);
}

TEST_F(SingleServer, AppliesOnItsExecutorInOrder) {
  s.executor = &sim.pool;
  s.lead();
  int answered = 0;
  auto one = [&](int i) -> Async<void> {
    auto r = co_await s.replica->propose(std::to_string(i));
    EXPECT_EQ(r->index, 3u + static_cast<uint64_t>(i));
    answered++;
  };
  for (int i = 0; i < 2000; i++) spawn(one(i));
  sim.loop.advance(1s);
  EXPECT_EQ(answered, 2000);
  EXPECT_EQ(s.machine->entries.size(), 2000u);
  EXPECT_LT(s.machine->batches, 100);
}

TEST_F(SingleServer, ConsistentReadSeesWhatWasAcknowledged) {
  s.lead();
  auto a = s.propose("a");
  auto r = run_async(sim.loop, s.replica->read_index()).value();
  ASSERT_TRUE(r);
  EXPECT_GE(*r, a->index);
}

TEST_F(SingleServer, RefusesBeforeStartAndBootstrapTwice) {
  ASSERT_TRUE(s.open());
  auto r = run_async(sim.loop, s.replica->propose("x")).value();
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "node is not the leader");
  ASSERT_TRUE(s.replica->bootstrap({kSelf}));
  auto again = s.replica->bootstrap({kSelf});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, "bootstrap only works on new clusters");
}

TEST_F(SingleServer, BoundsWhatIsInFlight) {
  s.options.max_entry = 1000;
  s.options.max_in_flight = 2500;
  s.lead();
  auto big = s.propose(std::string(1001, 'x'));
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error().code, ErrorCode::kTooLarge);
  int ok = 0, full = 0;
  auto one = [&]() -> Async<void> {
    auto r = co_await s.replica->propose(std::string(1000, 'x'));
    (r ? ok : full)++;
    if (!r) {
      EXPECT_EQ(r.error().message, "too many bytes in flight in the raft log: the limit is 2.4 KiB");
    }
  };
  for (int i = 0; i < 3; i++) spawn(one());
  sim.loop.run_ready();
  EXPECT_EQ(ok, 2);
  EXPECT_EQ(full, 1);
  EXPECT_EQ(s.replica->stats().in_flight_bytes, 0u);
  EXPECT_TRUE(s.propose("y"));
}

TEST_F(SingleServer, ADiskErrorIsFatalAndNothingIsAcknowledged) {
  s.lead();
  disk.fail_on("/raft/log");
  auto r = s.propose("a");
  ASSERT_FALSE(r);
  EXPECT_NE(s.fatal.find("Input/output error"), std::string::npos) << s.fatal;
  EXPECT_EQ(s.replica->role(), Role::kShutdown);
  EXPECT_FALSE(s.propose("b"));
}

// It refuses, answers reads, and goes on when there is room; what was open by then has taken effect or not, whole.
TEST_F(SingleServer, AFullDiskRefusesAndRecovers) {
  s.lead();
  disk.fill("/raft/log");
  std::vector<std::string> taken;
  std::string refusal;
  for (int i = 0; i < 200 && refusal.empty(); i++) {
    auto text = std::to_string(i) + std::string(1000, 'x');
    auto r = s.propose(text);
    if (r) {
      taken.push_back(text);
    } else {
      refusal = r.error().message;
    }
  }
  EXPECT_NE(refusal.find("no space left on device; whether this takes effect is open"), std::string::npos) << refusal;
  EXPECT_GT(taken.size(), 10u);
  auto second = s.propose("refused");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(second.error().message.find("no space left on device"), std::string::npos);
  EXPECT_EQ(s.replica->stats().in_flight_bytes, 0u);
  EXPECT_EQ(s.fatal, "");
  EXPECT_TRUE(s.replica->is_leader());
  auto read = run_async(sim.loop, s.replica->read_index(), 5s);
  EXPECT_TRUE(read && *read);

  disk.fill("");
  sim.loop.advance(2s);
  ASSERT_TRUE(s.propose("after"));
  auto check = [&] {
    std::vector<std::string> got;
    for (auto& [index, entry] : s.machine->entries) got.push_back(entry);
    ASSERT_EQ(got.size(), taken.size() + 2);  // what was open took effect here
    EXPECT_TRUE(std::equal(taken.begin(), taken.end(), got.begin()));
    EXPECT_EQ(got.back(), "after");
  };
  check();
  s.lead();
  check();
}

// What a leader must write to serve at all goes through while all else is refused, after a restart too.
TEST_F(SingleServer, TheReserveOfAFullDiskIsForTinyEntries) {
  s.options.segment = 4u << 20;
  s.lead();
  disk.fill("/raft/log");
  bool refused = false;
  for (int i = 0; i < 3000 && !refused; i++) refused = !s.propose(std::string(1000, 'x'));
  ASSERT_TRUE(refused);
  EXPECT_TRUE(s.propose("tiny"));
  s.lead();
  ASSERT_TRUE(s.propose("tiny"));  // asks for zeros, and finds that there are none
  sim.loop.advance(1s);
  EXPECT_FALSE(s.propose(std::string(1000, 'x')));
  EXPECT_TRUE(s.propose("tiny"));
  disk.fill("");
  sim.loop.advance(1s);
  EXPECT_TRUE(s.propose(std::string(1000, 'x')));
}

TEST_F(SingleServer, StoppingAnswersWaitersThatTheirOutcomeIsUnknown) {
  s.lead();
  std::string answer;
  auto one = [&]() -> Async<void> {
    auto r = co_await s.replica->propose("x");
    answer = r ? "ok" : r.error().message;
  };
  spawn(one());
  s.replica.reset();
  EXPECT_EQ(answer, "raft is already shutdown");
}

TEST_F(SingleServer, RestoreStateReplacesTheStateAndRaisesIndexes) {
  s.lead();
  ASSERT_TRUE(s.propose("old"));
  std::string state = "400 from elsewhere\n500 and more\n" + std::string();
  auto r = run_async(sim.loop, s.replica->restore_state(std::make_unique<StringReader>(state), 500)).value();
  ASSERT_TRUE(r) << r.error().message;
  EXPECT_TRUE(std::any_cast<Status>(r->outcome));
  EXPECT_EQ(r->index, 501u);
  EXPECT_EQ(s.machine->text(), state);
  auto next = s.propose("new");
  EXPECT_EQ(next->index, 502u);
  sim.loop.run_ready();
  EXPECT_GE(s.replica->stats().last_snapshot_index, 501u);
  std::string before = s.machine->text();
  s.lead();
  ASSERT_TRUE(run_async(sim.loop, s.replica->barrier()).value());
  EXPECT_EQ(s.machine->text(), before);
  EXPECT_EQ(s.propose("after")->index, 504u);  // 503 is the no-op of the new term
}

TEST_F(SingleServer, RestoreStateThatTheMachineRefusesChangesNothing) {
  s.lead();
  ASSERT_TRUE(s.propose("old"));
  std::string before = s.machine->text();
  auto r = run_async(sim.loop, s.replica->restore_state(std::make_unique<StringReader>("bad"), 500)).value();
  ASSERT_TRUE(r);
  auto status = std::any_cast<Status>(r->outcome);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "not a state");
  EXPECT_EQ(s.machine->text(), before);
  EXPECT_EQ(s.propose("next")->index, 5u);
}

TEST_F(SingleServer, MemoryModeKeepsAShortLogAndTakesNoPeers) {
  s.options.memory = true;
  s.options.dir.clear();
  s.lead();
  for (int i = 0; i < 3000; i++) ASSERT_TRUE(s.propose(std::to_string(i)));
  EXPECT_EQ(s.machine->entries.size(), 3000u);
  EXPECT_TRUE(disk.list("")->empty());
  auto r = run_async(sim.loop, s.replica->add_learner({"b", "127.0.0.1:1"})).value();
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "a server whose log is in memory cannot have peers");
}

TEST_F(SingleServer, TheOnlyVoterCannotBeRemovedOrDemoted) {
  s.lead();
  EXPECT_FALSE(run_async(sim.loop, s.replica->remove(kSelf.id)).value());
  EXPECT_FALSE(run_async(sim.loop, s.replica->demote(kSelf.id)).value());
  EXPECT_EQ(run_async(sim.loop, s.replica->remove("nobody")).value().error().message,
            "id \"nobody\" was not found in the Raft configuration");
  EXPECT_TRUE(s.propose("x"));
}

// Power cuts at every point: nothing acknowledged is lost, nothing appears twice, the order stays.
TEST_F(SingleServer, SurvivesPowerCutsAtEveryPoint) {
  s.options.segment = 8u << 10;
  s.options.snapshot_threshold = 40;
  s.options.snapshot_interval = 100ms;
  s.options.trailing_logs = 10;
  std::vector<std::string> acknowledged;
  int next = 0;
  for (int round = 0; round < 150; round++) {
    s.lead();
    std::vector<std::string> seen;
    ASSERT_TRUE(run_async(sim.loop, s.replica->barrier()).value());
    for (auto& e : s.machine->entries) seen.push_back(e.second);
    size_t at = 0;
    for (auto& e : seen) at += at < acknowledged.size() && e == acknowledged[at];
    ASSERT_EQ(at, acknowledged.size()) << "round " << round << ": an acknowledged entry is missing";
    for (size_t i = 1; i < seen.size(); i++) ASSERT_LT(std::stoi(seen[i - 1]), std::stoi(seen[i]));
    acknowledged = seen;  // what survived stays
    disk.cut_power_after(sim.random.below(60));
    auto one = [&](std::string text) -> Async<void> {
      auto r = co_await s.replica->propose(text);
      if (r) acknowledged.push_back(text);
    };
    for (int i = 0; i < 30 && s.fatal.empty(); i++) {
      for (int k = static_cast<int>(sim.random.below(5)); k >= 0; k--) {
        std::string text = std::to_string(next++);
        text.insert(0, sim.random.below(300), '0');
        spawn(one(text));
      }
      sim.loop.advance(40ms);
    }
    s.replica.reset();
    sim.loop.run_ready();
    s.fatal.clear();
    disk.crash(sim.random);
  }
  EXPECT_GT(acknowledged.size(), 300u);
}

TEST(RealDisk, OpensInMillisecondsWithoutWritingAWholeSegment) {
  char dir[] = "/tmp/drover-raft-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  SimWorld sim;
  TestMachine machine;
  Options options;
  options.self = kSelf;
  options.dir = std::string(dir) + "/raft";
  for (int round = 0; round < 2; round++) {
    Parts parts{sim.world, machine};
    auto start = std::chrono::steady_clock::now();
    auto r = Replica::open(options, parts);
    ASSERT_TRUE(r) << r.error().message;
    if (round == 0) {
      ASSERT_TRUE((*r)->bootstrap({kSelf}));
    }
    (*r)->start({});
    while (!(*r)->is_leader() && std::chrono::steady_clock::now() - start < 10s) sim.loop.run_ready();
    EXPECT_TRUE((*r)->is_leader());
    auto took = std::chrono::steady_clock::now() - start;
    RecordProperty("round_" + std::to_string(round) + "_us", static_cast<int>(took / 1us));
    bool done = false;
    auto one = [&]() -> Async<void> {
      auto a = co_await (*r)->propose("x");
      EXPECT_TRUE(a);
      done = true;
    };
    spawn(one());
    while (!done && std::chrono::steady_clock::now() - start < 10s) sim.loop.run_ready();
    EXPECT_TRUE(done);
    EXPECT_LT((*r)->stats().log_bytes, 4u << 20);
    r->reset();
    sim.loop.run_ready();
  }
  EXPECT_EQ(machine.entries.size(), 3u);  // one, and both after the replay
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace drover::raft
