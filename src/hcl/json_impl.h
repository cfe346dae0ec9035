// The tree of a JSON-syntax file; not for users.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hcl/ast.h"
#include "hcl/diagnostic.h"
#include "hcl/source.h"

namespace drover::hcl {

struct JsonNode;

struct JsonProperty {
  std::string name;
  Range name_range;  // with the quotes
  std::unique_ptr<JsonNode> value;
};

// A JSON value. It is an expression too: strings are templates.
struct JsonNode : Expr {
  enum Type : unsigned char { kNull, kBool, kNumber, kString, kArray, kObject } type = kNull;
  Value value;                         // kNull, kBool, kNumber, kString
  std::vector<std::unique_ptr<JsonNode>> items;  // kArray
  std::vector<JsonProperty> properties;  // kObject, in order of appearance
  Range open;                          // the bracket of arrays and objects
  explicit JsonNode(const Range& r) : Expr(ExprKind::kJson, r) {}
  // What a complaint about the value points to.
  Range start() const { return type == kArray || type == kObject ? open : range; }
};

struct JsonFile {
  Source source;
  std::unique_ptr<JsonNode> root;  // null after an error
};

std::shared_ptr<JsonFile> parse_json_file(std::string name, std::string text, Diagnostics& diagnostics);

// The expression written in a JSON string, as types are; null if the node is no string or holds none. Positions count from
// the string's opening quote.
struct JsonStringExpression {
  Source source;
  ExprPtr expr;
};
std::unique_ptr<JsonStringExpression> parse_json_string_expression(const Expr& expr);

}  // namespace drover::hcl
