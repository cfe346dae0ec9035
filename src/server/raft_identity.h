// RaftIdentity: who replicates with whom. Before a server of the region is taken into the log's configuration, or into a first
// one, it is asked whether it speaks this protocol of replication and whether it belongs to another cluster already. One that
// does not answer like a server of ours is left alone: it would never follow, or lose what it has.
#pragma once

#include <set>
#include <string>

#include "base/async.h"
#include "model/operator_rpc.h"
#include "server/membership.h"

namespace drover::server {

class Server;

inline constexpr int64_t kRaftWire = 1;  // the version of the protocol in raft_transport.h

struct RaftKin {
  enum Verdict : uint8_t {
    kMay,        // fresh, or of this cluster
    kForeign,    // must not be taken in; `why`
    kNoAnswer,   // ask again later; `why`
  } verdict = kMay;
  std::string why;
  rpc::RaftIdentity identity;
};

// `members`: ids of this cluster's servers, empty where there is no cluster yet. Pure.
RaftKin judge_identity(const Result<rpc::RaftIdentity>& answer, const std::set<std::string>& members);
Async<RaftKin> ask_identity(Server& server, ServerParts other, std::set<std::string> members);
// Row "Status.RaftIdentity".
Status raft_identity(Server& server, rpc::RaftIdentity& out);

}  // namespace drover::server
