// What blocks of a job file may hold, as tables: names in the file beside the fields of the API's structs.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "codec/type_info.h"
#include "hcl/body.h"

namespace drover::jobspec {

class Decoder;
struct Spec;

enum class Shape : unsigned char {
  kAttribute,
  kBlock,      // at most one
  kBlocks,     // a list of them
  kNamed,      // a map of them by label; of equal labels the last counts
  kMap,        // a block whose attributes are a map of text
  kListMap,    // a block whose attributes are a map of lists of text
  kOpaque,     // a block of any shape (driver config)
};

struct Member {
  std::string_view name;
  std::string_view field;
  Shape shape = Shape::kAttribute;
  const Spec* (*spec)() = nullptr;  // of nested blocks
};

// Decodes a block in its own way; null: by the members.
using CustomDecode = void (*)(const Spec& spec, const hcl::Block& block, void* object, Decoder& decoder);

struct Spec {
  struct Entry {
    Member member;
    const FieldInfo* field;
  };

  Spec(const TypeInfo& struct_type, std::vector<Member> members, CustomDecode custom_decode = nullptr);
  // Blocks of this kind have one label, which goes into that field (if there is one); messages call it `name`.
  Spec& labelled(std::string_view label_field_name, std::string_view name);

  Spec& require(std::string_view attribute);
  const Entry* find(std::string_view name) const;

  const TypeInfo& type;
  std::vector<Entry> entries;
  hcl::Schema schema;
  CustomDecode custom = nullptr;
  const FieldInfo* label_field = nullptr;
  std::optional<std::string_view> label_name;
};

const Spec* job_spec();
const Spec* group_spec();
const Spec* task_spec();
const Spec* vault_spec();
const Spec* group_scaling_spec();
const Spec* task_scaling_spec();

}  // namespace drover::jobspec
