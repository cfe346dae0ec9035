// Bodies written in JSON: which property is an attribute and which a block depends on the schema.
#include <fmt/format.h>

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
    for (auto* p : properties(node_, "", diagnostics)) {
      if (HiddenNames::has(hidden_.attributes, p->name) || HiddenNames::has(hidden_.blocks, p->name)) continue;
      if (find_attribute(schema, p->name)) {
        add_attribute(*p, out.attributes, diagnostics);
      } else if (auto* wanted = find_block(schema, p->name)) {
        Block block;
        block.type = p->name;
        block.type_range = block.def_range = p->name_range;
        unpack(*p->value, *wanted, block, out.blocks, diagnostics);
      } else if (strict && p->name != "//") {
        auto names = attribute_names(schema);
        for (auto& t : block_types(schema)) names.push_back(t);
        diagnostics.add("Extraneous JSON object property",
                        fmt::format("No argument or block type is named \"{}\".{}", p->name, did_you_mean(p->name, names)), p->name_range);
      }
    }
    require_attributes(schema, out, diagnostics);
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
      if (p.name == "//" || HiddenNames::has(hidden_.attributes, p.name) || HiddenNames::has(hidden_.blocks, p.name)) continue;
      add_attribute(p, out, diagnostics);
    }
    return out;
  }

  Range missing_item_range() const override { return empty_at_start(node_.start()); }
  bool is_json() const override { return true; }

 private:
  // The properties of an object, or of all objects of an array.
  static std::vector<const JsonProperty*> properties(const JsonNode& node, std::string_view label, Diagnostics& diagnostics) {
    std::vector<const JsonProperty*> out;
    if (node.type == JsonNode::kNull) return out;
    if (node.type == JsonNode::kObject) {
      for (auto& p : node.properties) out.push_back(&p);
    } else if (node.type == JsonNode::kArray) {
      for (auto& item : node.items) {
        if (item->type != JsonNode::kObject) {
          diagnostics.add(kWrongType, label.empty() ? std::string("A JSON object is required here, to define arguments and blocks.")
                                                    : fmt::format("A JSON object is required here, to specify {} labels for this block.", label),
                          item->start());
          continue;
        }
        for (auto& p : item->properties) out.push_back(&p);
      }
    } else {
      diagnostics.add(kWrongType,
                      label.empty() ? std::string("Either a JSON object or JSON array of objects is required here, to define arguments and blocks.")
                                    : fmt::format("Either a JSON object or JSON array of objects is required here, to specify {} labels for this block.", label),
                      node.start());
    }
    return out;
  }

  static void add_attribute(const JsonProperty& p, std::vector<Attribute>& out, Diagnostics& diagnostics) {
    auto it = std::find_if(out.begin(), out.end(), [&](auto& a) { return a.name == p.name; });
    if (it != out.end()) {
      diagnostics.add("Duplicate argument", fmt::format("The argument \"{}\" was already set at {}.", p.name, Location(it->range).str()), p.name_range);
      return;
    }
    out.push_back({p.name, Expression(p.value.get()), range_between(p.name_range, p.value->range), p.name_range});
  }

  // Levels of labels, then the body or an array of bodies.
  void unpack(const JsonNode& node, const BlockSchema& wanted, const Block& so_far, std::vector<Block>& out, Diagnostics& diagnostics) const {
    if (so_far.labels.size() < wanted.labels.size()) {
      auto& label = wanted.labels[so_far.labels.size()];
      auto found = properties(node, label, diagnostics);
      if (found.empty() && (node.type == JsonNode::kObject || node.type == JsonNode::kArray)) {
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
      out.push_back(std::move(block));
    };
    switch (node.type) {
      case JsonNode::kNull: return;
      case JsonNode::kObject: return add(node);
      case JsonNode::kArray:
        for (auto& item : node.items) {
          if (item->type != JsonNode::kNull) add(*item);
        }
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
