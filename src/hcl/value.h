// Types and values of the language. Both are cheap immutable handles: copying shares the structure.
//
// A value is known, null or unknown. Unknown stands for "an error was reported here": operations on it give unknown
// again without further complaint. Lists, sets and maps have one element type; tuples and objects, which is what
// literals make, have a type per element. Objects and maps iterate in bytewise key order; sets hold distinct
// elements in a fixed order (text by code point, numbers ascending, false before true).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hcl/number.h"

namespace drover::hcl {

enum class Kind : unsigned char { kDynamic, kString, kNumber, kBool, kList, kSet, kMap, kObject, kTuple };

// Evaluation refuses to make values that nest deeper.
constexpr int kMaxValueDepth = 1000;
// ... or that take more bytes when every shared part counts as often as it occurs: code over values visits it so often.
constexpr uint32_t kMaxValueBytes = 128u << 20;

class Type {
 public:
  using Attributes = std::vector<std::pair<std::string, Type>>;  // sorted by name, names distinct

  Type() = default;  // dynamic: any type, or not known
  static Type dynamic() { return Type(); }
  static Type string() { return Type(Kind::kString); }
  static Type number() { return Type(Kind::kNumber); }
  static Type boolean() { return Type(Kind::kBool); }
  static Type list(Type element);
  static Type set(Type element);
  static Type map(Type element);
  static Type object(Attributes attributes);  // sorts; of equal names the last counts
  static Type tuple(std::vector<Type> elements);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_primitive() const { return kind_ == Kind::kString || kind_ == Kind::kNumber || kind_ == Kind::kBool; }
  bool is_collection() const { return kind_ == Kind::kList || kind_ == Kind::kSet || kind_ == Kind::kMap; }
  const Type& element() const;                  // of a list, set or map
  const std::vector<Type>& elements() const;    // of a tuple
  const Attributes& attributes() const;         // of an object
  const Type* attribute(std::string_view name) const;
  // Whether dynamic occurs anywhere inside.
  bool has_dynamic() const;
  // How deep the type nests: 0 for primitives. Code over values recurses this deep.
  int depth() const;

  // "string", "list of string", "object", "dynamic".
  std::string name() const;
  // The same in "X required" messages: dynamic is "any type", a list of it "list of any single type".
  std::string constraint_name() const;

  friend bool operator==(const Type& a, const Type& b);

 private:
  struct Data;
  explicit Type(Kind kind) : kind_(kind) {}
  Kind kind_ = Kind::kDynamic;
  std::shared_ptr<const Data> data_;
};

class Value {
 public:
  using Elements = std::vector<Value>;
  using Entries = std::vector<std::pair<std::string, Value>>;  // sorted by key, keys distinct

  Value() = default;  // unknown of dynamic type
  static Value unknown(Type type = Type::dynamic());
  static Value null(Type type = Type::dynamic());
  static Value string(std::string text);           // normalized to NFC
  static Value raw_string(std::string text);       // already NFC
  static Value number(Number number);
  static Value boolean(bool b);
  static Value tuple(Elements elements);
  static Value object(Entries entries);            // any order; of equal keys the last counts
  // The elements must have the element type (or be null or unknown of it).
  static Value list(Type element, Elements elements);
  static Value map(Type element, Entries entries);
  static Value set(Type element, Elements elements);  // sorts and drops duplicates

  const Type& type() const { return type_; }
  Kind kind() const { return type_.kind(); }
  bool is(Kind kind) const { return type_.is(kind); }
  bool is_null() const { return state_ == State::kNull; }
  bool is_known() const { return state_ != State::kUnknown; }  // null is known
  bool is_usable() const { return state_ == State::kKnown; }   // known and not null
  bool is_wholly_known() const;
  bool is_sequence() const { return is(Kind::kList) || is(Kind::kSet) || is(Kind::kTuple); }
  bool is_mapping() const { return is(Kind::kMap) || is(Kind::kObject); }
  bool can_iterate() const { return is_usable() && (is_sequence() || is_mapping()); }

  // Contents of a usable value of the kind.
  const std::string& as_string() const { return std::get<std::string>(data_); }
  const Number& as_number() const { return std::get<Number>(data_); }
  bool as_bool() const { return std::get<bool>(data_); }
  const Elements& elements() const { return *std::get<std::shared_ptr<const Elements>>(data_); }
  const Entries& entries() const { return *std::get<std::shared_ptr<const Entries>>(data_); }
  size_t size() const;                                // of a usable collection
  const Value* find(std::string_view key) const;      // of a usable map or object

  // About how many bytes the value takes with nothing shared; stops counting at 2^32 - 1.
  uint32_t unshared_bytes() const;

  // Same type and same content; null equals null of the same type.
  friend bool operator==(const Value& a, const Value& b);
  // A total order within one type; used by sets.
  static int compare(const Value& a, const Value& b);

 private:
  enum class State : unsigned char { kKnown, kNull, kUnknown };
  Value(Type type, Elements elements);
  Value(Type type, Entries entries);
  Value(Type type, State state) : type_(std::move(type)), state_(state) {}
  template <class T>
  Value(Type type, T data) : type_(std::move(type)), state_(State::kKnown), data_(std::move(data)) {}

  Type type_;
  State state_ = State::kUnknown;
  uint32_t content_bytes_ = 0;  // of elements or entries
  std::variant<std::monostate, bool, Number, std::string, std::shared_ptr<const Elements>, std::shared_ptr<const Entries>> data_;
};

// `a == b` of the language: unknown if either is; false for different types.
Value equals(const Value& a, const Value& b);

// A short text for messages about index values: numbers and strings as they are.
std::string display(const Value& value);

}  // namespace drover::hcl
