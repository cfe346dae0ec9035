// What bodies of the two syntaxes and the dynamic expansion have in common; not for users.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "hcl/body.h"

namespace drover::hcl {

class Body::Impl : public std::enable_shared_from_this<Body::Impl> {
 public:
  virtual ~Impl() = default;
  // strict: what is neither in the schema nor hidden is an error.
  virtual Content content(const Schema& schema, bool strict, Diagnostics& diagnostics) const = 0;
  // The same body without what the schema names.
  virtual std::shared_ptr<const Impl> without(const Schema& schema) const = 0;
  virtual std::vector<Attribute> just_attributes(Diagnostics& diagnostics) const = 0;
  virtual Range missing_item_range() const = 0;
  virtual const BodyNode* native() const { return nullptr; }
  virtual std::shared_ptr<const Iteration> iteration() const { return nullptr; }
  virtual bool is_json() const { return false; }
};

// Names that an earlier look has taken.
struct HiddenNames {
  std::vector<std::string> attributes, blocks;
  HiddenNames with(const Schema& schema) const {
    HiddenNames out = *this;
    for (auto& a : schema.attributes) out.attributes.push_back(a.name);
    for (auto& b : schema.blocks) out.blocks.push_back(b.type);
    return out;
  }
  static bool has(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }
};

inline const AttributeSchema* find_attribute(const Schema& schema, std::string_view name) {
  auto it = std::find_if(schema.attributes.begin(), schema.attributes.end(), [&](auto& a) { return a.name == name; });
  return it == schema.attributes.end() ? nullptr : &*it;
}
inline const BlockSchema* find_block(const Schema& schema, std::string_view type) {
  auto it = std::find_if(schema.blocks.begin(), schema.blocks.end(), [&](auto& b) { return b.type == type; });
  return it == schema.blocks.end() ? nullptr : &*it;
}
std::vector<std::string> attribute_names(const Schema& schema);
std::vector<std::string> block_types(const Schema& schema);
void require_attributes(const Schema& schema, const Content& content, Diagnostics& diagnostics);

Body make_native_body(std::shared_ptr<const void> owner, const BodyNode& node);
struct JsonNode;
Body make_json_body(std::shared_ptr<const void> owner, const JsonNode& node);

}  // namespace drover::hcl
