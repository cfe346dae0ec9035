// The parts under the cores: codecs, envelope, queue, snapshot, coordinates. Samples of the wire are in testdata/wire.txt.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "base/sim_loop.h"
#include "base/strings.h"
#include "gossip/broadcasts.h"
#include "gossip/coordinates.h"
#include "gossip/endpoint.h"
#include "gossip/envelope.h"
#include "gossip/limits.h"
#include "gossip/lzw.h"
#include "gossip/snapshot_log.h"

namespace drover::gossip {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

struct Sample {
  std::string kind, name, bytes;
};

std::vector<Sample> samples() {
  std::ifstream in(TESTDATA "/wire.txt");
  std::vector<Sample> out;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("#")) continue;
    auto parts = split(line, ' ');
    if (parts.size() != 3) ADD_FAILURE() << line;
    else out.push_back({parts[0], parts[1], parts[2]});
  }
  EXPECT_GT(out.size(), 15u);
  return out;
}
std::string unhex(const std::string& s) { return hex_decode(s).value_or(""); }

Keyring sample_keyring() {
  Keyring k;
  for (auto& s : samples())
    if (s.kind == "key") EXPECT_TRUE(k.add(*base64_decode(s.bytes)));
  return k;
}

std::string random_bytes(Random& r, size_t n) {
  std::string out(n, '\0');
  r.fill(out.data(), n);
  return out;
}

// ---- LZW -------------------------------------------------------------------------------------------------------------

TEST(Lzw, SamplesBothWays) {
  int seen = 0;
  for (auto& s : samples()) {
    if (!s.kind.starts_with("lzw-")) continue;
    ++seen;
    auto plain = unhex(s.name), packed = unhex(s.bytes);
    EXPECT_EQ(lzw_compress(plain), packed) << s.kind;
    EXPECT_EQ(lzw_expand(packed, plain.size()), plain) << s.kind;
    if (!plain.empty()) EXPECT_FALSE(lzw_expand(packed, plain.size() - 1)) << s.kind;
    for (size_t cut = 0; cut < packed.size(); cut += 1 + packed.size() / 50)
      EXPECT_FALSE(lzw_expand(std::string_view(packed).substr(0, cut), plain.size())) << s.kind << cut;
  }
  EXPECT_EQ(seen, 6);
}

TEST(Lzw, RoundTripsAndSurvivesGarbage) {
  SimRandom r(3);
  for (int i = 0; i < 60; ++i) {
    std::string text;
    auto alphabet = 1 + r.below(255);
    for (auto n = r.below(20'000); n > 0; --n) text += static_cast<char>(r.below(alphabet));
    auto packed = lzw_compress(text);
    ASSERT_EQ(lzw_expand(packed, text.size()), text);
    for (int j = 0; j < 20 && !packed.empty(); ++j) {
      auto bad = packed;
      bad[r.below(bad.size())] ^= static_cast<char>(1 + r.below(255));
      auto out = lzw_expand(bad, 1 << 20);
      EXPECT_TRUE(!out || out->size() <= 1 << 20);
    }
    auto out = lzw_expand(random_bytes(r, r.below(3000)), 1 << 16);
    EXPECT_TRUE(!out || out->size() <= 1 << 16);
  }
}

// ---- MessagePack -----------------------------------------------------------------------------------------------------

TEST(Pack, MessagesRoundTrip) {
  Query q{7, 42, "\x7f\0\0\1"s.substr(0, 4), 4648, "a", {"x", std::string(40, 'y')}, 3, 2, 5s, "name", std::string(70'000, 'p')};
  Query back;
  ASSERT_TRUE(from_pack(to_pack(q), back));
  EXPECT_EQ(to_pack(back), to_pack(q));
  EXPECT_EQ(back.Timeout, 5s);
  EXPECT_EQ(back.Filters, q.Filters);
  SerfPushPull p{9, {{"a", 1}, {"b", UINT64_MAX}}, {"b"}, 3, {{2, {{"n", "p"}}}}, 4}, p2;
  ASSERT_TRUE(from_pack(to_pack(p), p2));
  EXPECT_EQ(p2.StatusLTimes, p.StatusLTimes);
  EXPECT_EQ(p2.Events[0].Events, p.Events[0].Events);
  Coordinate c{{1.5, -2}, 0.25, 1e-9, 3}, c2;
  ASSERT_TRUE(from_pack(to_pack(c), c2));
  EXPECT_EQ(c2.Vec, c.Vec);
}

TEST(Pack, UnknownKeysNilAndOtherFamiliesAreTaken) {
  Ack a;
  // {"New": [1, {"x": nil}], "SeqNo": uint16 300, "Payload": nil, "Ext": fixext4}
  std::string text = "\x84\xa3New\x92\x01\x81\xa1x\xc0\xa5SeqNo\xcd\x01\x2c\xa7Payload\xc0\xa3" "Ext\xd6\x01" "abcd"s;
  ASSERT_TRUE(from_pack(text, a));
  EXPECT_EQ(a.SeqNo, 300u);
  // The newer string and binary families.
  ASSERT_TRUE(from_pack("\x81\xd9\x07Payload\xc4\x02hi"s, a));
  EXPECT_EQ(a.Payload, "hi");
}

TEST(Pack, CutShortAndOversizeFail) {
  auto whole = to_pack(Alive{1, "node", "\x7f\0\0\1"s, 1, "meta", "abcdef"});
  for (size_t n = 0; n < whole.size(); ++n) {
    Alive a;
    EXPECT_FALSE(from_pack(std::string_view(whole).substr(0, n), a)) << n;
    PackReader r(std::string_view(whole).substr(0, n));
    r.skip();
    EXPECT_TRUE(r.cut_short()) << n;
  }
  SerfPushPull p;
  EXPECT_FALSE(from_pack("\x81\xabLeftMembers\xdd\xff\xff\xff\xff"s, p));
  // One element more than a message may have.
  std::string many = "\x81\xabLeftMembers\xdd"s;
  for (auto [n, good] : {std::pair(kElementsMax - 1, true), std::pair(kElementsMax, false)}) {
    auto text = many;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(n >> shift);
    text += std::string(n, '\xa0');
    EXPECT_EQ(from_pack(text, p), good) << n;
  }
}

TEST(Pack, DeepNestingIsSkippedWithoutRecursion) {
  std::string deep(200'000, '\x91');
  deep += '\x01';
  PackReader r(deep);
  r.skip();
  EXPECT_TRUE(r.ok());
  EXPECT_TRUE(r.rest().empty());
}

// ---- keys ------------------------------------------------------------------------------------------------------------

TEST(Keyring, RulesAndTexts) {
  Keyring k;
  EXPECT_EQ(k.add("short").error().message, "key size must be 16, 24 or 32 bytes");
  std::string a(16, 'a'), b(24, 'b'), c(32, 'c');
  for (auto& key : {a, b, a}) ASSERT_TRUE(k.add(key));
  EXPECT_EQ(k.keys(), (std::vector{a, b}));
  EXPECT_EQ(k.use(c).error().message, "requested key is not in the keyring");
  ASSERT_TRUE(k.use(b));
  EXPECT_EQ(k.primary(), b);
  EXPECT_EQ(k.remove(b).error().message, "removing the primary key is not allowed");
  EXPECT_TRUE(k.remove(c));
  ASSERT_TRUE(k.remove(a));
  EXPECT_EQ(k.keys(), std::vector{b});
  auto json = encode_keyring({a, b});
  EXPECT_EQ(json, "[\n  \"" + base64_encode(a) + "\",\n  \"" + base64_encode(b) + "\"\n]");
  EXPECT_EQ(*decode_keyring(json), (std::vector{a, b}));
  EXPECT_FALSE(decode_keyring("[\"!\"]"));
  EXPECT_FALSE(decode_keyring("[\"YQ==\"]"));
  EXPECT_FALSE(decode_keyring("{"));
}

TEST(Keyring, SealsWithThePrimaryAndOpensWithAny) {
  SimRandom r(1);
  Keyring one, two;
  std::string a(16, 'a'), b(24, 'b'), c(32, 'c');
  for (auto& key : {a, b, c}) {
    Keyring only;
    ASSERT_TRUE(only.add(key));
    auto sealed = only.seal("hello", "label", r);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(sealed->size(), 5 + kSealOverhead);
    for (auto& other : {a, b, c}) ASSERT_TRUE(one.add(other));
    EXPECT_EQ(*one.open(*sealed, "label"), "hello");
    EXPECT_FALSE(one.open(*sealed, "other"));
    for (size_t i = 0; i < sealed->size(); ++i) {
      auto bad = *sealed;
      bad[i] ^= 1;
      EXPECT_FALSE(one.open(bad, "label")) << i;
      EXPECT_FALSE(one.open(std::string_view(*sealed).substr(0, i), "label")) << i;
    }
  }
  EXPECT_EQ(one.open("", "").error().message, "Cannot decrypt empty payload");
  EXPECT_EQ(one.open("\x07xxx", "").error().message, "Unsupported encryption version 7");
}

// ---- envelope --------------------------------------------------------------------------------------------------------

// Types of the messages inside, compounds opened.
void types_of(std::string_view message, std::map<int, int>& out) {
  ASSERT_FALSE(message.empty());
  auto type = static_cast<unsigned char>(message[0]);
  ++out[type];
  if (type == 9) {
    auto inner = inflate(message.substr(1), kPacketInflatedMax);
    ASSERT_TRUE(inner);
    types_of(*inner, out);
  } else if (type == 7) {
    std::vector<std::string_view> parts;
    ASSERT_TRUE(split_compound(message.substr(1), parts));
    for (auto p : parts) types_of(p, out);
  }
}

TEST(Envelope, OpensSamples) {
  auto keyring = sample_keyring();
  Keyring none;
  std::map<std::string, std::map<int, int>> seen;
  for (auto& s : samples()) {
    if (!s.name.starts_with("packet")) continue;
    Envelope e{s.kind == "label" ? "pool" : "", s.kind == "plain" ? &none : &keyring, true};
    auto message = open_packet(e, unhex(s.bytes));
    ASSERT_TRUE(message) << s.kind << s.name << message.error().message;
    types_of(*message, seen[s.kind]);
    Envelope wrong{"other", e.keyring, true};
    EXPECT_FALSE(open_packet(wrong, unhex(s.bytes)));
  }
  EXPECT_EQ(seen.size(), 3u);
  EXPECT_GT(seen["plain"][8], 0);    // user messages
  EXPECT_GT(seen["plain"][0], 0);    // pings
  for (auto& [kind, types] : seen)
    for (auto& [type, n] : types) EXPECT_TRUE(type <= 9 || type == 11) << kind << type;
}

TEST(Envelope, PacketsRoundTripAndAreBound) {
  SimRandom r(5);
  auto keyring = sample_keyring();
  Keyring none;
  for (auto* keys : {&none, &keyring})
    for (auto* label : {"", "pool"})
      for (bool crc : {false, true}) {
        Envelope e{label, keys, true};
        for (size_t n : {1, 3, 900}) {
          std::string message = "\x08" + std::string(n, 'x');
          auto sealed = seal_packet(e, message, crc, r);
          ASSERT_TRUE(sealed);
          auto open = open_packet(e, *sealed);
          ASSERT_TRUE(open);
          if ((*open)[0] == 9) EXPECT_EQ(inflate(std::string_view(*open).substr(1), 1 << 16), message);
          else EXPECT_EQ(*open, message);
        }
      }
  // A compressed message that unfolds without end.
  auto bomb = to_pack(Compressed{0, lzw_compress(std::string(8 << 20, '\0'))});
  EXPECT_FALSE(inflate(bomb, kPacketInflatedMax));
  EXPECT_FALSE(inflate(to_pack(Compressed{1, "x"}), 100));
  EXPECT_FALSE(open_packet(Envelope{"", &none, true}, "\xf4"));
  EXPECT_FALSE(open_packet(Envelope{"", &none, true}, "\xf4\0x"s));
  EXPECT_FALSE(open_packet(Envelope{"", &none, true}, "\xf4\x05" "ab"));
}

TEST(Envelope, CompoundsCutShortKeepWhatIsWhole) {
  auto whole = make_compound({"aa", "bbb", ""});
  std::vector<std::string_view> parts;
  ASSERT_TRUE(split_compound(std::string_view(whole).substr(1), parts));
  EXPECT_EQ(parts, (std::vector<std::string_view>{"aa", "bbb", ""}));
  parts.clear();
  ASSERT_TRUE(split_compound(std::string_view(whole).substr(1, whole.size() - 2), parts));
  EXPECT_EQ(parts, (std::vector<std::string_view>{"aa"}));
  EXPECT_FALSE(split_compound("\x03\0"sv, parts));
  EXPECT_FALSE(split_compound("", parts));
}

// ---- streams ---------------------------------------------------------------------------------------------------------

StreamReader::State feed_all(StreamReader& reader, std::string_view bytes, size_t step) {
  auto state = StreamReader::State::kMore;
  for (; !bytes.empty() && state == StreamReader::State::kMore; bytes.remove_prefix(std::min(step, bytes.size())))
    state = reader.feed(bytes.substr(0, step));
  return state;
}

TEST(Streams, ReadsSamplesInPiecesOfAnySize) {
  auto keyring = sample_keyring();
  Keyring none;
  int seen = 0;
  for (auto& s : samples()) {
    if (s.name != "push-pull") continue;
    ++seen;
    Envelope e{s.kind == "label" ? "pool" : "", s.kind == "plain" ? &none : &keyring, true};
    auto bytes = unhex(s.bytes);
    for (size_t step : {1u, 7u, 100'000u}) {
      StreamReader reader(e, Direction::kOpening);
      ASSERT_EQ(feed_all(reader, bytes, step), StreamReader::State::kDone) << reader.error();
      auto& m = reader.message();
      EXPECT_EQ(m.type, Wire::kPushPull);
      EXPECT_TRUE(m.join);
      ASSERT_EQ(m.nodes.size(), 1u);
      EXPECT_EQ(m.nodes[0].Name, "ref.global");
      EXPECT_EQ(m.nodes[0].Port, 17020);
      EXPECT_EQ(m.nodes[0].Vsn, "\1\5\2\2\5\4");
      SerfPushPull state;
      ASSERT_TRUE(!m.user.empty() && from_pack(std::string_view(m.user).substr(1), state));
      EXPECT_EQ(state.StatusLTimes.size(), 1u);
    }
    for (size_t cut = 0; cut < bytes.size(); ++cut) {
      StreamReader reader(e, Direction::kOpening);
      EXPECT_NE(feed_all(reader, std::string_view(bytes).substr(0, cut), 1000), StreamReader::State::kDone) << cut;
    }
  }
  EXPECT_EQ(seen, 3);
}

TEST(Streams, RefusesInTheReferencesWords) {
  auto keyring = sample_keyring();
  Keyring none, other;
  ASSERT_TRUE(other.add(std::string(32, 'z')));
  SimRandom r(1);
  Envelope open{"", &none, true}, sealed{"", &keyring, true}, wrong{"", &other, true}, label{"pool", &none, true};
  auto message = to_message(Wire::kPing, Ping{1, "x", {}, 0, {}});
  auto read = [&](const Envelope& from, const Envelope& to) {
    StreamReader reader(to, Direction::kOpening);
    auto state = reader.feed(*seal_stream(from, message, Direction::kOpening, r));
    return state == StreamReader::State::kDone ? "ok" : reader.error();
  };
  EXPECT_EQ(read(open, open), "ok");
  EXPECT_EQ(read(sealed, sealed), "ok");
  EXPECT_EQ(read(sealed, open), "Remote state is encrypted and encryption is not configured");
  EXPECT_EQ(read(open, sealed), "Encryption is configured but remote state is not encrypted");
  EXPECT_EQ(read(sealed, wrong), "No installed keys could decrypt the message");
  EXPECT_EQ(read(label, open), "discarding stream with unacceptable label \"pool\"");
  StreamReader large(sealed, Direction::kOpening);
  EXPECT_EQ(large.feed("\x0a\xff\xff\xff\xff"s), StreamReader::State::kFailed);
  EXPECT_EQ(large.error(), "Remote node state is larger than limit (4294967295)");
  StreamReader nodes(open, Direction::kOpening);
  EXPECT_EQ(nodes.feed(to_message(Wire::kPushPull, PushPullHeader{-1, 0, false})), StreamReader::State::kFailed);
  EXPECT_EQ(nodes.error(), "number of nodes in header (-1) exceeds limit");
  StreamReader user(open, Direction::kOpening);
  EXPECT_EQ(user.feed(to_message(Wire::kPushPull, PushPullHeader{0, 1 << 30, false})), StreamReader::State::kFailed);
}

TEST(Streams, GarbageNeverCrashes) {
  auto keyring = sample_keyring();
  Keyring none;
  SimRandom r(11);
  std::vector<std::string> seeds;
  for (auto& s : samples())
    if (s.name == "push-pull") seeds.push_back(unhex(s.bytes));
  Envelope open{"", &none, false};
  seeds.push_back(*seal_stream(open, to_message(Wire::kPushPull, PushPullHeader{1, 3, true}) + to_pack(PushNode{"a"}) + "abc", Direction::kOpening, r));
  for (int i = 0; i < 4000; ++i) {
    auto bytes = i % 4 == 0 ? random_bytes(r, r.below(200)) : seeds[r.below(seeds.size())];
    for (auto n = r.below(6); n > 0 && !bytes.empty(); --n) bytes[r.below(bytes.size())] = static_cast<char>(r.next());
    bytes.resize(r.below(bytes.size() + 1));
    for (auto* keys : {&none, &keyring}) {
      Envelope e{"", keys, true};
      StreamReader reader(e, Direction::kOpening);
      (void)feed_all(reader, bytes, 1 + r.below(50));
      (void)open_packet(e, bytes);
    }
  }
}

// ---- broadcasts ------------------------------------------------------------------------------------------------------

TEST(BroadcastQueue, LeastSentFirstAsMuchAsFitsAndEachAsOftenAsItShould) {
  Broadcasts q;
  std::map<std::string, int> sent;
  int finished = 0;
  for (auto* m : {"aaaa", "bb", "cccccc"}) q.add({}, m, [&] { ++finished; });
  auto take = [&](size_t limit) {
    auto out = q.take(2, limit, 3);
    size_t used = 0;
    for (auto& m : out) ++sent[m], used += m.size() + 2;
    EXPECT_LE(used, limit);
    return out;
  };
  EXPECT_EQ(take(8), std::vector<std::string>{"cccccc"});
  EXPECT_EQ(take(10), (std::vector<std::string>{"aaaa", "bb"}));
  EXPECT_EQ(take(1), std::vector<std::string>{});
  while (q.size() > 0) EXPECT_FALSE(take(100).empty());
  EXPECT_EQ(finished, 3);
  for (auto& [m, n] : sent) EXPECT_EQ(n, 3) << m;
}

TEST(BroadcastQueue, NamesReplaceAndPruningDropsTheMostSent) {
  Broadcasts q;
  int old_done = 0, new_done = 0;
  q.add("n", "old", [&] { ++old_done; });
  q.add("n", "new", [&] { ++new_done; });
  EXPECT_EQ(q.size(), 1u);
  EXPECT_EQ(old_done, 1);
  EXPECT_EQ(q.take(0, 100, 2), std::vector<std::string>{"new"});
  q.add({}, "fresh");
  q.prune(1);
  EXPECT_EQ(new_done, 1);
  EXPECT_EQ(q.take(0, 100, 2), std::vector<std::string>{"fresh"});
  EXPECT_EQ(retransmit_limit(4, 1), 4);
  EXPECT_EQ(retransmit_limit(4, 10), 8);
  EXPECT_EQ(retransmit_limit(3, 99), 6);
}

// ---- snapshot --------------------------------------------------------------------------------------------------------

TEST(Snapshot, ReplaysWhatItWrites) {
  SnapshotLog log;
  log.replay("", false);
  log.member_alive("a b", "127.0.0.1:1");
  log.member_alive("c", "[::1]:2");
  log.member_gone("c");
  log.clocks(5, 6, 0);
  log.clocks(4, 7, 8);
  auto text = log.take_pending();
  EXPECT_EQ(text, "alive: a b 127.0.0.1:1\nalive: c [::1]:2\nnot-alive: c\nclock: 5\nevent-clock: 6\nevent-clock: 7\nquery-clock: 8\n");
  SnapshotLog again;
  again.replay("# comment\ncoordinate: {}\nnonsense\n" + text + "alive: cut", false);
  EXPECT_EQ(again.alive(), (std::map<std::string, std::string>{{"a b", "127.0.0.1:1"}}));
  EXPECT_EQ(again.clock(), 5u);
  EXPECT_EQ(again.event_clock(), 7u);
  EXPECT_EQ(again.unknown_lines(), 1u);
  EXPECT_EQ(again.compacted(), "alive: a b 127.0.0.1:1\nclock: 5\nevent-clock: 7\nquery-clock: 8\n");
}

TEST(Snapshot, LeaveForgetsUnlessTheServerRejoins) {
  std::string text = "alive: a 127.0.0.1:1\nclock: 5\nleave\n";
  SnapshotLog forget, keep;
  forget.replay(text, false);
  keep.replay(text, true);
  EXPECT_TRUE(forget.alive().empty());
  EXPECT_EQ(forget.clock(), 0u);
  EXPECT_EQ(keep.alive().size(), 1u);
  forget.member_alive("b", "127.0.0.1:2");
  forget.leave(false);
  forget.member_alive("c", "127.0.0.1:3");
  EXPECT_EQ(forget.take_pending(), "alive: b 127.0.0.1:2\nleave\n");
}

TEST(Snapshot, WantsCompactionOnceItIsLarge) {
  SnapshotLog log;
  while (!log.wants_compaction()) {
    log.member_alive("node", "127.0.0.1:1");
    log.member_gone("node");
    log.take_pending();
  }
  (void)log.compacted();
  EXPECT_FALSE(log.wants_compaction());
}

// ---- coordinates, addresses ------------------------------------------------------------------------------------------

TEST(CoordinateSystem, LearnsDistances) {
  SimRandom r(2);
  Coordinates a(r), b(r), c(r);
  for (int i = 0; i < 400; ++i) {
    ASSERT_TRUE(a.update("b", b.own(), 10ms));
    ASSERT_TRUE(b.update("a", a.own(), 10ms));
    ASSERT_TRUE(a.update("c", c.own(), 50ms));
    ASSERT_TRUE(c.update("a", a.own(), 50ms));
    ASSERT_TRUE(b.update("c", c.own(), 45ms));
    ASSERT_TRUE(c.update("b", b.own(), 45ms));
  }
  EXPECT_NEAR(Coordinates::distance(a.own(), b.own()), 0.010, 0.004);
  EXPECT_NEAR(Coordinates::distance(a.own(), c.own()), 0.050, 0.008);
  auto bad = b.own();
  bad.Vec[0] = std::nan("");
  EXPECT_FALSE(a.update("b", bad, 1ms));
  bad.Vec.pop_back();
  EXPECT_FALSE(a.update("b", bad, 1ms));
  EXPECT_FALSE(a.update("b", b.own(), -1ms));
  EXPECT_FALSE(a.update("b", b.own(), 11s));
}

TEST(Endpoints, TextAndEquality) {
  Endpoint v4{*parse_ip("10.0.0.1"), 1}, mapped{"\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1"s, 1}, v6{*parse_ip("::1"), 1};
  EXPECT_TRUE(v4 == mapped);
  EXPECT_FALSE(v4 == v6);
  EXPECT_EQ(endpoint_text(mapped), "10.0.0.1:1");
  EXPECT_EQ(endpoint_text(v6), "[::1]:1");
  EXPECT_EQ(parse_ip("::ffff:10.0.0.1")->size(), 4u);
  EXPECT_FALSE(parse_ip("x"));
  for (auto* ip : {"10.1.2.3", "172.31.0.1", "192.168.9.9", "127.0.0.1", "100.64.0.1", "::1", "fd00::1", "255.255.255.255"})
    EXPECT_FALSE(public_ip(*parse_ip(ip))) << ip;
  for (auto* ip : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:4860::1"}) EXPECT_TRUE(public_ip(*parse_ip(ip))) << ip;
  EXPECT_EQ(ip_text(""), "<nil>");
  EXPECT_EQ(ip_text("abc"), "?616263");
}

}  // namespace
}  // namespace drover::gossip
