// Shared by the files of the job diff; not for others.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/type_info.h"
#include "model/diff.h"
#include "model/job.h"

namespace drover::diff {

inline constexpr std::string_view kAdded = "Added", kDeleted = "Deleted", kEdited = "Edited", kNone = "None";

// Field paths and their texts: "Count" -> "3", "Meta[k]" -> "v".
using Flat = std::map<std::string, std::string>;
using Names = std::initializer_list<std::string_view>;

// The plain fields of a struct and its maps of plain values; nested structs, lists and pointers are left out, as are the
// fields named in `without`.
Flat flatten(const TypeInfo& type, const void* object, Names without = {});
template <class T>
Flat flatten(const T& object, Names without = {}) {
  return flatten(type_of<T>(), &object, without);
}
// All of a free-form map: "args[0]", "mount[0][source]".
Flat flatten_config(const Map<Value>& config);

// Sorted; unchanged fields only when contextual.
List<FieldDiff> fields(const Flat& before, const Flat& after, bool contextual);

// Puts objects of one kind in order: by name, kind of change, size, content.
void sort_objects(std::span<ObjectDiff> objects);

// An object begins here. nullopt when both sides are equal (or absent).
template <class T>
std::optional<ObjectDiff> begin_object(std::string_view name, const T* before, const T* after) {
  if (!before && !after) return std::nullopt;
  if (before && after && *before == *after) return std::nullopt;
  ObjectDiff out;
  out.Name = name;
  out.Type = !before ? kAdded : !after ? kDeleted : kEdited;
  return out;
}

// An object of plain fields alone. What its fields say is what it says: one whose fields only appear counts as added,
// and one without a changed field is not listed.
std::optional<ObjectDiff> by_fields(std::string_view name, const Flat& before, const Flat& after, bool contextual);
template <class T>
std::optional<ObjectDiff> simple_object(std::string_view name, const T* before, const T* after, bool contextual,
                                        Names without = {}) {
  return by_fields(name, before ? flatten(*before, without) : Flat{}, after ? flatten(*after, without) : Flat{}, contextual);
}

// An object of plain fields that has other parts besides (for the caller to add).
template <class T>
std::optional<ObjectDiff> plain_object(std::string_view name, const T* before, const T* after, bool contextual,
                                       Names without = {}) {
  auto out = begin_object(name, before, after);
  if (out)
    out->Fields = fields(before ? flatten(*before, without) : Flat{}, after ? flatten(*after, without) : Flat{}, contextual);
  return out;
}

using Objects = std::vector<ObjectDiff>;
inline void add(Objects& to, std::optional<ObjectDiff> object) {
  if (object) to.push_back(std::move(*object));
}
inline void add(Objects& to, Objects objects) {
  for (auto& o : objects) to.push_back(std::move(o));
}
inline List<ObjectDiff> as_list(Objects objects) {
  return objects.empty() ? List<ObjectDiff>() : List<ObjectDiff>(std::move(objects));
}

// Pairs the elements of two lists by key and compares each pair; `compare(const T* before, const T* after)`.
template <class T, class Key, class Compare>
Objects by_key(const List<T>& before, const List<T>& after, Key&& key, Compare&& compare) {
  std::map<std::string, const T*> old_ones, new_ones;
  for (auto& t : before) old_ones[key(t)] = &t;
  for (auto& t : after) new_ones[key(t)] = &t;
  Objects out;
  for (auto& [k, t] : old_ones) {
    auto at = new_ones.find(k);
    add(out, compare(t, at == new_ones.end() ? nullptr : at->second));
  }
  for (auto& [k, t] : new_ones)
    if (!old_ones.contains(k)) add(out, compare(static_cast<const T*>(nullptr), t));
  sort_objects(out);
  return out;
}

// Elements are equal or they are others: an edit shows as one deleted and one added.
template <class T>
Objects as_set(std::string_view name, const List<T>& before, const List<T>& after, bool contextual) {
  auto key = [](const T& t) {
    std::string k;
    for (auto& [field, value] : flatten(t)) k += field + '=' + value + '\0';
    return k;
  };
  return by_key(before, after, key,
                [&](const T* b, const T* a) { return simple_object(name, b, a, contextual); });
}

// Strings without order; `name` is both the object's and each field's. An unchanged set is listed when contextual.
std::optional<ObjectDiff> string_set(std::string_view name, const List<std::string>& before,
                                     const List<std::string>& after, bool contextual);
std::optional<ObjectDiff> config(const Map<Value>& before, const Map<Value>& after, bool contextual);

std::optional<ObjectDiff> resources(const Resources* before, const Resources* after, bool contextual);
Objects networks(const List<NetworkResource>& before, const List<NetworkResource>& after, bool contextual);
Objects services(const List<Service>& before, const List<Service>& after, bool contextual);
std::optional<ObjectDiff> connect(const ConsulConnect* before, const ConsulConnect* after, bool contextual);

TaskDiff task(const Task* before, const Task* after, bool contextual);
TaskGroupDiff group(const TaskGroup* before, const TaskGroup* after, bool contextual);

// What is absent compares like an empty thing, part by part.
template <class T>
const T& or_empty(const T* object) {
  static const T kEmpty{};
  return object ? *object : kEmpty;
}

}  // namespace drover::diff
