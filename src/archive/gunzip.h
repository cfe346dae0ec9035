// Gzip, unpacked as it comes, in bounded memory; members may follow each other.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace drover::archive {

using BytesFn = std::function<Status(std::string_view)>;

// The texts are Go's: "gzip: invalid header", "gzip: invalid checksum", "flate: corrupt input before offset 17", "EOF" (no byte
// at all), "unexpected EOF" (cut).
class Gunzip {
 public:
  Gunzip();
  ~Gunzip();
  // Gives what `bytes` unpack to, in pieces of up to 64 KiB. An error of `out` stops it.
  Status write(std::string_view bytes, const BytesFn& out);
  // There is no more.
  Status finish() const;
  // Whether the first member's header was seen whole.
  bool opened() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::archive
