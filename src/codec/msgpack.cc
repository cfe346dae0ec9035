#include "codec/msgpack.h"

#include <algorithm>
#include <bit>
#include <bitset>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "codec/msgpack_memo.h"
#include "codec/msgpack_scan.h"
#include "codec/reflect.h"

namespace drover {
namespace {

constexpr int kDepthMax = 128;
constexpr size_t kMaxFields = 128;
// Maps up to this size are filled in the order of the bytes.
constexpr size_t kSmallMap = 64;
// Seconds from year 1, where Go's time begins, to 1970.
constexpr int64_t kGoEpoch = 62135596800;
constexpr int64_t kSecond = 1'000'000'000;  // in nanoseconds

template <class N>
void big_endian(std::string& out, N n) {
  for (int shift = (sizeof(N) - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift);
}

class Writer {
 public:
  Writer(std::string& out, const MsgpackStyle& style, MsgpackMemo* memo = nullptr) : out_(out), style_(style), memo_(memo) {}

  void value(const TypeInfo& t, const void* p) {
    switch (t.kind) {
      case Kind::kBool: out_ += *static_cast<const bool*>(p) ? '\xc3' : '\xc2'; break;
      case Kind::kInt: integer(reflect_int(t, p)); break;
      case Kind::kUint: natural(reflect_uint(t, p)); break;
      case Kind::kFloat: real(*static_cast<const double*>(p)); break;
      case Kind::kString: raw(*static_cast<const std::string*>(p)); break;
      case Kind::kSharedString: raw(*static_cast<const SharedString*>(p)); break;
      case Kind::kUuid: {
        auto& id = *static_cast<const Uuid*>(p);
        char text[36];
        if (!id.nil()) id.write_to(text);
        raw({text, id.nil() ? 0u : 36u});
        break;
      }
      case Kind::kBytes: {
        auto& b = *static_cast<const Bytes*>(p);
        if (b.empty()) out_ += '\xc0';
        else raw(b.data);
        break;
      }
      case Kind::kDuration: integer(static_cast<const Duration*>(p)->count()); break;
      case Kind::kTime: time(*static_cast<const Time*>(p)); break;
      case Kind::kValue: dynamic(*static_cast<const Value*>(p)); break;
      case Kind::kStruct: structure(t, p); break;
      case Kind::kList: list(t, p); break;
      case Kind::kMap: map(t, p); break;
      case Kind::kPointer:
        if (t.is_nil(p)) out_ += '\xc0';
        else if (memo_ && &t == &memo_->pointer()) out_ += memo_->bytes(p);
        else value(t.element(), t.at(p, 0));
        break;
    }
  }

 private:
  void natural(uint64_t n) {
    if (n < 0x80) out_ += static_cast<char>(n);
    else if (n <= 0xff) out_ += '\xcc', out_ += static_cast<char>(n);
    else if (n <= 0xffff) out_ += '\xcd', big_endian(out_, static_cast<uint16_t>(n));
    else if (n <= 0xffffffff) out_ += '\xce', big_endian(out_, static_cast<uint32_t>(n));
    else out_ += '\xcf', big_endian(out_, n);
  }
  void integer(int64_t n) {
    if (n >= 0) natural(static_cast<uint64_t>(n));
    else if (n >= -32) out_ += static_cast<char>(n);
    else if (n >= -128) out_ += '\xd0', out_ += static_cast<char>(n);
    else if (n >= -32768) out_ += '\xd1', big_endian(out_, static_cast<uint16_t>(n));
    else if (n >= -2147483648LL) out_ += '\xd2', big_endian(out_, static_cast<uint32_t>(n));
    else out_ += '\xd3', big_endian(out_, static_cast<uint64_t>(n));
  }
  void real(double d) {
    out_ += '\xcb';
    big_endian(out_, std::bit_cast<uint64_t>(d));
  }
  void raw(std::string_view s) {
    if (s.size() < 32) out_ += static_cast<char>(0xa0 | s.size());
    else if (s.size() <= 0xffff) out_ += '\xda', big_endian(out_, static_cast<uint16_t>(s.size()));
    else out_ += '\xdb', big_endian(out_, static_cast<uint32_t>(s.size()));
    out_ += s;
  }
  // Go's time.MarshalBinary, version 1: seconds since year 1, nanoseconds, zone in minutes (-1: UTC).
  void time(Time t) {
    char text[15];
    int64_t seconds = t.unset() ? 0 : t.unix_seconds() + kGoEpoch;
    uint32_t nanos = t.unset() ? 0 : static_cast<uint32_t>(t.unix_nanos - t.unix_seconds() * 1'000'000'000);
    std::string bytes(1, '\x01');
    big_endian(bytes, static_cast<uint64_t>(seconds));
    big_endian(bytes, nanos);
    big_endian(bytes, static_cast<uint16_t>(0xffff));
    std::memcpy(text, bytes.data(), sizeof text);
    raw({text, sizeof text});
  }
  void array_head(size_t n) {
    if (n < 16) out_ += static_cast<char>(0x90 | n);
    else if (n <= 0xffff) out_ += '\xdc', big_endian(out_, static_cast<uint16_t>(n));
    else out_ += '\xdd', big_endian(out_, static_cast<uint32_t>(n));
  }
  void map_head(size_t n) {
    if (n < 16) out_ += static_cast<char>(0x80 | n);
    else if (n <= 0xffff) out_ += '\xde', big_endian(out_, static_cast<uint16_t>(n));
    else out_ += '\xdf', big_endian(out_, static_cast<uint32_t>(n));
  }
  void structure(const TypeInfo& t, const void* p) {
    size_t n = t.fields.size();
    std::bitset<kMaxFields> omitted;
    if (style_.omit_default) {
      DROVER_ASSERT(n <= kMaxFields, "no struct has that many fields");
      for (size_t i = 0; i < n; ++i) omitted[i] = reflect_default(t.fields[i].type(), t.fields[i].in(p));
    }
    map_head(n - omitted.count());
    for (auto i : t.sorted) {
      if (omitted[i]) continue;
      auto& f = t.fields[i];
      raw(f.name);
      value(f.type(), f.in(p));
    }
  }
  void list(const TypeInfo& t, const void* p) {
    if (t.is_nil(p)) {
      out_ += '\xc0';
      return;
    }
    size_t n = t.count(p);
    array_head(n);
    auto& element = t.element();
    for (size_t i = 0; i < n; ++i) value(element, t.at(p, i));
  }
  void map(const TypeInfo& t, const void* p) {
    if (t.is_nil(p)) {
      out_ += '\xc0';
      return;
    }
    size_t n = t.count(p);
    map_head(n);
    auto& element = t.element();
    for (size_t i = 0; i < n; ++i) {
      raw(t.key_at(p, i));
      value(element, t.at(p, i));
    }
  }
  void dynamic(const Value& v) {
    if (v.is_nil()) out_ += '\xc0';
    else if (auto* b = v.as_bool()) out_ += *b ? '\xc3' : '\xc2';
    else if (auto* i = v.as_int()) integer(*i);
    else if (auto* d = v.as_double()) real(*d);
    else if (auto* s = v.as_string()) raw(*s);
    else if (auto* a = v.as_array()) list(type_of<Value::Array>(), a);
    else if (auto* o = v.as_object()) map(type_of<Value::Object>(), o);
  }

  std::string& out_;
  const MsgpackStyle& style_;
  MsgpackMemo* const memo_;
};

constexpr MsgpackStyle kSparse{.omit_default = true};

class Reader {
 public:
  explicit Reader(std::string_view& in) : in_(in) {}

  Status value(const TypeInfo& t, void* p, int depth) {
    if (depth > kDepthMax) return corrupt("nested too deep");
    if (in_.empty()) return corrupt("cut short");
    if (t.kind == Kind::kValue) return dynamic(*static_cast<Value*>(p), depth);
    if (static_cast<unsigned char>(in_[0]) == 0xc0) {
      in_.remove_prefix(1);
      t.reset(p);
      return {};
    }
    switch (t.kind) {
      case Kind::kPointer: {
        void* inside = t.add(p, {});
        return value(t.element(), inside, depth + 1);
      }
      case Kind::kStruct: return structure(t, p, depth);
      case Kind::kList: return list(t, p, depth);
      case Kind::kMap: return map(t, p, depth);
      case Kind::kString:
      case Kind::kSharedString:
      case Kind::kUuid:
      case Kind::kBytes:
      case Kind::kTime: return text(t, p);
      default: return scalar(t, p);
    }
  }

 private:
  static Error corrupt(const char* why) { return {ErrorCode::kCorrupt, std::string("msgpack: ") + why}; }

  bool take(size_t n, uint64_t& out) {
    if (in_.size() < n) return false;
    out = 0;
    for (size_t i = 0; i < n; ++i) out = out << 8 | static_cast<unsigned char>(in_[i]);
    in_.remove_prefix(n);
    return true;
  }

  // Reads a head byte and, for families with a length, the length.
  Status length(unsigned char fix_mask, unsigned char fix, std::initializer_list<std::pair<unsigned char, int>> wide,
                uint64_t& n) {
    if (in_.empty()) return corrupt("cut short");
    unsigned char head = in_[0];
    in_.remove_prefix(1);
    if ((head & fix_mask) == fix) {
      n = head & static_cast<unsigned char>(~fix_mask);
      return {};
    }
    for (auto [code, width] : wide) {
      if (head != code) continue;
      if (!take(width, n)) return corrupt("cut short");
      return {};
    }
    return corrupt("a value of another type");
  }

  Status raw(std::string_view& out) {
    // Nearly all texts are short.
    if (auto head = in_.empty() ? 0u : static_cast<unsigned char>(in_[0]); (head & 0xe0) == 0xa0 && (head & 0x1f) < in_.size()) {
      out = in_.substr(1, head & 0x1f);
      in_.remove_prefix(1 + out.size());
      return {};
    }
    uint64_t n = 0;
    DROVER_CHECK(length(0xe0, 0xa0, {{0xd9, 1}, {0xda, 2}, {0xdb, 4}, {0xc4, 1}, {0xc5, 2}, {0xc6, 4}}, n));
    if (n > in_.size()) return corrupt("cut short");
    out = in_.substr(0, n);
    in_.remove_prefix(n);
    return {};
  }

  Status text(const TypeInfo& t, void* p) {
    std::string_view s;
    DROVER_CHECK(raw(s));
    switch (t.kind) {
      case Kind::kString: *static_cast<std::string*>(p) = s; break;
      case Kind::kSharedString: *static_cast<SharedString*>(p) = s; break;
      case Kind::kBytes: static_cast<Bytes*>(p)->data = s; break;
      case Kind::kUuid: {
        auto id = Uuid::parse(s);
        if (!id) return corrupt("a malformed id");
        *static_cast<Uuid*>(p) = *id;
        break;
      }
      default: return time(s, *static_cast<Time*>(p));
    }
    return {};
  }

  static Status time(std::string_view s, Time& out) {
    if (s.size() != 15 || s[0] != 1) return corrupt("a malformed time");
    uint64_t seconds = 0, nanos = 0;
    for (int i = 1; i < 9; ++i) seconds = seconds << 8 | static_cast<unsigned char>(s[i]);
    for (int i = 9; i < 13; ++i) nanos = nanos << 8 | static_cast<unsigned char>(s[i]);
    if (nanos >= kSecond) return corrupt("a malformed time");
    if (seconds == 0 && nanos == 0) return out = Time{}, Status{};
    // What nanoseconds cannot count from 1970 (before 1677, after 2262) is the first or the last second that they can.
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / kSecond - 1;
    auto since = std::clamp(static_cast<int64_t>(seconds), kGoEpoch - kMost, kGoEpoch + kMost) - kGoEpoch;
    out = Time::from_unix_nanos(since * kSecond + static_cast<int64_t>(nanos));
    return {};
  }

  struct Number {
    enum { kSigned, kUnsigned, kReal, kBool } kind;
    int64_t i = 0;
    uint64_t u = 0;
    double d = 0;
  };

  Status number(Number& out) {
    unsigned char head = in_[0];
    in_.remove_prefix(1);
    uint64_t n = 0;
    auto unsigned_of = [&](int width) -> Status {
      if (!take(width, n)) return corrupt("cut short");
      out.kind = Number::kUnsigned;
      out.u = n;
      out.i = static_cast<int64_t>(n);
      out.d = static_cast<double>(n);
      return {};
    };
    auto signed_of = [&](int width) -> Status {
      if (!take(width, n)) return corrupt("cut short");
      int shift = 64 - width * 8;
      out.kind = Number::kSigned;
      out.i = static_cast<int64_t>(n << shift) >> shift;
      out.u = static_cast<uint64_t>(out.i);
      out.d = static_cast<double>(out.i);
      return {};
    };
    if (head < 0x80) {
      out = {Number::kUnsigned, head, head, static_cast<double>(head)};
      return {};
    }
    if (head >= 0xe0) {
      out.kind = Number::kSigned;
      out.i = static_cast<int8_t>(head);
      out.u = static_cast<uint64_t>(out.i);
      out.d = static_cast<double>(out.i);
      return {};
    }
    switch (head) {
      case 0xc2:
      case 0xc3: out.kind = Number::kBool; out.u = out.i = head == 0xc3; return {};
      case 0xcc: return unsigned_of(1);
      case 0xcd: return unsigned_of(2);
      case 0xce: return unsigned_of(4);
      case 0xcf: return unsigned_of(8);
      case 0xd0: return signed_of(1);
      case 0xd1: return signed_of(2);
      case 0xd2: return signed_of(4);
      case 0xd3: return signed_of(8);
      case 0xca:
        if (!take(4, n)) return corrupt("cut short");
        out.d = std::bit_cast<float>(static_cast<uint32_t>(n));
        break;
      case 0xcb:
        if (!take(8, n)) return corrupt("cut short");
        out.d = std::bit_cast<double>(n);
        break;
      default: return corrupt("a value of another type");
    }
    out.kind = Number::kReal;
    return {};
  }

  Status scalar(const TypeInfo& t, void* p) {
    Number n{};
    DROVER_CHECK(number(n));
    bool whole = n.kind == Number::kSigned || n.kind == Number::kUnsigned;
    switch (t.kind) {
      case Kind::kBool:
        if (n.kind != Number::kBool) return corrupt("a value of another type");
        *static_cast<bool*>(p) = n.u != 0;
        return {};
      case Kind::kFloat:
        if (n.kind == Number::kBool) return corrupt("a value of another type");
        *static_cast<double*>(p) = n.d;
        return {};
      case Kind::kDuration:
        if (!whole) return corrupt("a value of another type");
        *static_cast<Duration*>(p) = Duration(n.i);
        return {};
      default:
        if (!whole) return corrupt("a value of another type");
        std::memcpy(p, t.kind == Kind::kInt ? static_cast<const void*>(&n.i) : &n.u, t.size);  // little endian
        return {};
    }
  }

  Status structure(const TypeInfo& t, void* p, int depth) {
    uint64_t n = 0;
    DROVER_CHECK(length(0xf0, 0x80, {{0xde, 2}, {0xdf, 4}}, n));
    // Our agents and the reference's name fields in order: where one was found, the next one is the most likely.
    size_t next = 0;
    auto find = [&](std::string_view key) -> const FieldInfo* {
      if (next >= t.sorted.size() || t.fields[t.sorted[next]].name != key) {
        auto at = std::lower_bound(t.sorted.begin(), t.sorted.end(), key, [&](uint16_t f, std::string_view k) { return t.fields[f].name < k; });
        next = static_cast<size_t>(at - t.sorted.begin());
        if (at == t.sorted.end() || t.fields[*at].name != key) return nullptr;
      }
      return &t.fields[t.sorted[next++]];
    };
    for (uint64_t i = 0; i < n; ++i) {
      std::string_view key;
      DROVER_CHECK(raw(key));
      if (auto* f = find(key)) {
        DROVER_CHECK(value(f->type(), f->in(p), depth + 1));
      } else {
        Value ignored;
        DROVER_CHECK(dynamic(ignored, depth + 1));
      }
    }
    return {};
  }

  Status list(const TypeInfo& t, void* p, int depth) {
    uint64_t n = 0;
    DROVER_CHECK(length(0xf0, 0x90, {{0xdc, 2}, {0xdd, 4}}, n));
    if (n > in_.size()) return corrupt("cut short");  // each element takes at least a byte
    t.make_empty(p);
    for (uint64_t i = 0; i < n; ++i) DROVER_CHECK(value(t.element(), t.add(p, {}), depth + 1));
    return {};
  }

  Status map(const TypeInfo& t, void* p, int depth) {
    uint64_t n = 0;
    DROVER_CHECK(length(0xf0, 0x80, {{0xde, 2}, {0xdf, 4}}, n));
    if (n > in_.size()) return corrupt("cut short");
    t.make_empty(p);
    for (uint64_t i = 0; i < std::min<uint64_t>(n, kSmallMap); ++i) {
      std::string_view key;
      DROVER_CHECK(raw(key));
      DROVER_CHECK(value(t.element(), t.add(p, key), depth + 1));
    }
    return n > kSmallMap ? rest_of_map(t, p, n - kSmallMap, depth) : Status();
  }

  // A map is a sorted list: many entries in any order would take quadratic time. The last of several with one key stands.
  Status rest_of_map(const TypeInfo& t, void* p, uint64_t n, int depth) {
    std::vector<std::pair<std::string_view, std::string_view>> entries;
    for (uint64_t i = 0; i < n; ++i) {
      std::string_view key;
      DROVER_CHECK(raw(key));
      MsgpackScanner one;
      auto whole = one.scan(in_);
      if (!whole || !*whole) return corrupt("cut short");
      entries.emplace_back(key, in_.substr(0, one.size()));
      in_.remove_prefix(one.size());
    }
    std::stable_sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.first < b.first; });
    for (auto& [key, bytes] : entries) DROVER_CHECK(Reader(bytes).value(t.element(), t.add(p, key), depth + 1));
    return {};
  }

  Status dynamic(Value& out, int depth) {
    if (depth > kDepthMax) return corrupt("nested too deep");
    if (in_.empty()) return corrupt("cut short");
    unsigned char head = in_[0];
    bool is_map = (head & 0xf0) == 0x80 || head == 0xde || head == 0xdf;
    bool is_list = (head & 0xf0) == 0x90 || head == 0xdc || head == 0xdd;
    bool is_raw = (head & 0xe0) == 0xa0 || (head >= 0xd9 && head <= 0xdb) || (head >= 0xc4 && head <= 0xc6);
    if (head == 0xc0) {
      in_.remove_prefix(1);
      out = Value();
    } else if (is_map) {
      auto object = Value::Object::empty_map();
      DROVER_CHECK(map(type_of<Value::Object>(), &object, depth + 1));
      out = Value(std::move(object));
    } else if (is_list) {
      auto array = Value::Array::empty_list();
      DROVER_CHECK(list(type_of<Value::Array>(), &array, depth + 1));
      out = Value(std::move(array));
    } else if (is_raw) {
      std::string_view s;
      DROVER_CHECK(raw(s));
      out = Value(s);
    } else {
      Number n{};
      DROVER_CHECK(number(n));
      if (n.kind == Number::kBool) out = Value(n.u != 0);
      else if (n.kind == Number::kReal) out = Value(n.d);
      else out = Value(n.i);
    }
    return {};
  }

  std::string_view& in_;
};

}  // namespace

void msgpack_encode(const TypeInfo& type, const void* object, std::string& out, const MsgpackStyle& style) {
  Writer(out, style).value(type, object);
}

void msgpack_encode(const TypeInfo& type, const void* object, std::string& out, MsgpackMemo& memo) {
  Writer(out, kSparse, &memo).value(type, object);
}

std::string_view MsgpackMemo::bytes(const void* ref) {
  auto* value = pointer_.at(ref, 0);
  if (auto it = known_.find(value); it != known_.end()) return it->second.bytes;
  if (known_.size() >= kValuesMax || bytes_ >= kBytesMax) {
    known_.clear();
    bytes_ = 0;
  }
  Known fresh{hold_(ref), {}};
  msgpack_encode(pointer_.element(), value, fresh.bytes, kSparse);
  bytes_ += fresh.bytes.size();
  return known_.emplace(value, std::move(fresh)).first->second.bytes;
}

Status msgpack_decode(const TypeInfo& type, void* object, std::string_view& bytes) {
  return Reader(bytes).value(type, object, 0);
}

}  // namespace drover
