// The messages of the membership protocol and of Serf on top of it, with the wire's numbers and names.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "gossip/pack.h"

namespace drover::gossip {

// First byte of a membership message.
enum class Wire : uint8_t {
  kPing = 0, kIndirectPing = 1, kAck = 2, kSuspect = 3, kAlive = 4, kDead = 5, kPushPull = 6, kCompound = 7,
  kUser = 8, kCompress = 9, kEncrypt = 10, kNack = 11, kCrc = 12, kErr = 13, kLabel = 244,
};

#define GOSSIP_FIELD(name) v(#name, name)

struct Ping {
  uint32_t SeqNo = 0;
  std::string Node;          // whom it is for; another drops it
  std::string SourceAddr;    // where the answer goes; empty: to the sender
  uint16_t SourcePort = 0;
  std::string SourceNode;
  template <class V> void visit(V&& v) {
    GOSSIP_FIELD(SeqNo), GOSSIP_FIELD(Node), GOSSIP_FIELD(SourceAddr), GOSSIP_FIELD(SourcePort), GOSSIP_FIELD(SourceNode);
  }
};

struct IndirectPing {
  uint32_t SeqNo = 0;
  std::string Target;
  uint16_t Port = 0;
  std::string Node;
  bool Nack = false;         // an answer is wanted also when the target does not answer
  std::string SourceAddr;
  uint16_t SourcePort = 0;
  std::string SourceNode;
  template <class V> void visit(V&& v) {
    GOSSIP_FIELD(SeqNo), GOSSIP_FIELD(Target), GOSSIP_FIELD(Port), GOSSIP_FIELD(Node), GOSSIP_FIELD(Nack);
    GOSSIP_FIELD(SourceAddr), GOSSIP_FIELD(SourcePort), GOSSIP_FIELD(SourceNode);
  }
};

struct Ack {
  uint32_t SeqNo = 0;
  std::string Payload;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(SeqNo), GOSSIP_FIELD(Payload); }
};

struct Nack {
  uint32_t SeqNo = 0;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(SeqNo); }
};

struct ErrorReply {
  std::string Error;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(Error); }
};

// Suspect and dead have one shape. A dead message of a node about itself says that it left.
struct Accusation {
  uint32_t Incarnation = 0;
  std::string Node;
  std::string From;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(Incarnation), GOSSIP_FIELD(Node), GOSSIP_FIELD(From); }
};

struct Alive {
  uint32_t Incarnation = 0;
  std::string Node;
  std::string Addr;
  uint16_t Port = 0;
  std::string Meta;
  std::string Vsn;           // six bytes: protocol min, max, current; delegate min, max, current
  template <class V> void visit(V&& v) {
    GOSSIP_FIELD(Incarnation), GOSSIP_FIELD(Node), GOSSIP_FIELD(Addr), GOSSIP_FIELD(Port), GOSSIP_FIELD(Meta), GOSSIP_FIELD(Vsn);
  }
};

struct PushPullHeader {
  int64_t Nodes = 0;
  int64_t UserStateLen = 0;
  bool Join = false;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(Nodes), GOSSIP_FIELD(UserStateLen), GOSSIP_FIELD(Join); }
};

struct UserHeader {
  int64_t UserMsgLen = 0;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(UserMsgLen); }
};

struct PushNode {
  std::string Name;
  std::string Addr;
  uint16_t Port = 0;
  std::string Meta;
  uint32_t Incarnation = 0;
  int64_t State = 0;         // NodeState
  std::string Vsn;
  template <class V> void visit(V&& v) {
    GOSSIP_FIELD(Name), GOSSIP_FIELD(Addr), GOSSIP_FIELD(Port), GOSSIP_FIELD(Meta), GOSSIP_FIELD(Incarnation);
    GOSSIP_FIELD(State), GOSSIP_FIELD(Vsn);
  }
};

struct Compressed {
  uint8_t Algo = 0;          // 0: LZW, the only one
  std::string Buf;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(Algo), GOSSIP_FIELD(Buf); }
};

// ---- Serf ------------------------------------------------------------------------------------------------------------

// First byte of a Serf message, inside a user message.
enum class SerfWire : uint8_t {
  kLeave = 0, kJoin = 1, kPushPull = 2, kUserEvent = 3, kQuery = 4, kQueryResponse = 5, kConflictResponse = 6,
  kKeyRequest = 7, kKeyResponse = 8, kRelay = 9,
};

struct JoinIntent {
  uint64_t LTime = 0;
  std::string Node;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(LTime), GOSSIP_FIELD(Node); }
};

struct LeaveIntent {
  uint64_t LTime = 0;
  std::string Node;
  bool Prune = false;        // forget the member at once
  template <class V> void visit(V&& v) { GOSSIP_FIELD(LTime), GOSSIP_FIELD(Node), GOSSIP_FIELD(Prune); }
};

struct UserEventItem {
  std::string Name;
  std::string Payload;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(Name), GOSSIP_FIELD(Payload); }
  friend bool operator==(const UserEventItem&, const UserEventItem&) = default;
};
struct UserEvents {
  uint64_t LTime = 0;
  std::vector<UserEventItem> Events;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(LTime), GOSSIP_FIELD(Events); }
};

struct SerfPushPull {
  uint64_t LTime = 0;
  std::vector<std::pair<std::string, uint64_t>> StatusLTimes;
  std::vector<std::string> LeftMembers;
  uint64_t EventLTime = 0;
  std::vector<UserEvents> Events;   // entries that arrive as nil read as empty
  uint64_t QueryLTime = 0;
  template <class V> void visit(V&& v) {
    GOSSIP_FIELD(LTime), GOSSIP_FIELD(StatusLTimes), GOSSIP_FIELD(LeftMembers), GOSSIP_FIELD(EventLTime);
    GOSSIP_FIELD(Events), GOSSIP_FIELD(QueryLTime);
  }
};

struct UserEvent {
  uint64_t LTime = 0;
  std::string Name;
  std::string Payload;
  bool CC = false;           // may be coalesced
  template <class V> void visit(V&& v) { GOSSIP_FIELD(LTime), GOSSIP_FIELD(Name), GOSSIP_FIELD(Payload), GOSSIP_FIELD(CC); }
};

constexpr uint32_t kQueryAck = 1, kQueryNoBroadcast = 2;

struct Query {
  uint64_t LTime = 0;
  uint32_t ID = 0;
  std::string Addr;
  uint16_t Port = 0;
  std::string SourceNode;
  std::vector<std::string> Filters;
  uint32_t Flags = 0;
  uint8_t RelayFactor = 0;
  Duration Timeout{0};
  std::string Name;
  std::string Payload;
  template <class V> void visit(V&& v) {
    GOSSIP_FIELD(LTime), GOSSIP_FIELD(ID), GOSSIP_FIELD(Addr), GOSSIP_FIELD(Port), GOSSIP_FIELD(SourceNode), GOSSIP_FIELD(Filters);
    GOSSIP_FIELD(Flags), GOSSIP_FIELD(RelayFactor), GOSSIP_FIELD(Timeout), GOSSIP_FIELD(Name), GOSSIP_FIELD(Payload);
  }
};

// First byte of a query's filter: a list of names, or a tag with a regular expression.
enum class FilterType : uint8_t { kNode = 0, kTag = 1 };
struct TagFilter {
  std::string Tag;
  std::string Expr;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(Tag), GOSSIP_FIELD(Expr); }
};

struct QueryResponse {
  uint64_t LTime = 0;
  uint32_t ID = 0;
  std::string From;
  uint32_t Flags = 0;
  std::string Payload;
  template <class V> void visit(V&& v) {
    GOSSIP_FIELD(LTime), GOSSIP_FIELD(ID), GOSSIP_FIELD(From), GOSSIP_FIELD(Flags), GOSSIP_FIELD(Payload);
  }
};

struct KeyRequest {
  std::string Key;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(Key); }
};

struct NodeKeys {
  bool Result = false;
  std::string Message;
  std::vector<std::string> Keys;
  std::string PrimaryKey;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(Result), GOSSIP_FIELD(Message), GOSSIP_FIELD(Keys), GOSSIP_FIELD(PrimaryKey); }
};

struct UdpAddr {
  std::string IP;
  int64_t Port = 0;
  std::string Zone;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(IP), GOSSIP_FIELD(Port), GOSSIP_FIELD(Zone); }
};
struct RelayHeader {
  UdpAddr DestAddr;
  std::string DestName;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(DestAddr), GOSSIP_FIELD(DestName); }
};

// A member as a conflict response tells it.
struct WireMember {
  std::string Name;
  std::string Addr;
  uint16_t Port = 0;
  std::vector<std::pair<std::string, std::string>> Tags;
  int64_t Status = 0;
  uint8_t ProtocolMin = 0, ProtocolMax = 0, ProtocolCur = 0, DelegateMin = 0, DelegateMax = 0, DelegateCur = 0;
  template <class V> void visit(V&& v) {
    GOSSIP_FIELD(Name), GOSSIP_FIELD(Addr), GOSSIP_FIELD(Port), GOSSIP_FIELD(Tags), GOSSIP_FIELD(Status);
    GOSSIP_FIELD(ProtocolMin), GOSSIP_FIELD(ProtocolMax), GOSSIP_FIELD(ProtocolCur);
    GOSSIP_FIELD(DelegateMin), GOSSIP_FIELD(DelegateMax), GOSSIP_FIELD(DelegateCur);
  }
};

// A network coordinate, in the payload of acks after one byte of version.
struct Coordinate {
  std::vector<double> Vec;
  double Error = 0, Adjustment = 0, Height = 0;
  template <class V> void visit(V&& v) { GOSSIP_FIELD(Vec), GOSSIP_FIELD(Error), GOSSIP_FIELD(Adjustment), GOSSIP_FIELD(Height); }
};
constexpr char kCoordinateVersion = 1;

#undef GOSSIP_FIELD

}  // namespace drover::gossip
