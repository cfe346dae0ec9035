// Datum: one value inside a template. Either a reference to a part of a described object, or an owned value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/type_info.h"

namespace drover::gotemplate {

// Cheap to copy. `keep` owns the object where it was made by a function; else the caller of execute() owns it.
class Datum {
 public:
  Datum() = default;  // no value: Go's untyped nil
  Datum(const TypeInfo& type, const void* object, std::shared_ptr<const void> keep = {})
      : type_(&type), object_(object), keep_(std::move(keep)) {}

  template <class T>
  static Datum of(T value) {
    auto owned = std::make_shared<const T>(std::move(value));
    return Datum(type_of<T>(), owned.get(), owned);
  }
  static Datum text(std::string s) { return of(std::move(s)); }
  static Datum number(int64_t n) { return of(n); }
  static Datum boolean(bool b) { return of(b); }
  static Datum list(std::vector<Datum> elements);

  bool missing() const { return !type_; }
  const TypeInfo& type() const { return *type_; }
  const void* object() const { return object_; }
  const std::shared_ptr<const void>& keep() const { return keep_; }

  // With pointers and dynamic values stepped through; missing when a pointer is null.
  Datum settled() const;

  // The pieces of a settled datum.
  std::optional<std::string> as_text() const;   // any of the text kinds
  std::optional<int64_t> as_int() const;        // whole numbers and durations
  std::optional<double> as_number() const;      // any number
  std::optional<bool> as_bool() const;
  bool is_list() const;
  bool is_map() const;
  bool is_struct() const;
  size_t size() const;                          // list, map, text (bytes)
  Datum element(size_t i) const;                // list element, map value
  std::string key(size_t i) const;              // map
  // A struct's field or a map's value; nullopt when a struct has no such field.
  std::optional<Datum> field(std::string_view name) const;

  // Go's truth: not the zero value of its kind, not empty.
  bool truth() const;

 private:
  const TypeInfo* type_ = nullptr;
  const void* object_ = nullptr;
  std::shared_ptr<const void> keep_;
};

// A list whose elements are datums of any kind; made by functions.
struct DatumList {
  std::vector<Datum> elements;
};

// Go's fmt.Print form ("%v") of a value: map[a:1], [x y], {..} with fields, <nil>.
std::string print(const Datum& d);
// Go's fmt.Sprintf.
std::string sprintf(std::string_view format, const std::vector<Datum>& args);

}  // namespace drover::gotemplate
