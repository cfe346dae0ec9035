// -json and -t (reference cli section 3.3).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "codec/type_info.h"

namespace drover::cli {

// The object as the API's clients print it: 4 spaces, keys by name, fields there even when empty.
std::string json_text(const TypeInfo& type, const void* object);
template <class T>
std::string json_text(const T& value) {
  return json_text(type_of<T>(), &value);
}

// Prints the object when -json or -t was given and says how it went; nullopt when neither was.
std::optional<int> print_formatted(const Context& c, const TypeInfo& type, const void* object);
template <class T>
std::optional<int> print_formatted(const Context& c, const T& value) {
  return print_formatted(c, type_of<T>(), &value);
}
// Whether -json or -t was given.
bool formatted(const Context& c);

// What Go says of JSON that had to be whole; a decoder of streams says "unexpected EOF" instead.
std::string unmarshal_text(const Error& error);

// The template's text over the object. `sprig`: with the sprig_ functions.
Result<std::string> apply_template(const std::string& text, const TypeInfo& type, const void* object, bool sprig = true);

}  // namespace drover::cli
