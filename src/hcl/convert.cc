#include "hcl/convert.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace drover::hcl {

namespace {

// Whether `from` may become `to`; a safe conversion cannot fail whatever the value.
bool convertible(const Type& from, const Type& to, bool safe_only) {
  if (to.is(Kind::kDynamic) || from == to) return true;
  if (from.is(Kind::kDynamic)) return !safe_only;
  if (from.is_primitive() && to.is_primitive()) {
    if (to.is(Kind::kString)) return true;
    return from.is(Kind::kString) && !safe_only;
  }
  auto all_elements = [&](const Type& element) {
    return std::all_of(from.elements().begin(), from.elements().end(),
                       [&](auto& t) { return convertible(t, element, safe_only); }) &&
           (!element.is(Kind::kDynamic) || unify(from.elements()));
  };
  switch (to.kind()) {
    case Kind::kList:
    case Kind::kSet:
      if (from.is(Kind::kTuple)) return all_elements(to.element());
      if (!from.is(Kind::kList) && !from.is(Kind::kSet)) return false;
      return convertible(from.element(), to.element(), safe_only);
    case Kind::kMap:
      if (from.is(Kind::kMap)) return convertible(from.element(), to.element(), safe_only);
      if (!from.is(Kind::kObject)) return false;
      if (to.element().is(Kind::kDynamic)) {
        std::vector<Type> types;
        for (auto& a : from.attributes()) types.push_back(a.second);
        return unify(types).has_value();
      }
      return std::all_of(from.attributes().begin(), from.attributes().end(),
                         [&](auto& a) { return convertible(a.second, to.element(), safe_only); });
    case Kind::kTuple:
      if (!from.is(Kind::kTuple) || from.elements().size() != to.elements().size()) return false;
      for (size_t i = 0; i < to.elements().size(); ++i) {
        if (!convertible(from.elements()[i], to.elements()[i], safe_only)) return false;
      }
      return true;
    case Kind::kObject:
      if (from.is(Kind::kMap)) {
        return !safe_only && std::all_of(to.attributes().begin(), to.attributes().end(),
                                         [&](auto& a) { return convertible(from.element(), a.second, false); });
      }
      if (!from.is(Kind::kObject)) return false;
      return std::all_of(to.attributes().begin(), to.attributes().end(), [&](auto& a) {
        auto* type = from.attribute(a.first);
        return type && convertible(*type, a.second, safe_only);
      });
    default:
      return false;
  }
}

std::string mismatch(const Type& from, const Type& to);

std::string mismatch_objects(const Type& from, const Type& to) {
  std::vector<std::string> missing;
  for (auto& [name, type] : to.attributes()) {
    if (!from.attribute(name)) missing.push_back(fmt::format("\"{}\"", name));
  }
  if (missing.size() == 1) return fmt::format("attribute {} is required", missing[0]);
  if (missing.size() == 2) return fmt::format("attributes {} and {} are required", missing[0], missing[1]);
  if (!missing.empty()) {
    std::string last = missing.back();
    missing.pop_back();
    return fmt::format("attributes {}, and {} are required", fmt::join(missing, ", "), last);
  }
  for (auto& [name, type] : to.attributes()) {
    if (!convertible(*from.attribute(name), type, false)) {
      return fmt::format("attribute \"{}\": {}", name, mismatch(*from.attribute(name), type));
    }
  }
  return "object required";
}

// Why `from` cannot become `to`, when the types alone say so.
std::string mismatch(const Type& from, const Type& to) {
  if (from.is(Kind::kObject) && to.is(Kind::kObject)) return mismatch_objects(from, to);
  if (from.is(Kind::kTuple) && (to.is(Kind::kList) || to.is(Kind::kSet))) {
    if (to.element().is(Kind::kDynamic)) {
      return fmt::format("all {} elements must have the same type", to.is(Kind::kList) ? "list" : "set");
    }
    for (size_t i = 0; i < from.elements().size(); ++i) {
      if (!convertible(from.elements()[i], to.element(), false)) {
        return fmt::format("element {}: {}", i, mismatch(from.elements()[i], to.element()));
      }
    }
  }
  if (from.is(Kind::kObject) && to.is(Kind::kMap)) {
    if (to.element().is(Kind::kDynamic)) return "all map elements must have the same type";
    for (auto& [name, type] : from.attributes()) {
      if (!convertible(type, to.element(), false)) {
        return fmt::format("element {}: {}", go_quote(name), mismatch(type, to.element()));
      }
    }
  }
  if (from.is_collection() && from.kind() == to.kind()) {
    auto* what = to.is(Kind::kList) ? "list" : to.is(Kind::kSet) ? "set" : "map";
    return fmt::format("incorrect {} element type: {}", what, mismatch(from.element(), to.element()));
  }
  return to.constraint_name() + " required";
}

using Converted = std::expected<Value, std::string>;

Converted parse_bool_text(const std::string& text) {
  if (text == "true" || text == "1") return Value::boolean(true);
  if (text == "false" || text == "0") return Value::boolean(false);
  static constexpr const char* kTrue[] = {"True", "TRUE"};
  static constexpr const char* kFalse[] = {"False", "FALSE"};
  for (auto* t : kTrue) {
    if (text == t) return std::unexpected("a bool is required; to convert from string, use lowercase \"true\"");
  }
  for (auto* t : kFalse) {
    if (text == t) return std::unexpected("a bool is required; to convert from string, use lowercase \"false\"");
  }
  return std::unexpected("a bool is required");
}

Converted convert_primitive(const Value& value, const Type& type) {
  switch (type.kind()) {
    case Kind::kString:
      return Value::raw_string(value.is(Kind::kNumber) ? value.as_number().str() : value.as_bool() ? "true" : "false");
    case Kind::kNumber: {
      auto number = Number::parse(value.as_string());
      if (!number) return std::unexpected("a number is required");
      return Value::number(*number);
    }
    default:
      return parse_bool_text(value.as_string());
  }
}

// The element type that a collection made of these types gets when the target leaves it open.
Type settle_element(const Type& wanted, std::vector<Type> types) {
  if (!wanted.is(Kind::kDynamic)) return wanted;
  return unify(types).value_or(Type::dynamic());
}

// The type of the elements after conversion: `wanted` with its open places filled from the first element.
Type settled(const Type& wanted, const Value::Elements& elements) {
  if (!wanted.has_dynamic() || elements.empty()) return wanted;
  return elements.front().type();
}

Converted to_sequence(const Value& value, const Type& type) {
  std::vector<Type> types;
  if (value.is(Kind::kTuple)) types = value.type().elements(); else types = {value.type().element()};
  Type element = settle_element(type.element(), std::move(types));
  Value::Elements out;
  out.reserve(value.size());
  for (auto& e : value.elements()) {
    auto c = convert(e, element);
    if (!c) return c;
    out.push_back(std::move(*c));
  }
  element = settled(element, out);
  return type.is(Kind::kList) ? Value::list(element, std::move(out)) : Value::set(element, std::move(out));
}

Converted to_map(const Value& value, const Type& type) {
  std::vector<Type> types;
  if (value.is(Kind::kMap)) types = {value.type().element()};
  else for (auto& a : value.type().attributes()) types.push_back(a.second);
  Type element = settle_element(type.element(), std::move(types));
  Value::Entries out;
  for (auto& [key, v] : value.entries()) {
    auto c = convert(v, element);
    if (!c) return c;
    out.emplace_back(key, std::move(*c));
  }
  if (element.has_dynamic() && !out.empty()) element = out.front().second.type();
  return Value::map(element, std::move(out));
}

Converted to_object(const Value& value, const Type& type) {
  Value::Entries out;
  for (auto& [name, wanted] : type.attributes()) {
    auto* v = value.find(name);
    if (!v) return std::unexpected(fmt::format("attribute \"{}\" is required", name));
    auto c = convert(*v, wanted);
    if (!c) return c;
    out.emplace_back(name, std::move(*c));
  }
  return Value::object(std::move(out));
}

Converted to_tuple(const Value& value, const Type& type) {
  Value::Elements out;
  for (size_t i = 0; i < type.elements().size(); ++i) {
    auto c = convert(value.elements()[i], type.elements()[i]);
    if (!c) return c;
    out.push_back(std::move(*c));
  }
  return Value::tuple(std::move(out));
}

}  // namespace

std::expected<Value, std::string> convert(const Value& value, const Type& type) {
  if (type.is(Kind::kDynamic) || value.type() == type) return value;
  if (!convertible(value.type(), type, false)) return std::unexpected(mismatch(value.type(), type));
  if (value.is_null()) return Value::null(type);
  if (!value.is_known()) return Value::unknown(type);
  switch (type.kind()) {
    case Kind::kList: case Kind::kSet: return to_sequence(value, type);
    case Kind::kMap: return to_map(value, type);
    case Kind::kObject: return to_object(value, type);
    case Kind::kTuple: return to_tuple(value, type);
    default: return convert_primitive(value, type);
  }
}

namespace {

bool all_are(const std::vector<Type>& types, Kind kind) {
  return std::all_of(types.begin(), types.end(), [&](auto& t) { return t.is(kind); });
}

std::optional<Type> unify_tuples(const std::vector<Type>& types) {
  size_t size = types[0].elements().size();
  bool same_size = std::all_of(types.begin(), types.end(), [&](auto& t) { return t.elements().size() == size; });
  if (same_size) {
    std::vector<Type> out;
    for (size_t i = 0; i < size; ++i) {
      std::vector<Type> column;
      for (auto& t : types) column.push_back(t.elements()[i]);
      auto u = unify(column);
      if (!u) break;
      out.push_back(std::move(*u));
    }
    if (out.size() == size) return Type::tuple(std::move(out));
  }
  std::vector<Type> all;
  for (auto& t : types) all.insert(all.end(), t.elements().begin(), t.elements().end());
  auto u = unify(all);
  if (!u) return std::nullopt;
  return Type::list(std::move(*u));
}

std::optional<Type> unify_objects(const std::vector<Type>& types) {
  auto& first = types[0].attributes();
  bool same_names = std::all_of(types.begin(), types.end(), [&](auto& t) {
    return std::equal(first.begin(), first.end(), t.attributes().begin(), t.attributes().end(),
                      [](auto& a, auto& b) { return a.first == b.first; });
  });
  if (same_names) {
    Type::Attributes out;
    for (size_t i = 0; i < first.size(); ++i) {
      std::vector<Type> column;
      for (auto& t : types) column.push_back(t.attributes()[i].second);
      auto u = unify(column);
      if (!u) break;
      out.emplace_back(first[i].first, std::move(*u));
    }
    if (out.size() == first.size()) return Type::object(std::move(out));
  }
  std::vector<Type> all;
  for (auto& t : types) {
    for (auto& a : t.attributes()) all.push_back(a.second);
  }
  auto u = unify(all);
  if (!u) return std::nullopt;
  return Type::map(std::move(*u));
}

}  // namespace

std::optional<Type> unify(const std::vector<Type>& types) {
  if (types.empty()) return Type::dynamic();
  if (std::all_of(types.begin(), types.end(), [&](auto& t) { return t == types[0]; })) return types[0];
  std::vector<Type> known;
  for (auto& t : types) {
    if (t.is(Kind::kDynamic)) continue;  // a null literal or an error: the others decide
    // Looking for doubles only saves work; among very many types it would cost more.
    if (known.size() > 64 || std::find(known.begin(), known.end(), t) == known.end()) known.push_back(t);
  }
  if (known.size() == 1) return known[0];
  if (all_are(known, Kind::kTuple)) return unify_tuples(known);
  if (all_are(known, Kind::kObject)) return unify_objects(known);
  for (auto kind : {Kind::kList, Kind::kSet, Kind::kMap}) {
    if (!all_are(known, kind)) continue;
    std::vector<Type> elements;
    for (auto& t : known) elements.push_back(t.element());
    auto u = unify(elements);
    if (!u) return std::nullopt;
    return kind == Kind::kList ? Type::list(*u) : kind == Kind::kSet ? Type::set(*u) : Type::map(*u);
  }
  for (auto& wanted : known) {
    if (std::all_of(known.begin(), known.end(), [&](auto& t) { return convertible(t, wanted, true); })) return wanted;
  }
  return std::nullopt;
}

}  // namespace drover::hcl
