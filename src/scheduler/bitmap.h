// A set of rows of the fleet, one bit each.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace drover::scheduler {

class Bitmap {
 public:
  Bitmap() = default;
  explicit Bitmap(size_t bits, bool value = false) { resize(bits, value); }

  size_t size() const { return bits_; }
  void resize(size_t bits, bool value = false) {
    words_.assign((bits + 63) / 64, value ? ~uint64_t{0} : 0);
    bits_ = bits;
    trim();
  }
  // Keeps what is set; new bits are clear.
  void grow(size_t bits) {
    words_.resize((bits + 63) / 64, 0);
    bits_ = bits;
  }
  bool test(size_t i) const { return words_[i / 64] >> (i % 64) & 1; }
  void set(size_t i, bool value = true) {
    auto mask = uint64_t{1} << (i % 64);
    if (value) {
      words_[i / 64] |= mask;
    } else {
      words_[i / 64] &= ~mask;
    }
  }
  size_t count() const {
    size_t n = 0;
    for (auto w : words_) n += static_cast<size_t>(std::popcount(w));
    return n;
  }
  bool none() const {
    for (auto w : words_)
      if (w) return false;
    return true;
  }
  Bitmap& operator&=(const Bitmap& o) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= o.words_[i];
    return *this;
  }
  Bitmap& operator|=(const Bitmap& o) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= o.words_[i];
    return *this;
  }
  // This and not `o`.
  Bitmap& subtract(const Bitmap& o) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~o.words_[i];
    return *this;
  }
  // Calls fn(row) for each set bit, ascending.
  template <class F>
  void each(F&& fn) const {
    for (size_t w = 0; w < words_.size(); ++w)
      for (auto bits = words_[w]; bits; bits &= bits - 1)
        fn(static_cast<uint32_t>(w * 64 + static_cast<size_t>(std::countr_zero(bits))));
  }

 private:
  void trim() {
    if (bits_ % 64 && !words_.empty()) words_.back() &= (uint64_t{1} << (bits_ % 64)) - 1;
  }
  std::vector<uint64_t> words_;
  size_t bits_ = 0;
};

}  // namespace drover::scheduler
