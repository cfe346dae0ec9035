// The functions that belong to the language.
#include <fmt/format.h>

#include "base/strings.h"
#include "codec/json.h"
#include "gotemplate/template.h"

namespace drover::gotemplate {
namespace {

using Args = std::vector<Datum>;

Result<void> at_least(const Args& args, size_t n, const char* name) {
  if (args.size() < n) return invalid(fmt::format("wrong number of args for {}: want at least {} got {}", name, n, args.size()));
  return {};
}

// -1, 0, 1; an error for kinds that have no order.
Result<int> compare(const Datum& a, const Datum& b) {
  auto x = a.settled(), y = b.settled();
  if (auto s = x.as_text()) {
    auto t = y.as_text();
    if (!t) return invalid("incompatible types for comparison");
    return s->compare(*t) < 0 ? -1 : *s == *t ? 0 : 1;
  }
  auto m = x.as_number(), n = y.as_number();
  if (!m || !n) return invalid(m || n ? "incompatible types for comparison" : "invalid type for comparison");
  if (x.as_int() && y.as_int()) return *x.as_int() < *y.as_int() ? -1 : *x.as_int() > *y.as_int();
  return *m < *n ? -1 : *m > *n;
}

Result<bool> equal(const Datum& a, const Datum& b) {
  auto x = a.settled(), y = b.settled();
  if (x.missing() || y.missing()) return x.missing() && y.missing();
  if (x.as_bool() || y.as_bool()) {
    if (!x.as_bool() || !y.as_bool()) return invalid("incompatible types for comparison");
    return *x.as_bool() == *y.as_bool();
  }
  if (x.is_list() || x.is_map() || x.is_struct()) return invalid(fmt::format("uncomparable type {}: {}", print(x), go_type_of(x.type())));
  DROVER_TRY(int c, compare(x, y));
  return c == 0;
}

Function ordered(bool (*accept)(int), const char* name) {
  return [=](Args& a) -> Result<Datum> {
    DROVER_CHECK(at_least(a, 2, name));
    DROVER_TRY(int c, compare(a[0], a[1]));
    return Datum::boolean(accept(c));
  };
}

Result<Datum> index(Args& a) {
  DROVER_CHECK(at_least(a, 1, "index"));
  Datum at = a[0];
  for (size_t i = 1; i < a.size(); ++i) {
    at = at.settled();
    if (at.missing()) return invalid("index of untyped nil");
    auto key = a[i].settled();
    if (at.is_map()) {
      auto text = key.as_text();
      if (!text) return invalid("value has type " + (key.missing() ? std::string("nil") : go_type_of(key.type())) + "; should be string");
      at = at.field(*text).value_or(Datum());
      continue;
    }
    auto n = key.as_int();
    if (!n) return invalid("cannot index slice/array with type " + (key.missing() ? std::string("nil") : go_type_of(key.type())));
    auto text = at.as_text();
    if (!at.is_list() && !text) return invalid(fmt::format("can't index item of type {}", go_type_of(at.type())));
    if (*n < 0 || static_cast<size_t>(*n) >= at.size()) return invalid(fmt::format("index out of range: {}", *n));
    at = text ? Datum::number(static_cast<unsigned char>((*text)[static_cast<size_t>(*n)])) : at.element(static_cast<size_t>(*n));
  }
  return at;
}

Result<Datum> slice(Args& a) {
  DROVER_CHECK(at_least(a, 1, "slice"));
  auto item = a[0].settled();
  if (item.missing()) return invalid("slice of untyped nil");
  if (a.size() > 4) return invalid(fmt::format("too many slice indexes: {}", a.size() - 1));
  size_t bounds[2] = {0, item.size()};
  for (size_t i = 1; i < a.size() && i < 3; ++i) {
    auto n = a[i].settled().as_int();
    if (!n || *n < 0 || static_cast<size_t>(*n) > item.size()) return invalid(fmt::format("index out of range: {}", n.value_or(-1)));
    bounds[i - 1] = static_cast<size_t>(*n);
  }
  if (bounds[0] > bounds[1]) return invalid(fmt::format("invalid slice index: {} > {}", bounds[0], bounds[1]));
  if (auto text = item.as_text()) return Datum::text(text->substr(bounds[0], bounds[1] - bounds[0]));
  if (!item.is_list()) return invalid(fmt::format("can't slice item of type {}", go_type_of(item.type())));
  std::vector<Datum> out;
  for (size_t i = bounds[0]; i < bounds[1]; ++i) out.push_back(item.element(i));
  return Datum::list(std::move(out));
}

// fmt.Sprint: a blank between operands when neither is text. fmt.Sprintln: always one.
std::string sprint(const Args& a, bool line) {
  std::string out;
  for (size_t i = 0; i < a.size(); ++i) {
    if (i && (line || (!a[i].settled().as_text() && !a[i - 1].settled().as_text()))) out += ' ';
    out += print(a[i]);
  }
  return line ? out + '\n' : out;
}

std::string html(std::string_view s) {
  std::string out;
  for (char c : s) {
    switch (c) {
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string query_escape(std::string_view s) {
  std::string out;
  for (unsigned char c : s) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') out += static_cast<char>(c);
    else if (c == ' ') out += '+';
    else out += fmt::format("%{:02X}", c);
  }
  return out;
}

Functions make() {
  Functions f;
  f["and"] = f["or"] = [](Args& a) -> Result<Datum> {
    DROVER_CHECK(at_least(a, 1, "and"));
    return a.back();
  };
  f["not"] = [](Args& a) -> Result<Datum> {
    DROVER_CHECK(at_least(a, 1, "not"));
    return Datum::boolean(!a[0].truth());
  };
  f["len"] = [](Args& a) -> Result<Datum> {
    DROVER_CHECK(at_least(a, 1, "len"));
    auto d = a[0].settled();
    if (d.missing()) return invalid("len of untyped nil");
    if (!d.is_list() && !d.is_map() && !d.as_text()) return invalid("len of type " + go_type_of(d.type()));
    return Datum::number(static_cast<int64_t>(d.size()));
  };
  f["index"] = index;
  f["slice"] = slice;
  f["print"] = [](Args& a) -> Result<Datum> { return Datum::text(sprint(a, false)); };
  f["println"] = [](Args& a) -> Result<Datum> { return Datum::text(sprint(a, true)); };
  f["printf"] = [](Args& a) -> Result<Datum> {
    DROVER_CHECK(at_least(a, 1, "printf"));
    auto format = a[0].settled().as_text();
    if (!format) return invalid("wrong type for value; expected string");
    return Datum::text(sprintf(*format, Args(a.begin() + 1, a.end())));
  };
  f["html"] = [](Args& a) -> Result<Datum> { return Datum::text(html(sprint(a, false))); };
  f["urlquery"] = [](Args& a) -> Result<Datum> { return Datum::text(query_escape(sprint(a, false))); };
  f["js"] = [](Args& a) -> Result<Datum> {
    std::string out;
    json_quote(sprint(a, false), out, true);
    return Datum::text(out.substr(1, out.size() - 2));
  };
  f["call"] = [](Args&) -> Result<Datum> { return invalid("call of non-function"); };
  f["eq"] = [](Args& a) -> Result<Datum> {
    DROVER_CHECK(at_least(a, 2, "eq"));
    for (size_t i = 1; i < a.size(); ++i) {
      DROVER_TRY(bool same, equal(a[0], a[i]));
      if (same) return Datum::boolean(true);
    }
    return Datum::boolean(false);
  };
  f["ne"] = [](Args& a) -> Result<Datum> {
    DROVER_CHECK(at_least(a, 2, "ne"));
    DROVER_TRY(bool same, equal(a[0], a[1]));
    return Datum::boolean(!same);
  };
  f["lt"] = ordered([](int c) { return c < 0; }, "lt");
  f["le"] = ordered([](int c) { return c <= 0; }, "le");
  f["gt"] = ordered([](int c) { return c > 0; }, "gt");
  f["ge"] = ordered([](int c) { return c >= 0; }, "ge");
  return f;
}

}  // namespace

const Functions& standard_functions() {
  static const Functions functions = make();
  return functions;
}

}  // namespace drover::gotemplate
