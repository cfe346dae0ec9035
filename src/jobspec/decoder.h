// Decodes bodies by the tables of schema.h. Errors go to the diagnostics; what could be decoded is decoded.
#pragma once

#include <string>
#include <vector>

#include "hcl/decode.h"
#include "jobspec/schema.h"
#include "model/api_job.h"

namespace drover::jobspec {

class Decoder {
 public:
  Decoder(const hcl::Scope& scope, hcl::Diagnostics& diagnostics) : scope_(scope), diagnostics_(diagnostics) {}

  hcl::DecodeContext context() { return {&scope_, diagnostics_}; }
  hcl::Diagnostics& diagnostics() { return diagnostics_; }
  // Of driver configs and their like: they count only when there is nothing else to complain about.
  const hcl::Diagnostics& opaque_diagnostics() const { return opaque_diagnostics_; }

  // Every attribute and block of the body into the struct at `object`.
  void body(const Spec& spec, const hcl::Body& body, void* object);
  // One block, with its label.
  void block(const Spec& spec, const hcl::Block& block, void* object);
  void attribute(const hcl::Attribute& attribute, const FieldInfo& field, void* object);

  void string_map(const hcl::Body& body, Map<std::string>& out);
  void list_map(const hcl::Body& body, Map<List<std::string>>& out);
  void opaque(const hcl::Body& body, Map<drover::Value>& out);

  // `meta = {...}`: the attribute is taken from `body` if it is there, and `out` set; a block of the same name beside
  // it is an error. False when there is no such attribute.
  bool map_attribute(hcl::Body& body, const std::string& name, Map<std::string>& out);

 private:
  void blocks(const Spec::Entry& entry, const std::vector<const hcl::Block*>& blocks, void* object);
  void value(const hcl::Expression& expr, const TypeInfo& type, void* object, bool null_ok);
  void duration(const hcl::Expression& expr, Duration& out);
  // Attributes of a body that has no blocks; blocks are told to be no value of the `wanted` type.
  std::vector<hcl::Attribute> plain_attributes(const hcl::Body& body, const hcl::Type& wanted);

  bool no_literal_object(const hcl::Attribute& attribute, const hcl::Body& body, const hcl::Type& wanted);
  // For what is wrong in there.
  void evaluate_all(const hcl::BodyNode& node, const hcl::Body& body);

  const hcl::Scope& scope_;
  hcl::Diagnostics& diagnostics_;
  hcl::Diagnostics opaque_diagnostics_;
};

// Blocks that have more to them than their members.
void decode_constraint(const Spec&, const hcl::Block& block, void* object, Decoder& decoder);
void decode_affinity(const Spec&, const hcl::Block& block, void* object, Decoder& decoder);
void decode_group(const Spec& spec, const hcl::Block& block, void* object, Decoder& decoder);
void decode_task(const Spec& spec, const hcl::Block& block, void* object, Decoder& decoder);
void decode_group_scaling(const Spec& spec, const hcl::Block& block, void* object, Decoder& decoder);

}  // namespace drover::jobspec
