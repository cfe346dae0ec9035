// YAML in and out for yamldecode and yamlencode, on libyaml.
#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "base/strings.h"
#include "base/time.h"
#include "hcl/function_impl.h"
#include "hcl/parser.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

// Aliases can multiply a short text; a result stops at this many nodes.
constexpr size_t kMaxNodes = 100'000;

std::string_view view(const yaml_char_t* text) { return text ? reinterpret_cast<const char*>(text) : ""; }

bool all_digits(std::string_view t, int base) {
  return !t.empty() && std::all_of(t.begin(), t.end(), [&](char c) {
    return base == 16 ? std::isxdigit(static_cast<unsigned char>(c)) != 0 : c >= '0' && c < '0' + base;
  });
}

std::optional<Value> as_number(std::string_view t) {
  std::string_view body = t;
  bool negative = body.starts_with('-');
  if (negative || body.starts_with('+')) body.remove_prefix(1);
  auto lower = to_lower(body);
  if (lower == ".inf" && (body == ".inf" || body == ".Inf" || body == ".INF")) return Value::number(Number::infinity(negative));
  for (auto [prefix, base] : {std::pair{"0x", 16}, std::pair{"0o", 8}}) {
    if (body.starts_with(prefix) && all_digits(body.substr(2), base)) {
      auto n = Number::parse_integer(body.substr(2), base);
      if (n) return Value::number(negative ? -*n : *n);
    }
  }
  if (body.empty() || !(std::isdigit(static_cast<unsigned char>(body[0])) || (body[0] == '.' && body.size() > 1))) return std::nullopt;
  auto n = Number::parse(t);
  if (!n) return std::nullopt;
  return Value::number(*n);
}

std::optional<Value> as_bool(std::string_view t) {
  static constexpr std::string_view kTrue[] = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
  static constexpr std::string_view kFalse[] = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
  if (std::find(std::begin(kTrue), std::end(kTrue), t) != std::end(kTrue)) return Value::boolean(true);
  if (std::find(std::begin(kFalse), std::end(kFalse), t) != std::end(kFalse)) return Value::boolean(false);
  return std::nullopt;
}

bool is_null_word(std::string_view t) { return t.empty() || t == "~" || t == "null" || t == "Null" || t == "NULL"; }

// `2031-03-09`, `2031-03-09T07:05:01Z`, also with a blank for the T and single digits.
std::optional<Value> as_timestamp(std::string_view t) {
  if (t.size() < 8 || !all_digits(t.substr(0, 4), 10) || t[4] != '-') return std::nullopt;
  size_t end = t.find_first_of("Tt ");
  auto date = t.substr(0, end);
  auto parts = split(date, '-');
  if (parts.size() != 3) return std::nullopt;
  for (size_t i : {1u, 2u}) {
    if (!all_digits(parts[i], 10) || parts[i].size() > 2) return std::nullopt;
    if (parts[i].size() == 1) parts[i].insert(0, "0");
  }
  std::string whole = parts[0] + "-" + parts[1] + "-" + parts[2] + "T";
  if (end == std::string_view::npos) {
    whole += "00:00:00Z";
  } else {
    auto clock = trim_space(t.substr(end + 1));
    if (clock.size() > 1 && clock[1] == ':') whole += '0';
    whole += clock;
    if (clock.find_first_of("Z+-") == std::string_view::npos) whole += 'Z';
    whole.erase(std::remove(whole.begin(), whole.end(), ' '), whole.end());
  }
  if (!parse_rfc3339(whole)) return std::nullopt;
  return Value::string(whole);
}

class Decoder {
 public:
  explicit Decoder(std::string_view text) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Decoder() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }

  std::expected<Value, std::string> run() {
    Value value;
    if (document(value)) return value;
    return std::unexpected(error_);
  }

 private:
  bool fail(std::string why) {
    if (error_.empty()) error_ = std::move(why);
    return false;
  }
  bool advance() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_)) return true;
    size_t line = 1, column = 1;
    if (parser_.error == YAML_SCANNER_ERROR || parser_.error == YAML_READER_ERROR) {
      line = parser_.problem_mark.line + 1;
      column = parser_.problem_mark.column + 1;
    }
    return fail(fmt::format("on line {}, column {}: {}", line, column, parser_.problem ? parser_.problem : "invalid document"));
  }
  bool document(Value& out) {
    if (!advance() || !advance()) return false;
    if (event_.type != YAML_DOCUMENT_START_EVENT) return fail("on line 1, column 1: missing start of document");
    if (!advance() || !node(out, 0) || !advance()) return false;
    if (event_.type != YAML_DOCUMENT_END_EVENT || !advance()) return fail("on line 1, column 1: unexpected extra content after value");
    if (event_.type != YAML_STREAM_END_EVENT) return fail("on line 1, column 1: unexpected extra content after value");
    return true;
  }

  // The node that the current event begins.
  bool node(Value& out, int depth) {
    if (depth > kMaxDepth) return fail("the document is nested too deeply");
    if (++nodes_ > kMaxNodes) return fail("the document has too many nodes");
    switch (event_.type) {
      case YAML_SCALAR_EVENT: {
        std::string anchor(view(event_.data.scalar.anchor));
        if (!scalar(out)) return false;
        return keep(anchor, out, 1);
      }
      case YAML_SEQUENCE_START_EVENT: return sequence(out, depth);
      case YAML_MAPPING_START_EVENT: return mapping(out, depth);
      case YAML_ALIAS_EVENT: {
        std::string name(view(event_.data.alias.anchor));
        auto it = anchors_.find(name);
        if (it == anchors_.end()) return fail(fmt::format("reference to undefined anchor \"{}\"", name));
        if (!it->second.complete) return fail(fmt::format("cannot refer to anchor \"{}\" from inside its own definition", name));
        nodes_ += it->second.nodes;
        out = it->second.value;
        return true;
      }
      default: return fail("on line 1, column 1: unexpected event");
    }
  }
  bool keep(const std::string& anchor, const Value& value, size_t nodes) {
    if (!anchor.empty()) anchors_[anchor] = {value, nodes, true};
    return true;
  }

  bool scalar(Value& out) {
    auto& s = event_.data.scalar;
    std::string text(reinterpret_cast<const char*>(s.value), s.length);
    auto tag = view(s.tag);
    auto refuse = [&](const char* what) { return fail(fmt::format("cannot parse {} as {}", json_quote(text), what)); };
    auto take = [&](std::optional<Value> v, const char* what) {
      if (!v) return refuse(what);
      out = std::move(*v);
      return true;
    };
    if (tag == YAML_STR_TAG || s.style != YAML_PLAIN_SCALAR_STYLE) return out = Value::string(text), true;
    if (tag == YAML_INT_TAG || tag == YAML_FLOAT_TAG) return take(as_number(text), tag == YAML_INT_TAG ? "!!int" : "!!float");
    if (tag == YAML_BOOL_TAG) return take(as_bool(text), "!!bool");
    if (tag == YAML_NULL_TAG) return take(is_null_word(text) ? std::optional(Value::null()) : std::nullopt, "!!null");
    if (tag == YAML_TIMESTAMP_TAG) return take(as_timestamp(text), "!!timestamp");
    if (tag == "tag:yaml.org,2002:binary") return out = Value::string(replace_all(text, "\n", "")), true;
    if (!tag.empty()) return fail(fmt::format("unsupported tag {}", json_quote(tag)));
    if (is_null_word(text)) out = Value::null();
    else if (auto b = as_bool(text)) out = *b;
    else if (auto n = as_number(text)) out = *n;
    else if (auto t = as_timestamp(text)) out = *t;
    else out = Value::string(text);
    return true;
  }

  bool sequence(Value& out, int depth) {
    std::string anchor(view(event_.data.sequence_start.anchor));
    if (!anchor.empty()) anchors_[anchor] = {};
    size_t before = nodes_;
    Value::Elements items;
    while (true) {
      if (!advance()) return false;
      if (event_.type == YAML_SEQUENCE_END_EVENT) break;
      Value item;
      if (!node(item, depth + 1)) return false;
      items.push_back(std::move(item));
    }
    out = Value::tuple(std::move(items));
    return keep(anchor, out, nodes_ - before + 1);
  }

  bool key_text(const Value& key, std::string& out) {
    if (key.is_null()) return fail("mapping key cannot be null");
    if (!key.type().is_primitive()) return fail("mapping key must be a string, a number or a bool");
    out = display(key);
    return true;
  }

  bool merge_in(const Value& value, Value::Entries& merged) {
    if (value.is_usable() && value.is_mapping()) {
      // Earlier merges win over later ones, own keys over all.
      merged.insert(merged.begin(), value.entries().begin(), value.entries().end());
      return true;
    }
    if (value.is_usable() && value.is(Kind::kTuple)) {
      for (auto& v : value.elements()) {
        if (!v.is_usable() || !v.is_mapping() || !merge_in(v, merged)) return fail("only a mapping can be merged");
      }
      return true;
    }
    return fail("only a mapping can be merged");
  }

  bool mapping(Value& out, int depth) {
    std::string anchor(view(event_.data.mapping_start.anchor));
    if (!anchor.empty()) anchors_[anchor] = {};
    size_t before = nodes_;
    Value::Entries own, merged;
    while (true) {
      if (!advance()) return false;
      if (event_.type == YAML_MAPPING_END_EVENT) break;
      bool merge = event_.type == YAML_SCALAR_EVENT && event_.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                   view(event_.data.scalar.value) == "<<";
      Value key, value;
      std::string name;
      if (!node(key, depth + 1)) return false;
      if (!merge && !key_text(key, name)) return false;
      if (!advance() || !node(value, depth + 1)) return false;
      if (merge) {
        if (!merge_in(value, merged)) return false;
      } else {
        own.emplace_back(nfc(std::move(name)), std::move(value));
      }
    }
    merged.insert(merged.end(), own.begin(), own.end());
    out = Value::object(std::move(merged));
    return keep(anchor, out, nodes_ - before + 1);
  }

  struct Anchor {
    Value value;
    size_t nodes = 0;
    bool complete = false;
  };
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  std::map<std::string, Anchor> anchors_;
  size_t nodes_ = 0;
  std::string error_;
};

class Encoder {
 public:
  Encoder() {
    yaml_emitter_initialize(&emitter_);
    yaml_emitter_set_output(&emitter_, [](void* to, unsigned char* text, size_t size) {
      static_cast<std::string*>(to)->append(reinterpret_cast<char*>(text), size);
      return 1;
    }, &out_);
    yaml_emitter_set_unicode(&emitter_, 1);
    yaml_emitter_set_width(&emitter_, -1);
  }
  ~Encoder() { yaml_emitter_delete(&emitter_); }

  std::expected<std::string, std::string> run(const Value& value) {
    yaml_event_t e;
    bool ok = yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING) && emit(e) &&
              yaml_document_start_event_initialize(&e, nullptr, nullptr, nullptr, 1) && emit(e) && node(value) &&
              yaml_document_end_event_initialize(&e, 1) && emit(e) && yaml_stream_end_event_initialize(&e) && emit(e);
    if (!ok) return std::unexpected(emitter_.problem ? emitter_.problem : "cannot write the value as YAML");
    // A plain scalar alone leaves the document open.
    bool plain = value.is_null() || value.is(Kind::kNumber) || value.is(Kind::kBool);
    if (plain && !out_.ends_with("...\n")) out_ += "...\n";
    return std::move(out_);
  }

 private:
  bool emit(yaml_event_t& e) { return yaml_emitter_emit(&emitter_, &e) != 0; }
  bool scalar(std::string_view text, yaml_scalar_style_t style) {
    yaml_event_t e;
    auto* bytes = reinterpret_cast<yaml_char_t*>(const_cast<char*>(text.data()));
    bool quoted = style != YAML_PLAIN_SCALAR_STYLE;
    return yaml_scalar_event_initialize(&e, nullptr, nullptr, bytes, static_cast<int>(text.size()), !quoted, quoted, style) && emit(e);
  }
  bool text(const std::string& t) {
    bool lines = t.find('\n') != std::string::npos;
    return scalar(t, lines ? YAML_LITERAL_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
  }
  bool node(const Value& value) {
    if (value.is_null()) return scalar("null", YAML_PLAIN_SCALAR_STYLE);
    yaml_event_t e;
    switch (value.kind()) {
      case Kind::kString: return text(value.as_string());
      case Kind::kBool: return scalar(value.as_bool() ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
      case Kind::kNumber: {
        auto& n = value.as_number();
        return scalar(n.is_infinite() ? (n.sign() < 0 ? "-.Inf" : "+.Inf") : n.str(), YAML_PLAIN_SCALAR_STYLE);
      }
      case Kind::kMap: case Kind::kObject: {
        auto style = value.size() == 0 ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE;
        if (!yaml_mapping_start_event_initialize(&e, nullptr, nullptr, 1, style) || !emit(e)) return false;
        for (auto& [key, v] : value.entries()) {
          if (!scalar(key, YAML_DOUBLE_QUOTED_SCALAR_STYLE) || !node(v)) return false;
        }
        return yaml_mapping_end_event_initialize(&e) && emit(e);
      }
      default: {
        auto style = value.size() == 0 ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
        if (!yaml_sequence_start_event_initialize(&e, nullptr, nullptr, 1, style) || !emit(e)) return false;
        for (auto& v : value.elements()) {
          if (!node(v)) return false;
        }
        return yaml_sequence_end_event_initialize(&e) && emit(e);
      }
    }
  }

  yaml_emitter_t emitter_{};
  std::string out_;
};

}  // namespace

std::expected<Value, std::string> from_yaml(std::string_view text) { return Decoder(text).run(); }
std::expected<std::string, std::string> to_yaml(const Value& value) { return Encoder().run(value); }

}  // namespace drover::hcl
