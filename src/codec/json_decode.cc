#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/json.h"

namespace drover {
namespace {

// Maps up to this size are filled in the order of the text.
constexpr size_t kSmallMap = 64;

// "'x'" as Go's scanner quotes a character in its messages.
std::string quote_char(char c) {
  if (c == '\'') return "'\\''";
  if (c == '"') return "'\"'";
  auto q = go_quote(std::string_view(&c, 1));
  return "'" + q.substr(1, q.size() - 2) + "'";
}

// Bounds of the last path of a type error: Go names the innermost struct and the keys on the way.
struct Where {
  std::string_view struct_name;  // innermost struct, without package
  std::string path;              // keys joined by '.', without map keys and list positions
};

class Decoder {
 public:
  explicit Decoder(std::string_view text) : s_(text) {}

  Status run(const TypeInfo& type, void* object) {
    // A first pass checks the syntax, so that a syntax error anywhere wins over a type error, as in Go.
    skip_space();
    size_t start = at_;
    DROVER_CHECK(skip(0));
    at_ = start;
    value(type, object, nullptr);
    if (!first_error_.empty()) return invalid(first_error_);
    return {};
  }

 private:
  // ---- syntax pass -------------------------------------------------------------------------------------------

  Error eof() const { return invalid(s_.find_first_not_of(" \t\r\n") == std::string_view::npos ? "EOF" : "unexpected EOF"); }
  Error bad(std::string_view context) const {
    return invalid(fmt::format("invalid character {} {}", quote_char(s_[at_]), context));
  }

  void skip_space() {
    while (at_ < s_.size() && (s_[at_] == ' ' || s_[at_] == '\n' || s_[at_] == '\r' || s_[at_] == '\t')) ++at_;
  }

  Status skip(int depth) {
    skip_space();
    if (at_ >= s_.size()) return eof();
    if (char c = s_[at_]; depth >= kJsonDepthMax && (c == '{' || c == '['))
      return invalid(fmt::format("invalid character '{}' exceeded max depth", c));
    switch (s_[at_]) {
      case '{': return skip_object(depth);
      case '[': return skip_array(depth);
      case '"': return skip_string();
      case 't': return skip_literal("true");
      case 'f': return skip_literal("false");
      case 'n': return skip_literal("null");
      default: return skip_number();
    }
  }

  Status skip_literal(std::string_view word) {
    for (size_t i = 1; i < word.size(); ++i) {
      if (at_ + i >= s_.size()) return eof();
      if (s_[at_ + i] != word[i]) {
        at_ += i;
        return bad(fmt::format("in literal {} (expecting {})", word, quote_char(word[i])));
      }
    }
    at_ += word.size();
    return {};
  }

  bool digit() const { return at_ < s_.size() && s_[at_] >= '0' && s_[at_] <= '9'; }
  void digits() {
    while (digit()) ++at_;
  }

  Status skip_number() {
    if (s_[at_] == '-') {
      ++at_;
      if (at_ >= s_.size()) return eof();
      if (!digit()) return bad("in numeric literal");
    }
    if (!digit()) return bad("looking for beginning of value");
    if (s_[at_] == '0') ++at_;
    else digits();
    if (at_ < s_.size() && s_[at_] == '.') {
      ++at_;
      if (at_ >= s_.size()) return eof();
      if (!digit()) return bad("after decimal point in numeric literal");
      digits();
    }
    if (at_ < s_.size() && (s_[at_] == 'e' || s_[at_] == 'E')) {
      ++at_;
      if (at_ < s_.size() && (s_[at_] == '+' || s_[at_] == '-')) ++at_;
      if (at_ >= s_.size()) return eof();
      if (!digit()) return bad("in exponent of numeric literal");
      digits();
    }
    return {};
  }

  Status skip_string() {
    ++at_;
    for (;;) {
      if (at_ >= s_.size()) return eof();
      unsigned char c = s_[at_];
      if (c == '"') {
        ++at_;
        return {};
      }
      if (c < 0x20) return bad("in string literal");
      if (c == '\\') {
        ++at_;
        if (at_ >= s_.size()) return eof();
        if (s_[at_] == 'u') {
          for (int k = 0; k < 4; ++k) {
            ++at_;
            if (at_ >= s_.size()) return eof();
            if (!std::isxdigit(static_cast<unsigned char>(s_[at_]))) return bad("in \\u hexadecimal character escape");
          }
        } else if (!std::strchr("\"\\/bfnrt", s_[at_])) {
          return bad("in string escape code");
        }
      }
      ++at_;
    }
  }

  Status skip_array(int depth) {
    ++at_;
    skip_space();
    if (at_ >= s_.size()) return eof();
    if (s_[at_] == ']') {
      ++at_;
      return {};
    }
    for (;;) {
      DROVER_CHECK(skip(depth + 1));
      skip_space();
      if (at_ >= s_.size()) return eof();
      if (s_[at_] == ']') {
        ++at_;
        return {};
      }
      if (s_[at_] != ',') return bad("after array element");
      ++at_;
    }
  }

  Status skip_object(int depth) {
    ++at_;
    for (bool first = true;; first = false) {
      skip_space();
      if (at_ >= s_.size()) return eof();
      if (first && s_[at_] == '}') break;
      if (s_[at_] != '"') return bad("looking for beginning of object key string");
      DROVER_CHECK(skip_string());
      skip_space();
      if (at_ >= s_.size()) return eof();
      if (s_[at_] != ':') return bad("after object key");
      ++at_;
      DROVER_CHECK(skip(depth + 1));
      skip_space();
      if (at_ >= s_.size()) return eof();
      if (s_[at_] == '}') break;
      if (s_[at_] != ',') return bad("after object key:value pair");
      ++at_;
    }
    ++at_;
    return {};
  }

  // ---- value pass: the text is known to be well formed -------------------------------------------------------

  void type_error(std::string_view what, const TypeInfo& type, const FieldInfo* field) {
    if (!first_error_.empty()) return;
    std::string go = field && !field->go_type.empty() && leaf_of_field_ ? std::string(field->go_type) : go_type_of(type);
    if (where_.path.empty()) first_error_ = fmt::format("json: cannot unmarshal {} into Go value of type {}", what, go);
    else first_error_ = fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}", what, where_.struct_name, where_.path, go);
  }

  void value(const TypeInfo& type, void* p, const FieldInfo* field) {
    skip_space();
    if (type.kind == Kind::kPointer) {
      if (s_[at_] == 'n') {
        at_ += 4;
        type.set_nil(p);
        return;
      }
      void* inside = type.is_nil(p) ? type.add(p, {}) : const_cast<void*>(type.at(p, 0));
      return value(type.element(), inside, field);
    }
    if (type.kind == Kind::kValue) {
      *static_cast<Value*>(p) = dynamic();
      return;
    }
    switch (s_[at_]) {
      case '{': return object(type, p, field);
      case '[': return array(type, p, field);
      case '"': return string(type, p, field);
      case 't':
      case 'f': return boolean(type, p, field);
      case 'n':
        at_ += 4;
        if (type.kind == Kind::kList || type.kind == Kind::kMap) type.set_nil(p);
        if (type.kind == Kind::kBytes) static_cast<Bytes*>(p)->data.clear();
        return;
      default: return number(type, p, field);
    }
  }

  void boolean(const TypeInfo& type, void* p, const FieldInfo* field) {
    bool b = s_[at_] == 't';
    at_ += b ? 4 : 5;
    if (type.kind == Kind::kBool) *static_cast<bool*>(p) = b;
    else type_error("bool", type, field);
  }

  void number(const TypeInfo& type, void* p, const FieldInfo* field) {
    size_t start = at_;
    (void)skip_number();
    std::string_view text = s_.substr(start, at_ - start);
    switch (type.kind) {
      case Kind::kInt: return store_int(type, p, text, field);
      case Kind::kUint: return store_uint(type, p, text, field);
      case Kind::kDuration: {
        if (field && (field->flags & kDurationText) && field->go_type == "string") return type_error("number", type, field);
        int64_t n = 0;
        auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
        if (ec != std::errc() || end != text.data() + text.size()) return type_error(fmt::format("number {}", text), type, field);
        *static_cast<Duration*>(p) = Duration(n);
        return;
      }
      case Kind::kFloat: {
        auto d = parse_double(text);
        if (!d) return type_error(fmt::format("number {}", text), type, field);
        *static_cast<double*>(p) = *d;
        return;
      }
      default: return type_error("number", type, field);
    }
  }

  void store_int(const TypeInfo& type, void* p, std::string_view text, const FieldInfo* field) {
    int64_t n = 0;
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    int bits = static_cast<int>(type.size) * 8;
    bool fits = bits == 64 || (n >= -(int64_t{1} << (bits - 1)) && n < (int64_t{1} << (bits - 1)));
    if (ec != std::errc() || end != text.data() + text.size() || !fits)
      return type_error(fmt::format("number {}", text), type, field);
    switch (type.size) {
      case 1: *static_cast<int8_t*>(p) = static_cast<int8_t>(n); break;
      case 2: *static_cast<int16_t*>(p) = static_cast<int16_t>(n); break;
      case 4: *static_cast<int32_t*>(p) = static_cast<int32_t>(n); break;
      default: *static_cast<int64_t*>(p) = n;
    }
  }

  void store_uint(const TypeInfo& type, void* p, std::string_view text, const FieldInfo* field) {
    uint64_t n = 0;
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    bool fits = type.size == 8 || n < (uint64_t{1} << (type.size * 8));
    if (ec != std::errc() || end != text.data() + text.size() || !fits)
      return type_error(fmt::format("number {}", text), type, field);
    switch (type.size) {
      case 1: *static_cast<uint8_t*>(p) = static_cast<uint8_t>(n); break;
      case 2: *static_cast<uint16_t*>(p) = static_cast<uint16_t>(n); break;
      case 4: *static_cast<uint32_t*>(p) = static_cast<uint32_t>(n); break;
      default: *static_cast<uint64_t*>(p) = n;
    }
  }

  void string(const TypeInfo& type, void* p, const FieldInfo* field) {
    std::string text = take_string();
    switch (type.kind) {
      case Kind::kString: *static_cast<std::string*>(p) = std::move(text); return;
      case Kind::kSharedString: *static_cast<SharedString*>(p) = text; return;
      case Kind::kUuid:
        // A malformed id names nothing: nil stands for it, and lookups report it where the request names it.
        *static_cast<Uuid*>(p) = Uuid::parse(text).value_or(Uuid{});
        return;
      case Kind::kBytes: {
        // Line breaks in it do not count.
        auto bytes = base64_decode(replace_all(replace_all(text, "\n", ""), "\r", ""));
        if (bytes) static_cast<Bytes*>(p)->data = std::move(*bytes);
        else if (first_error_.empty()) first_error_ = base64_error(text);
        return;
      }
      case Kind::kTime: {
        auto t = parse_rfc3339(text);
        if (t) *static_cast<Time*>(p) = *t;
        else if (first_error_.empty()) first_error_ = t.error().message;
        return;
      }
      case Kind::kDuration:
        if (field && (field->flags & kDurationText)) {
          if (text.empty()) return;
          auto d = parse_duration(text);
          if (d) *static_cast<Duration*>(p) = *d;
          else if (first_error_.empty()) first_error_ = d.error().message;
          return;
        }
        return type_error("string", type, field);
      default: return type_error("string", type, field);
    }
  }

  static std::string base64_error(std::string_view text) {
    static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    auto is_break = [](char c) { return c == '\n' || c == '\r'; };
    size_t begun = 0;  // the number of characters of the group of four at hand
    for (size_t at = 0; at < text.size(); ++at) {
      if (is_break(text[at])) continue;
      if (alphabet.find(text[at]) != std::string_view::npos) {
        begun = begun % 4 + 1;
        continue;
      }
      // Padding fills a group of two or three, and nothing follows it.
      size_t missing = text[at] == '=' && begun >= 2 && begun < 4 ? 4 - begun : 0;
      for (; missing > 0; ++at) {
        if (at == text.size()) return at_byte(at);
        if (is_break(text[at])) continue;
        if (text[at] != '=') break;
        --missing;
      }
      while (at < text.size() && is_break(text[at])) ++at;
      return at_byte(at);
    }
    // A text that is only too short is wrong from its last group on.
    return at_byte(text.size() - begun % 4);
  }

  static std::string at_byte(size_t at) { return fmt::format("illegal base64 data at input byte {}", at); }

  // Bytes written as a list of numbers.
  void byte_list(Bytes& out, const FieldInfo* field) {
    TypeInfo byte{.kind = Kind::kUint};
    byte.name = "uint8";
    out.data.clear();
    ++at_;
    for (skip_space(); s_[at_] != ']'; skip_space()) {
      size_t start = at_;
      std::string_view what;
      switch (s_[at_]) {
        case '{': what = "object"; break;
        case '[': what = "array"; break;
        case '"': what = "string"; break;
        case 't': case 'f': what = "bool"; break;
        default: break;
      }
      (void)skip(0);
      auto text = s_.substr(start, at_ - start);
      auto n = text == "null" ? std::optional<uint64_t>(0) : parse_uint(text);
      std::string number = fmt::format("number {}", text);
      if (what.empty() && (!n || *n > 255)) what = number;
      if (!what.empty()) element_error(what, byte, field);
      out.data += static_cast<char>(n.value_or(0));
      skip_space();
      if (s_[at_] == ',') ++at_;
    }
    ++at_;
  }

  void element_error(std::string_view what, const TypeInfo& type, const FieldInfo* field) {
    bool outer = std::exchange(leaf_of_field_, false);
    type_error(what, type, field);
    leaf_of_field_ = outer;
  }

  void array(const TypeInfo& type, void* p, const FieldInfo* field) {
    if (type.kind == Kind::kBytes) return byte_list(*static_cast<Bytes*>(p), field);
    bool fits = type.kind == Kind::kList;
    if (!fits) {
      type_error("array", type, field);
      (void)skip(0);
      return;
    }
    type.make_empty(p);
    bool outer = std::exchange(leaf_of_field_, false);
    ++at_;
    for (;;) {
      skip_space();
      if (s_[at_] == ']') break;
      value(type.element(), type.add(p, {}), field);
      skip_space();
      if (s_[at_] == ',') ++at_;
    }
    ++at_;
    leaf_of_field_ = outer;
  }

  void object(const TypeInfo& type, void* p, const FieldInfo* field) {
    if (type.kind != Kind::kStruct && type.kind != Kind::kMap) {
      type_error("object", type, field);
      (void)skip(0);
      return;
    }
    bool outer = leaf_of_field_;
    if (type.kind == Kind::kMap && type.is_nil(p)) type.make_empty(p);
    ++at_;
    for (;;) {
      skip_space();
      if (s_[at_] == '}') break;
      if (type.kind == Kind::kMap && type.count(p) >= kSmallMap) {
        large_map(type, p, field);
        break;
      }
      std::string key = take_key();
      if (type.kind == Kind::kMap) {
        leaf_of_field_ = false;
        value(type.element(), type.add(p, key), field);
      } else {
        member(type, p, key);
      }
      skip_space();
      if (s_[at_] == ',') ++at_;
    }
    ++at_;
    leaf_of_field_ = outer;
  }

  std::string take_key() {
    std::string key = take_string();
    skip_space();
    ++at_;  // the colon
    return key;
  }

  // What is left of an object, up to its end. A map is a sorted list: many entries in any order would take quadratic time.
  void large_map(const TypeInfo& type, void* p, const FieldInfo* field) {
    std::vector<std::pair<std::string, size_t>> entries;  // where their values begin
    while (s_[at_] != '}') {
      auto key = take_key();
      skip_space();
      entries.emplace_back(std::move(key), at_);
      (void)skip(0);
      skip_space();
      if (s_[at_] == ',') ++at_;
      skip_space();
    }
    size_t end = at_;
    std::stable_sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.first < b.first; });
    leaf_of_field_ = false;
    for (auto& [key, begin] : entries) {
      at_ = begin;
      value(type.element(), type.add(p, key), field);
    }
    at_ = end;
  }

  void member(const TypeInfo& type, void* p, std::string_view key) {
    auto* f = type.find_json(key);
    if (!f) {
      (void)skip(0);
      return;
    }
    auto outer_name = where_.struct_name;
    size_t outer_length = where_.path.size();
    if (has_own_code(type)) {
      // The reference decodes these apart from what is around them, through a nameless struct.
      auto outer_path = std::exchange(where_.path, std::string(f->flags & kDurationText ? "" : "Alias."));
      where_.struct_name = "";
      where_.path += f->json_name;
      leaf_of_field_ = true;
      value(f->type(), f->in(p), f);
      where_.path = std::move(outer_path);
      where_.struct_name = outer_name;
      return;
    }
    auto dot = type.name.rfind('.');
    bool nameless = type.name.starts_with("struct {");
    where_.struct_name = nameless ? "" : dot == std::string_view::npos ? type.name : type.name.substr(dot + 1);
    if (!where_.path.empty()) where_.path += '.';
    where_.path += f->json_name;
    leaf_of_field_ = true;
    value(f->type(), f->in(p), f);
    where_.struct_name = outer_name;
    where_.path.resize(outer_length);
  }

  // Structs with JSON code of their own in the reference: those whose durations are text.
  static bool has_own_code(const TypeInfo& type) {
    return std::any_of(type.fields.begin(), type.fields.end(), [](auto& f) { return (f.flags & kDurationText) != 0; });
  }

  Value dynamic() {
    skip_space();
    switch (s_[at_]) {
      case '"': return Value(take_string());
      case 't': at_ += 4; return Value(true);
      case 'f': at_ += 5; return Value(false);
      case 'n': at_ += 4; return Value();
      case '[': {
        auto list = Value::Array::empty_list();
        ++at_;
        for (skip_space(); s_[at_] != ']'; skip_space()) {
          if (s_[at_] == ',') ++at_;
          list.push_back(dynamic());
        }
        ++at_;
        return Value(std::move(list));
      }
      case '{': {
        auto map = Value::Object::empty_map();
        ++at_;
        for (skip_space(); s_[at_] != '}'; skip_space()) {
          if (s_[at_] == ',') {
            ++at_;
            skip_space();
          }
          std::string key = take_string();
          skip_space();
          ++at_;
          map[key] = dynamic();
        }
        ++at_;
        return Value(std::move(map));
      }
      default: {
        size_t start = at_;
        (void)skip_number();
        return Value(parse_double(s_.substr(start, at_ - start)).value_or(0));
      }
    }
  }

  unsigned hex4() {
    unsigned v = 0;
    std::from_chars(s_.data() + at_, s_.data() + at_ + 4, v, 16);
    at_ += 4;
    return v;
  }

  static void append_utf8(std::string& out, unsigned c) {
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xc0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 63));
    } else if (c < 0x10000) {
      out += static_cast<char>(0xe0 | c >> 12);
      out += static_cast<char>(0x80 | (c >> 6 & 63));
      out += static_cast<char>(0x80 | (c & 63));
    } else {
      out += static_cast<char>(0xf0 | c >> 18);
      out += static_cast<char>(0x80 | (c >> 12 & 63));
      out += static_cast<char>(0x80 | (c >> 6 & 63));
      out += static_cast<char>(0x80 | (c & 63));
    }
  }

  void escape(std::string& out) {
    char c = s_[at_++];
    switch (c) {
      case 'b': out += '\b'; return;
      case 'f': out += '\f'; return;
      case 'n': out += '\n'; return;
      case 'r': out += '\r'; return;
      case 't': out += '\t'; return;
      case 'u': {
        unsigned v = hex4();
        if (v >= 0xd800 && v < 0xdc00 && s_.substr(at_, 2) == "\\u") {
          size_t back = at_;
          at_ += 2;
          unsigned low = hex4();
          if (low >= 0xdc00 && low < 0xe000) return append_utf8(out, 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00));
          at_ = back;
        }
        if (v >= 0xd800 && v < 0xe000) v = 0xfffd;
        return append_utf8(out, v);
      }
      default: out += c;
    }
  }

  std::string take_string() {
    ++at_;
    std::string out;
    bool high = false;
    for (;;) {
      size_t run = at_;
      while (s_[run] != '"' && s_[run] != '\\') {
        high |= static_cast<unsigned char>(s_[run]) >= 0x80;
        ++run;
      }
      out.append(s_, at_, run - at_);
      at_ = run + 1;
      if (s_[run] == '"') break;
      escape(out);
    }
    return high && !valid_utf8(out) ? repair(out) : out;
  }

  // Go replaces each byte of an invalid sequence by U+FFFD.
  static std::string repair(std::string_view in) {
    std::string out;
    for (size_t i = 0; i < in.size();) {
      unsigned char c = in[i];
      size_t len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
      if (i + len <= in.size() && valid_utf8(in.substr(i, len))) {
        out.append(in, i, len);
        i += len;
      } else {
        out += "\xef\xbf\xbd";
        ++i;
      }
    }
    return out;
  }

  std::string_view s_;
  size_t at_ = 0;
  Where where_;
  bool leaf_of_field_ = false;  // the value under way is the field itself, not an element of it
  std::string first_error_;
};

}  // namespace

Status json_decode(const TypeInfo& type, void* object, std::string_view text) {
  return Decoder(text).run(type, object);
}

}  // namespace drover
