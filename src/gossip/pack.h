// MessagePack for gossip messages: a writer and a reader of the old raw family (the reader takes the new ones too), and
// a walk over message structs. Apart from codec, because packets come from anybody: unknown keys are skipped without
// building anything, and no input costs more than its own length.
//
// A message struct names its fields once:
//   struct Ping {
//     uint32_t SeqNo = 0;
//     template <class V> void visit(V& v) { v("SeqNo", SeqNo); }
//   };
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace drover::gossip {

class PackWriter {
 public:
  explicit PackWriter(std::string& out) : out_(out) {}
  void nil() { out_ += '\xc0'; }
  void boolean(bool b) { out_ += b ? '\xc3' : '\xc2'; }
  void natural(uint64_t n);
  void integer(int64_t n);
  void real(double d);
  void raw(std::string_view bytes);
  void array(size_t n);
  void map(size_t n);

 private:
  void big_endian(uint64_t n, int width);
  std::string& out_;
};

// List elements and map entries of one message, all together: what is read takes far more memory than its bytes.
constexpr size_t kElementsMax = 256 * 1024;

// Reads from the front of a view. After a failure every further read fails too.
class PackReader {
 public:
  explicit PackReader(std::string_view bytes) : in_(bytes) {}
  bool ok() const { return ok_; }
  // The failure is that bytes are missing: more of them could complete the value.
  bool cut_short() const { return !ok_ && short_; }
  std::string_view rest() const { return in_; }

  bool nil();                        // takes a nil if there is one
  bool boolean();
  uint64_t natural();                // negative numbers wrap
  int64_t integer();
  double real();                     // takes integers too
  std::string_view raw();
  size_t array();                    // number of elements; nil is none
  size_t map();
  void skip();                       // one whole value

 private:
  bool take(size_t n, uint64_t& out);
  unsigned char head();
  size_t elements(uint64_t n, size_t bytes_each);
  bool fail(bool cut = false);
  std::string_view in_;
  size_t budget_ = kElementsMax;
  bool ok_ = true, short_ = false;
};

namespace detail {

template <class T>
concept Visited = requires(T& t) { t.visit([](auto&&...) {}); };

template <class T>
void pack(PackWriter& w, const T& v);

struct CountFields {
  size_t n = 0;
  template <class T>
  void operator()(std::string_view, T&) { ++n; }
};
struct WriteFields {
  PackWriter& w;
  template <class T>
  void operator()(std::string_view key, T& v) {
    w.raw(key);
    pack(w, v);
  }
};

template <class T>
void pack(PackWriter& w, const T& v) {
  if constexpr (std::same_as<T, bool>) w.boolean(v);
  else if constexpr (std::same_as<T, double>) w.real(v);
  else if constexpr (std::unsigned_integral<T>) w.natural(v);
  else if constexpr (std::signed_integral<T>) w.integer(v);
  else if constexpr (std::same_as<T, Duration>) w.integer(v.count());
  else if constexpr (std::convertible_to<const T&, std::string_view>) w.raw(v);
  else if constexpr (requires { v.first; }) w.raw(v.first), pack(w, v.second);
  else if constexpr (requires { typename T::value_type::first_type; }) {
    w.map(v.size());
    for (auto& e : v) pack(w, e);
  } else if constexpr (requires { v.size(); }) {
    w.array(v.size());
    for (auto& e : v) pack(w, e);
  } else {
    auto& fields = const_cast<T&>(v);  // visit() serves both directions; writing changes nothing
    CountFields count;
    fields.visit(count);
    w.map(count.n);
    WriteFields write{w};
    fields.visit(write);
  }
}

template <class T>
void unpack(PackReader& r, T& v);

struct ReadField {
  PackReader& r;
  std::string_view key;
  bool found = false;
  template <class T>
  void operator()(std::string_view name, T& v) {
    if (name != key || found) return;
    found = true;
    unpack(r, v);
  }
};

template <class T>
void unpack(PackReader& r, T& v) {
  if (r.nil()) {
    v = T{};
    return;
  }
  if constexpr (std::same_as<T, bool>) v = r.boolean();
  else if constexpr (std::same_as<T, double>) v = r.real();
  else if constexpr (std::unsigned_integral<T>) v = static_cast<T>(r.natural());
  else if constexpr (std::signed_integral<T>) v = static_cast<T>(r.integer());
  else if constexpr (std::same_as<T, Duration>) v = Duration(r.integer());
  else if constexpr (std::same_as<T, std::string>) v = r.raw();
  else if constexpr (requires { typename T::value_type::first_type; }) {
    v.clear();
    for (size_t n = r.map(); n > 0 && r.ok(); --n) {
      auto& e = v.emplace_back();
      e.first = r.raw();
      unpack(r, e.second);
    }
  } else if constexpr (requires { typename T::value_type; }) {
    v.clear();
    for (size_t n = r.array(); n > 0 && r.ok(); --n) unpack(r, v.emplace_back());
  } else {
    for (size_t n = r.map(); n > 0 && r.ok(); --n) {
      ReadField field{r, r.raw()};
      if (!r.ok()) return;
      v.visit(field);
      if (!field.found) r.skip();
    }
  }
}

}  // namespace detail

template <class T>
std::string to_pack(const T& v) {
  std::string out;
  PackWriter w(out);
  detail::pack(w, v);
  return out;
}

// One byte of type in front, as memberlist and Serf frame their messages.
template <class T, class Type>
std::string to_message(Type type, const T& v) {
  std::string out(1, static_cast<char>(type));
  PackWriter w(out);
  detail::pack(w, v);
  return out;
}

// False on malformed input; `v` is then in some valid state.
template <class T>
bool from_pack(std::string_view bytes, T& v) {
  PackReader r(bytes);
  detail::unpack(r, v);
  return r.ok();
}

}  // namespace drover::gossip
