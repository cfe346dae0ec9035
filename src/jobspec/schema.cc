#include "jobspec/schema.h"

#include <algorithm>

#include "base/assert.h"
#include "jobspec/schema_parts.h"

namespace drover::jobspec {

Spec::Spec(const TypeInfo& struct_type, std::vector<Member> members, CustomDecode custom_decode)
    : type(struct_type), custom(custom_decode) {
  for (auto& member : members) {
    auto* field = type.find(member.field);
    DROVER_ASSERT(field, "a member's field exists");
    entries.push_back({member, field});
    std::string name(member.name);
    if (member.shape == Shape::kAttribute) {
      schema.attributes.push_back({name});
      continue;
    }
    hcl::BlockSchema block{name, {}};
    if (member.spec && member.spec()->label_name) block.labels.emplace_back(*member.spec()->label_name);
    schema.blocks.push_back(std::move(block));
  }
  // Suggestions are made in this order.
  std::sort(schema.attributes.begin(), schema.attributes.end(), [](auto& a, auto& b) { return a.name < b.name; });
  std::sort(schema.blocks.begin(), schema.blocks.end(), [](auto& a, auto& b) { return a.type < b.type; });
}

Spec& Spec::labelled(std::string_view label_field_name, std::string_view name) {
  label_field = type.find(label_field_name);
  label_name = name;
  return *this;
}

Spec& Spec::require(std::string_view attribute) {
  for (auto& a : schema.attributes)
    if (a.name == attribute) a.required = true;
  return *this;
}

const Spec::Entry* Spec::find(std::string_view name) const {
  auto at = std::find_if(entries.begin(), entries.end(), [&](auto& e) { return e.member.name == name; });
  return at == entries.end() ? nullptr : &*at;
}

const Spec* constraint() {
  static const Spec spec(type_of<api::Constraint>(), {}, decode_constraint);
  return &spec;
}

const Spec* affinity() {
  static const Spec spec(type_of<api::Affinity>(), {}, decode_affinity);
  return &spec;
}

}  // namespace drover::jobspec
