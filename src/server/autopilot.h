// Autopilot: the leader watches the health of the servers, gives new ones their vote once they have proved themselves, and
// takes out those that are gone for good (reference server-core 4.6).
//
// The rules are functions of what is known; Autopilot is the shell that asks the servers. On the loop.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "gossip/types.h"
#include "model/operator_rpc.h"
#include "model/client_rpc.h"
#include "model/state_records.h"

namespace drover::server {

class Server;

// What is known of one server.
struct ServerFacts {
  std::string id, name, address, build;
  bool leader = false;
  bool voter = false;            // in the log's configuration, with a vote
  bool configured = false;       // in the log's configuration at all
  bool never_votes = false;      // asked to stay without a vote
  gossip::MemberStatus serf = gossip::MemberStatus::kNone;  // kNone: gossip does not know it
  std::optional<rpc::RaftStats> stats;                      // its own words; nothing when it did not answer
};

// "0" and durations as they are; "never" and what cannot be read is negative.
Duration parse_last_contact(std::string_view text);
bool is_healthy(const ServerFacts& s, const ServerFacts& leader, const AutopilotConfig& config);

struct DeadServers {
  std::vector<std::string> remove;       // ids to take out of the log's configuration
  std::vector<std::string> force_leave;  // member names
};
// Bounded: never so many at once that the voters left could have lost a majority, never below MinQuorum.
DeadServers dead_servers(const std::vector<ServerFacts>& servers, const AutopilotConfig& config);

class Autopilot {
 public:
  // Begins at once; the answer about this server itself is there when the constructor returns.
  explicit Autopilot(Server& server);
  ~Autopilot();

  rpc::OperatorHealthReply health() const;
  // Looks and acts now instead of at the next interval.
  Async<void> look();

 private:
  struct Known {
    bool healthy = false;
    Time since;
  };
  AutopilotConfig config() const;
  std::vector<ServerFacts> gather() const;
  Async<void> run();
  Async<void> poll();
  Async<void> ask(ServerFacts& facts);
  void judge();
  Async<void> promote();
  Async<void> clean_up();

  Server& server_;
  std::vector<ServerFacts> servers_;     // as of the last poll
  std::map<std::string, Known> known_;   // by id
  Monotonic began_;
  Running running_;
};

}  // namespace drover::server
