// YAML in and out for yamldecode and yamlencode, on libyaml.
#include <fmt/format.h>
#include <re2/re2.h>
#include <yaml.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "base/strings.h"
#include "base/time.h"
#include "hcl/convert.h"
#include "hcl/function_impl.h"
#include "hcl/parser.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

// Aliases can multiply a short text; a result stops at this many nodes.
constexpr size_t kMaxNodes = 100'000;
constexpr std::string_view kBinaryTag = "tag:yaml.org,2002:binary";

std::string_view view(const yaml_char_t* text) { return text ? reinterpret_cast<const char*>(text) : ""; }

bool all_digits(std::string_view t, int base) {
  return !t.empty() && std::all_of(t.begin(), t.end(), [&](char c) {
    return base == 16 ? std::isxdigit(static_cast<unsigned char>(c)) != 0 : c >= '0' && c < '0' + base;
  });
}

std::optional<Value> as_infinity(std::string_view t) {
  bool negative = t.starts_with('-');
  auto body = t.substr(negative || t.starts_with('+') ? 1 : 0);
  if (body != ".inf" && body != ".Inf" && body != ".INF") return std::nullopt;
  return Value::number(Number::infinity(negative));
}

// Digits with `_` anywhere, octal with 0o, hexadecimal with 0x; or decimals.
bool looks_like_number(std::string_view t) {
  static const RE2 kNumber(R"([-+]?(|0o[0-7_]+|[0-9_]+|0x[0-9a-fA-F_]+)|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)");
  return RE2::FullMatch(t, kNumber);
}

std::optional<Value> as_number(std::string_view t) {
  auto plain = replace_all(std::string(t), "_", "");
  auto digits = plain.ends_with('.') ? plain.substr(0, plain.size() - 1) : plain;
  if (auto n = Number::parse(digits)) return Value::number(*n);
  std::string_view body = plain;
  bool negative = body.starts_with('-');
  if (negative || body.starts_with('+')) body.remove_prefix(1);
  for (auto [prefix, base] : {std::pair{"0x", 16}, std::pair{"0X", 16}, std::pair{"0o", 8}, std::pair{"0O", 8}, std::pair{"0b", 2}, std::pair{"0B", 2}}) {
    if (!body.starts_with(prefix) || !all_digits(body.substr(2), base)) continue;
    if (auto n = Number::parse_integer(body.substr(2), base)) return Value::number(negative ? -*n : *n);
  }
  return std::nullopt;
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
    // Lines count from zero, and the first is not mentioned; in scanner errors they count from one.
    std::string why = parser_.problem && *parser_.problem ? parser_.problem : "invalid YAML syntax";
    auto& problem = parser_.problem_mark;
    auto& context = parser_.context_mark;
    if (problem.line != 0) {
      bool scanner = parser_.error == YAML_SCANNER_ERROR;
      return fail(fmt::format("on line {}, column {}: {}", problem.line + (scanner ? 1 : 0), (scanner ? 0 : problem.column) + 1, why));
    }
    if (context.line != 0) return fail(fmt::format("on line {}, column {}: {}", context.line, context.column + 1, why));
    return fail(why);
  }
  // The same for what is wrong with an event at `mark`.
  bool fail_at(const yaml_mark_t& mark, std::string why) {
    if (mark.line == 0) return fail(std::move(why));
    return fail(fmt::format("on line {}, column {}: {}", mark.line, mark.column + 1, why));
  }
  bool fail_here(std::string why) { return fail_at(event_.start_mark, std::move(why)); }
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
        if (it == anchors_.end()) return fail_here(fmt::format("reference to undefined anchor \"{}\"", name));
        if (!it->second.complete) return fail_here(fmt::format("cannot refer to anchor \"{}\" from inside its own definition", name));
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

  // The value of the present scalar. `<<` without a tag is no value but asks for a merge.
  bool resolve(Value& out, bool& merge, std::string& why) {
    auto& s = event_.data.scalar;
    std::string text(reinterpret_cast<const char*>(s.value), s.length);
    auto tag = view(s.tag);
    static constexpr std::string_view kKnown[] = {"", YAML_STR_TAG, YAML_BOOL_TAG, YAML_INT_TAG, YAML_FLOAT_TAG, YAML_NULL_TAG,
                                                  YAML_TIMESTAMP_TAG, kBinaryTag};
    auto refuse = [&](std::string_view more = "") {
      why = fmt::format("cannot parse {} as {}{}", json_quote(text), tag, more);
      return false;
    };
    auto give = [&](Value v) {
      out = std::move(v);
      return true;
    };
    if (std::find(std::begin(kKnown), std::end(kKnown), tag) == std::end(kKnown)) {
      why = fmt::format("unsupported tag {}", json_quote(tag));
      return false;
    }
    if (tag == YAML_STR_TAG) return give(Value::string(text));
    if (tag == kBinaryTag) return base64_decode(replace_all(text, "\n", "")) ? give(Value::string(text)) : refuse(": not valid base64");
    // The first character tells whether a text can be anything else.
    bool numeric = !text.empty() && std::string_view("+-0123456789").find(text[0]) != std::string_view::npos;
    bool special = numeric || text.empty() || std::string_view(".yYnNtTfFoO~").find(text[0]) != std::string_view::npos;
    bool number = tag == YAML_INT_TAG || tag == YAML_FLOAT_TAG;
    if (special) {
      if (s.style == YAML_SINGLE_QUOTED_SCALAR_STYLE || s.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE) return give(Value::string(text));
      if (is_null_word(text)) return give(Value::null());
      if (auto v = as_bool(text)) return give(*v);
      if (auto v = as_infinity(text)) return give(*v);
      if (tag.empty() && (text == ".nan" || text == ".NaN" || text == ".NAN")) {
        why = "floating point NaN is not supported";
        return false;
      }
      if (text.starts_with('.')) {
        if (auto n = Number::parse(text)) return give(Value::number(*n));
      }
      if (numeric) {
        if (tag.empty() || tag == YAML_TIMESTAMP_TAG) {
          if (auto t = as_timestamp(text)) return give(*t);
        }
        if (looks_like_number(text)) {
          tag = YAML_INT_TAG;
          number = true;
        }
      }
    }
    if (tag.empty() && text == "<<") {
      merge = true;
      return give(Value::string(text));
    }
    if (tag.empty()) return give(Value::string(text));
    if (tag == YAML_NULL_TAG) return give(Value::null());
    auto v = number ? as_number(text) : tag == YAML_BOOL_TAG ? as_bool(text) : as_timestamp(text);
    return v ? give(*v) : refuse();
  }

  bool scalar(Value& out) {
    bool merge = false;
    std::string why;
    if (!resolve(out, merge, why)) return fail_here(std::move(why));
    // A block of text is text, whatever it resolves to.
    auto& s = event_.data.scalar;
    bool block = s.style == YAML_LITERAL_SCALAR_STYLE || s.style == YAML_FOLDED_SCALAR_STYLE;
    if (block && view(s.tag).empty()) {
      if (auto converted = convert(out, Type::string())) out = *converted;
    }
    return true;
  }

  bool sequence(Value& out, int depth) {
    std::string anchor(view(event_.data.sequence_start.anchor));
    if (auto tag = view(event_.data.sequence_start.tag); !tag.empty() && tag != YAML_SEQ_TAG)
      return fail_here(fmt::format("can't interpret sequence as {}", tag));
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

  // A key, or `merge` turned true.
  bool mapping_key(std::string& out, bool& merge) {
    if (event_.type != YAML_SCALAR_EVENT) return fail_here("only strings are allowed as mapping keys");
    Value key;
    std::string why;
    if (!resolve(key, merge, why)) return fail(std::move(why));
    if (key.is_null()) return fail_here("mapping key cannot be null");
    out = nfc(display(key));
    return true;
  }

  // Of equal keys the last counts, merged ones included.
  bool mapping(Value& out, int depth) {
    std::string anchor(view(event_.data.mapping_start.anchor));
    if (auto tag = view(event_.data.mapping_start.tag); !tag.empty() && tag != YAML_MAP_TAG)
      return fail_here(fmt::format("can't interpret mapping as {}", tag));
    if (!anchor.empty()) anchors_[anchor] = {};
    size_t before = nodes_;
    Value::Entries entries;
    while (true) {
      if (!advance()) return false;
      if (event_.type == YAML_MAPPING_END_EVENT) break;
      bool merge = false;
      std::string name;
      auto mark = event_.start_mark;
      ++nodes_;
      if (!mapping_key(name, merge)) return false;
      Value value;
      if (!advance() || !node(value, depth + 1)) return false;
      if (!merge) {
        entries.emplace_back(std::move(name), std::move(value));
      } else if (value.is_usable() && value.is_mapping()) {
        entries.insert(entries.end(), value.entries().begin(), value.entries().end());
      } else {
        return fail_at(mark, fmt::format("cannot merge {} into mapping", value.type().name()));
      }
    }
    out = Value::object(std::move(entries));
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
