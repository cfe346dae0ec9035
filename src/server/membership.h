// The servers that gossip knows, of all regions: which member is a server, what it says of itself, and this server's own
// place in the pool (reference server-core section 3).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/async.h"
#include "gossip/serf.h"
#include "server/config.h"

namespace drover::server {

// A member's tags, read.
struct ServerParts {
  std::string name;              // "<node>.<region>"
  std::string id;                // "unknown" where the member tells none
  std::string region, datacenter, build;
  std::string address;           // ip:port where servers reach it
  std::string rpc_address;       // ip:port where clients reach it
  bool bootstrap = false;        // it bootstraps alone
  int expect = 0;                // bootstrap_expect; 0: none
  bool non_voter = false;
  int raft_version = 2;
  gossip::MemberStatus status = gossip::MemberStatus::kNone;
};

// Nothing when the member is no server or its tags do not make sense.
std::optional<ServerParts> server_parts(const gossip::Member& member);
// Servers of ours tell which cluster of their region they belong to, as soon as their state says so. Not shown to users.
inline constexpr std::string_view kClusterTag = "cluster";
struct OwnCluster {
  std::string region;
  std::string tag;                // the beginning of the cluster's id; empty while there is none
  std::set<std::string> members;  // ids of the servers in the log's configuration
  std::map<std::string, std::string> names;  // of the servers that are alive, by id; this one is among them
};
// "member 'x' is not a server"; that two clusters of one region cannot share a pool; or that two servers have one id, as when a
// machine was copied with its data directory: the log would take one for the other.
Status admit_server(const gossip::Member& member, const OwnCluster& own);
// What this server publishes. `encoded size` is limited; the caller's configuration has to fit.
Map<std::string> member_tags(const Config& config, const std::string& cluster = {});
// The keys to start with: those of the keyring file where there is one, else `encrypt_key`, which then begins the file.
Result<std::vector<std::string>> gossip_keys(const Config& config);

// The servers by region. Pure; Membership feeds it.
class Peers {
 public:
  // Takes in an event; the server it is about when that is one.
  std::optional<ServerParts> apply(const gossip::Event& event);
  std::vector<std::string> regions() const;                         // sorted
  std::vector<ServerParts> in_region(std::string_view region) const;  // by name
  // The server of this id in any region; null when none.
  const ServerParts* by_id(std::string_view id) const;
  // Ids of the servers -> their names.
  std::map<std::string, std::string> names() const;

 private:
  std::map<std::string, std::map<std::string, ServerParts>, std::less<>> regions_;  // region -> name
};

class Membership {
 public:
  // Binds the gossip sockets. "Failed to start serf: ..." `own` is asked whenever somebody is to be admitted.
  static Result<std::unique_ptr<Membership>> create(World& world, net::Network& network, const Config& config,
                                                    std::function<OwnCluster()> own);
  Membership(const Membership&) = delete;

  gossip::Serf& serf() { return *serf_; }
  const Peers& peers() const { return peers_; }
  // Called on the loop for every event about a server, once peers() and members() tell of it.
  void on_change(std::function<void(gossip::EventType, const ServerParts&)> fn) { on_change_ = std::move(fn); }
  // The others learn to which cluster this server belongs now.
  void tell_cluster(const std::string& tag);

 private:
  explicit Membership(const Config& config) : config_(config) {}
  void on_event(const gossip::Event& event);
  const Config& config_;
  std::string told_;  // the cluster of its tags
  Peers peers_;
  std::function<void(gossip::EventType, const ServerParts&)> on_change_;
  std::unique_ptr<gossip::Serf> serf_;
  Running telling_;
};

}  // namespace drover::server
