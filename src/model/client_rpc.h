// Remote procedures that servers call on node agents, over the node's own connection (reference client, sections 4.4 and
// 20), what servers ask each other about connections, keys and the log, and the envelope of streams. Names are the wire's.
#pragma once

#include <optional>
#include <string>

#include "model/rpc.h"

namespace drover::rpc {

struct AllocRestartRequest : QueryOptions {
  std::string AllocID;
  std::string TaskName;
  bool AllTasks = false;

  friend bool operator==(const AllocRestartRequest&, const AllocRestartRequest&) = default;
};

struct AllocStatsRequest : QueryOptions {
  std::string AllocID;
  std::string Task;

  friend bool operator==(const AllocStatsRequest&, const AllocStatsRequest&) = default;
};
struct AllocStatsResponse : QueryMeta {
  Box<AllocResourceUsage> Stats;

  friend bool operator==(const AllocStatsResponse&, const AllocStatsResponse&) = default;
};

struct AllocChecksRequest : QueryOptions {
  std::string AllocID;

  friend bool operator==(const AllocChecksRequest&, const AllocChecksRequest&) = default;
};
struct AllocChecksResponse : QueryMeta {
  Map<CheckQueryResult> Results;  // by check id

  friend bool operator==(const AllocChecksResponse&, const AllocChecksResponse&) = default;
};

struct ClientStatsResponse : QueryMeta {
  Box<::drover::HostStats> HostStats;

  friend bool operator==(const ClientStatsResponse&, const ClientStatsResponse&) = default;
};

struct FsRequest : QueryOptions {  // FileSystem.List and FileSystem.Stat
  std::string AllocID;
  std::string Path;

  friend bool operator==(const FsRequest&, const FsRequest&) = default;
};
struct FsListResponse : QueryMeta {
  List<AllocFileInfo> Files;

  friend bool operator==(const FsListResponse&, const FsListResponse&) = default;
};
struct FsStatResponse : QueryMeta {
  Box<AllocFileInfo> Info;

  friend bool operator==(const FsStatResponse&, const FsStatResponse&) = default;
};

struct FsStreamRequest : QueryOptions {
  std::string AllocID;
  std::string Path;
  int64_t Offset = 0;
  std::string Origin;  // "start", "end"
  bool PlainText = false;
  int64_t Limit = 0;
  bool Follow = false;

  friend bool operator==(const FsStreamRequest&, const FsStreamRequest&) = default;
};

struct FsLogsRequest : QueryOptions {
  std::string AllocID;
  std::string Task;
  std::string LogType;  // "stdout", "stderr"
  int64_t Offset = 0;
  std::string Origin;
  bool PlainText = false;
  bool Follow = false;

  friend bool operator==(const FsLogsRequest&, const FsLogsRequest&) = default;
};

struct AllocExecRequest : QueryOptions {
  std::string AllocID;
  std::string Task;
  bool Tty = false;
  List<std::string> Cmd;

  friend bool operator==(const AllocExecRequest&, const AllocExecRequest&) = default;
};

// What a streaming request says of its target; the rest is for the node.
struct StreamTarget : QueryOptions {
  std::string AllocID;
  std::string NodeID;

  friend bool operator==(const StreamTarget&, const StreamTarget&) = default;
};

struct StreamError {
  std::string Message;
  std::optional<int64_t> Code;  // HTTP status

  friend bool operator==(const StreamError&, const StreamError&) = default;
};
// One message of a streaming answer.
struct StreamErrWrapper {
  Box<StreamError> Error;
  Bytes Payload;

  friend bool operator==(const StreamErrWrapper&, const StreamErrWrapper&) = default;
};

struct EventStreamRequest : QueryOptions {
  Map<List<std::string>> Topics;  // topic -> keys
  int64_t Index = 0;

  friend bool operator==(const EventStreamRequest&, const EventStreamRequest&) = default;
};
struct EventJson {
  Bytes Data;

  friend bool operator==(const EventJson&, const EventJson&) = default;
};
// One line of the event stream.
struct EventStreamWrapper {
  Box<StreamError> Error;
  Box<EventJson> Event;

  friend bool operator==(const EventStreamWrapper&, const EventStreamWrapper&) = default;
};

// Agent.Monitor, a streaming RPC of servers and nodes.
struct MonitorRequest : QueryOptions {
  std::string LogLevel;
  bool LogJSON = false;
  std::string NodeID;
  std::string ServerID;  // name, id or "leader"
  bool PlainText = false;

  friend bool operator==(const MonitorRequest&, const MonitorRequest&) = default;
};

struct AgentPprofRequest : QueryOptions {
  std::string ReqType;  // "cmdline", "profile", "trace", "lookup"
  std::string Profile;  // of "lookup"
  int64_t Seconds = 0;
  int64_t Debug = 0;
  int64_t GC = 0;
  std::string NodeID;
  std::string ServerID;

  friend bool operator==(const AgentPprofRequest&, const AgentPprofRequest&) = default;
};
struct AgentPprofResponse {
  std::string AgentID;
  Bytes Payload;
  Map<std::string> HTTPHeaders;

  friend bool operator==(const AgentPprofResponse&, const AgentPprofResponse&) = default;
};

struct HostDataRequest : QueryOptions {
  std::string NodeID;
  std::string ServerID;

  friend bool operator==(const HostDataRequest&, const HostDataRequest&) = default;
};
struct HostDataResponse {
  std::string AgentID;
  Box<::drover::HostData> HostData;

  friend bool operator==(const HostDataResponse&, const HostDataResponse&) = default;
};

struct NodeConnQueryResponse : QueryMeta {
  bool Connected = false;
  Time Established;

  friend bool operator==(const NodeConnQueryResponse&, const NodeConnQueryResponse&) = default;
};

struct RootKey {
  Box<RootKeyMeta> Meta;
  Bytes Key;

  friend bool operator==(const RootKey&, const RootKey&) = default;
};
struct KeyringGetRootKeyRequest : QueryOptions {
  std::string KeyID;

  friend bool operator==(const KeyringGetRootKeyRequest&, const KeyringGetRootKeyRequest&) = default;
};
struct KeyringGetRootKeyResponse : QueryMeta {
  Box<RootKey> Key;

  friend bool operator==(const KeyringGetRootKeyResponse&, const KeyringGetRootKeyResponse&) = default;
};

struct RaftStats {
  std::string LastContact;  // "0", "never" or a duration
  uint64_t LastTerm = 0;
  uint64_t LastIndex = 0;

  friend bool operator==(const RaftStats&, const RaftStats&) = default;
};

}  // namespace drover::rpc

namespace drover {
DROVER_TYPE(rpc::AllocRestartRequest)
DROVER_TYPE(rpc::AllocStatsRequest)
DROVER_TYPE(rpc::AllocStatsResponse)
DROVER_TYPE(rpc::AllocChecksRequest)
DROVER_TYPE(rpc::AllocChecksResponse)
DROVER_TYPE(rpc::ClientStatsResponse)
DROVER_TYPE(rpc::FsRequest)
DROVER_TYPE(rpc::FsListResponse)
DROVER_TYPE(rpc::FsStatResponse)
DROVER_TYPE(rpc::FsStreamRequest)
DROVER_TYPE(rpc::FsLogsRequest)
DROVER_TYPE(rpc::AllocExecRequest)
DROVER_TYPE(rpc::StreamTarget)
DROVER_TYPE(rpc::StreamError)
DROVER_TYPE(rpc::StreamErrWrapper)
DROVER_TYPE(rpc::EventStreamRequest)
DROVER_TYPE(rpc::EventJson)
DROVER_TYPE(rpc::EventStreamWrapper)
DROVER_TYPE(rpc::MonitorRequest)
DROVER_TYPE(rpc::AgentPprofRequest)
DROVER_TYPE(rpc::AgentPprofResponse)
DROVER_TYPE(rpc::HostDataRequest)
DROVER_TYPE(rpc::HostDataResponse)
DROVER_TYPE(rpc::NodeConnQueryResponse)
DROVER_TYPE(rpc::RootKey)
DROVER_TYPE(rpc::KeyringGetRootKeyRequest)
DROVER_TYPE(rpc::KeyringGetRootKeyResponse)
DROVER_TYPE(rpc::RaftStats)
}  // namespace drover
