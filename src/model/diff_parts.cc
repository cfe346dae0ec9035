#include "model/diff_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <tuple>

#include "codec/reflect.h"

namespace drover::diff {
namespace {

// The text of a plain value; nullopt for anything else.
std::optional<std::string> plain_text(const TypeInfo& type, const void* p) {
  switch (type.kind) {
    case Kind::kBool: return *static_cast<const bool*>(p) ? "true" : "false";
    case Kind::kInt: return std::to_string(reflect_int(type, p));
    case Kind::kUint: return std::to_string(reflect_uint(type, p));
    case Kind::kDuration: return std::to_string(static_cast<const Duration*>(p)->count());
    case Kind::kString: return *static_cast<const std::string*>(p);
    case Kind::kSharedString: return std::string(static_cast<const SharedString*>(p)->view());
    default: return std::nullopt;
  }
}

// Go's %v of a float64: shortest digits, with an exponent below 1e-4 and from 1e+06 on.
std::string float_text(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "+Inf" : "-Inf";
  char buffer[40];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::scientific);
  std::string scientific(buffer, end);
  auto at = scientific.find('e');
  int exponent = std::atoi(scientific.c_str() + at + 1);
  if (exponent < -4 || exponent >= 6) return scientific;
  auto fixed = std::to_chars(buffer, buffer + sizeof buffer, d, std::chars_format::fixed);
  return std::string(buffer, fixed.ptr);
}

void flatten_value(const std::string& path, const Value& value, Flat& out) {
  if (auto* object = value.as_object()) {
    for (auto& [key, member] : *object) flatten_value(fmt::format("{}[{}]", path, key), member, out);
  } else if (auto* array = value.as_array()) {
    if (array->is_nil()) out[path] = "nil";
    for (size_t i = 0; i < array->size(); ++i) flatten_value(fmt::format("{}[{}]", path, i), (*array)[i], out);
  } else if (auto* text = value.as_string()) {
    out[path] = *text;
  } else if (auto* flag = value.as_bool()) {
    out[path] = *flag ? "true" : "false";
  } else if (auto* whole = value.as_int()) {
    out[path] = std::to_string(*whole);
  } else if (auto* real = value.as_double()) {
    out[path] = float_text(*real);
  } else {
    out[path] = "nil";
  }
}

std::optional<FieldDiff> field(const std::string& name, const std::string& before, const std::string& after, bool contextual) {
  if (before == after && !contextual) return std::nullopt;
  FieldDiff out;
  out.Name = name;
  out.Old = before;
  out.New = after;
  out.Type = before == after ? kNone : before.empty() ? kAdded : after.empty() ? kDeleted : kEdited;
  return out;
}

// Edited, added, deleted, unchanged: the order in which changed objects are listed. Fields are listed by what they say.
int rank(std::string_view type) { return type == kEdited ? 0 : type == kAdded ? 1 : type == kDeleted ? 2 : 3; }

auto field_key(const FieldDiff& f) { return std::tuple<std::string_view, std::string_view, std::string_view>(f.Name, f.Old, f.New); }

void sort_fields(std::vector<FieldDiff>& fields) {
  std::stable_sort(fields.begin(), fields.end(), [](auto& a, auto& b) { return field_key(a) < field_key(b); });
}

List<FieldDiff> as_list(std::vector<FieldDiff> fields) {
  return fields.empty() ? List<FieldDiff>() : List<FieldDiff>(std::move(fields));
}

auto head(const ObjectDiff& o) {
  return std::tuple<std::string_view, int, size_t, size_t>(o.Name, rank(o.Type), o.Fields.size(), o.Objects.size());
}

// An order of its own: one object comes before another if any of its fields is smaller. Each of two objects may so come
// before the other, and comparing puts their parts in order; clients see the outcome of both.
bool comes_before(ObjectDiff& a, ObjectDiff& b) {
  if (a == b) return false;
  if (head(a) != head(b)) return head(a) < head(b);
  for (size_t i = 0; i < a.Fields.size(); ++i)
    if (field_key(a.Fields[i]) < field_key(b.Fields[i])) return true;
  if (a.Objects.empty()) return false;
  sort_objects({a.Objects.begin(), a.Objects.size()});
  sort_objects({b.Objects.begin(), b.Objects.size()});
  for (size_t i = 0; i < a.Objects.size(); ++i)
    if (comes_before(a.Objects[i], b.Objects[i])) return true;
  return false;
}

bool less(const ObjectDiff& a, const ObjectDiff& b) {
  if (head(a) != head(b)) return head(a) < head(b);
  for (size_t i = 0; i < a.Fields.size(); ++i)
    if (auto x = field_key(a.Fields[i]), y = field_key(b.Fields[i]); x != y) return x < y;
  for (size_t i = 0; i < a.Objects.size(); ++i)
    if (!(a.Objects[i] == b.Objects[i])) return less(a.Objects[i], b.Objects[i]);
  return false;
}

// Up to here the reference sorts by insertion; its order of more objects is anyone's guess.
constexpr size_t kInsertionMax = 12;

}  // namespace

Flat flatten(const TypeInfo& type, const void* object, Names without) {
  Flat out;
  for (auto& f : type.fields) {
    if (std::find(without.begin(), without.end(), f.name) != without.end()) continue;
    auto& ft = f.type();
    const void* p = f.in(object);
    std::string name(f.name);
    if (auto text = plain_text(ft, p)) {
      out[name] = std::move(*text);
    } else if (ft.kind == Kind::kMap) {
      for (size_t i = 0, n = ft.count(p); i < n; ++i)
        if (auto value = plain_text(ft.element(), ft.at(p, i)))
          out[fmt::format("{}[{}]", name, ft.key_at(p, i))] = std::move(*value);
    }
  }
  return out;
}

Flat flatten_config(const Map<Value>& config) {
  Flat out;
  for (auto& [key, value] : config) flatten_value(key, value, out);
  return out;
}

List<FieldDiff> fields(const Flat& before, const Flat& after, bool contextual) {
  std::vector<FieldDiff> out;
  static const std::string kAbsent;
  auto note = [&](const std::string& name, const std::string& b, const std::string& a) {
    if (auto f = field(name, b, a, contextual)) out.push_back(std::move(*f));
  };
  for (auto& [name, value] : before) {
    auto at = after.find(name);
    note(name, value, at == after.end() ? kAbsent : at->second);
  }
  for (auto& [name, value] : after)
    if (!before.contains(name)) note(name, kAbsent, value);
  sort_fields(out);
  return as_list(std::move(out));
}

std::optional<ObjectDiff> by_fields(std::string_view name, const Flat& before, const Flat& after, bool contextual) {
  ObjectDiff out;
  out.Name = name;
  out.Fields = fields(before, after, contextual);
  bool added = false, deleted = false, edited = false;
  for (auto& f : out.Fields) {
    added |= f.Type == kAdded;
    deleted |= f.Type == kDeleted;
    edited |= f.Type == kEdited;
  }
  if (!added && !deleted && !edited) return std::nullopt;
  out.Type = edited || (added && deleted) ? kEdited : added ? kAdded : kDeleted;
  return out;
}

void sort_objects(std::span<ObjectDiff> objects) {
  if (objects.size() > kInsertionMax) return std::stable_sort(objects.begin(), objects.end(), less);
  for (size_t i = 1; i < objects.size(); ++i)
    for (size_t j = i; j > 0 && comes_before(objects[j], objects[j - 1]); --j) std::swap(objects[j], objects[j - 1]);
}

std::optional<ObjectDiff> string_set(std::string_view name, const List<std::string>& before,
                                     const List<std::string>& after, bool contextual) {
  std::set<std::string> old_ones(before.begin(), before.end()), new_ones(after.begin(), after.end());
  std::vector<FieldDiff> list;
  bool added = false, removed = false;
  auto note = [&](const std::string& b, const std::string& a) {
    if (auto f = field(std::string(name), b, a, contextual)) list.push_back(std::move(*f));
  };
  for (auto& s : old_ones) {
    bool stays = new_ones.contains(s);
    removed |= !stays;
    note(s, stays ? s : "");
  }
  for (auto& s : new_ones) {
    if (old_ones.contains(s)) continue;
    added = true;
    note("", s);
  }
  if (list.empty()) return std::nullopt;
  ObjectDiff out;
  out.Name = name;
  out.Type = added && removed ? kEdited : added ? kAdded : removed ? kDeleted : kNone;
  sort_fields(list);
  out.Fields = as_list(std::move(list));
  return out;
}

std::optional<ObjectDiff> config(const Map<Value>& before, const Map<Value>& after, bool contextual) {
  if (before == after) return std::nullopt;
  ObjectDiff out;
  out.Name = "Config";
  out.Type = before.empty() ? kAdded : after.empty() ? kDeleted : kEdited;
  out.Fields = fields(flatten_config(before), flatten_config(after), contextual);
  return out;
}

}  // namespace drover::diff
