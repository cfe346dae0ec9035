#include "server/lookup.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace drover::server {
namespace {

Error lookup_error(std::string_view what, const std::string& why) {
  return internal(what.empty() ? "index error: " + why : fmt::format("{}: index error: {}", what, why));
}

// "" when every character may stand in an id.
std::string bad_byte(std::string_view text) {
  for (char c : text) {
    bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
    if (!ok) return fmt::format("Invalid UUID: encoding/hex: invalid byte: U+{:04X} '{}'", static_cast<unsigned char>(c), c);
  }
  return {};
}

}  // namespace

Result<Uuid> parse_id(std::string_view text, std::string_view what) {
  if (text.size() != 36) return lookup_error(what, "UUID must be 36 characters");
  if (auto bad = bad_byte(text); !bad.empty()) return lookup_error(what, bad);
  auto id = Uuid::parse(text);
  if (!id) return lookup_error(what, "Invalid UUID: encoding/hex: odd length hex string");
  return *id;
}

Result<state::UuidPrefix> parse_prefix(std::string_view text, std::string_view what) {
  auto prefix = state::UuidPrefix::parse(text);
  if (!prefix) {
    auto& why = prefix.error().message;
    return lookup_error(what, why.starts_with("index error: ") ? why.substr(13) : why);
  }
  return *prefix;
}

std::string create_token(uint64_t create_index, const Uuid& id) { return fmt::format("{}.{}", create_index, id.str()); }

bool token_before(std::string_view a, std::string_view b) {
  auto number = [](std::string_view token) {
    auto dot = token.find('.');
    return dot == std::string_view::npos ? std::nullopt : parse_uint(token.substr(0, dot));
  };
  auto na = number(a), nb = number(b);
  if (na && nb && *na != *nb) return *na < *nb;
  return a < b;
}

}  // namespace drover::server
