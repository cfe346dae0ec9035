#include "net/ws_frame.h"

#include <openssl/sha.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "net/url.h"

namespace drover::net {
namespace {

bool is_control(uint8_t opcode) { return opcode >= 8; }
bool known(uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

void apply_mask(std::string& payload, const unsigned char key[4]) {
  for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ static_cast<char>(key[i % 4]));
}

}  // namespace

Result<std::optional<WsFrame>> take_ws_frame(std::string& buffer, bool masked, size_t max) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(buffer[i]); };
  if (buffer.size() < 2) return std::optional<WsFrame>{};
  uint8_t opcode = byte(0) & 0x0f;
  bool last = byte(0) & 0x80;
  if (byte(0) & 0x70) return invalid("websocket: unexpected reserved bits");
  if (!known(opcode)) return invalid(fmt::format("websocket: unknown opcode {}", opcode));
  if (static_cast<bool>(byte(1) & 0x80) != masked) return invalid("websocket: incorrect mask flag");
  uint64_t size = byte(1) & 0x7f;
  if (is_control(opcode) && (!last || size > 125)) return invalid("websocket: bad control frame");
  size_t at = 2, extra = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (buffer.size() < at + extra) return std::optional<WsFrame>{};
  if (extra) {
    size = 0;
    for (size_t i = 0; i < extra; ++i) size = size << 8 | byte(at + i);
    at += extra;
  }
  if (size > max) return Error(ErrorCode::kTooLarge, "websocket: read limit exceeded");
  size_t mask_size = masked ? 4 : 0;
  if (buffer.size() < at + mask_size + size) return std::optional<WsFrame>{};
  WsFrame frame{last, static_cast<WsOpcode>(opcode), buffer.substr(at + mask_size, size)};
  if (masked) {
    unsigned char key[4] = {byte(at), byte(at + 1), byte(at + 2), byte(at + 3)};
    apply_mask(frame.payload, key);
  }
  buffer.erase(0, at + mask_size + size);
  return std::optional<WsFrame>(std::move(frame));
}

std::string write_ws_frame(WsOpcode opcode, std::string_view payload, std::optional<uint32_t> mask, bool last) {
  std::string out;
  out.reserve(payload.size() + 14);
  out += static_cast<char>((last ? 0x80 : 0) | static_cast<uint8_t>(opcode));
  unsigned char flag = mask ? 0x80 : 0;
  uint64_t size = payload.size();
  int extra = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
  out += static_cast<char>(flag | (extra == 0 ? size : extra == 2 ? 126 : 127));
  for (int i = extra - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
  if (!mask) return out += payload;
  unsigned char key[4];
  for (int i = 0; i < 4; ++i) out += static_cast<char>(key[i] = static_cast<unsigned char>(*mask >> (8 * i)));
  std::string masked(payload);
  apply_mask(masked, key);
  return out += masked;
}

std::string ws_accept_key(std::string_view key) {
  std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return base64_encode({reinterpret_cast<const char*>(digest), sizeof digest});
}

WsUpgrade plan_websocket_upgrade(std::string_view method, std::string_view host, const Headers& headers) {
  auto no = [](int status, std::string why) { return WsUpgrade{status, "", "websocket: " + why}; };
  const std::string not_websocket = "the client is not using the websocket protocol: ";
  if (!headers.has_token("Connection", "upgrade"))
    return no(400, not_websocket + "'upgrade' token not found in 'Connection' header");
  if (!headers.has_token("Upgrade", "websocket"))
    return no(400, not_websocket + "'websocket' token not found in 'Upgrade' header");
  if (method != "GET") return no(405, not_websocket + "request method is not GET");
  if (!headers.has_token("Sec-Websocket-Version", "13"))
    return no(400, "unsupported version: 13 not found in 'Sec-Websocket-Version' header");
  if (headers.has("Origin")) {
    auto origin = Url::parse(headers.get("Origin"));
    if (!origin || !equal_fold(origin->host, host))
      return no(403, "request origin not allowed by Upgrader.CheckOrigin");
  }
  auto key = headers.get("Sec-Websocket-Key");
  if (key.empty()) return no(400, "not a websocket handshake: 'Sec-WebSocket-Key' header is missing or blank");
  return {101, ws_accept_key(key), ""};
}

std::string ws_close_text(uint16_t code, std::string_view reason) {
  struct Row {
    uint16_t code;
    const char* name;
  };
  static constexpr Row rows[] = {
      {1000, "normal"}, {1001, "going away"}, {1002, "protocol error"}, {1003, "unsupported data"}, {1005, "no status"},
      {1006, "abnormal closure"}, {1007, "invalid payload data"}, {1008, "policy violation"}, {1009, "message too big"},
      {1010, "mandatory extension missing"}, {1011, "internal server error"}, {1015, "TLS handshake error"},
  };
  std::string out = fmt::format("websocket: close {}", code);
  for (auto& r : rows)
    if (r.code == code) out += fmt::format(" ({})", r.name);
  if (!reason.empty()) out += fmt::format(": {}", reason);
  return out;
}

}  // namespace drover::net
