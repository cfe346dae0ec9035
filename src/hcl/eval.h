// Evaluation of expressions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hcl/ast.h"
#include "hcl/diagnostic.h"
#include "hcl/value.h"

namespace drover::hcl {

class Functions;

// The names an expression may use. Scopes chain: a name is looked for here, then in `parent`. Scopes live on the
// stack of whoever evaluates; nothing keeps them.
//
// A null scope pointer means that the expression must be constant: `Variables not allowed`, `Function calls not
// allowed`, and JSON strings are taken as they are.
struct Scope {
  const Scope* parent = nullptr;
  std::vector<std::pair<std::string, Value>> variables;
  const Functions* functions = nullptr;  // the nearest in the chain counts
  // A root name that is nowhere in the chain gives its own source text as a string, in `${ }` (runtime
  // interpolation, resolved on the client), instead of an error. Set on the outermost scope.
  bool undefined_as_text = false;

  const Value* find(std::string_view name) const;
  void set(std::string_view name, Value value);
};

// The value of `expr`. After an error, which is reported, the value is unknown.
Value evaluate(const Expr& expr, const Scope* scope, Diagnostics& diagnostics);

// `value.name` and `value[key]` with the language's complaints, about `where`.
Value get_attribute(const Value& value, std::string_view name, const Range& where, Diagnostics& diagnostics);
Value get_index(const Value& value, const Value& key, const Range& where, Diagnostics& diagnostics);

// Calls `fn(traversal)` for every name an expression uses from outside, not those that its own `for` binds.
using Reference = ScopeTraversalExpr;
void collect_references(const Expr& expr, std::vector<const Reference*>& out);

}  // namespace drover::hcl
