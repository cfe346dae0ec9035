// Input variables and locals: `variable`, `variables` and `locals` blocks, and the values given from outside.
//
// Order of use, as the reference does it: declare everything, then the sources from weak to strong (environment, var
// files in order, arguments in order), then check(), then evaluate_locals(). Errors go to the diagnostics of each
// call; the caller stops where it wants to.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hcl/body.h"
#include "hcl/functions.h"

namespace drover::hcl {

// The prefix of environment variables that set input variables.
constexpr std::string_view kVariablePrefix = "NOMAD_VAR_";

class Variables {
 public:
  // `variable "name" { ... }`, decoded with one label.
  void declare(const Block& block, Diagnostics& diagnostics);
  // `variables { name = default ... }`.
  void declare_shorthand(const Block& block, Diagnostics& diagnostics);
  // `locals { name = expr ... }`; of equal names the last counts.
  void add_locals(const Block& block, Diagnostics& diagnostics);

  // `KEY=value` entries; those without the prefix or for undeclared variables do not count.
  void set_from_environment(std::span<const std::string> entries, Diagnostics& diagnostics);
  // A parsed var file: attributes with constant values. Names that are not declared are told in `undefined`.
  // Nothing is taken from a file if something was wrong with the values before it (`faulty`) or if it declares variables;
  // false then, which ends the search for values.
  bool set_from_file(const Body& body, bool faulty, Diagnostics& undefined, Diagnostics& diagnostics);
  // `name=value` entries of the command line; one without `=` does not count.
  void set_from_arguments(std::span<const std::string> entries, Diagnostics& undefined, Diagnostics& diagnostics);

  // Every variable has a value, and each validation rule holds for the final one. `functions` should have no files.
  void check(const Functions& functions, Diagnostics& diagnostics) const;

  // Evaluates the locals, each after those it refers to, and sets `var` and `local` in `scope`, whose functions and
  // treatment of undefined names count. Of locals that cannot be evaluated one is reported.
  void evaluate_locals(Scope& scope, Diagnostics& diagnostics) const;

  // All variables that have values, as the object `var`.
  Value object() const;
  bool declared(std::string_view name) const { return find(name) != nullptr; }

 private:
  struct Rule {
    Expression condition;
    std::string message;
    Location rule_range, condition_range;
  };
  struct Given {
    Value value;
    Location where;
    const char* source;  // "default", "env", "varfile", "cmd"
  };
  struct Variable {
    std::string name;
    std::optional<Type> type;   // given, or that of the default
    std::optional<Given> given; // the strongest so far
    std::vector<Rule> rules;
  };
  struct Local {
    std::string name;
    Expression expr;
  };

  // An index into locals_, or their number if all are done.
  size_t local_to_blame(const std::map<std::string, Value, std::less<>>& done) const;
  Variable* find(std::string_view name);
  const Variable* find(std::string_view name) const { return const_cast<Variables*>(this)->find(name); }
  void add(Variable variable);
  bool set_default(Variable& variable, const Expression& expr, Diagnostics& diagnostics) const;
  void add_rule(Variable& variable, const Block& block, Diagnostics& diagnostics) const;
  static void add_condition(const Variable& variable, const Attribute& attribute, Rule& rule, Diagnostics& diagnostics);
  void check_rule(const Variable& variable, const Rule& rule, const Scope& scope, Diagnostics& diagnostics) const;
  std::optional<Given> parse_text(const Variable& variable, const std::string& text, const char* origin, const char* source,
                                  Diagnostics& diagnostics) const;

  std::vector<Variable> variables_;  // in order of declaration
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<Local> locals_;        // in order of first appearance
  std::map<std::string, size_t, std::less<>> local_index_;
  std::vector<Body> keep_;           // owners of what the expressions point into
};

}  // namespace drover::hcl
