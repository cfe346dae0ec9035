#include "gossip/pack.h"

#include <bit>

namespace drover::gossip {

void PackWriter::big_endian(uint64_t n, int width) {
  for (int shift = (width - 1) * 8; shift >= 0; shift -= 8) out_ += static_cast<char>(n >> shift);
}

void PackWriter::natural(uint64_t n) {
  if (n < 0x80) out_ += static_cast<char>(n);
  else if (n <= 0xff) out_ += '\xcc', big_endian(n, 1);
  else if (n <= 0xffff) out_ += '\xcd', big_endian(n, 2);
  else if (n <= 0xffffffff) out_ += '\xce', big_endian(n, 4);
  else out_ += '\xcf', big_endian(n, 8);
}

void PackWriter::integer(int64_t n) {
  if (n >= 0) natural(static_cast<uint64_t>(n));
  else if (n >= -32) out_ += static_cast<char>(n);
  else out_ += '\xd3', big_endian(static_cast<uint64_t>(n), 8);
}

void PackWriter::real(double d) {
  out_ += '\xcb';
  big_endian(std::bit_cast<uint64_t>(d), 8);
}

void PackWriter::raw(std::string_view bytes) {
  if (bytes.size() < 32) out_ += static_cast<char>(0xa0 | bytes.size());
  else if (bytes.size() <= 0xffff) out_ += '\xda', big_endian(bytes.size(), 2);
  else out_ += '\xdb', big_endian(bytes.size(), 4);
  out_ += bytes;
}

void PackWriter::array(size_t n) {
  if (n < 16) out_ += static_cast<char>(0x90 | n);
  else if (n <= 0xffff) out_ += '\xdc', big_endian(n, 2);
  else out_ += '\xdd', big_endian(n, 4);
}

void PackWriter::map(size_t n) {
  if (n < 16) out_ += static_cast<char>(0x80 | n);
  else if (n <= 0xffff) out_ += '\xde', big_endian(n, 2);
  else out_ += '\xdf', big_endian(n, 4);
}

bool PackReader::fail(bool cut) {
  if (ok_) short_ = cut;
  ok_ = false;
  return false;
}

bool PackReader::take(size_t n, uint64_t& out) {
  out = 0;
  if (!ok_ || in_.size() < n) return fail(ok_);
  for (size_t i = 0; i < n; ++i) out = out << 8 | static_cast<unsigned char>(in_[i]);
  in_.remove_prefix(n);
  return true;
}

unsigned char PackReader::head() {
  uint64_t n = 0;
  return take(1, n) ? static_cast<unsigned char>(n) : 0;
}

bool PackReader::nil() {
  if (!ok_ || in_.empty() || in_[0] != '\xc0') return false;
  in_.remove_prefix(1);
  return true;
}

bool PackReader::boolean() {
  auto h = head();
  if (ok_ && h != 0xc2 && h != 0xc3) fail();
  return ok_ && h == 0xc3;
}

int64_t PackReader::integer() {
  auto h = head();
  if (!ok_) return 0;
  if (h < 0x80) return h;
  if (h >= 0xe0) return static_cast<int8_t>(h);
  if (h < 0xcc || h > 0xd3) return fail(), 0;
  bool is_signed = h >= 0xd0;
  int width = 1 << (h - (is_signed ? 0xd0 : 0xcc));
  uint64_t n = 0;
  if (!take(width, n)) return 0;
  int shift = 64 - width * 8;
  return is_signed ? static_cast<int64_t>(n << shift) >> shift : static_cast<int64_t>(n);
}

uint64_t PackReader::natural() { return static_cast<uint64_t>(integer()); }

double PackReader::real() {
  if (!ok_ || in_.empty()) return fail(ok_), 0;
  auto h = static_cast<unsigned char>(in_[0]);
  if (h != 0xca && h != 0xcb) return static_cast<double>(integer());
  in_.remove_prefix(1);
  uint64_t n = 0;
  if (!take(h == 0xca ? 4 : 8, n)) return 0;
  return h == 0xca ? std::bit_cast<float>(static_cast<uint32_t>(n)) : std::bit_cast<double>(n);
}

std::string_view PackReader::raw() {
  if (nil()) return {};
  auto h = head();
  if (!ok_) return {};
  uint64_t n = h & 0x1f;
  if ((h & 0xe0) != 0xa0) {
    int width = h == 0xd9 || h == 0xc4 ? 1 : h == 0xda || h == 0xc5 ? 2 : h == 0xdb || h == 0xc6 ? 4 : 0;
    if (width == 0) return fail(), std::string_view();
    if (!take(width, n)) return {};
  }
  if (n > in_.size()) return fail(true), std::string_view();
  auto out = in_.substr(0, n);
  in_.remove_prefix(n);
  return out;
}

// Each element takes at least a byte, so a count beyond what is left is a value cut short.
size_t PackReader::elements(uint64_t n, size_t bytes_each) {
  if (!ok_) return 0;
  if (n > in_.size() / bytes_each) return fail(true), 0;
  if (n > budget_) return fail(), 0;
  budget_ -= n;
  return n;
}

size_t PackReader::array() {
  if (nil()) return 0;
  auto h = head();
  uint64_t n = h & 0x0f;
  if (ok_ && (h & 0xf0) != 0x90) {
    if (h != 0xdc && h != 0xdd) return fail(), 0;
    take(h == 0xdc ? 2 : 4, n);
  }
  return elements(n, 1);
}

size_t PackReader::map() {
  if (nil()) return 0;
  auto h = head();
  uint64_t n = h & 0x0f;
  if (ok_ && (h & 0xf0) != 0x80) {
    if (h != 0xde && h != 0xdf) return fail(), 0;
    take(h == 0xde ? 2 : 4, n);
  }
  return elements(n, 2);
}

void PackReader::skip() {
  // Counts values still to pass instead of recursing: nesting costs nothing.
  for (uint64_t left = 1; left > 0 && ok_; --left) {
    if (in_.empty()) {
      fail(true);
      return;
    }
    auto h = static_cast<unsigned char>(in_[0]);
    uint64_t n = 0;
    if (h < 0x80 || h >= 0xe0 || h == 0xc0 || h == 0xc2 || h == 0xc3) {
      in_.remove_prefix(1);
    } else if ((h & 0xf0) == 0x80 || h == 0xde || h == 0xdf) {
      left += 2 * map();
    } else if ((h & 0xf0) == 0x90 || h == 0xdc || h == 0xdd) {
      left += array();
    } else if (h >= 0xca && h <= 0xd3) {
      real();
    } else if (h >= 0xd4 && h <= 0xd8) {  // fixext: type and 1 to 16 bytes
      in_.remove_prefix(1);
      uint64_t size = 1 + (uint64_t{1} << (h - 0xd4));
      if (in_.size() < size) fail(true);
      else in_.remove_prefix(size);
    } else if (h >= 0xc7 && h <= 0xc9) {  // ext: length, type, bytes
      in_.remove_prefix(1);
      if (!take(size_t{1} << (h - 0xc7), n)) return;
      if (in_.size() < n + 1) fail(true);
      else in_.remove_prefix(n + 1);
    } else {
      raw();
    }
  }
}

}  // namespace drover::gossip
