#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/strings.h"
#include "codec/json.h"
#include "codec/reflect.h"

namespace drover {
namespace {

constexpr std::string_view kZeroTime = "\"0001-01-01T00:00:00Z\"";

class Encoder {
 public:
  Encoder(std::string& out, const JsonStyle& style) : out_(out), style_(style) {}

  void value(const TypeInfo& type, const void* p) {
    switch (type.kind) {
      case Kind::kBool: out_ += *static_cast<const bool*>(p) ? "true" : "false"; break;
      case Kind::kInt: integer(reflect_int(type, p)); break;
      case Kind::kUint: integer(reflect_uint(type, p)); break;
      case Kind::kFloat: number(*static_cast<const double*>(p)); break;
      case Kind::kString: quote(*static_cast<const std::string*>(p)); break;
      case Kind::kSharedString: quote(*static_cast<const SharedString*>(p)); break;
      case Kind::kUuid: uuid(*static_cast<const Uuid*>(p)); break;
      case Kind::kBytes: bytes(*static_cast<const Bytes*>(p)); break;
      case Kind::kDuration: integer(static_cast<const Duration*>(p)->count()); break;
      case Kind::kTime: time(*static_cast<const Time*>(p)); break;
      case Kind::kValue: dynamic(*static_cast<const Value*>(p)); break;
      case Kind::kStruct: object(type, p); break;
      case Kind::kList: list(type, p); break;
      case Kind::kMap: map(type, p); break;
      case Kind::kPointer:
        if (type.is_nil(p)) out_ += "null";
        else value(type.element(), type.at(p, 0));
        break;
    }
  }

  // Emptiness as omitempty has it: an empty list counts, unlike in reflect_default.
  static bool empty(const TypeInfo& type, const void* p) {
    if (type.kind == Kind::kList || type.kind == Kind::kMap) return type.count(p) == 0;
    if (type.kind != Kind::kStruct) return reflect_default(type, p);
    for (auto& f : type.fields)
      if (!empty(f.type(), f.in(p))) return false;
    return true;
  }

  void newline() {
    if (!style_.pretty) return;
    out_ += '\n';
    out_.append(static_cast<size_t>(depth_ * style_.indent), ' ');
  }

 private:
  template <class N>
  void integer(N n) {
    char buffer[24];
    auto [end, ec] = std::to_chars(buffer, buffer + sizeof buffer, n);
    out_.append(buffer, end);
  }

  void number(double d) {
    auto text = format_double(d);
    bool plain = text.find_first_of(".eNI") == std::string::npos;
    // Whole numbers show all their digits in this style, also those that a double does not need.
    if (plain && style_.float_point) fmt::format_to(std::back_inserter(out_), "{:.1f}", d);
    else out_ += text;
  }

  void quote(std::string_view s) { json_quote(s, out_, style_.escape_html); }

  void uuid(const Uuid& id) {
    if (id.nil()) {
      out_ += "\"\"";
      return;
    }
    char text[38];
    text[0] = text[37] = '"';
    id.write_to(text + 1);
    out_.append(text, 38);
  }

  void bytes(const Bytes& b) {
    if (b.empty()) {
      out_ += "null";
      return;
    }
    out_ += '"';
    out_ += base64_encode(b.data);
    out_ += '"';
  }

  void time(Time t) {
    if (t.unset()) {
      out_ += style_.bare ? kZeroTime : "null";
      return;
    }
    out_ += '"';
    out_ += format_rfc3339_nano(t);
    out_ += '"';
  }

  void dynamic(const Value& v) {
    if (v.is_nil()) out_ += "null";
    else if (auto* b = v.as_bool()) out_ += *b ? "true" : "false";
    else if (auto* i = v.as_int()) integer(*i);
    else if (auto* d = v.as_double()) number(*d);
    else if (auto* s = v.as_string()) quote(*s);
    else if (auto* a = v.as_array()) list(type_of<Value::Array>(), a);
    else if (auto* o = v.as_object()) map(type_of<Value::Object>(), o);
  }

  void open(char c) {
    out_ += c;
    ++depth_;
  }
  void close(char c, bool any) {
    --depth_;
    if (any) newline();
    out_ += c;
  }
  void separator(bool& any) {
    if (any) out_ += ',';
    any = true;
    newline();
  }
  void key(std::string_view k) {
    quote(k);
    out_ += style_.pretty ? ": " : ":";
  }

  void object(const TypeInfo& type, const void* p) {
    bool any = false;
    open('{');
    if (style_.shape) {
      shaped(type, p, any);
    } else if (style_.sort_keys && has_own_code(type)) {
      // Durations that are text come first, the rest as declared: the reference's own code for these types.
      for (auto& f : type.fields)
        if (f.flags & kDurationText) member(type, f, p, any);
      for (auto& f : type.fields)
        if (!(f.flags & kDurationText)) member(type, f, p, any);
    } else {
      for (size_t i = 0; i < type.fields.size(); ++i) member(type, type.fields[style_.sort_keys ? type.sorted[i] : i], p, any);
    }
    close('}', any);
  }

  // As the reader's struct has it, which is there whole.
  void shaped(const TypeInfo& type, const void* p, bool& any) {
    struct Entry {
      std::string_view key, text;
      const FieldInfo* field;
    };
    auto* shape = style_.shape(type);
    std::vector<Entry> entries;
    for (auto& f : type.fields)
      if (shown(shape, f, p)) entries.push_back({f.json_name, {}, &f});
    if (shape)
      for (auto& [key, text] : shape->adds) entries.push_back({key, text, nullptr});
    std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.key < b.key; });
    for (auto& e : entries) {
      separator(any);
      key(e.key);
      if (e.field) field(type, *e.field, p);
      else out_ += e.text;
    }
  }

  static bool shown(const JsonShape* shape, const FieldInfo& f, const void* p) {
    auto in = [&](auto& names) { return std::find(names.begin(), names.end(), f.name) != names.end(); };
    if (f.flags & (kNotInJson | kInputOnly)) return false;
    if (shape && in(shape->lacks)) return false;
    bool may_omit = (f.flags & kOmitEmpty) && !(shape && shape->every_field);
    may_omit |= shape && in(shape->omits_empty);
    return !may_omit || !empty(f.type(), f.in(p));
  }

  static bool has_own_code(const TypeInfo& type) {
    return std::any_of(type.fields.begin(), type.fields.end(), [](auto& f) { return (f.flags & kDurationText) != 0; });
  }

  void member(const TypeInfo& type, const FieldInfo& f, const void* p, bool& any) {
    if (f.flags & (kNotInJson | kInputOnly) || (style_.bare && (f.flags & kJsonOnly))) return;
    bool may_omit = (type.omit_all_empty && !style_.bare) || (f.flags & kOmitEmpty);
    if (may_omit && empty(f.type(), f.in(p))) return;
    separator(any);
    key(f.json_name);
    field(type, f, p);
  }

  // A duration of 0 is "" in the server's types and "0s" in the client's, each as the reference has it.
  void field(const TypeInfo& type, const FieldInfo& f, const void* p) {
    if (f.flags & kDurationText) {
      auto d = *static_cast<const Duration*>(f.in(p));
      quote(d.count() == 0 && !type.name.starts_with("api.") ? "" : format_duration(d));
    } else if ((f.flags & kZeroTimeText) && static_cast<const Time*>(f.in(p))->unset()) {
      out_ += kZeroTime;
    } else {
      value(f.type(), f.in(p));
    }
  }

  void list(const TypeInfo& type, const void* p) {
    if (type.is_nil(p)) {
      out_ += "null";
      return;
    }
    auto& element = type.element();
    bool any = false;
    open('[');
    for (size_t i = 0, n = type.count(p); i < n; ++i) {
      separator(any);
      value(element, type.at(p, i));
    }
    close(']', any);
  }

  void map(const TypeInfo& type, const void* p) {
    if (type.is_nil(p)) {
      out_ += "null";
      return;
    }
    auto& element = type.element();
    bool any = false;
    open('{');
    for (size_t i = 0, n = type.count(p); i < n; ++i) {
      separator(any);
      key(type.key_at(p, i));
      value(element, type.at(p, i));
    }
    close('}', any);
  }

  std::string& out_;
  const JsonStyle& style_;
  int depth_ = 0;
};

// The length of the UTF-8 sequence at the start of `s`, or 0 when it is not a valid one.
size_t sequence_length(std::string_view s) {
  unsigned char c = s[0];
  size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
  return len <= s.size() && valid_utf8(s.substr(0, len)) ? len : 0;
}

}  // namespace

void json_quote(std::string_view s, std::string& out, bool escape_html) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  size_t done = 0;
  auto flush = [&](size_t upto) { out.append(s, done, upto - done); };
  for (size_t i = 0; i < s.size();) {
    unsigned char c = s[i];
    if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && !(escape_html && (c == '<' || c == '>' || c == '&'))) {
      ++i;
      continue;
    }
    size_t len = 1;
    if (c >= 0x80) {
      len = sequence_length(s.substr(i));
      bool line_separator = len == 3 && s.substr(i, 2) == "\xe2\x80" && (s[i + 2] == '\xa8' || s[i + 2] == '\xa9');
      if (len && !line_separator) {
        i += len;
        continue;
      }
      flush(i);
      if (!len) {
        out += "\\ufffd";
        len = 1;
      } else {
        out += s[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      }
    } else {
      flush(i);
      switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
          out += "\\u00";
          out += hex[c >> 4];
          out += hex[c & 15];
      }
    }
    i += len;
    done = i;
  }
  flush(s.size());
  out += '"';
}

void json_encode(const TypeInfo& type, const void* object, std::string& out, const JsonStyle& style) {
  Encoder(out, style).value(type, object);
  if (style.pretty && style.trailing_newline) out += '\n';
}

}  // namespace drover
