// gzip and raw deflate, over zlib.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace drover::net {

enum class Encoding : unsigned char { kIdentity, kGzip, kDeflate };
std::string_view encoding_name(Encoding e);  // "gzip", "deflate", ""

// What an Accept-Encoding value picks: the first element that is exactly gzip or deflate, as the reference's handler.
Encoding pick_encoding(std::string_view accept_encoding);

std::string compress(Encoding encoding, std::string_view bytes, int level = 4);

// Compresses a stream with a small window (about 40 KiB of memory); every write comes out whole.
class Compressor {
 public:
  explicit Compressor(Encoding encoding);
  ~Compressor();
  std::string write(std::string_view bytes);
  std::string finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Unpacks gzip as it comes.
class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  // Appends what `bytes` unpack to. `gzip: invalid header`, `gzip: invalid checksum`, `unexpected EOF` as Go words them.
  Status write(std::string_view bytes, std::string& out);
  // Whether a whole gzip member has ended here: false means the data was cut.
  bool complete() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::net
