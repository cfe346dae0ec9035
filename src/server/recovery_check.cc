#include "server/recovery_check.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "raft/offline.h"
#include "server/peers_file.h"

namespace drover::server {
namespace {

constexpr size_t kFileMax = 1 << 20;

Result<std::string> text_of(const std::string& path, raft::Disk& disk) {
  DROVER_TRY(auto file, disk.open(path, raft::OpenMode::kRead));
  DROVER_TRY(uint64_t size, file->size());
  std::string out(std::min<uint64_t>(size, kFileMax), '\0');
  DROVER_TRY(size_t got, file->read_at(0, out.data(), out.size()));
  out.resize(got);
  return out;
}

struct End {
  uint64_t index = 0, term = 0;
};

Result<End> end_of(const std::string& dir, raft::Disk& disk) {
  DROVER_TRY(auto log, raft::OfflineLog::open(dir, disk));
  End end;
  if (!log.snapshots().empty()) end = {log.snapshots().front().index(), log.snapshots().front().meta.term};
  DROVER_CHECK(log.read([&](const raft::OfflineEntry& e) {
    if (e.index > end.index) end = {e.index, e.term};
    return true;
  }));
  return end;
}

}  // namespace

Status check_peers(const std::string& path, raft::Disk& disk, const LineFn& line) {
  DROVER_TRY(auto dir, raft::find_raft_dir(path, disk));
  DROVER_TRY(auto peers, text_of(dir + "/peers.json", disk));
  DROVER_TRY(auto servers, parse_peers(peers));
  auto slash = dir.rfind('/');
  DROVER_TRY(auto id, text_of(dir.substr(0, slash == std::string::npos ? 0 : slash) + "/node-id", disk));
  id = trim_space(id);
  DROVER_CHECK(check_recovery(servers, id));
  DROVER_TRY(auto end, end_of(dir, disk));
  DROVER_TRY(auto state, raft_state(path, disk, 0));
  line(fmt::format("This server:  {}", id));
  line(fmt::format("Ends at:      index {}, term {}", end.index, end.term));
  line(fmt::format("State:        {} jobs, {} nodes, {} allocations, {} evaluations", state.jobs.size(), state.nodes.size(),
                   state.allocs.size(), state.evals.size()));
  for (auto& s : servers)
    line(fmt::format("Would have:   {} at {}, {}", s.id, s.address, s.suffrage == raft::Suffrage::kVoter ? "voter" : "no voter"));
  line("Nothing was changed. Of several servers, those with a smaller term, or the same term and a smaller index, may lack");
  line("writes that the others have: recover from the one with the greatest.");
  return {};
}

}  // namespace drover::server
