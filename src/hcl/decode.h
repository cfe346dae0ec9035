// From expressions to plain C++ values, with the complaints the reference has for each mismatch:
// `Unsuitable value type; Unsuitable value: a number is required`.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hcl/body.h"

namespace drover::hcl {

// Where to evaluate and where to complain.
struct DecodeContext {
  const Scope* scope = nullptr;
  Diagnostics& diagnostics;
};

// `Unsuitable value type; Unsuitable value: WHY`, about the start of the expression.
void unsuitable(const Expression& expr, const std::string& why, Diagnostics& diagnostics);

// The value of `expr` as `type`, known all through; may be null. nullopt after an error.
std::optional<Value> decode_value(const Expression& expr, const Type& type, const DecodeContext& context);

// nullopt: an error was reported, or the value is null. A null value is an error unless `null_ok`.
std::optional<std::string> decode_string(const Expression& expr, const DecodeContext& context, bool null_ok = false);
std::optional<bool> decode_bool(const Expression& expr, const DecodeContext& context, bool null_ok = false);
// A whole number within the bounds: `value must be a whole number, between LOW and HIGH` (` inclusive` for
// unsigned kinds, whose lower bound is 0).
std::optional<int64_t> decode_int(const Expression& expr, const DecodeContext& context, bool null_ok = false,
                                  int64_t low = std::numeric_limits<int64_t>::min(),
                                  int64_t high = std::numeric_limits<int64_t>::max());
std::optional<uint64_t> decode_uint(const Expression& expr, const DecodeContext& context, bool null_ok = false,
                                    uint64_t high = std::numeric_limits<uint64_t>::max());
std::optional<double> decode_double(const Expression& expr, const DecodeContext& context, bool null_ok = false);
// Null elements are errors.
std::optional<std::vector<std::string>> decode_strings(const Expression& expr, const DecodeContext& context, bool null_ok = true);
std::optional<std::vector<std::pair<std::string, std::string>>> decode_string_map(const Expression& expr, const DecodeContext& context,
                                                                                  bool null_ok = true);

// As blocks described by a specification are checked: `Incorrect attribute value type; Inappropriate value for
// attribute "NAME": WHY.` about the whole expression. The value may be null.
std::optional<Value> decode_attribute(const Attribute& attribute, const Type& type, const DecodeContext& context);

}  // namespace drover::hcl
