#include "agent/units.h"

#include <cmath>

#include <fmt/format.h>

#include "base/strings.h"

namespace drover::agent {

Result<uint64_t> parse_byte_size(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && (text[digits] == '.' || text[digits] == ',' || (text[digits] >= '0' && text[digits] <= '9'))) ++digits;
  auto number = replace_all(std::string(text.substr(0, digits)), ",", "");
  auto value = parse_double(number);
  if (!value) return invalid(fmt::format("strconv.ParseFloat: parsing {}: invalid syntax", go_quote(number)));
  auto unit = to_lower(trim_space(text.substr(digits)));
  if (unit.empty() || unit == "b") return static_cast<uint64_t>(*value);
  constexpr std::string_view kPrefixes = "kmgtpe";
  auto power = kPrefixes.find(unit[0]);
  auto rest = unit.substr(1);
  if (power == std::string_view::npos || (rest != "" && rest != "b" && rest != "i" && rest != "ib"))
    return invalid("unhandled size name: " + unit);
  double base = rest.starts_with('i') ? 1024 : 1000;
  double bytes = *value * std::pow(base, static_cast<double>(power + 1));
  if (bytes >= 18446744073709551616.0) return invalid(fmt::format("too large: {}", text));
  return static_cast<uint64_t>(bytes);
}

}  // namespace drover::agent
