#include "codec/reflect.h"

#include <cstring>

#include "base/assert.h"

namespace drover {

int64_t reflect_int(const TypeInfo& type, const void* p) {
  switch (type.size) {
    case 1: return *static_cast<const int8_t*>(p);
    case 2: return *static_cast<const int16_t*>(p);
    case 4: return *static_cast<const int32_t*>(p);
    default: return *static_cast<const int64_t*>(p);
  }
}

uint64_t reflect_uint(const TypeInfo& type, const void* p) {
  switch (type.size) {
    case 1: return *static_cast<const uint8_t*>(p);
    case 2: return *static_cast<const uint16_t*>(p);
    case 4: return *static_cast<const uint32_t*>(p);
    default: return *static_cast<const uint64_t*>(p);
  }
}

bool reflect_default(const TypeInfo& type, const void* p) {
  switch (type.kind) {
    case Kind::kBool: return !*static_cast<const bool*>(p);
    case Kind::kInt: return reflect_int(type, p) == 0;
    case Kind::kUint: return reflect_uint(type, p) == 0;
    case Kind::kFloat: return *static_cast<const double*>(p) == 0;
    case Kind::kString: return static_cast<const std::string*>(p)->empty();
    case Kind::kSharedString: return static_cast<const SharedString*>(p)->empty();
    case Kind::kUuid: return static_cast<const Uuid*>(p)->nil();
    case Kind::kBytes: return static_cast<const Bytes*>(p)->empty();
    case Kind::kDuration: return static_cast<const Duration*>(p)->count() == 0;
    case Kind::kTime: return static_cast<const Time*>(p)->unset();
    case Kind::kValue: return static_cast<const Value*>(p)->is_nil();
    case Kind::kList:
    case Kind::kMap:
    case Kind::kPointer: return type.is_nil(p);
    case Kind::kStruct:
      for (auto& f : type.fields)
        if (!reflect_default(f.type(), f.in(p))) return false;
      return true;
  }
  return false;
}

namespace {

void set_int(const TypeInfo& type, void* p, int64_t n) { std::memcpy(p, &n, type.size); }

std::string_view text_of(const TypeInfo& type, const void* p, std::string& holder) {
  switch (type.kind) {
    case Kind::kString: return *static_cast<const std::string*>(p);
    case Kind::kSharedString: return static_cast<const SharedString*>(p)->view();
    default: return holder = static_cast<const Uuid*>(p)->str();
  }
}

bool is_text(Kind k) { return k == Kind::kString || k == Kind::kSharedString || k == Kind::kUuid; }
bool is_whole(Kind k) { return k == Kind::kInt || k == Kind::kUint; }

void convert_text(const TypeInfo& ft, const void* from, const TypeInfo& tt, void* to) {
  std::string holder;
  auto text = text_of(ft, from, holder);
  switch (tt.kind) {
    case Kind::kString: *static_cast<std::string*>(to) = text; break;
    case Kind::kSharedString: *static_cast<SharedString*>(to) = text; break;
    default: *static_cast<Uuid*>(to) = Uuid::parse(text).value_or(Uuid{});
  }
}

void convert_list(const TypeInfo& ft, const void* from, const TypeInfo& tt, void* to) {
  if (ft.is_nil(from)) return tt.set_nil(to);
  tt.make_empty(to);
  for (size_t i = 0, n = ft.count(from); i < n; ++i) {
    auto key = ft.kind == Kind::kMap ? ft.key_at(from, i) : std::string_view();
    reflect_convert(ft.element(), ft.at(from, i), tt.element(), tt.add(to, key));
  }
}

}  // namespace

void reflect_convert(const TypeInfo& ft, const void* from, const TypeInfo& tt, void* to) {
  if (&ft == &tt) return tt.copy(to, from);
  if (ft.kind == Kind::kPointer) {
    if (ft.is_nil(from)) return tt.reset(to);
    return reflect_convert(ft.element(), ft.at(from, 0), tt, to);
  }
  if (tt.kind == Kind::kPointer) return reflect_convert(ft, from, tt.element(), tt.add(to, {}));
  if (ft.kind == Kind::kStruct && tt.kind == Kind::kStruct) {
    for (auto& f : ft.fields)
      if (auto* t = tt.find(f.name)) reflect_convert(f.type(), f.in(from), t->type(), t->in(to));
    return;
  }
  if (is_text(ft.kind) && is_text(tt.kind)) return convert_text(ft, from, tt, to);
  if (is_whole(ft.kind) && is_whole(tt.kind))
    return set_int(tt, to, ft.kind == Kind::kInt ? reflect_int(ft, from) : static_cast<int64_t>(reflect_uint(ft, from)));
  if (ft.kind == tt.kind && (ft.kind == Kind::kList || ft.kind == Kind::kMap)) return convert_list(ft, from, tt, to);
  DROVER_ASSERT(ft.kind == tt.kind && ft.size == tt.size, "fields of one name are of one kind");
  tt.copy(to, from);
}

}  // namespace drover
