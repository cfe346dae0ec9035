#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/strings.h"
#include "bexpr/ast.h"
#include "bexpr/bexpr.h"
#include "codec/reflect.h"

namespace drover::bexpr {
namespace {

// What a selector leads to; `type` is null when a map key on the way is missing.
struct Found {
  const TypeInfo* type = nullptr;
  const void* object = nullptr;
};

Error datum_error(const std::vector<std::string>& path, size_t part, const std::string& why) {
  return invalid(fmt::format("error finding value in datum: /{} at part {}: {}", join(path, "/"), part, why));
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
  for (size_t i = 0; i < path.size() && at.type; ++i) {
    auto& part = path[i];
    switch (at.type->kind) {
      case Kind::kStruct: {
        auto* f = at.type->find(part);
        if (!f) return datum_error(path, i, fmt::format("couldn't find key: struct field with name {}", go_quote(part)));
        at = settle(&f->type(), f->in(at.object));
        break;
      }
      case Kind::kMap: {
        auto* value = at.type->find_key(at.object, part);
        at = value ? settle(&at.type->element(), value) : Found{};
        break;
      }
      case Kind::kList: {
        auto n = parse_uint(part);
        if (!n) return datum_error(path, i, fmt::format("couldn't convert {} to an index", go_quote(part)));
        if (*n >= at.type->count(at.object)) return datum_error(path, i, fmt::format("index {} is out of range (length = {})", part, at.type->count(at.object)));
        at = settle(&at.type->element(), at.type->at(at.object, *n));
        break;
      }
      default: return datum_error(path, i, fmt::format("at part {}, invalid value kind: {}", i, go_type_of(*at.type)));
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

Result<bool> equals(const Found& f, const std::string& value) {
  auto bad = [&](const char* kind) {
    return invalid(fmt::format("error coercing value {} to {}", go_quote(value), kind));
  };
  if (is_text(f.type->kind)) return text_of(f) == value;
  switch (f.type->kind) {
    case Kind::kBool: {
      auto b = parse_bool(value);
      if (!b) return bad("bool");
      return *static_cast<const bool*>(f.object) == *b;
    }
    case Kind::kInt:
    case Kind::kDuration: {
      auto n = parse_base0(value);
      if (!n) return bad("int");
      return (f.type->kind == Kind::kInt ? reflect_int(*f.type, f.object) : static_cast<const Duration*>(f.object)->count()) == *n;
    }
    case Kind::kUint: {
      auto n = parse_base0(value);
      if (!n || *n < 0) return bad("uint");
      return reflect_uint(*f.type, f.object) == static_cast<uint64_t>(*n);
    }
    case Kind::kFloat: {
      auto d = parse_double(value);
      if (!d) return bad("float64");
      return *static_cast<const double*>(f.object) == *d;
    }
    default: return invalid(fmt::format("cannot perform equality on type {}", go_type_of(*f.type)));
  }
}

Result<bool> contains(const Found& f, const std::string& value) {
  if (is_text(f.type->kind)) return text_of(f).find(value) != std::string::npos;
  if (f.type->kind == Kind::kMap) return f.type->find_key(f.object, value) != nullptr;
  if (f.type->kind != Kind::kList) return invalid(fmt::format("cannot perform in/contains operations on type {}", go_type_of(*f.type)));
  for (size_t i = 0, n = f.type->count(f.object); i < n; ++i) {
    auto element = settle(&f.type->element(), f.type->at(f.object, i));
    if (!element.type) continue;
    DROVER_TRY(bool same, equals(element, value));
    if (same) return true;
  }
  return false;
}

Result<bool> is_empty(const Found& f) {
  if (is_text(f.type->kind)) return text_of(f).empty();
  if (f.type->kind == Kind::kList || f.type->kind == Kind::kMap) return f.type->count(f.object) == 0;
  return invalid(fmt::format("cannot perform is empty operations on type {}", go_type_of(*f.type)));
}

Result<bool> evaluate_match(const Node& n, const TypeInfo& type, const void* object) {
  DROVER_TRY(auto found, find(n.selector, type, object));
  // A missing map key, or a null pointer on the way: nothing is equal to it, and it is empty.
  if (!found.type) return (n.op == Op::kEmpty) != n.negated;
  Result<bool> yes = false;
  switch (n.op) {
    case Op::kEqual: yes = equals(found, n.value); break;
    case Op::kIn: yes = contains(found, n.value); break;
    case Op::kEmpty: yes = is_empty(found); break;
    case Op::kMatches:
      if (!is_text(found.type->kind)) return invalid(fmt::format("value of type {} is not convertible to []byte", go_type_of(*found.type)));
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
