// BLAKE2b (RFC 7693), 1 to 64 bytes of digest, optionally keyed. OpenSSL 3.0 offers only the 64-byte digest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace drover {

class Blake2b {
 public:
  // `key` holds at most 64 bytes; empty: none.
  explicit Blake2b(size_t digest_bytes, std::string_view key = {});
  Blake2b& update(std::string_view bytes);
  // The digest; ends the use of this object.
  std::string finish();

 private:
  void compress(bool last);

  uint64_t h_[8];
  uint64_t counter_[2] = {0, 0};
  uint8_t buffer_[128];
  size_t filled_ = 0;
  size_t digest_bytes_;
};

}  // namespace drover
