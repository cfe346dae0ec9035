// Which addresses the agent binds and which it advertises (reference agent-config section 3).
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>

#include "agent/config_addresses.h"
#include "base/strings.h"
#include "net/address.h"

namespace drover::agent {
namespace {

Result<std::vector<std::string>> resolve_many(const std::string& text, const HostNetworks& host) {
  DROVER_TRY(auto value, eval_address_template(text, host));
  std::vector<std::string> out;
  for (auto& part : split(value, ' '))
    if (!part.empty() && std::find(out.begin(), out.end(), part) == out.end()) out.push_back(part);
  return out;
}

Result<std::string> resolve_one(const std::string& text, const HostNetworks& host) {
  DROVER_TRY(auto found, resolve_many(text, host));
  if (found.empty()) return std::string();
  if (found.size() > 1)
    return invalid(fmt::format("multiple addresses found ({}), please configure one", go_quote(join(found, " "))));
  return found.front();
}

Result<std::string> bind_address(const std::string& own, const std::string& bind, const HostNetworks& host) {
  DROVER_TRY(auto address, resolve_one(own, host));
  return address.empty() ? bind : address;
}

enum class Reach { kUsable, kLoopback, kOther };

Reach reach_of(const std::string& ip) {
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, ip.c_str(), &v4) == 1) {
    auto n = ntohl(v4.s_addr);
    if (n >> 24 == 127) return Reach::kLoopback;
    if (n == 0 || n == 0xFFFFFFFF || n >> 28 == 14) return Reach::kOther;
    return Reach::kUsable;
  }
  if (inet_pton(AF_INET6, ip.c_str(), &v6) != 1) return Reach::kOther;
  if (IN6_IS_ADDR_LOOPBACK(&v6)) return Reach::kLoopback;
  return IN6_IS_ADDR_UNSPECIFIED(&v6) || IN6_IS_ADDR_MULTICAST(&v6) ? Reach::kOther : Reach::kUsable;
}

// The IPs of a literal or a name. Blocks on DNS.
Result<std::vector<std::string>> look_up(const std::string& host) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0)
    return invalid(fmt::format("Error resolving bind address {}: lookup {}: no such host", go_quote(host), host));
  std::vector<std::string> out;
  for (auto* a = found; a; a = a->ai_next) {
    char text[INET6_ADDRSTRLEN] = {};
    if (a->ai_family == AF_INET) inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(a->ai_addr)->sin_addr, text, sizeof text);
    else inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(a->ai_addr)->sin6_addr, text, sizeof text);
    out.emplace_back(text);
  }
  freeaddrinfo(found);
  return out;
}

std::string with_port(const std::string& host, int64_t port) { return net::join_host_port(host, fmt::format("{}", port)); }

Result<std::string> advertise_address(const std::string& given, const std::string& bind, int64_t port, bool dev,
                                      const HostNetworks& host) {
  DROVER_TRY(auto address, resolve_one(given, host));
  if (!address.empty()) {
    if (net::split_host_port(address)) return address;
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    return with_port(address, port);
  }
  DROVER_TRY(auto ips, look_up(bind));
  for (auto& ip : ips) {
    auto reach = reach_of(ip);
    if (reach == Reach::kUsable || (reach == Reach::kLoopback && dev)) return with_port(ip, port);
    if (reach == Reach::kLoopback)
      return invalid("Defaulting advertise to localhost is unsafe, please set advertise manually");
  }
  auto found = resolve_one("{{ GetPrivateIP }}", host);
  if (!found) return std::move(found).error().with_context("Unable to parse default advertise address");
  return with_port(*found, port);
}

Status interface_name(std::string& name, const HostNetworks& host) {
  if (name.empty()) return {};
  auto text = name;
  if (text.find("{{") != std::string::npos) {
    DROVER_TRY(name, eval_address_template(text, host));
    if (name.empty()) return invalid(fmt::format("template {} evaluated to empty result", go_quote(text)));
  }
  if (std::none_of(host.interfaces.begin(), host.interfaces.end(), [&](auto& i) { return i.name == name; }))
    return invalid(fmt::format("invalid interface name {}", go_quote(name)));
  return {};
}

}  // namespace

Status resolve_addresses(Config& c, const HostNetworks& host) {
  auto bind = resolve_one(c.BindAddr, host);
  if (!bind) return std::move(bind).error().with_context("Bind address resolution failed");
  c.BindAddr = *bind;

  auto http = resolve_many(c.Addresses->HTTP, host);
  if (!http) return std::move(http).error().with_context("Failed to parse HTTP address");
  if (http->empty()) http->push_back(c.BindAddr);
  c.Addresses->HTTP = join(*http, " ");
  auto rpc = bind_address(c.Addresses->RPC, c.BindAddr, host);
  if (!rpc) return std::move(rpc).error().with_context("Failed to parse RPC address");
  c.Addresses->RPC = *rpc;
  auto serf = bind_address(c.Addresses->Serf, c.BindAddr, host);
  if (!serf) return std::move(serf).error().with_context("Failed to parse Serf address");
  c.Addresses->Serf = *serf;

  auto& a = *c.AdvertiseAddrs;
  auto advertise = [&](std::string& field, const std::string& from, int64_t port, const std::string& what) -> Status {
    auto address = advertise_address(field, from, port, c.DevMode, host);
    if (!address) return std::move(address).error().with_context(what);
    field = *address;
    return {};
  };
  DROVER_CHECK(advertise(a.HTTP, http->front(), c.Ports->HTTP,
                         fmt::format("Failed to parse HTTP advertise address ({}, {}, {}, {})", a.HTTP, c.BindAddr,
                                     c.Ports->HTTP, c.DevMode)));
  DROVER_CHECK(advertise(a.RPC, *rpc, c.Ports->RPC, "Failed to parse RPC advertise address"));
  if (c.Server->Enabled) DROVER_CHECK(advertise(a.Serf, *serf, c.Ports->Serf, "Failed to parse Serf advertise address"));

  if (auto ok = interface_name(c.Client->NetworkInterface, host); !ok)
    return std::move(ok).error().with_context("Failed to parse network-interface");
  if (c.Consul->Addr.find("{{") != std::string::npos) {
    auto consul = resolve_one(c.Consul->Addr, host);
    if (!consul) return std::move(consul).error().with_context("Failed to parse Consul address");
    c.Consul->Addr = *consul;
  }
  return {};
}

}  // namespace drover::agent
