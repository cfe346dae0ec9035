#include "cli/flags.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace drover::cli {
namespace {

const Flag* find_flag(std::span<const std::span<const Flag>> known, std::string_view name) {
  for (auto& group : known)
    for (auto& flag : group)
      if (flag.name == name && flag.kind != FlagKind::kDoc) return &flag;
  return nullptr;
}

// Decimal, or with Go's base prefixes.
bool whole_number(std::string_view text, bool sign) {
  if (sign && (text.starts_with('-') || text.starts_with('+'))) text.remove_prefix(1);
  return parse_uint(text).has_value();
}

// What Go says of a value that the flag cannot take; "" when it can.
std::string complaint(const Flag& flag, const std::string& value) {
  auto invalid_syntax = [&](std::string_view function) {
    return fmt::format("strconv.{}: parsing {}: invalid syntax", function, go_quote(value));
  };
  switch (flag.kind) {
    case FlagKind::kBool: return parse_bool(value) ? "" : "parse error";
    case FlagKind::kBoolText: return parse_bool(value) ? "" : invalid_syntax("ParseBool");
    case FlagKind::kInt: return whole_number(value, true) ? "" : "parse error";
    case FlagKind::kUint: return whole_number(value, false) ? "" : "parse error";
    case FlagKind::kUintText: return whole_number(value, false) ? "" : invalid_syntax("ParseUint");
    case FlagKind::kDuration: return parse_duration(value) ? "" : "parse error";
    case FlagKind::kDurationText: {
      auto d = parse_duration(value);
      return d ? "" : d.error().message;
    }
    case FlagKind::kText:
    case FlagKind::kList:
    case FlagKind::kDoc: return "";
  }
  return "";
}

}  // namespace

bool Args::given(std::string_view flag) const {
  auto it = held_.find(flag);
  return it != held_.end() && !it->second.values.empty();
}

std::string Args::text(std::string_view flag) const {
  auto it = held_.find(flag);
  if (it == held_.end()) return {};
  return it->second.values.empty() ? std::string(it->second.fallback) : it->second.values.back();
}

bool Args::on(std::string_view flag) const { return parse_bool(text(flag)).value_or(false); }
int64_t Args::number(std::string_view flag) const {
  auto value = text(flag);
  return parse_int(value.starts_with('+') ? std::string_view(value).substr(1) : value).value_or(0);
}
uint64_t Args::count(std::string_view flag) const { return parse_uint(text(flag)).value_or(0); }
Duration Args::duration(std::string_view flag) const {
  auto d = parse_duration(text(flag));
  return d ? *d : Duration{0};
}

std::vector<std::string> Args::list(std::string_view flag) const {
  auto it = held_.find(flag);
  return it == held_.end() ? std::vector<std::string>{} : it->second.values;
}

Result<Args> Args::parse(std::span<const std::span<const Flag>> known, std::span<const std::string> words) {
  Args args;
  for (auto& group : known)
    for (auto& flag : group)
      if (flag.kind != FlagKind::kDoc) args.held_[std::string(flag.name)].fallback = flag.fallback;
  size_t i = 0;
  for (; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word.size() < 2 || word[0] != '-') break;
    auto body = word.substr(word[1] == '-' ? 2 : 1);
    if (body.empty()) {  // "--" ends the flags
      ++i;
      break;
    }
    if (body[0] == '-' || body[0] == '=') return invalid(fmt::format("bad flag syntax: {}", word));
    auto equals = body.find('=');
    auto name = body.substr(0, equals);
    auto* flag = find_flag(known, name);
    if (!flag) return invalid(fmt::format("flag provided but not defined: -{}", name));
    std::string value;
    if (equals != body.npos) value = body.substr(equals + 1);
    else if (flag->kind == FlagKind::kBool) value = "true";
    else if (i + 1 < words.size()) value = words[++i];
    else return invalid(fmt::format("flag needs an argument: -{}", name));
    if (auto why = complaint(*flag, value); !why.empty()) {
      if (flag->kind == FlagKind::kBool)
        return invalid(fmt::format("invalid boolean value {} for -{}: {}", go_quote(value), name, why));
      return invalid(fmt::format("invalid value {} for flag -{}: {}", go_quote(value), name, why));
    }
    args.held_[std::string(name)].values.push_back(std::move(value));
  }
  args.rest.assign(words.begin() + static_cast<ptrdiff_t>(i), words.end());
  return args;
}

}  // namespace drover::cli
