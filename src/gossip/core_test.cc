// The cores on virtual time: pools of many nodes, with loss and partitions.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <fstream>

#include "base/strings.h"
#include "gossip/pool_sim.h"

namespace drover::gossip {
namespace {

using namespace std::string_literals;

// n nodes "n0".. that all joined the first.
void fill(PoolSim& sim, int n, const std::function<void(Config&)>& change = {}) {
  for (int i = 0; i < n; ++i) {
    auto& p = sim.add(fmt::format("n{}", i), change);
    if (i > 0) sim.join(p, *sim.peers()[0]);
  }
}
bool complete(PoolSim& sim) {
  for (auto& p : sim.peers())
    if (p->up && sim.count(*p, "alive") != sim.peers().size()) return false;
  return true;
}
int events(PoolSim::Peer& p, EventType type, const std::string& of) {
  int n = 0;
  for (auto& e : p.events) n += e.type == type && e.member.name == of;
  return n;
}

TEST(Pool, AllFindEachOther) {
  PoolSim sim(1);
  fill(sim, 30);
  EXPECT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  sim.run(60s);
  for (auto& p : sim.peers()) {
    EXPECT_TRUE(p->core->memberlist().health() == 0);
    for (auto& q : sim.peers()) EXPECT_EQ(events(*p, EventType::kJoin, q->name), 1);
    EXPECT_EQ(p->core->memberlist().bad_packets(), 0u);
  }
  EXPECT_LE(sim.largest, 1400u);
}

TEST(Pool, SameSeedSameRun) {
  auto run = [](uint64_t seed) {
    PoolSim sim(seed);
    sim.loss = 0.1;
    fill(sim, 8);
    sim.run(30s);
    return std::pair(sim.packets, sim.bytes);
  };
  EXPECT_EQ(run(4), run(4));
  EXPECT_NE(run(4), run(5));
}

TEST(Pool, FailureIsFoundAndTold) {
  PoolSim sim(2);
  fill(sim, 12);
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  sim.kill(*sim.peers()[5]);
  auto died = sim.now();
  ASSERT_TRUE(sim.run_until([&] { return sim.all_see("n5", "failed"); }, 120s));
  EXPECT_LT(sim.now() - died, 60s);
  for (auto& p : sim.peers())
    if (p->up) EXPECT_EQ(events(*p, EventType::kFailed, "n5"), 1);
  sim.run(60s);
  EXPECT_TRUE(sim.all_see("n5", "failed"));
}

TEST(Pool, LossAloneFailsNobody) {
  PoolSim sim(3);
  sim.loss = 0.2;
  fill(sim, 10);
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  sim.run(5min);
  for (auto& p : sim.peers())
    for (auto& q : sim.peers()) EXPECT_EQ(events(*p, EventType::kFailed, q->name), 0) << p->name << q->name;
}

TEST(Pool, OneWhomPacketsDoNotReachIsHeldAliveByStreams) {
  PoolSim sim(4);
  fill(sim, 6);
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  sim.drop_packet = [](auto& from, auto& to) { return (from == "n2") != (to == "n2"); };
  sim.run(3min);
  EXPECT_EQ(events(*sim.peers()[0], EventType::kFailed, "n2"), 0);
}

TEST(Pool, IndirectProbesGoAroundABrokenLink) {
  PoolSim sim(5);
  fill(sim, 6, [](Config& c) { c.tuning.tcp_pings = false; });
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  sim.drop_packet = [](auto& from, auto& to) { return (from == "n1" && to == "n2") || (from == "n2" && to == "n1"); };
  sim.run(5min);
  for (auto& p : sim.peers())
    for (auto& q : sim.peers()) EXPECT_EQ(events(*p, EventType::kFailed, q->name), 0);
}

TEST(Pool, PartitionAndHeal) {
  PoolSim sim(6);
  fill(sim, 10);
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  sim.part({"n0", "n1", "n2"});
  ASSERT_TRUE(sim.run_until([&] {
    return sim.count(*sim.peers()[0], "alive") == 3 && sim.count(*sim.peers()[9], "alive") == 7;
  }, 5min));
  sim.run(2min);
  sim.heal();
  // Failed members are tried again and again.
  EXPECT_TRUE(sim.run_until([&] { return complete(sim); }, 20min));
}

TEST(Pool, LeaveIsNoFailure) {
  PoolSim sim(7);
  fill(sim, 8);
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  auto& leaver = *sim.peers()[3];
  std::optional<Status> left;
  auto began = sim.now();
  leaver.core->leave(sim.now(), [&](Status s) { left = s; });
  sim.perform(leaver);
  Status second;
  leaver.core->leave(sim.now(), [&](Status s) { second = s; });
  sim.perform(leaver);
  EXPECT_EQ(second.error().message, "Leave already in progress");
  ASSERT_TRUE(sim.run_until([&] { return left.has_value(); }, 30s));
  EXPECT_TRUE(*left);
  EXPECT_LT(sim.now() - began, 15s);
  EXPECT_EQ(leaver.core->state(), SerfCore::State::kLeft);
  sim.kill(leaver);
  sim.run(60s);
  EXPECT_TRUE(sim.all_see("n3", "left"));
  for (auto& p : sim.peers()) {
    EXPECT_EQ(events(*p, EventType::kFailed, "n3"), 0);
    if (p->up) EXPECT_EQ(events(*p, EventType::kLeave, "n3"), 1);
  }
  Status joined;
  sim.join(leaver, *sim.peers()[0], &joined);
  EXPECT_EQ(joined.error().message, "Serf can't Join after Leave or Shutdown");
}

TEST(Pool, ForceLeaveAndPrune) {
  PoolSim sim(8);
  fill(sim, 5);
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  sim.kill(*sim.peers()[4]);
  ASSERT_TRUE(sim.run_until([&] { return sim.all_see("n4", "failed"); }, 2min));
  auto& p = *sim.peers()[1];
  std::optional<Status> done;
  p.core->force_leave("n4", false, sim.now(), [&](Status s) { done = s; });
  ASSERT_TRUE(sim.run_until([&] { return done && sim.all_see("n4", "left"); }, 30s));
  EXPECT_TRUE(*done);
  done.reset();
  p.core->force_leave("n4", true, sim.now(), [&](Status s) { done = s; });
  ASSERT_TRUE(sim.run_until([&] { return done && sim.all_see("n4", ""); }, 30s));
  EXPECT_EQ(events(*sim.peers()[0], EventType::kReap, "n4"), 1);
  // One that is here does not let itself be sent away.
  p.core->force_leave("n2", false, sim.now(), [](Status) {});
  sim.run(30s);
  EXPECT_TRUE(sim.all_see("n2", "alive"));
  done.reset();
  p.core->force_leave("nobody", false, sim.now(), [&](Status s) { done = s; });
  ASSERT_TRUE(sim.run_until([&] { return done.has_value(); }, 30s));
  EXPECT_TRUE(*done);
}

TEST(Pool, FailedMembersAreReapedAfterTheirTime) {
  PoolSim sim(9);
  fill(sim, 3, [](Config& c) { c.serf.reconnect_timeout = 10min; });
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  sim.kill(*sim.peers()[2]);
  ASSERT_TRUE(sim.run_until([&] { return sim.all_see("n2", "failed"); }, 2min));
  sim.run(9min);
  EXPECT_TRUE(sim.all_see("n2", "failed"));
  sim.run(2min);
  EXPECT_TRUE(sim.all_see("n2", ""));
  EXPECT_EQ(events(*sim.peers()[0], EventType::kReap, "n2"), 1);
}

TEST(Pool, TagsAndUserEventsReachAll) {
  PoolSim sim(10);
  sim.loss = 0.05;
  fill(sim, 20);
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 60s));
  auto& p = *sim.peers()[7];
  std::optional<Status> set;
  p.core->set_tags({{"role", "nomad"}, {"x", "y"}}, sim.now(), [&](Status s) { set = s; });
  ASSERT_TRUE(p.core->user_event("deploy", "v1", true, sim.now()));
  sim.perform(p);
  sim.run(40s);
  EXPECT_TRUE(set && *set);
  for (auto& q : sim.peers()) {
    EXPECT_EQ(q->core->member("n7")->tags.get_or("x"), "y") << q->name;
    int seen = 0;
    for (auto& e : q->events) seen += e.type == EventType::kUser && e.name == "deploy" && e.payload == "v1";
    EXPECT_EQ(seen, 1) << q->name;
  }
  Status big;
  p.core->set_tags({{"x", std::string(600, 'x')}}, sim.now(), [&](Status s) { big = s; });
  sim.perform(p);
  EXPECT_EQ(big.error().message, "Encoded length of tags exceeds limit of 512 bytes");
  EXPECT_EQ(p.core->user_event("n", std::string(512, 'x'), true, sim.now()).error().message,
            "user event exceeds configured limit of 512 bytes before encoding");
}

TEST(Pool, KeysRotateWhileAllTalk) {
  PoolSim sim(11);
  std::string old_key(32, 'a'), new_key(16, 'b');
  fill(sim, 6, [&](Config& c) { c.keys = {old_key}; });
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  auto order = [&](KeyOp op, const std::string& key) {
    auto& p = *sim.peers()[2];
    std::optional<KeyResponse> r;
    p.core->keys(op, base64_encode(key), 0, sim.now(), [&](KeyResponse got) { r = std::move(got); });
    sim.perform(p);
    EXPECT_TRUE(sim.run_until([&] { return r.has_value(); }, 2min));
    return r.value_or(KeyResponse{});
  };
  auto list = order(KeyOp::kList, "");
  EXPECT_EQ(list.error, "");
  EXPECT_EQ(list.num_nodes, 6);
  EXPECT_EQ(list.keys.get_or(base64_encode(old_key)), 6);
  EXPECT_EQ(order(KeyOp::kUse, new_key).error, "6/6 nodes reported failure");
  EXPECT_EQ(order(KeyOp::kUse, new_key).messages.get_or("n0"), "requested key is not in the keyring");
  EXPECT_EQ(explain(order(KeyOp::kUse, new_key)), "6/6 nodes reported failure: n0: requested key is not in the keyring");
  EXPECT_EQ(explain(order(KeyOp::kList, "")), "");
  EXPECT_EQ(order(KeyOp::kInstall, "bad").messages.get_or("n0"), "key size must be 16, 24 or 32 bytes");
  EXPECT_EQ(order(KeyOp::kInstall, new_key).error, "");
  EXPECT_EQ(order(KeyOp::kUse, new_key).error, "");
  EXPECT_EQ(order(KeyOp::kRemove, new_key).messages.get_or("n1"), "removing the primary key is not allowed");
  EXPECT_EQ(order(KeyOp::kRemove, old_key).error, "");
  list = order(KeyOp::kList, "");
  EXPECT_EQ(list.keys.size(), 1u);
  EXPECT_EQ(list.primary_keys.get_or(base64_encode(new_key)), 6);
  for (auto& p : sim.peers()) EXPECT_EQ(p->keyring_json, encode_keyring({new_key}));
  sim.run(2min);
  EXPECT_TRUE(complete(sim));
}

TEST(Pool, WhoDoesNotAnswerAboutKeysIsCounted) {
  KeyResponse r;
  r.error = "2/3 nodes reported success";
  r.num_nodes = 3;
  r.num_responses = 2;
  EXPECT_EQ(explain(r), "2/3 nodes reported success; 1 did not answer");
}

TEST(Pool, KeysWithoutEncryptionAndBadInput) {
  PoolSim sim(12);
  fill(sim, 1);
  auto& p = *sim.peers()[0];
  std::optional<KeyResponse> r;
  p.core->keys(KeyOp::kList, "", 0, sim.now(), [&](KeyResponse got) { r = std::move(got); });
  sim.perform(p);
  ASSERT_TRUE(sim.run_until([&] { return r.has_value(); }, 1min));
  EXPECT_EQ(r->error, "1/1 nodes reported failure");
  EXPECT_EQ(r->messages.get_or("n0"), "Keyring is empty (encryption not enabled)");
  r.reset();
  p.core->keys(KeyOp::kInstall, "!!", 0, sim.now(), [&](KeyResponse got) { r = std::move(got); });
  sim.perform(p);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->error, "illegal base64 data at input byte 0");
  for (auto& [text, at] : {std::pair("abc", 0), {"abcda", 4}, {"ab=x", 3}, {"abc=x", 4}, {"abcd efg", 4}}) {
    p.core->keys(KeyOp::kUse, text, 0, sim.now(), [&](KeyResponse got) { r = std::move(got); });
    sim.perform(p);
    EXPECT_EQ(r->error, fmt::format("illegal base64 data at input byte {}", at)) << text;
  }
}

TEST(Pool, RelayedAnswersComeThroughWhereDirectOnesAreLost) {
  PoolSim sim(13);
  fill(sim, 5, [](Config& c) { c.keys = {std::string(16, 'k')}; });
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  sim.drop_packet = [](auto& from, auto& to) { return from == "n4" && to == "n0"; };
  auto& p = *sim.peers()[0];
  std::optional<KeyResponse> r;
  p.core->keys(KeyOp::kList, "", 3, sim.now(), [&](KeyResponse got) { r = std::move(got); });
  sim.perform(p);
  ASSERT_TRUE(sim.run_until([&] { return r.has_value(); }, 1min));
  EXPECT_EQ(r->error, "");
  EXPECT_EQ(r->num_responses, 5);
}

TEST(Pool, DifferentKeysAndLabelsDoNotMix) {
  PoolSim sim(14);
  auto& a = sim.add("a", [](Config& c) { c.keys = {std::string(16, 'a')}; });
  auto& b = sim.add("b", [](Config& c) { c.keys = {std::string(16, 'b')}; });
  auto& plain = sim.add("plain");
  auto& other = sim.add("other", [](Config& c) { c.label = "other"; });
  Status joined[3];
  sim.join(a, b, &joined[0]);
  sim.join(plain, a, &joined[1]);
  sim.join(plain, other, &joined[2]);
  sim.run(40s);
  for (auto& s : joined) EXPECT_FALSE(s);
  EXPECT_EQ(joined[1].error().message, "Remote state is encrypted and encryption is not configured");
  for (auto& p : sim.peers()) EXPECT_EQ(p->core->member_count(), 1u) << p->name;
}

TEST(Pool, OnesThatAreNotAdmittedAreRefused) {
  auto only_servers = [](Config& c) {
    c.admit = [](const Member& m) -> Status {
      if (m.tags.get_or("role") != "nomad") return invalid("member '" + m.name + "' is not a server");
      return {};
    };
  };
  PoolSim sim(15);
  auto& a = sim.add("a", only_servers);
  auto& b = sim.add("b", only_servers);
  auto& stranger = sim.add("stranger", [](Config& c) { c.tags = {{"role", "web"}}; });
  sim.join(b, a);
  Status joined;
  sim.join(a, stranger, &joined);
  sim.join(stranger, b);
  sim.run(60s);
  EXPECT_EQ(joined.error().message, "member 'stranger' is not a server");
  for (auto* p : {&a, &b}) EXPECT_EQ(p->core->member_count(), 2u);
}

TEST(Pool, OldWireIsRefusedInWords) {
  PoolSim sim(16);
  auto& a = sim.add("a");
  PushNode old{"old", *parse_ip("10.0.9.9"), 4648, encode_tags({}), 1, 0, "\1\1\1\2\5\4"};
  StreamMessage m;
  m.type = Wire::kPushPull;
  m.nodes = {old};
  EXPECT_FALSE(a.core->stream_message(m, sim.now()).empty());  // it is told of this side
  EXPECT_EQ(a.core->member_count(), 1u);
  m.nodes[0].Vsn = "\1\5\2\1\1\1";
  (void)a.core->stream_message(m, sim.now());
  m.nodes[0].Vsn = "";
  (void)a.core->stream_message(m, sim.now());
  EXPECT_EQ(a.core->member_count(), 1u);
  a.core->packet(to_message(Wire::kAlive, Alive{1, "zero", *parse_ip("10.0.9.8"), 1, "", "\0\5\2\2\5\4"s}), {*parse_ip("10.0.9.8"), 1}, sim.now());
  EXPECT_EQ(a.core->member_count(), 1u);
  EXPECT_GT(a.core->memberlist().bad_packets(), 0u);
}

TEST(Pool, OfTwoWithOneNameTheLesserKnownStops) {
  for (bool resolve : {false, true}) {
    PoolSim sim(17);
    auto change = [&](Config& c) { c.resolve_name_conflicts = resolve; };
    fill(sim, 5, change);
    ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
    auto& twin = sim.add("n2", [&](Config& c) {
      change(c);
      c.advertise_addr = "10.9.9.9";
    });
    sim.join(twin, *sim.peers()[0]);
    sim.run(60s);
    EXPECT_EQ(twin.stopped, resolve);
    EXPECT_FALSE(sim.peers()[2]->stopped);
    EXPECT_EQ(sim.peers()[0]->core->member("n2")->addr, "10.0.0.3");
  }
}

TEST(Pool, ANodeComesBackElsewhereAfterItLeft) {
  PoolSim sim(18);
  fill(sim, 4);
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  auto& leaver = *sim.peers()[3];
  bool left = false;
  leaver.core->leave(sim.now(), [&](Status) { left = true; });
  ASSERT_TRUE(sim.run_until([&] { return left; }, 30s));
  sim.kill(leaver);
  auto& back = sim.add("n3", [](Config& c) { c.advertise_addr = "10.7.7.7"; });
  sim.join(back, *sim.peers()[0]);
  EXPECT_TRUE(sim.run_until([&] { return sim.all_see("n3", "alive") && sim.count(back, "alive") == 4; }, 30s));
  EXPECT_EQ(sim.peers()[1]->core->member("n3")->addr, "10.7.7.7");
}

// A node that was killed and starts at another address, before anybody knows that it is gone.
TEST(Pool, ANodeWithItsIdentityComesBackElsewhere) {
  for (bool same : {true, false}) {
    PoolSim sim(23);
    auto change = [](Config& c) {
      c.tags["id"] = "id-" + c.node_name;
      c.identity_tag = "id";
    };
    fill(sim, 4, change);
    ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
    sim.kill(*sim.peers()[3]);
    auto& back = sim.add("n3", [&](Config& c) {
      change(c);
      if (!same) c.tags["id"] = "another";
      c.advertise_addr = "10.7.7.7";
    });
    sim.join(back, *sim.peers()[0]);
    auto moved = [&] {
      for (int i = 0; i < 3; ++i)
        if (auto m = sim.peers()[static_cast<size_t>(i)]->core->member("n3"); !m || m->addr != "10.7.7.7" || m->status != MemberStatus::kAlive) return false;
      return true;
    };
    sim.run(1s);
    EXPECT_FALSE(moved()) << "the name is its owner's until that does not answer";
    EXPECT_TRUE(sim.run_until(moved, same ? Duration(60s) : Duration(4min))) << same;
    EXPECT_EQ(sim.count(back, "alive"), 4u);
  }
}

TEST(Pool, SixtyNodesWithLossAgree) {
  PoolSim sim(19);
  sim.loss = 0.02;
  fill(sim, 60, [](Config& c) { c.tuning = Tuning::wan(); });
  EXPECT_TRUE(sim.run_until([&] { return complete(sim); }, 3min));
  for (int i : {10, 20, 30}) sim.kill(*sim.peers()[i]);
  EXPECT_TRUE(sim.run_until([&] { return sim.all_see("n10", "failed") && sim.all_see("n20", "failed") && sim.all_see("n30", "failed"); }, 10min));
}

// Packets made of samples, of own messages and of nothing, changed at random: the pool goes on.
TEST(Pool, GarbageIsCountedAndHarmless) {
  PoolSim sim(20);
  SimRandom r(99);
  fill(sim, 3);
  ASSERT_TRUE(sim.run_until([&] { return complete(sim); }, 2min));
  std::vector<std::string> seeds = {
      to_message(Wire::kPing, Ping{1, "n0", *parse_ip("10.0.0.2"), 4648, "n1"}),
      to_message(Wire::kIndirectPing, IndirectPing{1, *parse_ip("10.0.0.2"), 4648, "n1", true, {}, 0, {}}),
      to_message(Wire::kSuspect, Accusation{1, "n1", "n2"}),
      to_message(Wire::kUser, std::string()),
      "\x08" + to_message(SerfWire::kQuery, Query{3, 9, *parse_ip("10.0.0.2"), 4648, "n1", {to_message(FilterType::kTag, TagFilter{"role", "no.*"})}, 1, 2, 1s, "_serf_conflict", "n1"}),
      "\x08" + to_message(SerfWire::kUserEvent, UserEvent{4, "a", "b", true}),
      "\x08" + to_message(SerfWire::kRelay, RelayHeader{{*parse_ip("10.0.0.2"), 4648, {}}, "n1"}) + "x",
      "\x08" + to_message(SerfWire::kQueryResponse, QueryResponse{3, 9, "n2", 0, "x"}),
  };
  std::ifstream in(TESTDATA "/wire.txt");
  for (std::string line; std::getline(in, line);)
    if (auto parts = split(line, ' '); parts.size() == 3 && parts[0] == "plain") seeds.push_back(hex_decode(parts[2]).value_or(""));
  ASSERT_GT(seeds.size(), 10u);
  auto& p = *sim.peers()[0];
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = seeds[r.below(seeds.size())];
    for (auto n = 1 + r.below(4); n > 0 && !bytes.empty(); --n) bytes[r.below(bytes.size())] = static_cast<char>(r.next());
    if (r.below(3) == 0) bytes.resize(r.below(bytes.size() + 1));
    p.core->packet(bytes, {*parse_ip("10.0.0.2"), 4648}, sim.now());
    p.core->take_effects();
  }
  EXPECT_GT(p.core->memberlist().bad_packets(), 1000u);
  sim.run(10min);
  EXPECT_EQ(sim.status(p, "n1"), "alive");
  EXPECT_EQ(sim.status(*sim.peers()[1], "n0"), "alive");
  p.core->packet(std::string(70'000, '\x08'), {*parse_ip("10.0.0.2"), 4648}, sim.now());
  p.core->packet("", {*parse_ip("10.0.0.2"), 4648}, sim.now());
}

TEST(Pool, StrangersCannotFillTheTable) {
  PoolSim sim(21);
  auto& p = sim.add("a");
  for (size_t i = 0; i < kNodesMax + 10; ++i)
    p.core->packet(to_message(Wire::kAlive, Alive{1, fmt::format("x{}", i), *parse_ip("10.1.1.1"), 1, "", "\1\5\2\2\5\4"}), {*parse_ip("10.1.1.1"), 1}, sim.now());
  p.core->take_effects();
  EXPECT_EQ(p.core->member_count(), kNodesMax);
}

TEST(Create, RefusesWhatCannotBe) {
  SimRandom r(1);
  Config good;
  good.node_name = "a";
  good.advertise_addr = "10.0.0.1";
  auto error = [&](const std::function<void(Config&)>& change) {
    auto c = good;
    change(c);
    auto made = SerfCore::create(c, {.random = r});
    return made ? "" : made.error().message;
  };
  EXPECT_EQ(error([](Config&) {}), "");
  EXPECT_NE(error([](Config& c) { c.node_name = ""; }), "");
  EXPECT_EQ(error([](Config& c) { c.tags = {{"x", std::string(600, 'x')}}; }), "Encoded length of tags exceeds limit of 512 bytes");
  EXPECT_NE(error([](Config& c) { c.label = std::string(256, 'x'); }), "");
  EXPECT_EQ(error([](Config& c) { c.advertise_addr = "host"; }), "failed to parse advertise address \"host\"");
  EXPECT_EQ(error([](Config& c) { c.keys = {"x"}; }), "key size must be 16, 24 or 32 bytes");
}

TEST(Clock, NeverGoesBackAndTakesNoAbsurdTime) {
  LamportClock c;
  c.witness(5);
  EXPECT_EQ(c.time(), 6u);
  c.witness(3);
  EXPECT_EQ(c.time(), 6u);
  c.witness(6);
  EXPECT_EQ(c.time(), 7u);
  c.witness(LamportClock::kTimeMax - 1);
  EXPECT_EQ(c.time(), LamportClock::kTimeMax);
  LamportClock d;
  for (auto absurd : {LamportClock::kTimeMax, UINT64_MAX}) d.witness(absurd);
  EXPECT_EQ(d.time(), 0u);
}

TEST(Tags, MagicByteAndPlainRole) {
  Map<std::string> tags{{"a", "b"}, {"role", "nomad"}};
  EXPECT_EQ(decode_tags(encode_tags(tags)), tags);
  EXPECT_EQ(decode_tags("web").get_or("role"), "web");
  EXPECT_EQ(decode_tags("\xff\xff").size(), 0u);
}

}  // namespace
}  // namespace drover::gossip
