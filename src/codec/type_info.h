// Run-time description of the domain structs: described once, everything else derived by walking it (JSON,
// MessagePack, equality, conversion between request and server shapes, filters, templates, diff).
//
// A walk at run time, instead of templates over Boost.Describe, keeps one copy of each codec in the binary and
// keeps compile time out of every file that encodes something.
//
//   // job.h                                     // job.cc
//   struct Job { std::string ID; ... };          DROVER_DESCRIBE(Job, "structs.Job",
//   DROVER_TYPE(Job)                                 DROVER_FIELD(ID), DROVER_FIELD(Count).wire("int64"), ...)
//
// TypeInfo objects are made on first use and live for ever; all functions here may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/containers.h"
#include "base/shared_string.h"
#include "base/time.h"
#include "base/uuid.h"
#include "codec/value.h"

namespace drover {

enum class Kind : uint8_t {
  kBool, kInt, kUint, kFloat,          // `size` tells the width
  kString, kSharedString, kUuid, kBytes, kDuration, kTime, kValue,
  kStruct, kList, kMap,
  kPointer,                            // std::optional, Box or Ref: null or a value
};

struct TypeInfo;
using TypeGetter = const TypeInfo& (*)();

enum FieldFlag : uint8_t {
  kOmitEmpty = 1,        // JSON: left out when empty
  kDurationText = 2,     // JSON: "30m0s" (or "" when 0) instead of nanoseconds; input takes either, unless .wire("string")
  kZeroTimeText = 4,     // JSON: unset time is "0001-01-01T00:00:00Z" instead of null
  kNotInJson = 8,        // on the RPC wire and in snapshots only
  kInputOnly = 16,       // read from requests, never written
  kJsonOnly = 32,        // added by the encoder: in JSON, not on the RPC wire
};

struct FieldInfo {
  std::string_view name;        // the member's name: the RPC name, the filter name
  std::string_view json_name;   // the JSON key; nearly always the same
  std::string_view go_type;     // the reference's type, for error texts; empty: the kind's usual one
  TypeGetter type = nullptr;
  uint32_t offset = 0;
  uint8_t flags = 0;
  // For a field that lives in a struct behind a Box of this one (DROVER_FLAT_FIELD): the inner struct, made when
  // `make`, else a default one where there is none. The wire sees the field as the outer struct's own.
  void* (*inner)(void* object, bool make) = nullptr;

  FieldInfo json(std::string_view n) const { auto f = *this; f.json_name = n; return f; }
  FieldInfo wire(std::string_view t) const { auto f = *this; f.go_type = t; return f; }
  FieldInfo with(unsigned more) const { auto f = *this; f.flags |= static_cast<uint8_t>(more); return f; }
  void* in(void* object) const { return static_cast<char*>(inner ? inner(object, true) : object) + offset; }
  const void* in(const void* object) const {
    return static_cast<const char*>(inner ? inner(const_cast<void*>(object), false) : object) + offset;
  }
};

// What the walkers may do with a value of some type. `object` is always the address of a live value.
struct TypeInfo {
  Kind kind;
  uint32_t size = 0;
  std::string_view name;                // structs: "structs.Job", as error texts show it
  std::string go_type;                  // "[]*api.TaskGroup", "map[string]string"
  TypeGetter element = nullptr;         // list element, map value, pointee

  // kStruct
  std::vector<FieldInfo> fields;        // declaration order
  std::vector<uint16_t> sorted;         // field numbers in order of name (MessagePack order)
  bool omit_all_empty = false;          // every empty field is left out of JSON
  const FieldInfo* find(std::string_view name) const;             // by member name, exact
  const FieldInfo* find_json(std::string_view key) const;         // by JSON key: exact, else ignoring case

  // kList, kMap, kPointer. `count` of a pointer is 0 or 1.
  size_t (*count)(const void*) = nullptr;
  bool (*is_nil)(const void*) = nullptr;
  void (*set_nil)(void*) = nullptr;
  void (*make_empty)(void*) = nullptr;                            // list, map: non-nil and without elements
  const void* (*at)(const void*, size_t) = nullptr;               // list element, map value, pointee
  std::string_view (*key_at)(const void*, size_t) = nullptr;      // map
  // Adds an element and returns it for filling; map: the value at key; pointer: a fresh pointee.
  void* (*add)(void*, std::string_view key) = nullptr;
  const void* (*find_key)(const void*, std::string_view key) = nullptr;  // map; null when absent

  // any kind
  void (*reset)(void*) = nullptr;                                 // back to a default-made value
  void (*copy)(void* to, const void* from) = nullptr;             // assignment
};

template <class T>
struct TypeOf {
  static const TypeInfo& get();  // a struct: defined by DROVER_DESCRIBE in one .cc
};

template <class T>
const TypeInfo& type_of() {
  return TypeOf<T>::get();
}

namespace detail {

template <class T>
TypeInfo leaf_type(Kind kind, std::string_view go_type) {
  TypeInfo t{.kind = kind, .size = sizeof(T)};
  t.name = go_type;
  t.go_type = std::string(go_type);
  t.reset = [](void* p) { *static_cast<T*>(p) = T{}; };
  t.copy = [](void* to, const void* from) { *static_cast<T*>(to) = *static_cast<const T*>(from); };
  return t;
}

#define DROVER_LEAF_TYPE(T, kind, go)                         \
  template <>                                                 \
  struct TypeOfLeaf<T> {                                      \
    static constexpr Kind k = kind;                           \
    static constexpr std::string_view go_name = go;           \
  };
template <class T>
struct TypeOfLeaf;
DROVER_LEAF_TYPE(bool, Kind::kBool, "bool")
DROVER_LEAF_TYPE(int8_t, Kind::kInt, "int8")
DROVER_LEAF_TYPE(int16_t, Kind::kInt, "int16")
DROVER_LEAF_TYPE(int32_t, Kind::kInt, "int32")
DROVER_LEAF_TYPE(int64_t, Kind::kInt, "int")
DROVER_LEAF_TYPE(uint8_t, Kind::kUint, "uint8")
DROVER_LEAF_TYPE(uint16_t, Kind::kUint, "uint16")
DROVER_LEAF_TYPE(uint32_t, Kind::kUint, "uint32")
DROVER_LEAF_TYPE(uint64_t, Kind::kUint, "uint64")
DROVER_LEAF_TYPE(double, Kind::kFloat, "float64")
DROVER_LEAF_TYPE(std::string, Kind::kString, "string")
DROVER_LEAF_TYPE(SharedString, Kind::kSharedString, "string")
DROVER_LEAF_TYPE(Uuid, Kind::kUuid, "string")
DROVER_LEAF_TYPE(Bytes, Kind::kBytes, "[]uint8")
DROVER_LEAF_TYPE(Duration, Kind::kDuration, "time.Duration")
DROVER_LEAF_TYPE(Time, Kind::kTime, "time.Time")
DROVER_LEAF_TYPE(Value, Kind::kValue, "interface {}")
#undef DROVER_LEAF_TYPE

// "*" goes in front of a struct inside a list or map, as the reference's types have it.
std::string go_element(const TypeInfo& element);

template <class L>
TypeInfo list_type() {
  using T = typename L::value_type;
  TypeInfo t = leaf_type<L>(Kind::kList, "");
  t.element = &TypeOf<T>::get;
  t.count = [](const void* p) { return static_cast<const L*>(p)->size(); };
  t.is_nil = [](const void* p) { return static_cast<const L*>(p)->is_nil(); };
  t.set_nil = [](void* p) { static_cast<L*>(p)->reset(); };
  t.make_empty = [](void* p) { static_cast<L*>(p)->make_empty(); };
  t.at = [](const void* p, size_t i) -> const void* { return &(*static_cast<const L*>(p))[i]; };
  t.add = [](void* p, std::string_view) -> void* { return &static_cast<L*>(p)->emplace_back(); };
  return t;
}

template <class M>
TypeInfo map_type() {
  using T = typename M::mapped_type;
  TypeInfo t = leaf_type<M>(Kind::kMap, "");
  t.element = &TypeOf<T>::get;
  t.count = [](const void* p) { return static_cast<const M*>(p)->size(); };
  t.is_nil = [](const void* p) { return static_cast<const M*>(p)->is_nil(); };
  t.set_nil = [](void* p) { static_cast<M*>(p)->reset(); };
  t.make_empty = [](void* p) { static_cast<M*>(p)->make_empty(); };
  t.at = [](const void* p, size_t i) -> const void* { return &static_cast<const M*>(p)->begin()[i].second; };
  t.key_at = [](const void* p, size_t i) -> std::string_view { return static_cast<const M*>(p)->begin()[i].first; };
  t.add = [](void* p, std::string_view key) -> void* { return &(*static_cast<M*>(p))[key]; };
  t.find_key = [](const void* p, std::string_view key) -> const void* { return static_cast<const M*>(p)->find(key); };
  return t;
}

template <class P, class T>
TypeInfo pointer_type() {
  TypeInfo t = leaf_type<P>(Kind::kPointer, "");
  t.element = &TypeOf<T>::get;
  t.count = [](const void* p) -> size_t { return static_cast<bool>(*static_cast<const P*>(p)); };
  t.is_nil = [](const void* p) { return !static_cast<bool>(*static_cast<const P*>(p)); };
  t.set_nil = [](void* p) { static_cast<P*>(p)->reset(); };
  t.at = [](const void* p, size_t) -> const void* { return &**static_cast<const P*>(p); };
  return t;
}

}  // namespace detail

template <class T>
  requires requires { detail::TypeOfLeaf<T>::k; }
struct TypeOf<T> {
  static const TypeInfo& get() {
    static const TypeInfo t = detail::leaf_type<T>(detail::TypeOfLeaf<T>::k, detail::TypeOfLeaf<T>::go_name);
    return t;
  }
};

template <class T>
struct TypeOf<List<T>> {
  static const TypeInfo& get() {
    static const TypeInfo t = detail::list_type<List<T>>();
    return t;
  }
};

template <class T>
struct TypeOf<Map<T>> {
  static const TypeInfo& get() {
    static const TypeInfo t = detail::map_type<Map<T>>();
    return t;
  }
};

template <class T>
struct TypeOf<SharedMap<T>> {
  static const TypeInfo& get() {
    static const TypeInfo t = detail::map_type<SharedMap<T>>();
    return t;
  }
};

template <class T>
struct TypeOf<std::optional<T>> {
  static const TypeInfo& get() {
    static const TypeInfo t = [] {
      auto t = detail::pointer_type<std::optional<T>, T>();
      t.add = [](void* p, std::string_view) -> void* { return &static_cast<std::optional<T>*>(p)->emplace(); };
      return t;
    }();
    return t;
  }
};

template <class T>
struct TypeOf<Box<T>> {
  static const TypeInfo& get() {
    static const TypeInfo t = [] {
      auto t = detail::pointer_type<Box<T>, T>();
      t.add = [](void* p, std::string_view) -> void* { return &static_cast<Box<T>*>(p)->emplace(); };
      return t;
    }();
    return t;
  }
};

template <class T>
struct TypeOf<Ref<T>> {
  static const TypeInfo& get() {
    static const TypeInfo t = [] {
      auto t = detail::pointer_type<Ref<T>, T>();
      t.add = [](void* p, std::string_view) -> void* {
        auto fresh = std::make_shared<T>();
        void* inside = fresh.get();
        *static_cast<Ref<T>*>(p) = std::move(fresh);
        return inside;
      };
      return t;
    }();
    return t;
  }
};

namespace detail {

template <class T, class M>
FieldInfo field(std::string_view name, M T::* member) {
  alignas(T) static char space[sizeof(T)];
  auto* object = reinterpret_cast<T*>(space);
  FieldInfo f;
  f.name = f.json_name = name;
  f.type = &TypeOf<M>::get;
  f.offset = static_cast<uint32_t>(reinterpret_cast<char*>(&(object->*member)) - space);
  return f;
}

// kBox: the Box member of T that holds the struct with `member`.
template <auto kBox, class T, class I, class M>
FieldInfo flat_field(std::string_view name, Box<I> T::*, M I::* member) {
  FieldInfo f = field(name, member);
  f.inner = [](void* object, bool make) -> void* {
    static const I kDefault{};
    auto& box = static_cast<T*>(object)->*kBox;
    if (!box && !make) return const_cast<I*>(&kDefault);
    return &box.ensure();
  };
  return f;
}

// Fills in `sorted` and checks that names are unique.
TypeInfo finish_struct(TypeInfo t, std::string_view name, std::vector<FieldInfo> fields);

}  // namespace detail

// The text "a.b" of the value's type as error messages show it.
std::string go_type_of(const TypeInfo& type);

}  // namespace drover

// In the header, after the struct, inside namespace drover. A type that is declared and not described does not link.
#define DROVER_TYPE(T) \
  template <>          \
  const TypeInfo& TypeOf<T>::get();

// In one .cc, outside any namespace.
#define DROVER_FIELD(member) ::drover::detail::field(#member, &Self::member)

// A member of the struct behind the Box member `box`.
#define DROVER_FLAT_FIELD(box, member)                                              \
  ::drover::detail::flat_field<&Self::box>(#member, &Self::box,                     \
      &std::remove_cvref_t<decltype(*std::declval<Self&>().box)>::member)

#define DROVER_DESCRIBE(T, name, ...)                                                                     \
  template <>                                                                                             \
  const ::drover::TypeInfo& drover::TypeOf<T>::get() {                                                    \
    using Self = T;                                                                                       \
    static const ::drover::TypeInfo t = ::drover::detail::finish_struct(                                  \
        ::drover::detail::leaf_type<Self>(::drover::Kind::kStruct, name), name,                           \
        std::vector<::drover::FieldInfo>{__VA_ARGS__});                                                   \
    return t;                                                                                             \
  }

// The same for structs whose every empty field is left out of JSON (Allocation, Evaluation).
#define DROVER_DESCRIBE_OMIT_EMPTY(T, name, ...)                                                          \
  template <>                                                                                             \
  const ::drover::TypeInfo& drover::TypeOf<T>::get() {                                                    \
    using Self = T;                                                                                       \
    static const ::drover::TypeInfo t = [] {                                                              \
      auto made = ::drover::detail::finish_struct(                                                        \
          ::drover::detail::leaf_type<Self>(::drover::Kind::kStruct, name), name,                         \
          std::vector<::drover::FieldInfo>{__VA_ARGS__});                                                 \
      made.omit_all_empty = true;                                                                         \
      return made;                                                                                        \
    }();                                                                                                  \
    return t;                                                                                             \
  }
