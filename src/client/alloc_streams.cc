// Reading and following files and rotated logs.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/strings.h"
#include "client/alloc_fs_internal.h"

namespace drover::client {

using namespace fs_detail;

namespace {

using Frame = std::optional<StreamFrame>;

constexpr std::string_view kTruncated = "file truncated";
constexpr std::string_view kDeleted = "file deleted";

struct Chunk {
  std::string data;
  int64_t size = 0;  // of the file
};

Result<Chunk> read_chunk(const AllocFiles& files, const std::string& path, int64_t offset, size_t most) {
  DROVER_TRY(auto file, open_for_reading(files, path));
  struct stat st;
  if (::fstat(file.fd(), &st) != 0) return go_errno("stat", path, errno);
  Chunk out;
  out.size = st.st_size;
  if (offset > st.st_size) return out;
  out.data.resize(most);
  ssize_t n = ::pread(file.fd(), out.data.data(), most, offset);
  if (n < 0) return go_errno("read", path, errno);
  out.data.resize(static_cast<size_t>(n));
  return out;
}

// ---- One file

class FileReader final : public FrameReader {
 public:
  FileReader(World& world, AllocFiles files, FileStreamRequest request)
      : world_(world), files_(std::move(files)), request_(std::move(request)) {}

  Async<Result<Frame>> next() override {
    if (!opened_) {
      if (request_.path.empty()) co_return invalid("must provide a file path");
      auto size = co_await on_pool(world_, [files = files_, path = request_.path]() -> Result<int64_t> {
        DROVER_TRY(auto chunk, read_chunk(files, path, 0, 0));
        return chunk.size;
      });
      if (!size) co_return size.error();
      if (request_.origin == FileOrigin::kStart && request_.offset < 0) co_return cannot_seek();
      auto wanted = request_.origin == FileOrigin::kEnd ? *size - request_.offset : request_.offset;
      offset_ = std::max<int64_t>(wanted, 0);
      opened_ = true;
    }
    for (;;) {
      if (over_) co_return Frame();
      size_t most = kFrameBytes;
      if (request_.limit > 0) most = std::min(most, static_cast<size_t>(request_.limit - sent_));
      if (most == 0) co_return Frame();
      auto chunk = co_await on_pool(
          world_, [files = files_, path = request_.path, at = offset_, most] { return read_chunk(files, path, at, most); });
      if (!chunk) {
        over_ = true;
        co_return event(kDeleted);
      }
      if (chunk->size < offset_ && offset_ <= seen_) {
        offset_ = seen_ = 0;
        co_return event(kTruncated);
      }
      seen_ = std::max(seen_, chunk->size);
      if (!chunk->data.empty()) {
        offset_ += static_cast<int64_t>(chunk->data.size());
        sent_ += static_cast<int64_t>(chunk->data.size());
        StreamFrame frame;
        frame.Offset = offset_;
        frame.File = request_.path;
        frame.Data.data = std::move(chunk->data);
        co_return Frame(std::move(frame));
      }
      if (!request_.follow) co_return Frame();
      co_await sleep_for(world_.loop, kFollowPoll);
    }
  }

 private:
  // The offset is shown as the character that stands for what is none.
  Error cannot_seek() const {
    return internal("can't seek to offset '\ufffd': seek " + clean_join(files_.paths.root, request_.path) + ": invalid argument");
  }

  Frame event(std::string_view what) {
    StreamFrame frame;
    frame.File = request_.path;
    frame.FileEvent = what;
    return frame;
  }

  World& world_;
  AllocFiles files_;
  FileStreamRequest request_;
  bool opened_ = false, over_ = false;
  int64_t offset_ = 0, sent_ = 0, seen_ = 0;
};

// ---- Logs

struct LogFile {
  int64_t index = 0;
  int64_t size = 0;
};

Result<std::vector<LogFile>> log_files(const AllocFiles& files, const std::string& prefix) {
  DROVER_TRY(auto dir, open_in(files, "alloc/logs", O_RDONLY | O_DIRECTORY));
  DROVER_TRY(auto names, dir_names(dir));
  std::vector<LogFile> out;
  for (auto& name : names) {
    if (!name.starts_with(prefix)) continue;
    auto index = parse_int(std::string_view(name).substr(prefix.size()));
    struct stat st;
    if (!index || *index < 0 || ::fstatat(dir.fd(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(st.st_mode)) out.push_back({*index, st.st_size});
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.index < b.index; });
  return out;
}

class LogReader final : public FrameReader {
 public:
  LogReader(World& world, AllocFiles files, LogStreamRequest request)
      : world_(world),
        files_(std::move(files)),
        request_(std::move(request)),
        prefix_(request_.task + "." + request_.type + ".") {}

  Async<Result<Frame>> next() override {
    if (!opened_) {
      auto status = co_await open();
      if (!status) co_return status.error();
    }
    for (;;) {
      auto path = "alloc/logs/" + prefix_ + std::to_string(index_);
      // The list before the read: when a newer file is in it, this one was complete then.
      auto list = co_await list_now();
      if (!list) co_return Frame();
      auto chunk = co_await on_pool(
          world_, [files = files_, path, at = offset_] { return read_chunk(files, path, at, kFrameBytes); });
      if (chunk && chunk->size < offset_) {
        offset_ = 0;
        co_return event(path, kTruncated);
      }
      if (chunk && !chunk->data.empty()) {
        offset_ += static_cast<int64_t>(chunk->data.size());
        StreamFrame frame;
        frame.Offset = offset_;
        frame.File = path;
        frame.Data.data = std::move(chunk->data);
        co_return Frame(std::move(frame));
      }
      if (advance(*list, static_cast<bool>(chunk))) continue;
      if (!request_.follow) co_return Frame();
      co_await sleep_for(world_.loop, kFollowPoll);
    }
  }

 private:
  Async<Result<std::vector<LogFile>>> list_now() {
    return on_pool(world_, [files = files_, prefix = prefix_] { return log_files(files, prefix); });
  }

  Status check() const {
    if (request_.task.empty()) return invalid("must provide task name");
    if (request_.type != "stdout" && request_.type != "stderr") return invalid("must provide log type (stdout/stderr)");
    auto it = files_.tasks.find(request_.task);
    if (it == files_.tasks.end()) return invalid("unknown task name " + go_quote(request_.task));
    if (!it->second.started) return not_found("task " + go_quote(request_.task) + " not started yet. No logs available");
    return {};
  }

  Async<Status> open() {
    DROVER_CO_CHECK(check());
    auto list = co_await list_now();
    if (!list || list->empty())
      co_return not_found("log entry for task " + go_quote(request_.task) + " and log type " + go_quote(request_.type) +
                          " not found");
    last_ = list->back().index;
    seek(*list);
    opened_ = true;
    co_return Status();
  }

  void seek(const std::vector<LogFile>& list) {
    int64_t left = std::max<int64_t>(request_.offset, 0);
    if (request_.origin == FileOrigin::kStart) {
      for (auto& file : list) {
        index_ = file.index;
        offset_ = std::min(left, file.size);
        if (left <= file.size) return;
        left -= file.size;
      }
      return;
    }
    for (auto it = list.rbegin(); it != list.rend(); ++it) {
      index_ = it->index;
      offset_ = std::max<int64_t>(it->size - left, 0);
      if (left <= it->size) return;
      left -= it->size;
    }
  }

  // Goes to the next file when there is one; not beyond the last one at the start, unless following.
  bool advance(const std::vector<LogFile>& list, bool exists) {
    for (auto& file : list) {
      if (file.index <= index_) continue;
      if (!request_.follow && file.index > last_) return false;
      index_ = file.index;
      offset_ = 0;
      return true;
    }
    if (!exists) offset_ = 0;  // rotated away, or removed and to be made again
    return false;
  }

  Frame event(const std::string& path, std::string_view what) {
    StreamFrame frame;
    frame.File = path;
    frame.FileEvent = what;
    return frame;
  }

  World& world_;
  AllocFiles files_;
  LogStreamRequest request_;
  std::string prefix_;
  bool opened_ = false;
  int64_t index_ = 0, offset_ = 0, last_ = 0;
};

}  // namespace

std::unique_ptr<FrameReader> stream_file(World& world, AllocFiles files, FileStreamRequest request) {
  return std::make_unique<FileReader>(world, std::move(files), std::move(request));
}

std::unique_ptr<FrameReader> stream_logs(World& world, AllocFiles files, LogStreamRequest request) {
  return std::make_unique<LogReader>(world, std::move(files), std::move(request));
}

}  // namespace drover::client
