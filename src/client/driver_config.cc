#include "client/driver_config.h"

#include <memory>

#include "base/strings.h"
#include "hcl/functions.h"
#include "hcl/parser.h"

namespace drover::client {

namespace {

// Names nested at their dots.
struct Tree {
  std::map<std::string, Tree> below;
  std::optional<std::string> text;

  hcl::Value value() const {
    if (below.empty()) return hcl::Value::string(text.value_or(""));
    hcl::Value::Entries entries;
    for (auto& [name, child] : below) entries.emplace_back(name, child.value());
    return hcl::Value::object(std::move(entries));
  }
};

void plant(Tree& root, const std::string& name, const std::string& text) {
  auto parts = split(name, '.');
  for (auto& part : parts)
    if (part.empty()) return;
  auto* at = &root;
  for (auto& part : parts) at = &at->below[part];
  at->text = text;
}

hcl::Value object_of(const std::map<std::string, std::string>& entries) {
  hcl::Value::Entries out;
  for (auto& [key, text] : entries) out.emplace_back(key, hcl::Value::string(text));
  return hcl::Value::object(std::move(out));
}

Result<Value> from_hcl(const hcl::Value& value) {
  if (!value.is_known()) return invalid("failed to parse config: a value is not known");
  if (value.is_null()) return Value();
  if (value.is_mapping()) {
    Value::Object out = Value::Object::empty_map();
    for (auto& [key, v] : value.entries()) {
      DROVER_TRY(auto one, from_hcl(v));
      out.set(key, std::move(one));
    }
    return Value(std::move(out));
  }
  if (value.is_sequence()) {
    Value::Array out = Value::Array::empty_list();
    for (auto& v : value.elements()) {
      DROVER_TRY(auto one, from_hcl(v));
      out.push_back(std::move(one));
    }
    return Value(std::move(out));
  }
  if (value.is(hcl::Kind::kBool)) return Value(value.as_bool());
  if (value.is(hcl::Kind::kNumber)) {
    if (auto whole = value.as_number().to_int64()) return Value(*whole);
    return Value(value.as_number().to_double());
  }
  return Value(value.as_string());
}

bool has_template(std::string_view text) {
  return text.find("${") != std::string_view::npos || text.find("%{") != std::string_view::npos;
}

class Evaluator {
 public:
  explicit Evaluator(const RunEnv& env) : env_(env) {}

  Result<Value> evaluate(const Value& value) {
    if (auto* text = value.as_string()) return has_template(*text) ? evaluate_text(*text) : Result<Value>(value);
    if (auto* list = value.as_array()) {
      Value::Array out = Value::Array::empty_list();
      for (auto& v : *list) {
        DROVER_TRY(auto one, evaluate(v));
        out.push_back(std::move(one));
      }
      return Value(std::move(out));
    }
    if (auto* object = value.as_object()) return evaluate_object(*object);
    return value;
  }

  Result<Value> evaluate_object(const Map<Value>& object) {
    Value::Object out = Value::Object::empty_map();
    for (auto& [key, v] : object) {
      DROVER_TRY(auto one, evaluate(v));
      auto name = key;
      if (has_template(key)) {
        DROVER_TRY(auto evaluated, evaluate_text(key));
        if (auto* text = evaluated.as_string()) name = *text;
      }
      out.set(name, std::move(one));
    }
    return Value(std::move(out));
  }

 private:
  Result<Value> evaluate_text(const std::string& text) {
    if (!scope_) {
      scope_ = std::make_unique<hcl::Scope>();
      scope_->functions = &functions_;
      for (auto& [name, value] : driver_config_names(env_)) scope_->set(name, std::move(value));
    }
    hcl::Source source{"", text};
    hcl::Diagnostics diagnostics;
    auto expr = hcl::parse_template(source, {}, diagnostics);
    hcl::Value value;
    if (expr) value = hcl::evaluate(*expr, scope_.get(), diagnostics);
    if (diagnostics.empty()) return from_hcl(value);
    // The shape that decode_config's complaints have.
    auto out = std::to_string(diagnostics.size() + 1) + " errors occurred:\n\t* failed to parse config: ";
    for (auto& d : diagnostics) out += "\n\t* " + d.summary + ": " + d.detail;
    return invalid(out + "\n\n");
  }

  const RunEnv& env_;
  hcl::Functions functions_{hcl::FunctionHost{}};
  std::unique_ptr<hcl::Scope> scope_;
};

}  // namespace

std::vector<std::pair<std::string, hcl::Value>> driver_config_names(const RunEnv& env) {
  Tree root;
  for (auto& [name, text] : env.vars) plant(root, name, text);
  for (auto& [name, text] : env.node) plant(root, name, text);
  // node.attr and node.meta are the same things as attr and meta.
  for (auto* part : {"attr", "meta"})
    if (auto it = root.below.find(part); it != root.below.end()) root.below["node"].below[part] = it->second;
  std::vector<std::pair<std::string, hcl::Value>> out;
  for (auto& [name, tree] : root.below) out.emplace_back(name, tree.value());
  std::erase_if(out, [](auto& entry) { return entry.first == "env"; });
  out.emplace_back("env", object_of(env.vars));
  return out;
}

Result<Value> evaluate_driver_config(const Map<Value>& config, const RunEnv& env) {
  return Evaluator(env).evaluate_object(config);
}

}  // namespace drover::client
