#include "agent/config_decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "agent/config_keys.h"
#include "base/strings.h"
#include "hcl/hcl1.h"

namespace drover::agent {
namespace {

using hcl1::Item;
using hcl1::Node;
using Path = std::vector<std::string>;

std::string_view go_node(const Node& n) {
  if (n.is(hcl1::Kind::kObject)) return "*ast.ObjectType";
  return n.is(hcl1::Kind::kList) ? "*ast.ListType" : "*ast.LiteralType";
}

Error at(const Node& n, const Path& path, std::string_view what) {
  return invalid(fmt::format("At {}: root.{}: {}", n.pos.str(), join(path, "."), what));
}

// The item without its first `count` keys, as an object.
Node behind_keys(const Item& item, size_t count) {
  if (item.keys.size() == count) return item.value;
  Node n;
  n.kind = hcl1::Kind::kObject;
  n.pos = item.value.pos;
  Item rest = item;
  rest.keys.erase(rest.keys.begin(), rest.keys.begin() + static_cast<std::ptrdiff_t>(count));
  n.items.push_back(std::move(rest));
  return n;
}

// A plugin's configuration in the shape that the older language gives to free-form data: blocks are lists of objects,
// except directly inside a list.
Value free_form(const Node& n, bool in_list);

Value::Object free_object(const Node& n) {
  auto out = Value::Object::empty_map();
  for (auto& item : n.items) {
    auto& slot = out[item.keys[0].text];
    auto value = free_form(behind_keys(item, 1), false);
    auto* more = value.as_array();
    auto* have = slot.as_array();
    if (!item.assigned && have && more)
      for (auto& element : *more) have->push_back(std::move(element));
    else slot = std::move(value);
  }
  return out;
}

Value free_form(const Node& n, bool in_list) {
  switch (n.kind) {
    case hcl1::Kind::kString: return n.text;
    case hcl1::Kind::kBool: return n.boolean;
    case hcl1::Kind::kInt: {
      auto i = n.as_int();
      return i ? Value(*i) : Value(n.text);
    }
    case hcl1::Kind::kFloat: return n.as_double().value_or(0);
    case hcl1::Kind::kObject: {
      if (in_list) return free_object(n);
      return Value::Array{Value(free_object(n))};
    }
    case hcl1::Kind::kList: {
      auto list = Value::Array::empty_list();
      for (auto& e : n.list) list.push_back(free_form(e, true));
      return list;
    }
    case hcl1::Kind::kNull: break;
  }
  return {};
}

// Labels of the reference's duration errors that differ from the path.
std::string duration_label(const std::string& path) {
  if (path == "client.gc_interval") return "gc_interval";
  if (path == "acl.role_ttl") return "acl.policy_ttl";
  return path;
}

class Decoder {
 public:
  Status decode(const Node& root, Config& out) { return block(root, type_of<Config>(), &out, {}); }
  const std::string& bad_duration() const { return bad_duration_; }
  const std::string& unknown_keys() const { return unknown_keys_; }

 private:
  // Reads the items of one block; may be called again for the same object, as when a file repeats a block.
  Status block(const Node& node, const TypeInfo& type, void* object, const Path& path) {
    if (node.is(hcl1::Kind::kNull)) return {};
    if (node.is(hcl1::Kind::kList)) {  // JSON: a list of blocks
      for (auto& e : node.list) DROVER_CHECK(block(e, type, object, path));
      return {};
    }
    if (!node.is(hcl1::Kind::kObject)) return at(node, path, fmt::format("not an object type for struct ({})", go_node(node)));
    auto& rules = block_of(type);
    std::vector<std::string> unknown;
    for (auto& item : node.items) {
      auto* key = rules.find(item.keys[0].text);
      if (!key) {
        if (std::find(unknown.begin(), unknown.end(), item.keys[0].text) == unknown.end()) unknown.push_back(item.keys[0].text);
        continue;
      }
      if (key->field.empty()) continue;
      auto* field = type.find(key->field);
      DROVER_ASSERT(field, "the table names fields that exist");
      auto inner = path;
      inner.emplace_back(key->key);
      DROVER_CHECK(value(behind_keys(item, 1), field->type(), field->in(object), inner));
    }
    if (rules.strict && !unknown.empty() && unknown_keys_.empty()) note_unknown(std::move(unknown), path);
    return {};
  }

  // "unexpected keys a, b"; within a block the block's name first, the innermost first of all.
  void note_unknown(std::vector<std::string> keys, Path path) {
    std::sort(keys.begin(), keys.end());
    std::reverse(path.begin(), path.end());
    unknown_keys_ = fmt::format("{}{}unexpected keys {}", join(path, "."), path.empty() ? "" : " ", join(keys, ", "));
  }

  Status value(const Node& node, const TypeInfo& type, void* p, const Path& path) {
    if (node.is(hcl1::Kind::kNull)) return {};
    switch (type.kind) {
      case Kind::kStruct: return block(node, type, p, path);
      case Kind::kPointer: {
        auto& pointee = type.element();
        void* inside = type.is_nil(p) ? type.add(p, "") : const_cast<void*>(type.at(p, 0));
        return value(node, pointee, inside, path);
      }
      case Kind::kList:
        return type.element().kind == Kind::kStruct ? labelled(node, type, p, path) : strings(node, p, path);
      case Kind::kMap: return map(node, type, p, path);
      default: return scalar(node, type, p, path);
    }
  }

  Status strings(const Node& node, void* p, const Path& path) {
    auto list = node.as_strings();
    if (!list) return at(node, path, fmt::format("unknown type for string {}", go_node(node)));
    *static_cast<List<std::string>*>(p) = std::move(*list);
    return {};
  }

  // Blocks with a name: `plugin "docker" { }`. A name that comes again goes on filling the same element.
  Status labelled(const Node& node, const TypeInfo& type, void* p, const Path& path) {
    if (node.is(hcl1::Kind::kList)) {
      for (auto& e : node.list) DROVER_CHECK(labelled(e, type, p, path));
      return {};
    }
    if (!node.is(hcl1::Kind::kObject)) return at(node, path, fmt::format("not an object type for struct ({})", go_node(node)));
    auto& element = type.element();
    auto* name = element.find("Name");
    DROVER_ASSERT(name, "labelled blocks have a name");
    for (auto& item : node.items) {
      auto& label = item.keys[0].text;
      void* object = nullptr;
      for (size_t i = 0; i < type.count(p); ++i) {
        auto* e = const_cast<void*>(type.at(p, i));
        if (*static_cast<std::string*>(name->in(e)) == label) object = e;
      }
      if (!object) {
        object = type.add(p, "");
        *static_cast<std::string*>(name->in(object)) = label;
      }
      DROVER_CHECK(block(behind_keys(item, 1), element, object, path));
    }
    return {};
  }

  Status map(const Node& node, const TypeInfo& type, void* p, const Path& path) {
    if (node.is(hcl1::Kind::kList)) {
      for (auto& e : node.list) DROVER_CHECK(map(e, type, p, path));
      return {};
    }
    if (!node.is(hcl1::Kind::kObject)) return at(node, path, fmt::format("not an object type for map ({})", go_node(node)));
    if (type.count(p) == 0) type.make_empty(p);
    if (type.element().kind == Kind::kValue) {
      auto& out = *static_cast<Map<Value>*>(p);
      for (auto& [key, v] : free_object(node)) out.set(key, v);
      return {};
    }
    auto& out = *static_cast<Map<std::string>*>(p);
    for (auto& item : node.items) {
      auto text = item.keys.size() == 1 ? item.value.as_string() : std::nullopt;
      auto inner = path;
      inner.push_back(item.keys[0].text);
      if (!text) return at(item.value, inner, fmt::format("unknown type for string {}", go_node(behind_keys(item, 1))));
      out.set(item.keys[0].text, std::move(*text));
    }
    return {};
  }

  Status scalar(const Node& node, const TypeInfo& type, void* p, const Path& path) {
    bool text_field = type.kind == Kind::kString || type.kind == Kind::kDuration;
    if (!node.is_scalar())
      return at(node, path, fmt::format("unknown type {}{}", text_field ? "for string " : "", go_node(node)));
    switch (type.kind) {
      case Kind::kBool:
        if (auto b = node.as_bool()) return *static_cast<bool*>(p) = *b, Status{};
        return at(node, path, "unknown value for boolean: " + go_quote(node.text));
      case Kind::kInt:
        if (auto i = node.as_int()) return *static_cast<int64_t*>(p) = *i, Status{};
        return at(node, path, fmt::format("strconv.ParseInt: parsing {}: invalid syntax", go_quote(node.text)));
      case Kind::kFloat:
        if (auto d = node.as_double()) return *static_cast<double*>(p) = *d, Status{};
        return at(node, path, fmt::format("strconv.ParseFloat: parsing {}: invalid syntax", go_quote(node.text)));
      case Kind::kString: *static_cast<std::string*>(p) = node.as_string().value_or(""); return {};
      case Kind::kDuration: {
        auto text = node.as_string().value_or("");
        auto d = text.empty() ? Result<Duration>(Duration{0}) : parse_duration(text);
        if (d) *static_cast<Duration*>(p) = *d;
        else if (bad_duration_.empty())
          bad_duration_ = fmt::format("{} can't parse time duration {}", duration_label(join(path, ".")), text);
        return {};
      }
      default: DROVER_ASSERT(false, "configuration fields are of these kinds"); return {};
    }
  }

  std::string bad_duration_, unknown_keys_;
};

// Durations of the template block that are shown both as text and as value.
std::optional<Error> template_durations(Config& config) {
  if (!config.Client || !config.Client->TemplateConfig) return std::nullopt;
  auto& t = *config.Client->TemplateConfig;
  auto read = [](std::string_view label, const std::string& text, std::optional<Duration>& out) -> std::optional<Error> {
    if (text.empty()) return std::nullopt;
    auto d = parse_duration(text);
    if (!d) return invalid(fmt::format("client.template.{} can't parse time duration {}", label, text));
    out = *d;
    return std::nullopt;
  };
  if (auto e = read("max_stale", t.MaxStaleHCL, t.MaxStale)) return e;
  return read("block_query_wait", t.BlockQueryWaitTimeHCL, t.BlockQueryWaitTime);
}

}  // namespace

std::expected<Config, DecodeFailure> decode_config(std::string_view text) {
  auto root = hcl1::parse(text);
  if (!root) return std::unexpected(DecodeFailure{true, std::move(root).error()});
  Config config;
  Decoder decoder;
  if (auto decoded = decoder.decode(*root, config); !decoded)
    return std::unexpected(DecodeFailure{true, std::move(decoded).error()});
  if (!decoder.bad_duration().empty()) return std::unexpected(DecodeFailure{false, invalid(decoder.bad_duration())});
  if (auto e = template_durations(config)) return std::unexpected(DecodeFailure{false, std::move(*e)});
  if (!decoder.unknown_keys().empty()) return std::unexpected(DecodeFailure{false, invalid(decoder.unknown_keys())});
  return config;
}

}  // namespace drover::agent
