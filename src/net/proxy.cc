#include "net/proxy.h"

#include <arpa/inet.h>

#include <array>
#include <cstdlib>

#include "base/strings.h"
#include "net/address.h"

namespace drover::net {
namespace {

struct Ip {
  std::array<unsigned char, 16> bytes{};
  size_t size = 0;
};

std::optional<Ip> parse_ip(const std::string& text) {
  Ip ip;
  if (::inet_pton(AF_INET, text.c_str(), ip.bytes.data()) == 1) ip.size = 4;
  else if (::inet_pton(AF_INET6, text.c_str(), ip.bytes.data()) == 1) ip.size = 16;
  else return std::nullopt;
  return ip;
}

bool loopback(const Ip& ip) {
  if (ip.size == 4) return ip.bytes[0] == 127;
  Ip one;
  one.bytes[15] = 1;
  return ip.bytes == one.bytes;
}

bool in_network(const Ip& ip, std::string_view cidr) {
  auto slash = cidr.find('/');
  auto base = parse_ip(std::string(cidr.substr(0, slash)));
  auto bits = parse_uint(cidr.substr(slash + 1));
  if (!base || !bits || base->size != ip.size || *bits > ip.size * 8) return false;
  for (size_t i = 0; i < *bits; ++i) {
    unsigned mask = 0x80u >> (i % 8);
    if ((ip.bytes[i / 8] & mask) != (base->bytes[i / 8] & mask)) return false;
  }
  return true;
}

bool excluded(const std::string& no_proxy, const std::string& host, const std::string& port) {
  auto ip = parse_ip(host);
  for (auto& raw : split(no_proxy, ',')) {
    std::string entry = to_lower(trim_space(raw));
    if (entry.empty()) continue;
    if (entry == "*") return true;
    if (entry.find('/') != std::string::npos) {
      if (ip && in_network(*ip, entry)) return true;
      continue;
    }
    std::string wanted_port;
    if (!parse_ip(entry)) {
      if (auto parts = split_host_port(entry)) {
        entry = parts->host;
        wanted_port = parts->port;
      }
    }
    if (!wanted_port.empty() && wanted_port != port) continue;
    if (auto other = parse_ip(entry)) {
      if (ip && ip->size == other->size && ip->bytes == other->bytes) return true;
      continue;
    }
    // "*.x" and ".x" match what is below x; "x" matches itself too.
    if (entry.starts_with("*.")) entry.erase(0, 1);
    bool below_only = entry.starts_with(".");
    std::string suffix = below_only ? entry : "." + entry;
    if (host.ends_with(suffix) || (!below_only && host == entry)) return true;
  }
  return false;
}

}  // namespace

ProxyConfig ProxyConfig::from_environment(const std::function<const char*(const char*)>& getenv) {
  auto any = [&](const char* upper, const char* lower) -> std::string {
    for (auto name : {upper, lower})
      if (auto v = getenv(name); v && *v) return v;
    return {};
  };
  ProxyConfig c{any("HTTP_PROXY", "http_proxy"), any("HTTPS_PROXY", "https_proxy"), any("NO_PROXY", "no_proxy")};
  if (auto cgi = getenv("REQUEST_METHOD"); cgi && *cgi) c.http_proxy.clear();
  return c;
}

ProxyConfig ProxyConfig::from_environment() {
  return from_environment([](const char* name) -> const char* { return std::getenv(name); });
}

Result<std::optional<Url>> ProxyConfig::proxy_for(const Url& url) const {
  const std::string& proxy = url.scheme == "https" ? https_proxy : http_proxy;
  if (proxy.empty()) return std::optional<Url>{};
  std::string host = to_lower(url.hostname()), port = url.port();
  if (port.empty()) port = url.scheme == "https" ? "443" : "80";
  auto ip = parse_ip(host);
  if (host == "localhost" || (ip && loopback(*ip)) || excluded(no_proxy, host, port)) return std::optional<Url>{};
  auto parsed = Url::parse(proxy);
  if (!parsed || parsed->host.empty() || (parsed->scheme != "http" && parsed->scheme != "https"))
    parsed = Url::parse("http://" + proxy);
  if (!parsed) return Error(std::move(parsed).error()).with_context("invalid proxy address " + go_quote(proxy));
  return std::optional<Url>(std::move(*parsed));
}

}  // namespace drover::net
