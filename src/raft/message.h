// What goes between servers: an envelope around the engine's messages and the chunks of a snapshot in transfer.
//
//   u8 version, u8 kind, u64 from, u64 to, str from_address, then by kind:
//   kEngine          one engine message
//   kSnapshotOffer   u64 transfer, the engine's MsgSnapshot
//   kSnapshotChunk   u64 transfer, u64 offset, u32 CRC-32C of the bytes, bytes to the end
//   kSnapshotAck     u64 transfer, u64 offset (received so far), u8 state (SnapshotAck)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "raft/engine/drover_raft.h"

namespace drover::raft {

class ByteReader;
class ByteWriter;

enum class MessageKind : uint8_t { kEngine = 1, kSnapshotOffer = 2, kSnapshotChunk = 3, kSnapshotAck = 4 };
// kAgain: what came was damaged on its way; send from the offset on.
enum class SnapshotAck : uint8_t { kReceiving, kDone, kRefused, kAgain };

struct Envelope {
  MessageKind kind{};
  uint64_t from = 0, to = 0;
  std::string_view from_address;
};

void encode_envelope(ByteWriter& out, const Envelope& envelope);
// False: another version, or cut short.
bool decode_envelope(ByteReader& in, Envelope& envelope);

void encode_message(ByteWriter& out, const dr_msg& message);

// A decoded message; `msg` has views into this object and into the bytes that were decoded.
class DecodedMessage {
 public:
  bool decode(ByteReader& in);
  dr_msg msg{};
  dr_snapshot snapshot{};

 private:
  std::vector<dr_entry> entries_;
  std::vector<uint64_t> ids_[4];
};

}  // namespace drover::raft
