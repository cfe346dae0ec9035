#include "archive/gunzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include "base/assert.h"

namespace drover::archive {
namespace {

constexpr size_t kPiece = 64 * 1024;
constexpr size_t kHeader = 10;  // the least; optional fields follow
constexpr int kGzipOnly = 15 + 16;

Error corrupt(std::string text) { return {ErrorCode::kCorrupt, std::move(text)}; }

}  // namespace

struct Gunzip::Impl {
  z_stream z{};
  std::string head;         // of a member, until it is long enough to judge
  bool in_member = false;
  bool first_done = false;  // some member has ended
  bool opened = false;
  std::unique_ptr<char[]> piece{new char[kPiece]};

  Error error_of(int rc) const {
    std::string_view text = z.msg ? z.msg : "";
    if (text == "incorrect data check" || text == "incorrect length check") return corrupt("gzip: invalid checksum");
    if (text.find("header") != text.npos || text == "unknown compression method") return corrupt("gzip: invalid header");
    if (rc == Z_MEM_ERROR) return internal("gzip: out of memory");
    return corrupt(fmt::format("flate: corrupt input before offset {}", z.total_in > kHeader ? z.total_in - kHeader : 0));
  }

  // Unpacks from the front of `bytes`, within one member.
  Status inflate(std::string_view& bytes, const BytesFn& out) {
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    do {
      z.next_out = reinterpret_cast<Bytef*>(piece.get());
      z.avail_out = kPiece;
      int rc = ::inflate(&z, Z_NO_FLUSH);
      if (size_t n = kPiece - z.avail_out) DROVER_CHECK(out({piece.get(), n}));
      if (rc == Z_STREAM_END) {
        in_member = false;
        first_done = true;
        break;
      }
      if (rc != Z_OK && rc != Z_BUF_ERROR) return error_of(rc);
    } while (z.avail_in > 0 || z.avail_out == 0);
    bytes.remove_prefix(bytes.size() - z.avail_in);
    return {};
  }
};

Gunzip::Gunzip() : impl_(std::make_unique<Impl>()) {
  int rc = ::inflateInit2(&impl_->z, kGzipOnly);
  DROVER_ASSERT(rc == Z_OK, "memory for a decompressor");
}
Gunzip::~Gunzip() { ::inflateEnd(&impl_->z); }

bool Gunzip::opened() const { return impl_->opened; }

Status Gunzip::write(std::string_view bytes, const BytesFn& out) {
  constexpr size_t kStep = 1u << 30;  // zlib counts in 32 bits
  while (!bytes.empty()) {
    if (!impl_->in_member) {
      auto take = std::min(kHeader - impl_->head.size(), bytes.size());
      impl_->head.append(bytes.substr(0, take));
      bytes.remove_prefix(take);
      if (impl_->head.size() < kHeader) return {};
      ::inflateReset(&impl_->z);
      impl_->in_member = true;
      std::string_view head = impl_->head;
      DROVER_CHECK(impl_->inflate(head, out));
      impl_->head.clear();
      impl_->opened = true;
      continue;
    }
    auto step = bytes.substr(0, kStep);
    auto size = step.size();
    DROVER_CHECK(impl_->inflate(step, out));
    bytes.remove_prefix(size - step.size());
  }
  return {};
}

Status Gunzip::finish() const {
  if (impl_->in_member || !impl_->head.empty()) return corrupt("unexpected EOF");
  if (!impl_->first_done) return corrupt("EOF");
  return {};
}

}  // namespace drover::archive
