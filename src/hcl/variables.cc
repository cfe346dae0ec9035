#include "hcl/variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <numeric>
#include <utility>

#include "base/strings.h"
#include "hcl/convert.h"
#include "hcl/decode.h"
#include "hcl/json_impl.h"
#include "hcl/parser.h"
#include "hcl/type_expr.h"
#include "hcl/unicode.h"

namespace drover::hcl {

namespace {

constexpr const char* kBadName =
    "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.";

bool is_sentence(const std::string& text) {
  size_t size = 0;
  int32_t first = decode_utf8(text, 0, size);
  return !(is_letter(first) && !is_upper(first)) && (text.ends_with('.') || text.ends_with('?') || text.ends_with('!'));
}

}  // namespace

Variables::Variable* Variables::find(std::string_view name) {
  auto it = index_.find(name);
  return it == index_.end() ? nullptr : &variables_[it->second];
}

void Variables::add(Variable variable) {
  index_.emplace(variable.name, variables_.size());
  variables_.push_back(std::move(variable));
}

bool Variables::set_default(Variable& variable, const Expression& expr, Diagnostics& diagnostics) const {
  size_t before = diagnostics.size();
  Value value = expr.value(nullptr, diagnostics);
  Given given{Value(), Location(expr.range()), "default"};
  if (diagnostics.size() != before) return false;
  if (variable.type) {
    auto converted = convert(value, *variable.type);
    if (converted) {
      given.value = std::move(*converted);
    } else {
      diagnostics.add("Invalid default value for variable",
                      fmt::format("This default value is not compatible with the variable's type constraint: {}.", converted.error()),
                      expr.range());
    }
  } else {
    variable.type = value.type();
    given.value = std::move(value);
  }
  variable.given = std::move(given);
  return true;
}

void Variables::add_rule(Variable& variable, const Block& block, Diagnostics& diagnostics) const {
  Content content = block.body.content({{{"condition", true}, {"error_message", true}}, {}}, diagnostics);
  Rule rule;
  rule.rule_range = Location(block.def_range);
  if (auto* message = content.attribute("error_message")) {
    auto text = decode_string(message->expr, {nullptr, diagnostics});
    if (text && text->empty()) {
      diagnostics.add("Invalid validation error message", "An empty string is not a valid nor useful error message.", message->expr.range());
    } else if (text && !is_sentence(*text)) {
      diagnostics.add("Invalid validation error message",
                      "Validation error message must be at least one full sentence starting with an uppercase letter ( if the alphabet "
                      "permits it ) and ending with a period or question mark.", message->expr.range());
    }
    if (text) rule.message = std::move(*text);
  }
  if (auto* condition = content.attribute("condition")) add_condition(variable, *condition, rule, diagnostics);
  variable.rules.push_back(std::move(rule));
}

void Variables::add_condition(const Variable& variable, const Attribute& attribute, Rule& rule, Diagnostics& diagnostics) {
  auto* condition = &attribute;
  rule.condition = condition->expr;
  rule.condition_range = Location(condition->expr.range());
  std::vector<const Reference*> references;
  collect_references(condition->expr.node(), references);
  bool self = condition->expr.node().kind == ExprKind::kJson;  // references in JSON strings show when evaluated
  for (auto* r : references) {
    bool own = r->root == "var" && !r->steps.empty() && r->steps[0].attribute && r->steps[0].name == variable.name;
    if (own) {
      self = true;
      continue;
    }
    diagnostics.add("Invalid reference in variable validation",
                    fmt::format("The condition for variable \"{0}\" can only refer to the variable itself, using var.{0}.", variable.name),
                    r->range);
  }
  if (!self) {
    diagnostics.add("Invalid variable validation condition",
                    fmt::format("The condition for variable \"{0}\" must refer to var.{0} in order to test incoming values.", variable.name),
                    condition->expr.range());
  }
}

void Variables::declare(const Block& block, Diagnostics& diagnostics) {
  keep_.push_back(block.body);
  Variable variable;
  variable.name = block.labels.empty() ? "" : block.labels[0];
  if (find(variable.name)) {
    diagnostics.add("Duplicate variable", fmt::format("Duplicate {} variable definition found.", variable.name));
    return;
  }
  if (!is_valid_identifier(variable.name)) {
    diagnostics.add("Invalid variable name", kBadName, block.label_ranges.empty() ? block.def_range : block.label_ranges[0]);
  }
  static const Schema kSchema{{{"description"}, {"default"}, {"type"}}, {{"validation", {}}}};
  Content content = block.body.content(kSchema, diagnostics);
  if (auto* a = content.attribute("description")) decode_string(a->expr, {nullptr, diagnostics}, false);
  if (auto* a = content.attribute("type")) {
    variable.type = parse_type(a->expr.node(), false, diagnostics);
    if (!variable.type) return;  // as if there were no such variable
  }
  if (auto* a = content.attribute("default"); a && !set_default(variable, a->expr, diagnostics)) return;
  for (auto& b : content.blocks) add_rule(variable, b, diagnostics);
  add(std::move(variable));
}

void Variables::declare_shorthand(const Block& block, Diagnostics& diagnostics) {
  keep_.push_back(block.body);
  for (auto& a : block.body.just_attributes(diagnostics)) {
    if (find(a.name)) {
      diagnostics.add("Duplicate variable", fmt::format("Duplicate {} variable definition found.", a.name), a.name_range);
      continue;
    }
    Variable variable;
    variable.name = a.name;
    if (set_default(variable, a.expr, diagnostics)) add(std::move(variable));
  }
}

void Variables::add_locals(const Block& block, Diagnostics& diagnostics) {
  keep_.push_back(block.body);
  for (auto& a : block.body.just_attributes(diagnostics)) {
    auto [it, fresh] = local_index_.emplace(a.name, locals_.size());
    if (fresh) locals_.push_back({a.name, a.expr}); else locals_[it->second].expr = a.expr;
  }
}

// Text is taken as it is for strings and numbers and for variables without type and default; else it is an
// expression without names and functions. nullopt after a syntax error.
std::optional<Variables::Given> Variables::parse_text(const Variable& variable, const std::string& text, const char* origin,
                                                      const char* source, Diagnostics& diagnostics) const {
  bool literal = !variable.type || variable.type->is(Kind::kString) || variable.type->is(Kind::kNumber);
  if (literal) return Given{Value::string(text), Location(Range{}), source};
  Source from{fmt::format("<value for var.{} from {}>", variable.name, origin), text};
  auto expr = parse_expression(from, diagnostics);
  if (!expr) return std::nullopt;
  Given given{Value(), Location(expr->range), source};
  size_t before = diagnostics.size();
  Value value = evaluate(*expr, nullptr, diagnostics);
  if (diagnostics.size() == before) given.value = std::move(value);
  return given;
}

namespace {

// Converts in place; the error is told by the caller's words.
template <class Complain>
void fit(Value& value, const std::optional<Type>& type, Complain&& complain) {
  auto converted = convert(value, type.value_or(Type::string()));
  if (converted) {
    value = std::move(*converted);
  } else {
    value = Value();
    complain(converted.error());
  }
}

Diagnostic at(const Location& where, std::string summary, std::string detail) {
  return {std::move(summary), std::move(detail), where, std::nullopt};
}

}  // namespace

void Variables::set_from_environment(std::span<const std::string> entries, Diagnostics& diagnostics) {
  for (auto& entry : entries) {
    if (!entry.starts_with(kVariablePrefix)) continue;
    size_t equals = entry.find('=');
    if (equals == std::string::npos) continue;
    auto* variable = find(entry.substr(kVariablePrefix.size(), equals - kVariablePrefix.size()));
    if (!variable) continue;
    auto given = parse_text(*variable, entry.substr(equals + 1), "env", "env", diagnostics);
    if (!given) continue;
    fit(given->value, variable->type, [&](const std::string& why) {
      diagnostics.append(at(given->where, "Invalid value for variable",
                            fmt::format("The value for {} is not compatible with the variable's type constraint: {}.", variable->name, why)));
    });
    variable->given = std::move(given);
  }
}

bool Variables::set_from_file(const Body& body, bool faulty, Diagnostics& undefined, Diagnostics& diagnostics) {
  keep_.push_back(body);
  Body rest;
  Content declarations;
  if (!body.is_json()) declarations = body.partial_content({{}, {{"variable", {"name"}}}}, rest, diagnostics);
  else rest = body;
  for (auto& b : declarations.blocks) {
    diagnostics.add("Variable declaration in a .var file",
                    fmt::format("A .var file is used to assign values to variables that have already been declared in job files, not to "
                                "declare new variables. To declare variable \"{0}\", place this block in one of your job files\n\n"
                                "To set a value for this variable in {1}, use the definition syntax instead:\n    {0} = <value>",
                                b.labels[0], b.type_range.source->name), b.type_range);
  }
  if (!declarations.blocks.empty() || faulty) return false;
  for (auto& a : rest.just_attributes(diagnostics)) {
    auto* variable = find(a.name);
    if (!variable) {
      undefined.add("Undefined variable",
                    fmt::format("A {0} variable was set but was not found in known variables. To declare variable {0}, place "
                                "this block in your job files", go_quote(a.name)));
      continue;
    }
    size_t before = diagnostics.size();
    Given given{a.expr.value(nullptr, diagnostics), Location(a.expr.range()), "varfile"};
    if (diagnostics.size() != before) {
      given.value = Value();
    } else {
      fit(given.value, variable->type, [&](const std::string& why) {
        diagnostics.append(at(given.where, "Invalid value for variable",
                              fmt::format("The value for {} is not compatible with the variable's type constraint: {}.", variable->name, why)));
      });
    }
    variable->given = std::move(given);
  }
  return true;
}

void Variables::set_from_arguments(std::span<const std::string> entries, Diagnostics& undefined, Diagnostics& diagnostics) {
  // The last of several values of a variable is the only one.
  std::vector<std::pair<std::string, std::string>> pairs;
  for (auto& entry : entries) {
    size_t equals = entry.find('=');
    if (equals == std::string::npos) continue;
    auto name = entry.substr(0, equals);
    std::erase_if(pairs, [&](auto& p) { return p.first == name; });
    pairs.emplace_back(name, entry.substr(equals + 1));
  }
  for (auto& [name, text] : pairs) {
    auto* variable = find(name);
    if (!variable) {
      undefined.add("Undefined -var variable",
                    fmt::format("A {0} variable was passed in the command line but was not found in known variables. To declare "
                                "variable {0}, place this block in your job file", go_quote(name)));
      continue;
    }
    auto given = parse_text(*variable, text, "arguments", "cmd", diagnostics);
    if (!given) continue;
    fit(given->value, variable->type, [&](const std::string& why) {
      diagnostics.append(at(given->where, "Invalid argument value for -var variable",
                            fmt::format("The received arg value for {} is not compatible with the variable's type constraint: {}.", name, why)));
    });
    variable->given = std::move(given);
  }
}

void Variables::check_rule(const Variable& variable, const Rule& rule, const Scope& scope, Diagnostics& diagnostics) const {
  if (!rule.condition) {
    return diagnostics.append(at(rule.rule_range, "Invalid variable validation specification", "validation requires a condition."));
  }
  Value result = rule.condition.value(&scope, diagnostics);
  auto complain = [&](std::string detail) {
    diagnostics.append(at(rule.condition_range, "Invalid variable validation result", std::move(detail)));
  };
  if (!result.is_known()) return;
  if (result.is_null()) return complain("Validation condition expression must return either true or false, not null.");
  auto holds = convert(result, Type::boolean());
  if (!holds) return complain(fmt::format("Invalid validation condition result value: {}.", holds.error()));
  if (holds->as_bool()) return;
  diagnostics.append(at(variable.given->where, fmt::format("Invalid value for {} variable", variable.given->source),
                        fmt::format("{}\n\nThis was checked by the validation rule at {}.", rule.message, rule.rule_range.str())));
}

void Variables::check(const Functions& functions, Diagnostics& diagnostics) const {
  for (auto& v : variables_) {
    if (!v.given) {
      diagnostics.add(fmt::format("Unset variable \"{}\"", v.name),
                      "A used variable must be set or have a default value; see https://www.nomadproject.io/docs/job-specification/hcl2/"
                      "variables for details.");
      continue;
    }
    if (v.rules.empty()) continue;
    Scope scope;
    scope.functions = &functions;
    scope.set("var", Value::object({{v.name, v.given->value}}));
    for (auto& rule : v.rules) check_rule(v, rule, scope, diagnostics);
  }
}

Value Variables::object() const {
  Value::Entries out;
  for (auto& v : variables_) {
    out.emplace_back(v.name, v.given ? v.given->value : Value::unknown(v.type.value_or(Type::dynamic())));
  }
  return Value::object(std::move(out));
}

namespace {

// The names `local.NAME` that an expression mentions.
std::vector<std::string> local_references(const Expression& expr) {
  std::vector<const Reference*> references;
  collect_references(expr.node(), references);
  std::vector<std::string> out;
  for (auto* r : references) {
    if (r->root != "local" || r->steps.empty()) continue;
    auto& step = r->steps[0];
    if (step.attribute) out.push_back(step.name);
    else if (step.key.is_usable() && step.key.is(Kind::kString)) out.push_back(step.key.as_string());
  }
  return out;
}

}  // namespace

// Which of several locals that fail is told: the reference takes them in turn, puts what fails last again, and gives up
// at the first one behind a hundred failures in a row.
size_t Variables::local_to_blame(const std::map<std::string, Value, std::less<>>& done) const {
  constexpr size_t kFailuresMax = 100;
  std::map<std::string_view, bool> known;  // the locals, and whether their turn has come
  std::vector<std::vector<std::string>> needs;
  for (auto& local : locals_) {
    known[local.name] = false;
    needs.push_back(local_references(local.expr));
  }
  std::deque<size_t> line(locals_.size());
  std::iota(line.begin(), line.end(), 0);
  size_t failures = 0, length_before = 0;
  while (!line.empty()) {
    size_t at = line.front();
    auto& local = locals_[at];
    line.pop_front();
    bool works = done.contains(local.name);
    for (auto& name : needs[at])
      if (auto it = known.find(name); it != known.end() && !it->second) works = false;
    if (works) {
      known[local.name] = true;
      failures = 0;
      continue;
    }
    if (line.empty()) return at;
    if (length_before == line.size() + 1 && failures++ == kFailuresMax) return at;
    length_before = line.size() + 1;
    line.push_back(at);
  }
  return locals_.size();
}

void Variables::evaluate_locals(Scope& scope, Diagnostics& diagnostics) const {
  scope.set("var", object());
  std::map<std::string, size_t, std::less<>> index;
  for (size_t i = 0; i < locals_.size(); ++i) index.emplace(locals_[i].name, i);
  std::vector<std::vector<size_t>> dependents(locals_.size());
  std::vector<size_t> waits(locals_.size(), 0);
  for (size_t i = 0; i < locals_.size(); ++i) {
    for (auto& name : local_references(locals_[i].expr)) {
      auto it = index.find(name);
      if (it == index.end()) continue;
      dependents[it->second].push_back(i);
      ++waits[i];
    }
  }
  std::map<std::string, Value, std::less<>> done;
  scope.growing = &done;
  scope.growing_name = "local";
  std::vector<size_t> ready, failed;
  for (size_t i = 0; i < locals_.size(); ++i) {
    if (waits[i] == 0) ready.push_back(i);
  }
  // What fails is tried again as long as others succeed: its references may be of a kind that only shows when
  // evaluated, as those in JSON strings do.
  for (bool progress = true; progress && !ready.empty(); ready = std::exchange(failed, {})) {
    progress = false;
    for (size_t at = 0; at < ready.size(); ++at) {
      auto& local = locals_[ready[at]];
      Diagnostics tried;
      Value value = local.expr.value(&scope, tried);
      if (!tried.empty()) {
        failed.push_back(ready[at]);
        continue;
      }
      progress = true;
      done.emplace(local.name, std::move(value));
      for (size_t d : dependents[ready[at]]) {
        if (--waits[d] == 0) ready.push_back(d);
      }
    }
  }
  // Limits are ours, so the first of the locals that fail says if it met one.
  constexpr std::string_view kLimits[] = {"Value nested too deeply", "Evaluation too expensive"};
  auto first = std::find_if(locals_.begin(), locals_.end(), [&](auto& local) { return !done.contains(local.name); });
  if (first != locals_.end()) {
    Diagnostics tried;
    first->expr.value(&scope, tried);
    bool limited = !tried.empty() && std::ranges::find(kLimits, std::string_view(tried[0].summary)) != std::end(kLimits);
    size_t culprit = local_to_blame(done);
    if (limited || culprit == locals_.size()) diagnostics.append(tried);
    else locals_[culprit].expr.value(&scope, diagnostics);
  }
  scope.growing = nullptr;
  scope.set("local", Value::object(Value::Entries(done.begin(), done.end())));
}

}  // namespace drover::hcl
