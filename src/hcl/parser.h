// Parser of the native syntax.
#pragma once

#include <memory>
#include <string>

#include "hcl/ast.h"
#include "hcl/diagnostic.h"
#include "hcl/lexer.h"

namespace drover::hcl {

// Inputs beyond this size are refused.
constexpr size_t kMaxInput = 64u << 20;
// Inputs of more tokens are refused: their trees would take most of a gigabyte.
constexpr size_t kMaxTokens = 3'000'000;

// A parsed file; owns its text and its tree. Everything handed out from it is valid as long as it lives.
struct NativeFile {
  Source source;
  BodyNode body;
};

// Parses a whole file. Errors go to `diagnostics`; the tree then holds what came before the first syntax error.
// The token list is left in `tokens` if given.
std::shared_ptr<NativeFile> parse_native(std::string name, std::string text, Diagnostics& diagnostics,
                                         std::vector<Token>* tokens = nullptr);

// One expression that fills `source`; nullptr after a syntax error. The tree points into `source`, whose first character
// stands at `from`.
ExprPtr parse_expression(const Source& source, Diagnostics& diagnostics, Pos from = {});

// All of `source` from `from` on as the content of a template (no quotes, no backslash escapes).
ExprPtr parse_template(const Source& source, Pos from, Diagnostics& diagnostics);

}  // namespace drover::hcl
