// How the tables of schema_*.cc are written; not for others.
#pragma once

#include "jobspec/decoder.h"
#include "jobspec/schema.h"

namespace drover::jobspec {

using SpecGetter = const Spec* (*)();
inline Member block(std::string_view name, std::string_view field, SpecGetter spec) { return {name, field, Shape::kBlock, spec}; }
inline Member blocks(std::string_view name, std::string_view field, SpecGetter spec) { return {name, field, Shape::kBlocks, spec}; }
inline Member named(std::string_view name, std::string_view field, SpecGetter spec) { return {name, field, Shape::kNamed, spec}; }
inline Member block_map(std::string_view name, std::string_view field) { return {name, field, Shape::kMap}; }
inline Member list_map(std::string_view name, std::string_view field) { return {name, field, Shape::kListMap}; }
inline Member opaque(std::string_view name, std::string_view field) { return {name, field, Shape::kOpaque}; }

const Spec* constraint();
const Spec* affinity();
const Spec* service();
const Spec* resources();
const Spec* network_resource();
const Spec* log_config();

}  // namespace drover::jobspec
