// Text replacement of "${name}" (reference jobspec section 9.1): the names are letters, digits, '_', '-' and '.'; an
// unknown name stays as it is written, and so does anything else that merely looks alike ("${ a }", "${a[0]}").
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace drover {

using EnvLookup = std::function<std::optional<std::string>(std::string_view name)>;

std::string replace_env(std::string_view text, const EnvLookup& lookup);
// Every reference becomes `placeholder`, known or not.
std::string replace_env_with(std::string_view text, std::string_view placeholder);
bool contains_env(std::string_view text);

}  // namespace drover
