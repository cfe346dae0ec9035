#include "server/state_archive.h"

#include <sys/stat.h>

#include <algorithm>

#include <fmt/format.h>

#include "codec/msgpack.h"
#include "raft/replica.h"
#include "server/server.h"
#include "state/snapshot_io.h"

namespace drover::server {
namespace {

constexpr size_t kAtOnce = 32 * 1024;  // of the archive; a hostile one unpacks to a thousand times as much
constexpr int64_t kVersionMax = 1;     // of meta.json

archive::SnapshotMeta meta_of(Server& server, const state::Snapshot& snap) {
  archive::SnapshotMeta meta;
  auto stats = server.replica().stats();
  meta.Index = snap.index();
  meta.Term = stats.term;
  meta.ID = fmt::format("{}-{}-{}", meta.Term, meta.Index, server.world().clock.now().unix_nanos / 1'000'000);
  meta.ConfigurationIndex = std::min(stats.configuration_index, meta.Index);
  List<Bytes> voters;
  for (auto& s : stats.configuration) {
    bool voter = s.suffrage == raft::Suffrage::kVoter;
    meta.Configuration.Servers.push_back({voter ? 0 : 1, s.id, s.address});
    if (voter) voters.push_back(Bytes(s.address));
  }
  meta.Peers = Bytes(to_msgpack(voters));
  return meta;
}

// Pulls state.bin out of an archive.
class StateBin {
 public:
  StateBin(const ArchiveSource& source, std::optional<Error> cut)
      : source_(source), cut_(std::move(cut)), reader_([this](std::string_view b) { return size_ += b.size(), ready_ += b, Status(); }) {}

  Result<size_t> read(char* into, size_t size) {
    while (at_ == ready_.size() && !ended_) DROVER_CHECK(advance());
    size_t n = ready_.copy(into, size, at_);
    at_ += n;
    return n;
  }
  // Reads what is left, for its checks.
  Result<archive::SnapshotMeta> finish() {
    while (!ended_ && !failed_) {
      at_ = ready_.size();
      if (!advance()) break;
    }
    if (failed_) return *failed_;
    if (size_ != static_cast<uint64_t>(meta_.Size))
      return internal(fmt::format("Raft error when restoring snapshot: failed to write snapshot, size didn't match ({} != {})", size_, meta_.Size));
    if (meta_.Version < 0 || meta_.Version > kVersionMax)
      return internal(fmt::format("Raft error when restoring snapshot: unsupported snapshot version {}", meta_.Version));
    return meta_;
  }

 private:
  Status advance() {
    auto status = step();
    if (!status) failed_ = status.error();
    return status;
  }
  Status step() {
    ready_.clear();
    at_ = 0;
    DROVER_TRY(size_t n, source_(offset_, buffer_.data(), buffer_.size()));
    offset_ += n;
    if (n > 0) return reader_.write({buffer_.data(), n});
    if (cut_) return reader_.broken(*cut_);
    DROVER_TRY(meta_, reader_.finish());
    ended_ = true;
    return {};
  }

  const ArchiveSource& source_;
  std::optional<Error> cut_;
  archive::ArchiveReader reader_;
  std::string buffer_ = std::string(kAtOnce, '\0');
  uint64_t offset_ = 0, size_ = 0;
  std::string ready_;
  size_t at_ = 0;
  bool ended_ = false;
  std::optional<Error> failed_;
  archive::SnapshotMeta meta_;
};

Result<LoadedState> load(const archive::Spool& file, std::optional<Error> cut, Time now, std::string dir) {
  state::Interner interner;
  auto source = [&](uint64_t offset, char* out, size_t size) { return file.read_at(offset, out, size); };
  DROVER_TRY(auto read, read_archive(source, interner, std::move(cut)));
  auto& state = *read.state;
  state.index = std::max({state.index, state.latest_index(), read.meta.Index});
  state.stamp = std::max(state.stamp, now);
  DROVER_TRY(auto stream, archive::Spool::create(std::move(dir)));
  auto write = [&](std::string_view bytes) { return stream.append(bytes); };
  DROVER_CHECK(state::write_snapshot(state::Snapshot(read.state), write));
  return LoadedState{std::move(read.meta), std::move(stream), state.index};
}

class SpoolReader final : public raft::SnapshotReader {
 public:
  explicit SpoolReader(archive::Spool spool) : spool_(std::move(spool)) {}
  Result<size_t> read(char* out, size_t size) override {
    DROVER_TRY(size_t n, spool_.read_at(at_, out, size));
    at_ += n;
    return n;
  }

 private:
  archive::Spool spool_;
  uint64_t at_ = 0;
};

}  // namespace

Result<ArchivedState> read_archive(const ArchiveSource& source, state::Interner& interner, std::optional<Error> cut) {
  StateBin bin(source, std::move(cut));
  auto state = state::read_snapshot([&](char* into, size_t size) { return bin.read(into, size); }, interner);
  // A damaged archive is the cause of whatever is wrong in it.
  DROVER_TRY(auto meta, bin.finish());
  if (!state) return std::move(state).error();
  return ArchivedState{std::move(meta), std::make_shared<state::State>(std::move(*state))};
}

std::string spool_dir(Server& server) {
  auto& dir = server.config().data_dir;
  struct stat s {};
  return !server.config().in_memory && !dir.empty() && ::stat(dir.c_str(), &s) == 0 ? dir : std::string();
}

Async<Result<archive::SavedArchive>> save_state(Server& server) {
  auto snap = server.snapshot();
  auto meta = meta_of(server, snap);
  // The last hold of a state that is left behind is let go of on the pool: there may be much to free.
  auto work = [snap = std::move(snap), meta = std::move(meta), now = server.world().clock.now(), dir = spool_dir(server)]() mutable {
    auto write = [&](const archive::BytesFn& out) { return state::write_snapshot(snap, out, state::SnapshotStyle::kReference); };
    return archive::save_archive(std::move(meta), now, write, std::move(dir));
  };
  co_return co_await on_pool(server.world(), std::move(work));
}

Async<Result<LoadedState>> load_state(Server& server, archive::Spool file, std::optional<Error> cut) {
  auto work = [file = std::move(file), cut = std::move(cut), now = server.world().clock.now(), dir = spool_dir(server)]() mutable {
    return load(file, std::move(cut), now, std::move(dir));
  };
  co_return co_await on_pool(server.world(), std::move(work));
}

std::unique_ptr<raft::SnapshotReader> stream_of(LoadedState state) { return std::make_unique<SpoolReader>(std::move(state.stream)); }

}  // namespace drover::server
