// The text, list, number and encoding functions of the sprig collection, each under its name with "sprig_" in front.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/json.h"
#include "gotemplate/template.h"

namespace drover::gotemplate {
namespace {

using Args = std::vector<Datum>;

constexpr size_t kRepeatMax = 1 << 20;

std::string text(const Datum& d) {
  auto s = d.settled();
  return s.missing() ? "" : s.as_text() ? *s.as_text() : print(s);
}

// A function of fixed arity over texts.
template <size_t N, class F>
Function of_texts(F f) {
  return [f](Args& a) -> Result<Datum> {
    if (a.size() != N) return invalid(fmt::format("wrong number of args: want {} got {}", N, a.size()));
    std::array<std::string, N> t;
    for (size_t i = 0; i < N; ++i) t[i] = text(a[i]);
    return std::apply([&](auto&... s) { return f(s...); }, t);
  };
}

int64_t whole(const Datum& d) {
  auto s = d.settled();
  if (auto i = s.as_int()) return *i;
  if (auto n = s.as_number()) return static_cast<int64_t>(*n);
  if (auto b = s.as_bool()) return *b;
  return parse_int(text(d)).value_or(0);
}

template <class F>
Function folded(F f) {
  return [f](Args& a) -> Result<Datum> {
    if (a.empty()) return invalid("wrong number of args: want at least 1 got 0");
    int64_t n = whole(a[0]);
    for (size_t i = 1; i < a.size(); ++i) {
      auto r = f(n, whole(a[i]));
      if (!r) return Error(std::move(r).error());
      n = *r;
    }
    return Datum::number(n);
  };
}

std::string indent(const std::string& pad, const std::string& s) { return pad + replace_all(s, "\n", "\n" + pad); }

std::string title(std::string s) {
  bool start = true;
  for (char& c : s) {
    if (start && c >= 'a' && c <= 'z') c -= 'a' - 'A';
    start = c == ' ' || c == '\t' || c == '\n';
  }
  return s;
}

std::string trim_chars(std::string s, const std::string& cut) {
  auto from = s.find_first_not_of(cut);
  if (from == std::string::npos) return "";
  return s.substr(from, s.find_last_not_of(cut) + 1 - from);
}

void json_of(const Datum& given, std::string& out) {
  auto d = given.settled();
  if (d.missing()) {
    out += "null";
  } else if (d.is_list()) {
    out += '[';
    for (size_t i = 0; i < d.size(); ++i) {
      if (i) out += ',';
      json_of(d.element(i), out);
    }
    out += ']';
  } else {
    json_encode(d.type(), d.object(), out, {.escape_html = true, .float_point = false});
  }
}

void add_texts(Functions& f) {
  auto one = [&](const char* name, auto fn) { f[name] = of_texts<1>([fn](std::string& s) -> Result<Datum> { return Datum::text(fn(s)); }); };
  one("upper", [](std::string& s) { return to_upper(s); });
  one("lower", [](std::string& s) { return to_lower(s); });
  one("title", [](std::string& s) { return title(s); });
  one("trim", [](std::string& s) { return std::string(trim_space(s)); });
  one("toString", [](std::string& s) { return s; });
  one("b64enc", [](std::string& s) { return base64_encode(s); });
  one("nospace", [](std::string& s) { return replace_all(s, " ", ""); });
  f["b64dec"] = of_texts<1>([](std::string& s) -> Result<Datum> {
    auto d = base64_decode(s);
    return Datum::text(d ? *d : "illegal base64 data");
  });
  auto two = [&](const char* name, auto fn) { f[name] = of_texts<2>([fn](std::string& a, std::string& b) -> Result<Datum> { return fn(a, b); }); };
  two("contains", [](auto& part, auto& s) { return Datum::boolean(s.find(part) != std::string::npos); });
  two("hasPrefix", [](auto& part, auto& s) { return Datum::boolean(s.starts_with(part)); });
  two("hasSuffix", [](auto& part, auto& s) { return Datum::boolean(s.ends_with(part)); });
  two("trimPrefix", [](auto& part, auto& s) { return Datum::text(s.starts_with(part) ? s.substr(part.size()) : s); });
  two("trimSuffix", [](auto& part, auto& s) { return Datum::text(s.ends_with(part) ? s.substr(0, s.size() - part.size()) : s); });
  two("trimAll", [](auto& cut, auto& s) { return Datum::text(trim_chars(s, cut)); });
  two("cat", [](auto& a, auto& b) { return Datum::text(a + " " + b); });
  f["replace"] = of_texts<3>([](std::string& from, std::string& to, std::string& s) -> Result<Datum> {
    return Datum::text(replace_all(s, from, to));
  });
  f["splitList"] = of_texts<2>([](std::string& separator, std::string& s) -> Result<Datum> {
    std::vector<Datum> parts;
    size_t at = 0;
    for (;;) {
      auto end = separator.empty() ? std::string::npos : s.find(separator, at);
      parts.push_back(Datum::text(s.substr(at, end == std::string::npos ? end : end - at)));
      if (end == std::string::npos) return Datum::list(std::move(parts));
      at = end + separator.size();
    }
  });
  f["quote"] = [](Args& a) -> Result<Datum> {
    std::string out;
    for (auto& d : a)
      if (!d.settled().missing()) out += (out.empty() ? "" : " ") + go_quote(text(d));
    return Datum::text(out);
  };
  f["squote"] = [](Args& a) -> Result<Datum> {
    std::string out;
    for (auto& d : a)
      if (!d.settled().missing()) out += (out.empty() ? "'" : " '") + text(d) + "'";
    return Datum::text(out);
  };
  auto counted = [&](const char* name, auto fn) {
    f[name] = [fn](Args& a) -> Result<Datum> {
      if (a.size() != 2) return invalid(fmt::format("wrong number of args: want 2 got {}", a.size()));
      return fn(whole(a[0]), text(a[1]));
    };
  };
  auto blanks = [](int64_t n) { return std::string(static_cast<size_t>(std::clamp<int64_t>(n, 0, 1000)), ' '); };
  counted("indent", [=](int64_t n, const std::string& s) { return Datum::text(indent(blanks(n), s)); });
  counted("nindent", [=](int64_t n, const std::string& s) { return Datum::text("\n" + indent(blanks(n), s)); });
  counted("repeat", [](int64_t n, const std::string& s) -> Result<Datum> {
    if (n > 0 && static_cast<size_t>(n) * s.size() > kRepeatMax) return invalid("repeat: the result is too large");
    std::string out;
    for (int64_t i = 0; i < n; ++i) out += s;
    return Datum::text(out);
  });
  counted("trunc", [](int64_t n, const std::string& s) {
    auto size = static_cast<int64_t>(s.size());
    if (n < 0 && size + n > 0) return Datum::text(s.substr(static_cast<size_t>(size + n)));
    return Datum::text(n >= 0 && size > n ? s.substr(0, static_cast<size_t>(n)) : s);
  });
}

void add_lists(Functions& f) {
  f["list"] = [](Args& a) -> Result<Datum> { return Datum::list(a); };
  f["join"] = [](Args& a) -> Result<Datum> {
    if (a.size() != 2) return invalid(fmt::format("wrong number of args: want 2 got {}", a.size()));
    auto l = a[1].settled();
    if (!l.is_list()) return Datum::text(text(a[1]));
    std::string out;
    for (size_t i = 0; i < l.size(); ++i) out += (i ? text(a[0]) : "") + text(l.element(i));
    return Datum::text(out);
  };
  auto end_of = [&](const char* name, bool last) {
    f[name] = [last](Args& a) -> Result<Datum> {
      auto l = a.empty() ? Datum() : a[0].settled();
      if (!l.is_list() || !l.size()) return Datum();
      return l.element(last ? l.size() - 1 : 0);
    };
  };
  end_of("first", false);
  end_of("last", true);
  f["keys"] = [](Args& a) -> Result<Datum> {
    std::vector<Datum> out;
    for (auto& d : a)
      if (auto m = d.settled(); m.is_map())
        for (size_t i = 0; i < m.size(); ++i) out.push_back(Datum::text(m.key(i)));
    return Datum::list(std::move(out));
  };
  f["values"] = [](Args& a) -> Result<Datum> {
    std::vector<Datum> out;
    for (auto& d : a)
      if (auto m = d.settled(); m.is_map())
        for (size_t i = 0; i < m.size(); ++i) out.push_back(m.element(i));
    return Datum::list(std::move(out));
  };
  f["hasKey"] = [](Args& a) -> Result<Datum> {
    if (a.size() != 2 || !a[0].settled().is_map()) return invalid("hasKey wants a map and a key");
    auto m = a[0].settled();
    return Datum::boolean(m.type().find_key(m.object(), text(a[1])) != nullptr);
  };
  f["has"] = [](Args& a) -> Result<Datum> {
    if (a.size() != 2 || !a[1].settled().is_list()) return Datum::boolean(false);
    auto l = a[1].settled();
    for (size_t i = 0; i < l.size(); ++i)
      if (text(l.element(i)) == text(a[0])) return Datum::boolean(true);
    return Datum::boolean(false);
  };
  f["sortAlpha"] = [](Args& a) -> Result<Datum> {
    std::vector<std::string> all;
    auto l = a.empty() ? Datum() : a[0].settled();
    for (size_t i = 0; l.is_list() && i < l.size(); ++i) all.push_back(text(l.element(i)));
    std::sort(all.begin(), all.end());
    std::vector<Datum> out;
    for (auto& s : all) out.push_back(Datum::text(s));
    return Datum::list(std::move(out));
  };
}

void add_values(Functions& f) {
  f["default"] = [](Args& a) -> Result<Datum> {
    if (a.empty()) return invalid("wrong number of args: want at least 1 got 0");
    return a.size() > 1 && a[1].truth() ? a[1] : a[0];
  };
  f["empty"] = [](Args& a) -> Result<Datum> { return Datum::boolean(a.empty() || !a[0].truth()); };
  f["coalesce"] = [](Args& a) -> Result<Datum> {
    for (auto& d : a)
      if (d.truth()) return d;
    return Datum();
  };
  f["ternary"] = [](Args& a) -> Result<Datum> {
    if (a.size() != 3) return invalid(fmt::format("wrong number of args: want 3 got {}", a.size()));
    return a[2].truth() ? a[0] : a[1];
  };
  f["int"] = f["int64"] = [](Args& a) -> Result<Datum> { return Datum::number(a.empty() ? 0 : whole(a[0])); };
  f["add"] = folded([](int64_t a, int64_t b) -> Result<int64_t> { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); });
  f["sub"] = folded([](int64_t a, int64_t b) -> Result<int64_t> { return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)); });
  f["mul"] = folded([](int64_t a, int64_t b) -> Result<int64_t> { return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)); });
  f["div"] = folded([](int64_t a, int64_t b) -> Result<int64_t> {
    if (b == 0 || b == -1) return b ? Result<int64_t>(static_cast<int64_t>(0 - static_cast<uint64_t>(a))) : invalid("integer divide by zero");
    return a / b;
  });
  f["mod"] = folded([](int64_t a, int64_t b) -> Result<int64_t> {
    if (b == 0) return invalid("integer divide by zero");
    return b == -1 ? 0 : a % b;
  });
  f["max"] = folded([](int64_t a, int64_t b) -> Result<int64_t> { return std::max(a, b); });
  f["min"] = folded([](int64_t a, int64_t b) -> Result<int64_t> { return std::min(a, b); });
  f["toJson"] = [](Args& a) -> Result<Datum> {
    std::string out;
    json_of(a.empty() ? Datum() : a[0], out);
    return Datum::text(out);
  };
  f["toPrettyJson"] = [](Args& a) -> Result<Datum> {
    std::string compact, out;
    json_of(a.empty() ? Datum() : a[0], compact);
    DROVER_TRY(auto value, from_json<Value>(compact));
    json_encode(type_of<Value>(), &value, out, {.pretty = true, .escape_html = true, .indent = 2, .trailing_newline = false, .float_point = false});
    return Datum::text(out);
  };
}

}  // namespace

const Functions& sprig_functions() {
  static const Functions functions = [] {
    Functions plain, named;
    add_texts(plain);
    add_lists(plain);
    add_values(plain);
    for (auto& [name, f] : plain) named["sprig_" + name] = f;
    return named;
  }();
  return functions;
}

}  // namespace drover::gotemplate
