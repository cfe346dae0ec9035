#include "base/blake2b.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

namespace drover {
namespace {

constexpr uint64_t kIv[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                             0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

constexpr uint8_t kSigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

void mix(uint64_t* v, int a, int b, int c, int d, uint64_t x, uint64_t y) {
  v[a] += v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 32);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 24);
  v[a] += v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = std::rotr(v[b] ^ v[c], 63);
}

uint64_t load(const uint8_t* p) {
  uint64_t n = 0;
  for (int i = 7; i >= 0; --i) n = n << 8 | p[i];
  return n;
}

}  // namespace

Blake2b::Blake2b(size_t digest_bytes, std::string_view key) : digest_bytes_(digest_bytes) {
  DROVER_ASSERT(digest_bytes >= 1 && digest_bytes <= 64 && key.size() <= 64, "sizes of BLAKE2b");
  std::copy(std::begin(kIv), std::end(kIv), h_);
  h_[0] ^= 0x01010000 ^ static_cast<uint64_t>(key.size()) << 8 ^ digest_bytes;
  if (key.empty()) return;
  std::memset(buffer_, 0, sizeof buffer_);
  std::memcpy(buffer_, key.data(), key.size());
  filled_ = sizeof buffer_;
}

void Blake2b::compress(bool last) {
  uint64_t v[16], m[16];
  for (int i = 0; i < 8; ++i) v[i] = h_[i], v[i + 8] = kIv[i];
  v[12] ^= counter_[0];
  v[13] ^= counter_[1];
  if (last) v[14] = ~v[14];
  for (int i = 0; i < 16; ++i) m[i] = load(buffer_ + 8 * i);
  for (int round = 0; round < 12; ++round) {
    auto& s = kSigma[round % 10];
    for (int i = 0; i < 4; ++i) mix(v, i, i + 4, i + 8, i + 12, m[s[2 * i]], m[s[2 * i + 1]]);
    for (int i = 0; i < 4; ++i) mix(v, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, m[s[2 * i + 8]], m[s[2 * i + 9]]);
  }
  for (int i = 0; i < 8; ++i) h_[i] ^= v[i] ^ v[i + 8];
}

Blake2b& Blake2b::update(std::string_view bytes) {
  while (!bytes.empty()) {
    // A full block waits until more follows: the last one is compressed differently.
    if (filled_ == sizeof buffer_) {
      counter_[0] += filled_;
      counter_[1] += counter_[0] < filled_;
      compress(false);
      filled_ = 0;
    }
    auto n = std::min(bytes.size(), sizeof buffer_ - filled_);
    std::memcpy(buffer_ + filled_, bytes.data(), n);
    filled_ += n;
    bytes.remove_prefix(n);
  }
  return *this;
}

std::string Blake2b::finish() {
  counter_[0] += filled_;
  counter_[1] += counter_[0] < filled_;
  std::memset(buffer_ + filled_, 0, sizeof buffer_ - filled_);
  compress(true);
  std::string out;
  for (size_t i = 0; i < digest_bytes_; ++i) out += static_cast<char>(h_[i / 8] >> (8 * (i % 8)));
  return out;
}

}  // namespace drover
