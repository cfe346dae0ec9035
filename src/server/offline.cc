#include "server/offline.h"

#include <fmt/format.h>

#include <map>
#include <optional>

#include "base/strings.h"
#include "bexpr/bexpr.h"
#include "codec/json.h"
#include "codec/msgpack.h"
#include "raft/offline.h"
#include "server/state_archive.h"
#include "state/fsm.h"
#include "state/snapshot_io.h"
#include "state/snapshot_records.h"

namespace drover::server {
namespace {

constexpr JsonStyle kCompact{.escape_html = true, .trailing_newline = false, .float_point = false, .bare = true};
constexpr JsonStyle kPretty{.pretty = true, .escape_html = true, .indent = 2, .trailing_newline = false,
                            .float_point = false, .bare = true};

std::string indented(std::string text, int spaces) {
  return replace_all(std::move(text), "\n", "\n" + std::string(static_cast<size_t>(spaces), ' '));
}

Result<raft::OfflineLog> open_log(const std::string& path, raft::Disk& disk) {
  DROVER_TRY(auto dir, raft::find_raft_dir(path, disk));
  return raft::OfflineLog::open(std::move(dir), disk);
}

// ---- entries ---------------------------------------------------------------------------------------------------------

std::string command_name(const state::Entry& entry) {
  auto* row = state::find_entry_row(entry.type);
  if (!row) return fmt::format("{}", entry.type);
  return std::string(row->name) + (row->type == state::EntryType::kUpsertNodeEvents ? "Type" : "RequestType");
}

// The body as its struct; as what it is where this build does not know the type. "": none.
Result<std::string> body_json(const state::Entry& entry, const JsonStyle& style) {
  auto* row = state::find_entry_row(entry.type);
  if (row) return row->json ? row->json(entry.body, style) : std::string();
  if (entry.body.empty()) return std::string();
  DROVER_TRY(auto value, from_msgpack<Value>(entry.body));
  return to_json(value, style);
}

std::string_view log_type(raft::OfflineEntry::Kind kind) {
  using Kind = raft::OfflineEntry::Kind;
  switch (kind) {
    case Kind::kCommand: return "LogCommand";
    case Kind::kNoop: return "LogNoop";
    case Kind::kConfiguration: return "LogConfiguration";
    case Kind::kRestoreChunk: return "LogRestoreChunk";
  }
  return "";
}

Result<std::string> entry_json(const raft::OfflineEntry& e, bool pretty) {
  std::vector<std::pair<std::string_view, std::string>> fields{
      {"LogType", fmt::format("\"{}\"", log_type(e.kind))}, {"Term", fmt::format("{}", e.term)}, {"Index", fmt::format("{}", e.index)}};
  if (e.kind == raft::OfflineEntry::Kind::kCommand) {
    DROVER_TRY(auto entry, state::parse_entry(e.data));
    bool barrier = entry.type == static_cast<uint8_t>(state::EntryType::kBarrier);
    if (barrier) fields[0].second = "\"LogBarrier\"";
    else fields.emplace_back("CommandType", fmt::format("\"{}\"", command_name(entry)));
    if (entry.ignore_unknown && !barrier) fields.emplace_back("IgnoreUnknownTypeFlag", "true");
    DROVER_TRY(auto body, body_json(entry, pretty ? kPretty : kCompact));
    if (!body.empty()) fields.emplace_back("Body", std::move(body));
  }
  std::string out;
  for (auto& [key, value] : fields)
    out += fmt::format("{}\"{}\":{}{}", out.empty() ? (pretty ? "\n  " : "") : (pretty ? ",\n  " : ","), key, pretty ? " " : "",
                       pretty ? indented(value, 2) : value);
  return "{" + out + (pretty ? "\n}" : "}");
}

// ---- state -----------------------------------------------------------------------------------------------------------

// Restored snapshots in the log arrive in pieces.
Status replay(state::Store& store, std::string& gathered, const raft::OfflineEntry& e) {
  if (e.kind == raft::OfflineEntry::Kind::kRestoreChunk) {
    gathered += e.data;
    if (!e.restore_done) return {};
    auto stream = std::exchange(gathered, {});
    size_t at = 0;
    return state::restore_snapshot(store, [&](char* into, size_t size) -> Result<size_t> {
      size_t n = stream.copy(into, size, at);
      at += n;
      return n;
    });
  }
  gathered.clear();
  if (e.kind != raft::OfflineEntry::Kind::kCommand) return {};
  auto out = state::Fsm(store).apply(e.index, e.data);
  // A refused entry is an answer to its proposer; one that cannot be read ends the replay.
  if (out.error && (out.error->code == ErrorCode::kCorrupt || out.error->code == ErrorCode::kNotImplemented)) return *out.error;
  return {};
}

Status restore(state::Store& store, const raft::OfflineSnapshot& snapshot, raft::Disk& disk) {
  DROVER_TRY(auto file, disk.open(snapshot.path, raft::OpenMode::kRead));
  uint64_t at = 0;
  return state::restore_snapshot(store, [&](char* into, size_t size) -> Result<size_t> {
    DROVER_TRY(size_t n, file->read_at(at, into, size));
    at += n;
    return n;
  });
}

class StateWriter {
 public:
  StateWriter(const state::State& state, const std::optional<bexpr::Filter>& filter) : state_(state), filter_(filter) {}

  template <class Rows>
  void table(std::string_view key, Rows rows) {
    std::string list;
    for (auto& row : rows) add(list, *row);
    put(key, std::move(list));
  }
  void indexes() {
    std::map<std::string, uint64_t> rows;
    for (size_t i = 0; i < state::kTableCount; ++i) {
      auto id = static_cast<state::TableId>(i);
      if (auto index = state_.table_index(id); index && state::table_has_index_row(id)) rows.emplace(state::table_name(id), index);
    }
    if (state_.acl_bootstrap_index) rows.emplace(state::kBootstrapIndexKey, state_.acl_bootstrap_index);
    std::string list;
    for (auto& [key, index] : rows) put_row(list, IndexEntry{key, index});
    put("Indexes", std::move(list));
  }
  void meta(std::string_view text) {
    if (!text.empty()) put("SnapshotMeta", std::string(text));
  }
  std::string text() const {
    std::string out;
    for (auto& [key, list] : tables_)
      out += fmt::format("{}\n  \"{}\": {}", out.empty() ? "" : ",", key, list.empty() ? "[]" : "[\n    " + indented(list, 4) + "\n  ]");
    return "{" + out + "\n}";
  }

 private:
  template <class T>
  void add(std::string& list, const T& row) {
    if (!filter_ || filter_->matches(row).value_or(false)) put_row(list, row);
  }
  template <class T>
  void put_row(std::string& list, const T& row) {
    list += (list.empty() ? "" : ",\n") + to_json(row, kPretty);
  }
  void put(std::string_view key, std::string list) { tables_[std::string(key)] = std::move(list); }

  const state::State& state_;
  const std::optional<bexpr::Filter>& filter_;
  std::map<std::string, std::string> tables_;
};

}  // namespace

Status raft_info(const std::string& path, raft::Disk& disk, const LineFn& line) {
  DROVER_TRY(auto log, open_log(path, disk));
  line("path:        " + log.dir());
  line(fmt::format("length:      {}", log.last() == 0 ? 0 : log.last() - log.first() + 1));
  line(fmt::format("first index: {}", log.first()));
  line(fmt::format("last index:  {}", log.last()));
  return {};
}

Status raft_logs(const std::string& path, raft::Disk& disk, bool pretty, const LineFn& line) {
  DROVER_TRY(auto log, open_log(path, disk));
  Status bad;
  DROVER_CHECK(log.read([&](const raft::OfflineEntry& e) {
    auto text = entry_json(e, pretty);
    if (text) line(*text);
    else bad = std::move(text).error().with_context(fmt::format("failed to decode log entry at index {}", e.index));
    return static_cast<bool>(bad);
  }));
  return bad;
}

Result<state::State> raft_state(const std::string& path, raft::Disk& disk, uint64_t last_index) {
  DROVER_TRY(auto log, open_log(path, disk));
  state::Store store;
  uint64_t from = 0;
  for (auto& snapshot : log.snapshots()) {
    if (last_index != 0 && snapshot.index() > last_index) continue;
    DROVER_CHECK(restore(store, snapshot, disk));
    from = snapshot.index();
    break;
  }
  Status bad;
  std::string gathered;
  DROVER_CHECK(log.read([&](const raft::OfflineEntry& e) {
    if (e.index <= from) return true;
    if (last_index != 0 && e.index > last_index) return false;
    bad = replay(store, gathered, e);
    return static_cast<bool>(bad);
  }));
  if (!bad) return std::move(bad).error();
  return store.snapshot().state();
}

Result<std::string> state_json(const state::State& state, const std::string& filter, std::string_view meta) {
  std::optional<bexpr::Filter> selected;
  if (!filter.empty()) {
    DROVER_TRY(selected, bexpr::Filter::parse(filter));
  }
  StateWriter w(state, selected);
  w.table("ACLPolicies", state.acl_policies.all());
  w.table("ACLTokens", state.acl_tokens.all());
  w.table("Allocs", state.allocs.all());
  w.table("CSIPlugins", state.csi_plugins.all());
  w.table("CSIVolumes", state.csi_volumes.all());
  w.table("Deployments", state.deployments.all());
  w.table("Evals", state.evals.all());
  w.indexes();
  w.table("JobSummaries", state.job_summaries.all());
  std::vector<Ref<Job>> versions;
  for (auto& job : state.jobs.all())
    for (auto& version : state.job_versions.by_job(job->Namespace, job->ID, nullptr, state::Dir::kForward)) versions.push_back(version);
  w.table("JobVersions", std::move(versions));
  w.table("Jobs", state.jobs.all());
  w.table("Nodes", state.nodes.all());
  w.table("PeriodicLaunches", state.periodic_launches.all());
  w.table("SITokenAccessors", state.si_token_accessors.all());
  w.table("ScalingEvents", state.scaling_events.all());
  w.table("ScalingPolicies", state.scaling_policies.all());
  w.table("VaultAccessors", state.vault_accessors.all());
  w.meta(meta);
  return w.text();
}

Result<std::string> archive_json(const ArchiveSource& archive, const std::string& filter) {
  state::Interner interner;
  auto read = read_archive(archive, interner);
  if (!read) return std::move(read).error().with_context("failed to read snapshot");
  return state_json(*read->state, filter, to_json(read->meta, kPretty));
}

}  // namespace drover::server
