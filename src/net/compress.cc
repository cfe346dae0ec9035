#include "net/compress.h"

#include <zlib.h>

#include "base/assert.h"
#include "base/strings.h"

namespace drover::net {
namespace {

constexpr int kGzipWindow = 16;  // added to the window bits: with gzip's frame
int window_bits(Encoding e, int bits) { return e == Encoding::kGzip ? bits + kGzipWindow : -bits; }

void deflate_all(z_stream& z, std::string_view bytes, int flush, std::string& out) {
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  int rc;
  do {
    char buffer[16384];
    z.next_out = reinterpret_cast<Bytef*>(buffer);
    z.avail_out = sizeof buffer;
    rc = ::deflate(&z, flush);
    out.append(buffer, sizeof buffer - z.avail_out);
  } while (z.avail_out == 0 || (flush == Z_FINISH && rc == Z_OK));
}

}  // namespace

std::string_view encoding_name(Encoding e) {
  return e == Encoding::kGzip ? "gzip" : e == Encoding::kDeflate ? "deflate" : "";
}

Encoding pick_encoding(std::string_view accept) {
  for (auto& part : split(accept, ',')) {
    auto name = trim_space(part);
    if (name == "gzip") return Encoding::kGzip;
    if (name == "deflate") return Encoding::kDeflate;
  }
  return Encoding::kIdentity;
}

std::string compress(Encoding encoding, std::string_view bytes, int level) {
  if (encoding == Encoding::kIdentity) return std::string(bytes);
  z_stream z{};
  int rc = ::deflateInit2(&z, level, Z_DEFLATED, window_bits(encoding, 15), 8, Z_DEFAULT_STRATEGY);
  DROVER_ASSERT(rc == Z_OK, "memory for a compressor");
  std::string out;
  constexpr size_t kStep = 1 << 30;  // zlib counts in 32 bits
  while (bytes.size() > kStep) {
    deflate_all(z, bytes.substr(0, kStep), Z_NO_FLUSH, out);
    bytes.remove_prefix(kStep);
  }
  deflate_all(z, bytes, Z_FINISH, out);
  ::deflateEnd(&z);
  return out;
}

struct Compressor::Impl {
  z_stream z{};
};

Compressor::Compressor(Encoding encoding) : impl_(std::make_unique<Impl>()) {
  int rc = ::deflateInit2(&impl_->z, 1, Z_DEFLATED, window_bits(encoding, 12), 5, Z_DEFAULT_STRATEGY);
  DROVER_ASSERT(rc == Z_OK, "memory for a compressor");
}
Compressor::~Compressor() { ::deflateEnd(&impl_->z); }

std::string Compressor::write(std::string_view bytes) {
  std::string out;
  deflate_all(impl_->z, bytes, Z_SYNC_FLUSH, out);
  return out;
}
std::string Compressor::finish() {
  std::string out;
  deflate_all(impl_->z, {}, Z_FINISH, out);
  return out;
}

struct Decompressor::Impl {
  z_stream z{};
  bool ended = false;
};

Decompressor::Decompressor() : impl_(std::make_unique<Impl>()) {
  int rc = ::inflateInit2(&impl_->z, 15 + kGzipWindow);
  DROVER_ASSERT(rc == Z_OK, "memory for a decompressor");
}
Decompressor::~Decompressor() { ::inflateEnd(&impl_->z); }
bool Decompressor::complete() const { return impl_->ended; }

Status Decompressor::write(std::string_view bytes, std::string& out) {
  auto& z = impl_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  while (z.avail_in > 0) {
    if (impl_->ended) {
      // Members may follow each other.
      ::inflateReset(&z);
      impl_->ended = false;
    }
    char buffer[16384];
    z.next_out = reinterpret_cast<Bytef*>(buffer);
    z.avail_out = sizeof buffer;
    int rc = ::inflate(&z, Z_NO_FLUSH);
    out.append(buffer, sizeof buffer - z.avail_out);
    if (rc == Z_STREAM_END) {
      impl_->ended = true;
    } else if (rc == Z_DATA_ERROR || rc == Z_NEED_DICT) {
      bool checksum = z.msg && std::string_view(z.msg) == "incorrect data check";
      bool header = z.msg && std::string_view(z.msg) == "incorrect header check";
      return Error(ErrorCode::kCorrupt, checksum ? "gzip: invalid checksum" : header ? "gzip: invalid header"
                                                                                      : "flate: corrupt input");
    } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
      return Error(ErrorCode::kInternal, "gzip: out of memory");
    }
  }
  // Output that did not fit the last buffer.
  while (!impl_->ended && z.avail_out == 0) {
    char buffer[16384];
    z.next_out = reinterpret_cast<Bytef*>(buffer);
    z.avail_out = sizeof buffer;
    int rc = ::inflate(&z, Z_NO_FLUSH);
    out.append(buffer, sizeof buffer - z.avail_out);
    if (rc == Z_STREAM_END) impl_->ended = true;
    if (rc != Z_OK) break;
  }
  return {};
}

}  // namespace drover::net
