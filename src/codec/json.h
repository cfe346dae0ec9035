// JSON in and out, from the struct descriptions, with the rules of the reference's encoder and of Go's decoder
// (reference http-api sections 2.4 and 5).
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "codec/type_info.h"

namespace drover {

// How a struct of that name looks to somebody who has it otherwise, in names of fields.
struct JsonShape {
  std::string_view type;                             // TypeInfo::name
  std::initializer_list<std::string_view> lacks;     // not there
  // Keys and JSON text of fields that are there only for them.
  std::initializer_list<std::pair<std::string_view, std::string_view>> adds;
  std::initializer_list<std::string_view> omits_empty;
  bool every_field = false;                          // also those that are left out elsewhere when empty
};

struct JsonStyle {
  bool pretty = false;         // 4 spaces, trailing newline
  bool escape_html = false;    // < > & as \u003c ... (types that the reference encodes with Go's standard encoder)
  int indent = 4;              // with pretty; the CLI's -json and -output use their own width
  bool trailing_newline = true;
  // Integral doubles print as "8080.0"; Go's standard encoder, which the CLI uses, prints "8080".
  bool float_point = true;
  bool sort_keys = false;      // struct keys by name instead of declaration order
  // As Go's encoder writes a struct of which it knows nothing more: an unset time is the year 1, nothing is added, and of
  // Allocation the empty fields are there too.
  bool bare = false;
  // Structs that the reader has otherwise (null for those that are the same); keys are then in order of name.
  const JsonShape* (*shape)(const TypeInfo& type) = nullptr;
};

// Appends the JSON of the value at `object`.
void json_encode(const TypeInfo& type, const void* object, std::string& out, const JsonStyle& style = {});

template <class T>
std::string to_json(const T& value, const JsonStyle& style = {}) {
  std::string out;
  json_encode(type_of<T>(), &value, out, style);
  return out;
}

// `text` as a JSON string with quotes, escaped as the encoder does.
void json_quote(std::string_view text, std::string& out, bool escape_html = false);

// Decodes the first JSON value of `text` into `object`; what follows it is ignored. Keys match without case,
// unknown keys are skipped, null leaves the default, nesting is limited to kJsonDepthMax. Errors carry Go's texts:
// "unexpected EOF", "invalid character 'x' looking for beginning of value", "json: cannot unmarshal string into Go
// struct field Job.Job.Priority of type int". After a type error the rest is still read, as Go does; the first
// error is returned and `object` is left partly filled.
Status json_decode(const TypeInfo& type, void* object, std::string_view text);

template <class T>
Result<T> from_json(std::string_view text) {
  T value{};
  DROVER_CHECK(json_decode(type_of<T>(), &value, text));
  return value;
}

// Nesting beyond this is "exceeded max depth". Each level is a few stack frames of the decoder.
inline constexpr int kJsonDepthMax = 2000;

}  // namespace drover
