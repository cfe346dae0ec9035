// Go's fmt: the %v form of any value, and Sprintf with its verbs, flags, width and precision.
#include <cmath>

#include <fmt/format.h>

#include "base/strings.h"
#include "gotemplate/datum.h"

namespace drover::gotemplate {
namespace {

// Go prints times as "2006-01-02 15:04:05.999999999 -0700 MST".
std::string print_time(Time t) {
  if (t.unset()) return "0001-01-01 00:00:00 +0000 UTC";
  auto text = format_rfc3339_nano(t);
  text[10] = ' ';
  text.back() = ' ';
  return text + "+0000 UTC";
}

std::string print_float(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "+Inf" : "-Inf";
  double m = std::fabs(d);
  if (m != 0 && (m < 1e-4 || m >= 1e21)) {
    auto text = fmt::format("{:e}", d);
    // Shortest digits that read back the same, with a two-digit exponent.
    for (int p = 0; p < 17; ++p)
      if (auto t = fmt::format("{:.{}e}", d, p); parse_double(t) == d) return t;
    return text;
  }
  return format_double(d);
}

void append(std::string& out, const Datum& given, bool plus, int depth);

void append_fields(std::string& out, const Datum& d, bool plus, int depth) {
  out += '{';
  bool first = true;
  for (auto& f : d.type().fields) {
    if (!first) out += ' ';
    first = false;
    if (plus) out += std::string(f.name) + ":";
    append(out, Datum(f.type(), f.in(d.object()), d.keep()), plus, depth + 1);
  }
  out += '}';
}

void append(std::string& out, const Datum& given, bool plus, int depth) {
  auto d = given.settled();
  if (d.missing() || depth > 50) {
    out += "<nil>";
    return;
  }
  if (given.type().kind == Kind::kPointer && d.is_struct() && depth == 0) out += '&';
  if (auto t = d.as_text()) out += *t;
  else if (d.type().kind == Kind::kDuration) out += format_duration(*static_cast<const Duration*>(d.object()));
  else if (auto i = d.as_int()) out += d.type().kind == Kind::kUint ? fmt::format("{}", static_cast<uint64_t>(*i)) : fmt::format("{}", *i);
  else if (auto n = d.as_number()) out += print_float(*n);
  else if (auto b = d.as_bool()) out += *b ? "true" : "false";
  else if (d.type().kind == Kind::kTime) out += print_time(*static_cast<const Time*>(d.object()));
  else if (d.type().kind == Kind::kBytes) {
    out += '[';
    auto& bytes = static_cast<const Bytes*>(d.object())->data;
    for (size_t i = 0; i < bytes.size(); ++i) out += (i ? " " : "") + fmt::format("{}", static_cast<unsigned char>(bytes[i]));
    out += ']';
  } else if (d.is_struct()) {
    append_fields(out, d, plus, depth);
  } else if (d.is_map()) {
    out += "map[";
    for (size_t i = 0; i < d.size(); ++i) {
      if (i) out += ' ';
      out += d.key(i) + ":";
      append(out, d.element(i), plus, depth + 1);
    }
    out += ']';
  } else {
    out += '[';
    for (size_t i = 0; i < d.size(); ++i) {
      if (i) out += ' ';
      append(out, d.element(i), plus, depth + 1);
    }
    out += ']';
  }
}

struct Verb {
  bool minus = false, plus = false, sharp = false, zero = false, space = false;
  int width = -1, precision = -1;
  char letter = 'v';
};

std::string pad(std::string text, const Verb& v, bool numeric) {
  int length = 0;
  for (unsigned char c : text) length += (c & 0xc0) != 0x80;
  if (v.width <= length) return text;
  size_t n = static_cast<size_t>(v.width - length);
  if (v.minus) return text + std::string(n, ' ');
  if (v.zero && numeric) {
    size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+');
    return text.substr(0, sign) + std::string(n, '0') + text.substr(sign);
  }
  return std::string(n, ' ') + text;
}

std::string bad_verb(char letter, const Datum& d) {
  if (d.missing()) return fmt::format("%!{}(<nil>)", letter);
  return fmt::format("%!{}({}={})", letter, go_type_of(d.type()), print(d));
}

std::string format_int(int64_t n, const Verb& v) {
  uint64_t m = n < 0 ? 0 - static_cast<uint64_t>(n) : static_cast<uint64_t>(n);
  std::string digits;
  switch (v.letter) {
    case 'x': digits = (v.sharp ? "0x" : "") + fmt::format("{:x}", m); break;
    case 'X': digits = (v.sharp ? "0X" : "") + fmt::format("{:X}", m); break;
    case 'o': digits = (v.sharp ? "0" : "") + fmt::format("{:o}", m); break;
    case 'b': digits = fmt::format("{:b}", m); break;
    default: digits = fmt::format("{}", m);
  }
  return (n < 0 ? "-" : v.plus ? "+" : v.space ? " " : "") + digits;
}

std::string format_one(const Verb& v, const Datum& given) {
  auto d = given.settled();
  auto text = d.as_text();
  switch (v.letter) {
    case 'v': {
      std::string out;
      if (v.sharp && text) out = go_quote(*text);
      else append(out, given, v.plus, 0);
      return pad(std::move(out), v, d.as_number().has_value());
    }
    case 's':
    case 'q':
      if (!text && (d.as_number() || d.as_bool())) return bad_verb(v.letter, d);
      if (!text) text = print(given);
      if (v.precision >= 0) text->resize(utf8_prefix(*text, static_cast<size_t>(v.precision)));
      return pad(v.letter == 'q' ? go_quote(*text) : *text, v, false);
    case 'd':
    case 'o':
    case 'b':
      if (auto n = d.as_int()) return pad(format_int(*n, v), v, true);
      return bad_verb(v.letter, d);
    case 'x':
    case 'X':
      if (auto n = d.as_int()) return pad(format_int(*n, v), v, true);
      if (text) return pad(v.letter == 'x' ? hex_encode(*text) : to_upper(hex_encode(*text)), v, false);
      return bad_verb(v.letter, d);
    case 'e':
    case 'f':
    case 'g':
      if (d.missing() || d.type().kind != Kind::kFloat) return bad_verb(v.letter, d);
      if (v.letter == 'g' && v.precision < 0) return pad(print_float(*d.as_number()), v, true);
      return pad(fmt::format(fmt::runtime(fmt::format("{{:{}.{}{}}}", v.plus ? "+" : "", v.precision < 0 ? 6 : v.precision, v.letter)), *d.as_number()), v, true);
    case 't':
      if (auto b = d.as_bool()) return pad(*b ? "true" : "false", v, false);
      return bad_verb('t', d);
    case 'c':
      if (auto n = d.as_int(); n && *n > 0 && *n < 128) return pad(std::string(1, static_cast<char>(*n)), v, false);
      return bad_verb('c', d);
    case 'T': return pad(d.missing() ? "<nil>" : go_type_of(d.type()), v, false);
    default: return bad_verb(v.letter, d);
  }
}

constexpr int kWidthMax = 10000;

}  // namespace

std::string print(const Datum& d) {
  std::string out;
  append(out, d, false, 0);
  return out;
}

std::string sprintf(std::string_view format, const std::vector<Datum>& args) {
  std::string out;
  size_t used = 0;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    Verb v;
    ++i;
    for (; i < format.size(); ++i) {
      if (format[i] == '-') v.minus = true;
      else if (format[i] == '+') v.plus = true;
      else if (format[i] == '#') v.sharp = true;
      else if (format[i] == '0') v.zero = true;
      else if (format[i] == ' ') v.space = true;
      else break;
    }
    auto count = [&](int& into) {
      if (i < format.size() && format[i] == '*') {
        ++i;
        into = used < args.size() ? static_cast<int>(args[used++].settled().as_int().value_or(0)) : 0;
      } else {
        for (into = 0; i < format.size() && format[i] >= '0' && format[i] <= '9'; ++i)
          into = std::min(into * 10 + (format[i] - '0'), kWidthMax);
      }
      into = std::min(into, kWidthMax);
    };
    if (i < format.size() && ((format[i] >= '1' && format[i] <= '9') || format[i] == '*')) count(v.width);
    if (i < format.size() && format[i] == '.') {
      ++i;
      count(v.precision);
    }
    if (i >= format.size()) return out + "%!(NOVERB)";
    v.letter = format[i];
    if (v.letter == '%') out += '%';
    else if (used >= args.size()) out += fmt::format("%!{}(MISSING)", v.letter);
    else out += format_one(v, args[used++]);
  }
  if (used < args.size()) {
    out += "%!(EXTRA ";
    for (size_t i = used; i < args.size(); ++i) {
      auto d = args[i].settled();
      out += (i > used ? ", " : "") + (d.missing() ? "<nil>" : fmt::format("{}={}", go_type_of(d.type()), print(d)));
    }
    out += ")";
  }
  return out;
}

}  // namespace drover::gotemplate
