#include "net/address.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace drover::net {

std::string join_host_port(std::string_view host, std::string_view port) {
  if (host.find(':') != std::string_view::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

Result<HostPort> split_host_port(std::string_view text) {
  auto bad = [&](const char* why) { return invalid(fmt::format("address {}: {}", text, why)); };
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("missing port in address");
  std::string_view host;
  size_t open_from = 0, close_from = 0;
  if (text[0] == '[') {
    auto end = text.find(']');
    if (end == std::string_view::npos) return bad("missing ']' in address");
    if (end + 1 == text.size()) return bad("missing port in address");
    if (end + 1 != colon) return bad(text[end + 1] == ':' ? "too many colons in address" : "missing port in address");
    host = text.substr(1, end - 1);
    open_from = 1;
    close_from = end + 1;
  } else {
    host = text.substr(0, colon);
    if (host.find(':') != std::string_view::npos) return bad("too many colons in address");
  }
  if (text.find('[', open_from) != std::string_view::npos) return bad("unexpected '[' in address");
  if (text.find(']', close_from) != std::string_view::npos) return bad("unexpected ']' in address");
  return HostPort{std::string(host), std::string(text.substr(colon + 1))};
}

Result<Address> Address::parse(std::string_view text) {
  if (text.starts_with("unix://")) return unix_path(std::string(text.substr(7)));
  DROVER_TRY(auto parts, split_host_port(text));
  auto port = parse_uint(parts.port);
  if (!port || *port > 65535) return invalid(fmt::format("address {}: invalid port", parts.port));
  return tcp(std::move(parts.host), static_cast<uint16_t>(*port));
}

std::string Address::str() const { return is_unix ? host : join_host_port(host, std::to_string(port)); }

}  // namespace drover::net
