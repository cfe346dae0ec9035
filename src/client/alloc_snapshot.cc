#include "client/alloc_snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <vector>

#include "base/strings.h"
#include "client/alloc_fs_internal.h"
#include "client/tar.h"

namespace drover::client {

using namespace fs_detail;

namespace {

constexpr size_t kPiece = 256 << 10;

// A directory being walked: the names still to come, last first.
struct Level {
  std::string path;
  std::vector<std::string> names;
};

// Walks and reads on the pool, one call at a time.
class Walker {
 public:
  explicit Walker(AllocFiles files) : files_(std::move(files)) {
    for (auto it = files_.tasks.rbegin(); it != files_.tasks.rend(); ++it) roots_.push_back(it->first + "/local");
    roots_.push_back("alloc/data");
  }

  std::string next() {
    std::string out;
    while (out.size() < kPiece && !ended_) {
      auto status = step(out);
      if (status) continue;
      out += error_entry(status.error().message);
      ended_ = true;
    }
    return out;
  }

 private:
  Status step(std::string& out) {
    if (file_.fd() >= 0) return read_on(out);
    if (!levels_.empty()) {
      auto& level = levels_.back();
      if (level.names.empty()) {
        levels_.pop_back();
        return {};
      }
      auto path = level.path + "/" + level.names.back();
      level.names.pop_back();
      return add(path, out);
    }
    if (roots_.empty()) {
      out += tar_end();
      ended_ = true;
      return {};
    }
    auto root = std::move(roots_.back());
    roots_.pop_back();
    auto added = add(root, out);
    bool unbuilt = !added && added.error().code == ErrorCode::kNotFound && exists(files_.paths.root);
    return unbuilt ? Status() : added;  // a task that never began has no directory
  }

  Status add(const std::string& path, std::string& out) {
    DROVER_TRY(auto handle, open_in(files_, path, O_PATH | O_NOFOLLOW, "lstat"));
    struct stat st;
    if (::fstat(handle.fd(), &st) != 0) return go_errno("lstat", path, errno);
    TarEntry e;
    e.name = path;
    e.mode = st.st_mode & 07777;
    e.uid = st.st_uid;
    e.gid = st.st_gid;
    e.modified = Time::from_unix_nanos(st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec);
    if (S_ISDIR(st.st_mode)) {
      e.kind = TarKind::kDir;
      DROVER_TRY(auto dir, open_in(files_, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, "open"));
      DROVER_TRY(auto names, dir_names(dir));
      levels_.push_back({path, {names.rbegin(), names.rend()}});
    } else if (S_ISLNK(st.st_mode)) {
      char target[PATH_MAX];
      ssize_t n = ::readlinkat(handle.fd(), "", target, sizeof target);
      if (n < 0) return go_errno("readlink", path, errno);
      e.kind = TarKind::kSymlink;
      e.link.assign(target, static_cast<size_t>(n));
    } else if (S_ISREG(st.st_mode)) {
      DROVER_TRY(file_, open_in(files_, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, "open"));
      if (::fstat(file_.fd(), &st) != 0) return go_errno("stat", path, errno);
      e.size = left_ = st.st_size;
      padding_ = tar_padding(left_);
      path_ = path;
    } else {
      return {};  // sockets, pipes, devices: nothing that moves
    }
    out += tar_header(e);
    return {};
  }

  Status read_on(std::string& out) {
    auto at = out.size();
    out.resize(at + std::min(static_cast<size_t>(left_), kPiece));
    ssize_t n = left_ > 0 ? ::read(file_.fd(), out.data() + at, out.size() - at) : 0;
    int err = errno;
    if (n <= 0 && left_ > 0) {  // it shrank, or the disk fails: the announced bytes are made up, and told of
      out.resize(at);
      out.append(static_cast<size_t>(left_) + padding_, '\0');
      file_ = Handle();
      return n < 0 ? go_errno("read", path_, err) : Error(ErrorCode::kIo, "read " + path_ + ": unexpected EOF");
    }
    out.resize(at + static_cast<size_t>(n));
    left_ -= n;
    if (left_ > 0) return {};
    out.append(padding_, '\0');
    file_ = Handle();
    return {};
  }

  std::string error_entry(const std::string& message) const {
    auto text = "Error snapshotting: " + message;
    TarEntry e;
    e.name = snapshot_error_name(files_.paths.root.substr(files_.paths.root.rfind('/') + 1));
    e.mode = 0666;
    e.size = static_cast<int64_t>(text.size());
    return tar_header(e) + text + std::string(tar_padding(e.size), '\0') + tar_end();
  }

  AllocFiles files_;
  std::vector<std::string> roots_;  // last first
  std::vector<Level> levels_;
  Handle file_;
  std::string path_;
  int64_t left_ = 0;
  size_t padding_ = 0;
  bool ended_ = false;
};

class PoolStream final : public SnapshotStream {
 public:
  PoolStream(World& world, AllocFiles files) : world_(world), walker_(std::make_shared<Walker>(std::move(files))) {}
  Async<std::string> next() override {
    co_return co_await on_pool(world_, [walker = walker_] { return walker->next(); });
  }

 private:
  World& world_;
  std::shared_ptr<Walker> walker_;  // a read on the pool may outlive the stream
};

}  // namespace

std::unique_ptr<SnapshotStream> snapshot_alloc(World& world, AllocFiles files) {
  return std::make_unique<PoolStream>(world, std::move(files));
}

std::string snapshot_error_name(std::string_view alloc_id) { return "NOMAD-" + std::string(alloc_id) + "-ERROR.log"; }

}  // namespace drover::client
