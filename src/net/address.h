// Address: where to listen or dial. "tcp" has a host (an IP, or a name when dialling) and a port; "unix" a path.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace drover::net {

struct Address {
  std::string host;        // IP text without brackets, a name, or the socket's path
  uint16_t port = 0;
  bool is_unix = false;

  static Address tcp(std::string host, uint16_t port) { return {std::move(host), port, false}; }
  static Address unix_path(std::string path) { return {std::move(path), 0, true}; }
  // "127.0.0.1:4646", "[::1]:4646", "name:80", ":4646", "unix:///run/x.sock". Error texts are Go's net.SplitHostPort:
  // `address x: missing port in address`.
  static Result<Address> parse(std::string_view text);

  std::string str() const;  // "[::1]:4646"; the path for unix
  const char* network() const { return is_unix ? "unix" : "tcp"; }
  friend auto operator<=>(const Address&, const Address&) = default;
};

// "host:port" with brackets where the host has a colon (Go's net.JoinHostPort).
std::string join_host_port(std::string_view host, std::string_view port);

// Splits "host:port"; brackets are removed. Error texts as above.
struct HostPort {
  std::string host, port;
};
Result<HostPort> split_host_port(std::string_view text);

}  // namespace drover::net
