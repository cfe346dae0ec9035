// Single engines fed by hand through the C ABI: the situations in which other Raft cores lost data or hung, and those
// in which this engine needs its guards. Case numbers are those of the notes the cases came from.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "raft/engine.h"

namespace drover::raft {
namespace {

struct LogEntry {
  uint64_t term;
  std::string data;
  uint32_t kind = DR_ENTRY_NORMAL;
};

// What a test gives a node to start with. By default: three voters, term 1, the snapshot every cluster begins with.
struct Setup {
  uint64_t id = 1;
  std::vector<uint64_t> voters = {1, 2, 3};
  uint64_t term = 1;
  std::vector<LogEntry> log;
  std::vector<uint64_t> learners;
  uint64_t trunc = 1, trunc_term = 1, applied = 1, commit = 1;
};

class Node {
 public:
  explicit Node(Setup s) : setup_(std::move(s)) {
    dr_config c{};
    c.id = setup_.id;
    c.election_tick = 10;
    c.heartbeat_tick = 1;
    c.max_msg_bytes = 1 << 20;
    c.max_inflight_msgs = 64;
    c.pre_vote = c.check_quorum = 1;
    c.max_uncommitted_bytes = c.max_committed_bytes = ~0ull;
    std::vector<dr_term_run> runs;
    for (size_t k = 0; k < setup_.log.size(); k++) {
      if (runs.empty() || runs.back().term != setup_.log[k].term) runs.push_back({setup_.trunc + 1 + k, setup_.log[k].term});
    }
    dr_init in{};
    in.hs = {setup_.term, 0, setup_.commit};
    in.conf = {setup_.voters.data(), setup_.voters.size(), setup_.learners.data(), setup_.learners.size(), nullptr, 0, nullptr, 0, 0};
    in.applied = setup_.applied;
    in.trunc_index = setup_.trunc;
    in.trunc_term = setup_.trunc_term;
    in.last_index = setup_.trunc + setup_.log.size();
    in.runs = runs.data();
    in.n_runs = runs.size();
    dr_hooks h{};
    h.ctx = this;
    h.entries = [](void* ctx, uint64_t lo, uint64_t hi, uint64_t, void* to, dr_entry_sink sink) -> int32_t {
      auto& n = *static_cast<Node*>(ctx);
      for (uint64_t i = lo; i < hi; i++) {
        auto& e = n.setup_.log[i - n.setup_.trunc - 1];
        dr_entry d{i, e.term, e.kind, 0, bytes(e.data), {}};
        sink(to, &d);
      }
      return 0;
    };
    h.snapshot = [](void*, uint64_t, uint64_t, dr_snapshot*) -> int32_t { return 1; };
    h.rand = [](void*, uint32_t lo, uint32_t) -> uint32_t { return lo; };
    engine_.create(c, in, h);
    applied = setup_.applied;
  }

  // What left this node since clear(); entry data is copied.
  struct Sent {
    dr_msg msg;
    std::vector<LogEntry> entries;
  };
  std::vector<Sent> sent;
  std::vector<std::pair<uint64_t, int32_t>> confs;  // index, rc of applied changes
  std::vector<uint64_t> reads, held;
  uint64_t applied = 0;
  bool hold_writes = false, hold_apply = false;

  dr_status_t st() { return engine_.status(); }
  dr_node* raw() { return engine_.get(); }
  dr_progress_t progress(uint64_t id) {
    dr_progress_t p{};
    engine_.progress(id, p);
    return p;
  }
  size_t voters() {
    dr_conf_state c;
    dr_conf(raw(), &c);
    return c.n_voters;
  }

  void pump() {
    dr_ready_t r;
    while (engine_.ready(r)) {
      keep(r.msgs, r.n_msgs);
      if (!hold_writes) keep(r.persisted_msgs, r.n_persisted_msgs);
      for (size_t i = 0; i < r.n_reads; i++) reads.push_back(r.reads[i].index);
      std::vector<std::pair<dr_entry, std::string>> committed;
      for (size_t i = 0; i < r.n_committed; i++) committed.emplace_back(r.committed[i], view(r.committed[i].data));
      uint64_t number = r.number, snapshot = r.snapshot ? r.snapshot->index : 0;
      engine_.advance();
      if (hold_writes) {
        held.push_back(number);
      } else {
        engine_.persisted(number);
        if (snapshot) engine_.applied(applied = snapshot);
      }
      if (hold_apply) continue;
      for (auto& [e, data] : committed) apply(e, data);
    }
  }
  void release_writes(uint64_t snapshot) {
    hold_writes = false;
    for (uint64_t n : held) engine_.persisted(n);
    engine_.applied(applied = snapshot);
    pump();
  }

  int32_t receive(dr_msg m) {
    m.to = setup_.id;
    int32_t rc = engine_.step(m);
    pump();
    return rc;
  }
  int32_t append(uint64_t from, uint64_t term, uint64_t prev, uint64_t prev_term, uint64_t commit, std::vector<LogEntry> entries = {}) {
    std::vector<dr_entry> es;
    for (auto& e : entries) es.push_back({prev + 1 + es.size(), e.term, e.kind, 0, bytes(e.data), {}});
    dr_msg m{};
    m.kind = DR_MSG_APPEND;
    m.from = from;
    m.term = term;
    m.index = prev;
    m.log_term = prev_term;
    m.commit = commit;
    m.entries = es.data();
    m.n_entries = es.size();
    return receive(m);
  }
  int32_t ack(uint64_t from, uint64_t term, uint64_t index, bool reject = false, uint64_t hint = 0, uint64_t log_term = 0) {
    dr_msg m{};
    m.kind = DR_MSG_APPEND_RESP;
    m.from = from;
    m.term = term;
    m.index = index;
    m.reject = reject;
    m.reject_hint = hint;
    m.log_term = log_term;
    return receive(m);
  }
  int32_t vote(uint64_t from, uint64_t term, uint32_t kind) {
    dr_msg m{};
    m.kind = kind;
    m.from = from;
    m.term = term;
    return receive(m);
  }
  int32_t heartbeat_reply(uint64_t from, uint64_t term, dr_bytes ctx = {}) {
    dr_msg m{};
    m.kind = DR_MSG_HEARTBEAT_RESP;
    m.from = from;
    m.term = term;
    m.ctx = ctx;
    return receive(m);
  }
  int32_t snapshot(uint64_t from, uint64_t term, uint64_t index, uint64_t snapshot_term) {
    static const uint64_t kVoters[3] = {1, 2, 3};
    dr_snapshot s{index, snapshot_term, {kVoters, 3, nullptr, 0, nullptr, 0, nullptr, 0, 0}, {}};
    dr_msg m{};
    m.kind = DR_MSG_SNAPSHOT;
    m.from = from;
    m.term = term;
    m.snapshot = &s;
    return receive(m);
  }
  // Asks for a (pre-)vote; true when granted.
  bool grants(uint64_t from, uint64_t term, uint64_t last, uint64_t last_term, bool pre = false) {
    sent.clear();
    dr_msg m{};
    m.kind = pre ? DR_MSG_PREVOTE : DR_MSG_VOTE;
    m.from = from;
    m.term = term;
    m.index = last;
    m.log_term = last_term;
    receive(m);
    return count(pre ? DR_MSG_PREVOTE_RESP : DR_MSG_VOTE_RESP) > 0;
  }
  void ticks(int n) {
    for (int i = 0; i < n; i++) {
      engine_.tick();
      pump();
    }
  }
  void lead(std::vector<uint64_t> votes = {2, 3}) {
    ticks(10);
    uint64_t t = st().term;
    for (uint64_t v : votes) this->vote(v, t + 1, DR_MSG_PREVOTE_RESP);
    for (uint64_t v : votes) this->vote(v, t + 1, DR_MSG_VOTE_RESP);
  }
  // Leads, and has its no-op committed by 2 and 3.
  void lead_committed() {
    lead();
    ack(2, st().term, st().last);
    ack(3, st().term, st().last);
  }
  int32_t propose(const std::string& data) {
    dr_bytes b = bytes(data);
    uint64_t first, term;
    int32_t rc = dr_propose(raw(), 0, &b, 1, &first, &term);
    pump();
    return rc;
  }
  int32_t change(uint32_t kind, uint64_t id) {
    dr_conf_change c{kind, 0, id};
    uint64_t index;
    int32_t rc = dr_propose_conf(raw(), &c, 1, 0, {}, &index);
    pump();
    return rc;
  }
  int32_t read(dr_bytes ctx) {
    int32_t rc = dr_read_index(raw(), ctx);
    pump();
    return rc;
  }
  int count(uint32_t kind) const {
    int n = 0;
    for (auto& s : sent) n += s.msg.kind == kind && !s.msg.reject;
    return n;
  }
  dr_msg last(uint32_t kind) const {
    for (size_t i = sent.size(); i-- > 0;) {
      if (sent[i].msg.kind == kind) return sent[i].msg;
    }
    return {};
  }

 private:
  void keep(const dr_msg* m, size_t n) {
    for (size_t i = 0; i < n; i++) {
      Sent s{m[i], {}};
      for (size_t k = 0; k < m[i].n_entries; k++) s.entries.push_back({m[i].entries[k].term, std::string(view(m[i].entries[k].data)), m[i].entries[k].kind});
      s.msg.entries = nullptr;
      s.msg.ctx = {};
      sent.push_back(std::move(s));
    }
  }
  void apply(dr_entry e, const std::string& data) {
    if (e.kind != DR_ENTRY_NORMAL) {
      e.data = bytes(data);
      e.ctx = {};
      dr_conf_state c;
      confs.emplace_back(e.index, dr_apply_conf(raw(), &e, &c, nullptr));
    }
    engine_.applied(applied = e.index);
  }

  Setup setup_;
  Engine engine_;
};

TEST(EngineCases, Case0AnEntryOfAnOlderTermIsNotCommittedByCounting) {
  Node n({.voters = {1, 2, 3, 4, 5}, .term = 3, .log = {{2, "x"}}});
  n.lead();
  ASSERT_EQ(n.st().last, 3u);
  uint64_t t = n.st().term;
  for (uint64_t id : {2, 3, 4}) n.ack(id, t, 2);
  EXPECT_EQ(n.st().commit, 1u);
  n.ack(2, t, 3);
  EXPECT_EQ(n.st().commit, 1u);
  n.ack(3, t, 3);
  EXPECT_EQ(n.st().commit, 3u);
}

TEST(EngineCases, Case1AMembershipChangeTakesEffectWhenAppliedAndOneAtATime) {
  Node n({.voters = {1, 2, 3, 4}});
  n.lead();
  ASSERT_EQ(n.st().last, 2u);
  EXPECT_EQ(n.change(0, 5), DR_OK);
  EXPECT_EQ(n.voters(), 4u);
  EXPECT_EQ(n.change(0, 6), DR_CONF_PENDING);
  n.ack(2, n.st().term, 3);
  n.ack(3, n.st().term, 3);
  EXPECT_EQ(n.voters(), 5u);

  Node m({.voters = {1, 2, 3, 4}});
  m.lead();
  m.hold_apply = true;
  m.ack(2, m.st().term, 2);
  m.ack(3, m.st().term, 2);
  EXPECT_EQ(m.change(0, 5), DR_OK);
  EXPECT_EQ(m.change(0, 6), DR_CONF_PENDING);
}

TEST(EngineCases, Case2MessagesOfAnOlderTermAcknowledgeNothing) {
  Node n({.id = 3, .term = 5, .log = {{5, "x"}, {5, "y"}}});
  n.snapshot(1, 4, 50, 4);
  EXPECT_TRUE(n.sent.empty());
  n.append(1, 4, 0, 0, 1);
  auto r = n.last(DR_MSG_APPEND_RESP);
  EXPECT_EQ(r.term, 5u);
  EXPECT_EQ(r.index, 0u);
}

TEST(EngineCases, Case3AChangeThatANewLeaderCutsOffNeverTakesEffect) {
  Node leader({});
  leader.lead_committed();
  leader.sent.clear();
  leader.change(0, 4);
  LogEntry change;
  for (auto& s : leader.sent) {
    if (!s.entries.empty()) change = s.entries.back();
  }
  ASSERT_EQ(change.kind, static_cast<uint32_t>(DR_ENTRY_CONF_V2));

  Node n({.id = 2});
  n.append(1, 2, 1, 1, 1, {{2, ""}, {2, "a"}, {2, "b"}, change});
  n.append(3, 3, 3, 2, 1, {{3, "z"}});
  EXPECT_EQ(n.voters(), 3u);
  EXPECT_EQ(n.st().last, 4u);

  Node k({.id = 2});
  k.append(1, 2, 1, 1, 1, {{2, ""}, {2, "a"}, {2, "b"}, change});
  k.append(1, 2, 5, 2, 5);
  EXPECT_EQ(k.voters(), 4u);
}

TEST(EngineCases, Case4ALateAppendFromBeforeTheSnapshotChangesNothing) {
  Node n({.id = 2, .term = 5, .log = {{5, "a"}, {5, "b"}}, .trunc = 100, .trunc_term = 5, .applied = 100, .commit = 101});
  n.append(1, 5, 0, 0, 1, {{1, "o"}, {1, "p"}});
  EXPECT_EQ(n.st().last, 102u);
  EXPECT_EQ(n.last(DR_MSG_APPEND_RESP).index, 101u);
}

TEST(EngineCases, Case5AServerThatThinksItIsNoVoterVotesAllTheSame) {
  Node learner({.id = 4, .learners = {4}});
  EXPECT_TRUE(learner.grants(2, 2, 9, 2));
  EXPECT_TRUE(learner.grants(3, 4, 9, 2, true));
  Node empty({.id = 6, .voters = {}, .term = 0, .trunc = 0, .trunc_term = 0, .applied = 0, .commit = 0});
  EXPECT_TRUE(empty.grants(2, 2, 9, 2));
}

TEST(EngineCases, Case6PreVoteFindsALeaderBetweenALongLogAndAHighTerm) {
  Node a({.id = 1, .voters = {1, 2}, .term = 3, .log = {{3, "x"}, {3, "y"}}}), b({.id = 2, .voters = {1, 2}, .term = 9});
  bool won = false;
  for (int round = 0; round < 20 && !won; round++) {
    a.ticks(10);
    b.ticks(10);
    for (int hop = 0; hop < 8; hop++) {
      for (auto [from, to] : {std::pair{&a, &b}, std::pair{&b, &a}}) {
        auto out = std::move(from->sent);
        from->sent.clear();
        for (auto& s : out) {
          s.msg.n_entries = 0;
          to->receive(s.msg);
        }
      }
    }
    won = a.st().role == DR_LEADER || b.st().role == DR_LEADER;
  }
  EXPECT_TRUE(won);
}

TEST(EngineCases, Case7ALearnerThatHeardALeaderVotesAfterAnElectionTimeout) {
  Node n({.id = 4, .term = 2, .learners = {4}});
  n.append(1, 2, 1, 1, 1);
  EXPECT_EQ(n.st().leader, 1u);
  EXPECT_FALSE(n.grants(2, 3, 5, 2, true));
  n.ticks(10);
  EXPECT_TRUE(n.grants(2, 3, 5, 2, true));
  EXPECT_TRUE(n.grants(2, 3, 5, 2));
  EXPECT_EQ(n.st().leader, 0u);
}

TEST(EngineCases, Case8AStaleRejectionHeals) {
  Node n({.log = {{1, "a"}, {1, "b"}, {1, "c"}}});
  n.lead();
  uint64_t t = n.st().term;
  n.ack(2, t, 5);
  EXPECT_EQ(n.progress(2).matched, 5u);
  dr_report_unreachable(n.raw(), 2);
  n.ack(2, t, 5, true, 2, 1);
  n.propose("d");
  for (int k = 0; k < 5; k++) {
    n.ticks(1);
    n.heartbeat_reply(2, t);
  }
  n.ack(2, t, 6);
  EXPECT_EQ(n.progress(2).matched, 6u);
  EXPECT_EQ(n.progress(2).state, 1u);
}

TEST(EngineCases, Case9ASecondChangeBeforeTheFirstIsAppliedIsRefused) {
  Node n({});
  n.lead_committed();
  EXPECT_EQ(n.change(0, 4), DR_OK);
  EXPECT_EQ(n.change(0, 5), DR_CONF_PENDING);
}

TEST(EngineCases, Case10ACandidateAloneDoesNotRaiseItsTerm) {
  Node n({});
  n.ticks(10);
  n.vote(2, 2, DR_MSG_PREVOTE_RESP);
  EXPECT_EQ(n.st().term, 2u);
  n.ticks(200);
  EXPECT_EQ(n.st().term, 2u);
  EXPECT_EQ(n.st().role, static_cast<uint32_t>(DR_PRECANDIDATE));
}

TEST(EngineCases, Case11ARefusedChangeLeavesNothingInTheLog) {
  Node n({});
  n.lead_committed();
  n.change(0, 4);
  uint64_t last = n.st().last;
  EXPECT_EQ(n.change(0, 5), DR_CONF_PENDING);
  EXPECT_EQ(n.st().last, last);
}

TEST(EngineCases, Case12NothingIsHandedOutForApplyWhileASnapshotIsInstalled) {
  Node n({.id = 2});
  n.hold_writes = true;
  n.snapshot(1, 1, 50, 1);
  n.append(1, 1, 50, 1, 60, {{1, "a"}, {1, "b"}});
  EXPECT_EQ(n.st().commit, 52u);
  EXPECT_EQ(n.applied, 1u);
  n.release_writes(50);
  EXPECT_EQ(n.applied, 52u);
}

TEST(EngineCases, Case13ASecondSnapshotDuringTheFirstIsAReadyOfItsOwn) {
  Node n({.id = 2});
  n.hold_writes = true;
  for (uint64_t index : {50, 50, 60}) n.snapshot(1, 1, index, 1);
  EXPECT_EQ(n.st().last, 60u);
  EXPECT_EQ(n.held.size(), 3u);
}

TEST(EngineCases, Case15ALatePreVoteReplyDoesNotMoveACandidate) {
  Node n({});
  n.ticks(10);
  n.vote(2, 2, DR_MSG_PREVOTE_RESP);
  ASSERT_EQ(n.st().role, static_cast<uint32_t>(DR_CANDIDATE));
  n.vote(3, 2, DR_MSG_PREVOTE_RESP);
  EXPECT_EQ(n.st().term, 2u);
  EXPECT_EQ(n.st().role, static_cast<uint32_t>(DR_CANDIDATE));
}

TEST(EngineCases, Case16TransferWaitsForTheTargetAndEndsByItself) {
  Node n({});
  n.lead_committed();
  for (int k = 0; k < 10; k++) n.propose("a");
  uint64_t last = n.st().last, t = n.st().term;
  n.sent.clear();
  dr_transfer_leader(n.raw(), 2);
  n.pump();
  n.ack(2, t, 5);
  EXPECT_EQ(n.count(DR_MSG_TIMEOUT_NOW), 0);
  n.ack(2, t, last);
  EXPECT_EQ(n.count(DR_MSG_TIMEOUT_NOW), 1);
  EXPECT_EQ(n.propose("b"), DR_DROPPED);
  for (int k = 0; k < 12; k++) {
    n.ticks(1);
    for (uint64_t f : {2, 3}) n.heartbeat_reply(f, t);
  }
  EXPECT_EQ(n.propose("b"), DR_OK);
  EXPECT_EQ(n.st().role, static_cast<uint32_t>(DR_LEADER));
}

TEST(EngineCases, Case17ALeaderThatRemovedItselfStepsDown) {
  Node n({});
  n.lead_committed();
  n.change(1, 1);
  n.propose("a");
  for (uint64_t index : {3, 4}) {
    n.ack(2, 2, index);
    n.ack(3, 2, index);
  }
  EXPECT_EQ(n.st().role, static_cast<uint32_t>(DR_FOLLOWER));
  EXPECT_EQ(n.st().commit, 3u);
}

void campaign_while_installing(bool guarded) {
  Node n({.id = 2});
  if (!guarded) dr_test_unguard(n.raw());
  n.hold_writes = true;
  n.snapshot(1, 1, 50, 1);
  n.ticks(12);
  EXPECT_EQ(n.st().role, static_cast<uint32_t>(DR_FOLLOWER));
}
TEST(EngineCases, Case18NoCampaignWhileASnapshotIsInstalled) {
  campaign_while_installing(true);
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(campaign_while_installing(false), "");  // the engine aborts without the guard
}

void campaign_while_writing(bool guarded) {
  Node n({.id = 2, .voters = {2}, .learners = {1}});
  if (!guarded) dr_test_unguard(n.raw());
  n.hold_writes = true;
  n.append(1, 2, 1, 1, 1, {{2, "a"}});
  n.ticks(12);
  EXPECT_EQ(n.st().role, static_cast<uint32_t>(DR_FOLLOWER));
}
TEST(EngineCases, Case19NoCampaignOfTheOnlyVoterWhileItWrites) {
  campaign_while_writing(true);
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(campaign_while_writing(false), "");
}

TEST(EngineCases, Case20ACommitBeyondTheLogEndsTheEngine) {
  // A server that lost its disk under its old id. The driver sees it first and says so; see ReplicaCluster.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Node n({.id = 2});
        dr_msg m{};
        m.kind = DR_MSG_HEARTBEAT;
        m.from = 1;
        m.term = 1;
        m.commit = 10;
        n.receive(m);
      },
      "");
}

TEST(EngineCases, Case21TheCommitIndexOfARestartIsClamped) {
  Node a({.id = 2, .term = 5, .log = {{5, "a"}}, .trunc = 100, .trunc_term = 5, .applied = 100, .commit = 500});
  Node b({.id = 2, .term = 5, .log = {{5, "a"}}, .trunc = 100, .trunc_term = 5, .applied = 100, .commit = 3});
  EXPECT_EQ(a.st().commit, 101u);
  EXPECT_EQ(b.st().commit, 100u);
}

TEST(EngineCases, Case22AReadContextThatRepeatsIsAnsweredByALateReply) {
  Node n({});
  n.lead_committed();
  dr_bytes ctx = bytes("same ctx");
  n.read(ctx);
  n.heartbeat_reply(2, 2, ctx);
  EXPECT_EQ(n.reads.size(), 1u);
  n.read(ctx);
  n.heartbeat_reply(3, 2, ctx);  // to the first request
  EXPECT_EQ(n.reads.size(), 2u) << "the engine tells contexts apart now: the driver's rule may be relaxed";
}

TEST(EngineCases, Case23NoReadBeforeTheTermsFirstCommit) {
  Node n({});
  n.lead();
  EXPECT_EQ(n.read(bytes("ctx")), DR_UNAVAILABLE);
}

TEST(EngineCases, Case24RemovingTheLastVoterIsANoOpOnAll) {
  Node n({.voters = {1}});
  n.ticks(10);
  EXPECT_EQ(n.change(1, 1), DR_OK);
  ASSERT_FALSE(n.confs.empty());
  EXPECT_EQ(n.confs.back().second, DR_CONF_INVALID);
  EXPECT_EQ(n.st().role, static_cast<uint32_t>(DR_LEADER));
}

}  // namespace
}  // namespace drover::raft
