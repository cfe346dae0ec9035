// The servers that gossip knows, of all regions: which member is a server, what it says of itself, and this server's own
// place in the pool (reference server-core section 3).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
// "member 'x' is not a server"
Status admit_server(const gossip::Member& member);
// What this server publishes. `encoded size` is limited; the caller's configuration has to fit.
Map<std::string> member_tags(const Config& config);
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

 private:
  std::map<std::string, std::map<std::string, ServerParts>, std::less<>> regions_;  // region -> name
};

class Membership {
 public:
  // Binds the gossip sockets. "Failed to start serf: ..."
  static Result<std::unique_ptr<Membership>> create(World& world, net::Network& network, const Config& config);
  Membership(const Membership&) = delete;

  gossip::Serf& serf() { return *serf_; }
  const Peers& peers() const { return peers_; }
  // Called on the loop for every event about a server, once peers() and members() tell of it.
  void on_change(std::function<void(gossip::EventType, const ServerParts&)> fn) { on_change_ = std::move(fn); }

 private:
  Membership() = default;
  void on_event(const gossip::Event& event);
  Peers peers_;
  std::function<void(gossip::EventType, const ServerParts&)> on_change_;
  std::unique_ptr<gossip::Serf> serf_;
};

}  // namespace drover::server
