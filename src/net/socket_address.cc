#include "net/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstddef>
#include <cstring>

namespace drover::net {
namespace {

SocketAddress from(const void* data, size_t size) {
  SocketAddress a;
  std::memcpy(&a.storage, data, size);
  a.length = static_cast<socklen_t>(size);
  return a;
}

bool parse_ip(const std::string& host, uint16_t port, SocketAddress& out) {
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    out = from(&v4, sizeof v4);
    return true;
  }
  sockaddr_in6 v6{};
  auto zone = host.find('%');
  if (::inet_pton(AF_INET6, host.substr(0, zone).c_str(), &v6.sin6_addr) != 1) return false;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (zone != std::string::npos) v6.sin6_scope_id = ::if_nametoindex(host.c_str() + zone + 1);
  out = from(&v6, sizeof v6);
  return true;
}

}  // namespace

Address SocketAddress::address() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return Address::tcp(text, ntohs(v4.sin_port));
  }
  if (family() == AF_INET6) {
    auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    // A peer that came over IPv4 to a socket of both families is an IPv4 address.
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
    return Address::tcp(text, ntohs(v6.sin6_port));
  }
  if (family() == AF_UNIX) {
    auto& u = reinterpret_cast<const sockaddr_un&>(storage);
    size_t room = length > offsetof(sockaddr_un, sun_path) ? length - offsetof(sockaddr_un, sun_path) : 0;
    return Address::unix_path(std::string(u.sun_path, ::strnlen(u.sun_path, room)));
  }
  return {};
}

Result<SocketAddress> to_socket_address(const Address& a) {
  SocketAddress out;
  if (a.is_unix) {
    sockaddr_un u{};
    u.sun_family = AF_UNIX;
    if (a.host.size() >= sizeof u.sun_path) return invalid("invalid argument");
    std::memcpy(u.sun_path, a.host.data(), a.host.size());
    return from(&u, offsetof(sockaddr_un, sun_path) + a.host.size() + 1);
  }
  if (a.host.empty()) {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(a.port);
    return from(&any, sizeof any);
  }
  if (!parse_ip(a.host, a.port, out)) return invalid("lookup " + a.host + ": no such host");
  return out;
}

Result<std::vector<SocketAddress>> resolve_blocking(const Address& a) {
  std::vector<SocketAddress> out;
  SocketAddress literal;
  if (a.is_unix) {
    DROVER_TRY(literal, to_socket_address(a));
    out.push_back(literal);
    return out;
  }
  // An empty host is this machine.
  if (parse_ip(a.host.empty() ? "127.0.0.1" : a.host, a.port, literal)) {
    out.push_back(literal);
    return out;
  }
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  int rc = ::getaddrinfo(a.host.c_str(), nullptr, &hints, &list);
  // With loopback only, AI_ADDRCONFIG hides every address.
  if (rc == EAI_NONAME || rc == EAI_ADDRFAMILY || rc == EAI_NODATA) {
    hints.ai_flags = 0;
    rc = ::getaddrinfo(a.host.c_str(), nullptr, &hints, &list);
  }
  if (rc != 0) {
    bool missing = rc == EAI_NONAME || rc == EAI_NODATA || rc == EAI_ADDRFAMILY;
    return Error(ErrorCode::kUnavailable,
                 "lookup " + a.host + ": " + (missing ? "no such host" : std::string(::gai_strerror(rc))));
  }
  for (auto* p = list; p; p = p->ai_next) {
    auto address = from(p->ai_addr, p->ai_addrlen);
    if (p->ai_family == AF_INET) reinterpret_cast<sockaddr_in&>(address.storage).sin_port = htons(a.port);
    if (p->ai_family == AF_INET6) reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = htons(a.port);
    if (p->ai_family == AF_INET || p->ai_family == AF_INET6) out.push_back(address);
  }
  ::freeaddrinfo(list);
  if (out.empty()) return Error(ErrorCode::kUnavailable, "lookup " + a.host + ": no such host");
  return out;
}

Address local_address(int fd) {
  SocketAddress a;
  return ::getsockname(fd, a.get(), &a.length) == 0 ? a.address() : Address{};
}

Address remote_address(int fd) {
  SocketAddress a;
  return ::getpeername(fd, a.get(), &a.length) == 0 ? a.address() : Address{};
}

}  // namespace drover::net
