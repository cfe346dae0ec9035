// Little-endian numbers and length-prefixed strings, as log frames, messages and descriptors hold them.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace drover::raft {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian");

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}
  template <class T>
    requires std::is_integral_v<T>
  void put(T v) {
    out_.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  void raw(std::string_view bytes) { out_.append(bytes); }
  void str(std::string_view bytes) {
    put(static_cast<uint32_t>(bytes.size()));
    out_.append(bytes);
  }

 private:
  std::string& out_;
};

// Reads what ByteWriter wrote. After a read beyond the end ok() is false and all values are zero or empty.
class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}
  template <class T>
    requires std::is_integral_v<T>
  T get() {
    T v{};
    if (auto b = raw(sizeof v); b.size() == sizeof v) std::memcpy(&v, b.data(), sizeof v);
    return v;
  }
  std::string_view raw(size_t size) {
    if (size > in_.size()) {
      ok_ = false;
      in_ = {};
      return {};
    }
    auto b = in_.substr(0, size);
    in_.remove_prefix(size);
    return b;
  }
  std::string_view str() { return raw(get<uint32_t>()); }
  // A count of things of at least `each` bytes; more than the rest can hold is an error.
  size_t count(size_t each) {
    size_t n = get<uint32_t>();
    if (n > in_.size() / each) {
      ok_ = false;
      in_ = {};
      return 0;
    }
    return n;
  }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && in_.empty(); }
  size_t left() const { return in_.size(); }

 private:
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace drover::raft
