#include "hcl/decode.h"

#include <fmt/format.h>

#include "hcl/convert.h"

namespace drover::hcl {

void unsuitable(const Expression& expr, const std::string& why, Diagnostics& diagnostics) {
  diagnostics.add("Unsuitable value type", "Unsuitable value: " + why, expr.start_range(), expr.range());
}

std::optional<Value> decode_value(const Expression& expr, const Type& type, const DecodeContext& context) {
  Value value = expr.value(context.scope, context.diagnostics);
  auto converted = convert(value, type);
  if (!converted) {
    unsuitable(expr, converted.error(), context.diagnostics);
    return std::nullopt;
  }
  if (!converted->is_wholly_known()) {
    unsuitable(expr, "value must be known", context.diagnostics);
    return std::nullopt;
  }
  return std::move(*converted);
}

namespace {

// The usable value, or nullopt with a complaint unless null is fine.
std::optional<Value> usable(const Expression& expr, const Type& type, const DecodeContext& context, bool null_ok) {
  auto value = decode_value(expr, type, context);
  if (!value || value->is_usable()) return value;
  if (!null_ok) unsuitable(expr, "null value is not allowed", context.diagnostics);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> decode_string(const Expression& expr, const DecodeContext& context, bool null_ok) {
  auto value = usable(expr, Type::string(), context, null_ok);
  if (!value) return std::nullopt;
  return value->as_string();
}

std::optional<bool> decode_bool(const Expression& expr, const DecodeContext& context, bool null_ok) {
  auto value = usable(expr, Type::boolean(), context, null_ok);
  if (!value) return std::nullopt;
  return value->as_bool();
}

std::optional<int64_t> decode_int(const Expression& expr, const DecodeContext& context, bool null_ok, int64_t low, int64_t high) {
  auto value = usable(expr, Type::number(), context, null_ok);
  if (!value) return std::nullopt;
  auto n = value->as_number().to_int64();
  if (n && *n >= low && *n <= high) return n;
  unsuitable(expr, fmt::format("value must be a whole number, between {} and {}", low, high), context.diagnostics);
  return std::nullopt;
}

std::optional<uint64_t> decode_uint(const Expression& expr, const DecodeContext& context, bool null_ok, uint64_t high) {
  auto value = usable(expr, Type::number(), context, null_ok);
  if (!value) return std::nullopt;
  auto n = value->as_number().to_uint64();
  if (n && *n <= high) return n;
  unsuitable(expr, fmt::format("value must be a whole number, between 0 and {} inclusive", high), context.diagnostics);
  return std::nullopt;
}

std::optional<double> decode_double(const Expression& expr, const DecodeContext& context, bool null_ok) {
  auto value = usable(expr, Type::number(), context, null_ok);
  if (!value) return std::nullopt;
  return value->as_number().to_double();
}

std::optional<std::vector<std::string>> decode_strings(const Expression& expr, const DecodeContext& context, bool null_ok) {
  auto value = usable(expr, Type::list(Type::string()), context, null_ok);
  if (!value) return std::nullopt;
  std::vector<std::string> out;
  for (auto& v : value->elements()) {
    if (v.is_null()) {
      unsuitable(expr, "null value is not allowed", context.diagnostics);
      return std::nullopt;
    }
    out.push_back(v.as_string());
  }
  return out;
}

std::optional<std::vector<std::pair<std::string, std::string>>> decode_string_map(const Expression& expr, const DecodeContext& context,
                                                                                  bool null_ok) {
  auto value = usable(expr, Type::map(Type::string()), context, null_ok);
  if (!value) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> out;
  for (auto& [key, v] : value->entries()) {
    if (v.is_null()) {
      unsuitable(expr, "null value is not allowed", context.diagnostics);
      return std::nullopt;
    }
    out.emplace_back(key, v.as_string());
  }
  return out;
}

std::optional<Value> decode_attribute(const Attribute& attribute, const Type& type, const DecodeContext& context) {
  Value value = attribute.expr.value(context.scope, context.diagnostics);
  auto converted = convert(value, type);
  if (!converted) {
    context.diagnostics.add("Incorrect attribute value type",
                            fmt::format("Inappropriate value for attribute \"{}\": {}.", attribute.name, converted.error()),
                            attribute.expr.range());
    return std::nullopt;
  }
  if (!converted->is_wholly_known()) return std::nullopt;
  return std::move(*converted);
}

}  // namespace drover::hcl
