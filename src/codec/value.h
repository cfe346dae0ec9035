// Value: any JSON-like datum, for fields whose shape the product does not know (a task's driver config). nil is a
// value of its own. Numbers that arrive in JSON become doubles, as the reference's decoder makes them; HCL and
// MessagePack keep integers apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/containers.h"

namespace drover {

class Value {
 public:
  using Array = List<Value>;
  using Object = Map<Value>;
  using Storage = std::variant<std::monostate, bool, int64_t, double, std::string, Box<Array>, Box<Object>>;

  Value() = default;
  Value(bool v) : v_(v) {}                                  // NOLINT: implicit on purpose
  Value(int v) : v_(static_cast<int64_t>(v)) {}             // NOLINT: implicit on purpose
  Value(int64_t v) : v_(v) {}                               // NOLINT: implicit on purpose
  Value(double v) : v_(v) {}                                // NOLINT: implicit on purpose
  Value(std::string v) : v_(std::move(v)) {}                // NOLINT: implicit on purpose
  Value(std::string_view v) : v_(std::string(v)) {}         // NOLINT: implicit on purpose
  Value(const char* v) : v_(std::string(v)) {}              // NOLINT: implicit on purpose
  Value(Array v);                                           // NOLINT: implicit on purpose
  Value(Object v);                                          // NOLINT: implicit on purpose

  bool is_nil() const { return std::holds_alternative<std::monostate>(v_); }
  const bool* as_bool() const { return std::get_if<bool>(&v_); }
  const int64_t* as_int() const { return std::get_if<int64_t>(&v_); }
  const double* as_double() const { return std::get_if<double>(&v_); }
  const std::string* as_string() const { return std::get_if<std::string>(&v_); }
  const Array* as_array() const;
  const Object* as_object() const;
  Array* as_array();
  Object* as_object();
  // Either number kind as a double; false when not a number.
  bool number(double& out) const;

  friend bool operator==(const Value&, const Value&) = default;

 private:
  Storage v_;
};

inline Value::Value(Array v) : v_(Box<Array>(std::move(v))) {}
inline Value::Value(Object v) : v_(Box<Object>(std::move(v))) {}
inline const Value::Array* Value::as_array() const {
  auto* b = std::get_if<Box<Array>>(&v_);
  return b ? b->get() : nullptr;
}
inline const Value::Object* Value::as_object() const {
  auto* b = std::get_if<Box<Object>>(&v_);
  return b ? b->get() : nullptr;
}
inline Value::Array* Value::as_array() {
  auto* b = std::get_if<Box<Array>>(&v_);
  return b ? b->get() : nullptr;
}
inline Value::Object* Value::as_object() {
  auto* b = std::get_if<Box<Object>>(&v_);
  return b ? b->get() : nullptr;
}
inline bool Value::number(double& out) const {
  if (auto* i = as_int()) return out = static_cast<double>(*i), true;
  if (auto* d = as_double()) return out = *d, true;
  return false;
}

// Raw bytes: base64 in JSON, null when empty.
struct Bytes {
  std::string data;
  bool empty() const { return data.empty(); }
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

}  // namespace drover
