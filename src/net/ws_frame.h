// Websocket frames (RFC 6455) as a pure core: bytes to frames and back, and the handshake's arithmetic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/headers.h"

namespace drover::net {

enum class WsOpcode : uint8_t { kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

struct WsFrame {
  bool last = true;
  WsOpcode opcode = WsOpcode::kText;
  std::string payload;
};

// Takes the first whole frame off `buffer`, or nothing when there is none yet. Servers want masked frames, clients
// unmasked ones. A frame of more than `max` bytes, or one against the rules, is an error that ends the connection.
Result<std::optional<WsFrame>> take_ws_frame(std::string& buffer, bool masked, size_t max);

// `mask` is set by clients, random for each frame.
std::string write_ws_frame(WsOpcode opcode, std::string_view payload, std::optional<uint32_t> mask, bool last = true);

// "Sec-WebSocket-Accept" for a key.
std::string ws_accept_key(std::string_view key);

// The server's answer to an upgrade request: 101 with `accept`, or an error status and why.
struct WsUpgrade {
  int status = 101;
  std::string accept, error;
};
WsUpgrade plan_websocket_upgrade(std::string_view method, std::string_view host, const Headers& headers);

// "websocket: close 1000 (normal): bye"
std::string ws_close_text(uint16_t code, std::string_view reason);

}  // namespace drover::net
