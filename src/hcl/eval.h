// Evaluation of expressions.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hcl/ast.h"
#include "hcl/diagnostic.h"
#include "hcl/value.h"

namespace drover::hcl {

class Functions;

// Limits of all that is evaluated in one outermost scope: rounds of `for` and bytes of text made. A short file could
// ask for more than there is.
constexpr size_t kMaxIterations = 250'000;
constexpr size_t kMaxTextBytes = 64u << 20;

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
  // An object that is still growing: the name `growing_name` gives the members so far, without an object being made
  // of them for each look. Used while locals are evaluated.
  const std::map<std::string, Value, std::less<>>* growing = nullptr;
  std::string_view growing_name;
  // What all evaluations below this scope have used of the limits; counted on the outermost scope.
  mutable size_t used_iterations = 0;
  mutable size_t used_bytes = 0;

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
