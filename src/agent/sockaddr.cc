#include "agent/sockaddr.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/strings.h"
#include "codec/type_info.h"
#include "gotemplate/template.h"

namespace drover::agent {

// One address of one interface, as the templates pass it on.
struct IfAddress {
  std::string Name;
  std::string Address;      // IP text
  std::string Network;      // "10.0.0.0/8"
  int64_t Prefix = 0;
  bool V6 = false, Up = false, Loopback = false, LinkLocal = false, Default = false;
};

}  // namespace drover::agent

namespace drover {
DROVER_TYPE(agent::IfAddress)
}
DROVER_DESCRIBE(drover::agent::IfAddress, "sockaddr.IfAddr", DROVER_FIELD(Name), DROVER_FIELD(Address), DROVER_FIELD(Network),
    DROVER_FIELD(Prefix), DROVER_FIELD(V6), DROVER_FIELD(Up), DROVER_FIELD(Loopback), DROVER_FIELD(LinkLocal), DROVER_FIELD(Default))

namespace drover::agent {
namespace {

using gotemplate::Datum;
using Args = std::vector<Datum>;
using Addresses = std::vector<IfAddress>;
using IpBytes = std::array<unsigned char, 16>;

// IPv4 fills the first four bytes.
std::optional<IpBytes> ip_bytes(const std::string& ip, bool v6) {
  IpBytes b{};
  if (inet_pton(v6 ? AF_INET6 : AF_INET, ip.c_str(), b.data()) != 1) return std::nullopt;
  return b;
}

std::string ip_text(const IpBytes& b, bool v6) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(v6 ? AF_INET6 : AF_INET, b.data(), text, sizeof text) ? text : "";
}

bool same_prefix(const IpBytes& a, const IpBytes& b, int64_t bits) {
  auto whole = static_cast<size_t>(bits / 8);
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  return bits % 8 == 0 || ((a[whole] ^ b[whole]) >> (8 - bits % 8)) == 0;
}

std::string network_of(const std::string& ip, int64_t prefix, bool v6) {
  auto b = ip_bytes(ip, v6);
  if (!b) return "";
  for (int64_t bit = prefix; bit < (v6 ? 128 : 32); ++bit)
    (*b)[static_cast<size_t>(bit / 8)] &= static_cast<unsigned char>(~(0x80 >> (bit % 8)));
  return fmt::format("{}/{}", ip_text(*b, v6), prefix);
}

bool in_network(const IfAddress& a, const std::string& cidr) {
  auto slash = cidr.find('/');
  bool v6 = cidr.find(':') != std::string::npos;
  if (v6 != a.V6) return false;
  auto bits = slash == std::string::npos ? std::optional<int64_t>(v6 ? 128 : 32) : parse_int(std::string_view(cidr).substr(slash + 1));
  auto net = ip_bytes(cidr.substr(0, slash), v6), ip = ip_bytes(a.Address, v6);
  return bits && *bits >= 0 && *bits <= (v6 ? 128 : 32) && net && ip && same_prefix(*net, *ip, *bits);
}

// Networks of the RFCs that selectors name. 6890 lists the special-purpose ones; a private address is in one of them.
struct Rfc {
  std::string_view number;
  std::vector<std::string> networks;
};
const std::vector<Rfc>& rfcs() {
  static const std::vector<Rfc> all = {
      {"1918", {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"}},
      {"3927", {"169.254.0.0/16"}},
      {"4193", {"fc00::/7"}},
      {"4291", {"::/128", "::1/128", "fe80::/10", "ff00::/8"}},
      {"6598", {"100.64.0.0/10"}},
      {"6890", {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
                "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
                "240.0.0.0/4", "::1/128", "::/128", "64:ff9b::/96", "::ffff:0:0/96", "100::/64", "2001::/23",
                "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10"}},
  };
  return all;
}

Result<bool> in_rfc(const IfAddress& a, std::string_view number) {
  for (auto& r : rfcs())
    if (r.number == number)
      return std::any_of(r.networks.begin(), r.networks.end(), [&](auto& n) { return in_network(a, n); });
  return invalid(fmt::format("unsupported RFC {}", number));
}

bool is_multicast(const IfAddress& a) { return in_network(a, a.V6 ? "ff00::/8" : "224.0.0.0/4"); }
bool forwardable(const IfAddress& a) { return !a.Loopback && !a.LinkLocal && !is_multicast(a) && !in_network(a, "127.0.0.0/8"); }

Result<bool> has_flag(const IfAddress& a, std::string_view flag) {
  if (flag == "up") return a.Up;
  if (flag == "down") return !a.Up;
  if (flag == "loopback") return a.Loopback;
  if (flag == "forwardable") return forwardable(a);
  if (flag == "global unicast") return !a.Loopback && !a.LinkLocal && !is_multicast(a);
  if (flag == "link-local unicast") return a.LinkLocal;
  if (flag == "multicast") return is_multicast(a);
  if (flag == "unspecified") return a.Address == "0.0.0.0" || a.Address == "::";
  if (flag == "broadcast" || flag == "point-to-point") return false;
  return invalid(fmt::format("Invalid interface flag: {}", go_quote(flag)));
}

// One selector of include and exclude, applied to one address.
Result<bool> selects(const IfAddress& a, const std::string& selector, const std::string& arg) {
  auto name = to_lower(selector);
  auto any = [&](auto test) -> Result<bool> {
    for (auto& part : split(arg, '|')) {
      Result<bool> r = test(part);
      if (!r || *r) return r;
    }
    return false;
  };
  auto matches = [&](const std::string& text) -> Result<bool> {
    RE2 re(arg, RE2::Quiet);
    if (!re.ok()) return invalid(fmt::format("Unable to compile {} regexp {}: {}", name, go_quote(arg), re.error()));
    return RE2::PartialMatch(text, re);
  };
  if (name == "address") return matches(a.Address);
  if (name == "name") return matches(a.Name);
  if (name == "flag" || name == "flags") {
    for (auto& flag : split(to_lower(arg), '|')) {
      DROVER_TRY(bool has, has_flag(a, flag));
      if (!has) return false;
    }
    return true;
  }
  if (name == "network") return any([&](auto& part) -> Result<bool> { return in_network(a, part); });
  if (name == "rfc" || name == "rfcs") return any([&](auto& part) { return in_rfc(a, part); });
  if (name == "size")
    return any([&](auto& part) -> Result<bool> { return part == fmt::format("/{}", a.Prefix) || part == fmt::format("{}", a.Prefix); });
  if (name == "type")
    return any([&](auto& part) -> Result<bool> {
      auto type = to_lower(part);
      return type == "ip" || (type == "ipv4" && !a.V6) || (type == "ipv6" && a.V6);
    });
  if (name == "port") return false;
  return invalid(fmt::format("invalid selector name {}", go_quote(selector)));
}

// ---- datums --------------------------------------------------------------------------------------------------------

Datum to_datum(const Addresses& list) {
  std::vector<Datum> out;
  for (auto& a : list) out.push_back(Datum::of(a));
  return Datum::list(std::move(out));
}

Result<Addresses> addresses_of(const Datum& datum) {
  auto d = datum.settled();
  Addresses out;
  auto take = [&](const Datum& one) {
    auto e = one.settled();
    if (e.missing() || &e.type() != &type_of<IfAddress>()) return false;
    out.push_back(*static_cast<const IfAddress*>(e.object()));
    return true;
  };
  if (d.is_list()) {
    for (size_t i = 0; i < d.size(); ++i)
      if (!take(d.element(i))) return invalid("a list of interface addresses is expected");
  } else if (!take(d)) {
    return invalid("a list of interface addresses is expected");
  }
  return out;
}

Result<std::string> text_arg(const Args& args, size_t i) {
  auto text = i < args.size() ? args[i].as_text() : std::nullopt;
  if (!text) return invalid(fmt::format("argument {} must be a string", i + 1));
  return *text;
}

// ---- attributes, order ---------------------------------------------------------------------------------------------

Result<std::string> attribute(const IfAddress& a, const std::string& name) {
  auto n = to_lower(name);
  if (n == "address" || n == "host") return a.Address;
  if (n == "name") return a.Name;
  if (n == "network") return a.Network;
  if (n == "type") return std::string(a.V6 ? "IPv6" : "IPv4");
  if (n == "size" || n == "mask_bits") return fmt::format("{}", a.Prefix);
  if (n == "string") return fmt::format("{}/{}", a.Address, a.Prefix);
  if (n == "port") return std::string("0");
  if (n == "flags") {
    std::string flags = a.Up ? "up" : "down";
    if (a.Loopback) flags += "|loopback";
    return flags;
  }
  return invalid(fmt::format("unsupported attribute name {}", go_quote(name)));
}

bool is_private(const IfAddress& a) { return in_rfc(a, "6890").value_or(false); }

// -1, 0, 1 of one sort key.
Result<int> compare(const IfAddress& a, const IfAddress& b, std::string key) {
  int sign = 1;
  if (key.starts_with('-')) sign = -1;
  if (key.starts_with('-') || key.starts_with('+')) key.erase(0, 1);
  auto order = [&](const auto& x, const auto& y) { return sign * (x < y ? -1 : y < x ? 1 : 0); };
  if (key == "address") {
    if (a.V6 != b.V6) return order(a.V6, b.V6);
    return order(ip_bytes(a.Address, a.V6).value_or(IpBytes{}), ip_bytes(b.Address, b.V6).value_or(IpBytes{}));
  }
  if (key == "default") return order(b.Default, a.Default);
  if (key == "name") return order(a.Name, b.Name);
  if (key == "port") return 0;
  if (key == "private") return order(!is_private(a), !is_private(b));
  if (key == "size") return order(-a.Prefix, -b.Prefix);
  if (key == "type") return order(a.V6, b.V6);
  return invalid(fmt::format("unknown sort type: {}", go_quote(key)));
}

Result<Addresses> sorted(Addresses list, const std::string& keys) {
  std::optional<Error> wrong;
  std::stable_sort(list.begin(), list.end(), [&](auto& a, auto& b) {
    for (auto& key : split(keys, ',')) {
      auto c = compare(a, b, std::string(trim_space(key)));
      if (!c) wrong = c.error();
      else if (*c != 0) return *c < 0;
    }
    return false;
  });
  if (wrong) return *wrong;
  return list;
}

// `math "address" "+1"`, `math "network" "+20"`: the address moved within its network.
Result<IfAddress> moved(IfAddress a, const std::string& operation, const std::string& value) {
  auto by = parse_int(value.starts_with('+') ? std::string_view(value).substr(1) : std::string_view(value));
  if (!by) return invalid(fmt::format("unable to convert {} to int for operation {}", go_quote(value), go_quote(operation)));
  auto base = operation == "network" ? a.Network.substr(0, a.Network.find('/')) : a.Address;
  if (operation != "network" && operation != "address") return invalid(fmt::format("unsupported math operation: {}", go_quote(operation)));
  auto b = ip_bytes(base, a.V6);
  if (!b) return a;
  int64_t carry = *by;
  for (size_t i = a.V6 ? 16 : 4; i-- > 0 && carry != 0;) {
    int64_t sum = (*b)[i] + (carry & 0xFF);
    (*b)[i] = static_cast<unsigned char>(sum);
    carry = (carry >> 8) + (sum >> 8);
  }
  a.Address = ip_text(*b, a.V6);
  a.Network = network_of(a.Address, a.Prefix, a.V6);
  return a;
}

// ---- the functions -------------------------------------------------------------------------------------------------

class Library {
 public:
  explicit Library(const HostNetworks& host) {
    for (auto& i : host.interfaces)
      for (auto& a : i.addresses)
        all_.push_back({i.name, a.ip, network_of(a.ip, a.prefix, a.v6), a.prefix, a.v6, i.up, i.loopback, a.link_local,
                        i.name == host.default_interface});
  }

  gotemplate::Functions functions() const {
    gotemplate::Functions f;
    for (auto& [name, list] : std::initializer_list<std::pair<const char*, Addresses>>{
             {"GetAllInterfaces", all_}, {"GetDefaultInterfaces", defaults()}, {"GetPrivateInterfaces", reachable(true)},
             {"GetPublicInterfaces", reachable(false)}})
      f[name] = [list](Args&) -> Result<Datum> { return to_datum(list); };
    for (auto& [name, list] : std::initializer_list<std::pair<const char*, Addresses>>{
             {"GetPrivateIP", reachable(true)}, {"GetPublicIP", reachable(false)}, {"GetDefaultIP", defaults()}})
      f[name] = [list](Args&) -> Result<Datum> { return Datum::text(list.empty() ? "" : list.front().Address); };
    for (auto& [name, list] : std::initializer_list<std::pair<const char*, Addresses>>{
             {"GetPrivateIPs", reachable(true)}, {"GetPublicIPs", reachable(false)}})
      f[name] = [list](Args&) -> Result<Datum> { return Datum::text(joined(list)); };
    f["GetInterfaceIP"] = [this](Args& a) { return of_interface(a, true); };
    f["GetInterfaceIPs"] = [this](Args& a) { return of_interface(a, false); };
    f["include"] = [](Args& a) { return filter(a, true); };
    f["exclude"] = [](Args& a) { return filter(a, false); };
    f["sort"] = sort;
    f["limit"] = [](Args& a) { return part(a, true); };
    f["offset"] = [](Args& a) { return part(a, false); };
    f["unique"] = unique;
    f["join"] = join_attributes;
    f["attr"] = attr;
    f["math"] = math;
    return f;
  }

 private:
  static std::string joined(const Addresses& list) {
    std::vector<std::string> out;
    for (auto& a : list) out.push_back(a.Address);
    return drover::join(out, " ");
  }
  Addresses defaults() const {
    Addresses out;
    for (auto& a : all_)
      if (a.Default && a.Up) out.push_back(a);
    return sorted(std::move(out), "type,size").value_or(Addresses{});
  }
  // Up and forwardable addresses, private or public ones, IPv4 and small networks first.
  Addresses reachable(bool want_private) const {
    Addresses out;
    for (auto& a : all_)
      if (a.Up && forwardable(a) && is_private(a) == want_private) out.push_back(a);
    return sorted(std::move(out), "type,size").value_or(Addresses{});
  }
  Result<Datum> of_interface(Args& args, bool first) const {
    DROVER_TRY(auto name, text_arg(args, 0));
    Addresses found;
    for (auto& a : all_) {
      DROVER_TRY(bool yes, selects(a, "name", name));
      if (yes) found.push_back(a);
    }
    DROVER_TRY(found, sorted(std::move(found), "type,size"));
    if (first && found.size() > 1) found.resize(1);
    return Datum::text(joined(found));
  }

  static Result<Datum> filter(Args& args, bool keep) {
    if (args.size() != 3) return invalid("three arguments are expected");
    DROVER_TRY(auto selector, text_arg(args, 0));
    DROVER_TRY(auto arg, text_arg(args, 1));
    DROVER_TRY(auto list, addresses_of(args[2]));
    Addresses out;
    for (auto& a : list) {
      DROVER_TRY(bool yes, selects(a, selector, arg));
      if (yes == keep) out.push_back(a);
    }
    return to_datum(out);
  }
  static Result<Datum> sort(Args& args) {
    if (args.size() != 2) return invalid("two arguments are expected");
    DROVER_TRY(auto keys, text_arg(args, 0));
    DROVER_TRY(auto list, addresses_of(args[1]));
    DROVER_TRY(list, sorted(std::move(list), keys));
    return to_datum(list);
  }
  static Result<Datum> part(Args& args, bool limit) {
    auto n = args.size() == 2 ? args[0].as_int() : std::nullopt;
    if (!n) return invalid("a number and a list are expected");
    DROVER_TRY(auto list, addresses_of(args[1]));
    auto size = static_cast<int64_t>(list.size());
    if (limit) {
      if (*n < 0) return invalid("limit must not be negative");
      list.resize(static_cast<size_t>(std::min(*n, size)));
    } else {
      auto skip = *n < 0 ? std::max<int64_t>(0, size + *n) : std::min(*n, size);
      list.erase(list.begin(), list.begin() + skip);
    }
    return to_datum(list);
  }
  static Result<Datum> unique(Args& args) {
    if (args.size() != 2) return invalid("two arguments are expected");
    DROVER_TRY(auto name, text_arg(args, 0));
    DROVER_TRY(auto list, addresses_of(args[1]));
    Addresses out;
    std::vector<std::string> seen;
    for (auto& a : list) {
      DROVER_TRY(auto value, attribute(a, name));
      if (std::find(seen.begin(), seen.end(), value) != seen.end()) continue;
      seen.push_back(std::move(value));
      out.push_back(a);
    }
    return to_datum(out);
  }
  static Result<Datum> join_attributes(Args& args) {
    if (args.size() != 3) return invalid("three arguments are expected");
    DROVER_TRY(auto name, text_arg(args, 0));
    DROVER_TRY(auto separator, text_arg(args, 1));
    DROVER_TRY(auto list, addresses_of(args[2]));
    std::vector<std::string> out;
    for (auto& a : list) {
      DROVER_TRY(auto value, attribute(a, name));
      out.push_back(std::move(value));
    }
    return Datum::text(drover::join(out, separator));
  }
  static Result<Datum> attr(Args& args) {
    if (args.size() != 2) return invalid("two arguments are expected");
    DROVER_TRY(auto name, text_arg(args, 0));
    DROVER_TRY(auto list, addresses_of(args[1]));
    if (list.empty()) return Datum::text("");
    DROVER_TRY(auto value, attribute(list.front(), name));
    return Datum::text(std::move(value));
  }
  static Result<Datum> math(Args& args) {
    if (args.size() != 3) return invalid("three arguments are expected");
    DROVER_TRY(auto operation, text_arg(args, 0));
    DROVER_TRY(auto value, text_arg(args, 1));
    DROVER_TRY(auto list, addresses_of(args[2]));
    for (auto& a : list) {
      DROVER_TRY(a, moved(std::move(a), operation, value));
    }
    return to_datum(list);
  }

  Addresses all_;
};

}  // namespace

HostNetworks host_networks(client::HostSource& host) {
  HostNetworks out{host.interfaces(), ""};
  for (auto& line : split(host.read_file("/proc/net/route").value_or(""), '\n')) {
    auto fields = split(line, '\t');
    if (fields.size() > 7 && trim_space(fields[1]) == "00000000" && trim_space(fields[7]) == "00000000") {
      out.default_interface = trim_space(fields[0]);
      break;
    }
  }
  return out;
}

Result<std::string> eval_address_template(std::string_view text, const HostNetworks& host) {
  if (text.find("{{") == std::string_view::npos) return std::string(text);
  auto wrong = [&](const Error& e) {
    return invalid(fmt::format("unable to parse address template {}: {}", go_quote(text), e.message));
  };
  Library library(host);
  auto parsed = gotemplate::Template::parse("sockaddr.Parse", text, library.functions());
  if (!parsed) return wrong(parsed.error());
  auto result = parsed->execute(Datum{});
  if (!result) return wrong(result.error());
  return std::string(trim_space(*result));
}

}  // namespace drover::agent
