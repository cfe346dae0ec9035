// MessagePack in and out, from the struct descriptions, byte for byte as the reference's agents write it: struct
// keys sorted by name, text and bytes both in the old raw family, nil for nil lists, maps and pointers, times as 15
// raw bytes (reference server-core, "Wire facts"). The reader accepts every family of today's format as well.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/type_info.h"

namespace drover {

struct MsgpackStyle {
  // Leaves out fields at their default: for our own log entries and local state, where size counts, and for the few answers
  // that every allocation costs. A reader fills in defaults, so the value read back is equal, the reference's agents' too.
  bool omit_default = false;
};

void msgpack_encode(const TypeInfo& type, const void* object, std::string& out, const MsgpackStyle& style = {});

// Decodes one value at the front of `bytes` and removes it from there. Unknown struct keys are skipped. Truncated,
// oversized or ill-typed input gives kCorrupt; nesting is limited.
Status msgpack_decode(const TypeInfo& type, void* object, std::string_view& bytes);

template <class T>
std::string to_msgpack(const T& value, const MsgpackStyle& style = {}) {
  std::string out;
  msgpack_encode(type_of<T>(), &value, out, style);
  return out;
}

template <class T>
Result<T> from_msgpack(std::string_view bytes) {
  T value{};
  DROVER_CHECK(msgpack_decode(type_of<T>(), &value, bytes));
  return value;
}

}  // namespace drover
