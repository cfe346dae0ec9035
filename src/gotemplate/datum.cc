#include "gotemplate/datum.h"

#include "codec/reflect.h"

namespace drover {

// A list of datums, as a type of its own kind of list: its elements carry their own types.
template <>
const TypeInfo& TypeOf<gotemplate::DatumList>::get() {
  static const TypeInfo t = [] {
    auto made = detail::leaf_type<gotemplate::DatumList>(Kind::kList, "[]interface {}");
    made.count = [](const void* p) { return static_cast<const gotemplate::DatumList*>(p)->elements.size(); };
    made.is_nil = [](const void*) { return false; };
    return made;
  }();
  return t;
}

namespace gotemplate {
namespace {
bool is_datum_list(const Datum& d) { return &d.type() == &type_of<DatumList>(); }
}  // namespace

Datum Datum::list(std::vector<Datum> elements) { return of(DatumList{std::move(elements)}); }

Datum Datum::settled() const {
  Datum at = *this;
  while (at.type_) {
    if (at.type_->kind == Kind::kPointer) {
      if (at.type_->is_nil(at.object_)) return {};
      at.object_ = at.type_->at(at.object_, 0);
      at.type_ = &at.type_->element();
      continue;
    }
    if (at.type_->kind != Kind::kValue) break;
    auto& v = *static_cast<const Value*>(at.object_);
    if (v.is_nil()) return {};
    if (auto* b = v.as_bool()) return {type_of<bool>(), b, at.keep_};
    if (auto* i = v.as_int()) return {type_of<int64_t>(), i, at.keep_};
    if (auto* d = v.as_double()) return {type_of<double>(), d, at.keep_};
    if (auto* s = v.as_string()) return {type_of<std::string>(), s, at.keep_};
    if (auto* a = v.as_array()) return {type_of<Value::Array>(), a, at.keep_};
    return {type_of<Value::Object>(), v.as_object(), at.keep_};
  }
  return at;
}

std::optional<std::string> Datum::as_text() const {
  if (!type_) return {};
  switch (type_->kind) {
    case Kind::kString: return *static_cast<const std::string*>(object_);
    case Kind::kSharedString: return static_cast<const SharedString*>(object_)->str();
    case Kind::kUuid: return static_cast<const Uuid*>(object_)->str();
    default: return {};
  }
}

std::optional<int64_t> Datum::as_int() const {
  if (!type_) return {};
  switch (type_->kind) {
    case Kind::kInt: return reflect_int(*type_, object_);
    case Kind::kUint: return static_cast<int64_t>(reflect_uint(*type_, object_));
    case Kind::kDuration: return static_cast<const Duration*>(object_)->count();
    default: return {};
  }
}

std::optional<double> Datum::as_number() const {
  if (type_ && type_->kind == Kind::kFloat) return *static_cast<const double*>(object_);
  if (auto i = as_int()) return static_cast<double>(*i);
  return {};
}

std::optional<bool> Datum::as_bool() const {
  if (!type_ || type_->kind != Kind::kBool) return {};
  return *static_cast<const bool*>(object_);
}

bool Datum::is_list() const { return type_ && type_->kind == Kind::kList; }
bool Datum::is_map() const { return type_ && type_->kind == Kind::kMap; }
bool Datum::is_struct() const { return type_ && type_->kind == Kind::kStruct; }

size_t Datum::size() const {
  if (is_list() || is_map()) return type_->count(object_);
  if (type_ && type_->kind == Kind::kBytes) return static_cast<const Bytes*>(object_)->data.size();
  auto text = as_text();
  return text ? text->size() : 0;
}

Datum Datum::element(size_t i) const {
  if (is_list() && is_datum_list(*this)) return static_cast<const DatumList*>(object_)->elements[i];
  return {type_->element(), type_->at(object_, i), keep_};
}

std::string Datum::key(size_t i) const { return std::string(type_->key_at(object_, i)); }

std::optional<Datum> Datum::field(std::string_view name) const {
  if (is_struct()) {
    auto* f = type_->find(name);
    if (!f) return {};
    return Datum(f->type(), f->in(object_), keep_);
  }
  if (!is_map()) return {};
  auto* value = type_->find_key(object_, name);
  return value ? Datum(type_->element(), value, keep_) : Datum();
}

bool Datum::truth() const {
  auto d = settled();
  if (d.missing()) return false;
  if (auto b = d.as_bool()) return *b;
  if (auto n = d.as_number()) return *n != 0;
  if (d.is_struct() || d.type().kind == Kind::kTime) return true;
  return d.size() > 0;
}

}  // namespace gotemplate
}  // namespace drover
