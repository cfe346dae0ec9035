// The evaluator's machinery, shared by its files; not for users.
#pragma once

#include <optional>
#include <string>

#include "hcl/eval.h"

namespace drover::hcl {

// Expressions of the JSON syntax.
Value evaluate_json(const Expr& expr, const Scope* scope, Diagnostics& diagnostics);
std::string json_keyword(const Expr& expr);

// Calls fn(key, element) in order: index for lists and tuples, the element itself for sets, the key for mappings.
template <class F>
void visit_elements(const Value& collection, F&& fn) {
  if (collection.is_mapping()) {
    for (auto& [key, value] : collection.entries()) fn(Value::raw_string(key), value);
    return;
  }
  int64_t i = 0;
  for (auto& value : collection.elements()) fn(collection.is(Kind::kSet) ? value : Value::number(i++), value);
}

// Counts against the limits of all evaluation. False, with a complaint, when one is passed.
bool spend(const Scope* scope, size_t iterations, size_t bytes, const Range& subject, const Range& context, Diagnostics& diagnostics);
// How many rounds of `for` a block costs that a dynamic block makes.
constexpr size_t kRoundsPerBlock = 5;

// One evaluation: the scope, where complaints go, and the current elements of the splats around.
struct Evaluator {
  struct Item {
    const Item* outer;
    int slot;
    const Value* value;
  };
  const Scope* scope;
  Diagnostics& diagnostics;
  const Item* items;

  Value eval(const Expr& expr) const;

 private:
  Value walk(Value from, const std::vector<Step>& steps, size_t first = 0) const;
  Value name(const ScopeTraversalExpr& e) const;
  Value growing_name(const Scope& from, const ScopeTraversalExpr& e) const;
  Value shallow(Value value, const Expr& e) const;
  bool spend(size_t iterations, size_t bytes, const Expr& e) const;
  // What is said of a part that does not go into a template.
  struct PartTexts {
    const char *subject, *inclusion;
  };
  bool append_part(const Value& value, const Range& where, const PartTexts& texts, std::string& out) const;
  Value text(const TemplateExpr& e) const;
  Value loop(const TemplateLoopExpr& e) const;
  Value splat(const SplatExpr& e) const;
  Value object(const ObjectExpr& e) const;
  bool check_condition(const ForExpr& e) const;
  std::optional<bool> for_condition(const ForExpr& e, const Evaluator& inner, bool& known) const;
  std::optional<std::string> for_key(const ForExpr& e, const Evaluator& inner, bool& known) const;
  Value for_each(const ForExpr& e) const;
  static std::optional<Type> conditional_type(const Value& yes, const Value& no);
  Value conditional(const ConditionalExpr& e) const;
  Value binary(const BinaryExpr& e) const;
  Value unary(const UnaryExpr& e) const;

  // Calls (eval_call.cc).
  struct Argument;
  Value call(const CallExpr& e) const;
  bool gather_arguments(const CallExpr& e, std::vector<Argument>& out, bool& known) const;
  bool check_count(const CallExpr& e, const struct Function& f, const std::vector<Argument>& args) const;
  bool rests_on_unknown(const Argument& argument) const;
  Value call_try(const CallExpr& e, const std::vector<Argument>& args) const;
  Value call_convert(const CallExpr& e, const std::vector<Argument>& args) const;
  Value call_values(const CallExpr& e, const struct Function& f, const class Functions& functions,
                    const std::vector<Argument>& args) const;
};

}  // namespace drover::hcl
