// A type as the reference's messages about durations show it: the innards of its type system, printed by accident and
// matched by tests since.
#pragma once

#include <string>

#include "hcl/value.h"

namespace drover::jobspec {

// "{{{} %!s(cty.primitiveTypeKind=66)}}" for a bool.
std::string dump_type(const hcl::Type& type);

}  // namespace drover::jobspec
