#include "hcl/eval.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "hcl/convert.h"
#include "hcl/eval_impl.h"
#include "hcl/functions.h"

namespace drover::hcl {

const Value* Scope::find(std::string_view name) const {
  for (auto* s = this; s; s = s->parent) {
    for (auto& [key, value] : s->variables) {
      if (key == name) return &value;
    }
  }
  return nullptr;
}

void Scope::set(std::string_view name, Value value) {
  for (auto& [key, old] : variables) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  variables.emplace_back(name, std::move(value));
}

Value evaluate(const Expr& expr, const Scope* scope, Diagnostics& diagnostics) {
  return Evaluator{scope, diagnostics, nullptr}.eval(expr);
}

Value get_attribute(const Value& value, std::string_view name, const Range& where, Diagnostics& diagnostics) {
  if (value.is_null()) {
    diagnostics.add("Attempt to get attribute from null value", "This value is null, so it does not have any attributes.", where);
    return {};
  }
  switch (value.kind()) {
    case Kind::kObject: {
      auto* type = value.type().attribute(name);
      if (!type) {
        diagnostics.add("Unsupported attribute", fmt::format("This object does not have an attribute named \"{}\".", name), where);
        return {};
      }
      return value.is_known() ? *value.find(name) : Value::unknown(*type);
    }
    case Kind::kMap: {
      if (!value.is_known()) return Value::unknown(value.type().element());
      auto* found = value.find(name);
      if (!found) {
        diagnostics.add("Missing map element", fmt::format("This map does not have an element with the key \"{}\".", name), where);
        return {};
      }
      return *found;
    }
    case Kind::kDynamic: return {};
    default:
      diagnostics.add("Unsupported attribute", "This value does not have any attributes.", where);
      return {};
  }
}

namespace {

constexpr const char* kNoSuchElement = "The given key does not identify an element in this collection value";

Value index_sequence(const Value& value, const Value& key, const Range& where, Diagnostics& diagnostics) {
  auto number = convert(key, Type::number());
  if (!number) {
    diagnostics.add("Invalid index", fmt::format("{}: {}.", kNoSuchElement, number.error()), where);
    return {};
  }
  if (!number->is_known() || !value.is_known()) return {};
  auto& n = number->as_number();
  if (!n.is_integer()) {
    diagnostics.add("Invalid index",
                    fmt::format("{}: indexing a sequence requires a whole number, but the given index ({}) has a fractional part.",
                                kNoSuchElement, n.formatted('g', -1)), where);
    return {};
  }
  auto i = n.to_int64();
  if (!i || *i < 0 || static_cast<uint64_t>(*i) >= value.size()) {
    diagnostics.add("Invalid index", fmt::format("{}.", kNoSuchElement), where);
    return {};
  }
  return value.elements()[static_cast<size_t>(*i)];
}

}  // namespace

Value get_index(const Value& value, const Value& key, const Range& where, Diagnostics& diagnostics) {
  if (value.is_null()) {
    diagnostics.add("Attempt to index null value", "This value is null, so it does not have any indices.", where);
    return {};
  }
  if (key.is_null()) {
    diagnostics.add("Invalid index", "Can't use a null value as an indexing key.", where);
    return {};
  }
  if (key.is(Kind::kDynamic) || value.is(Kind::kDynamic)) return {};
  switch (value.kind()) {
    case Kind::kList: case Kind::kTuple: return index_sequence(value, key, where, diagnostics);
    case Kind::kMap: case Kind::kObject: {
      auto name = convert(key, Type::string());
      if (!name) {
        diagnostics.add("Invalid index", fmt::format("{}: {}.", kNoSuchElement, name.error()), where);
        return {};
      }
      if (!name->is_known() || !value.is_known()) return {};
      auto* found = value.find(name->as_string());
      if (!found) {
        diagnostics.add("Invalid index", fmt::format("{}.", kNoSuchElement), where);
        return {};
      }
      return *found;
    }
    default:
      diagnostics.add("Invalid index", "This value does not have any indices.", where);
      return {};
  }
}

Value Evaluator::eval(const Expr& expr) const {
  switch (expr.kind) {
    case ExprKind::kLiteral: return static_cast<const LiteralExpr&>(expr).value;
    case ExprKind::kTemplate: return text(static_cast<const TemplateExpr&>(expr));
    case ExprKind::kTemplateWrap: return eval(*static_cast<const TemplateWrapExpr&>(expr).wrapped);
    case ExprKind::kTemplateLoop: return loop(static_cast<const TemplateLoopExpr&>(expr));
    case ExprKind::kScopeTraversal: return shallow(name(static_cast<const ScopeTraversalExpr&>(expr)), expr);
    case ExprKind::kRelativeTraversal: {
      auto& e = static_cast<const RelativeTraversalExpr&>(expr);
      return walk(eval(*e.source), e.steps);
    }
    case ExprKind::kIndex: {
      auto& e = static_cast<const IndexExpr&>(expr);
      Value collection = eval(*e.collection);
      return get_index(collection, eval(*e.key), e.bracket, diagnostics);
    }
    case ExprKind::kSplat: return shallow(splat(static_cast<const SplatExpr&>(expr)), expr);
    case ExprKind::kItem: {
      for (auto* i = items; i; i = i->outer) {
        if (i->slot == static_cast<const ItemExpr&>(expr).slot) return *i->value;
      }
      return {};
    }
    case ExprKind::kCall: return shallow(call(static_cast<const CallExpr&>(expr)), expr);
    case ExprKind::kTuple: {
      Value::Elements out;
      for (auto& item : static_cast<const TupleExpr&>(expr).items) out.push_back(eval(*item));
      return shallow(Value::tuple(std::move(out)), expr);
    }
    case ExprKind::kObject: return shallow(object(static_cast<const ObjectExpr&>(expr)), expr);
    case ExprKind::kFor: return shallow(for_each(static_cast<const ForExpr&>(expr)), expr);
    case ExprKind::kConditional: return conditional(static_cast<const ConditionalExpr&>(expr));
    case ExprKind::kBinary: return binary(static_cast<const BinaryExpr&>(expr));
    case ExprKind::kUnary: return unary(static_cast<const UnaryExpr&>(expr));
    case ExprKind::kParens: return eval(*static_cast<const ParensExpr&>(expr).inner);
    case ExprKind::kJson: return shallow(evaluate_json(expr, scope, diagnostics), expr);
  }
  return {};
}

// References let values nest deeper than any expression does, and grow larger than any memory.
Value Evaluator::shallow(Value value, const Expr& e) const {
  if (value.unshared_bytes() > kMaxValueBytes) {
    diagnostics.add("Value too large", "The expressions of this file make too large values.", start_range(e), e.range);
    return {};
  }
  if (value.type().depth() <= kMaxValueDepth) return value;
  diagnostics.add("Value nested too deeply", fmt::format("Lists and objects may be nested at most {} levels deep.", kMaxValueDepth),
                  start_range(e), e.range);
  return {};
}

bool spend(const Scope* scope, size_t iterations, size_t bytes, const Range& subject, const Range& context, Diagnostics& diagnostics) {
  const Scope* outermost = scope;
  while (outermost && outermost->parent) outermost = outermost->parent;
  if (!outermost) return true;
  auto over = [&] { return outermost->used_iterations > kMaxIterations || outermost->used_bytes > kMaxTextBytes; };
  bool was_over = over();
  outermost->used_iterations += iterations;
  outermost->used_bytes += bytes;
  if (!over()) return true;
  if (was_over && !diagnostics.empty()) return false;  // has been said
  diagnostics.add("Evaluation too expensive", "The expressions of this file make too many or too large values.", subject, context);
  return false;
}

bool Evaluator::spend(size_t iterations, size_t bytes, const Expr& e) const {
  return hcl::spend(scope, iterations, bytes, start_range(e), e.range, diagnostics);
}

Value Evaluator::walk(Value from, const std::vector<Step>& steps, size_t first) const {
  for (size_t i = first; i < steps.size(); ++i) {
    auto& step = steps[i];
    size_t before = diagnostics.size();
    from = step.attribute ? get_attribute(from, step.name, step.range, diagnostics)
                          : get_index(from, step.key, step.range, diagnostics);
    if (diagnostics.size() != before) return {};
  }
  return from;
}

namespace {

// The text that stands for a name that only the client knows: its source in `${ }`. A name right behind `${` brings
// its blanks along. Its end is found by looking from the second byte behind it: through blanks to a brace, which
// keeps what lies between, or to anything else. (The reference does so; a brace in the text behind shows it.)
std::string undefined_text(const Range& where) {
  std::string_view source = where.source->text;
  std::string out(where.text());
  size_t at = where.start.byte;
  while (at > 0 && source[at - 1] == ' ') --at;
  bool bracketed = at >= 2 && source[at - 1] == '{' && source[at - 2] == '$';
  if (!bracketed) return "${" + out + "}";
  out = "${" + std::string(source.substr(at, where.start.byte - at)) + out;
  for (size_t i = where.end.byte + 1; i < source.size(); ++i) {
    if (source[i] == ' ') continue;
    if (source[i] == '}') out += source.substr(where.end.byte, i - where.end.byte);
    break;
  }
  return out + "}";
}

}  // namespace

Value Evaluator::growing_name(const Scope& from, const ScopeTraversalExpr& e) const {
  if (!e.steps.empty() && e.steps[0].attribute) {
    auto it = from.growing->find(e.steps[0].name);
    if (it != from.growing->end()) return walk(it->second, e.steps, 1);
  }
  return walk(Value::object(Value::Entries(from.growing->begin(), from.growing->end())), e.steps);
}

Value Evaluator::name(const ScopeTraversalExpr& e) const {
  const Value* root = nullptr;
  bool any_names = false, as_text = false;
  for (auto* s = scope; s && !root; s = s->parent) {
    if (s->growing && s->growing_name == e.root) return growing_name(*s, e);
    for (auto& [key, value] : s->variables) {
      any_names = true;
      if (key == e.root) {
        root = &value;
        break;
      }
    }
    as_text = as_text || s->undefined_as_text;
  }
  if (root) return walk(*root, e.steps);
  if (as_text) return Value::string(undefined_text(e.range));
  if (!any_names) {
    diagnostics.add("Variables not allowed", "Variables may not be used here.", e.root_range);
    return {};
  }
  std::vector<std::string> names;
  for (auto* s = scope; s; s = s->parent) {
    for (auto& v : s->variables) names.push_back(v.first);
  }
  diagnostics.add("Unknown variable",
                  fmt::format("There is no variable named \"{}\".{}", e.root, did_you_mean(e.root, names)), e.root_range);
  return {};
}

// Appends the text of a template part; false when the result is not known.
// Appends what a part of a template gives. What is unsuitable is left out and told; false for what is not known.
bool Evaluator::append_part(const Value& value, const Range& where, const PartTexts& texts, std::string& out) const {
  constexpr const char* kSummary = "Invalid template interpolation value";
  if (value.is_null()) {
    diagnostics.add(kSummary, fmt::format("{} is null. Cannot include a null value in a string template.", texts.subject), where);
    return true;
  }
  if (value.is_usable() && value.is(Kind::kString)) {
    out += value.as_string();
    return true;
  }
  if (!value.is_known()) return false;
  auto converted = convert(value, Type::string());
  if (!converted) diagnostics.add(kSummary, fmt::format("Cannot include {}: {}.", texts.inclusion, converted.error()), where);
  else out += converted->as_string();
  return true;
}

Value Evaluator::text(const TemplateExpr& e) const {
  static constexpr PartTexts kTexts{"The expression result", "the given value in a string template"};
  if (e.parts.size() == 1 && e.parts[0]->kind == ExprKind::kLiteral) return static_cast<LiteralExpr&>(*e.parts[0]).value;
  std::string out;
  bool known = true;
  for (auto& part : e.parts) {
    known &= append_part(eval(*part), part->range, kTexts, out);
    if (out.size() > kMaxTextBytes) break;
  }
  if (!spend(0, out.size(), e)) return {};
  return known ? Value::string(std::move(out)) : Value::unknown(Type::string());
}

Value Evaluator::loop(const TemplateLoopExpr& e) const {
  static constexpr PartTexts kTexts{"An iteration result", "one of the interpolation results into the string template"};
  Value items = eval(*e.loop);
  if (!items.is_usable() || !items.is_sequence()) return Value::unknown(Type::string());
  std::string out;
  bool known = true;
  for (auto& item : items.elements()) {
    known = append_part(item, e.loop->range, kTexts, out);
    if (!known || out.size() > kMaxTextBytes) break;
  }
  if (!spend(0, out.size(), e)) return {};
  return known ? Value::string(std::move(out)) : Value::unknown(Type::string());
}

Value Evaluator::splat(const SplatExpr& e) const {
  size_t before = diagnostics.size();
  Value source = eval(*e.source);
  if (diagnostics.size() != before || !source.is_known()) return {};
  if (source.is_null() && source.is_sequence()) {
    diagnostics.add("Splat of null value", "Splat expressions (with the * symbol) cannot be applied to null sequences.", e.source->range,
                    range_between(e.source->range, e.marker));
    return {};
  }
  if (source.is_null()) return Value::tuple({});
  Value::Elements single{source};
  const Value::Elements& from = source.is_sequence() ? source.elements() : single;
  Value::Elements out;
  for (auto& element : from) {
    Item item{items, e.slot, &element};
    out.push_back(Evaluator{scope, diagnostics, &item}.eval(*e.each));
  }
  bool uniform = source.is(Kind::kList) || source.is(Kind::kSet);
  if (diagnostics.size() != before) {
    std::vector<Type> types;
    for (auto& v : out) types.push_back(v.type());
    return Value::unknown(uniform ? Type::list(types[0]) : Type::tuple(std::move(types)));
  }
  if (uniform && out.empty()) {
    // What the elements would be.
    Value nothing = Value::unknown(source.type().element());
    Item item{items, e.slot, &nothing};
    return Value::list(Evaluator{scope, diagnostics, &item}.eval(*e.each).type(), {});
  }
  if (uniform &&
      std::all_of(out.begin(), out.end(), [&](auto& v) { return v.type() == out[0].type(); })) {
    Type element = out[0].type();
    return Value::list(std::move(element), std::move(out));
  }
  return Value::tuple(std::move(out));
}

Value Evaluator::object(const ObjectExpr& e) const {
  Value::Entries out;
  bool known = true;
  for (auto& item : e.items) {
    std::string key = keyword_of(*item.key);
    if (!key.empty()) {
      out.emplace_back(std::move(key), eval(*item.value));
      continue;
    }
    if (item.key->kind == ExprKind::kScopeTraversal) {
      diagnostics.add("Ambiguous attribute key",
                      "If this expression is intended to be a reference, wrap it in parentheses. If it's instead intended "
                      "as a literal name containing periods, wrap it in quotes to create a string literal.", item.key->range);
      known = false;
      eval(*item.value);
      continue;
    }
    size_t before = diagnostics.size();
    Value name = eval(*item.key);
    bool wrong = diagnostics.size() != before;
    Value value = eval(*item.value);
    if (wrong) {
      known = false;
      continue;
    }
    if (name.is_null()) {
      diagnostics.add("Null value as key", "Can't use a null value as a key.", item.value->range);
      known = false;
      continue;
    }
    auto text = convert(name, Type::string());
    if (!text) {
      diagnostics.add("Incorrect key type", fmt::format("Can't use this value as a key: {}.", text.error()), item.key->range);
      known = false;
    } else if (!text->is_known()) {
      known = false;
    } else {
      out.emplace_back(text->as_string(), std::move(value));
    }
  }
  return known ? Value::object(std::move(out)) : Value();
}

// Whether an element passes the `if` clause; nullopt when that is not known.
// Whether the condition can hold at all, judged once with elements that are not known.
bool Evaluator::check_condition(const ForExpr& e) const {
  Scope child{scope, {}, nullptr, false};
  if (!e.key_name.empty()) child.set(e.key_name, Value());
  child.set(e.value_name, Value());
  size_t before = diagnostics.size();
  Value value = Evaluator{&child, diagnostics, items}.eval(*e.condition);
  if (value.is_null()) {
    diagnostics.add("Condition is null", "The value of the 'if' clause must not be null.", e.condition->range, e.range);
    return false;
  }
  if (auto wanted = convert(value, Type::boolean()); !wanted) {
    diagnostics.add("Invalid 'for' condition", fmt::format("The 'if' clause value is invalid: {}.", wanted.error()), e.condition->range, e.range);
    return false;
  }
  return diagnostics.size() == before;
}

// Of several wrong rounds the first is told: `known` turns false, and the rest is not judged.
std::optional<bool> Evaluator::for_condition(const ForExpr& e, const Evaluator& inner, bool& known) const {
  if (!e.condition) return true;
  auto refuse = [&](std::string detail) {
    if (std::exchange(known, false)) diagnostics.add("Invalid 'for' condition", std::move(detail), e.condition->range, e.range);
    return std::nullopt;
  };
  Value value = inner.eval(*e.condition);
  if (value.is_null()) return refuse("The value of the 'if' clause must not be null.");
  if (!e.key && !value.is_known()) {
    known = false;
    return std::nullopt;
  }
  auto wanted = convert(value, Type::boolean());
  if (!wanted) return refuse(fmt::format("The 'if' clause value is invalid: {}.", wanted.error()));
  if (wanted->is_known()) return wanted->as_bool();
  known = false;
  return std::nullopt;
}

std::optional<std::string> Evaluator::for_key(const ForExpr& e, const Evaluator& inner, bool& known) const {
  auto refuse = [&](std::string detail) {
    if (std::exchange(known, false)) diagnostics.add("Invalid object key", std::move(detail), e.key->range, e.range);
    return std::nullopt;
  };
  Value value = inner.eval(*e.key);
  if (value.is_null()) return refuse("Key expression in 'for' expression must not produce a null value.");
  if (!value.is_known()) {
    known = false;
    return std::nullopt;
  }
  auto key = convert(value, Type::string());
  if (!key) return refuse(fmt::format("The key expression produced an invalid result: {}.", key.error()));
  return key->as_string();
}

Value Evaluator::for_each(const ForExpr& e) const {
  Value collection = eval(*e.collection);
  if (collection.is_null()) {
    diagnostics.add("Iteration over null value", "A null value cannot be used as the collection in a 'for' expression.", e.collection->range);
    return {};
  }
  if (!collection.is(Kind::kDynamic) && !collection.is_sequence() && !collection.is_mapping()) {
    diagnostics.add("Iteration over non-iterable value",
                    fmt::format("A value of type {} cannot be used as the collection in a 'for' expression.", collection.type().name()),
                    e.collection->range);
    return {};
  }
  if (!collection.is_known() || !spend(collection.size(), 0, e)) return {};
  if (e.condition && !check_condition(e)) return {};

  Scope child{scope, {}, nullptr, false};
  Evaluator inner{&child, diagnostics, items};
  Value::Elements list;
  std::map<std::string, Value::Elements> groups;
  bool known = true;
  visit_elements(collection, [&](Value key, const Value& value) {
    if (!known && !spend(0, 0, e)) return;
    if (!e.key_name.empty()) child.set(e.key_name, std::move(key));
    child.set(e.value_name, value);
    auto keep = for_condition(e, inner, known);
    if (!keep || !*keep) return;
    if (!e.key) {
      list.push_back(inner.eval(*e.value));
      if (!list.back().is_known() && !spend(0, 0, e)) known = false;
      return;
    }
    auto name = for_key(e, inner, known);
    if (!name) return;
    Value result = inner.eval(*e.value);
    auto& group = groups[*name];
    if (!group.empty() && !e.group) {
      diagnostics.add("Duplicate object key",
                      fmt::format("Two different items produced the key \"{}\" in this 'for' expression. If duplicates are "
                                  "expected, use the ellipsis (...) after the value expression to enable grouping by key.", *name),
                      e.key->range);
      return;
    }
    group.push_back(std::move(result));
  });
  if (!known) return {};
  if (!e.key) return Value::tuple(std::move(list));
  Value::Entries entries;
  for (auto& [name, values] : groups) {
    entries.emplace_back(name, e.group ? Value::tuple(std::move(values)) : std::move(values[0]));
  }
  return Value::object(std::move(entries));
}

// A null literal is of the other side's type.
std::optional<Type> Evaluator::conditional_type(const Value& yes, const Value& no) {
  auto bare_null = [](const Value& v) { return v.is_null() && v.is(Kind::kDynamic); };
  if (bare_null(yes)) return no.type();
  if (bare_null(no)) return yes.type();
  if (yes.is(Kind::kDynamic) || no.is(Kind::kDynamic)) return Type::dynamic();
  return unify({yes.type(), no.type()});
}

Value Evaluator::conditional(const ConditionalExpr& e) const {
  Diagnostics true_diagnostics, false_diagnostics;
  Value yes = Evaluator{scope, true_diagnostics, items}.eval(*e.if_true);
  Value no = Evaluator{scope, false_diagnostics, items}.eval(*e.if_false);
  auto type = conditional_type(yes, no);
  if (!type) {
    diagnostics.add("Inconsistent conditional result types",
                    fmt::format("The true and false result expressions must have consistent types. The given expressions are "
                                "{} and {}, respectively.", yes.type().name(), no.type().name()),
                    range_between(e.if_true->range, e.if_false->range), e.range);
    return {};
  }
  Value condition = eval(*e.condition);
  if (condition.is_null()) {
    diagnostics.add("Null condition", "The condition value is null. Conditions must either be true or false.", e.condition->range, e.range);
    return Value::unknown(*type);
  }
  if (!condition.is_known()) return Value::unknown(*type);
  auto choice = convert(condition, Type::boolean());
  if (!choice) {
    diagnostics.add("Incorrect condition type", "The condition expression must be of type bool.", e.condition->range, e.range);
    return Value::unknown(*type);
  }
  bool take = choice->as_bool();
  diagnostics.append(take ? true_diagnostics : false_diagnostics);
  auto result = convert(take ? yes : no, *type);
  if (!result) {
    diagnostics.add("Inconsistent conditional result types",
                    fmt::format("The {} result value has the wrong type: {}.", take ? "true" : "false", result.error()),
                    take ? e.if_true->range : e.if_false->range, e.range);
    return Value::unknown(*type);
  }
  return std::move(*result);
}

namespace {

Type operand_type(Operator op) {
  switch (op) {
    case Operator::kOr: case Operator::kAnd: case Operator::kNot: return Type::boolean();
    case Operator::kEqual: case Operator::kNotEqual: return Type::dynamic();
    default: return Type::number();
  }
}

Type result_type(Operator op) {
  switch (op) {
    case Operator::kAdd: case Operator::kSubtract: case Operator::kMultiply: case Operator::kDivide: case Operator::kModulo:
    case Operator::kNegate: return Type::number();
    default: return Type::boolean();
  }
}

std::expected<Value, std::string> apply_numbers(Operator op, const Number& a, const Number& b) {
  switch (op) {
    case Operator::kLess: return Value::boolean(a < b);
    case Operator::kLessEqual: return Value::boolean(!(b < a));
    case Operator::kGreater: return Value::boolean(b < a);
    case Operator::kGreaterEqual: return Value::boolean(!(a < b));
    case Operator::kAdd:
      if (a.is_infinite() && b.is_infinite() && a.sign() != b.sign()) return std::unexpected("can't compute sum of opposing infinities");
      return Value::number(a + b);
    case Operator::kSubtract:
      if (a.is_infinite() && b.is_infinite() && a.sign() == b.sign()) return std::unexpected("can't subtract infinity from itself");
      return Value::number(a - b);
    case Operator::kMultiply:
      if ((a.is_zero() && b.is_infinite()) || (a.is_infinite() && b.is_zero())) return std::unexpected("can't multiply zero by infinity");
      return Value::number(a * b);
    case Operator::kDivide:
      if ((a.is_zero() && b.is_zero()) || (a.is_infinite() && b.is_infinite())) {
        return std::unexpected("can't divide zero by zero or infinity by infinity");
      }
      return Value::number(a / b);
    case Operator::kModulo:
      if (a.is_infinite()) return std::unexpected("can't use modulo with zero and infinity");
      return Value::number(a % b);
    default: return std::unexpected("not a number operator");
  }
}

}  // namespace

Value Evaluator::binary(const BinaryExpr& e) const {
  size_t before = diagnostics.size();
  Value left = eval(*e.left), right = eval(*e.right);
  Type type = operand_type(e.op);
  auto take = [&](Value& value, const Expr& from, const char* side) {
    auto converted = convert(value, type);
    if (!converted) {
      diagnostics.add("Invalid operand", fmt::format("Unsuitable value for {} operand: {}.", side, converted.error()), from.range, e.range);
      return;
    }
    value = std::move(*converted);
  };
  take(left, *e.left, "left");
  take(right, *e.right, "right");
  // Errors leave something of the result's type, which the operators around judge.
  Value unknown = Value::unknown(result_type(e.op));
  if (diagnostics.size() != before) return unknown;
  if (type.is(Kind::kDynamic)) {
    Value equal = equals(left, right);
    if (!equal.is_known()) return equal;
    return Value::boolean(equal.as_bool() == (e.op == Operator::kEqual));
  }
  if (left.is_null() || right.is_null()) {
    diagnostics.add("Operation failed", "Error during operation: argument must not be null.", e.range);
    return unknown;
  }
  if (!left.is_known() || !right.is_known()) return unknown;
  if (e.op == Operator::kOr) return Value::boolean(left.as_bool() || right.as_bool());
  if (e.op == Operator::kAnd) return Value::boolean(left.as_bool() && right.as_bool());
  auto result = apply_numbers(e.op, left.as_number(), right.as_number());
  if (!result) {
    diagnostics.add("Operation failed", fmt::format("Error during operation: {}.", result.error()), e.range);
    return unknown;
  }
  return std::move(*result);
}

Value Evaluator::unary(const UnaryExpr& e) const {
  size_t before = diagnostics.size();
  Value unknown = Value::unknown(operand_type(e.op));
  auto value = convert(eval(*e.operand), operand_type(e.op));
  if (!value) {
    diagnostics.add("Invalid operand", fmt::format("Unsuitable value for unary operand: {}.", value.error()), e.operand->range, e.range);
    return unknown;
  }
  if (diagnostics.size() != before) return unknown;
  if (value->is_null()) {
    diagnostics.add("Operation failed", "Error during operation: argument must not be null.", e.range);
    return unknown;
  }
  if (!value->is_known()) return unknown;
  return e.op == Operator::kNot ? Value::boolean(!value->as_bool()) : Value::number(-value->as_number());
}

std::string keyword_of(const Expr& expr) {
  if (expr.kind == ExprKind::kScopeTraversal) {
    auto& e = static_cast<const ScopeTraversalExpr&>(expr);
    return e.steps.empty() ? e.root : "";
  }
  if (expr.kind == ExprKind::kLiteral) {
    auto& value = static_cast<const LiteralExpr&>(expr).value;
    if (value.is_null()) return "null";
    if (value.is_usable() && value.is(Kind::kBool)) return value.as_bool() ? "true" : "false";
  }
  if (expr.kind == ExprKind::kJson) return json_keyword(expr);
  return "";
}

namespace {

using Bound = std::vector<std::string_view>;

void collect(const Expr& expr, Bound& bound, std::vector<const Reference*>& out) {
  auto visit = [&](const ExprPtr& e) {
    if (e) collect(*e, bound, out);
  };
  switch (expr.kind) {
    case ExprKind::kScopeTraversal: {
      auto& e = static_cast<const ScopeTraversalExpr&>(expr);
      if (std::find(bound.begin(), bound.end(), e.root) == bound.end()) out.push_back(&e);
      return;
    }
    case ExprKind::kTemplate:
      for (auto& p : static_cast<const TemplateExpr&>(expr).parts) visit(p);
      return;
    case ExprKind::kTemplateWrap: return visit(static_cast<const TemplateWrapExpr&>(expr).wrapped);
    case ExprKind::kTemplateLoop: return visit(static_cast<const TemplateLoopExpr&>(expr).loop);
    case ExprKind::kRelativeTraversal: return visit(static_cast<const RelativeTraversalExpr&>(expr).source);
    case ExprKind::kIndex:
      visit(static_cast<const IndexExpr&>(expr).collection);
      return visit(static_cast<const IndexExpr&>(expr).key);
    case ExprKind::kSplat:
      visit(static_cast<const SplatExpr&>(expr).source);
      return visit(static_cast<const SplatExpr&>(expr).each);
    case ExprKind::kCall:
      for (auto& a : static_cast<const CallExpr&>(expr).args) visit(a);
      return;
    case ExprKind::kTuple:
      for (auto& i : static_cast<const TupleExpr&>(expr).items) visit(i);
      return;
    case ExprKind::kObject:
      for (auto& i : static_cast<const ObjectExpr&>(expr).items) {
        if (keyword_of(*i.key).empty()) visit(i.key);
        visit(i.value);
      }
      return;
    case ExprKind::kFor: {
      auto& e = static_cast<const ForExpr&>(expr);
      visit(e.collection);
      size_t size = bound.size();
      bound.push_back(e.key_name);
      bound.push_back(e.value_name);
      visit(e.key);
      visit(e.value);
      visit(e.condition);
      bound.resize(size);
      return;
    }
    case ExprKind::kConditional: {
      auto& e = static_cast<const ConditionalExpr&>(expr);
      visit(e.condition);
      visit(e.if_true);
      return visit(e.if_false);
    }
    case ExprKind::kBinary:
      visit(static_cast<const BinaryExpr&>(expr).left);
      return visit(static_cast<const BinaryExpr&>(expr).right);
    case ExprKind::kUnary: return visit(static_cast<const UnaryExpr&>(expr).operand);
    case ExprKind::kParens: return visit(static_cast<const ParensExpr&>(expr).inner);
    case ExprKind::kLiteral: case ExprKind::kItem: case ExprKind::kJson: return;
  }
}

}  // namespace

void collect_references(const Expr& expr, std::vector<const Reference*>& out) {
  Bound bound;
  collect(expr, bound, out);
}

}  // namespace drover::hcl
