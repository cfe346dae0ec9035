// Functions over text.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/strings.h"
#include "hcl/function_impl.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

template <int32_t (*kMap)(int32_t)>
CallResult map_case(Arguments a, const FunctionHost&) {
  auto& in = a[0].as_string();
  std::string out;
  for (size_t at = 0, size = 0; at < in.size(); at += size) {
    append_utf8(out, static_cast<uint32_t>(kMap(decode_utf8(in, at, size))));
  }
  return text_value(std::move(out));
}

bool separates_words(int32_t c) {
  if (c < 0x80) return !is_letter(c) && !is_digit(c) && c != '_';
  if (is_letter(c) || is_digit(c)) return false;
  return is_unicode_space(c);
}

CallResult title(Arguments a, const FunctionHost&) {
  auto& in = a[0].as_string();
  std::string out;
  int32_t before = ' ';
  for (size_t at = 0, size = 0; at < in.size(); at += size) {
    int32_t c = decode_utf8(in, at, size);
    append_utf8(out, static_cast<uint32_t>(separates_words(before) ? simple_title(c) : c));
    before = c;
  }
  return text_value(std::move(out));
}

CallResult chomp(Arguments a, const FunctionHost&) {
  std::string_view in = a[0].as_string();
  while (in.ends_with('\n') || in.ends_with('\r')) in.remove_suffix(1);
  return text_value(std::string(in));
}

CallResult indent(Arguments a, const FunctionHost&) {
  auto spaces = whole_number(a[0]);
  if (!spaces) return std::unexpected(spaces.error());
  auto& in = a[1].as_string();
  auto lines = static_cast<size_t>(std::count(in.begin(), in.end(), '\n'));
  if (*spaces < 0) return call_error("the number of spaces must not be negative");
  if (static_cast<uint64_t>(*spaces) > kMaxResult / (lines + 1)) return call_error(kResultTooLarge);
  return text_value(replace_all(in, "\n", "\n" + std::string(static_cast<size_t>(*spaces), ' ')));
}

CallResult join_lists(Arguments a, const FunctionHost&) {
  if (a.size() < 2) return call_error("at least one list is required");
  auto& separator = a[0].as_string();
  std::string out;
  bool first = true;
  for (size_t i = 1; i < a.size(); ++i) {
    for (size_t j = 0; j < a[i].size(); ++j) {
      auto& element = a[i].elements()[j];
      if (element.is_null()) {
        std::string where = a.size() > 2 ? fmt::format("element {} of list {}", j, i - 1) : fmt::format("element {}", j);
        return argument_error(static_cast<int>(i), where + " is null; cannot concatenate null values");
      }
      if (!std::exchange(first, false)) out += separator;
      out += element.as_string();
      if (out.size() > kMaxResult) return call_error(kResultTooLarge);
    }
  }
  return text_value(std::move(out));
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t at = 0, size = 0; at < text.size(); at += size) {
    decode_utf8(text, at, size);
    out.push_back(text.substr(at, size));
  }
  return out;
}

CallResult split_text(Arguments a, const FunctionHost&) {
  std::string_view separator = a[0].as_string(), in = a[1].as_string();
  Value::Elements out;
  if (separator.empty()) {
    for (auto c : characters(in)) out.push_back(text_value(std::string(c)));
    return Value::list(Type::string(), std::move(out));
  }
  while (true) {
    size_t at = in.find(separator);
    out.push_back(text_value(std::string(in.substr(0, at))));
    if (at == std::string_view::npos) break;
    in.remove_prefix(at + separator.size());
  }
  return Value::list(Type::string(), std::move(out));
}

CallResult replace_text(Arguments a, const FunctionHost&) {
  std::string_view in = a[0].as_string(), from = a[1].as_string(), to = a[2].as_string();
  size_t places = 0;
  if (from.empty()) {
    places = characters(in).size() + 1;
  } else {
    for (size_t at = in.find(from); at != std::string_view::npos; at = in.find(from, at + from.size())) ++places;
  }
  if (to.size() > 0 && places > kMaxResult / to.size()) return call_error(kResultTooLarge);
  if (!from.empty()) return text_value(replace_all(std::string(in), from, to));
  std::string out(to);
  for (auto c : characters(in)) out.append(c).append(to);
  return text_value(std::move(out));
}

// RE2's faults in the words of the reference's regexp package.
std::string regex_fault(const RE2& re) {
  const char* what = "internal error";
  switch (re.error_code()) {
    case RE2::ErrorBadEscape: what = "invalid escape sequence"; break;
    case RE2::ErrorBadCharClass: what = "invalid character class"; break;
    case RE2::ErrorBadCharRange: what = "invalid character class range"; break;
    case RE2::ErrorMissingBracket: what = "missing closing ]"; break;
    case RE2::ErrorMissingParen: what = "missing closing )"; break;
    case RE2::ErrorUnexpectedParen: what = "unexpected )"; break;
    case RE2::ErrorTrailingBackslash: return "error parsing regexp: trailing backslash at end of expression: ``";
    case RE2::ErrorRepeatArgument: what = "missing argument to repetition operator"; break;
    case RE2::ErrorRepeatSize: what = "invalid repeat count"; break;
    case RE2::ErrorRepeatOp: what = "invalid nested repetition operator"; break;
    case RE2::ErrorBadPerlOp: what = "invalid or unsupported Perl syntax"; break;
    case RE2::ErrorBadUTF8: what = "invalid UTF-8"; break;
    case RE2::ErrorBadNamedCapture: what = "invalid named capture"; break;
    case RE2::ErrorPatternTooLarge: what = "expression too large"; break;
    default: break;
  }
  return fmt::format("error parsing regexp: {}: `{}`", what, re.error_arg());
}

// `$1`, `$name`, `${name}` and `$$` of a replacement.
void expand_replacement(std::string_view spec, const RE2& re, const std::vector<re2::StringPiece>& groups, std::string& out) {
  auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t i = 0; i < spec.size();) {
    if (spec[i] != '$' || i + 1 == spec.size()) {
      out += spec[i++];
      continue;
    }
    if (spec[i + 1] == '$') {
      out += '$';
      i += 2;
      continue;
    }
    bool braces = spec[i + 1] == '{';
    size_t start = i + (braces ? 2 : 1), end = start;
    while (end < spec.size() && word(spec[end])) ++end;
    if (end == start || (braces && (end == spec.size() || spec[end] != '}'))) {
      out += spec[i++];
      continue;
    }
    std::string name(spec.substr(start, end - start));
    i = end + (braces ? 1 : 0);
    size_t group = groups.size();
    if (auto number = parse_uint(name)) {
      group = *number;
    } else if (auto it = re.NamedCapturingGroups().find(name); it != re.NamedCapturingGroups().end()) {
      group = static_cast<size_t>(it->second);
    }
    if (group < groups.size() && groups[group].data()) out.append(groups[group].data(), groups[group].size());
  }
}

CallResult regex_replace(Arguments a, const FunctionHost&) {
  auto &in = a[0].as_string(), &spec = a[2].as_string();
  RE2::Options options;
  options.set_log_errors(false);
  RE2 re(a[1].as_string(), options);
  if (!re.ok()) return call_error(regex_fault(re));
  std::vector<re2::StringPiece> groups(static_cast<size_t>(re.NumberOfCapturingGroups()) + 1);
  std::string out;
  size_t at = 0, copied = 0;
  bool after_match = false;
  while (at <= in.size() && re.Match(in, at, in.size(), RE2::UNANCHORED, groups.data(), static_cast<int>(groups.size()))) {
    auto start = static_cast<size_t>(groups[0].data() - in.data());
    size_t end = start + groups[0].size();
    // An empty match right behind a match does not count.
    if (!(end == start && after_match && start == copied)) {
      out.append(in, copied, start - copied);
      expand_replacement(spec, re, groups, out);
      copied = end;
      after_match = true;
    }
    if (out.size() > kMaxResult) return call_error(kResultTooLarge);
    if (end > at || end > start) {
      at = end;
      if (end > start) continue;
    }
    if (at >= in.size()) break;
    size_t size = 1;
    decode_utf8(in, at, size);
    at += size;
  }
  out.append(in, copied, std::string::npos);
  return text_value(std::move(out));
}

CallResult reverse_text(Arguments a, const FunctionHost&) {
  auto parts = graphemes(a[0].as_string());
  std::string out;
  for (auto it = parts.rbegin(); it != parts.rend(); ++it) out += *it;
  return text_value(std::move(out));
}

CallResult text_length(Arguments a, const FunctionHost&) {
  return Value::number(static_cast<int64_t>(grapheme_count(a[0].as_string())));
}

CallResult substring(Arguments a, const FunctionHost&) {
  auto offset = whole_number(a[1]), length = whole_number(a[2]);
  if (!offset) return std::unexpected(offset.error());
  if (!length) return std::unexpected(length.error());
  auto parts = graphemes(a[0].as_string());
  auto total = static_cast<int64_t>(parts.size());
  int64_t from = *offset, count = *length;
  if (from < 0) {
    from = std::max<int64_t>(0, from + total);
    if (count == 0) count = -1;  // a quirk of the reference
  }
  if (from >= total) return text_value("");
  int64_t end = count < 0 || count > total - from ? total : from + count;
  std::string out;
  for (int64_t i = from; i < end; ++i) out += parts[static_cast<size_t>(i)];
  return text_value(std::move(out));
}

CallResult trim_set(Arguments a, const FunctionHost&) {
  auto set = characters(a[1].as_string());
  auto in = characters(a[0].as_string());
  auto cut = [&](std::string_view c) { return std::find(set.begin(), set.end(), c) != set.end(); };
  size_t start = 0, end = in.size();
  while (start < end && cut(in[start])) ++start;
  while (end > start && cut(in[end - 1])) --end;
  std::string out;
  for (size_t i = start; i < end; ++i) out += in[i];
  return text_value(std::move(out));
}

CallResult trim_prefix(Arguments a, const FunctionHost&) {
  std::string_view in = a[0].as_string();
  if (in.starts_with(a[1].as_string())) in.remove_prefix(a[1].as_string().size());
  return text_value(std::string(in));
}
CallResult trim_suffix(Arguments a, const FunctionHost&) {
  std::string_view in = a[0].as_string();
  if (in.ends_with(a[1].as_string())) in.remove_suffix(a[1].as_string().size());
  return text_value(std::string(in));
}
CallResult trim_blanks(Arguments a, const FunctionHost&) {
  return text_value(std::string(trim_right_space(trim_left_space(a[0].as_string()))));
}

CallResult format_text(Arguments a, const FunctionHost&) {
  auto text = format_values(a[0].as_string(), a.subspan(1));
  if (!text) return std::unexpected(text.error());
  return text_value(std::move(*text));
}

CallResult format_list(Arguments a, const FunctionHost&) {
  size_t rows = 1;
  int first = -1;
  for (size_t i = 1; i < a.size(); ++i) {
    if (!a[i].is_usable() || !a[i].is_sequence()) continue;
    if (first < 0) {
      first = static_cast<int>(i);
      rows = a[i].size();
    } else if (a[i].size() != rows) {
      return argument_error(static_cast<int>(i),
                            fmt::format("argument {} has length {}, which is inconsistent with argument {} of length {}", i,
                                        a[i].size(), first, rows));
    }
  }
  Value::Elements out;
  for (size_t row = 0; row < rows; ++row) {
    std::vector<Value> args;
    for (size_t i = 1; i < a.size(); ++i) {
      args.push_back(a[i].is_usable() && a[i].is_sequence() ? a[i].elements()[row] : a[i]);
    }
    auto text = format_values(a[0].as_string(), args);
    if (!text && a.size() == 1) return std::unexpected(text.error());
    if (!text) return call_error(fmt::format("error on format iteration {}: {}", row, text.error().message));
    out.push_back(text_value(std::move(*text)));
  }
  return Value::list(Type::string(), std::move(out));
}

}  // namespace

void add_string_functions(FunctionList& out) {
  Type s = Type::string(), n = Type::number(), any;
  Parameter str{"str", s};
  out.push_back({"lower", {str}, {}, map_case<simple_lower>});
  out.push_back({"upper", {str}, {}, map_case<simple_upper>});
  out.push_back({"title", {str}, {}, title});
  out.push_back({"chomp", {str}, {}, chomp});
  out.push_back({"indent", {{"spaces", n}, str}, {}, indent});
  out.push_back({"join", {{"separator", s}}, Parameter{"lists", Type::list(s)}, join_lists});
  out.push_back({"split", {{"separator", s}, str}, {}, split_text});
  out.push_back({"replace", {str, {"substr", s}, {"replace", s}}, {}, replace_text});
  out.push_back({"regex_replace", {str, {"pattern", s}, {"replace", s}}, {}, regex_replace});
  out.push_back({"reverse", {str}, {}, reverse_text});
  out.push_back({"strrev", {str}, {}, reverse_text});
  out.push_back({"strlen", {str}, {}, text_length});
  out.push_back({"substr", {str, {"offset", n}, {"length", n}}, {}, substring});
  out.push_back({"trim", {str, {"cutset", s}}, {}, trim_set});
  out.push_back({"trimprefix", {str, {"prefix", s}}, {}, trim_prefix});
  out.push_back({"trimsuffix", {str, {"suffix", s}}, {}, trim_suffix});
  out.push_back({"trimspace", {str}, {}, trim_blanks});
  out.push_back({"format", {{"format", s}}, Parameter{"args", any, true}, format_text});
  out.push_back({"formatlist", {{"format", s}}, Parameter{"args", any, true}, format_list});
}

}  // namespace drover::hcl
