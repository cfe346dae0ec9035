// Endpoint: an IP as its 4 or 16 wire bytes, and a port.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drover::gossip {

struct Endpoint {
  std::string ip;     // network order; empty: none
  uint16_t port = 0;

  // Equal addresses, whether IPv4 comes in 4 bytes or mapped into 16.
  friend bool operator==(const Endpoint& a, const Endpoint& b);
};

// "10.0.0.1", "::1"; "<nil>" when empty, "?" and hex for other lengths (Go's IP.String).
std::string ip_text(std::string_view ip);
// 4 bytes for IPv4 text, 16 for IPv6; nullopt for anything else.
std::optional<std::string> parse_ip(std::string_view text);
// Outside of the special ranges of RFC 6890: reachable from anywhere.
bool public_ip(std::string_view ip);
// "10.0.0.1:4648", "[::1]:4648".
std::string endpoint_text(const Endpoint& at);

}  // namespace drover::gossip
