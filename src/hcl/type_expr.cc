#include "hcl/type_expr.h"

#include <fmt/format.h>

#include "hcl/eval_impl.h"
#include "hcl/json_impl.h"

namespace drover::hcl {

namespace {

constexpr const char* kSummary = "Invalid type specification";

std::optional<Type> complain(Diagnostics& diagnostics, std::string detail, const Range& where) {
  diagnostics.add(kSummary, std::move(detail), where);
  return std::nullopt;
}

std::optional<Type> parse_keyword(const std::string& word, bool allow_any, const Range& where, Diagnostics& diagnostics) {
  if (word == "bool") return Type::boolean();
  if (word == "string") return Type::string();
  if (word == "number") return Type::number();
  if (word == "any") {
    if (allow_any) return Type::dynamic();
    return complain(diagnostics, "The keyword \"any\" cannot be used in this type specification: an exact type is required.", where);
  }
  if (word == "list" || word == "set" || word == "map") {
    return complain(diagnostics, fmt::format("The {} type constructor requires one argument specifying the element type.", word), where);
  }
  if (word == "object") {
    return complain(diagnostics, "The object type constructor requires one argument specifying the attribute types and values as a map.", where);
  }
  if (word == "tuple") {
    return complain(diagnostics, "The tuple type constructor requires one argument specifying the element types as a list.", where);
  }
  return complain(diagnostics, fmt::format("The keyword \"{}\" is not a valid type specification.", word), where);
}

std::optional<Type> parse_object(const Expr& arg, bool allow_any, Diagnostics& diagnostics) {
  if (arg.kind != ExprKind::kObject) {
    return complain(diagnostics, "Object type constructor requires a map whose keys are attribute names and whose values are the "
                    "corresponding attribute types.", arg.range);
  }
  Type::Attributes attributes;
  bool good = true;
  for (auto& item : static_cast<const ObjectExpr&>(arg).items) {
    auto name = keyword_of(*item.key);
    if (name.empty()) {
      complain(diagnostics, "Object constructor map keys must be attribute names.", item.key->range);
      good = false;
      continue;
    }
    auto type = parse_type(*item.value, allow_any, diagnostics);
    good &= type.has_value();
    attributes.emplace_back(name, type.value_or(Type::dynamic()));
  }
  if (!good) return std::nullopt;
  return Type::object(std::move(attributes));
}

std::optional<Type> parse_tuple(const Expr& arg, bool allow_any, Diagnostics& diagnostics) {
  if (arg.kind != ExprKind::kTuple) {
    return complain(diagnostics, "Tuple type constructor requires a list of element types.", arg.range);
  }
  std::vector<Type> elements;
  bool good = true;
  for (auto& item : static_cast<const TupleExpr&>(arg).items) {
    auto type = parse_type(*item, allow_any, diagnostics);
    good &= type.has_value();
    elements.push_back(type.value_or(Type::dynamic()));
  }
  if (!good) return std::nullopt;
  return Type::tuple(std::move(elements));
}

// `where` is what a complaint about the whole points to.
std::optional<Type> parse_call(const CallExpr& call, bool allow_any, const Range& where, Diagnostics& diagnostics) {
  auto& name = call.name;
  if (name == "bool" || name == "string" || name == "number" || name == "any") {
    return complain(diagnostics, fmt::format("Primitive type keyword \"{}\" does not expect arguments.", name),
                    range_between(call.open, call.close));
  }
  bool collection = name == "list" || name == "set" || name == "map";
  if (!collection && name != "object" && name != "tuple") {
    return complain(diagnostics, fmt::format("Keyword \"{}\" is not a valid type constructor.", name), where);
  }
  if (call.args.size() != 1) {
    Range extra = call.args.empty() ? range_between(call.open, call.close)
                                    : range_between(call.args[1]->range, call.args.back()->range);
    Diagnostics text;
    parse_keyword(name, allow_any, extra, text);
    diagnostics.append(text);
    return std::nullopt;
  }
  if (name == "object") return parse_object(*call.args[0], allow_any, diagnostics);
  if (name == "tuple") return parse_tuple(*call.args[0], allow_any, diagnostics);
  auto element = parse_type(*call.args[0], allow_any, diagnostics);
  if (!element) return std::nullopt;
  return name == "list" ? Type::list(*element) : name == "set" ? Type::set(*element) : Type::map(*element);
}

}  // namespace

std::nullopt_t refuse_type(const Range& where, Diagnostics& diagnostics) {
  complain(diagnostics, "A type specification is either a primitive type keyword (bool, number, string) or a complex type "
           "constructor call, like list(string).", where);
  return std::nullopt;
}

std::optional<Type> parse_type(const Expr& expr, bool allow_any, Diagnostics& diagnostics) {
  if (auto word = expr.kind == ExprKind::kJson ? "" : keyword_of(expr); !word.empty())
    return parse_keyword(word, allow_any, expr.range, diagnostics);
  if (expr.kind == ExprKind::kCall) return parse_call(static_cast<const CallExpr&>(expr), allow_any, expr.range, diagnostics);
  if (expr.kind == ExprKind::kJson) {
    // In JSON a type is a string that holds a word or a call.
    auto inner = parse_json_string_expression(expr);
    if (auto word = inner ? keyword_of(*inner->expr) : ""; !word.empty()) return parse_keyword(word, allow_any, expr.range, diagnostics);
    if (inner && inner->expr->kind == ExprKind::kCall) {
      auto& call = static_cast<const CallExpr&>(*inner->expr);
      return parse_call(call, allow_any, expr.range, diagnostics);
    }
  }
  return refuse_type(expr.range, diagnostics);
}

}  // namespace drover::hcl
