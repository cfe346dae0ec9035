// What is around a message on the wire.
//
//   packet:  [244][length][label]?  sealed( [12][CRC-32]?  message )      message may be compound or compressed
//   stream:  [244][length][label]?  [10][length, 4] sealed( [9] compressed( message ) )
//
// Labels separate pools; they go in clear text and are authenticated by the seal. The answer on a stream has no label in
// front, but its seal covers the label all the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gossip/keyring.h"
#include "gossip/messages.h"

namespace drover::gossip {

struct Envelope {
  std::string label;
  const Keyring* keyring = nullptr;   // never null; empty: nothing is sealed
  bool compression = true;
  // Bytes that the envelope of a packet adds.
  size_t overhead() const;
};

// [7][count][length, 2]... messages. At most 255.
std::string make_compound(const std::vector<std::string>& messages);
// The messages of a compound, without its type byte; false when malformed. What is cut short at the end is left out.
bool split_compound(std::string_view body, std::vector<std::string_view>& out);

// A message ready for the socket.
Result<std::string> seal_packet(const Envelope& envelope, std::string message, bool with_crc, Random& random);
// The message inside: label, seal and checksum are taken off. Compression and compounds are left.
Result<std::string> open_packet(const Envelope& envelope, std::string_view packet);
// The body of a compressed message unfolded; nothing when it is malformed or larger than `limit`.
std::optional<std::string> inflate(std::string_view body, size_t limit);

enum class Direction : uint8_t { kOpening, kAnswer };
Result<std::string> seal_stream(const Envelope& envelope, std::string message, Direction direction, Random& random);

// One message of a stream.
struct StreamMessage {
  Wire type = Wire::kErr;
  Ping ping;                     // kPing
  Ack ack;                       // kAck
  bool join = false;             // kPushPull
  std::vector<PushNode> nodes;   // kPushPull
  std::string user;              // kPushPull: Serf's state; kUser: the message
  std::string error;             // kErr
};

// Takes a stream's bytes as they come until there is one message. Refuses what is too large before it is buffered.
class StreamReader {
 public:
  StreamReader(const Envelope& envelope, Direction direction)
      : envelope_(envelope), stage_(direction == Direction::kOpening ? Stage::kLabel : Stage::kOuter) {}

  enum class State { kMore, kDone, kFailed };
  State feed(std::string_view bytes);
  StreamMessage& message() { return message_; }
  const std::string& error() const { return error_; }
  // The failure is one that the peer is told of.
  bool tell_peer() const { return tell_peer_; }
  // Whether anything has arrived.
  bool started() const { return started_; }

 private:
  enum class Stage { kLabel, kOuter, kSealed, kCompressed, kMessage, kHeader, kNodes, kUser, kUserHeader, kBody, kDone };
  using Step = std::optional<State>;  // nothing: go on with the next stage
  Step step();
  Step label();
  Step outer();
  Step sealed();
  Step compressed();
  Step begin_message();
  Step header();
  Step nodes();
  Step user_header();
  Step user();
  Step body();
  State fail(std::string why, bool tell = true);
  // One whole value at the front of what is left: its size, or the state to return.
  std::optional<size_t> value_size(size_t limit, State& state);
  std::string_view left() const { return std::string_view(buffer_).substr(at_); }

  const Envelope& envelope_;
  Stage stage_;
  bool started_ = false;
  std::string buffer_;
  size_t at_ = 0;               // taken from the buffer so far
  bool whole_ = false;          // the message is all in the buffer: nothing more will come
  size_t nodes_left_ = 0;
  size_t user_size_ = 0;
  StreamMessage message_;
  std::string error_;
  bool tell_peer_ = false;
};

}  // namespace drover::gossip
