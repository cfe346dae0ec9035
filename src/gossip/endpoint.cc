#include "gossip/endpoint.h"

#include <arpa/inet.h>

#include <fmt/format.h>

#include "base/strings.h"

namespace drover::gossip {
namespace {

constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

std::string_view plain(std::string_view ip) {
  return ip.size() == 16 && ip.starts_with(kMapped) ? ip.substr(12) : ip;
}

}  // namespace

bool operator==(const Endpoint& a, const Endpoint& b) { return a.port == b.port && plain(a.ip) == plain(b.ip); }

std::string ip_text(std::string_view ip) {
  auto bytes = plain(ip);
  if (bytes.empty()) return "<nil>";
  char text[INET6_ADDRSTRLEN];
  int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if ((bytes.size() != 4 && bytes.size() != 16) || !inet_ntop(family, bytes.data(), text, sizeof text))
    return "?" + hex_encode(bytes);
  return text;
}

std::optional<std::string> parse_ip(std::string_view text) {
  std::string z(text);
  char out[16];
  if (inet_pton(AF_INET, z.c_str(), out) == 1) return std::string(out, 4);
  if (inet_pton(AF_INET6, z.c_str(), out) == 1) return std::string(plain({out, 16}));
  return std::nullopt;
}

bool public_ip(std::string_view ip) {
  auto bytes = plain(ip);
  if (bytes.size() == 16) return (static_cast<unsigned char>(bytes[0]) & 0xe0) == 0x20;  // 2000::/3
  if (bytes.size() != 4) return false;
  struct Range {
    uint32_t base;
    int bits;
  };
  constexpr Range kSpecial[] = {
      {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16}, {0xac100000, 12}, {0xc0000000, 24},
      {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 3}};
  uint32_t n = 0;
  for (unsigned char b : bytes) n = n << 8 | b;
  for (auto& r : kSpecial)
    if ((n ^ r.base) >> (32 - r.bits) == 0) return false;
  return true;
}

std::string endpoint_text(const Endpoint& at) {
  auto host = ip_text(at.ip);
  return host.find(':') != std::string::npos ? fmt::format("[{}]:{}", host, at.port) : fmt::format("{}:{}", host, at.port);
}

}  // namespace drover::gossip
