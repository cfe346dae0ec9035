#include "hcl/value.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "hcl/unicode.h"

namespace drover::hcl {

struct Type::Data {
  Type element;
  std::vector<Type> elements;
  Attributes attributes;
  int depth = 1;

  Data(Type e, std::vector<Type> es, Attributes as) : element(std::move(e)), elements(std::move(es)), attributes(std::move(as)) {
    depth = element.depth() + 1;
    for (auto& t : elements) depth = std::max(depth, t.depth() + 1);
    for (auto& a : attributes) depth = std::max(depth, a.second.depth() + 1);
  }
};

namespace {

// Sorts by first and keeps the last of equal ones.
template <class Pairs>
void settle_keys(Pairs& pairs) {
  auto by_key = [](auto& a, auto& b) { return a.first < b.first; };
  bool strictly = std::adjacent_find(pairs.begin(), pairs.end(), [](auto& a, auto& b) { return a.first >= b.first; }) == pairs.end();
  if (strictly) return;
  std::stable_sort(pairs.begin(), pairs.end(), by_key);
  size_t out = 0;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (i + 1 < pairs.size() && pairs[i + 1].first == pairs[i].first) continue;
    if (out != i) pairs[out] = std::move(pairs[i]);
    ++out;
  }
  pairs.erase(pairs.begin() + static_cast<long>(out), pairs.end());
}

template <class Pairs>
auto find_key(const Pairs& pairs, std::string_view key) -> decltype(&pairs.front().second) {
  auto it = std::lower_bound(pairs.begin(), pairs.end(), key, [](auto& e, std::string_view k) { return e.first < k; });
  return it != pairs.end() && it->first == key ? &it->second : nullptr;
}

// What a value takes apart from its content.
constexpr uint64_t kValueBytes = 16;

uint32_t saturate(uint64_t bytes) {
  return static_cast<uint32_t>(std::min<uint64_t>(bytes, std::numeric_limits<uint32_t>::max()));
}

}  // namespace

Type Type::list(Type element) {
  Type t(Kind::kList);
  t.data_ = std::make_shared<Data>(Data{std::move(element), {}, {}});
  return t;
}
Type Type::set(Type element) {
  Type t = list(std::move(element));
  t.kind_ = Kind::kSet;
  return t;
}
Type Type::map(Type element) {
  Type t = list(std::move(element));
  t.kind_ = Kind::kMap;
  return t;
}
Type Type::object(Attributes attributes) {
  settle_keys(attributes);
  Type t(Kind::kObject);
  t.data_ = std::make_shared<Data>(Data{{}, {}, std::move(attributes)});
  return t;
}
Type Type::tuple(std::vector<Type> elements) {
  Type t(Kind::kTuple);
  t.data_ = std::make_shared<Data>(Data{{}, std::move(elements), {}});
  return t;
}

int Type::depth() const { return data_ ? data_->depth : 0; }

const Type& Type::element() const {
  DROVER_ASSERT(is_collection(), "only collections have one element type");
  return data_->element;
}
const std::vector<Type>& Type::elements() const {
  DROVER_ASSERT(kind_ == Kind::kTuple, "only tuples have element types");
  return data_->elements;
}
const Type::Attributes& Type::attributes() const {
  DROVER_ASSERT(kind_ == Kind::kObject, "only objects have attribute types");
  return data_->attributes;
}
const Type* Type::attribute(std::string_view name) const { return find_key(attributes(), name); }

bool Type::has_dynamic() const {
  switch (kind_) {
    case Kind::kDynamic: return true;
    case Kind::kList: case Kind::kSet: case Kind::kMap: return data_->element.has_dynamic();
    case Kind::kTuple:
      return std::any_of(data_->elements.begin(), data_->elements.end(), [](auto& t) { return t.has_dynamic(); });
    case Kind::kObject:
      return std::any_of(data_->attributes.begin(), data_->attributes.end(), [](auto& a) { return a.second.has_dynamic(); });
    default: return false;
  }
}

std::string Type::name() const {
  switch (kind_) {
    case Kind::kDynamic: return "dynamic";
    case Kind::kString: return "string";
    case Kind::kNumber: return "number";
    case Kind::kBool: return "bool";
    case Kind::kList: return "list of " + data_->element.name();
    case Kind::kSet: return "set of " + data_->element.name();
    case Kind::kMap: return "map of " + data_->element.name();
    case Kind::kObject: return "object";
    case Kind::kTuple: return "tuple";
  }
  return "";
}

std::string Type::constraint_name() const {
  if (kind_ == Kind::kDynamic) return "any type";
  if (!is_collection()) return name();
  std::string prefix = kind_ == Kind::kList ? "list of " : kind_ == Kind::kSet ? "set of " : "map of ";
  return prefix + (element().is(Kind::kDynamic) ? "any single type" : element().constraint_name());
}

bool operator==(const Type& a, const Type& b) {
  if (a.kind_ != b.kind_) return false;
  if (a.data_ == b.data_) return true;
  if (!a.data_ || !b.data_) return false;
  return a.data_->element == b.data_->element && a.data_->elements == b.data_->elements &&
         a.data_->attributes == b.data_->attributes;
}

Value::Value(Type type, Elements elements) : type_(std::move(type)), state_(State::kKnown) {
  uint64_t bytes = 0;
  for (auto& e : elements) bytes += e.unshared_bytes();
  content_bytes_ = saturate(bytes);
  data_ = std::make_shared<const Elements>(std::move(elements));
}

Value::Value(Type type, Entries entries) : type_(std::move(type)), state_(State::kKnown) {
  uint64_t bytes = 0;
  for (auto& [key, value] : entries) bytes += key.size() + value.unshared_bytes();
  content_bytes_ = saturate(bytes);
  data_ = std::make_shared<const Entries>(std::move(entries));
}

uint32_t Value::unshared_bytes() const {
  auto* text = std::get_if<std::string>(&data_);
  return saturate(kValueBytes + (text ? text->size() : content_bytes_));
}

Value Value::unknown(Type type) { return Value(std::move(type), State::kUnknown); }
Value Value::null(Type type) { return Value(std::move(type), State::kNull); }
Value Value::string(std::string text) { return raw_string(nfc(std::move(text))); }
Value Value::raw_string(std::string text) { return Value(Type::string(), std::move(text)); }
Value Value::number(Number number) { return Value(Type::number(), std::move(number)); }
Value Value::boolean(bool b) { return Value(Type::boolean(), b); }

Value Value::tuple(Elements elements) {
  std::vector<Type> types;
  types.reserve(elements.size());
  for (auto& e : elements) types.push_back(e.type());
  return Value(Type::tuple(std::move(types)), std::move(elements));
}

Value Value::object(Entries entries) {
  settle_keys(entries);
  Type::Attributes types;
  types.reserve(entries.size());
  for (auto& [key, value] : entries) types.emplace_back(key, value.type());
  return Value(Type::object(std::move(types)), std::move(entries));
}

Value Value::list(Type element, Elements elements) {
  return Value(Type::list(std::move(element)), std::move(elements));
}

Value Value::map(Type element, Entries entries) {
  settle_keys(entries);
  return Value(Type::map(std::move(element)), std::move(entries));
}

Value Value::set(Type element, Elements elements) {
  // A set with an element that is not known could have any number of elements.
  for (auto& e : elements) {
    if (!e.is_wholly_known()) return unknown(Type::set(std::move(element)));
  }
  std::stable_sort(elements.begin(), elements.end(), [](auto& a, auto& b) { return compare(a, b) < 0; });
  elements.erase(std::unique(elements.begin(), elements.end(), [](auto& a, auto& b) { return compare(a, b) == 0; }),
                 elements.end());
  return Value(Type::set(std::move(element)), std::move(elements));
}

bool Value::is_wholly_known() const {
  if (state_ != State::kKnown) return state_ == State::kNull;
  if (is_sequence()) return std::all_of(elements().begin(), elements().end(), [](auto& e) { return e.is_wholly_known(); });
  if (is_mapping()) return std::all_of(entries().begin(), entries().end(), [](auto& e) { return e.second.is_wholly_known(); });
  return true;
}

size_t Value::size() const { return is_mapping() ? entries().size() : elements().size(); }
const Value* Value::find(std::string_view key) const { return find_key(entries(), key); }

int Value::compare(const Value& a, const Value& b) {
  if (a.state_ != b.state_) return a.state_ < b.state_ ? -1 : 1;
  if (a.kind() != b.kind()) return a.kind() < b.kind() ? -1 : 1;
  if (a.state_ != State::kKnown) return 0;
  switch (a.kind()) {
    case Kind::kString: return a.as_string().compare(b.as_string());
    case Kind::kNumber: return Number::compare(a.as_number(), b.as_number());
    case Kind::kBool: return static_cast<int>(a.as_bool()) - static_cast<int>(b.as_bool());
    case Kind::kList: case Kind::kSet: case Kind::kTuple:
      for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (int c = compare(a.elements()[i], b.elements()[i])) return c;
      }
      break;
    case Kind::kMap: case Kind::kObject:
      for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (int c = a.entries()[i].first.compare(b.entries()[i].first)) return c;
        if (int c = compare(a.entries()[i].second, b.entries()[i].second)) return c;
      }
      break;
    case Kind::kDynamic: return 0;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

bool operator==(const Value& a, const Value& b) {
  return a.type_ == b.type_ && Value::compare(a, b) == 0;
}

Value equals(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) {
    if (!a.is_known() || !b.is_known()) return Value::unknown(Type::boolean());
    return Value::boolean(a.is_null() && b.is_null());
  }
  if (!a.is_wholly_known() || !b.is_wholly_known()) return Value::unknown(Type::boolean());
  return Value::boolean(a == b);
}

std::string display(const Value& value) {
  if (value.is_null()) return "null";
  if (!value.is_known()) return "unknown";
  switch (value.kind()) {
    case Kind::kString: return value.as_string();
    case Kind::kNumber: return value.as_number().str();
    case Kind::kBool: return value.as_bool() ? "true" : "false";
    default: return value.type().name();
  }
}

}  // namespace drover::hcl
