// Function calls.
#include <fmt/format.h>

#include <algorithm>

#include "hcl/convert.h"
#include "hcl/eval_impl.h"
#include "hcl/functions.h"
#include "hcl/type_expr.h"

namespace drover::hcl {

// An argument as written, or an element of the expanded last one.
struct Evaluator::Argument {
  const Expr* expr = nullptr;
  Value value;
  Range where;  // the start of the expression; all of it for an expanded element
  Value get(const Evaluator& e) const { return expr ? e.eval(*expr) : value; }
};

bool Evaluator::gather_arguments(const CallExpr& e, std::vector<Argument>& out, bool& known) const {
  size_t plain = e.args.size() - (e.expand_last ? 1 : 0);
  for (size_t i = 0; i < plain; ++i) out.push_back({e.args[i].get(), {}, start_range(*e.args[i])});
  if (!e.expand_last) return true;
  constexpr const char* kSummary = "Invalid expanding argument value";
  const Expr& last = *e.args.back();
  size_t before = diagnostics.size();
  Value value = eval(last);
  if (diagnostics.size() != before) return false;
  if (value.is_null()) {
    diagnostics.add(kSummary, "The expanding argument (indicated by ...) must not be null.", last.range, e.range);
    return false;
  }
  if (!value.is(Kind::kDynamic) && !value.is_sequence()) {
    diagnostics.add(kSummary, "The expanding argument (indicated by ...) must be of a tuple, list, or set type.", last.range, e.range);
    return false;
  }
  if (!value.is_known()) {
    known = false;
    return true;
  }
  for (auto& element : value.elements()) out.push_back({nullptr, element, last.range});
  return true;
}

bool Evaluator::check_count(const CallExpr& e, const Function& f, const std::vector<Argument>& args) const {
  size_t wanted = f.parameters.size();
  if (args.size() < wanted) {
    diagnostics.add("Not enough function arguments",
                    fmt::format("Function \"{}\" expects {}{} argument(s). Missing value for \"{}\".", e.name,
                                f.rest ? "at least " : "", wanted, f.parameters[args.size()].name),
                    e.close, e.range);
    return false;
  }
  if (args.size() > wanted && !f.rest) {
    diagnostics.add("Too many function arguments", fmt::format("Function \"{}\" expects only {} argument(s).", e.name, wanted),
                    args[wanted].where, e.range);
    return false;
  }
  return true;
}

// Whether something that the argument mentions has no value (as a variable with a faulty one), so that its failure says nothing.
bool Evaluator::rests_on_unknown(const Argument& argument) const {
  if (!argument.expr) return false;
  std::vector<const Reference*> references;
  collect_references(*argument.expr, references);
  return std::any_of(references.begin(), references.end(), [&](auto* reference) {
    Diagnostics ignored;
    return !evaluate(*reference, scope, ignored).is_known() && ignored.empty();
  });
}

Value Evaluator::call(const CallExpr& e) const {
  const Functions* functions = nullptr;
  for (auto* s = scope; s && !functions; s = s->parent) functions = s->functions;
  if (!functions) {
    diagnostics.add("Function calls not allowed", "Functions may not be called here.", e.range);
    return {};
  }
  const Function* f = functions->find(e.name);
  if (!f) {
    std::vector<std::string> names;
    for (auto& known : function_table()) names.emplace_back(known.name);
    diagnostics.add("Call to unknown function",
                    fmt::format("There is no function named \"{}\".{}", e.name, did_you_mean(e.name, names)), e.name_range, e.range);
    return {};
  }
  std::vector<Argument> args;
  bool known = true;
  if (!gather_arguments(e, args, known) || !known || !check_count(e, *f, args)) return {};
  switch (f->special) {
    case Special::kTry: return call_try(e, args);
    case Special::kConvert: return call_convert(e, args);
    case Special::kCan: {
      Diagnostics ignored;
      args[0].get(Evaluator{scope, ignored, items});
      if (!ignored.empty() && rests_on_unknown(args[0])) return {};
      return Value::boolean(ignored.empty());
    }
    case Special::kNone: break;
  }
  return call_values(e, *f, *functions, args);
}

Value Evaluator::call_try(const CallExpr& e, const std::vector<Argument>& args) const {
  auto fail = [&](std::string_view why) {
    diagnostics.add("Error in function call", fmt::format("Call to function \"{}\" failed: {}.", e.name, why),
                    range_between(e.name_range, e.open), e.range);
    return Value();
  };
  if (args.empty()) return fail("at least one argument is required");
  std::string attempts = "no expression succeeded:\n";
  for (auto& arg : args) {
    Diagnostics tried;
    Value value = arg.get(Evaluator{scope, tried, items});
    if (tried.empty()) return value;
    if (rests_on_unknown(arg)) return {};
    for (auto& d : tried) {
      attempts += d.subject ? fmt::format("- {} (at {})\n  {}\n", d.summary, d.subject->str(), d.detail)
                            : fmt::format("- {}\n  {}\n", d.summary, d.detail);
    }
  }
  return fail(attempts + "\nAt least one expression must produce a successful result");
}

Value Evaluator::call_convert(const CallExpr& e, const std::vector<Argument>& args) const {
  size_t before = diagnostics.size();
  Value value = args[0].get(*this);
  if (!args[1].expr) {
    refuse_type(args[1].where, diagnostics);
    return {};
  }
  auto type = parse_type(*args[1].expr, true, diagnostics);
  if (!type || diagnostics.size() != before) return {};
  auto converted = hcl::convert(value, *type);
  if (!converted) {
    diagnostics.add("Invalid function argument", fmt::format("Invalid value for \"value\" parameter: {}.", converted.error()),
                    args[0].where, e.range);
    return {};
  }
  return std::move(*converted);
}

Value Evaluator::call_values(const CallExpr& e, const Function& f, const Functions& functions,
                             const std::vector<Argument>& args) const {
  auto parameter = [&](size_t i) -> const Parameter& { return i < f.parameters.size() ? f.parameters[i] : *f.rest; };
  auto refuse = [&](size_t i, std::string_view why) {
    diagnostics.add("Invalid function argument", fmt::format("Invalid value for \"{}\" parameter: {}.", parameter(i).name, why),
                    args[i].where, e.range);
  };
  // What the function itself refuses is told of the argument as it is written.
  auto refused = [&](size_t i, std::string_view why) {
    Range where = i < e.args.size() ? start_range(*e.args[i]) : args[std::min(f.parameters.size(), args.size() - 1)].where;
    diagnostics.add("Invalid function argument", fmt::format("Invalid value for \"{}\" parameter: {}.", parameter(i).name, why),
                    where, e.range);
  };
  size_t before = diagnostics.size();
  std::vector<Value> values;
  values.reserve(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    Value value = args[i].get(*this);
    auto converted = hcl::convert(value, parameter(i).type);
    if (!converted) refuse(i, converted.error());
    values.push_back(converted ? std::move(*converted) : Value());
  }
  if (diagnostics.size() != before) return {};
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_null() && !parameter(i).allow_null) {
      refused(i, "argument must not be null");
      return {};
    }
  }
  if (!std::all_of(values.begin(), values.end(), [](auto& v) { return v.is_wholly_known(); })) return {};
  auto result = f.call(values, functions.host());
  if (result) {
    bool text = result->is_usable() && result->is(Kind::kString);
    bool many = result->is_usable() && (result->is_sequence() || result->is_mapping());
    if (!spend(many ? result->size() : 0, text ? result->as_string().size() : 0, e)) return {};
    return std::move(*result);
  }
  auto& error = result.error();
  if (error.argument >= 0 && static_cast<size_t>(error.argument) < args.size()) {
    refused(static_cast<size_t>(error.argument), error.message);
  } else {
    diagnostics.add("Error in function call", fmt::format("Call to function \"{}\" failed: {}.", e.name, error.message),
                    range_between(e.name_range, e.open), e.range);
  }
  return {};
}

}  // namespace drover::hcl
