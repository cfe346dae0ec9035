#include <zlib.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "archive/snapshot_archive.h"
#include "archive/tar_reader.h"
#include "base/assert.h"
#include "base/strings.h"
#include "codec/json.h"

namespace drover::archive {
namespace {

constexpr int kLevel = 1;            // the disk of a backup is cheaper than the leader's time
constexpr int kGzipOnly = 15 + 16;
constexpr size_t kOutput = 256 * 1024;
constexpr size_t kQueued = 4;        // pieces on their way to the packing thread
constexpr size_t kPieceMin = 256 * 1024;

// One gzip member.
class Gzip {
 public:
  Gzip() {
    int rc = ::deflateInit2(&z_, kLevel, Z_DEFLATED, kGzipOnly, 9, Z_DEFAULT_STRATEGY);
    DROVER_ASSERT(rc == Z_OK, "memory for a compressor");
  }
  ~Gzip() { ::deflateEnd(&z_); }
  Gzip(const Gzip&) = delete;

  Status write(std::string_view bytes, const BytesFn& out) { return run(bytes, Z_NO_FLUSH, out); }
  Status finish(const BytesFn& out) { return run({}, Z_FINISH, out); }

 private:
  Status run(std::string_view bytes, int flush, const BytesFn& out) {
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z_.avail_in = static_cast<uInt>(bytes.size());
    do {
      z_.next_out = reinterpret_cast<Bytef*>(buffer_.get());
      z_.avail_out = kOutput;
      ::deflate(&z_, flush);
      if (size_t n = kOutput - z_.avail_out) DROVER_CHECK(out({buffer_.get(), n}));
    } while (z_.avail_out == 0);
    return {};
  }
  z_stream z_{};
  std::unique_ptr<char[]> buffer_{new char[kOutput]};
};

std::string packed(std::string_view bytes) {
  std::string out;
  Gzip gzip;
  auto keep = [&](std::string_view b) { return out += b, Status(); };
  auto ok = gzip.write(bytes, keep);
  ok = gzip.finish(keep);
  return out;
}

// Packs and writes state.bin on a thread of its own, and digests it on the caller's, which has less to do.
class Packer {
 public:
  explicit Packer(Spool& file) : file_(file), thread_([this] { run(); }) {}
  ~Packer() {
    if (thread_.joinable()) end();
  }

  // Waits while too much is on the way. The thread's error.
  Status write(std::string_view bytes) {
    sha_.update(bytes);
    size_ += bytes.size();
    piece_ += bytes;
    return piece_.size() < kPieceMin ? Status() : pass_on();
  }
  Status finish() {
    auto passed = pass_on();
    end();
    DROVER_CHECK(std::move(passed));
    DROVER_CHECK(error_);
    return gzip_.finish([this](std::string_view b) { return file_.append(b); });
  }
  uint64_t size() const { return size_; }
  std::string digest() { return sha_.finish(); }

 private:
  Status pass_on() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return queue_.size() < kQueued || !error_; });
    DROVER_CHECK(error_);
    queue_.push_back(std::exchange(piece_, {}));
    changed_.notify_all();
    return {};
  }
  void end() {
    {
      std::lock_guard lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return !queue_.empty() || ended_; });
      if (queue_.empty()) return;
      auto piece = std::move(queue_.front());
      queue_.pop_front();
      changed_.notify_all();
      lock.unlock();
      auto status = gzip_.write(piece, [this](std::string_view b) { return file_.append(b); });
      lock.lock();
      if (status) continue;
      error_ = std::move(status);
      changed_.notify_all();
      return;
    }
  }

  Spool& file_;
  Gzip gzip_;
  Sha256 sha_;
  uint64_t size_ = 0;
  std::string piece_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> queue_;  // under mutex_, as are the two below
  Status error_;
  bool ended_ = false;
  std::thread thread_;             // last: it uses all the others
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
  std::string buffer(kOutput, '\0');
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
