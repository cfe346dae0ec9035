// Conversion of values between types, and the type that several values can share.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "hcl/value.h"

namespace drover::hcl {

// The value as `type`, or the reason it cannot be: `a number is required`, `list of string required`,
// `element 1: string required`, `attribute "b" is required`. Unknown and null convert to unknown and null.
// Dynamic in `type` means any; for elements of a collection, one type that all of them share.
std::expected<Value, std::string> convert(const Value& value, const Type& type);

// The type that all can be converted to without possible failure (numbers and bools become strings, tuples lists,
// objects maps); nullopt if there is none. No types give dynamic.
std::optional<Type> unify(const std::vector<Type>& types);

}  // namespace drover::hcl
