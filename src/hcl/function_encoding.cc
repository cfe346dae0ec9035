// base64, CSV, JSON, YAML and URL forms.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "hcl/convert.h"
#include "hcl/function_impl.h"
#include "hcl/parser.h"
#include "hcl/unicode.h"

namespace drover::hcl {

std::string json_quote(std::string_view text) {
  std::string out = "\"";
  for (size_t at = 0, size = 0; at < text.size(); at += size) {
    int32_t c = decode_utf8(text, at, size);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (c < 0) out += "\\ufffd";
        else if (c < 0x20 || c == '<' || c == '>' || c == '&' || c == 0x2028 || c == 0x2029) out += fmt::format("\\u{:04x}", c);
        else out += text.substr(at, size);
    }
  }
  return out + "\"";
}

namespace {

bool write_json(const Value& value, std::string& out) {
  if (!value.is_usable()) {
    out += "null";
    return true;
  }
  switch (value.kind()) {
    case Kind::kString: out += json_quote(value.as_string()); return true;
    case Kind::kBool: out += value.as_bool() ? "true" : "false"; return true;
    case Kind::kNumber:
      if (value.as_number().is_infinite()) return false;
      out += value.as_number().str();
      return true;
    default: break;
  }
  bool mapping = value.is_mapping(), first = true;
  out += mapping ? '{' : '[';
  auto separate = [&] {
    if (!std::exchange(first, false)) out += ',';
  };
  if (mapping) {
    for (auto& [key, v] : value.entries()) {
      separate();
      out += json_quote(key) + ":";
      if (!write_json(v, out)) return false;
    }
  } else {
    for (auto& v : value.elements()) {
      separate();
      if (!write_json(v, out)) return false;
    }
  }
  out += mapping ? '}' : ']';
  return true;
}

// The last of several members of one name says what type the member has. What is wrong with an earlier one under it; "" if
// nothing is.
std::string misfit(const Value& earlier, const Value& last) {
  if (earlier.is_null()) return "";
  if (last.is_null()) return earlier.is(Kind::kObject) ? "missing type in dynamically-typed value" : "missing expected {";
  if (last.is(Kind::kTuple)) {
    if (!earlier.is(Kind::kTuple)) return "missing expected [";
    auto &have = earlier.elements(), &want = last.elements();
    for (size_t i = 0; i < std::min(have.size(), want.size()); ++i)
      if (auto why = misfit(have[i], want[i]); !why.empty()) return why;
    if (have.size() == want.size()) return "";
    return fmt::format("{} tuple elements (need {})", have.size() < want.size() ? "not enough" : "too many", want.size());
  }
  if (last.is(Kind::kObject)) {
    if (!earlier.is(Kind::kObject)) return "missing expected {";
    for (auto& [name, value] : earlier.entries()) {
      auto* want = last.find(name);
      if (!want) return fmt::format("unsupported attribute \"{}\"", name);
      if (auto why = misfit(value, *want); !why.empty()) return why;
    }
    return "";
  }
  bool same_kind = earlier.kind() == last.kind() || (last.is(Kind::kString) && (earlier.is(Kind::kNumber) || earlier.is(Kind::kBool)));
  if (same_kind) return "";
  auto name = last.type().name();
  if (!earlier.is(Kind::kString)) return name + " is required";
  auto converted = convert(earlier, last.type());
  return converted ? "" : converted.error();
}

// A strict JSON reader that gives values of the language.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  std::expected<Value, std::string> run() {
    Value value;
    if (!element(value, 0)) return std::unexpected(error_);
    blanks();
    if (at_ < text_.size()) return std::unexpected("extraneous data after JSON object");
    if (!misfit_.empty()) return std::unexpected(misfit_);
    return value;
  }

  std::expected<std::string, std::string> run_string() {
    std::string text;
    if (!text_.starts_with('"') || !string(text)) return std::unexpected(error_);
    if (at_ < text_.size()) return std::unexpected("extraneous data after JSON object");
    return text;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  bool fail(std::string why) {
    error_ = std::move(why);
    return false;
  }
  // About the byte at `at_`, which is shown as the character of that number. `cut`: the text ends within a token.
  bool unexpected(std::string_view where, bool cut = false) {
    if (at_ >= text_.size()) return fail(cut ? "unexpected EOF" : "EOF");
    unsigned char c = static_cast<unsigned char>(text_[at_]);
    std::string shown;
    if (c == '"') shown = "\"";
    else if (c == '\'') shown = "\\'";
    else append_utf8(shown, c);
    if (c != '"' && c != '\'') {
      shown = go_quote(shown);
      shown = shown.substr(1, shown.size() - 2);
    }
    return fail(fmt::format("invalid character '{}'{}", shown, where));
  }
  bool element(Value& out, int depth) {
    blanks();
    if (depth > kMaxDepth) return fail("exceeded max depth");
    if (at_ >= text_.size()) return fail("EOF");
    switch (text_[at_]) {
      case '{': return object(out, depth);
      case '[': return array(out, depth);
      case '"': {
        std::string text;
        if (!string(text)) return false;
        out = Value::string(std::move(text));
        return true;
      }
      default: break;
    }
    if (text_[at_] == '-' || (text_[at_] >= '0' && text_[at_] <= '9')) return number(out);
    switch (text_[at_]) {
      case 't': return out = Value::boolean(true), word("true");
      case 'f': return out = Value::boolean(false), word("false");
      case 'n': return out = Value::null(), word("null");
      default: return unexpected(" looking for beginning of value");
    }
  }
  bool word(std::string_view w) {
    for (char c : w) {
      if (at_ >= text_.size() || text_[at_] != c) return unexpected(fmt::format(" in literal {} (expecting '{}')", w, c), true);
      ++at_;
    }
    return true;
  }
  bool digits(std::string_view where) {
    auto digit = [&] { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; };
    if (!digit()) return unexpected(where, true);
    while (digit()) ++at_;
    return true;
  }
  bool number(Value& out) {
    size_t start = at_;
    auto next_is = [&](std::string_view any) { return at_ < text_.size() && any.find(text_[at_]) != std::string_view::npos; };
    if (next_is("-")) ++at_;
    if (next_is("0")) ++at_;
    else if (!digits(" in numeric literal")) return false;
    if (next_is(".")) {
      ++at_;
      if (!digits(" after decimal point in numeric literal")) return false;
    }
    if (next_is("eE")) {
      ++at_;
      if (next_is("+-")) ++at_;
      if (!digits(" in exponent of numeric literal")) return false;
    }
    auto n = Number::parse(text_.substr(start, at_ - start));
    if (!n) return fail("invalid number");
    out = Value::number(*n);
    return true;
  }
  bool hex4(uint32_t& code) {
    code = 0;
    for (int i = 0; i < 4; ++i) {
      if (at_ >= text_.size() || !std::isxdigit(static_cast<unsigned char>(text_[at_])))
        return unexpected(" in \\u hexadecimal character escape", true);
      char c = text_[at_++];
      code = code * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return true;
  }
  bool escape(std::string& out) {
    if (at_ >= text_.size()) return fail("unexpected EOF");
    char c = text_[at_++];
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (auto k = kFrom.find(c); k != std::string_view::npos) return out += kTo[k], true;
    if (c != 'u') return --at_, unexpected(" in string escape code");
    uint32_t code = 0, low = 0;
    if (!hex4(code)) return false;
    if (code >= 0xD800 && code < 0xDC00 && text_.substr(at_).starts_with("\\u")) {
      at_ += 2;
      if (!hex4(low)) return false;
      if (low >= 0xDC00 && low < 0xE000) return append_utf8(out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), true;
      append_utf8(out, 0xFFFD);
      code = low;
    }
    append_utf8(out, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
    return true;
  }
  bool string(std::string& out) {
    ++at_;
    while (true) {
      if (at_ >= text_.size()) return fail("unexpected EOF");
      char c = text_[at_];
      if (c == '"') return ++at_, true;
      if (static_cast<unsigned char>(c) < 0x20) return unexpected(" in string literal");
      ++at_;
      if (c != '\\') out += c;
      else if (!escape(out)) return false;
    }
  }
  bool array(Value& out, int depth) {
    ++at_;
    Value::Elements items;
    blanks();
    if (at_ < text_.size() && text_[at_] == ']') return ++at_, out = Value::tuple({}), true;
    while (true) {
      Value item;
      if (!element(item, depth + 1)) return false;
      items.push_back(std::move(item));
      blanks();
      if (at_ >= text_.size()) return fail("EOF");
      if (text_[at_] == ']') break;
      if (text_[at_] != ',') return unexpected(" after array element");
      ++at_;
    }
    ++at_;
    out = Value::tuple(std::move(items));
    return true;
  }
  bool object(Value& out, int depth) {
    ++at_;
    Value::Entries entries;
    blanks();
    if (at_ < text_.size() && text_[at_] == '}') return ++at_, out = Value::object({}), true;
    while (true) {
      blanks();
      if (at_ >= text_.size() || text_[at_] != '"') return unexpected(entries.empty() ? "" : " looking for beginning of object key string");
      std::string key;
      if (!string(key)) return false;
      blanks();
      if (at_ >= text_.size() || text_[at_] != ':') return unexpected(" after object key");
      ++at_;
      Value item;
      if (!element(item, depth + 1)) return false;
      key = nfc(std::move(key));
      if (misfit_.empty()) {
        for (auto& [name, earlier] : entries)
          if (name == key && misfit_.empty()) misfit_ = misfit(earlier, item);
      }
      entries.emplace_back(std::move(key), std::move(item));
      blanks();
      if (at_ >= text_.size()) return fail("EOF");
      if (text_[at_] == '}') break;
      if (text_[at_] != ',') return unexpected(" after object key:value pair");
      ++at_;
    }
    ++at_;
    out = Value::object(std::move(entries));
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string error_;
  std::string misfit_;
};

CallResult base64_encode_text(Arguments a, const FunctionHost&) { return text_value(base64_encode(a[0].as_string())); }

CallResult base64_decode_text(Arguments a, const FunctionHost&) {
  auto& in = a[0].as_string();
  auto bytes = base64_decode(replace_all(replace_all(in, "\n", ""), "\r", ""));
  if (!bytes) return call_error(fmt::format("failed to decode base64 data '{}'", in));
  if (!valid_utf8(*bytes)) return call_error("the result of decoding the the provided string is not valid UTF-8");
  return text_value(std::move(*bytes));
}

// Reads records as RFC 4180 has them; blank lines are skipped.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}
  // The next record; false at the end or on a fault.
  bool next(std::vector<std::string>& record) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_.substr(at_).starts_with("\r\n"))) end_line();
    if (at_ >= text_.size()) return false;
    start_line_ = line_;
    record.clear();
    while (true) {
      record.emplace_back();
      if (!(text_.substr(at_).starts_with('"') ? quoted(record.back()) : bare(record.back()))) return false;
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      if (at_ < text_.size()) end_line();
      return true;
    }
  }
  const std::string& fault() const { return fault_; }
  size_t start_line() const { return start_line_; }

 private:
  bool at_line_end() const { return at_ >= text_.size() || text_[at_] == '\n' || text_.substr(at_).starts_with("\r\n"); }
  void end_line() {
    at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
  }
  bool fail(const char* why) {
    fault_ = fmt::format("CSV parse error on line {}: {}", line_, why);
    return false;
  }
  bool bare(std::string& out) {
    while (!at_line_end() && text_[at_] != ',') {
      if (text_[at_] == '"') return fail("bare \" in non-quoted field");
      out += text_[at_++];
    }
    return true;
  }
  bool quoted(std::string& out) {
    ++at_;
    while (at_ < text_.size()) {
      if (text_[at_] == '"') {
        ++at_;
        if (at_ < text_.size() && text_[at_] == '"') {
          out += text_[at_++];
          continue;
        }
        if (at_line_end() || text_[at_] == ',') return true;
        return fail("extraneous or missing \" in quoted-field");
      }
      if (at_line_end()) {
        out += '\n';
        end_line();
      } else {
        out += text_[at_++];
      }
    }
    return fail("extraneous or missing \" in quoted-field");
  }

  std::string_view text_;
  size_t at_ = 0, line_ = 1, start_line_ = 1;
  std::string fault_;
};

CallResult csv_decode(Arguments a, const FunctionHost&) {
  CsvReader reader(a[0].as_string());
  std::vector<std::string> header, record;
  if (!reader.next(header)) return call_error(reader.fault().empty() ? "missing header line" : reader.fault());
  Type::Attributes attributes;
  for (auto& name : header) {
    if (std::count(header.begin(), header.end(), name) > 1) return call_error(fmt::format("duplicate column name \"{}\"", name));
    attributes.emplace_back(name, Type::string());
  }
  Value::Elements rows;
  while (reader.next(record)) {
    if (record.size() != header.size()) {
      return call_error(fmt::format("CSV parse error on line {}: wrong number of fields", reader.start_line()));
    }
    Value::Entries row;
    for (size_t i = 0; i < header.size(); ++i) row.emplace_back(header[i], Value::string(record[i]));
    rows.push_back(Value::object(std::move(row)));
  }
  if (!reader.fault().empty()) return call_error(reader.fault());
  return Value::list(Type::object(std::move(attributes)), std::move(rows));
}

CallResult json_encode(Arguments a, const FunctionHost&) {
  auto text = to_json(a[0]);
  if (text && text->size() > kMaxResult) return call_error(kResultTooLarge);
  if (!text) return call_error(text.error());
  return text_value(std::move(*text));
}
CallResult json_decode(Arguments a, const FunctionHost&) {
  auto value = from_json(a[0].as_string());
  if (!value) return call_error(value.error());
  return std::move(*value);
}
CallResult yaml_encode(Arguments a, const FunctionHost&) {
  auto text = to_yaml(a[0]);
  if (text && text->size() > kMaxResult) return call_error(kResultTooLarge);
  if (!text) return call_error(text.error());
  return text_value(std::move(*text));
}
CallResult yaml_decode(Arguments a, const FunctionHost&) {
  auto value = from_yaml(a[0].as_string());
  if (!value) return call_error(value.error());
  return std::move(*value);
}

CallResult url_encode(Arguments a, const FunctionHost&) {
  std::string out;
  for (char c : a[0].as_string()) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' || c == '~') out += c;
    else if (c == ' ') out += '+';
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text_value(std::move(out));
}

}  // namespace

std::expected<std::string, std::string> to_json(const Value& value) {
  std::string out;
  if (!write_json(value, out)) return std::unexpected("cannot serialize infinity as JSON");
  return out;
}

std::expected<Value, std::string> from_json(std::string_view text) { return JsonReader(text).run(); }
std::expected<std::string, std::string> from_json_string(std::string_view literal) { return JsonReader(literal).run_string(); }

void add_encoding_functions(FunctionList& out) {
  Type s = Type::string(), any;
  Parameter str{"str", s};
  out.push_back({"base64encode", {str}, {}, base64_encode_text});
  out.push_back({"base64decode", {str}, {}, base64_decode_text});
  out.push_back({"csvdecode", {str}, {}, csv_decode});
  out.push_back({"jsonencode", {{"val", any, true}}, {}, json_encode});
  out.push_back({"jsondecode", {str}, {}, json_decode});
  out.push_back({"yamlencode", {{"value", any, true}}, {}, yaml_encode});
  out.push_back({"yamldecode", {{"src", s}}, {}, yaml_decode});
  out.push_back({"urlencode", {str}, {}, url_encode});
}

}  // namespace drover::hcl
