// The verbs of format and formatlist.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "hcl/convert.h"
#include "hcl/function_impl.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

constexpr int kMaxWidth = 10'000;

struct Verb {
  bool space = false, plus = false, minus = false, zero = false, sharp = false;
  int width = 0;
  int precision = -1;
  int64_t argument = 0;  // explicit, from 1
  char mode = 0;
  size_t offset = 0;
  std::string_view text;
};

class Formatter {
 public:
  Formatter(const std::string& spec, Arguments args) : spec_(spec), args_(args) {}

  std::expected<std::string, CallError> run() {
    size_t at = 0;
    while (at < spec_.size()) {
      size_t percent = spec_.find('%', at);
      out_.append(spec_, at, percent == std::string::npos ? percent : percent - at);
      if (percent == std::string::npos) break;
      if (percent + 1 < spec_.size() && spec_[percent + 1] == '%') {
        out_ += '%';
        at = percent + 2;
        continue;
      }
      Verb verb;
      if (auto fault = parse(percent, at, verb); !fault.empty()) return call_error(std::move(fault));
      if (auto fault = apply(verb); !fault.empty()) return call_error(std::move(fault));
      if (out_.size() > kMaxResult) return call_error(kResultTooLarge);
    }
    if (highest_ < static_cast<int64_t>(args_.size())) {
      return argument_error(static_cast<int>(highest_ + 1), highest_ == 0 ? std::string("too many arguments; no verbs in format string")
                                                        : fmt::format("too many arguments; only {} used by format string", highest_));
    }
    return std::move(out_);
  }

 private:
  template <class Int>
  void digits(size_t& at, Int& value, Int most) const {
    value = 0;
    for (; at < spec_.size() && spec_[at] >= '0' && spec_[at] <= '9'; ++at) value = std::min<Int>(value * 10 + (spec_[at] - '0'), most);
  }

  // About the character that no verb can have at `at`, or the end.
  std::string unexpected(size_t at) const {
    if (at >= spec_.size()) return fmt::format("invalid format string starting at offset {}", at);
    size_t size = 1;
    decode_utf8(spec_, at, size);
    return fmt::format("unrecognized format character '{}' at offset {}", spec_.substr(at, size), at);
  }

  // Reads a verb from its `%` on; `at` is left behind it. Returns what is wrong, or "".
  std::string parse(size_t percent, size_t& at, Verb& v) const {
    at = percent + 1;
    v.offset = percent;
    for (bool flags = true; flags && at < spec_.size();) {
      switch (spec_[at]) {
        case ' ': v.space = true; break;
        case '+': v.plus = true; break;
        case '-': v.minus = true; break;
        case '0': v.zero = true; break;
        case '#': v.sharp = true; break;
        default: flags = false; continue;
      }
      ++at;
    }
    digits(at, v.width, kMaxWidth + 1);
    if (at < spec_.size() && spec_[at] == '.') {
      ++at;
      digits(at, v.precision, kMaxWidth + 1);
    }
    if (at < spec_.size() && spec_[at] == '[') {
      ++at;
      if (at >= spec_.size() || spec_[at] < '1' || spec_[at] > '9') return unexpected(at);
      digits(at, v.argument, INT64_C(100'000'000'000'000'000));
      if (at >= spec_.size() || spec_[at] != ']') return unexpected(at);
      ++at;
    }
    if (at >= spec_.size() || !std::isalpha(static_cast<unsigned char>(spec_[at]))) return unexpected(at);
    v.mode = spec_[at];
    ++at;
    v.text = std::string_view(spec_).substr(percent, at - percent);
    if (v.width > kMaxWidth || v.precision > kMaxWidth) return fmt::format("width or precision of \"{}\" is too large", v.text);
    return "";
  }

  std::string apply(const Verb& v) {
    static constexpr std::string_view kModes = "vtbdoxXeEfgGsq";
    if (kModes.find(v.mode) == std::string_view::npos) {
      return fmt::format("unsupported format verb '{}' in \"{}\" at offset {}", v.mode, v.text, v.offset);
    }
    int64_t number = v.argument > 0 ? v.argument : next_;
    next_ = number + 1;
    highest_ = std::max(highest_, number);
    if (number > static_cast<int64_t>(args_.size())) {
      return fmt::format("not enough arguments for \"{}\" at {}: need index {} but have {} total", v.text, v.offset, number, args_.size());
    }
    auto fault = one(v, args_[static_cast<size_t>(number - 1)]);
    return fault.empty() ? "" : fmt::format("unsupported value for \"{}\" at {}: {}", v.text, v.offset, fault);
  }

  std::string one(const Verb& v, const Value& value) {
    if (v.mode == 'v') return general(v, value);
    if (value.is_null()) return "null value cannot be formatted";
    Type wanted = v.mode == 't' ? Type::boolean() : v.mode == 's' || v.mode == 'q' ? Type::string() : Type::number();
    auto converted = convert(value, wanted);
    if (!converted) return converted.error();
    switch (v.mode) {
      case 't': pad(v, converted->as_bool() ? "true" : "false"); return "";
      case 's': text(v, converted->as_string()); return "";
      case 'q': text(v, json_quote(converted->as_string())); return "";
      case 'b': case 'd': case 'o': case 'x': case 'X': return integer(v, converted->as_number());
      default:
        numeric(v, converted->as_number().formatted(v.mode, v.precision));
        return "";
    }
  }

  std::string general(const Verb& v, const Value& value) {
    if (!v.sharp) {
      if (value.is_null()) {
        pad(v, "null");
        return "";
      }
      if (value.is(Kind::kString)) return text(v, value.as_string()), "";
      if (value.is(Kind::kNumber)) return pad(v, value.as_number().formatted('g', v.precision)), "";
      if (value.is(Kind::kBool)) return pad(v, value.as_bool() ? "true" : "false"), "";
    }
    auto json = to_json(value);
    if (!json) return json.error();
    pad(v, *json);
    return "";
  }

  std::string integer(const Verb& v, const Number& number) {
    if (!number.is_integer()) return "an integer is required";
    int base = v.mode == 'b' ? 2 : v.mode == 'o' ? 8 : v.mode == 'd' ? 10 : 16;
    std::string out = number.integer_str(base);
    if (v.mode == 'X') out = to_upper(out);
    std::string_view prefix;
    if (v.sharp && v.mode != 'd') prefix = v.mode == 'b' ? "0b" : v.mode == 'o' ? "0" : v.mode == 'x' ? "0x" : "0X";
    out.insert(out.starts_with('-') ? 1 : 0, prefix);
    numeric(v, std::move(out), prefix.size());
    return "";
  }

  // Zeroes go behind the sign and the prefix of the base.
  void numeric(const Verb& v, std::string out, size_t prefix = 0) {
    if (!out.starts_with('-')) {
      if (v.plus) out.insert(0, "+");
      else if (v.space) out.insert(0, " ");
    }
    auto width = static_cast<size_t>(v.width);
    if (v.zero && !v.minus && out.size() < width) {
      bool sign = out[0] == '-' || out[0] == '+' || out[0] == ' ';
      out.insert(prefix + (sign ? 1 : 0), width - out.size(), '0');
    }
    pad(v, out);
  }

  void text(const Verb& v, std::string_view in) {
    if (v.precision > 0) {
      size_t bytes = 0;
      for (int i = 0; i < v.precision && bytes < in.size(); ++i) bytes += next_grapheme(in.substr(bytes));
      in = in.substr(0, bytes);
    }
    pad(v, in);
  }

  void pad(const Verb& v, std::string_view in) {
    size_t length = v.width > 0 ? grapheme_count(in) : 0;
    size_t fill = static_cast<size_t>(v.width) > length ? static_cast<size_t>(v.width) - length : 0;
    if (!v.minus) out_.append(fill, v.zero ? '0' : ' ');
    out_ += in;
    if (v.minus) out_.append(fill, ' ');
  }

  const std::string& spec_;
  Arguments args_;
  std::string out_;
  int64_t next_ = 1;
  int64_t highest_ = 0;
};

}  // namespace

std::expected<std::string, CallError> format_values(const std::string& spec, Arguments args) { return Formatter(spec, args).run(); }

}  // namespace drover::hcl
