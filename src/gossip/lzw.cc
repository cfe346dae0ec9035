#include "gossip/lzw.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace drover::gossip {
namespace {

constexpr uint32_t kClear = 256, kEnd = 257, kWidthMin = 9, kWidthMax = 12;
constexpr uint32_t kCodes = 1u << kWidthMax;
constexpr uint32_t kNone = kCodes;

class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}
  void put(uint32_t code, uint32_t width) {
    bits_ |= static_cast<uint64_t>(code) << count_;
    for (count_ += width; count_ >= 8; count_ -= 8, bits_ >>= 8) out_ += static_cast<char>(bits_);
  }
  void flush() {
    if (count_ > 0) out_ += static_cast<char>(bits_);
  }

 private:
  std::string& out_;
  uint64_t bits_ = 0;
  uint32_t count_ = 0;
};

// The sequences that have codes, as (code of the prefix, last byte) -> code. A small open table: there are at most 4096.
class Sequences {
 public:
  Sequences() { clear(); }
  void clear() { slots_.fill({kNone, 0}); }
  uint32_t& at(uint32_t prefix, unsigned char last) {
    uint32_t key = prefix << 8 | last;
    for (uint32_t i = key * 2654435761u >> 18;; i = (i + 1) % slots_.size()) {
      if (slots_[i].first == kNone && slots_[i].second == 0) slots_[i].second = key + 1;
      if (slots_[i].second == key + 1) return slots_[i].first;
    }
  }

 private:
  std::array<std::pair<uint32_t, uint32_t>, 16384> slots_;  // code (kNone: not yet given), key + 1
};

}  // namespace

std::string lzw_compress(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() / 2 + 8);
  BitWriter bits(out);
  Sequences known;
  uint32_t width = kWidthMin, newest = kEnd;
  // Accounts for the code that the reader makes after each code it reads; true when the table was started anew.
  auto grow = [&] {
    ++newest;
    if (newest == 1u << width) ++width;
    if (newest < kCodes - 1) return false;
    bits.put(kClear, width);
    width = kWidthMin;
    newest = kEnd;
    known.clear();
    return true;
  };
  bits.put(kClear, width);
  uint32_t sequence = kNone;
  for (unsigned char c : bytes) {
    if (sequence == kNone) {
      sequence = c;
      continue;
    }
    auto& code = known.at(sequence, c);
    if (code != kNone) {
      sequence = code;
      continue;
    }
    bits.put(sequence, width);
    sequence = c;
    if (!grow()) code = newest;
  }
  if (sequence != kNone) {
    bits.put(sequence, width);
    grow();
  }
  bits.put(kEnd, width);
  bits.flush();
  return out;
}

std::optional<std::string> lzw_expand(std::string_view bytes, size_t limit) {
  struct Entry {
    uint16_t prefix;
    char last;
  };
  std::vector<Entry> table(kCodes);
  std::string out, sequence;
  uint64_t bits = 0;
  uint32_t count = 0, width = kWidthMin, newest = kEnd, previous = kNone;
  size_t at = 0;
  bool full = false;
  for (;;) {
    for (; count < width; count += 8) {
      if (at == bytes.size()) return std::nullopt;
      bits |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[at++])) << count;
    }
    uint32_t code = static_cast<uint32_t>(bits) & ((1u << width) - 1);
    bits >>= width;
    count -= width;
    if (code == kEnd) return out;
    if (code == kClear) {
      width = kWidthMin;
      newest = kEnd;
      previous = kNone;
      full = false;
      continue;
    }
    // A code may be the very one that this step makes: the previous sequence and its own first byte again.
    bool own = code == newest && previous != kNone && code > kEnd;
    if (code > newest || (code == newest && code > kEnd && !own && !full)) return std::nullopt;
    sequence.clear();
    uint32_t walk = own ? previous : code;
    for (; walk > kEnd; walk = table[walk].prefix) sequence += table[walk].last;
    char first = static_cast<char>(walk);
    sequence += first;
    std::reverse(sequence.begin(), sequence.end());
    if (own) sequence += first;
    if (out.size() + sequence.size() > limit) return std::nullopt;
    out += sequence;
    if (previous != kNone && newest < kCodes) table[newest] = {static_cast<uint16_t>(previous), first};
    previous = code;
    ++newest;
    if (newest >= 1u << width) {
      if (width == kWidthMax) {
        // The table is full: no more sequences until it is cleared.
        previous = kNone;
        full = true;
        --newest;
      } else {
        ++width;
      }
    }
  }
}

}  // namespace drover::gossip
