#include "gossip/envelope.h"

#include <zlib.h>

#include <fmt/format.h>

#include "gossip/limits.h"
#include "gossip/lzw.h"

namespace drover::gossip {
namespace {

constexpr char kTypeOf(Wire w) { return static_cast<char>(w); }

void put_be(std::string& out, uint64_t n, int width) {
  for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift);
}
uint64_t get_be(std::string_view bytes) {
  uint64_t n = 0;
  for (unsigned char c : bytes) n = n << 8 | c;
  return n;
}

uint32_t checksum(std::string_view bytes) {
  return static_cast<uint32_t>(::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

std::string label_header(const std::string& label) {
  if (label.empty()) return {};
  std::string out{kTypeOf(Wire::kLabel), static_cast<char>(label.size())};
  return out + label;
}

std::string deflate(std::string_view message) {
  return to_message(Wire::kCompress, Compressed{0, lzw_compress(message)});
}

}  // namespace

size_t Envelope::overhead() const {
  return (label.empty() ? 0 : 2 + label.size()) + (keyring->empty() ? 0 : kSealOverhead);
}

std::string make_compound(const std::vector<std::string>& messages) {
  std::string out{kTypeOf(Wire::kCompound), static_cast<char>(messages.size())};
  for (auto& m : messages) put_be(out, m.size(), 2);
  for (auto& m : messages) out += m;
  return out;
}

bool split_compound(std::string_view body, std::vector<std::string_view>& out) {
  if (body.empty()) return false;
  size_t n = static_cast<unsigned char>(body[0]);
  body.remove_prefix(1);
  if (body.size() < n * 2) return false;
  auto sizes = body.substr(0, n * 2);
  body.remove_prefix(n * 2);
  for (size_t i = 0; i < n; ++i) {
    auto size = get_be(sizes.substr(i * 2, 2));
    if (size > body.size()) break;
    out.push_back(body.substr(0, size));
    body.remove_prefix(size);
  }
  return true;
}

Result<std::string> seal_packet(const Envelope& e, std::string message, bool with_crc, Random& random) {
  if (e.compression)
    if (auto packed = deflate(message); packed.size() < message.size()) message = std::move(packed);
  if (with_crc) {
    std::string header(1, kTypeOf(Wire::kCrc));
    put_be(header, checksum(message), 4);
    message.insert(0, header);
  }
  if (!e.keyring->empty()) {
    DROVER_TRY(message, e.keyring->seal(message, e.label, random));
  }
  return label_header(e.label) + message;
}

Result<std::string> open_packet(const Envelope& e, std::string_view packet) {
  std::string_view label;
  if (!packet.empty() && packet[0] == kTypeOf(Wire::kLabel)) {
    size_t size = packet.size() < 2 ? 0 : static_cast<unsigned char>(packet[1]);
    if (packet.size() < 2 || packet.size() < 2 + size) return invalid("cannot decode label; packet has been truncated");
    if (size == 0) return invalid("label header cannot be empty when present");
    label = packet.substr(2, size);
    packet.remove_prefix(2 + size);
  }
  if (label != e.label) return invalid(fmt::format("discarding packet with unacceptable label \"{}\"", label));
  std::string message(packet);
  if (!e.keyring->empty()) {
    auto plain = e.keyring->open(packet, label);
    if (!plain) return std::move(plain).error().with_context("Decrypt packet failed");
    message = std::move(*plain);
  }
  if (message.size() >= 5 && message[0] == kTypeOf(Wire::kCrc)) {
    auto expected = get_be(std::string_view(message).substr(1, 4));
    auto got = checksum(std::string_view(message).substr(5));
    if (got != expected) return invalid(fmt::format("Got invalid checksum for UDP packet: {:x}, {:x}", got, expected));
    message.erase(0, 5);
  }
  return message;
}

std::optional<std::string> inflate(std::string_view body, size_t limit) {
  Compressed c;
  if (!from_pack(body, c) || c.Algo != 0) return std::nullopt;
  return lzw_expand(c.Buf, limit);
}

Result<std::string> seal_stream(const Envelope& e, std::string message, Direction direction, Random& random) {
  if (e.compression) message = deflate(message);
  if (!e.keyring->empty()) {
    std::string header(1, kTypeOf(Wire::kEncrypt));
    put_be(header, kSealOverhead + message.size(), 4);
    DROVER_TRY(auto sealed, e.keyring->seal(message, header + e.label, random));
    message = header + sealed;
  }
  return (direction == Direction::kOpening ? label_header(e.label) : std::string()) + message;
}

// ---- StreamReader ----------------------------------------------------------------------------------------------------

StreamReader::State StreamReader::fail(std::string why, bool tell) {
  error_ = std::move(why);
  tell_peer_ = tell;
  stage_ = Stage::kDone;
  return State::kFailed;
}

StreamReader::State StreamReader::feed(std::string_view bytes) {
  if (stage_ == Stage::kDone) return error_.empty() ? State::kDone : State::kFailed;
  if (buffer_.size() + bytes.size() > kStreamInflatedMax) return fail("the message is larger than the limit");
  buffer_ += bytes;
  started_ |= !bytes.empty();
  for (;;)
    if (auto state = step()) {
      // What is complete and yet cut short will not get longer.
      if (*state == State::kMore && whole_) return fail("unexpected EOF");
      return *state;
    }
}

StreamReader::Step StreamReader::step() {
  switch (stage_) {
    case Stage::kLabel: return label();
    case Stage::kOuter: return outer();
    case Stage::kSealed: return sealed();
    case Stage::kCompressed: return compressed();
    case Stage::kMessage: return begin_message();
    case Stage::kHeader: return header();
    case Stage::kNodes: return nodes();
    case Stage::kUserHeader: return user_header();
    case Stage::kUser: return user();
    case Stage::kBody: return body();
    case Stage::kDone: return State::kDone;
  }
  return State::kFailed;
}

StreamReader::Step StreamReader::label() {
  auto in = left();
  if (in.empty()) return State::kMore;
  std::string_view got;
  if (in[0] == kTypeOf(Wire::kLabel)) {
    if (in.size() < 2) return State::kMore;
    size_t size = static_cast<unsigned char>(in[1]);
    if (size == 0) return fail("label header cannot be empty when present", false);
    if (in.size() < 2 + size) return State::kMore;
    got = in.substr(2, size);
    at_ += 2 + size;
  }
  if (got != envelope_.label) return fail(fmt::format("discarding stream with unacceptable label \"{}\"", got), false);
  stage_ = Stage::kOuter;
  return std::nullopt;
}

StreamReader::Step StreamReader::outer() {
  auto in = left();
  if (in.empty()) return State::kMore;
  bool is_sealed = in[0] == kTypeOf(Wire::kEncrypt);
  if (is_sealed && envelope_.keyring->empty()) return fail("Remote state is encrypted and encryption is not configured");
  if (!is_sealed && !envelope_.keyring->empty()) return fail("Encryption is configured but remote state is not encrypted");
  stage_ = is_sealed ? Stage::kSealed : Stage::kMessage;
  return std::nullopt;
}

StreamReader::Step StreamReader::sealed() {
  auto in = left();
  if (in.size() < 5) return State::kMore;
  auto size = get_be(in.substr(1, 4));
  if (size > kStreamMax) return fail(fmt::format("Remote node state is larger than limit ({})", size));
  if (in.size() < 5 + size) return State::kMore;
  auto plain = envelope_.keyring->open(in.substr(5, size), std::string(in.substr(0, 5)) + envelope_.label);
  if (!plain) return fail(plain.error().message);
  buffer_ = std::move(*plain);
  at_ = 0;
  whole_ = true;
  stage_ = Stage::kMessage;
  return std::nullopt;
}

StreamReader::Step StreamReader::begin_message() {
  auto in = left();
  if (in.empty()) return State::kMore;
  auto type = static_cast<Wire>(static_cast<unsigned char>(in[0]));
  ++at_;
  message_.type = type;
  switch (type) {
    case Wire::kCompress: stage_ = Stage::kCompressed; return std::nullopt;
    case Wire::kPushPull: stage_ = Stage::kHeader; return std::nullopt;
    case Wire::kUser: stage_ = Stage::kUserHeader; return std::nullopt;
    case Wire::kPing:
    case Wire::kAck:
    case Wire::kErr: stage_ = Stage::kBody; return std::nullopt;
    default: return fail(fmt::format("Received invalid msgType ({})", static_cast<int>(type)), false);
  }
}

std::optional<size_t> StreamReader::value_size(size_t limit, State& state) {
  auto in = left();
  PackReader r(in);
  r.skip();
  if (r.ok()) return in.size() - r.rest().size();
  if (r.cut_short() && in.size() <= limit) state = State::kMore;
  else state = fail(r.cut_short() ? "a value is larger than the limit" : "malformed message");
  return std::nullopt;
}

StreamReader::Step StreamReader::compressed() {
  State state{};
  auto size = value_size(kStreamMax, state);
  if (!size) return state;
  auto plain = inflate(left().substr(0, *size), kStreamInflatedMax);
  if (!plain) return fail("malformed compressed message");
  if (plain->empty() || (*plain)[0] == kTypeOf(Wire::kCompress)) return fail("malformed compressed message");
  buffer_ = std::move(*plain);
  at_ = 0;
  whole_ = true;
  stage_ = Stage::kMessage;
  return std::nullopt;
}

StreamReader::Step StreamReader::header() {
  State state{};
  auto size = value_size(kStreamValueMax, state);
  if (!size) return state;
  PushPullHeader h;
  if (!from_pack(left().substr(0, *size), h)) return fail("malformed header of a push/pull");
  if (h.Nodes < 0 || static_cast<uint64_t>(h.Nodes) > kStreamNodesMax)
    return fail(fmt::format("number of nodes in header ({}) exceeds limit", h.Nodes));
  if (h.UserStateLen < 0 || static_cast<uint64_t>(h.UserStateLen) > kStreamMax)
    return fail(fmt::format("user state length ({}) exceeds limit", h.UserStateLen));
  at_ += *size;
  message_.join = h.Join;
  nodes_left_ = static_cast<size_t>(h.Nodes);
  user_size_ = static_cast<size_t>(h.UserStateLen);
  stage_ = Stage::kNodes;
  return std::nullopt;
}

StreamReader::Step StreamReader::nodes() {
  while (nodes_left_ > 0) {
    State state{};
    auto size = value_size(kStreamValueMax, state);
    if (!size) return state;
    PushNode node;
    if (!from_pack(left().substr(0, *size), node)) return fail("malformed record of a node");
    at_ += *size;
    --nodes_left_;
    // Records beyond what is kept are read past.
    if (message_.nodes.size() < kNodesMax) message_.nodes.push_back(std::move(node));
  }
  stage_ = Stage::kUser;
  return std::nullopt;
}

StreamReader::Step StreamReader::user_header() {
  State state{};
  auto size = value_size(kStreamValueMax, state);
  if (!size) return state;
  UserHeader h;
  if (!from_pack(left().substr(0, *size), h)) return fail("malformed header of a user message");
  if (h.UserMsgLen < 0 || static_cast<uint64_t>(h.UserMsgLen) > kStreamMax)
    return fail(fmt::format("user message length ({}) exceeds limit", h.UserMsgLen));
  at_ += *size;
  user_size_ = static_cast<size_t>(h.UserMsgLen);
  stage_ = Stage::kUser;
  return std::nullopt;
}

StreamReader::Step StreamReader::user() {
  if (left().size() < user_size_) return State::kMore;
  message_.user = left().substr(0, user_size_);
  buffer_.clear();
  stage_ = Stage::kDone;
  return State::kDone;
}

StreamReader::Step StreamReader::body() {
  State state{};
  auto size = value_size(kStreamValueMax, state);
  if (!size) return state;
  auto bytes = left().substr(0, *size);
  ErrorReply error;
  bool good = message_.type == Wire::kPing  ? from_pack(bytes, message_.ping)
              : message_.type == Wire::kAck ? from_pack(bytes, message_.ack)
                                            : from_pack(bytes, error);
  if (!good) return fail("malformed message");
  message_.error = std::move(error.Error);
  stage_ = Stage::kDone;
  return State::kDone;
}

}  // namespace drover::gossip
