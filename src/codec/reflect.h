// Walks over described values: integer access, defaults, and conversion between two shapes of the same thing.
#pragma once

#include "base/result.h"
#include "codec/type_info.h"

namespace drover {

// Value of a kInt or kUint of any width.
int64_t reflect_int(const TypeInfo& type, const void* p);
uint64_t reflect_uint(const TypeInfo& type, const void* p);

// Whether the value equals a default-made one (nil list, empty string, 0, every field default).
bool reflect_default(const TypeInfo& type, const void* p);

// Copies by field name from one description to another: from a request shape (every scalar nullable) to the server's
// (null becomes the default), and back. Fields that only one side has are left alone; a null list stays null, a null
// pointer to a struct becomes a null pointer or a default struct. Types must be alike after taking pointers away.
void reflect_convert(const TypeInfo& from_type, const void* from, const TypeInfo& to_type, void* to);

template <class To, class From>
To convert(const From& from) {
  To to{};
  reflect_convert(type_of<From>(), &from, type_of<To>(), &to);
  return to;
}

}  // namespace drover
