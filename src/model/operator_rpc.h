// What operators ask of servers about consensus and the autopilot, and set for them (reference server-workflows 14). Names of
// structs and fields are the wire's; the hashes of states are ours.
#pragma once

#include <cstdint>
#include <string>

#include "model/requests.h"
#include "model/state_records.h"

namespace drover::rpc {

struct RaftPeerByAddressRequest : WriteRequest {
  std::string Address;  // "IP:port"

  friend bool operator==(const RaftPeerByAddressRequest&, const RaftPeerByAddressRequest&) = default;
};

struct RaftPeerByIDRequest : WriteRequest {
  std::string ID;

  friend bool operator==(const RaftPeerByIDRequest&, const RaftPeerByIDRequest&) = default;
};

// Answered by whether the configuration was set; without CAS that says nothing.
struct AutopilotSetConfigRequest : WriteRequest {
  std::string Datacenter;
  AutopilotConfig Config;
  bool CAS = false;

  friend bool operator==(const AutopilotSetConfigRequest&, const AutopilotSetConfigRequest&) = default;
};

struct ServerHealth {
  std::string ID;
  std::string Name;
  std::string Address;
  int64_t SerfStatus = 0;  // gossip::MemberStatus
  std::string Version;
  bool Leader = false;
  Duration LastContact{};
  uint64_t LastTerm = 0;
  uint64_t LastIndex = 0;
  bool Healthy = false;
  bool Voter = false;
  Time StableSince;

  friend bool operator==(const ServerHealth&, const ServerHealth&) = default;
};

struct OperatorHealthReply {
  bool Healthy = false;
  int64_t FailureTolerance = 0;
  List<ServerHealth> Servers;

  friend bool operator==(const OperatorHealthReply&, const OperatorHealthReply&) = default;
};

// What a server says of its part in replication; ours. Members: ids of its log's configuration, none where it has no log yet.
struct RaftIdentity {
  int64_t Wire = 0;
  std::string ID;
  List<std::string> Members;

  friend bool operator==(const RaftIdentity&, const RaftIdentity&) = default;
};

// ---- hashes of states ------------------------------------------------------------------------------------------------

// The first state at or after AtIndex, waited for up to Wait; after that, or with AtIndex 0, the state as it is.
struct StateHashRequest : QueryOptions {
  uint64_t AtIndex = 0;
  Duration Wait{};

  friend bool operator==(const StateHashRequest&, const StateHashRequest&) = default;
};

struct TableHash {
  std::string Name;
  std::string Hash;  // 16 hexadecimal digits
  uint64_t Rows = 0;

  friend bool operator==(const TableHash&, const TableHash&) = default;
};

struct ServerStateHash {
  std::string ID;
  std::string Name;
  std::string Address;
  bool Leader = false;
  uint64_t Index = 0;
  std::string Hash;         // of everything
  List<TableHash> Tables;
  std::string Error;        // why there is none

  friend bool operator==(const ServerStateHash&, const ServerStateHash&) = default;
};

// Of all servers of the region. Comparable: all answered, at one index. Equal: and all their hashes are the same.
struct StateHashesResponse : QueryMeta {
  List<ServerStateHash> Servers;
  bool Comparable = false;
  bool Equal = false;

  friend bool operator==(const StateHashesResponse&, const StateHashesResponse&) = default;
};

}  // namespace drover::rpc

namespace drover {
DROVER_TYPE(rpc::RaftPeerByAddressRequest)
DROVER_TYPE(rpc::RaftPeerByIDRequest)
DROVER_TYPE(rpc::AutopilotSetConfigRequest)
DROVER_TYPE(rpc::ServerHealth)
DROVER_TYPE(rpc::OperatorHealthReply)
DROVER_TYPE(rpc::RaftIdentity)
DROVER_TYPE(rpc::StateHashRequest)
DROVER_TYPE(rpc::TableHash)
DROVER_TYPE(rpc::ServerStateHash)
DROVER_TYPE(rpc::StateHashesResponse)
}  // namespace drover
