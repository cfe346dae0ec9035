// What an agent says of itself.
// Field names, order and nullability are those of the wire (reference data-model).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codec/type_info.h"

namespace drover {

struct AgentMember {
  std::string Name;
  std::string Addr;
  uint16_t Port = 0;
  Map<std::string> Tags;
  std::string Status;
  uint8_t ProtocolMin = 0;
  uint8_t ProtocolMax = 0;
  uint8_t ProtocolCur = 0;
  uint8_t DelegateMin = 0;
  uint8_t DelegateMax = 0;
  uint8_t DelegateCur = 0;

  friend bool operator==(const AgentMember&, const AgentMember&) = default;
};

struct AgentHealthPart {
  bool Ok = false;
  std::string Message;

  friend bool operator==(const AgentHealthPart&, const AgentHealthPart&) = default;
};

struct AgentHealthResponse {
  Box<AgentHealthPart> Client;
  Box<AgentHealthPart> Server;

  friend bool operator==(const AgentHealthResponse&, const AgentHealthResponse&) = default;
};

struct AgentJoinResult {
  int64_t NumJoined = 0;
  std::string Error;

  friend bool operator==(const AgentJoinResult&, const AgentJoinResult&) = default;
};

struct WsHandshakeMessage {
  int64_t Version = 0;
  std::string AuthToken;

  friend bool operator==(const WsHandshakeMessage&, const WsHandshakeMessage&) = default;
};

struct VersionInfo {
  Time BuildDate;
  std::string Revision;
  std::string Version;
  std::string VersionPrerelease;
  std::string VersionMetadata;

  friend bool operator==(const VersionInfo&, const VersionInfo&) = default;
};

}  // namespace drover

namespace drover {
DROVER_TYPE(AgentMember)
DROVER_TYPE(AgentHealthPart)
DROVER_TYPE(AgentHealthResponse)
DROVER_TYPE(AgentJoinResult)
DROVER_TYPE(WsHandshakeMessage)
DROVER_TYPE(VersionInfo)
}  // namespace drover
