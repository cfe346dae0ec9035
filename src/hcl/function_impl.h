// What the files that hold the functions share; not for users.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hcl/functions.h"

namespace drover::hcl {

using FunctionList = std::vector<Function>;
void add_numeric_functions(FunctionList& out);
void add_string_functions(FunctionList& out);
void add_collection_functions(FunctionList& out);
void add_encoding_functions(FunctionList& out);
void add_crypto_functions(FunctionList& out);
void add_time_functions(FunctionList& out);
void add_network_functions(FunctionList& out);
void add_file_functions(FunctionList& out);

// Results of functions stop here, so that a short text cannot ask for all memory.
constexpr size_t kMaxResult = 64u << 20;
constexpr const char* kResultTooLarge = "the result is too large";

constexpr const char* kWholeNumber = "value must be a whole number, between -9223372036854775808 and 9223372036854775807";
inline std::expected<int64_t, CallError> whole_number(const Value& value) {
  auto n = value.as_number().to_int64();
  if (!n) return call_error(kWholeNumber);
  return *n;
}

inline Value text_value(std::string text) { return Value::string(std::move(text)); }

// `format` of the language (function_format.cc).
std::expected<std::string, CallError> format_values(const std::string& spec, Arguments args);

// JSON as jsonencode writes it; nothing for infinity.
std::expected<std::string, std::string> to_json(const Value& value);
// With the quotes; `<`, `>` and `&` escaped.
std::string json_quote(std::string_view text);
std::expected<Value, std::string> from_json(std::string_view text);
// The text that a JSON string literal stands for, as written: not normalized.
std::expected<std::string, std::string> from_json_string(std::string_view literal);

std::expected<Value, std::string> from_yaml(std::string_view text);
std::expected<std::string, std::string> to_yaml(const Value& value);

}  // namespace drover::hcl
