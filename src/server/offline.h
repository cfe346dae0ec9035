// The state and the log of a server that is stopped, as text for operators (reference cli section 9.12). Nothing on
// disk is changed.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/disk.h"
#include "state/store.h"

namespace drover::server {

using LineFn = std::function<void(std::string_view line)>;

// The four lines of `operator raft info`. `path`: see raft::find_raft_dir.
Status raft_info(const std::string& path, raft::Disk& disk, const LineFn& line);

// One JSON object for each entry: {LogType, Term, Index, CommandType, IgnoreUnknownTypeFlag, Body}.
Status raft_logs(const std::string& path, raft::Disk& disk, bool pretty, const LineFn& line);

// The state after the entry `last_index` (0: the last there is), from the newest snapshot before it on.
Result<state::State> raft_state(const std::string& path, raft::Disk& disk, uint64_t last_index);

// Every table that operators look at, keys by name, two spaces: {"ACLPolicies": [...], ..., "VaultAccessors": []}.
// `filter`: rows that this expression does not select are left out; empty: none. `meta`: JSON of "SnapshotMeta", left
// out when empty. Errors: those of the filter's text.
Result<std::string> state_json(const state::State& state, const std::string& filter, std::string_view meta);

// The same from the archive of a snapshot, with its "SnapshotMeta".
Result<std::string> archive_json(const std::function<Result<size_t>(uint64_t offset, char* out, size_t size)>& archive,
                                 const std::string& filter);

}  // namespace drover::server
