#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/strings.h"
#include "bexpr/ast.h"
#include "bexpr/bexpr.h"
#include "codec/reflect.h"

namespace drover::bexpr {
namespace {

// What a selector leads to; `type` is null at a null pointer, and where the last part is a key that its map lacks.
struct Found {
  const TypeInfo* type = nullptr;
  const void* object = nullptr;
  bool absent = false;  // such a key
};

Error datum_error(const std::vector<std::string>& path, size_t part, const std::string& why) {
  return invalid(fmt::format("error finding value in datum: /{} at part {}: {}", join(path, "/"), part, why));
}
Error kind_error(const std::vector<std::string>& path, size_t part, std::string_view kind) {
  return invalid(fmt::format("error finding value in datum: /{}: at part {}, invalid value kind: {}", join(path, "/"), part, kind));
}

// Go's name of the kind of a value; "invalid" of none.
std::string kind_name(const Found& f) {
  if (!f.type) return "invalid";
  if (f.type->kind == Kind::kStruct) return "struct";
  return go_type_of(*f.type);
}

// Steps through pointers and dynamic values to what they hold.
Found settle(const TypeInfo* type, const void* object) {
  for (;;) {
    if (type->kind == Kind::kPointer) {
      if (type->is_nil(object)) return {};
      object = type->at(object, 0);
      type = &type->element();
      continue;
    }
    if (type->kind != Kind::kValue) return {type, object};
    auto& v = *static_cast<const Value*>(object);
    if (v.is_nil()) return {};
    if (auto* p = v.as_bool()) return {&type_of<bool>(), p};
    if (auto* p = v.as_int()) return {&type_of<int64_t>(), p};
    if (auto* p = v.as_double()) return {&type_of<double>(), p};
    if (auto* p = v.as_string()) return {&type_of<std::string>(), p};
    if (auto* p = v.as_array()) return {&type_of<Value::Array>(), p};
    return {&type_of<Value::Object>(), v.as_object()};
  }
}

Result<Found> find(const std::vector<std::string>& path, const TypeInfo& root, const void* object) {
  Found at = settle(&root, object);
  for (size_t i = 0; i < path.size(); ++i) {
    auto& part = path[i];
    if (!at.type) return kind_error(path, i, "invalid");
    switch (at.type->kind) {
      case Kind::kStruct: {
        auto* f = at.type->find(part);
        if (!f || (f->flags & kJsonOnly)) return datum_error(path, i, fmt::format("couldn't find key: struct field with name {}", go_quote(part)));
        at = settle(&f->type(), f->in(at.object));
        break;
      }
      case Kind::kMap: {
        auto* value = at.type->find_key(at.object, part);
        bool last = i > 0 && i + 1 == path.size();
        if (!value && !last) return datum_error(path, i, fmt::format("couldn't find key {}", go_quote(part)));
        at = value ? settle(&at.type->element(), value) : Found{.absent = true};
        break;
      }
      case Kind::kList: {
        auto n = parse_uint(part);
        if (!n) return datum_error(path, i, fmt::format("couldn't convert value {} to type int", go_quote(part)));
        if (*n >= at.type->count(at.object)) return datum_error(path, i, fmt::format("index {} is out of range (length = {})", part, at.type->count(at.object)));
        at = settle(&at.type->element(), at.type->at(at.object, *n));
        break;
      }
      default: return kind_error(path, i, kind_name(at));
    }
  }
  return at;
}

std::string text_of(const Found& f) {
  switch (f.type->kind) {
    case Kind::kString: return *static_cast<const std::string*>(f.object);
    case Kind::kSharedString: return static_cast<const SharedString*>(f.object)->str();
    case Kind::kUuid: return static_cast<const Uuid*>(f.object)->str();
    default: return static_cast<const Bytes*>(f.object)->data;
  }
}
bool is_text(Kind k) { return k == Kind::kString || k == Kind::kSharedString || k == Kind::kUuid || k == Kind::kBytes; }

// Go's strconv with base 0: decimal, 0x, 0o, 0b.
std::optional<int64_t> parse_base0(std::string_view t) {
  bool negative = !t.empty() && t[0] == '-';
  if (negative) t.remove_prefix(1);
  int base = 10;
  if (t.size() > 2 && t[0] == '0') {
    char c = t[1] | 0x20;
    base = c == 'x' ? 16 : c == 'b' ? 2 : c == 'o' ? 8 : 10;
    if (base != 10) t.remove_prefix(2);
  }
  int64_t n = 0;
  auto [end, ec] = std::from_chars(t.data(), t.data() + t.size(), n, base);
  if (ec != std::errc() || end != t.data() + t.size() || t.empty()) return {};
  return negative ? -n : n;
}

// Why strconv refuses a number: it is none, or it is too large.
std::string_view number_fault(std::string_view t) {
  if (t.starts_with('-') || t.starts_with('+')) t.remove_prefix(1);
  return !t.empty() && t.find_first_not_of("0123456789") == std::string_view::npos ? "value out of range" : "invalid syntax";
}

Error value_error(std::string_view function, const std::string& value, std::string_view why) {
  return invalid(fmt::format("error getting match value in expression: strconv.{}: parsing {}: {}", function, go_quote(value), why));
}

// `none`: what is said where values of this type have no equality.
Result<bool> equals(const Found& f, const std::string& value, const char* none) {
  if (!f.type) return invalid(none);
  if (is_text(f.type->kind)) return text_of(f) == value;
  switch (f.type->kind) {
    case Kind::kBool: {
      auto b = parse_bool(value);
      if (!b) return value_error("ParseBool", value, "invalid syntax");
      return *static_cast<const bool*>(f.object) == *b;
    }
    case Kind::kInt:
    case Kind::kDuration: {
      auto n = parse_base0(value);
      if (!n) return value_error("ParseInt", value, number_fault(value));
      return (f.type->kind == Kind::kInt ? reflect_int(*f.type, f.object) : static_cast<const Duration*>(f.object)->count()) == *n;
    }
    case Kind::kUint: {
      auto n = parse_base0(value);
      if (!n || *n < 0) return value_error("ParseUint", value, value.starts_with('-') ? "invalid syntax" : number_fault(value));
      return reflect_uint(*f.type, f.object) == static_cast<uint64_t>(*n);
    }
    case Kind::kFloat: {
      auto d = parse_double(value);
      if (!d) return value_error("ParseFloat", value, "invalid syntax");
      return *static_cast<const double*>(f.object) == *d;
    }
    default: return invalid(none);
  }
}

constexpr char kNoEquality[] = "unable to find suitable primitive comparison function for matching";
constexpr char kNoElementEquality[] = "unable to find suitable primitive comparison function for \"in\" comparison";

Result<bool> contains(const Found& f, const std::string& value, const std::vector<std::string>& selector) {
  if (f.type && is_text(f.type->kind)) return text_of(f).find(value) != std::string::npos;
  if (f.type && f.type->kind == Kind::kMap) return f.type->find_key(f.object, value) != nullptr;
  if (!f.type || f.type->kind != Kind::kList) {
    // The value is read as one of that type first.
    if (auto same = equals(f, value, ""); !same && !same.error().message.empty()) return same;
    return invalid(fmt::format("Cannot perform in/contains operations on type {} for selector: {}", kind_name(f), go_quote(join(selector, "."))));
  }
  for (size_t i = 0, n = f.type->count(f.object); i < n; ++i) {
    auto element = settle(&f.type->element(), f.type->at(f.object, i));
    if (!element.type) continue;
    DROVER_TRY(bool same, equals(element, value, kNoElementEquality));
    if (same) return true;
  }
  return false;
}

Result<bool> is_empty(const Found& f) {
  // Of what has no length the reference ends the connection.
  if (!f.type) return true;
  if (is_text(f.type->kind)) return text_of(f).empty();
  if (f.type->kind == Kind::kList || f.type->kind == Kind::kMap) return f.type->count(f.object) == 0;
  return invalid(fmt::format("cannot perform is empty operations on type {}", go_type_of(*f.type)));
}

Result<bool> evaluate_match(const Node& n, const TypeInfo& type, const void* object) {
  DROVER_TRY(auto found, find(n.selector, type, object));
  // A missing key of a map: nothing is equal to it, and it is empty.
  if (found.absent) return (n.op == Op::kEmpty) != n.negated;
  Result<bool> yes = false;
  switch (n.op) {
    case Op::kEqual: yes = equals(found, n.value, kNoEquality); break;
    case Op::kIn: yes = contains(found, n.value, n.selector); break;
    case Op::kEmpty: yes = is_empty(found); break;
    case Op::kMatches:
      if (!found.type || !is_text(found.type->kind))
        return invalid(fmt::format("Value of type {} is not convertible to []byte", found.type ? go_type_of(*found.type) : "invalid"));
      if (!n.pattern) return invalid(n.fault);
      yes = re2::RE2::PartialMatch(text_of(found), *n.pattern);
      break;
  }
  if (!yes) return yes;
  return *yes != n.negated;
}

Result<bool> evaluate(const Node& n, const TypeInfo& type, const void* object) {
  switch (n.kind) {
    case Node::Kind::kMatch: return evaluate_match(n, type, object);
    case Node::Kind::kNot: {
      DROVER_TRY(bool inner, evaluate(*n.left, type, object));
      return !inner;
    }
    default: {
      DROVER_TRY(bool left, evaluate(*n.left, type, object));
      if (left == (n.kind == Node::Kind::kOr)) return left;
      return evaluate(*n.right, type, object);
    }
  }
}

}  // namespace

Result<bool> Filter::matches(const TypeInfo& type, const void* object) const { return evaluate(*root_, type, object); }

}  // namespace drover::bexpr
