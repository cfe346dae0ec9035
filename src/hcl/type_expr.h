// Types as they are written: `list(string)`, `object({ a = number })`.
#pragma once

#include <optional>

#include "hcl/ast.h"
#include "hcl/diagnostic.h"

namespace drover::hcl {

// The type that `expr` names; nullopt after an error, which is reported. `any` is dynamic where it is allowed.
std::optional<Type> parse_type(const Expr& expr, bool allow_any, Diagnostics& diagnostics);

// Says that a type was expected at `where`.
std::nullopt_t refuse_type(const Range& where, Diagnostics& diagnostics);

}  // namespace drover::hcl
