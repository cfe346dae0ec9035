// The cidr functions. Addresses are 128-bit numbers; IPv4 uses the low 32 bits.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <optional>

#include "base/strings.h"
#include "hcl/function_impl.h"

namespace drover::hcl {

namespace {

using Bits = unsigned __int128;

struct Prefix {
  Bits address = 0;  // host bits cleared
  int length = 0;
  int width = 32;    // of the address family
};

Bits mask_of(int length, int width) {
  Bits all = width == 128 ? ~Bits(0) : (Bits(1) << 32) - 1;
  return length <= 0 ? 0 : all & ~(length >= width ? Bits(0) : (Bits(1) << (width - length)) - 1);
}

std::optional<Prefix> parse_prefix(const std::string& text) {
  size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  auto length = parse_uint(text.substr(slash + 1));
  std::string host = text.substr(0, slash);
  Prefix out;
  unsigned char bytes[16];
  if (inet_pton(AF_INET, host.c_str(), bytes) == 1) {
    out.width = 32;
  } else if (inet_pton(AF_INET6, host.c_str(), bytes) == 1) {
    out.width = 128;
  } else {
    return std::nullopt;
  }
  if (!length || *length > static_cast<uint64_t>(out.width)) return std::nullopt;
  for (int i = 0; i < out.width / 8; ++i) out.address = (out.address << 8) | bytes[i];
  out.length = static_cast<int>(*length);
  out.address &= mask_of(out.length, out.width);
  return out;
}

std::string address_text(Bits address, int width) {
  if (width == 32) {
    auto a = static_cast<uint32_t>(address);
    return fmt::format("{}.{}.{}.{}", a >> 24, (a >> 16) & 255, (a >> 8) & 255, a & 255);
  }
  uint16_t groups[8];
  for (int i = 0; i < 8; ++i) groups[i] = static_cast<uint16_t>(address >> (112 - 16 * i));
  int best = -1, best_length = 1;  // the longest run of two or more zero groups
  for (int i = 0; i < 8; ++i) {
    int n = 0;
    while (i + n < 8 && groups[i + n] == 0) ++n;
    if (n > best_length) {
      best = i;
      best_length = n;
    }
  }
  std::string out;
  for (int i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && !out.ends_with(':')) out += ':';
    out += fmt::format("{:x}", groups[i]);
  }
  return out;
}

std::string prefix_text(const Prefix& p) { return fmt::format("{}/{}", address_text(p.address, p.width), p.length); }

std::string bad_prefix(const Value& v) { return "invalid CIDR expression: invalid CIDR address: " + v.as_string(); }

CallResult cidr_host(Arguments a, const FunctionHost&) {
  auto number = whole_number(a[1]);
  if (!number) return std::unexpected(number.error());
  auto p = parse_prefix(a[0].as_string());
  if (!p) return call_error(bad_prefix(a[0]));
  int host_bits = p->width - p->length;
  Bits limit = host_bits >= 128 ? ~Bits(0) : (Bits(1) << host_bits) - 1;  // the highest host number
  Bits magnitude = *number < 0 ? static_cast<Bits>(-(*number + 1)) : static_cast<Bits>(*number);
  if (magnitude > limit) return call_error(fmt::format("prefix of {} does not accommodate a host numbered {}", p->length, *number));
  Bits host = *number < 0 ? limit - magnitude : magnitude;
  return text_value(address_text(p->address | host, p->width));
}

CallResult cidr_netmask(Arguments a, const FunctionHost&) {
  auto p = parse_prefix(a[0].as_string());
  if (!p) return call_error(bad_prefix(a[0]));
  return text_value(address_text(mask_of(p->length, p->width), p->width));
}

CallResult cidr_subnet(Arguments a, const FunctionHost&) {
  auto bits = whole_number(a[1]), number = whole_number(a[2]);
  if (!bits) return std::unexpected(bits.error());
  if (!number) return std::unexpected(number.error());
  auto p = parse_prefix(a[0].as_string());
  if (!p) return call_error(bad_prefix(a[0]));
  if (*bits > p->width - p->length) {
    return call_error(fmt::format("insufficient address space to extend prefix of {} by {}", p->length, *bits));
  }
  int length = p->length + static_cast<int>(std::max<int64_t>(*bits, -p->length));
  Bits limit = *bits <= 0 ? 0 : *bits >= 64 ? Bits(INT64_MAX) : (Bits(1) << *bits) - 1;
  if (*number < 0 || static_cast<Bits>(*number) > limit) {
    return call_error(fmt::format("prefix extension of {} does not accommodate a subnet numbered {}", *bits, *number));
  }
  Bits part = length == 0 ? 0 : static_cast<Bits>(*number) << (p->width - length);
  Prefix out{(p->address | part) & mask_of(length, p->width), length, p->width};
  return text_value(prefix_text(out));
}

CallResult cidr_subnets(Arguments a, const FunctionHost&) {
  auto p = parse_prefix(a[0].as_string());
  if (!p) return argument_error(0, bad_prefix(a[0]));
  Value::Elements out;
  Bits next = p->address, last = p->address | ~mask_of(p->length, p->width);
  if (p->width == 32) last &= 0xFFFFFFFFu;
  bool full = false;
  std::string before;
  for (size_t i = 1; i < a.size(); ++i) {
    int at = static_cast<int>(i);
    auto bits = whole_number(a[i]);
    if (!bits) return argument_error(at, bits.error().message);
    if (*bits < 1) return argument_error(at, "must extend prefix by at least one bit");
    if (*bits > 32) return argument_error(at, "may not extend prefix by more than 32 bits");
    int length = p->length + static_cast<int>(*bits);
    if (length > p->width) {
      return argument_error(at, fmt::format("would extend prefix to {} bits, which is too long for an {} address", length,
                                            p->width == 32 ? "IPv4" : "IPv6"));
    }
    Bits size = Bits(1) << (p->width - length);
    // The next free block of this size.
    Bits start = (next + size - 1) & ~(size - 1);
    if (full || start < next || start > last || last - start < size - 1) {
      return argument_error(at, fmt::format("not enough remaining address space for a subnet with a prefix of {} bits after {}", length, before));
    }
    Prefix subnet{start, length, p->width};
    before = prefix_text(subnet);
    out.push_back(text_value(before));
    full = start + size - 1 == last;
    next = start + size;
  }
  return Value::list(Type::string(), std::move(out));
}

}  // namespace

void add_network_functions(FunctionList& out) {
  Type s = Type::string(), n = Type::number();
  Parameter prefix{"prefix", s};
  out.push_back({"cidrhost", {prefix, {"hostnum", n}}, {}, cidr_host});
  out.push_back({"cidrnetmask", {prefix}, {}, cidr_netmask});
  out.push_back({"cidrsubnet", {prefix, {"newbits", n}, {"netnum", n}}, {}, cidr_subnet});
  out.push_back({"cidrsubnets", {prefix}, Parameter{"newbits", n}, cidr_subnets});
}

}  // namespace drover::hcl
