#include "drivers/config_schema.h"

#include <cmath>

#include "base/strings.h"

namespace drover::drivers {
namespace {

using Kind = ConfigType::Kind;
using Diagnostics = std::vector<std::string>;

// Shortest text that reads back as the number, as HCL turns numbers into strings.
std::string number_text(const Value& v) {
  if (auto* i = v.as_int()) return std::to_string(*i);
  double d = *v.as_double();
  if (d == std::trunc(d) && std::fabs(d) < 1e15) return std::to_string(static_cast<int64_t>(d));
  return format_double(d);
}

bool is_number(const Value& v) { return v.as_int() || v.as_double(); }

// Converts to a primitive type by HCL's rules; what is wrong goes to `wrong`.
Value convert_primitive(Kind kind, const Value& v, std::string& wrong) {
  if (kind == Kind::kString) {
    if (v.as_string()) return v;
    if (auto* b = v.as_bool()) return Value(*b ? "true" : "false");
    if (is_number(v)) return Value(number_text(v));
    wrong = "string required";
  } else if (kind == Kind::kNumber) {
    if (is_number(v)) return v;
    if (auto* s = v.as_string()) {
      if (auto i = parse_int(*s)) return Value(*i);
      if (auto d = parse_double(*s)) return Value(*d);
    }
    wrong = "a number is required";
  } else {
    if (v.as_bool()) return v;
    if (auto* s = v.as_string()) {
      if (*s == "true" || *s == "1") return Value(true);
      if (*s == "false" || *s == "0") return Value(false);
    }
    wrong = "a bool is required";
  }
  return {};
}

Value convert(const ConfigType& type, const Value& v, std::string& wrong);

Value convert_list(const ConfigType& type, const Value& v, std::string& wrong) {
  const Value::Array* items = v.as_array();
  Value::Array out = Value::Array::empty_list();
  if (!items && type.element->kind == Kind::kMap && v.as_object()) {
    // list(map(...)) takes one block or attribute map as a list of one.
    Value one = convert(*type.element, v, wrong);
    out.push_back(std::move(one));
    return Value(std::move(out));
  }
  if (!items) {
    wrong = "list of " + to_string(*type.element) + " required";
    return {};
  }
  for (size_t i = 0; i < items->size() && wrong.empty(); i++) {
    out.push_back(convert(*type.element, (*items)[i], wrong));
    if (!wrong.empty()) wrong = "element " + std::to_string(i) + ": " + wrong;
  }
  return Value(std::move(out));
}

Value convert_map(const ConfigType& type, const Value& v, std::string& wrong) {
  const Value::Object* entries = v.as_object();
  // A block written in HCL arrives as a list of one object.
  if (auto* list = v.as_array(); list && list->size() == 1) entries = (*list)[0].as_object();
  if (!entries) {
    wrong = "map of " + to_string(*type.element) + " required";
    return {};
  }
  Value::Object out = Value::Object::empty_map();
  for (auto& [key, value] : *entries) {
    out.set(key, convert(*type.element, value, wrong));
    if (wrong.empty()) continue;
    wrong = "element " + go_quote(key) + ": " + wrong;
    break;
  }
  return Value(std::move(out));
}

Value convert(const ConfigType& type, const Value& v, std::string& wrong) {
  if (v.is_nil() || type.kind == Kind::kAny) return v;
  if (type.kind == Kind::kList) return convert_list(type, v, wrong);
  if (type.kind == Kind::kMap) return convert_map(type, v, wrong);
  return convert_primitive(type.kind, v, wrong);
}

Value decode_object(const ConfigSpec& spec, const Value::Object* config, Diagnostics& diagnostics);

Value decode_attr(const ConfigField& f, const Value* v, Diagnostics& diagnostics) {
  if (!v || v->is_nil()) {
    if (f.required)
      diagnostics.push_back("Missing required argument: The argument \"" + f.name +
                            "\" is required, but no definition was found.");
    return f.fallback;
  }
  std::string wrong;
  Value out = convert(f.type, *v, wrong);
  if (!wrong.empty())
    diagnostics.push_back("Incorrect attribute value type: Inappropriate value for attribute \"" + f.name + "\": " + wrong + ".");
  return out;
}

// A block is an object, or a list of objects when it is repeated.
std::vector<const Value::Object*> blocks_of(const ConfigField& f, const Value* v, Diagnostics& diagnostics) {
  std::vector<const Value::Object*> out;
  if (!v || v->is_nil()) return out;
  if (auto* one = v->as_object()) {
    out.push_back(one);
  } else if (auto* list = v->as_array()) {
    for (auto& item : *list)
      if (auto* o = item.as_object()) out.push_back(o);
    if (out.size() != list->size()) diagnostics.push_back("Incorrect JSON value type: A JSON object is required here, to represent the \"" + f.name + "\" block.");
  } else {
    diagnostics.push_back("Incorrect JSON value type: Either a JSON object or a JSON array is required, representing the contents of one or more \"" + f.name + "\" blocks.");
  }
  return out;
}

Value decode_block(const ConfigField& f, const Value* v, Diagnostics& diagnostics) {
  auto blocks = blocks_of(f, v, diagnostics);
  if (f.kind == ConfigField::Kind::kBlockList) {
    Value::Array out = Value::Array::empty_list();
    for (auto* b : blocks) out.push_back(decode_object(f.nested, b, diagnostics));
    return Value(std::move(out));
  }
  if (blocks.size() > 1)
    diagnostics.push_back("Duplicate " + f.name + " block: Only one block of type \"" + f.name + "\" is allowed.");
  if (blocks.empty()) {
    if (f.required)
      diagnostics.push_back("Missing " + f.name + " block: A block of type \"" + f.name + "\" is required here.");
    return f.fallback;
  }
  return decode_object(f.nested, blocks[0], diagnostics);
}

Value decode_object(const ConfigSpec& spec, const Value::Object* config, Diagnostics& diagnostics) {
  Value::Object out = Value::Object::empty_map();
  for (auto& f : spec) {
    const Value* v = config ? config->find(f.name) : nullptr;
    out.set(f.name, f.kind == ConfigField::Kind::kAttr ? decode_attr(f, v, diagnostics) : decode_block(f, v, diagnostics));
  }
  if (!config) return Value(std::move(out));
  for (auto& [key, value] : *config) {
    bool known = false;
    for (auto& f : spec) known = known || f.name == key;
    if (!known) diagnostics.push_back("Invalid label: No argument or block type is named \"" + key + "\".");
  }
  return Value(std::move(out));
}

const Value* member(const Value& config, std::string_view key) {
  auto* o = config.as_object();
  return o ? o->find(key) : nullptr;
}

}  // namespace

std::string to_string(const ConfigType& type) {
  switch (type.kind) {
    case Kind::kString: return "string";
    case Kind::kNumber: return "number";
    case Kind::kBool: return "bool";
    case Kind::kAny: return "any";
    case Kind::kList: return "list(" + to_string(*type.element) + ")";
    case Kind::kMap: return "map(" + to_string(*type.element) + ")";
  }
  return "any";
}

ConfigField attr(std::string name, ConfigType type, bool required) {
  ConfigField f;
  f.name = std::move(name);
  f.type = std::move(type);
  f.required = required;
  return f;
}

ConfigField attr_or(std::string name, ConfigType type, Value fallback) {
  ConfigField f = attr(std::move(name), std::move(type));
  f.fallback = std::move(fallback);
  return f;
}

ConfigField block(std::string name, ConfigSpec nested) {
  ConfigField f;
  f.name = std::move(name);
  f.kind = ConfigField::Kind::kBlock;
  f.nested = std::move(nested);
  return f;
}

ConfigField block_list(std::string name, ConfigSpec nested) {
  ConfigField f = block(std::move(name), std::move(nested));
  f.kind = ConfigField::Kind::kBlockList;
  return f;
}

DecodedConfig decode_config_diagnosed(const ConfigSpec& spec, const Value& config) {
  DecodedConfig out;
  if (!config.is_nil() && !config.as_object()) {
    out.diagnostics.push_back("Incorrect JSON value type: A JSON object is required here, setting the arguments for this block.");
    return out;
  }
  out.value = decode_object(spec, config.as_object(), out.diagnostics);
  return out;
}

Result<Value> decode_config(const ConfigSpec& spec, const Value& config) {
  DecodedConfig decoded = decode_config_diagnosed(spec, config);
  if (decoded.diagnostics.empty()) return std::move(decoded.value);
  // The shape of go-multierror, which is what operators see in task events.
  std::string text = std::to_string(decoded.diagnostics.size() + 1) + " errors occurred:\n\t* failed to parse config: ";
  for (auto& d : decoded.diagnostics) text += "\n\t* " + d;
  return invalid(text + "\n\n");
}

std::string config_string(const Value& config, std::string_view key) {
  auto* v = member(config, key);
  return v && v->as_string() ? *v->as_string() : std::string();
}

bool config_bool(const Value& config, std::string_view key) {
  auto* v = member(config, key);
  return v && v->as_bool() && *v->as_bool();
}

int64_t config_int(const Value& config, std::string_view key) {
  auto* v = member(config, key);
  double d = 0;
  if (!v) return 0;
  if (auto* i = v->as_int()) return *i;
  if (!v->number(d) || !(std::fabs(d) < 9e18)) return 0;
  return static_cast<int64_t>(d);
}

std::vector<std::string> config_strings(const Value& config, std::string_view key) {
  std::vector<std::string> out;
  auto* v = member(config, key);
  if (!v || !v->as_array()) return out;
  for (auto& item : *v->as_array())
    if (item.as_string()) out.push_back(*item.as_string());
  return out;
}

}  // namespace drover::drivers
