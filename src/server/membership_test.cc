// Which members are servers, what this one publishes, and where its gossip keys come from.
#include "server/membership.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/strings.h"

namespace drover::server {
namespace {

Config some_config() {
  Config c;
  c.node_name = "s1";
  c.node_id = "95e941f4-1927-b9ba-ff64-341e870d2d35";
  c.region = "eu";
  c.datacenter = "dc2";
  c.bootstrap_expect = 3;
  c.rpc_advertise = "10.0.0.1:4647";
  c.client_rpc_advertise = "192.0.2.1:4647";
  return c;
}

gossip::Member member_of(const Config& c, const std::string& addr = "10.0.0.1") {
  gossip::Member m;
  m.name = c.node_name + "." + c.region;
  m.addr = addr;
  m.port = 4648;
  m.tags = member_tags(c);
  m.status = gossip::MemberStatus::kAlive;
  return m;
}

TEST(Membership, TagsAreReadAsTheyAreWritten) {
  auto c = some_config();
  auto m = member_of(c);
  EXPECT_EQ(m.tags.get_or("role"), "nomad");
  EXPECT_EQ(m.tags.get_or("vsn"), "1");
  EXPECT_EQ(m.tags.get_or("raft_vsn"), "3");
  EXPECT_EQ(m.tags.get_or("expect"), "3");
  for (auto* absent : {"bootstrap", "nonvoter", "ap_zone", "ap_version"}) EXPECT_FALSE(m.tags.contains(absent)) << absent;
  auto p = server_parts(m);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->name, "s1.eu");
  EXPECT_EQ(p->id, c.node_id);
  EXPECT_EQ(p->address, "10.0.0.1:4647");
  EXPECT_EQ(p->rpc_address, "192.0.2.1:4647");
  EXPECT_EQ(p->expect, 3);
  EXPECT_FALSE(p->bootstrap);
  EXPECT_EQ(p->raft_version, 3);
  c.bootstrap_expect = 1;
  c.non_voting_server = true;
  c.redundancy_zone = "z";
  auto q = server_parts(member_of(c));
  ASSERT_TRUE(q);
  EXPECT_TRUE(q->bootstrap);
  EXPECT_TRUE(q->non_voter);
}

TEST(Membership, OnlyServersAreAdmitted) {
  auto good = member_of(some_config());
  EXPECT_TRUE(admit_server(good, {}));
  struct Case {
    const char* tag;
    const char* value;
  };
  for (auto [tag, value] : {Case{"role", "consul"}, {"port", "x"}, {"port", ""}, {"expect", "many"}, {"build", "new"}, {"raft_vsn", "x"}}) {
    auto m = good;
    m.tags[tag] = value;
    auto admitted = admit_server(m, {});
    ASSERT_FALSE(admitted) << tag << value;
    EXPECT_EQ(admitted.error().message, "member 's1.eu' is not a server");
  }
  auto m = good;
  for (auto* optional : {"id", "rpc_addr", "raft_vsn", "expect"}) m.tags.erase(optional);
  auto p = server_parts(m);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->id, "unknown");
  EXPECT_EQ(p->rpc_address, "10.0.0.1:4647");
}

TEST(Membership, TwoClustersOfARegionDoNotMix) {
  auto m = member_of(some_config());
  OwnCluster own{.region = "eu", .tag = "11111111", .members = {"x"}};
  EXPECT_TRUE(admit_server(m, own)) << "it tells of no cluster yet";
  m.tags = member_tags(some_config(), "11111111");
  EXPECT_TRUE(admit_server(m, own));
  m.tags = member_tags(some_config(), "22222222");
  auto refused = admit_server(m, own);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "member 's1.eu' belongs to another cluster of region eu (22222222, not 11111111): clear the data directory "
                                     "of the server that is to join, or give it a region of its own");
  own.members.insert(some_config().node_id);
  EXPECT_TRUE(admit_server(m, own)) << "one of ours whose state is another for a moment, as after a restore";
  own.members.clear();
  own.tag.clear();
  EXPECT_TRUE(admit_server(m, own)) << "this server is new";
  own.tag = "11111111";
  own.region = "us";
  EXPECT_TRUE(admit_server(m, own)) << "regions federate";
}

TEST(Membership, AnIdIsOfOneServerOnly) {
  auto m = member_of(some_config());
  m.status = gossip::MemberStatus::kNone;
  OwnCluster own{.region = "eu", .tag = {}, .members = {}, .names = {{some_config().node_id, "s1.eu"}}};
  EXPECT_TRUE(admit_server(m, own));
  m.name = "copy.eu";
  auto refused = admit_server(m, own);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "member 'copy.eu' has the node id of 's1.eu' (95e941f4-1927-b9ba-ff64-341e870d2d35): if its data directory is a copy, stop it and "
            "remove that; if the server was renamed, it can join once 's1.eu' has failed");
  for (auto gone : {gossip::MemberStatus::kFailed, gossip::MemberStatus::kLeft}) {
    m.status = gone;
    EXPECT_TRUE(admit_server(m, own)) << "news of one that is gone";
  }
  m.status = gossip::MemberStatus::kNone;
  own.names.clear();
  EXPECT_TRUE(admit_server(m, own)) << "the server was renamed, and its old self is gone";
}

TEST(Membership, PeersFollowTheEvents) {
  Peers peers;
  auto event = [&](gossip::EventType type, const std::string& name, const std::string& region) {
    auto c = some_config();
    c.node_name = name;
    c.node_id = name + "-id";
    c.region = region;
    gossip::Event e;
    e.type = type;
    e.member = member_of(c);
    return peers.apply(e).has_value();
  };
  using enum gossip::EventType;
  EXPECT_TRUE(event(kJoin, "a", "eu"));
  EXPECT_TRUE(event(kJoin, "b", "us"));
  EXPECT_TRUE(event(kJoin, "c", "eu"));
  EXPECT_EQ(peers.regions(), (std::vector<std::string>{"eu", "us"}));
  EXPECT_EQ(peers.in_region("eu").size(), 2u);
  ASSERT_TRUE(peers.by_id("b-id"));
  EXPECT_EQ(peers.by_id("b-id")->region, "us");
  EXPECT_TRUE(event(kFailed, "b", "us"));
  EXPECT_TRUE(event(kLeave, "a", "eu"));
  EXPECT_TRUE(event(kReap, "a", "eu"));
  EXPECT_EQ(peers.regions(), std::vector<std::string>{"eu"});
  EXPECT_FALSE(peers.by_id("b-id"));
  gossip::Event stranger;
  stranger.member.name = "web";
  EXPECT_FALSE(peers.apply(stranger));
}

TEST(Membership, KeysComeFromTheFileOnceThereIsOne) {
  auto name = (std::filesystem::temp_directory_path() / "membership_testXXXXXX").string();
  std::filesystem::path dir = mkdtemp(name.data());
  auto c = some_config();
  EXPECT_TRUE(gossip_keys(c)->empty());
  std::string first(32, 'a'), second(16, 'b');
  c.encrypt_key = base64_encode(first);
  EXPECT_EQ(*gossip_keys(c), std::vector{first});  // in memory only
  c.keyring_file = (dir / "server" / "serf.keyring").string();
  EXPECT_EQ(*gossip_keys(c), std::vector{first});
  struct stat st{};
  ASSERT_EQ(stat(c.keyring_file.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
  c.encrypt_key = base64_encode(second);
  EXPECT_EQ(*gossip_keys(c), std::vector{first});
  c.encrypt_key.clear();
  EXPECT_EQ(*gossip_keys(c), std::vector{first});
  std::ofstream(c.keyring_file) << "[]";
  EXPECT_EQ(gossip_keys(c).error().message, "no keys present in keyring file: " + c.keyring_file);
  std::ofstream(c.keyring_file) << "{";
  EXPECT_FALSE(gossip_keys(c));
  std::filesystem::remove(c.keyring_file);
  std::filesystem::create_directory(c.keyring_file);
  EXPECT_EQ(gossip_keys(c).error().message, "error reading keyring file: read " + c.keyring_file + ": is a directory");
  c.keyring_file.clear();
  c.encrypt_key = "YQ==";
  EXPECT_EQ(gossip_keys(c).error().message, "Invalid key: key size must be 16, 24 or 32 bytes");
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace drover::server
