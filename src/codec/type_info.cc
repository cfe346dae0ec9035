#include "codec/type_info.h"

#include <algorithm>

#include "base/assert.h"
#include "base/strings.h"

namespace drover {

const FieldInfo* TypeInfo::find(std::string_view n) const {
  auto it = std::lower_bound(sorted.begin(), sorted.end(), n,
                             [this](uint16_t i, std::string_view key) { return fields[i].name < key; });
  return it != sorted.end() && fields[*it].name == n ? &fields[*it] : nullptr;
}

const FieldInfo* TypeInfo::find_json(std::string_view key) const {
  // Most JSON names are member names; the exceptions and other-case keys take the scan.
  if (auto* f = find(key); f && f->json_name == key && !(f->flags & kNotInJson)) return f;
  for (auto& f : fields)
    if (f.json_name == key && !(f.flags & kNotInJson)) return &f;
  for (auto& f : fields)
    if (equal_fold(f.json_name, key) && !(f.flags & kNotInJson)) return &f;
  return nullptr;
}

namespace detail {

TypeInfo finish_struct(TypeInfo t, std::string_view name, std::vector<FieldInfo> fields) {
  t.name = name;
  t.fields = std::move(fields);
  for (size_t i = 0; i < t.fields.size(); ++i) t.sorted.push_back(static_cast<uint16_t>(i));
  std::sort(t.sorted.begin(), t.sorted.end(),
            [&](uint16_t a, uint16_t b) { return t.fields[a].name < t.fields[b].name; });
  for (size_t i = 1; i < t.sorted.size(); ++i)
    DROVER_ASSERT(t.fields[t.sorted[i - 1]].name != t.fields[t.sorted[i]].name, "a field is described once");
  return t;
}

}  // namespace detail

std::string go_type_of(const TypeInfo& type) {
  // A container of anything has no type of its elements.
  auto element = [&]() -> std::string {
    if (!type.element) return "interface {}";
    auto& e = type.element();
    return (e.kind == Kind::kStruct ? "*" : "") + go_type_of(e);
  };
  switch (type.kind) {
    case Kind::kList: return "[]" + element();
    case Kind::kMap: return "map[string]" + element();
    case Kind::kPointer: return go_type_of(type.element());
    default: return std::string(type.name);
  }
}

}  // namespace drover
