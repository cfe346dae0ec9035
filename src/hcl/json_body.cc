// Bodies written in JSON: which property is an attribute and which a block depends on the schema.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "hcl/body_impl.h"
#include "hcl/json_impl.h"

namespace drover::hcl {

namespace {

constexpr const char* kWrongType = "Incorrect JSON value type";

class JsonBody : public Body::Impl {
 public:
  JsonBody(std::shared_ptr<const void> owner, const JsonNode& node, HiddenNames hidden = {})
      : owner_(std::move(owner)), node_(node), hidden_(std::move(hidden)) {}

  Content content(const Schema& schema, bool strict, Diagnostics& diagnostics) const override {
    Content out;
    out.missing_item_range = missing_item_range();
    std::vector<std::string_view> used;
    for (auto* p : properties(node_, "", diagnostics)) {
      if (hidden(p->name)) continue;
      if (find_attribute(schema, p->name)) {
        add_attribute(*p, "Duplicate argument", out.attributes, diagnostics);
        used.push_back(p->name);
      } else if (auto* wanted = find_block(schema, p->name)) {
        Block block;
        block.type = p->name;
        block.type_range = p->name_range;
        unpack(*p->value, *wanted, block, out.blocks, diagnostics);
      }
    }
    require_attributes(schema, out, diagnostics);
    if (strict) refuse_others(schema, used, diagnostics);
    return out;
  }

  std::shared_ptr<const Impl> without(const Schema& schema) const override {
    return std::make_shared<JsonBody>(owner_, node_, hidden_.with(schema));
  }

  std::vector<Attribute> just_attributes(Diagnostics& diagnostics) const override {
    std::vector<Attribute> out;
    if (node_.type != JsonNode::kObject) {
      diagnostics.add(kWrongType, "A JSON object is required here, setting the arguments for this block.", node_.start());
      return out;
    }
    for (auto& p : node_.properties) {
      if (p.name == "//" || hidden(p.name)) continue;
      add_attribute(p, "Duplicate attribute definition", out, diagnostics);
    }
    return out;
  }

  // Of an object its closing brace.
  Range missing_item_range() const override {
    Range out = node_.start();
    if (node_.type != JsonNode::kObject) return out;
    out.start = out.end = node_.range.end;
    --out.start.column;
    --out.start.byte;
    return out;
  }
  bool is_json() const override { return true; }

 private:
  bool hidden(const std::string& name) const {
    return HiddenNames::has(hidden_.attributes, name) || HiddenNames::has(hidden_.blocks, name);
  }

  // Looks at all properties anew, so that what is of a wrong type is told twice. Attributes that are there are no
  // suggestions.
  void refuse_others(const Schema& schema, const std::vector<std::string_view>& used, Diagnostics& diagnostics) const {
    std::vector<std::string> names;
    for (auto& name : attribute_names(schema))
      if (!hidden(name) && std::find(used.begin(), used.end(), name) == used.end()) names.push_back(name);
    for (auto& type : block_types(schema)) names.push_back(type);
    for (auto* p : properties(node_, "", diagnostics)) {
      if (hidden(p->name) || p->name == "//" || find_attribute(schema, p->name) || find_block(schema, p->name)) continue;
      diagnostics.add("Extraneous JSON object property",
                      fmt::format("No argument or block type is named {}.{}", go_quote(p->name), did_you_mean(p->name, names)), p->name_range,
                      range_between(p->name_range, p->value->range));
    }
  }

  // The properties of an object, or of all objects of an array.
  static std::vector<const JsonProperty*> properties(const JsonNode& node, std::string_view label, Diagnostics& diagnostics) {
    std::vector<const JsonProperty*> out;
    if (node.type == JsonNode::kNull) return out;
    if (node.type == JsonNode::kObject) {
      for (auto& p : node.properties) out.push_back(&p);
    } else if (node.type == JsonNode::kArray) {
      for (auto& item : node.items) {
        if (item->type != JsonNode::kObject) {
          diagnostics.add(kWrongType, label.empty() ? std::string("A JSON object is required here, to define arguments and child blocks.")
                                                    : fmt::format("A JSON object is required here, to specify {} labels for this block.", label),
                          item->start());
          continue;
        }
        for (auto& p : item->properties) out.push_back(&p);
      }
    } else {
      diagnostics.add(kWrongType,
                      label.empty() ? std::string("Either a JSON object or JSON array of objects is required here, to define arguments and child blocks.")
                                    : fmt::format("Either a JSON object or JSON array of objects is required here, to specify {} labels for this block.", label),
                      node.start());
    }
    return out;
  }

  static void add_attribute(const JsonProperty& p, const char* duplicate, std::vector<Attribute>& out, Diagnostics& diagnostics) {
    auto it = std::find_if(out.begin(), out.end(), [&](auto& a) { return a.name == p.name; });
    if (it != out.end()) {
      diagnostics.add(duplicate, fmt::format("The argument \"{}\" was already set at {}.", p.name, Location(it->range).str()), p.name_range);
      return;
    }
    out.push_back({p.name, Expression(p.value.get()), range_between(p.name_range, p.value->range), p.name_range});
  }

  // Levels of labels, then the body or an array of bodies.
  void unpack(const JsonNode& node, const BlockSchema& wanted, const Block& so_far, std::vector<Block>& out, Diagnostics& diagnostics) const {
    if (so_far.labels.size() < wanted.labels.size()) {
      auto& label = wanted.labels[so_far.labels.size()];
      auto found = properties(node, label, diagnostics);
      if (found.empty()) {
        diagnostics.add("Missing block label",
                        fmt::format("At least one object property is required, whose name represents the {} block's {}.", wanted.type, label), node.start());
      }
      for (auto* p : found) {
        Block next = so_far;
        next.labels.push_back(p->name);
        next.label_ranges.push_back(p->name_range);
        unpack(*p->value, wanted, next, out, diagnostics);
      }
      return;
    }
    auto add = [&](const JsonNode& body) {
      Block block = so_far;
      block.body = make_json_body(owner_, body);
      block.def_range = node.open;
      out.push_back(std::move(block));
    };
    switch (node.type) {
      case JsonNode::kNull: return;
      case JsonNode::kObject: return add(node);
      case JsonNode::kArray:
        for (auto& item : node.items) add(*item);
        return;
      default:
        diagnostics.add(kWrongType, "Either a JSON object or a JSON array is required, representing the contents of one or more "
                        "\"" + wanted.type + "\" blocks.", node.start());
    }
  }

  std::shared_ptr<const void> owner_;
  const JsonNode& node_;
  HiddenNames hidden_;
};

}  // namespace

Body make_json_body(std::shared_ptr<const void> owner, const JsonNode& node) {
  return Body(std::make_shared<JsonBody>(std::move(owner), node));
}

}  // namespace drover::hcl
