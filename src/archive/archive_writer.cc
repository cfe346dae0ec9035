#include <libdeflate.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "archive/snapshot_archive.h"
#include "archive/tar_reader.h"
#include "base/assert.h"
#include "base/strings.h"
#include "codec/json.h"

namespace drover::archive {
namespace {

constexpr size_t kBuffer = 256 * 1024;
constexpr size_t kPiece = 512 * 1024;  // of a member: small enough to be packed in turns, large against the reach of a match
constexpr size_t kAhead = 6;           // pieces on their way to the packing threads and back
constexpr unsigned kThreadsMax = 3;

constexpr int kLevel = 1;              // the disk of a backup is cheaper than the leader's time

// Makes gzip members, each whole in itself, so that several threads may make them. One thread at a time.
class Gzip {
 public:
  std::string member(std::string_view bytes) {
    std::string out(::libdeflate_gzip_compress_bound(compressor_.get(), bytes.size()), '\0');
    auto n = ::libdeflate_gzip_compress(compressor_.get(), bytes.data(), bytes.size(), out.data(), out.size());
    DROVER_ASSERT(n > 0, "the bound has room for the member");
    out.resize(n);
    return out;
  }

 private:
  struct Free {
    void operator()(libdeflate_compressor* c) const { ::libdeflate_free_compressor(c); }
  };
  static libdeflate_compressor* made() {
    auto* c = ::libdeflate_alloc_compressor(kLevel);
    DROVER_ASSERT(c, "memory for a compressor");
    return c;
  }
  std::unique_ptr<libdeflate_compressor, Free> compressor_{made()};
};

std::string packed(std::string_view bytes) { return Gzip().member(bytes); }

// Packs state.bin on threads of its own, piece by piece, and digests it on the caller's, which also writes it out.
class Packer {
 public:
  explicit Packer(Spool& file) : file_(file) {}
  ~Packer() {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    work_.notify_all();
    for (auto& t : threads_) t.join();
  }

  // Waits while too much is on the way.
  Status write(std::string_view bytes) {
    sha_.update(bytes);
    size_ += bytes.size();
    piece_ += bytes;
    return piece_.size() < kPiece ? Status() : pass_on();
  }
  Status finish() {
    if (!piece_.empty()) DROVER_CHECK(pass_on());
    return take(0);
  }
  uint64_t size() const { return size_; }
  std::string digest() { return sha_.finish(); }

 private:
  struct Piece {
    std::string bytes, packed;
    bool done = false;  // under mutex_
  };

  Status pass_on() {
    if (threads_.empty())
      for (unsigned n = std::clamp(std::thread::hardware_concurrency(), 2u, kThreadsMax); n > 0; --n) threads_.emplace_back([this] { run(); });
    auto piece = std::make_shared<Piece>();
    piece->bytes = std::exchange(piece_, {});
    on_the_way_.push_back(piece);
    {
      std::lock_guard lock(mutex_);
      queue_.push_back(std::move(piece));
    }
    work_.notify_one();
    return take(kAhead);
  }
  // Writes out what is packed, until no more than so many pieces are on the way.
  Status take(size_t left) {
    while (on_the_way_.size() > left) {
      auto& piece = *on_the_way_.front();
      {
        std::unique_lock lock(mutex_);
        done_.wait(lock, [&] { return piece.done; });
      }
      DROVER_CHECK(file_.append(piece.packed));
      on_the_way_.pop_front();
    }
    return {};
  }
  void run() {
    Gzip gzip;
    std::unique_lock lock(mutex_);
    for (;;) {
      work_.wait(lock, [&] { return over_ || !queue_.empty(); });
      if (over_) return;
      auto piece = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      piece->packed = gzip.member(piece->bytes);
      piece->bytes = {};
      lock.lock();
      piece->done = true;
      done_.notify_all();
    }
  }

  Spool& file_;
  Sha256 sha_;
  uint64_t size_ = 0;
  std::string piece_;
  std::deque<std::shared_ptr<Piece>> on_the_way_;  // oldest first
  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::deque<std::shared_ptr<Piece>> queue_;  // under mutex_
  bool over_ = false;                         // under mutex_
  std::vector<std::thread> threads_;
};

std::string sha256_hex(std::string_view bytes) {
  Sha256 sha;
  sha.update(bytes);
  return hex_encode(sha.finish());
}

}  // namespace

Result<size_t> SavedArchive::read_at(uint64_t offset, char* out, size_t size) const {
  size_t have = 0;
  auto take = [&](std::string_view part) {
    if (offset < part.size()) {
      size_t n = std::min<uint64_t>(size - have, part.size() - offset);
      part.copy(out + have, n, offset);
      have += n;
      offset += n;
    }
    offset -= std::min<uint64_t>(offset, part.size());
  };
  take(head_);
  if (have == size) return have;
  if (offset < body_.size()) {
    DROVER_TRY(size_t n, body_.read_at(offset, out + have, size - have));
    have += n;
    offset += n;
    if (have == size) return have;
  }
  offset -= body_.size();
  take(tail_);
  return have;
}

Result<SavedArchive> save_archive(SnapshotMeta meta, Time now, const std::function<Status(const BytesFn&)>& state, std::string dir) {
  DROVER_TRY(auto spool, Spool::create(std::move(dir)));
  SavedArchive saved(std::move(meta), std::move(spool));
  std::string digest;
  {
    Packer packer(saved.body_);
    DROVER_CHECK(state([&](std::string_view bytes) { return packer.write(bytes); }));
    DROVER_CHECK(packer.finish());
    saved.meta_.Size = static_cast<int64_t>(packer.size());
    digest = packer.digest();
  }
  auto size = static_cast<uint64_t>(saved.meta_.Size);
  auto modified = now.unix_seconds();
  auto json = to_json(saved.meta_, {.escape_html = true, .float_point = false});
  auto sums = sha256_hex(json) + "  meta.json\n" + hex_encode(digest) + "  state.bin\n";
  saved.head_ = packed(tar_header("meta.json", json.size(), modified) + json + tar_padding(json.size()) +
                       tar_header("state.bin", size, modified));
  saved.tail_ = packed(tar_padding(size) + tar_header("SHA256SUMS", sums.size(), modified) + sums + tar_padding(sums.size()) + tar_end());

  Sha256 whole;
  std::string buffer(kBuffer, '\0');
  for (uint64_t at = 0; at < saved.size();) {
    DROVER_TRY(size_t n, saved.read_at(at, buffer.data(), buffer.size()));
    if (n == 0) return Error(ErrorCode::kIo, "the snapshot file is cut short");
    whole.update({buffer.data(), n});
    at += n;
  }
  saved.digest_ = "sha-256=" + base64_encode(whole.finish());
  return saved;
}

}  // namespace drover::archive
