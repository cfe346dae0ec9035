// Canonical layout of native-syntax text: two blanks of indentation per level, one blank between tokens that want
// one, equals signs and trailing comments of neighbouring lines aligned. Line breaks, comments, heredocs and the
// content of strings stay as they are.
#pragma once

#include <string>
#include <string_view>

namespace drover::hcl {

// The formatted text. Works on tokens only, so any text comes back laid out somehow; callers refuse text that does
// not parse before they ask.
std::string format_source(std::string_view text);

}  // namespace drover::hcl
